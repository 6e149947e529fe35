import { html, nothing, type TemplateResult } from "lit";
import { ApiError, api, explain } from "../api/client.ts";
import type { Me } from "../api/types.ts";
import { has, moment, registerCatalogue, t } from "../i18n/index.ts";
import { path } from "../router.ts";
import { adopt } from "../styles/adopt.ts";
import { announce } from "../ui/announce.ts";
import { ask } from "../ui/dialog.ts";
import { icon } from "../ui/icons.ts";
import { View } from "../ui/view.ts";
import {
  type Case,
  field,
  line,
  type Member,
  memberActs,
  mutedWords,
  type Post,
  pageLines,
  pageText,
  postActs,
  postLine,
  who,
} from "./case-parts.ts";
import "./case-space.ts";
import css from "./cases.css";
import { Looking } from "./looking.ts";

interface Report {
  id: string;
  space_title: string;
  target: "post" | "page" | "person";
  reporter_name: string | null;
  concerned: string | null;
  concerned_name: string | null;
  reason: string;
  words: string;
  state: "new" | "taken" | "escalated" | "answered";
  answer: string | null;
  at: number;
}

interface File {
  case: Case;
  thread: { title: string; room_title: string; posts: Post[] } | null;
  page: { id: string; title: string; room_title: string; binned: boolean } | null;
  person:
    | (Pick<Member, "id" | "name" | "role" | "founder"> & {
        active: boolean;
        school: string | null;
        country: string | null;
      })
    | null;
  /** The person, as long as they are in the space. */
  member?: Member | undefined;
}

interface Desk {
  reports: Report[];
  /** Open ones. */
  cases: Case[];
}

const HOUR = 3600;
const loaders = {
  en: () => import("./i18n/cases/en.ts"),
  es: () => import("./i18n/cases/es.ts"),
  pt: () => import("./i18n/cases/pt.ts"),
};

adopt(css);

export const words = (): Promise<void> => registerCatalogue(loaders);

/** For national officers: the reports that have come to them, and their cases. */
class Cases extends View {
  static override properties = {
    me: { attribute: false },
    files: { state: true },
    pages: { state: true },
    looked: { state: true },
  };

  declare me: Me;
  /** What is looked at, by the case. */
  declare files: Record<string, File>;
  /** The text of reported pages, by their ids. */
  declare pages: Record<string, string>;
  /** The cases without a report whose space is looked into. */
  declare looked: readonly string[];
  private readonly desk = new Looking<Desk>(this, () => this.fetch());

  constructor() {
    super();
    this.files = {};
    this.pages = {};
    this.looked = [];
  }

  private async fetch(): Promise<Desk> {
    const [{ escalated: reports }, all] = await Promise.all([
      api.get<{ escalated: Report[] }>("/api/me/reports"),
      api.get<Case[]>("/api/me/cases"),
    ]);
    const cases = all.filter(({ over }) => !over);
    // What a case opened is gone from the screen with it.
    const open = new Set(cases.map(({ id }) => id));
    this.files = Object.fromEntries(Object.entries(this.files).filter(([id]) => open.has(id)));
    if (open.size === 0) this.pages = {};
    return { reports, cases };
  }

  private get reports(): Report[] {
    return this.desk.found?.reports ?? [];
  }

  private get cases(): Case[] {
    return this.desk.found?.cases ?? [];
  }

  protected override render(): TemplateResult {
    const waiting = this.reports.filter(({ state }) => state !== "answered");
    return html`<main id="main" class="narrow cases" tabindex="-1">
      <nav class="crumbs" aria-label=${t("page.where")}>
        <ol role="list"><li><a href=${path.home}>${t("nav.my-spaces")}</a></li></ol>
      </nav>
      <h1 tabindex="-1">${t("cases.title")}</h1>
      ${
        this.me.can?.cases === false
          ? html`<p class="empty">${t("cases.not-yours")}</p>`
          : html`<p class="lead">${t("cases.lead")}</p>
              ${this.desk.state()} ${this.desk.found ? this.list(waiting) : nothing}
              ${this.legal()} ${this.answeredOnes()}`
      }
    </main>`;
  }

