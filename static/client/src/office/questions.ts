import { html, nothing, type TemplateResult } from "lit";
import { api, explain } from "../api/client.ts";
import { moment, t } from "../i18n/index.ts";
import { announce } from "../ui/announce.ts";
import { icon } from "../ui/icons.ts";
import { tile } from "../ui/marks.ts";
import { View } from "../ui/view.ts";
import {
  confirmMute,
  type Granted,
  grant,
  howLong,
  type Proposal,
  refuse,
  somebody,
  takeBack,
  wishes,
} from "./proposals.ts";
import { WhileSeen } from "./seen.ts";

/** For the national office: what spaces propose and waits for its word, and what it has granted them. Nothing
 * while there is nothing. */
class Questions extends View {
  static override properties = {
    waiting: { state: true },
    granted: { state: true },
    failed: { state: true },
  };

  declare waiting: Proposal[];
  declare granted: Granted[];
  declare failed: string;

  constructor() {
    super();
    this.waiting = [];
    this.granted = [];
    this.failed = "";
    new WhileSeen(this, () => this.fetch());
  }

  private async fetch(): Promise<void> {
    try {
      [this.waiting, this.granted] = await Promise.all([
        api.get<Proposal[]>("/api/proposals"),
        api.get<Granted[]>("/api/floors"),
      ]);
      this.failed = "";
    } catch (error) {
      this.failed = explain(error);
    }
    this.dispatchEvent(new CustomEvent("counted", { detail: this.waiting.length }));
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
    if (this.failed) {
      return html`<p class="note bad" role="alert">${icon("warn")}<span>${this.failed}</span></p>`;
    }
    return html`${
      this.waiting.length > 0
        ? html`<h2>${t("office.title")}</h2>
            <ul class="cards" role="list">
              ${this.waiting.map((each) => this.card(each))}
            </ul>`
        : nothing
    }
    ${
      this.granted.length > 0
        ? html`<h2 id="granted">${t("office.granted-title")}</h2>
            <ul class="cards" role="list" aria-labelledby="granted">
              ${this.granted.map((each) => this.allowed(each))}
            </ul>`
        : nothing
    }`;
  }

  private allowed(each: Granted): TemplateResult {
    const { space_id: id, space_title: title, age_band } = each;
    return html`<li class="card life-card" aria-labelledby="granted-${id}">
      <div class="life-head">
        ${tile(id)}
        <div class="grow">
          <h3 id="granted-${id}">${title}</h3>
          <p class="quiet">${t("office.allowed")}</p>
        </div>
      </div>
      <dl class="facts">
        <dt>${t("office.age")}</dt>
        <dd>${t(`office.age.${age_band}`)}</dd>
        <dt>${t("office.open")}</dt>
        <dd><ul role="list">${wishes(each)}</ul></dd>
      </dl>
      <div class="actions start">
        <button class="button" aria-haspopup="dialog" @click=${() => this.act(() => takeBack(each))}>
          <span>${t("office.take-back")}<span class="sr">: ${title}</span></span>
        </button>
      </div>
    </li>`;
  }

  private card(each: Proposal): TemplateResult {
    const { id, kind, space_id, space_title: title, age_band, because, asked_by, asked_at, concerned } = each;
    const floor = kind === "floor";
    return html`<li class="card life-card" aria-labelledby="proposal-${id}">
      <div class="life-head">
        ${tile(space_id)}
        <div class="grow">
          <h3 id="proposal-${id}">${title}</h3>
          <p class="quiet">${t(`office.${kind}`)} · ${moment(asked_at)}</p>
        </div>
      </div>
      <dl class="facts">
        ${
          floor
            ? html`<dt>${t("office.age")}</dt>
                <dd>${t(`office.age.${age_band}`)}</dd>
                <dt>${t("office.wish")}</dt>
                <dd><ul role="list">${wishes(each)}</ul></dd>`
            : html`<dt>${t("office.whom")}</dt>
                <dd>${somebody(concerned)}</dd>
                <dt>${t("office.how-long")}</dt>
                <dd>${howLong(each)}</dd>`
        }
        <dt>${t("proposal.by")}</dt>
        <dd>${somebody(asked_by)}</dd>
      </dl>
      <blockquote>${because}</blockquote>
      <div class="actions start">
        ${
          floor
            ? html`<button class="button primary" @click=${() => this.act(() => grant(each))}>
                ${icon("check")}<span>${t("office.grant")}<span class="sr">: ${title}</span></span>
              </button>`
            : html`<button class="button primary" aria-haspopup="dialog" @click=${() => this.act(() => confirmMute(each))}>
                ${icon("check")}<span>${t("mutes.confirm")}<span class="sr">: ${concerned?.name}</span></span>
              </button>`
        }
        <button class="button" aria-haspopup="dialog" @click=${() => this.act(() => refuse(each))}>
          <span>${t(floor ? "office.refuse" : "mutes.refuse")}<span class="sr">: ${floor ? title : concerned?.name}</span></span>
        </button>
      </div>
    </li>`;
  }
}

customElements.define("ts-questions", Questions);
