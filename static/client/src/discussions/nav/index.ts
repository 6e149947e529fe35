import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import type { Room, Space } from "../../api/types.ts";
import { moment, registerCatalogue, t } from "../../i18n/index.ts";
import { path } from "../../router.ts";
import { adopt } from "../../styles/adopt.ts";
import { announce } from "../../ui/announce.ts";
import { icon } from "../../ui/icons.ts";
import { View } from "../../ui/view.ts";
import type { Thread } from "../types.ts";
import css from "./nav.css";
import { Talk } from "./talk.ts";

export { Talk };

adopt(css);

const MOST_AT_FIRST = 8;
const MOST_AT_HOME = 6;

void registerCatalogue({
  en: () => import("./i18n/en.ts"),
  es: () => import("./i18n/es.ts"),
  pt: () => import("./i18n/pt.ts"),
});

/** Draws itself again whenever the discussions of the space change. */
class TalkView extends View {
  static override properties = { talk: { attribute: false }, space: { attribute: false } };
  declare talk: Talk | undefined;
  declare space: Space;

  private heard: Talk | undefined;
  private stop: () => void = () => {};

  override connectedCallback(): void {
    super.connectedCallback();
    this.heard = undefined;
    this.requestUpdate();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.stop();
  }

  protected override willUpdate(_changed: PropertyValues): void {
    if (this.heard === this.talk) return;
    this.stop();
    this.heard = this.talk;
    this.stop = this.talk?.on(() => this.requestUpdate()) ?? (() => {});
  }

  protected async begin(room?: Room): Promise<void> {
    if (!this.talk) return;
    try {
      const { ready, startThread } = await import("../index.ts");
      await ready;
      await startThread(this.space, this.talk, room);
    } catch {
      announce(t("error.unreachable"));
    }
  }
}

/** The discussions of one room, below its pages. */
class RoomTalk extends TalkView {
  static override properties = {
    ...TalkView.properties,
    room: { attribute: false },
    current: { attribute: false },
    all: { state: true },
  };

  declare room: Room;
  /** Id of the open thread. */
  declare current: string | null;
  declare all: boolean;

  constructor() {
    super();
    this.all = false;
  }

  protected override render(): TemplateResult | typeof nothing {
    const { talk, room, space } = this;
    if (!talk?.threads) return nothing;
    const mine = talk.threads.filter(({ room_id }) => room_id === room.id);
    const shown = this.all ? mine : mine.filter(({ id }, at) => at < MOST_AT_FIRST || id === this.current);
    const more = mine.length - shown.length;
    return html`<ul class="tree" role="list" aria-label=${`${t("talk.title")}: ${room.title}`}>
        ${shown.map(
          (thread) => html`<li>
            <div class="leaf">
              <a href=${path.thread(space.id, thread.id)} aria-current=${thread.id === this.current ? "page" : nothing}>
                ${icon("talk")}<span class="leaf-title">${thread.title}</span>${signs(thread)}
                ${talk.isFresh(thread) && thread.id !== this.current ? fresh() : nothing}
              </a>
            </div>
          </li>`,
        )}
      </ul>
      ${
        more > 0
          ? html`<button class="button quiet wide start" @click=${() => this.showAll()}>${t("talk.all", { count: more })}</button>`
          : nothing
      }
      ${
        mayStart(space, room)
          ? html`<button class="button quiet wide start" @click=${() => this.begin(room)}>${icon("plus")}${t(opens(space, room) ? "talk.new" : "talk.ask")}</button>`
          : nothing
      }`;
  }

  /** Posts are not told to those who read elsewhere: going about asks for them. */
  protected override willUpdate(changed: PropertyValues): void {
    super.willUpdate(changed);
    if (changed.has("current") && changed.get("current") !== undefined) this.talk?.changed(["threads"]);
  }

  private showAll(): void {
    this.all = true;
  }
}

/** The discussions on the home of the space: those with new posts first. */
class HomeTalk extends TalkView {
  protected override render(): TemplateResult | typeof nothing {
    const { talk, space } = this;
    if (!talk?.threads) return nothing;
    const open = space.rooms.some((room) => mayStart(space, room));
    const fresher = (thread: Thread) => (talk.isFresh(thread) ? 1 : 0);
    const sorted = [...talk.threads].sort((a, b) => fresher(b) - fresher(a) || b.last_at - a.last_at);
    const shown = sorted.filter((thread, at) => at < MOST_AT_HOME || fresher(thread));
    return html`<section class="talk-home" aria-labelledby="talk">
      <h2 id="talk">${t("talk.title")}</h2>
      ${
        shown.length === 0
          ? html`<p class="empty">${t(open ? "talk.none-start" : "talk.none")}</p>`
          : html`<ul class="cards" role="list">
              ${shown.map(
                (thread) => html`<li>
                  <a class="card link" href=${path.thread(space.id, thread.id)}>
                    <span class="card-icon">${icon("talk")}</span>
                    <span class="grow"
                      ><strong>${thread.title} ${signs(thread)}</strong>
                      <span class="quiet">${about(space, thread)}</span>
                    </span>
                    ${talk.isFresh(thread) ? html`<span class="pill fresh">${t("talk.fresh")}</span>` : nothing} ${icon("next")}
                  </a>
                </li>`,
              )}
            </ul>`
      }
      ${open ? html`<button class="button" @click=${() => this.begin()}>${icon("plus")}${t(space.rooms.some((room) => opens(space, room)) ? "talk.new" : "talk.ask")}</button>` : nothing}
    </section>`;
  }
}

function about(space: Space, { room_id, posts_count, last_at }: Thread): string {
  const room = space.rooms.find(({ id }) => id === room_id)?.title ?? "";
  const count = t("talk.posts", { count: posts_count });
  return [room, count, t("talk.last", { time: moment(last_at) })].filter(Boolean).join(" · ");
}

/** Whether I may open a discussion in this room, be it only a question to my teacher. */
export const mayStart = (space: Space, room: Room): boolean => opens(space, room) || asks(space, room);

/** Whether I may open a discussion for all of the room. The server has the last word. */
export function opens({ my_role, my_membership }: Space, room: Room): boolean {
  if (room.can?.start_threads !== undefined) return room.can.start_threads;
  if (my_role === "guest" || room.posting === "off") return my_role === "teacher" || my_role === "admin";
  return my_role !== "student" || room.posting === "free" || room.members?.includes(my_membership) === true;
}

/** Whether I am a pupil who may ask the teachers of my school here. */
export const asks = ({ my_role }: Space, room: Room): boolean =>
  (my_role === "student" || my_role === "student-editor") && room.audience === "all";

const fresh = (): TemplateResult =>
  html`<span class="fresh-dot" title=${t("talk.fresh")}><span class="sr">${t("talk.fresh")}</span></span>`;

/** The small signs behind a thread's title, each with its words for screen readers. */
export function signs(thread: Pick<Thread, "pinned" | "lock" | "kind">): TemplateResult[] {
  const found: ["pin" | "lock" | "eye", string][] = [];
  if (thread.pinned) found.push(["pin", t("talk.pinned")]);
  if (thread.lock) found.push(["lock", t("talk.locked")]);
  if (thread.kind === "ask") found.push(["eye", t("talk.private")]);
  return found.map(
    ([sign, words]) =>
      html`<span class="mark" title=${words}>${icon(sign)}<span class="sr">${words}</span></span>`,
  );
}

customElements.define("ts-talk", RoomTalk);
customElements.define("ts-talk-home", HomeTalk);