  private list(waiting: Report[]): TemplateResult {
    if (waiting.length === 0) return html`<p class="empty">${t("cases.none")}</p>`;
    const oldest = [...waiting].sort((one, other) => one.at - other.at);
    return html`<ul class="cards" role="list">${oldest.map((report) => this.card(report))}</ul>`;
  }

  private card(report: Report): TemplateResult {
    const mine = this.cases.find((each) => each.report_id === report.id);
    return html`<li class="card case" aria-labelledby="report-${report.id}">
      <div class="case-head">
        <h2 id="report-${report.id}" tabindex="-1">${reason(report)}</h2>
        <span class="pill wait">${waits(report.at)}</span>
      </div>
      <p class="quiet">
        ${report.space_title} · ${t("cases.by", { name: report.reporter_name ?? t("cases.somebody") })}
        ${report.concerned ? html` · ${t("cases.about", { name: report.concerned_name ?? t("cases.somebody") })}` : nothing}
        ${report.state === "taken" ? html` · ${t("cases.taken")}` : nothing}
      </p>
      ${report.words ? html`<blockquote class="case-words">${report.words}</blockquote>` : nothing}
      ${mine ? this.opened(report, mine) : this.shut(report)}
    </li>`;
  }

  private shut(report: Report): TemplateResult {
    return html`<p>${t("cases.closed-eyes")}</p>
      <div class="actions">
        <button class="button primary" aria-haspopup="dialog" @click=${() => this.open(report)}>
          ${icon("eye")}<span>${t("cases.open")}${named(report)}</span>
        </button>
        <button class="button" aria-haspopup="dialog" @click=${() => this.answer(report)}>
          <span>${t("cases.answer")}${named(report)}</span>
        </button>
      </div>`;
  }

  private opened(report: Report, mine: Case): TemplateResult {
    const file = this.files[mine.id];
    return html`<p><span class="pill">${icon("eye")}${t("cases.is-open", { time: moment(mine.ends_at) })}</span></p>
      ${mine.ground ? html`<p class="quiet">${t("cases.your-ground")}: ${mine.ground}</p>` : nothing}
      ${file ? this.file(report, file) : nothing}
      <div class="actions">
        ${
          file
            ? nothing
            : html`<button class="button" @click=${() => this.look(mine)}>
                ${icon("eye")}<span>${t("cases.look")}${named(report)}</span>
              </button>`
        }
        <button class="button primary" aria-haspopup="dialog" @click=${() => this.answer(report)}>
          <span>${t("cases.answer")}${named(report)}</span>
        </button>
        <button class="button" aria-haspopup="dialog" @click=${() => this.close(mine)}>
          <span>${t("cases.close")}${named(report)}</span>
        </button>
      </div>`;
  }

  private file(report: Report, { case: { id }, thread, page, person, member }: File): TemplateResult {
    const gone = (report.target === "post" && !thread) || (report.target === "page" && !page);
    return html`<section class="case-open" aria-labelledby="case-${id}">
      <h3 id="case-${id}" tabindex="-1">${t("cases.look")}</h3>
      ${gone ? html`<p>${t("cases.gone")}</p>` : nothing}
      ${
        person
          ? html`<p>
              <strong>${person.name}</strong> · ${who(person.role, person.school, person.country)}
              ${person.founder ? html` · ${t("cases.founder")}` : nothing} ${person.active ? nothing : html` · ${t("cases.left")}`}
                ${member?.mute ? html`<span class="pill wait">${mutedWords(member)}</span>` : nothing}
              </p>
              ${member ? memberActs(member, (said) => this.decided(id, said)) : nothing}`
          : nothing
      }
      ${
        thread
          ? html`<p class="quiet">${t("cases.in-thread", { title: thread.title, room: thread.room_title })}</p>
              <ol class="case-posts" role="list">${thread.posts.map((post) =>
                postLine(
                  post,
                  postActs(post, (said) => this.decided(id, said, `[data-post="${post.id}"] button`)),
                ),
              )}</ol>`
          : nothing
      }
      ${
        page
          ? html`<p class="quiet">
                ${t("cases.in-page", { title: page.title, room: page.room_title })}${page.binned ? html` · ${t("cases.binned")}` : nothing}
              </p>
              ${
                page.id in this.pages
                  ? pageLines(page, this.pages[page.id])
                  : html`<div class="actions"><button class="button" @click=${() => this.read(page.id)}>${t("cases.page-read")}</button></div>`
              }`
          : nothing
      }
    </section>`;
  }

