import { html, nothing } from "lit";
import { country, has, registerCatalogue, t } from "../i18n/index.ts";
import { adopt } from "../styles/adopt.ts";
import { openDialog } from "../ui/dialog.ts";
import { avatar } from "../ui/marks.ts";
import css from "./panels.css";
import type { Somebody } from "./people.ts";

adopt(css);

const ready = registerCatalogue({
  en: () => import("./i18n/panels/en.ts"),
  es: () => import("./i18n/panels/es.ts"),
  pt: () => import("./i18n/panels/pt.ts"),
});

/** Everybody on this page, and whether comings and goings are read out. */
export async function showPeople(
  people: () => Somebody[],
  mine: string,
  spoken: boolean,
  speak: (spoken: boolean) => void,
): Promise<void> {
  await ready;
  return openDialog<void>(
    () => t("editor.people.title", { count: people().length }),
    () => html`<ul class="ed-people" role="list">
        ${people().map(
          (each) => html`<li>
            ${avatar(each.name, each.color)}
            <span><strong><bdi>${each.name}</bdi></strong>${each.id === mine ? html` ${t("editor.people.me")}` : nothing}
              <span class="hint">${about(each)}</span></span>
          </li>`,
        )}
      </ul>
      <label class="check"><input type="checkbox" ?checked=${spoken}
          @change=${(event: Event) => speak((event.target as HTMLInputElement).checked)} />
        <span>${t("editor.people.speak")}</span></label>`,
  );
}

const about = ({ school, country: code, role }: Somebody): string =>
  [school, code ? country(code) : "", has(`role.${role}`) ? t(`role.${role}`) : ""]
    .filter(Boolean)
    .join(" · ");

/** The keys, for whoever writes with the keyboard. */
export async function showHelp(shortcuts: [id: string, keys: string][]): Promise<void> {
  await ready;
  const name = (id: string) => t(has(`editor.tool.${id}`) ? `editor.tool.${id}` : `editor.style.${id}`);
  return openDialog<void>(
    () => t("editor.help.title"),
    () => html`<p>${t("editor.help.tab")}</p>
      <p>${t("editor.help.typed")}</p>
      <table class="ed-keys">
        <thead><tr><th scope="col">${t("editor.help.what")}</th><th scope="col">${t("editor.help.keys")}</th></tr></thead>
        <tbody>${shortcuts.map(
          ([id, keys]) => html`<tr><th scope="row">${name(id)}</th><td><kbd>${keys}</kbd></td></tr>`,
        )}</tbody>
      </table>`,
  );
}
