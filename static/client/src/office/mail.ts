import { html, nothing, type TemplateResult } from "lit";
import { api, explain } from "../api/client.ts";
import { language, t } from "../i18n/index.ts";
import { announce } from "../ui/announce.ts";
import { View } from "../ui/view.ts";

const DIGESTS = ["off", "daily", "weekly"] as const;
const HOURS = Array.from({ length: 24 }, (_, hour) => hour);

interface Mail {
  /** Whether this server sends mail to me at all. */
  available: boolean;
  digest: (typeof DIGESTS)[number];
  hour: number;
  quiet: { from: string; until: string } | null;
}

/** Whether and when somebody wants a mail of what is new; nothing where the server has no mail. */
class MailSettings extends View {
  static override properties = { mail: { state: true }, failed: { state: true }, busy: { state: true } };

  declare mail: Mail | undefined;
  declare failed: string;
  declare busy: boolean;

  constructor() {
    super();
    this.failed = "";
    this.busy = false;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    api.get<Mail>("/api/me/mail").then(
      (mail) => {
        this.mail = mail;
      },
      () => {}, // Without an answer there is nothing to set.
    );
  }

  private save = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    if (this.busy || !this.mail) return;
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const from = String(form.get("from") ?? "");
    const until = String(form.get("until") ?? "");
    if (!from !== !until || (from && from === until)) {
      this.failed = t("mail.both");
      return;
    }
    const { digest } = this.mail;
    const hour = Number(form.get("hour") ?? this.mail.hour);
    this.busy = true;
    this.failed = "";
    try {
      const quiet = digest === "off" ? this.mail.quiet : from ? { from, until } : null;
      this.mail = await api.put<Mail>("/api/me/mail", { digest, hour, quiet });
      announce(t("mail.saved"));
    } catch (error) {
      this.failed = explain(error);
    }
    this.busy = false;
  };

  protected override render(): TemplateResult | typeof nothing {
    const { mail } = this;
    if (!mail?.available) return nothing;
    return html`<section aria-labelledby="mail-title">
      <h2 id="mail-title">${t("mail.title")}</h2>
      <form class="card stack" @submit=${this.save}>
        <p class="quiet">${t("mail.text")}</p>
        <fieldset class="choice">
          <legend>${t("mail.how-often")}</legend>
          ${DIGESTS.map(
            (each) => html`<label>
              <input
                type="radio"
                name="digest"
                value=${each}
                .checked=${each === mail.digest}
                @change=${() => {
                  this.mail = { ...mail, digest: each };
                }}
              />
              <span>${t(`mail.${each}`)}</span>
            </label>`,
          )}
        </fieldset>
        ${mail.digest === "off" ? nothing : this.times(mail)}
        <p class="error" role="alert">${this.failed}</p>
        <button class="button primary" aria-busy=${this.busy ? "true" : "false"}>${t("mail.save")}</button>
      </form>
    </section>`;
  }

  private times({ hour, quiet }: Mail): TemplateResult {
    return html`<div class="field">
        <label for="mail-hour">${t("mail.hour")}</label>
        <select id="mail-hour" name="hour" aria-describedby="mail-zone">
          ${HOURS.map((each) => html`<option value=${each} ?selected=${each === hour}>${wholeHour(each)}</option>`)}
        </select>
        <p class="hint" id="mail-zone">${t("mail.zone")}</p>
      </div>
      <fieldset>
        <legend>${t("mail.quiet")}</legend>
        <div class="mail-times">
          <div class="field">
            <label for="mail-from">${t("mail.from")}</label>
            <input id="mail-from" name="from" type="time" .defaultValue=${quiet?.from ?? ""} />
          </div>
          <div class="field">
            <label for="mail-until">${t("mail.until")}</label>
            <input id="mail-until" name="until" type="time" .defaultValue=${quiet?.until ?? ""} />
          </div>
        </div>
      </fieldset>`;
  }
}

const wholeHour = (hour: number): string =>
  new Intl.DateTimeFormat(language(), { timeStyle: "short", timeZone: "UTC" }).format(
    new Date(hour * 3_600_000),
  );

customElements.define("ts-mail", MailSettings);
