import { html, nothing, type TemplateResult } from "lit";
import { api, explain } from "../api/client.ts";
import type { Space } from "../api/types.ts";
import { has, t } from "../i18n/index.ts";
import { go, path } from "../router.ts";
import { refresh } from "../session.ts";
import { announce } from "../ui/announce.ts";
import { ask } from "../ui/dialog.ts";
import { icon } from "../ui/icons.ts";
import { focusNextHeading, View } from "../ui/view.ts";
import { area } from "./fields.ts";
import { linkOf } from "./link.ts";
import { PARTNER_DAYS, partnerToken } from "./partner.ts";
import { lifeWords } from "./words.ts";

/** In a space that is not open: what is missing, and what I can do about it. */
class SpaceState extends View {
  static override properties = {
    space: { attribute: false },
    ready: { state: true },
    token: { state: true },
    busy: { state: true },
    failed: { state: true },
  };

  declare space: Space;
  declare ready: boolean;
  declare token: string;
  declare busy: boolean;
  declare failed: string;

  constructor() {
    super();
    this.ready = false;
    this.token = "";
    this.busy = false;
    this.failed = "";
    void lifeWords().then(() => {
      this.ready = true;
    });
  }

  protected override willUpdate(changed: Map<string, unknown>): void {
    const before = changed.get("space") as Space | undefined;
    if (!before) return;
    if (before.id !== this.space.id || before.status !== this.space.status) this.token = "";
    if (before.id === this.space.id && before.status !== "open" && this.space.status === "open")
      announce(t("state.opened"));
  }

  protected override render(): TemplateResult | typeof nothing {
    const { status, kind, title, can, decision } = this.space;
    if (!this.ready || !has(`state.${status}`)) return nothing;
    const refused = status === "draft" && decision?.approved === false;
    const partnerless = status === "draft" && !refused;
    return html`<section class="note ${status === "draft" || status === "pending" ? "wait" : ""} state" aria-labelledby="state">
      ${icon(status === "pending" ? "eye" : status === "draft" ? "draft" : "lock")}
      <div class="grow stack">
        <h2 id="state">${t(refused ? "state.refused" : `state.${status}`)}</h2>
        ${refused && decision?.because ? html`<blockquote>${decision.because}</blockquote>` : nothing}
        <p>${t(refused ? "state.refused-text" : partnerless && can.partner ? "state.draft-mine" : `state.${status}-text-${kind === "group" ? "group" : "project"}`)}</p>
        ${
          this.token
            ? html`<ts-link
                  .url=${linkOf(this.token)}
                  .words=${t("new.partner-link")}
                  .message=${t("new.partner-message", { title })}
                ></ts-link>
                <p>${t("new.partner-days", { count: PARTNER_DAYS })} ${t("state.link-older")}</p>`
            : nothing
        }
        <p class="error" role="alert">${this.failed}</p>
        <div class="actions start">
          ${
            can.partner && !this.token
              ? html`<button class="button primary" aria-busy=${this.busy} @click=${this.invite}>${t("new.partner-make")}</button>`
              : nothing
          }
          ${
            can.settings && (status === "draft" || status === "pending")
              ? html`<button class="button" aria-haspopup="dialog" @click=${this.change}>${t("state.change")}</button>`
              : nothing
          }
          ${can.take_back ? html`<button class="button" aria-busy=${this.busy} @click=${this.takeBack}>${t("state.take-back")}</button>` : nothing}
          ${
            can.ask_again
              ? html`<button class="button primary" aria-busy=${this.busy} @click=${this.askAgain}>${t("state.ask-again")}</button>`
              : nothing
          }
          ${
            status === "draft" && (can.partner || can.ask_again)
              ? html`<button class="button quiet" aria-haspopup="dialog" @click=${this.throwAway}>${t("state.throw-away")}</button>`
              : nothing
          }
        </div>
      </div>
    </section>`;
  }

  private async invite(): Promise<void> {
    await this.send(async () => {
      this.token = await partnerToken(this.space.id);
    });
  }

  private async askAgain(): Promise<void> {
    await this.send(async () => {
      await api.put(`/api/spaces/${this.space.id}/asked`, {});
      announce(t("state.asked"));
    });
  }

  private async takeBack(): Promise<void> {
    await this.send(async () => {
      await api.delete(`/api/spaces/${this.space.id}/asked`);
      announce(t("state.taken-back"));
    });
  }

  private change = async (): Promise<void> => {
    const { id, title, summary } = this.space;
    const done = await ask(
      {
        title: t("state.change"),
        fields: html`<div class="field">
            <label for="state-title">${t("new.name")}</label>
            <input id="state-title" name="title" required maxlength="200" autocomplete="off" .value=${title} />
          </div>
          ${area("summary", t("new.about"), { value: summary, most: 2000 })}`,
        submit: t("dialog.save"),
      },
      (form) =>
        api.patch(`/api/spaces/${id}`, {
          title: String(form.get("title")).trim(),
          summary: String(form.get("summary")).trim(),
        }),
    );
    if (done) announce(t("state.changed"));
  };

  private throwAway = async (): Promise<void> => {
    const { id, title } = this.space;
    const done = await ask(
      {
        title: t("state.throw-title", { title }),
        text: t("state.throw-text"),
        submit: t("state.throw-away"),
        danger: true,
      },
      () => api.delete(`/api/spaces/${id}`),
    );
    if (!done) return;
    await refresh().catch(() => {});
    focusNextHeading();
    go(path.home, true);
    announce(t("state.thrown-away", { title }));
  };

  private async send(run: () => Promise<void>): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    this.failed = "";
    try {
      await run();
    } catch (error) {
      this.failed = explain(error);
    }
    this.busy = false;
  }
}

customElements.define("ts-space-state", SpaceState);
