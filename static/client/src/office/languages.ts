import { html, nothing, type TemplateResult } from "lit";
import { language, t } from "../i18n/index.ts";

/** The official languages of the Union, and those of its neighbours in the programme. */
const ALL =
  "bg cs da de el en es et fi fr ga hr hu it lt lv mt nl pl pt ro sk sl sv ar az hy is ka mk no sq sr tr uk".split(
    " ",
  );

/** A language by its name in the language on the screen. */
export function nameOf(code: string): string {
  try {
    return new Intl.DisplayNames(language(), { type: "language" }).of(code) ?? code;
  } catch {
    return code;
  }
}

/** What is mostly spoken in a country. */
function spokenIn(country: string): string | undefined {
  try {
    return new Intl.Locale(`und-${country === "EL" ? "GR" : country}`).maximize().language;
  } catch {
    return undefined;
  }
}

/** The first ones to offer: of the screen, of the person's country, and English. */
export function likely(country: string | undefined): string[] {
  const codes = [language(), country && spokenIn(country), "en"];
  return [...new Set(codes.filter((code): code is string => !!code && ALL.includes(code)))];
}

/** Boxes to tick: those that are likely or chosen, and all others once asked for. */
export function languageChoice(
  first: readonly string[],
  chosen: readonly string[],
  all: boolean,
  change: (codes: string[]) => void,
  more: () => void,
): TemplateResult {
  const seen = all ? [...ALL] : [...new Set([...first, ...chosen])];
  if (all) seen.sort((a, b) => nameOf(a).localeCompare(nameOf(b), language()));
  return html`<fieldset class="choice">
    <legend>${t("new.languages")}</legend>
    ${seen.map(
      (code) => html`<label>
        <input
          type="checkbox"
          name="languages"
          value=${code}
          .checked=${chosen.includes(code)}
          @change=${(event: Event) =>
            change(
              (event.target as HTMLInputElement).checked
                ? [...chosen, code]
                : chosen.filter((each) => each !== code),
            )}
        />
        <span>${nameOf(code)}</span>
      </label>`,
    )}
    ${all ? nothing : html`<button type="button" class="button quiet" @click=${more}>${t("new.more-languages")}</button>`}
  </fieldset>`;
}
