import { html, nothing, type TemplateResult } from "lit";
import { registerCatalogue, t } from "../i18n/index.ts";
import { openDialog } from "../ui/dialog.ts";

/** The words of the questions are there. */
const ready = registerCatalogue({
  en: () => import("./i18n/dialogs/en.ts"),
  es: () => import("./i18n/dialogs/es.ts"),
  pt: () => import("./i18n/dialogs/pt.ts"),
});

/** Makes an address of what was typed, if it is one that is allowed. */
type Read = (typed: string) => string | null;

/** A form in a dialog: `read` takes its fields and gives the answer, or the words for what is wrong. */
function askForm<T>(
  title: string,
  fields: TemplateResult,
  submit: string,
  read: (form: FormData) => T | string,
  extra: (close: (value: T) => void) => TemplateResult | typeof nothing = () => nothing,
): Promise<T | undefined> {
  let failed = "";
  return openDialog<T>(
    () => title,
    (close, redraw) => html`<form
      class="stack"
      novalidate
      @submit=${(event: SubmitEvent) => {
        event.preventDefault();
        const answer = read(new FormData(event.currentTarget as HTMLFormElement));
        if (typeof answer !== "string") return close(answer);
        failed = answer;
        redraw();
      }}
    >
      ${fields}
      <p class="error" role="alert">${failed}</p>
      <footer class="actions">
        ${extra(close)}
        <button class="button" type="button" @click=${() => close()}>${t("dialog.cancel")}</button>
        <button class="button primary">${submit}</button>
      </footer>
    </form>`,
  );
}

export type LinkAnswer = { remove: true } | { remove?: false; href: string; text: string };

/** Asks where a link leads, and for its words when none are selected. */
export async function askLink(
  read: Read,
  href: string | null,
  needsText: boolean,
): Promise<LinkAnswer | undefined> {
  await ready;
  const fields = html`<div class="field">
      <label for="link-href">${t("editor.link.href")}</label>
      <input id="link-href" name="href" inputmode="url" autocapitalize="off" autocomplete="off" spellcheck="false"
        aria-describedby="link-hint" value=${href ?? ""} autofocus />
      <p id="link-hint" class="hint">${t("editor.link.hint")}</p>
    </div>
    ${
      needsText
        ? html`<div class="field">
            <label for="link-text">${t("editor.link.text")}</label>
            <input id="link-text" name="text" autocomplete="off" />
          </div>`
        : nothing
    }
    ${
      href
        ? html`<p><a href=${href} target="_blank" rel="noopener noreferrer">${t("editor.link.open")}</a></p>`
        : nothing
    }`;
  return askForm<LinkAnswer>(
    t(href ? "editor.link.change" : "editor.link.title"),
    fields,
    t(href ? "editor.link.save" : "editor.link.add"),
    (form) => {
      const address = read(String(form.get("href") ?? ""));
      return address ? { href: address, text: String(form.get("text") ?? "").trim() } : t("editor.link.bad");
    },
    (close) =>
      href
        ? html`<button class="button danger" type="button" @click=${() => close({ remove: true })}>${t("editor.link.remove")}</button>`
        : nothing,
  );
}

/** Asks for the address of an image, and for words for those who do not see it. */
export async function askImage(
  read: Read,
  known: { src: string; alt: string } | null,
): Promise<{ src: string; alt: string } | undefined> {
  await ready;
  const fields = html`<div class="field">
      <label for="image-src">${t("editor.image.src")}</label>
      <input id="image-src" name="src" type="url" inputmode="url" autocomplete="off" spellcheck="false"
        aria-describedby="image-hint" value=${known?.src ?? ""} autofocus />
      <p id="image-hint" class="hint">${t("editor.image.src-hint")}</p>
    </div>
    <div class="field">
      <label for="image-alt">${t("editor.image.alt")}</label>
      <textarea id="image-alt" name="alt" rows="3" maxlength="1000" aria-describedby="alt-hint" .value=${known?.alt ?? ""}></textarea>
      <p id="alt-hint" class="hint">${t("editor.image.alt-hint")}</p>
    </div>
    <label class="check"><input type="checkbox" name="decoration" ?checked=${known !== null && !known.alt} />
      <span>${t("editor.image.decoration")}</span></label>`;
  return askForm(
    t(known ? "editor.image.change" : "editor.image.title"),
    fields,
    t(known ? "editor.image.save" : "editor.image.add"),
    (form) => {
      const typed = String(form.get("src") ?? "").trim();
      const src = typed ? read(typed) : null;
      const alt = String(form.get("alt") ?? "").trim();
      if (!src) return t("editor.image.bad");
      if (!alt && !form.get("decoration")) return t("editor.image.no-alt");
      return { src, alt: form.get("decoration") ? "" : alt };
    },
  );
}
