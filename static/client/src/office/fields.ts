import { html, type TemplateResult } from "lit";

/** A field for some sentences in a question's form. */
export const area = (
  name: string,
  words: string,
  { value = "", most = 500 } = {},
): TemplateResult => html`<div class="field">
  <label for="ask-${name}">${words}</label>
  <textarea id="ask-${name}" name=${name} rows=${value ? 6 : 3} required maxlength=${most} .value=${value}></textarea>
</div>`;
