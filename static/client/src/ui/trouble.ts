import { html, type TemplateResult } from "lit";
import { t } from "../i18n/index.ts";

/** A screen that could not be loaded, and what to do about it. */
export function trouble(text: string, again: () => void): TemplateResult {
  return html`<main id="main" class="narrow" tabindex="-1">
    <h1>${t("trouble.title")}</h1>
    <p>${text}</p>
    <p><button class="button primary" @click=${again}>${t("trouble.again")}</button></p>
  </main>`;
}