  /** Cases without a report. */
  private legal(): TemplateResult | typeof nothing {
    const known = new Set(this.reports.map(({ id }) => id));
    const rest = this.cases.filter(({ report_id }) => !report_id || !known.has(report_id));
    const may = this.me.can?.legal_cases === true;
    if (!this.desk.found || (rest.length === 0 && !may)) return nothing;
    return html`<section aria-labelledby="legal">
      <h2 id="legal" tabindex="-1">${t("cases.legal")}</h2>
      ${
        may
          ? html`<p>${t("cases.legal-lead")}</p>
              <div class="actions">
                <button class="button" aria-haspopup="dialog" @click=${this.openLegal}>${icon("eye")}${t("cases.legal-open")}</button>
              </div>`
          : nothing
      }
      <ul class="cards" role="list">
        ${rest.map((each) => this.legalCard(each))}
      </ul>
    </section>`;
  }

  private legalCard(mine: Case): TemplateResult {
    const named = html`<span class="sr">: ${mine.space_title}</span>`;
    const looks = this.looked.includes(mine.id);
    return html`<li class="card case" aria-labelledby="legal-${mine.id}">
      <h3 id="legal-${mine.id}">${mine.space_title}</h3>
      <p><span class="pill">${icon("eye")}${t("cases.is-open", { time: moment(mine.ends_at) })}</span></p>
      ${mine.ground ? html`<p class="quiet">${t("cases.your-ground")}: ${mine.ground}</p>` : nothing}
      ${looks ? html`<ts-case-space .case=${mine}></ts-case-space>` : nothing}
      <div class="actions">
        ${
          looks
            ? nothing
            : html`<button class="button primary" @click=${() => this.lookInto(mine)}>
                ${icon("eye")}<span>${t("cases.look-into")}${named}</span>
              </button>`
        }
        <button class="button" aria-haspopup="dialog" @click=${() => this.close(mine)}>
          <span>${t("cases.close")}${named}</span>
        </button>
      </div>
    </li>`;
  }

  private answeredOnes(): TemplateResult | typeof nothing {
    const answered = this.reports.filter(({ state }) => state === "answered");
    if (answered.length === 0) return nothing;
    return html`<details>
      <summary>${t("cases.before", { count: answered.length })}</summary>
      <ul class="cards" role="list">
        ${answered.map(
          (report) => html`<li class="card case">
            <h2>${reason(report)}</h2>
            <p class="quiet">${report.space_title} · ${moment(report.at)}</p>
            ${report.answer ? html`<p class="case-body">${t("cases.your-answer")}: ${report.answer}</p>` : nothing}
          </li>`,
        )}
      </ul>
    </details>`;
  }

  // What is done

  private async open(report: Report): Promise<void> {
    let made: Case | undefined;
    const done = await ask(
      {
        title: t("cases.open-title", { title: report.space_title }),
        text: t("cases.open-text"),
        fields: field("ground", t("cases.ground"), { hint: t("cases.ground-hint"), required: false }),
        submit: t("cases.open"),
      },
      async (form) => {
        const ground = String(form.get("ground")).trim();
        made = await api.post<Case>(`/api/reports/${report.id}/case`, { ground });
      },
    );
    await this.desk.again();
    if (!done || !made) return;
    announce(t("cases.opened"));
    await this.look(made);
  }

  private openLegal = async (): Promise<void> => {
    let made: Case | undefined;
    const done = await ask(
      {
        title: t("cases.legal-open"),
        text: t("cases.legal-text"),
        fields: html`${line("space", t("cases.legal-space"), t("cases.legal-space-hint"))}
        ${field("ground", t("cases.legal-ground"), { hint: t("cases.ground-hint") })}`,
        submit: t("cases.open"),
      },
      async (form) => {
        const ground = String(form.get("ground")).trim();
        made = await openOn(String(form.get("space")), ground);
      },
    );
    await this.desk.again();
    if (!done || !made) return;
    announce(t("cases.opened"));
    await this.lookInto(made);
  };

