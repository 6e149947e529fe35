import { html, nothing, type TemplateResult } from "lit";
import { ApiError, api, explain } from "../api/client.ts";
import type { Me } from "../api/types.ts";
import { country, list, moment, t } from "../i18n/index.ts";
import { path } from "../router.ts";
import { announce } from "../ui/announce.ts";
import { ask } from "../ui/dialog.ts";
import { icon } from "../ui/icons.ts";
import { tile } from "../ui/marks.ts";
import { View } from "../ui/view.ts";
import { area } from "./fields.ts";
import { nameOf } from "./languages.ts";
import type { Waiting } from "./lives.ts";
import "./questions.ts";
import { WhileSeen } from "./seen.ts";

/** For the national office: the projects and groups that wait for its word. */
class Approvals extends View {
  static override properties = {
    me: { attribute: false },
    waiting: { state: true },
    questions: { state: true },
    failed: { state: true },
  };

  declare me: Me;
  declare waiting: Waiting[] | undefined;
  /** How many proposals wait beside the spaces. */
  declare questions: number;
  declare failed: string;

  constructor() {
    super();
    this.questions = 0;
    this.failed = "";
    new WhileSeen(this, () => this.fetch());
  }

  private async fetch(): Promise<void> {
    try {
      this.waiting = await api.get<Waiting[]>("/api/approvals");
      this.failed = "";
    } catch (error) {
      if (error instanceof ApiError || !this.waiting) this.failed = explain(error);
    }
  }

  protected override render(): TemplateResult {
    return html`<main id="main" class="narrow life" tabindex="-1">
      <nav class="crumbs" aria-label=${t("page.where")}>
        <ol role="list"><li><a href=${path.home}>${t("nav.my-spaces")}</a></li></ol>
      </nav>
      <h1>${t("approve.title")}</h1>
      <p class="lead">${t("approve.lead")}</p>
      ${this.failed ? html`<p class="note bad" role="alert">${icon("warn")}<span>${this.failed}</span></p>` : nothing}
      ${this.list()}
      <ts-questions
        @counted=${({ detail }: CustomEvent<number>) => {
          this.questions = detail;
        }}
      ></ts-questions>
    </main>`;
  }

  private list(): TemplateResult | typeof nothing {
    if (!this.waiting) return this.failed ? nothing : html`<div aria-busy="true"></div>`;
    if (this.waiting.length === 0 && this.questions) return nothing;
    if (this.waiting.length === 0) return html`<p class="empty">${t("approve.none")}</p>`;
    return html`<ul class="cards" role="list">
      ${this.waiting.map(
        (each) => html`<li class="card life-card" aria-labelledby="space-${each.id}">
          <div class="life-head">
            ${tile(each.id)}
            <div class="grow">
              <h2 id="space-${each.id}">${each.title}</h2>
              <p class="quiet">${t(`kind.${each.kind}`)} · ${t("approve.since", { time: moment(each.asked_at) })}</p>
            </div>
          </div>
          ${each.summary ? html`<p class="words">${each.summary}</p>` : nothing}
          <dl class="facts">
            <dt>${t("approve.founders")}</dt>
            <dd>
              <ul role="list">
                ${each.founders.map(
                  ({ name, school, town, country: code }) => html`<li>
                    ${name}<span class="quiet">${[school, town, code && country(code)].filter(Boolean).join(", ")}</span>
                  </li>`,
                )}
              </ul>
            </dd>
            <dt>${t("approve.pupils")}</dt>
            <dd>${t(`band.${each.age_band}`)}</dd>
            <dt>${t("new.languages")}</dt>
            <dd>${list(each.languages.map(nameOf))}</dd>
          </dl>
          <div class="actions start">
            <button class="button primary" @click=${() => this.approve(each)}>
              ${icon("check")}<span>${t("approve.yes")}<span class="sr">: ${each.title}</span></span>
            </button>
            <button class="button" aria-haspopup="dialog" @click=${() => this.refuse(each)}>
              <span>${t("approve.no")}<span class="sr">: ${each.title}</span></span>
            </button>
          </div>
        </li>`,
      )}
    </ul>`;
  }

  private async approve({ id, title }: Waiting): Promise<void> {
    try {
      await api.put(`/api/spaces/${id}/approval`, { approve: true, because: "" });
      announce(t("approve.done", { title }));
    } catch (error) {
      announce(explain(error));
    }
    await this.fetch();
  }

  private async refuse({ id, title }: Waiting): Promise<void> {
    const done = await ask(
      {
        title: t("approve.no-title", { title }),
        text: t("approve.no-text"),
        fields: area("because", t("approve.because")),
        submit: t("approve.no"),
      },
      (form) =>
        api.put(`/api/spaces/${id}/approval`, {
          approve: false,
          because: String(form.get("because")).trim(),
        }),
    );
    if (done) announce(t("approve.refused", { title }));
    await this.fetch();
  }
}

customElements.define("ts-approvals", Approvals);
