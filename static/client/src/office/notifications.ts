import { html, nothing, type TemplateResult } from "lit";
import { api, explain } from "../api/client.ts";
import type { Me } from "../api/types.ts";
import { has, registerCatalogue, t } from "../i18n/index.ts";
import { NEWS } from "../net.ts";
import { refresh } from "../session.ts";
import { adopt } from "../styles/adopt.ts";
import { announce } from "../ui/announce.ts";
import { type IconName, icon } from "../ui/icons.ts";
import { View } from "../ui/view.ts";
import "./mail.ts";
import { byDay, type News, type Notice, place, timeOfDay } from "./news.ts";
import css from "./notifications.css";

adopt(css);

const loaders = {
  en: () => import("./i18n/notifications/en.ts"),
  es: () => import("./i18n/notifications/es.ts"),
  pt: () => import("./i18n/notifications/pt.ts"),
};

export const words = (): Promise<void> => registerCatalogue(loaders);

const SEEN_MS = 700;
const ICONS: Record<string, IconName> = {
  held: "eye",
  approved: "check",
  muted: "lock",
  report: "warn",
  "report-answered": "check",
  "space-asked": "draft",
  "space-approved": "check",
  "space-refused": "draft",
  "case-opened": "warn",
  "case-closed": "check",
  "floor-asked": "draft",
  "floor-granted": "check",
  "floor-refused": "draft",
  "floor-taken-back": "lock",
  "mute-asked": "lock",
  "mute-confirmed": "lock",
  "mute-refused": "draft",
  "room-archived": "lock",
};

/** What is new for me, day by day. What has been on the screen is read. */
class Notifications extends View {
  static override properties = {
    me: { attribute: false },
    news: { state: true },
    answers: { state: true },
    failed: { state: true },
  };

  declare me: Me;
  declare news: News | undefined;
  /** What teachers have answered to my reports, by the report's id. */
  declare answers: Map<string, string>;
  declare failed: string;

  /** Ids of what was unread when it came on the screen: it stays marked as new until I leave. */
  private readonly fresh = new Set<string>();
  private readonly seen = new Set<string>();
  private readonly eye = new IntersectionObserver((entries) => this.look(entries), { threshold: 0.6 });
  private later: ReturnType<typeof setTimeout> | undefined;
  private soonTimer: ReturnType<typeof setTimeout> | undefined;
  private askedForSpaces = false;

  constructor() {
    super();
    this.answers = new Map();
    this.failed = "";
  }

  override connectedCallback(): void {
    super.connectedCallback();
    addEventListener(NEWS, this.soon);
    document.addEventListener("visibilitychange", this.shown);
    void this.fetch();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    removeEventListener(NEWS, this.soon);
    document.removeEventListener("visibilitychange", this.shown);
    clearTimeout(this.soonTimer);
    this.eye.disconnect();
    void this.read();
  }

  private soon = (): void => {
    clearTimeout(this.soonTimer);
    this.soonTimer = setTimeout(() => void this.fetch(), 150);
  };

  /** Nobody looks at a tab in the background: what is on the screen counts once it is in front again. */
  private shown = (): void => {
    if (document.hidden) return;
    this.soon();
    this.eye.disconnect();
    this.watch();
  };

  private async fetch(): Promise<void> {
    try {
      const news = await api.getKnown<News>("/api/me/notifications");
      for (const { id, read } of news.notifications) if (!read) this.fresh.add(id);
      this.news = news;
      this.failed = "";
    } catch (error) {
      if (!this.news) this.failed = explain(error);
      return;
    }
    await Promise.all([this.fetchAnswers(), this.fetchSpaces()]);
  }

  private async fetchAnswers(): Promise<void> {
    const wanted = this.news?.notifications.some(
      ({ kind, ref }) => kind === "report-answered" && !this.answers.has(ref.slice("report/".length)),
    );
    if (!wanted) return;
    try {
      const { sent } = await api.get<{ sent: { id: string; answer: string | null }[] }>("/api/me/reports");
      this.answers = new Map(sent.flatMap(({ id, answer }) => (answer ? [[id, answer]] : [])));
    } catch {
      // The line is there without it.
    }
  }

