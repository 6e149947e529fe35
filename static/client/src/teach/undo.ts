import { html, nothing } from "lit";
import { api } from "../api/client.ts";
import type { Page } from "../api/types.ts";
import { t } from "../i18n/index.ts";
import { announce } from "../ui/announce.ts";
import { ask } from "../ui/dialog.ts";

const SINCE = ["minutes", "lesson", "today", "time"] as const;

/** The moment meant, in unix seconds; `clock` is a time of today. */
function sinceWhen(choice: string, clock: string): number {
  const now = new Date();
  if (choice === "minutes") return now.getTime() / 1000 - 10 * 60;
  if (choice === "lesson") return now.getTime() / 1000 - 45 * 60;
  const [hours = 0, minutes = 0] = choice === "time" ? clock.split(":").map(Number) : [];
  return now.setHours(hours, minutes, 0, 0) / 1000;
}

/** Asks since when, and on which of the pages if there are several, and takes back what a member did there. */
export async function undoPerson(id: string, name: string, pages: readonly Page[]): Promise<boolean> {
  let undone = false;
  const [only] = pages;
  const done = await ask(
    {
      title: t("undo.title", { name }),
      text: t("undo.text"),
      fields: html`${
        pages.length > 1
          ? html`<div class="field">
              <label for="undo-page">${t("undo.page")}</label>
              <select id="undo-page" name="page">
                ${pages.map((page) => html`<option value=${page.id}>${page.title}</option>`)}
              </select>
            </div>`
          : nothing
      }
        <fieldset class="choice rows">
          <legend>${t("undo.since")}</legend>
          ${SINCE.map(
            (each) => html`<label>
              <input type="radio" name="since" value=${each} ?checked=${each === "minutes"} />
              <span>${t(`undo.${each}`)}</span>
            </label>`,
          )}
        </fieldset>
        <div class="field undo-clock">
          <label for="undo-clock">${t("undo.clock")}</label>
          <input id="undo-clock" name="clock" type="time" value="08:00" />
        </div>`,
      submit: t("undo.submit"),
      danger: true,
    },
    async (form) => {
      const page = String(form.get("page") ?? only?.id);
      const answer = await api.post<{ undone: boolean }>(`/api/pages/${page}/undo`, {
        membership_id: id,
        since: sinceWhen(String(form.get("since")), String(form.get("clock"))),
      });
      undone = answer.undone;
    },
  );
  if (done) announce(t(undone ? "undo.done" : "undo.nothing", { name }));
  return done;
}
