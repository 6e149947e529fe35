import { html, nothing, type TemplateResult } from "lit";
import { api, explain } from "../api/client.ts";
import type { Space } from "../api/types.ts";
import { moment, t } from "../i18n/index.ts";
import { area } from "../office/fields.ts";
import { type Proposal, RULES, type Rule, wishes, withdraw } from "../office/proposals.ts";
import { announce } from "../ui/announce.ts";
import { ask } from "../ui/dialog.ts";
import { icon } from "../ui/icons.ts";
import { View } from "../ui/view.ts";
import type { Policy } from "./policy.ts";

/** Everything that could ever be chosen, from tight to free. */
const EVERY: Record<Rule, readonly string[]> = {
  page_editing: ["teachers", "teams", "open"],
  posting: ["off", "hold", "hold-first", "free"],
  chat: ["off", "supervised", "hours", "free"],
};

/** How an admin asks the national office for more than the age band allows, and what came of it. */
class Floor extends View {
  static override properties = {
    space: { attribute: false },
    policy: { attribute: false },
    version: { attribute: false },
    last: { state: true },
    failed: { state: true },
  };

  declare space: Space;
  declare policy: Policy;
  declare version: number;
  /** The wish that waits, or that was answered last; what the office has taken back is withdrawn with an answer. */
  declare last: Proposal | undefined;
  declare failed: string;

  private fetched = -1;

  constructor() {
    super();
    this.failed = "";
  }

  protected override willUpdate(): void {
    if (this.fetched === this.version) return;
    this.fetched = this.version;
    void this.fetch();
  }

  private async fetch(): Promise<void> {
    try {
      const found = await api.get<Proposal[]>(`/api/spaces/${this.space.id}/proposals`);
      this.last = found
        .filter(({ kind, state, answer }) => kind === "floor" && (state !== "withdrawn" || answer))
        .sort((one, other) => when(other) - when(one))[0];
      this.failed = "";
    } catch (error) {
      this.failed = explain(error);
    }
  }

  /** Of each rule what is beyond the age band. */
  private get beyond(): [Rule, readonly string[]][] {
    const { allowed } = this.policy;
    return RULES.map((rule): [Rule, readonly string[]] => [
      rule,
      EVERY[rule].filter((each) => !allowed[rule].includes(each)),
    ]).filter(([, more]) => more.length > 0);
  }

  protected override render(): TemplateResult | typeof nothing {
    const { last } = this;
    const waits = last?.state === "waiting";
    if (this.beyond.length === 0 && !last) return nothing;
    return html`<section class="card" aria-labelledby="settings-floor">
      <h2 id="settings-floor">${t("floor.title")}</h2>
      <div class="stack">
        <p>${t("floor.text")}</p>
        ${last ? this.state(last) : nothing}
        <p class="error" role="alert">${this.failed}</p>
        ${
          waits || this.beyond.length === 0
            ? nothing
            : html`<div class="actions start">
                <button class="button" type="button" aria-haspopup="dialog" @click=${this.ask}>${t("floor.ask")}</button>
              </div>`
        }
      </div>
    </section>`;
  }

  private state(last: Proposal): TemplateResult {
    const { state, answer, asked_by, asked_at, can } = last;
    const head = {
      waiting: "floor.waits",
      accepted: "floor.granted",
      refused: "floor.refused",
      withdrawn: "floor.taken-back",
    }[state];
    const no = state === "refused" || state === "withdrawn";
    return html`<div class="note ${no ? "bad" : ""}" role="group" aria-label=${t(head)}>
      ${icon(state === "accepted" ? "check" : no ? "close" : "eye")}
      <div class="stack">
        <p><strong>${t(head)}</strong></p>
        ${state === "withdrawn" ? html`<p>${t("floor.taken-back-text")}</p>` : html`<ul>${wishes(last)}</ul>`}
        ${state === "accepted" ? html`<p>${t("floor.granted-text")}</p>` : nothing}
        ${answer?.because ? html`<blockquote>${answer.because}</blockquote>` : nothing}
        <p class="quiet">${answer ? moment(answer.at) : t("proposal.asked", { name: asked_by?.name ?? "", time: moment(asked_at) })}</p>
        ${can.withdraw ? html`<div class="actions start"><button class="button" type="button" @click=${() => this.takeBack(last)}>${t("proposal.withdraw")}</button></div>` : nothing}
      </div>
    </div>`;
  }

  private async takeBack(last: Proposal): Promise<void> {
    try {
      await withdraw(last);
    } catch (error) {
      announce(explain(error));
    }
    await this.fetch();
  }

  private ask = async (): Promise<void> => {
    const done = await ask(
      {
        title: t("floor.ask"),
        text: t("floor.ask-text"),
        fields: html`${this.beyond.map(
          ([rule, more]) => html`<div class="field">
            <label for="floor-${rule}">${t(`proposal.${rule}`)}</label>
            <select id="floor-${rule}" name=${rule}>
              <option value="">${t("floor.same")}</option>
              ${more.map((each) => html`<option value=${each}>${t(`proposal.${rule}.${each}`)}</option>`)}
            </select>
          </div>`,
        )}
        ${area("because", t("floor.because"))}`,
        submit: t("floor.ask"),
      },
      (form) =>
        api.post(`/api/spaces/${this.space.id}/proposals`, {
          floor: Object.fromEntries(
            RULES.flatMap((rule) => (form.get(rule) ? [[rule, form.get(rule)]] : [])),
          ),
          because: String(form.get("because")).trim(),
        }),
    );
    if (done) announce(t("floor.asked"));
    await this.fetch();
  };
}

const when = ({ asked_at, answer }: Proposal): number => answer?.at ?? asked_at;

customElements.define("ts-floor", Floor);