  /** A space that has let me in since I logged in is not among mine yet. */
  private async fetchSpaces(): Promise<void> {
    const strange = this.news?.notifications.some(
      ({ kind, space_id }) => kind === "join-accepted" && space_id && !this.spaceTitle(space_id),
    );
    if (!strange || this.askedForSpaces) return;
    this.askedForSpaces = true;
    await refresh().catch(() => {});
  }

  protected override updated(): void {
    super.updated();
    this.watch();
  }

  private watch(): void {
    for (const line of this.querySelectorAll("[data-unread]")) this.eye.observe(line);
  }

  private look(entries: IntersectionObserverEntry[]): void {
    if (document.hidden) return;
    for (const { isIntersecting, target } of entries) {
      const id = (target as HTMLElement).dataset.unread;
      if (!isIntersecting || !id) continue;
      this.seen.add(id);
      this.eye.unobserve(target);
    }
    clearTimeout(this.later);
    if (this.seen.size) this.later = setTimeout(() => void this.read(), SEEN_MS);
  }

  private async read(): Promise<void> {
    clearTimeout(this.later);
    const ids = [...this.seen];
    const until = Math.max(0, ...this.list.filter(({ id }) => ids.includes(id)).map(({ at }) => at));
    if (ids.length) await this.mark({ until, ids });
  }

  private async mark(what: { until: number; ids?: string[] }): Promise<void> {
    this.seen.clear();
    try {
      await api.post("/api/me/notifications/read", what);
      dispatchEvent(new Event(NEWS));
    } catch (error) {
      // What was shown is shown again next time; what was asked for has to be answered.
      if (!what.ids) announce(explain(error));
    }
  }

  private get list(): Notice[] {
    return this.news?.notifications ?? [];
  }

  private spaceTitle(space: string | null): string | undefined {
    return this.me.spaces.find(({ id }) => id === space)?.title;
  }

  protected override render(): TemplateResult {
    return html`<main id="main" class="narrow news" tabindex="-1" aria-busy=${this.news || this.failed ? nothing : "true"}>
      <h1>${t("news.title")}</h1>
      ${this.failed ? html`<p class="error" role="alert">${this.failed}</p>` : nothing}
      ${this.news && this.list.length === 0 ? html`<div class="empty"><p>${t("news.none")}</p></div>` : nothing}
      ${byDay(this.list).map(
        ({ name, notices }) => html`<section>
          <h2>${name}</h2>
          <ul class="card news-list" role="list">
            ${notices.map((notice) => this.line(notice))}
          </ul>
        </section>`,
      )}
      ${this.older()}
      ${this.me.person.kind === "adult" ? html`<ts-mail></ts-mail>` : nothing}
    </main>`;
  }

  private line(notice: Notice): TemplateResult {
    const { id, kind, space_id, ref, at, read } = notice;
    const isNew = this.fresh.has(id);
    const title = this.spaceTitle(space_id);
    const answer = kind === "report-answered" ? this.answers.get(ref.slice("report/".length)) : undefined;
    return html`<li class=${isNew ? "new" : ""} data-unread=${read ? nothing : id}>
      <a href=${place(notice, this.me)}>
        <span class="card-icon">${icon(ICONS[kind] ?? (/^(invitation|partner|join|contact)-/.test(kind) ? "people" : "talk"))}</span>
        <span class="grow">
          <span>${this.words(kind)}</span>
          <span class="quiet">
            ${isNew ? html`<span class="pill new-mark">${t("news.new")}</span>` : nothing}
            ${title ? `${title} · ` : nothing}${timeOfDay(at)}
          </span>
        </span>
        ${icon("next")}
      </a>
      ${answer ? html`<blockquote>${t("news.answer", { answer })}</blockquote>` : nothing}
    </li>`;
  }

  private words(kind: string): string {
    const key = `news.${kind}`;
    if (this.me.person.kind === "pupil" && has(`${key}.pupil`)) return t(`${key}.pupil`);
    return t(has(key) ? key : "news.other");
  }

  private older(): TemplateResult | typeof nothing {
    const last = this.list.at(-1);
    const count = (this.news?.unread ?? 0) - this.list.filter(({ read }) => !read).length;
    if (!last || count <= 0) return nothing;
    return html`<section>
      <p class="quiet">${t("news.older", { count })}</p>
      <button class="button" @click=${() => this.mark({ until: last.at })}>${t("news.older-read")}</button>
    </section>`;
  }
}

customElements.define("ts-notifications", Notifications);
