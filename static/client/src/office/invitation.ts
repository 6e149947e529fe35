import { html, nothing, type TemplateResult } from "lit";
import { ApiError, api, explain } from "../api/client.ts";
import type { Me } from "../api/types.ts";
import { has, moment, t } from "../i18n/index.ts";
import { go, path } from "../router.ts";
import { ended, refresh } from "../session.ts";
import { announce } from "../ui/announce.ts";
import { icon } from "../ui/icons.ts";
import { tile } from "../ui/marks.ts";
import { trouble } from "../ui/trouble.ts";
import { focusNextHeading, View } from "../ui/view.ts";
import type { Invited } from "./lives.ts";

/** Where the link of an invitation leads. It is read by whoever has it; to answer one logs in. */
class InvitationScreen extends View {
  static override properties = {
    me: { attribute: false },
    item: { attribute: false },
    invited: { state: true },
    over: { state: true },
    unread: { state: true },
    failed: { state: true },
    busy: { state: true },
    entering: { state: true },
  };

  declare me: Me | null;
  /** The token. */
  declare item: string;
  declare invited: Invited | undefined;
  /** Key of why there is nothing to answer (any more). */
  declare over: string;
  /** Why it could not be read, which may be different in a moment. */
  declare unread: string;
  declare failed: string;
  declare busy: boolean;
  declare entering: boolean;

  private fetched = "";

  constructor() {
    super();
    this.over = "";
    this.unread = "";
    this.failed = "";
    this.busy = false;
    this.entering = false;
  }

  protected override willUpdate(): void {
    if (this.me) this.entering = false;
    if (this.fetched === this.item) return;
    this.fetched = this.item;
    this.invited = undefined;
    this.over = "";
    void this.fetch();
  }

  private async fetch(): Promise<void> {
    this.unread = "";
    try {
      this.invited = await api.get<Invited>(`/api/invitations/${this.item}`);
    } catch (error) {
      this.over = overOf(error);
      this.unread = explain(error);
    }
  }

  protected override render(): TemplateResult {
    if (this.entering) return html`<ts-login .tab=${"password"}></ts-login>`;
    if (this.over) return this.ending(this.over);
    if (this.unread) return trouble(this.unread, () => this.fetch());
    if (!this.invited) return html`<main id="main" class="narrow" aria-busy="true"></main>`;
    return this.letter(this.invited);
  }

  private letter({
    space_title: title,
    space_kind: kind,
    role,
    founder,
    inviter,
    school,
    expires_at,
  }: Invited): TemplateResult {
    return html`<main id="main" class="narrow life" tabindex="-1">
      <h1>${t("invited.title", { name: inviter })}</h1>
      ${school ? html`<p class="lead">${school}</p>` : nothing}
      <div class="card life-card">
        <div class="life-head">
          ${tile(title, { big: true })}
          <div class="grow">
            <h2>${title}</h2>
            <p class="quiet">${t(`kind.${kind}`)}</p>
          </div>
        </div>
        <p>
          ${founder ? t("invited.partner") : html`${t("invited.as")} <strong>${t(`role.${role}`)}</strong>. ${t(`invited.as-${role}`)}`}
        </p>
        <p class="quiet">${t("invited.until", { time: moment(expires_at) })}</p>
        ${this.answer()}
      </div>
    </main>`;
  }

  private answer(): TemplateResult {
    if (!this.me)
      return html`<p>${t("invited.log-in-text")}</p>
        <div class="actions start">
          <button
            class="button primary"
            @click=${() => {
              focusNextHeading();
              this.entering = true;
            }}
          >
            ${t("invited.log-in")}
          </button>
        </div>`;
    if (this.me.person.kind === "pupil")
      return html`<p class="note">${icon("eye")}<span>${t("error.adults-only")}</span></p>`;
    const { name, school } = this.me.person;
    return html`<p class="quiet">${t(school ? "invited.you-school" : "invited.you", { name, school: school?.name ?? "" })}</p>
      <p class="error" role="alert">${this.failed}</p>
      <div class="actions start">
        <button class="button primary" aria-busy=${this.busy} @click=${this.accept}>${icon("check")}${t("invited.accept")}</button>
        <button class="button" aria-busy=${this.busy} @click=${this.decline}>${t("invited.decline")}</button>
      </div>`;
  }

  private async accept(): Promise<void> {
    await this.send(async () => {
      const { space_id } = await api.post<{ space_id: string }>(`/api/invitations/${this.item}/accept`);
      await refresh().catch(() => {});
      go(path.space(space_id), true);
      announce(t("invited.welcome"));
    });
  }

  private async decline(): Promise<void> {
    await this.send(async () => {
      await api.post(`/api/invitations/${this.item}/decline`);
      focusNextHeading();
      this.over = "declined";
    });
  }

  private async send(run: () => Promise<void>): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    this.failed = "";
    try {
      await run();
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) ended();
      const over = overOf(error);
      if (over) focusNextHeading();
      this.over = over;
      this.failed = explain(error);
    }
    this.busy = false;
  }

  private ending(why: string): TemplateResult {
    return html`<main id="main" class="narrow" tabindex="-1">
      <h1>${t(`invited.${why}`)}</h1>
      <p>${t(`invited.${why}-text`)}</p>
      <p><a class="button primary" href=${path.home}>${t(this.me ? "nav.my-spaces" : "invited.log-in")}</a></p>
    </main>`;
  }
}

/** The key of an ending, or nothing for what may go better in a moment. */
function overOf(error: unknown): string {
  if (!(error instanceof ApiError)) return "";
  if (error.status === 404) return "invitation-unknown";
  return has(`invited.${error.code}`) ? error.code : "";
}

customElements.define("ts-invitation", InvitationScreen);