  private async lookInto({ id }: Case): Promise<void> {
    this.looked = [...this.looked, id];
    await this.updateComplete;
    this.querySelector<HTMLElement>(`#case-${id}`)?.focus();
  }

  private async look({ id }: Case): Promise<void> {
    if (!(await this.refetch(id))) return;
    await this.updateComplete;
    this.querySelector<HTMLElement>(`#case-${id}`)?.focus();
  }

  private async refetch(id: string): Promise<boolean> {
    try {
      const file = await api.get<File>(`/api/cases/${id}`);
      if (file.person?.active) {
        const members = await api.get<Member[]>(`/api/spaces/${file.case.space_id}/members`);
        file.member = members.find((each) => each.id === file.person?.id);
      }
      this.files = { ...this.files, [id]: file };
      return true;
    } catch (error) {
      announce(explain(error));
      await this.desk.again();
      return false;
    }
  }

  private async read(page: string): Promise<void> {
    try {
      this.pages = { ...this.pages, [page]: await pageText(page) };
      await this.updateComplete;
      this.querySelector<HTMLElement>(".case-page")?.focus();
    } catch (error) {
      announce(explain(error));
    }
  }

  /** The button that was pressed is another now, or gone: the focus stays as near as can be. */
  private async decided(mine: string, said: string, near = ".actions button"): Promise<void> {
    await this.refetch(mine);
    await this.updateComplete;
    const within = this.querySelector(`[aria-labelledby="case-${mine}"]`);
    (within?.querySelector<HTMLElement>(near) ?? within?.querySelector<HTMLElement>("h3"))?.focus();
    announce(said);
  }

  private async answer({ id }: Report): Promise<void> {
    const done = await ask(
      {
        title: t("cases.answer-title"),
        text: t("cases.answer-text"),
        fields: html`${field("answer", t("cases.answer-words"), { most: 2000 })}
        ${field("done", t("cases.done-words"), { most: 2000, required: false })}`,
        submit: t("cases.answer"),
      },
      (form) => {
        const taken = String(form.get("done")).trim();
        const answer = String(form.get("answer")).trim();
        return api.put(`/api/reports/${id}/answer`, taken ? { answer, action_taken: taken } : { answer });
      },
    );
    await this.desk.again();
    if (!done) return;
    await this.updateComplete;
    this.querySelector<HTMLElement>("h1")?.focus();
    announce(t("cases.answered"));
  }

  private async close({ id, report_id }: Case): Promise<void> {
    const done = await ask(
      {
        title: t(report_id ? "cases.close-title" : "cases.close-legal-title"),
        text: t(report_id ? "cases.close-text" : "cases.close-legal-text"),
        submit: t("cases.close"),
      },
      () => api.delete(`/api/cases/${id}`),
    );
    await this.desk.again();
    if (!done) return;
    await this.updateComplete;
    const left = this.querySelector<HTMLElement>(report_id ? `#report-${report_id}` : "#legal");
    (left ?? this.querySelector<HTMLElement>("h1"))?.focus();
    announce(t("cases.now-closed"));
  }
}

const named = (report: Report): TemplateResult => html`<span class="sr">: ${reason(report)}</span>`;

function reason({ reason: code }: Report): string {
  const key = `cases.reason.${code}`;
  return t(has(key) ? key : "cases.reason.other");
}

function waits(at: number): string {
  const hours = Math.floor((Date.now() / 1000 - at) / HOUR);
  if (hours < 1) return t("cases.waits-new");
  if (hours < 48) return t("cases.waits-hours", { count: hours });
  return t("cases.waits-days", { count: Math.floor(hours / 24) });
}

/** Opens a case on a space that somebody has named by its address or its id. */
async function openOn(words: string, ground: string): Promise<Case> {
  const space = /(?:^|\/spaces\/)([\w-]{1,64})(?:[/?#].*)?$/.exec(words.trim())?.[1] ?? "-";
  try {
    return await api.post<Case>(`/api/spaces/${space}/cases`, { ground });
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) throw new ApiError(404, "no-such-space", "");
    throw error;
  }
}

customElements.define("ts-cases", Cases);
