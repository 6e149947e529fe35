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
  postActs,
  postLine,
  who,
} from "./case-parts.ts";
import { Looking } from "./looking.ts";

interface Place {
  space: { schools: { id: string; name: string; country: string }[]; rooms: { id: string; title: string }[] };
  members: Member[];
  threads: { id: string; room_id: string; title: string; posts_count: number }[];
}

/** A space that is looked into by a case without a report: who is in it, and what is said. */
class CaseSpace extends View {
  static override properties = { case: { attribute: false }, posts: { state: true } };

  declare case: Case;
  /** Of the discussions that are read, by their ids. */
  declare posts: Record<string, Post[]>;
  private readonly place = new Looking<Place>(this, () => this.fetch());

  constructor() {
    super();
    this.posts = {};
  }

  private async fetch(): Promise<Place> {
    const at = `/api/spaces/${this.case.space_id}`;
    const [space, members, threads] = await Promise.all([
      api.get<Place["space"]>(at),
      api.get<Member[]>(`${at}/members`),
      api.get<Place["threads"]>(`${at}/threads`),
    ]);
    return { space, members, threads };
  }

  protected override render(): TemplateResult {
    const { id, space_title } = this.case;
    return html`<section class="case-open" aria-labelledby="case-${id}">
      <h4 id="case-${id}" tabindex="-1">${t("cases.inside", { title: space_title })}</h4>
      ${this.place.state()} ${this.place.found ? this.inside(this.place.found) : nothing}
    </section>`;
  }

  private inside({ space, members, threads }: Place): TemplateResult {
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
      </details>`;
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

  private async read(thread: string): Promise<void> {
    try {
      await this.refetch(thread);
      await this.updateComplete;
      this.querySelector<HTMLElement>(`[data-thread="${thread}"]`)?.focus();
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
