import { html, nothing, type TemplateResult } from "lit";
import { api, explain } from "../api/client.ts";
import { t } from "../i18n/index.ts";
import { announce } from "../ui/announce.ts";
import { avatar } from "../ui/marks.ts";
import { View } from "../ui/view.ts";
import {
  type Case,
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
import { Looking } from "./looking.ts";

interface Place {
  space: { schools: { id: string; name: string; country: string }[]; rooms: { id: string; title: string }[] };
  members: Member[];
  threads: { id: string; room_id: string; title: string; posts_count: number }[];
  pages: { id: string; room_id: string; title: string }[];
}

/** A space that is looked into by a case without a report: who is in it, what is said, and what is
 * written in its rooms. */
class CaseSpace extends View {
  static override properties = {
    case: { attribute: false },
    posts: { state: true },
    texts: { state: true },
  };

  declare case: Case;
  /** Of the discussions that are read, by their ids. */
  declare posts: Record<string, Post[]>;
  /** Of the pages that are read, by their ids. */
  declare texts: Record<string, string>;
  private readonly place = new Looking<Place>(this, () => this.fetch());

  constructor() {
    super();
    this.posts = {};
    this.texts = {};
  }

  private async fetch(): Promise<Place> {
    const at = `/api/spaces/${this.case.space_id}`;
    const [space, members, threads, pages] = await Promise.all([
      api.get<Place["space"]>(at),
      api.get<Member[]>(`${at}/members`),
      api.get<Place["threads"]>(`${at}/threads`),
      api.get<Place["pages"]>(`${at}/pages`),
    ]);
    return { space, members, threads, pages };
  }

  protected override render(): TemplateResult {
    const { id, space_title } = this.case;
    return html`<section class="case-open" aria-labelledby="case-${id}">
      <h4 id="case-${id}" tabindex="-1">${t("cases.inside", { title: space_title })}</h4>
      ${this.place.state()} ${this.place.found ? this.inside(this.place.found) : nothing}
    </section>`;
  }

  private inside({ space, members, threads, pages }: Place): TemplateResult {
    const schools = new Map(space.schools.map((school) => [school.id, school]));
    const rooms = new Map(space.rooms.map((room) => [room.id, room.title]));
    return html`<details class="case-part">
        <summary>${t("cases.members", { count: members.length })}</summary>
        <ul class="member-list case-members" role="list">
          ${members.map((member) => {
            const school = schools.get(member.school_id ?? "");
            return html`<li data-member=${member.id}>
              ${avatar(member.name)}
              <span class="grow">
                <span>${member.name}</span>
                <span class="quiet">
                  ${who(member.role, school?.name ?? null, school?.country ?? null)}${member.founder ? html` · ${t("cases.founder")}` : nothing}
                </span>
                ${member.mute ? html`<span class="pill wait">${mutedWords(member)}</span>` : nothing}
              </span>
              ${memberActs(member, (said) => this.done(said, `[data-member="${member.id}"] button`))}
            </li>`;
          })}
        </ul>
      </details>
      <details class="case-part">
        <summary>${t("cases.threads", { count: threads.length })}</summary>
        <ul class="case-threads" role="list">
          ${threads.map(
            ({ id, title, room_id, posts_count }) => html`<li>
              <p>
                <strong>${title}</strong>
                <span class="quiet">${rooms.get(room_id)} · ${t("cases.posts", { count: posts_count })}</span>
              </p>
              ${this.thread(id, title)}
            </li>`,
          )}
        </ul>
      </details>
      <details class="case-part">
        <summary>${t("cases.rooms", { count: space.rooms.length })} · ${t("cases.pages", { count: pages.length })}</summary>
        <ul class="case-rooms" role="list">
          ${space.rooms.map((room) => {
            const here = pages.filter(({ room_id }) => room_id === room.id);
            return html`<li>
              <p id="case-room-${room.id}"><strong>${room.title}</strong></p>
              ${
                here.length === 0
                  ? html`<p class="quiet">${t("cases.no-pages")}</p>`
                  : html`<ul class="case-pages" role="list" aria-labelledby="case-room-${room.id}">
                      ${here.map((page) => this.page(page))}
                    </ul>`
              }
            </li>`;
          })}
        </ul>
      </details>`;
  }

  private page(page: Place["pages"][number]): TemplateResult {
    const { id, title } = page;
    return html`<li>
      <p>${title}</p>
      ${
        id in this.texts
          ? pageLines(page, this.texts[id])
          : html`<div class="actions">
              <button class="button" @click=${() => this.readPage(id)}><span>${t("cases.page-read")}<span class="sr">: ${title}</span></span></button>
            </div>`
      }
    </li>`;
  }

  private thread(id: string, title: string): TemplateResult {
    const posts = this.posts[id];
    if (!posts)
      return html`<div class="actions">
        <button class="button" @click=${() => this.read(id)}><span>${t("cases.thread-read")}<span class="sr">: ${title}</span></span></button>
      </div>`;
    return html`<ol class="case-posts" role="list" tabindex="-1" data-thread=${id} aria-label=${title}>
      ${posts.map((post) =>
        postLine(
          post,
          postActs(post, async (said) => {
            await this.refetch(id);
            await this.done(said, `[data-post="${post.id}"] button`);
          }),
        ),
      )}
    </ol>`;
  }

  private async refetch(thread: string): Promise<void> {
    const { posts } = await api.get<{ posts: Post[] }>(`/api/cases/${this.case.id}/threads/${thread}`);
    this.posts = { ...this.posts, [thread]: posts };
  }

  private read = (thread: string): Promise<void> =>
    this.show(`[data-thread="${thread}"]`, () => this.refetch(thread));

  private readPage = (page: string): Promise<void> =>
    this.show(`[data-page="${page}"]`, async () => {
      this.texts = { ...this.texts, [page]: await pageText(page) };
    });

  private async show(where: string, read: () => Promise<void>): Promise<void> {
    try {
      await read();
      await this.updateComplete;
      this.querySelector<HTMLElement>(where)?.focus();
    } catch (error) {
      announce(explain(error));
    }
  }

  /** The button that was pressed is another now, or gone: the focus stays as near as can be. */
  private async done(said: string, near: string): Promise<void> {
    await this.place.again();
    (this.querySelector<HTMLElement>(near) ?? this.querySelector<HTMLElement>("h4"))?.focus();
    announce(said);
  }
}

customElements.define("ts-case-space", CaseSpace);
