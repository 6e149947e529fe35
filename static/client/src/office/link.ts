import { html, nothing, type TemplateResult } from "lit";
import { t } from "../i18n/index.ts";
import { announce } from "../ui/announce.ts";
import { View } from "../ui/view.ts";

/** Where the token of an invitation leads. */
export const linkOf = (token: string): string => `${location.origin}/invitations/${token}`;

let made = 0;

/** A link to pass on: to copy, or to share where the device can. */
class Link extends View {
  static override properties = {
    url: { attribute: false },
    words: { attribute: false },
    message: { attribute: false },
    copied: { state: true },
  };

  declare url: string;
  /** Its label. */
  declare words: string;
  /** What is shared with it. */
  declare message: string;
  declare copied: boolean;

  private readonly field = `link-${++made}`;

  constructor() {
    super();
    this.copied = false;
  }

  protected override willUpdate(changed: Map<string, unknown>): void {
    if (changed.has("url")) this.copied = false;
  }

  protected override render(): TemplateResult {
    return html`<div class="field">
        <label for=${this.field}>${this.words}</label>
        <input
          id=${this.field}
          readonly
          .value=${this.url}
          @focus=${(event: FocusEvent) => (event.target as HTMLInputElement).select()}
        />
      </div>
      <div class="actions start">
        <button type="button" class="button primary" @click=${this.copy}>${t(this.copied ? "link.copied" : "link.copy")}</button>
        ${"share" in navigator ? html`<button type="button" class="button" @click=${this.share}>${t("link.share")}</button>` : nothing}
      </div>`;
  }

  private async copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(this.url);
      this.copied = true;
      announce(t("link.copied-long"));
    } catch {
      // Not over plain http, and not where the person forbids it.
      this.querySelector("input")?.focus();
      announce(t("link.by-hand"));
    }
  }

  private async share(): Promise<void> {
    try {
      await navigator.share({ text: this.message, url: this.url });
    } catch (error) {
      if (!(error instanceof DOMException && error.name === "AbortError")) await this.copy();
    }
  }
}

customElements.define("ts-link", Link);
