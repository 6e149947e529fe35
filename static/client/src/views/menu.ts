import { html, nothing, type TemplateResult } from "lit";
import { explain } from "../api/client.ts";
import { unsent } from "../collab/device.ts";
import { LANGUAGES, language, t } from "../i18n/index.ts";
import { go, path } from "../router.ts";
import { chooseLanguage, logOut, me } from "../session.ts";
import { announce } from "../ui/announce.ts";
import { ask, openDialog } from "../ui/dialog.ts";
import { icon } from "../ui/icons.ts";
import { setTheme, type Theme, theme } from "../ui/theme.ts";

const THEMES: Theme[] = ["auto", "light", "dark"];

/** Who I am, language, appearance, log-out. */
export async function openMenu(): Promise<void> {
  const person = me()?.person;
  const leave = await openDialog<"out">(
    () => person?.name ?? t("me.settings"),
    (close, redraw) => html`<div class="stack">
      ${person?.school ? html`<p class="quiet">${person.school.name}, ${person.school.town}</p>` : nothing}
      ${choice(
        t("me.language"),
        "language",
        LANGUAGES.map(({ code, name }) => ({ value: code, label: name, lang: code })),
        language(),
        (code) => chooseLanguage(code).catch((error: unknown) => announce(explain(error))),
      )}
      ${choice(
        t("me.theme"),
        "theme",
        THEMES.map((value) => ({ value, label: t(`theme.${value}`) })),
        theme(),
        (value) => {
          setTheme(value as Theme);
          redraw();
        },
      )}
      ${
        person
          ? html`<button class="button wide" @click=${() => close("out")}>${icon("out")}${t("me.log-out")}</button>`
          : nothing
      }
    </div>`,
    { className: "sheet" },
  );
  if (leave === "out") await leaveNow();
}

async function leaveNow(): Promise<void> {
  const person = me()?.person;
  const waiting = person ? unsent(person.id).length : 0;
  if (waiting > 0) {
    const question = {
      title: t("log-out.unsent-title"),
      text: t("log-out.unsent", { count: waiting }),
      submit: t("log-out.anyway"),
      danger: true,
    };
    if (!(await ask(question, logOut))) return;
  } else {
    try {
      await logOut();
    } catch (error) {
      announce(explain(error));
      return;
    }
  }
  go(path.login);
  announce(t("log-out.done"));
}

interface Option {
  value: string;
  label: string;
  lang?: string;
}

function choice(
  legend: string,
  name: string,
  options: Option[],
  chosen: string,
  choose: (value: string) => void,
): TemplateResult {
  return html`<fieldset class="choice">
    <legend>${legend}</legend>
    ${options.map(
      ({ value, label, lang }) => html`<label>
        <input type="radio" name=${name} value=${value} .checked=${value === chosen} @change=${() => choose(value)} />
        <span lang=${lang ?? nothing}>${label}</span>
      </label>`,
    )}
  </fieldset>`;
}
