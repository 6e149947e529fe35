import { html, nothing, type TemplateResult } from "lit";
import { api, explain } from "../api/client.ts";
import type { Space } from "../api/types.ts";
import { moment, t } from "../i18n/index.ts";
import { confirmMute, howLong, type Proposal, refuse, somebody, withdraw } from "../office/proposals.ts";
import { announce } from "../ui/announce.ts";
import { View } from "../ui/view.ts";

/** The mutes of teachers of another school that wait for a second admin. Nothing while there are none. */
class WaitingMutes extends View {
  static override properties = {
    space: { attribute: false },
    version: { attribute: false },
    mutes: { state: true },
    failed: { state: true },
  };

  declare space: Space;
  declare version: number;
  declare mutes: Proposal[];
  declare failed: string;

  private fetched = -1;

  constructor() {
    super();
    this.mutes = [];
    this.failed = "";
  }

  protected override willUpdate(): void {
    if (this.fetched === this.version || !this.space.can.settings) return;
    this.fetched = this.version;
    void this.fetch();
  }

  private async fetch(): Promise<void> {
    try {
      const found = await api.get<Proposal[]>(`/api/spaces/${this.space.id}/proposals`);
      this.mutes = found.filter(({ kind, state }) => kind === "mute" && state === "waiting");
      this.failed = "";
    } catch (error) {
      this.failed = explain(error);
    }
  }

  private async act(run: () => Promise<void>): Promise<void> {
    try {
      await run();
    } catch (error) {
      announce(explain(error));
    }
    await this.fetch();
  }

  protected override render(): TemplateResult | typeof nothing {
    const { mutes, failed } = this;
    if (mutes.length === 0 && !failed) return nothing;
    return html`<section class="card" aria-labelledby="desk-mutes">
      <h2 id="desk-mutes">${t("mutes.title")} <span class="pill wait">${mutes.length}</span></h2>
      <p class="quiet">${t("mutes.text")}</p>
      ${failed ? html`<p class="error" role="alert">${failed}</p>` : nothing}
      <ul class="desk-list" role="list">
        ${mutes.map((each) => this.line(each))}
      </ul>
    </section>`;
  }

  private line(each: Proposal): TemplateResult {
    const { concerned, asked_by, asked_at, because, can } = each;
    const name = concerned?.name ?? "";
    return html`<li>
      <p><strong>${somebody(concerned)}</strong>, ${howLong(each)}</p>
      <p class="quiet">${t("proposal.asked", { name: asked_by?.name ?? "", time: moment(asked_at) })}</p>
      <blockquote>${because}</blockquote>
      ${can.withdraw ? html`<p class="quiet">${t("mutes.mine")}</p>` : nothing}
      <div class="actions start">
        ${
          can.decide
            ? html`<button class="button primary" aria-haspopup="dialog" @click=${() => this.act(() => confirmMute(each))}>
                  <span>${t("mutes.confirm")}<span class="sr">: ${name}</span></span>
                </button>
                <button class="button" aria-haspopup="dialog" @click=${() => this.act(() => refuse(each))}>
                  <span>${t("mutes.refuse")}<span class="sr">: ${name}</span></span>
                </button>`
            : nothing
        }
        ${
          can.withdraw
            ? html`<button class="button" @click=${() => this.act(() => withdraw(each))}>
                <span>${t("proposal.withdraw")}<span class="sr">: ${name}</span></span>
              </button>`
            : nothing
        }
      </div>
    </li>`;
  }
}

customElements.define("ts-waiting-mutes", WaitingMutes);
