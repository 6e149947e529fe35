import { html, nothing, type TemplateResult } from "lit";
import { api } from "../api/client.ts";
import type { Me } from "../api/types.ts";
import { t } from "../i18n/index.ts";
import { path } from "../router.ts";
import { refresh } from "../session.ts";
import { type IconName, icon } from "../ui/icons.ts";
import { View } from "../ui/view.ts";
import type { Waiting } from "./lives.ts";
import { WhileSeen } from "./seen.ts";
import { lifeWords } from "./words.ts";

/** What adults find on their home beside their spaces. */
class HomeOffice extends View {
  static override properties = {
    me: { attribute: false },
    ready: { state: true },
    count: { state: true },
    reports: { state: true },
  };

  declare me: Me;
  declare ready: boolean;
  /** Of the spaces and proposals that wait for this officer. */
  declare count: number;
  /** That have come to this officer and wait for an answer. */
  declare reports: number;

  private asked = false;

  constructor() {
    super();
    this.ready = false;
    this.count = 0;
    this.reports = 0;
    new WhileSeen(this, () => this.look());
    void lifeWords().then(() => {
      this.ready = true;
    });
  }

  private async look(): Promise<void> {
    // My spaces, too, change without a notice here. The first time they are fresh.
    if (this.asked) await refresh().catch(() => {});
    this.asked = true;
    await this.updateComplete;
    if (this.me.can?.approve) {
      const waiting = await api.get<Waiting[]>("/api/approvals").catch(() => undefined);
      const asked = await api.get<unknown[]>("/api/proposals").catch(() => undefined);
      if (waiting && asked) this.count = waiting.length + asked.length;
    }
    if (this.me.can?.cases) {
      const reports = await api
        .get<{ escalated: { state: string }[] }>("/api/me/reports")
        .catch(() => undefined);
      if (reports) this.reports = reports.escalated.filter(({ state }) => state !== "answered").length;
    }
  }

  protected override render(): TemplateResult | typeof nothing {
    if (!this.ready) return nothing;
    const { person, can } = this.me;
    return html`<h2>${t(person.school ? "home.teacher" : "home.office")}</h2>
      <ul class="cards" role="list">
        ${can?.approve ? this.link(path.office("approvals"), "check", "home.approve", this.count) : nothing}
        ${can?.cases ? this.link(path.office("cases"), "warn", "home.reports", this.reports) : nothing}
        ${can?.create_space === false ? nothing : this.link(path.office("new"), "plus", "home.new")}
        ${can?.create_space === false && !can.approve ? nothing : this.link(path.office("groups"), "people", "home.groups")}
        ${can?.create_space === false ? nothing : this.link(path.office("contacts"), "me", "home.contacts")}
        ${can?.create_space === false ? nothing : this.link(path.office("messages"), "talk", "home.messages")}
        ${person.school ? this.link(path.pupils(person.school.id), "key", "home.cards") : nothing}
      </ul>`;
  }

  private link(to: string, sign: IconName, words: string, count?: number): TemplateResult {
    const hint = count === undefined ? t(`${words}-hint`) : t(`${words}-count`, { count });
    return html`<li>
      <a class="card link" href=${to}>
        <span class="card-icon">${icon(sign)}</span>
        <span class="grow"
          ><strong>${t(words)}</strong
          ><span class="quiet">${count === 0 ? t("approve.none") : hint}</span></span
        >
        ${count ? html`<span class="waits" aria-hidden="true">${count}</span>` : nothing} ${icon("next")}
      </a>
    </li>`;
  }
}

customElements.define("ts-home-office", HomeOffice);
