import { html, type TemplateResult } from "lit";

/** A field for some sentences in a question's form. */
export const area = (
  name: string,
  words: string,
  { required = true, hint = "" } = {},
): TemplateResult => html`<div class="field">
  <label for="ask-${name}">${words}</label>
  ${hint ? html`<p class="hint" id="ask-${name}-hint">${hint}</p>` : ""}
  <textarea
    id="ask-${name}"
    name=${name}
    rows="3"
    ?required=${required}
    maxlength="500"
    aria-describedby=${hint ? `ask-${name}-hint` : ""}
  ></textarea>
</div>`;
