import { html, type TemplateResult } from "lit";
import { api } from "../api/client.ts";
import type { Member } from "../api/types.ts";
import { t } from "../i18n/index.ts";
import { announce } from "../ui/announce.ts";
import { ask } from "../ui/dialog.ts";

/** How long, in minutes; 0: until it is lifted. */
const LENGTHS = [
  [5, "mute.minutes"],
  [45, "mute.lesson"],
  [0, "mute.open"],
] as const;

type Somebody = Pick<Member, "id" | "name">;

const fields = (howLong: string, why: string): TemplateResult => html`<fieldset class="choice rows">
    <legend>${howLong}</legend>
    ${LENGTHS.map(
      ([minutes, words]) => html`<label>
        <input type="radio" name="minutes" value=${minutes} ?checked=${minutes === 5} />
        <span>${t(words)}</span>
      </label>`,
    )}
  </fieldset>
  <div class="field">
    <label for="mute-reason">${why}</label>
    <input id="mute-reason" name="reason" required maxlength="200" autocomplete="off" />
  </div>`;

/** Takes somebody's right to write for a while, with a reason. Resolves true when it was done. */
export async function mute({ id, name }: Somebody): Promise<boolean> {
  const done = await ask(
    {
      title: t("mute.title", { name }),
      fields: fields(t("mute.how-long"), t("mute.reason")),
      submit: t("mute.do"),
    },
    (form) => {
      const minutes = Number(form.get("minutes"));
      return api.put(`/api/memberships/${id}/mute`, {
        reason: String(form.get("reason")).trim(),
        ...(minutes > 0 && { until: Date.now() / 1000 + minutes * 60 }),
      });
    },
  );
  if (done) announce(t("mute.done", { name }));
  return done;
}

/** Proposes the same for a teacher of another school: somebody else has to confirm it. */
export async function askMute({ id, name }: Somebody, space: string): Promise<void> {
  const done = await ask(
    {
      title: t("mutes.ask-title", { name }),
      text: t("mutes.ask-text", { name }),
      fields: fields(t("mutes.how-long"), t("mutes.why")),
      submit: t("mutes.ask"),
    },
    (form) => {
      const minutes = Number(form.get("minutes"));
      return api.post(`/api/spaces/${space}/proposals`, {
        mute: { member: id, ...(minutes > 0 && { minutes }) },
        because: String(form.get("reason")).trim(),
      });
    },
  );
  if (done) announce(t("mutes.asked"));
}

/** Gives the right to write back. */
export async function liftMute({ id, name }: Somebody): Promise<void> {
  await api.delete(`/api/memberships/${id}/mute`);
  announce(t("mute.lifted", { name }));
}
