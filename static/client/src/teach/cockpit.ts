import { html, nothing, type TemplateResult } from "lit";
import { api, explain } from "../api/client.ts";
import type { Cockpit, Me, Member, Page, Space } from "../api/types.ts";
import type { Present } from "../collab/collab.ts";
import { has, list, moment, t } from "../i18n/index.ts";
import { path } from "../router.ts";
import { announce } from "../ui/announce.ts";
import { ask } from "../ui/dialog.ts";
import { icon } from "../ui/icons.ts";
import { avatar } from "../ui/marks.ts";
import { View } from "../ui/view.ts";
import { liftMute } from "./mute.ts";
import "./waiting-mutes.ts";

interface Held {
  post: { id: string; thread_id: string; body: string; waiting_body?: string | null };
  thread_title: string;
  author_name: string;
  author_school: string | null;
  since: number;
}

interface Report {
  id: string;
  target: string;
  target_id: string;
  reporter_name: string | null;
  concerned_name: string | null;
  reason: string;
  words: string;
  state: string;
  thread_id: string | null;
  at: number;
}

/** The teacher's desk: what waits, who is here, who is quiet, what is new. Everything live. */
class Desk extends View {
  static override properties = {
    me: { attribute: false },
    space: { attribute: false },
    pages: { attribute: false },
    people: { attribute: false },
    version: { attribute: false },
    news: { state: true },
    held: { state: true },
    reports: { state: true },
    members: { state: true },
    failed: { state: true },
  };

  declare me: Me;
  declare space: Space;
  declare pages: Page[];
  declare people: Present[];
  /** Counts the notices, so that all is fetched again. */
  declare version: number;
  declare news: Cockpit | undefined;
  declare held: Held[];
  declare reports: Report[];
  declare members: Member[];
  declare failed: string;

  private fetched = -1;
  private timer: ReturnType<typeof setInterval> | undefined;

  constructor() {
    super();
    this.held = [];
    this.reports = [];
    this.members = [];
    this.failed = "";
  }

