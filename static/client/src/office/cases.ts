import { html, nothing, type TemplateResult } from "lit";
import { ApiError, api, explain, Unreachable } from "../api/client.ts";
import type { Me, Role } from "../api/types.ts";
import { country, has, moment, registerCatalogue, t } from "../i18n/index.ts";
import { path } from "../router.ts";
import { adopt } from "../styles/adopt.ts";
import { announce } from "../ui/announce.ts";
import { ask } from "../ui/dialog.ts";
import { icon } from "../ui/icons.ts";
import { View } from "../ui/view.ts";
import css from "./cases.css";
import { WhileSeen } from "./seen.ts";

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

interface Case {
  id: string;
  space_title: string;
  report_id: string | null;
  ground: string;
  ends_at: number;
  /** Empty while it is open. */
  over: string;
}

interface Post {
  id: string;
  state: "visible" | "hidden" | "held" | "rejected";
  author_name: string | null;
  author_role: Role | null;
  school: string | null;
  country: string | null;
  body: string;
  options: string[] | null;
  language: string | null;
  at: number;
  reported: boolean;
}

interface File {
  case: Case;
  thread: { title: string; room_title: string; posts: Post[] } | null;
  page: { id: string; title: string; room_title: string; binned: boolean } | null;
  person: {
    name: string;
    role: Role;
    founder: boolean;
    active: boolean;
    school: string | null;
    country: string | null;
  } | null;
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
    reports: { state: true },
    cases: { state: true },
    files: { state: true },
    pages: { state: true },
    failed: { state: true },
  };

  declare me: Me;
  declare reports: Report[] | undefined;
  declare cases: Case[];
  /** What is looked at, by the case. */
  declare files: Record<string, File>;
  /** The text of reported pages, by their ids. */
  declare pages: Record<string, string>;
  declare failed: string;

  constructor() {
    super();
    this.cases = [];
    this.files = {};
    this.pages = {};
    this.failed = "";
    new WhileSeen(this, () => this.fetch());
  }

  private async fetch(): Promise<void> {
    try {
      const [{ escalated }, cases] = await Promise.all([
        api.get<{ escalated: Report[] }>("/api/me/reports"),
        api.get<Case[]>("/api/me/cases"),
      ]);
      this.cases = cases.filter(({ over }) => !over);
      this.reports = escalated;
      this.failed = "";
      // What a case opened is gone from the screen with it.
      const open = new Set(this.cases.map(({ id }) => id));
      this.files = Object.fromEntries(Object.entries(this.files).filter(([id]) => open.has(id)));
      if (open.size === 0) this.pages = {};
    } catch (error) {
      if (error instanceof ApiError || !this.reports) this.failed = explain(error);
    }
  }

  protected override render(): TemplateResult {
    const waiting = this.reports?.filter(({ state }) => state !== "answered");
    return html`<main id="main" class="narrow cases" tabindex="-1">
      <nav class="crumbs" aria-label=${t("page.where")}>
        <ol role="list"><li><a href=${path.home}>${t("nav.my-spaces")}</a></li></ol>
      </nav>
      <h1 tabindex="-1">${t("cases.title")}</h1>
      ${
        this.me.can?.cases === false
          ? html`<p class="empty">${t("cases.not-yours")}</p>`
          : html`<p class="lead">${t("cases.lead")}</p>
              ${this.failed ? html`<p class="note bad" role="alert">${icon("warn")}<span>${this.failed}</span></p>` : nothing}
              ${waiting ? this.list(waiting) : this.failed ? nothing : html`<div aria-busy="true"></div>`}
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

  private file(report: Report, { case: { id }, thread, page, person }: File): TemplateResult {
    const gone = (report.target === "post" && !thread) || (report.target === "page" && !page);
    return html`<section class="case-open" aria-labelledby="case-${id}">
      <h3 id="case-${id}" tabindex="-1">${t("cases.look")}</h3>
      ${gone ? html`<p>${t("cases.gone")}</p>` : nothing}
      ${
        person
          ? html`<p>
              <strong>${person.name}</strong> · ${who(person.role, person.school, person.country)}
              ${person.founder ? html` · ${t("cases.founder")}` : nothing} ${person.active ? nothing : html` · ${t("cases.left")}`}
            </p>`
          : nothing
      }
      ${
        thread
          ? html`<p class="quiet">${t("cases.in-thread", { title: thread.title, room: thread.room_title })}</p>
              <ol class="case-posts" role="list">${thread.posts.map((post) => this.post(post, id))}</ol>`
          : nothing
      }
      ${
        page
          ? html`<p class="quiet">
                ${t("cases.in-page", { title: page.title, room: page.room_title })}${page.binned ? html` · ${t("cases.binned")}` : nothing}
              </p>
              ${
                page.id in this.pages
                  ? html`<div class="case-page case-body" role="region" aria-label=${page.title} tabindex="0">${this.pages[page.id]?.trim() || t("cases.page-empty")}</div>`
                  : html`<div class="actions"><button class="button" @click=${() => this.read(page.id)}>${t("cases.page-read")}</button></div>`
              }`
          : nothing
      }
    </section>`;
  }

  private post(post: Post, mine: string): TemplateResult {
    const { state, reported, body } = post;
    const unread = state === "hidden" && !reported ? t("cases.hidden-other") : t("cases.forgotten");
    return html`<li class=${reported ? "reported" : ""}>
      <p class="by">
        <strong>${post.author_name ?? t("cases.somebody")}</strong>
        ${post.author_role ? html`<span class="quiet">${who(post.author_role, post.school, post.country)}</span>` : nothing}
        <span class="quiet">${moment(post.at)}</span>
        ${reported ? html`<span class="pill wait">${t("cases.reported")}</span>` : nothing}
        ${state === "visible" ? nothing : html`<span class="pill">${t(`cases.${state}`)}</span>`}
      </p>
      ${body ? html`<p class="case-body" lang=${post.language ?? nothing}>${body}</p>` : html`<p class="quiet">${unread}</p>`}
      ${post.options ? html`<ul>${post.options.map((option) => html`<li>${option}</li>`)}</ul>` : nothing}
      ${
        reported && (state === "visible" || (state === "hidden" && body))
          ? html`<div class="actions">
              ${
                state === "visible"
                  ? html`<button class="button danger" aria-haspopup="dialog" @click=${() => this.hide(post, mine)}>${t("cases.hide")}</button>`
                  : html`<button class="button" @click=${() => this.restore(post, mine)}>${icon("eye")}${t("cases.restore")}</button>`
              }
            </div>`
          : nothing
      }
    </li>`;
  }

  /** Cases without a report. */
  private legal(): TemplateResult | typeof nothing {
    const known = new Set(this.reports?.map(({ id }) => id));
    const rest = this.cases.filter(({ report_id }) => !report_id || !known.has(report_id));
    if (rest.length === 0) return nothing;
    return html`<section aria-labelledby="legal">
      <h2 id="legal">${t("cases.legal")}</h2>
      <ul class="cards" role="list">
        ${rest.map(
          (each) => html`<li class="card case">
            <h3>${each.space_title}</h3>
            ${each.ground ? html`<p>${each.ground}</p>` : nothing}
            <p class="quiet">${t("cases.is-open", { time: moment(each.ends_at) })}</p>
            <div class="actions">
              <button class="button" aria-haspopup="dialog" @click=${() => this.close(each)}>
                <span>${t("cases.close")}<span class="sr">: ${each.space_title}</span></span>
              </button>
            </div>
          </li>`,
        )}
      </ul>
    </section>`;
  }

  private answeredOnes(): TemplateResult | typeof nothing {
    const answered = this.reports?.filter(({ state }) => state === "answered") ?? [];
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
    await this.fetch();
    if (!done || !made) return;
    announce(t("cases.opened"));
    await this.look(made);
  }

  private async look({ id }: Case): Promise<void> {
    if (!(await this.refetch(id))) return;
    await this.updateComplete;
    this.querySelector<HTMLElement>(`#case-${id}`)?.focus();
  }

  private async refetch(id: string): Promise<boolean> {
    try {
      this.files = { ...this.files, [id]: await api.get<File>(`/api/cases/${id}`) };
      return true;
    } catch (error) {
      announce(explain(error));
      await this.fetch();
      return false;
    }
  }

  private async read(page: string): Promise<void> {
    try {
      const answer = await fetch(`/api/pages/${page}/content?format=text`).catch(() => {
        throw new Unreachable("The server cannot be reached.");
      });
      if (!answer.ok) throw new ApiError(answer.status, "unknown", "");
      this.pages = { ...this.pages, [page]: await answer.text() };
      await this.updateComplete;
      this.querySelector<HTMLElement>(".case-page")?.focus();
    } catch (error) {
      announce(explain(error));
    }
  }

  private async hide({ id }: Post, mine: string): Promise<void> {
    const done = await ask(
      {
        title: t("cases.hide-title"),
        text: t("cases.hide-text"),
        fields: field("because", t("cases.because"), { most: 200 }),
        submit: t("cases.hide"),
        danger: true,
      },
      (form) => api.put(`/api/posts/${id}/hidden`, { because: String(form.get("because")).trim() }),
    );
    if (done) await this.decided(mine, t("cases.now-hidden"));
  }

  private async restore({ id }: Post, mine: string): Promise<void> {
    try {
      await api.delete(`/api/posts/${id}/hidden`);
    } catch (error) {
      announce(explain(error));
      return;
    }
    await this.decided(mine, t("cases.now-shown"));
  }

  /** The button that was pressed is another now: the focus stays beside it. */
  private async decided(mine: string, said: string): Promise<void> {
    await this.refetch(mine);
    await this.updateComplete;
    this.querySelector<HTMLElement>(`[aria-labelledby="case-${mine}"] .reported button`)?.focus();
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
    await this.fetch();
    if (!done) return;
    await this.updateComplete;
    this.querySelector<HTMLElement>("h1")?.focus();
    announce(t("cases.answered"));
  }

  private async close({ id, report_id }: Case): Promise<void> {
    const done = await ask(
      { title: t("cases.close-title"), text: t("cases.close-text"), submit: t("cases.close") },
      () => api.delete(`/api/cases/${id}`),
    );
    await this.fetch();
    if (!done) return;
    await this.updateComplete;
    const left = report_id && this.querySelector<HTMLElement>(`#report-${report_id}`);
    (left || this.querySelector<HTMLElement>("h1"))?.focus();
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

function who(role: Role, school: string | null, code: string | null): string {
  const words = t("cases.person", { role: t(`cases.role.${role}`), school: school ?? t("cases.no-school") });
  return code ? `${words} (${country(code)})` : words;
}

const field = (
  name: string,
  label: string,
  { required = true, most = 500, hint = "" } = {},
): TemplateResult => html`<div class="field">
  <label for="ask-${name}">${label}</label>
  ${hint ? html`<p class="hint" id="ask-${name}-hint">${hint}</p>` : nothing}
  <textarea
    id="ask-${name}"
    name=${name}
    rows="3"
    maxlength=${most}
    ?required=${required}
    aria-describedby=${hint ? `ask-${name}-hint` : nothing}
  ></textarea>
</div>`;

customElements.define("ts-cases", Cases);