  override connectedCallback(): void {
    super.connectedCallback();
    // Who is quiet, and which mute is over, changes without a notice.
    this.timer = setInterval(() => void this.fetch(), 60_000);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.timer);
    if (this.news) void api.post(`/api/spaces/${this.space.id}/visit`).catch(() => {});
  }

  protected override willUpdate(): void {
    if (this.fetched === this.version) return;
    this.fetched = this.version;
    void this.fetch();
  }

  private async fetch(): Promise<void> {
    const at = `/api/spaces/${this.space.id}`;
    try {
      const [news, held, reports, members] = await Promise.all([
        api.get<Cockpit>(`${at}/cockpit`),
        api.get<Held[]>(`${at}/held`),
        api.get<Report[]>(`${at}/reports`),
        api.get<Member[]>(`${at}/members`),
      ]);
      this.news = news;
      this.held = held;
      this.reports = reports.filter(({ state }) => state !== "answered");
      this.members = members;
      this.failed = "";
    } catch (error) {
      this.failed = explain(error);
    }
  }

  /** Does it, says so or why not, and looks again. */
  private async act(run: () => Promise<unknown>, said?: string): Promise<void> {
    try {
      await run();
      if (said) announce(said);
    } catch (error) {
      announce(explain(error));
    }
    await this.fetch();
  }

  protected override render(): TemplateResult {
    const { space, news } = this;
    return html`<main id="main" class="desk" tabindex="-1">
      <h1>${t("desk.title")}</h1>
      ${this.failed ? html`<p class="error" role="alert">${this.failed}</p>` : nothing}
      <p class="actions start">
        ${space.can.settings ? html`<a class="button" href=${path.settings(space.id)}>${icon("draft")}${t("desk.settings")}</a>` : nothing}
        ${
          space.can.freeze && !space.frozen
            ? html`<button class="button danger" aria-haspopup="dialog" @click=${this.freeze}>${icon("lock")}${t("desk.freeze")}</button>`
            : nothing
        }
      </p>
      ${
        news
          ? html`<div class="desk-parts">
              ${this.box("held", this.held.length, this.held.length ? this.posts() : null)}
              ${this.box("reports", this.reports.length, this.reports.length ? this.openReports() : null)}
              <ts-waiting-mutes .space=${space} .version=${this.version}></ts-waiting-mutes>
              ${this.mutedPart()} ${this.herePart()} ${this.silentPart(news)} ${this.newPart(news)}
              <ts-desk-rooms .space=${space} .members=${this.members}></ts-desk-rooms>
            </div>`
          : html`<div aria-busy="true"></div>`
      }
    </main>`;
  }

  private box(name: string, count: number, body: TemplateResult | null): TemplateResult {
    return html`<section class="card" aria-labelledby="desk-${name}">
      <h2 id="desk-${name}">${t(`desk.${name}`)}${count ? html` <span class="pill wait">${count}</span>` : nothing}</h2>
      ${body ?? html`<p class="quiet">${t(`desk.${name}-none`)}</p>`}
    </section>`;
  }

  private posts(): TemplateResult {
    return html`<ul class="desk-list" role="list">
      ${this.held.map((each) => {
        const { post, author_name: name } = each;
        return html`<li>
          <p class="quiet">
            ${t("desk.held-in", { name, school: each.author_school ?? t("authors.no-school") })}
            <a href=${path.thread(this.space.id, post.thread_id)}>${each.thread_title}</a> · ${moment(each.since)}
          </p>
          <blockquote>${post.waiting_body ?? post.body}</blockquote>
          <div class="actions start">
            <button
              class="button primary"
              @click=${() => this.act(() => api.put(`/api/posts/${post.id}/decision`, { approve: true }), t("desk.approved", { name }))}
            >
              ${icon("check")}<span>${t("desk.approve")}<span class="sr">: ${name}</span></span>
            </button>
            <button class="button" aria-haspopup="dialog" @click=${() => this.reject(each)}>
              <span>${t("desk.reject")}<span class="sr">: ${name}</span></span>
            </button>
          </div>
        </li>`;
      })}
    </ul>`;
  }

  private async reject({ post, author_name: name }: Held): Promise<void> {
    const done = await ask(
      {
        title: t("desk.reject"),
        text: t("desk.reject-text"),
        fields: area("because", t("desk.because")),
        submit: t("desk.reject"),
      },
      (form) =>
        api.put(`/api/posts/${post.id}/decision`, {
          approve: false,
          because: String(form.get("because")).trim(),
        }),
    );
    if (done) await this.act(async () => {}, t("desk.rejected", { name }));
  }

  private openReports(): TemplateResult {
    return html`<ul class="desk-list" role="list">
      ${this.reports.map((each) => {
        const reason = `desk.reason.${each.reason}`;
        return html`<li>
          <p><strong>${t("desk.report-by", { name: each.reporter_name ?? t("desk.somebody") })}</strong>: ${t(has(reason) ? reason : "desk.reason.other")}</p>
          <p class="quiet">
            ${each.concerned_name ? t("desk.report-about", { name: each.concerned_name }) : nothing}
            ${moment(each.at)}${each.state === "taken" ? html` · ${t("desk.taken")}` : nothing}
          </p>
          ${each.words ? html`<blockquote>${each.words}</blockquote>` : nothing} ${this.whereTo(each)}
          <div class="actions start">
            <button class="button primary" aria-haspopup="dialog" @click=${() => this.answer(each)}>${t("desk.answer")}</button>
            ${
              each.state === "taken"
                ? nothing
                : html`<button class="button" @click=${() => this.act(() => api.put(`/api/reports/${each.id}/taken`, {}), t("desk.taken"))}>
                    ${t("desk.take")}
                  </button>`
            }
          </div>
        </li>`;
      })}
    </ul>`;
  }

  /** The way to what was reported, where that has an address. */
  private whereTo({ target, target_id, thread_id }: Report): TemplateResult | typeof nothing {
    const page = this.pages.find(({ id }) => target === "page" && id === target_id);
    if (page) return html`<p><a href=${path.page(this.space.id, page.id)}>${page.title}</a></p>`;
    if (thread_id)
      return html`<p><a href=${path.thread(this.space.id, thread_id)}>${t("desk.report-open")}</a></p>`;
    return nothing;
  }

  private async answer({ id }: Report): Promise<void> {
    const done = await ask(
      {
        title: t("desk.answer"),
        text: t("desk.answer-text"),
        fields: area("answer", t("desk.answer-words")),
        submit: t("desk.answer"),
      },
      (form) => api.put(`/api/reports/${id}/answer`, { answer: String(form.get("answer")).trim() }),
    );
    if (done) await this.act(async () => {}, t("desk.answered"));
  }

  private mutedPart(): TemplateResult {
    const muted = this.members.filter(({ mute }) => mute);
    return this.box(
      "muted",
      muted.length,
      muted.length
        ? html`<ul class="member-list" role="list">
            ${muted.map(
              (member) => html`<li>
                ${avatar(member.name)}
                <span class="grow">
                  <span>${member.name}</span>
                  <span class="quiet">${mutedUntil(member)}</span>
                </span>
                <button class="button" aria-label=${t("mute.lift-name", { name: member.name })} @click=${() => this.act(() => liftMute(member))}>
                  ${t("mute.lift")}
                </button>
              </li>`,
            )}
          </ul>`
        : null,
    );
  }

  private get here(): Present[] {
    return [...new Map(this.people.map((each) => [each.user.id, each])).values()];
  }

  private herePart(): TemplateResult {
    return html`<section class="card" aria-labelledby="desk-here">
      <h2 id="desk-here">${t("desk.here")}</h2>
      ${this.space.schools.map((school) => {
        const present = this.here.filter(
          ({ user }) => user.school === school.id || user.school === school.name,
        );
        return html`<h3>${school.name}</h3>
          ${
            present.length
              ? html`<ul class="member-list" role="list">
                  ${present.map(({ user, page: id }) => {
                    const page = this.pages.find((each) => each.id === id);
                    return html`<li>
                      ${avatar(user.name, user.color)}<span class="grow">${user.name}</span>
                      ${page ? html`<a class="on-page" href=${path.page(this.space.id, page.id)}>${page.title}</a>` : nothing}
                    </li>`;
                  })}
                </ul>`
              : html`<p class="quiet">${t("desk.here-none")}</p>`
          }`;
      })}
    </section>`;
  }

  private silentPart({ silent }: Cockpit): TemplateResult {
    const present = new Set(this.here.map(({ user }) => user.id));
    const quiet = this.members.filter(({ id, person_id }) => silent.includes(id) && present.has(person_id));
    return this.box(
      "silent",
      quiet.length,
      quiet.length
        ? html`<ul class="member-list" role="list">${quiet.map(({ name }) => html`<li>${avatar(name)}<span class="grow">${name}</span></li>`)}</ul>`
        : null,
    );
  }

  private newPart({ since, pages, threads, members }: Cockpit): TemplateResult {
    const name = (id: string) => this.members.find((each) => each.id === id)?.name ?? t("desk.somebody");
    const any = pages.length + threads.length + members.length > 0;
    return html`<section class="card" aria-labelledby="desk-new">
      <h2 id="desk-new">${t("desk.new")}</h2>
      <p class="quiet">${t("desk.since", { time: moment(since) })}</p>
      ${
        any
          ? html`<ul class="desk-list" role="list">
              ${pages.map(
                (page) => html`<li>
                  <a href=${path.page(this.space.id, page.id)}>${page.title}</a>
                  <p class="quiet">${page.authors.length ? t("desk.new-page", { names: list(page.authors.map(name)) }) : nothing} ${moment(page.last_at)}</p>
                </li>`,
              )}
              ${threads.map(
                (thread) => html`<li>
                  <a href=${path.thread(this.space.id, thread.id)}>${thread.title}</a>
                  <p class="quiet">${t("desk.new-posts", { count: thread.new_posts })}</p>
                </li>`,
              )}
              ${members.length ? html`<li>${t("desk.new-members", { names: list(members.map((each) => each.name)) })}</li>` : nothing}
            </ul>`
          : html`<p class="quiet">${t("desk.new-none")}</p>`
      }
    </section>`;
  }

  private freeze = async (): Promise<void> => {
    const done = await ask(
      {
        title: t("desk.freeze-title"),
        text: html`${t("desk.freeze-text")} ${this.space.can.unfreeze ? nothing : t("desk.freeze-admin")}`,
        submit: t("desk.freeze"),
        danger: true,
      },
      () => api.put(`/api/spaces/${this.space.id}/freeze`, {}),
    );
    if (done) announce(t("desk.frozen"));
  };
}

/** Until when a member may not write. */
export const mutedUntil = ({ mute }: Member): string =>
  mute?.until ? t("mute.until", { time: moment(mute.until) }) : t("mute.for-now");

const area = (name: string, words: string): TemplateResult => html`<div class="field">
  <label for="desk-${name}">${words}</label>
  <textarea id="desk-${name}" name=${name} rows="3" required maxlength="500"></textarea>
</div>`;

customElements.define("ts-desk", Desk);
