import type { HocuspocusProviderWebsocket } from "@hocuspocus/provider";
import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { keyed } from "lit/directives/keyed.js";
import { repeat } from "lit/directives/repeat.js";
import { ApiError, api, explain } from "../api/client.ts";
import type { Me, Space } from "../api/types.ts";
import type { Present } from "../collab/collab.ts";
import { has, list, moment, t } from "../i18n/index.ts";
import { type Connection, connection, onConnection } from "../net.ts";
import { path } from "../router.ts";
import { announce } from "../ui/announce.ts";
import { icon } from "../ui/icons.ts";
import { trouble } from "../ui/trouble.ts";
import { View } from "../ui/view.ts";
import "./composer.ts";
import type { Written } from "./composer.ts";
import {
  blockPerson,
  editPost,
  endPoll,
  hidePost,
  lockThread,
  newKey,
  rejectPost,
  reportPost,
} from "./dialogs.ts";
import { LiveThread } from "./live.ts";
import { plain } from "./markdown.ts";
import { glyph } from "./marks.ts";
import { postMenu, threadMenu } from "./menus.ts";
import { drawHeld, drawOutgoing, drawWaiting } from "./mine.ts";
import { signs } from "./nav/index.ts";
import type { Talk } from "./nav/talk.ts";
import type { Outgoing } from "./outbox.ts";
import { People, type Somebody } from "./people.ts";
import { drawPost, mayEdit, type Scene } from "./post.ts";
import { Speaker } from "./speaker.ts";
import type { HeldPost, Mark, Post, Shown, ShownPost, Thread, ThreadLock } from "./types.ts";

/** So many posts are drawn at first, and so many more each time somebody asks for earlier ones. */
const PAGE = 50;
const TICK_MS = 30_000;
/** So near the end somebody follows the talk: new posts come into view by themselves. */
const NEAR_PX = 160;
const HEAD_PX = 200;
const AWAY = "twinspace.put-away";

/** One discussion, live: its posts, what waits, and where to write. */
class ThreadView extends View {
  static override properties = {
    me: { attribute: false },
    space: { attribute: false },
    talk: { attribute: false },
    people: { attribute: false },
    threadId: { attribute: false },
    socket: { attribute: false },
    shown: { state: true },
    live: { state: true },
    thread: { state: true },
    held: { state: true },
    blocked: { state: true },
    open: { state: true },
    originals: { state: true },
    answering: { state: true },
    most: { state: true },
    below: { state: true },
    down: { state: true },
    line: { state: true },
    gone: { state: true },
    failed: { state: true },
    now: { state: true },
  };

  declare me: Me;
  declare space: Space;
  declare talk: Talk | undefined;
  declare people: Present[];
  declare threadId: string;
  declare socket: HocuspocusProviderWebsocket | undefined;
  declare shown: Shown | undefined;
  /** What is shown is what the server has now. */
  declare live: boolean;
  declare thread: Thread | undefined;
  declare held: HeldPost[];
  /** People whose posts I do not want to read, by person id. */
  declare blocked: ReadonlySet<string>;
  declare open: ReadonlySet<string>;
  declare originals: ReadonlyMap<string, string>;
  /** Id of the post that is answered. */
  declare answering: string | null;
  /** How many posts are drawn, from the last one back. */
  declare most: number;
  /** New posts below what is in view. */
  declare below: number;
  /** The head of the thread is out of view. */
  declare down: boolean;
  declare line: Connection;
  declare gone: boolean;
  declare failed: string;
  declare now: number;

  private session: LiveThread | undefined;
  private followed: Talk | undefined;
  private opened = "";
  private stops: (() => void)[] = [];
  private tick?: ReturnType<typeof setInterval>;
  /** Posts that the server has taken and that the document has not brought yet. */
  private readonly arrived = new Map<string, Post>();
  private speaker = new Speaker();
  /** Number of the last post that I had seen when I came. */
  private seen: number | undefined;
  private atEnd = true;
  private height = 0;

  constructor() {
    super();
    this.people = [];
    this.reset();
    this.blocked = new Set();
    this.line = connection();
    this.now = Date.now() / 1000;
  }

  private reset(): void {
    this.shown = undefined;
    this.live = false;
    this.thread = undefined;
    this.held = [];
    this.open = new Set();
    this.originals = new Map();
    this.answering = null;
    this.most = PAGE;
    this.below = 0;
    this.down = false;
    this.gone = false;
    this.failed = "";
    this.seen = undefined;
    this.atEnd = true;
    this.arrived.clear();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.tick = setInterval(() => {
      this.now = Date.now() / 1000;
      // Locks, mutes and nights end without a word.
      if (this.thread && !this.thread.can.post) void this.fetch();
    }, TICK_MS);
    addEventListener("scroll", this.scrolled, { passive: true });
    this.stops = [
      onConnection((line) => {
        this.line = line;
        if (line === "connected") void this.fetch();
      }),
    ];
    this.requestUpdate();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.tick);
    removeEventListener("scroll", this.scrolled);
    for (const stop of this.stops) stop();
    this.close();
  }

  private close(): void {
    this.session?.close();
    this.session = undefined;
    this.talk?.reads(null);
    this.followed = undefined;
    this.opened = "";
    this.speaker.stop();
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has("people")) this.speaker.hereAre(this.people, this.me.person.id);
    if (this.opened !== this.threadId && this.opened) {
      this.close();
      this.reset();
    }
    if (this.talk && this.socket && !this.opened && this.isConnected) this.start(this.talk, this.socket);
  }

  /** Whoever reads at the end stays there while the talk grows. */
  protected override updated(): void {
    super.updated();
    const height = document.documentElement.scrollHeight;
    if (this.shown && this.atEnd && height > this.height) scrollTo(0, height);
    this.height = height;
  }

  private start(talk: Talk, socket: HocuspocusProviderWebsocket): void {
    const id = this.threadId;
    this.opened = id;
    talk.reads(id);
    if (this.followed !== talk) {
      this.followed = talk;
      this.stops.push(talk.on(this.heard), talk.onSent(this.sent));
    }
    void Promise.all([talk.members ? undefined : talk.fetchMembers(), this.fetch(), this.fetchBlocked()]);
    void talk.seenUpTo(id).then((last) => {
      this.seen = last;
      this.requestUpdate();
    });
    void talk.keeper.get<string>("drafts", id).then((draft) => {
      const composer = this.querySelector("ts-composer");
      if (draft && composer && !composer.words) composer.words = draft;
    });
    this.session = new LiveThread(id, `thread/${id}`, socket, talk.keeper, {
      shown: (shown, live) => this.show(shown, live),
      access: () => void this.fetch(),
      ended: () => void this.fetch(),
    });
  }

  /** Takes up a new state of the thread, and keeps the place of whoever reads. */
  private show(shown: Shown, live: boolean): void {
    const before = this.shown;
    const wasLive = this.live;
    const known = new Set(before?.posts.map(({ id }) => id));
    const fresh = wasLive ? shown.posts.filter(({ id }) => !known.has(id)) : [];
    this.shown = shown;
    this.live = live;
    for (const [key, { id }] of this.arrived) {
      if (shown.posts.some((post) => post.id === id)) this.arrived.delete(key);
    }
    for (const id of this.originals.keys()) {
      if (!shown.posts.some((post) => post.id === id && post.hidden)) this.setOriginal(id, undefined);
    }
    const heard = new Set(before?.posts.filter(({ hidden }) => !hidden).map(({ id }) => id));
    if (shown.posts.some(({ id, hidden }) => hidden && heard.has(id))) this.speaker.unsay();
    const others = fresh.filter(({ author, hidden }) => author !== this.mine && !hidden);
    const scene = this.scene();
    this.speaker.posts(
      others
        .filter(({ author }) => !scene.blocked(scene.people.who(author)))
        .map(({ author, body }) => ({ name: scene.people.name(author), text: plain(body) })),
    );
    if (this.lockOf(before) !== this.lockOf(shown) || before?.pinned !== shown.pinned) void this.fetch();
    const first = live && !wasLive;
    void this.updateComplete.then(() => {
      if (first && !this.jumpTo(location.hash.replace("#post-", ""))) this.goToFirstUnseen();
      else if (fresh.length > 0 && this.atEnd) this.toEnd();
      else if (others.length > 0) this.below += others.length;
      if (live) this.markSeen();
    });
  }

  private lockOf = (shown: Shown | undefined): string => JSON.stringify(shown?.locked ?? null);

  /** The lock that holds now: its end is not told. */
  private lock(): ThreadLock | null {
    const lock = this.shown?.locked ?? null;
    return lock?.until && lock.until <= this.now ? null : lock;
  }

  private get mine(): string {
    return this.space.my_membership;
  }

  private heard = (news: readonly string[]): void => {
    if (news.some((each) => each === "mine" || each === "members" || each === "space")) void this.fetch();
    else if (news.includes("held")) void this.fetchHeld();
    this.requestUpdate();
  };

  private sent = (outgoing: Outgoing, post: Post): void => {
    if (outgoing.thread !== this.threadId) return;
    if (post.state === "visible" && !this.shown?.posts.some(({ id }) => id === post.id))
      this.arrived.set(outgoing.key, post);
    if (post.state !== "visible" && this.thread) {
      const waiting = (this.thread.mine_waiting ?? []).filter(({ id }) => id !== post.id);
      this.thread = { ...this.thread, mine_waiting: [...waiting, post] };
    }
    announce(t(post.state === "held" ? "compose.held" : "compose.sent"), { heard: post.state !== "held" });
    if (post.state === "held") void this.fetch();
  };

  private async fetch(): Promise<void> {
    const id = this.threadId;
    try {
      const thread = await api.getKnown<Thread>(`/api/threads/${id}`);
      if (id !== this.threadId) return;
      this.thread = thread;
      this.gone = false;
      this.failed = "";
      await this.fetchHeld();
    } catch (error) {
      if (id !== this.threadId) return;
      if (error instanceof ApiError && (error.status === 404 || error.status === 403)) {
        this.gone = true;
        void this.talk?.keeper.delete("threads", id);
        void this.talk?.fetchThreads();
      } else if (!this.shown) {
        this.failed = explain(error);
      }
    }
  }

  private async fetchHeld(): Promise<void> {
    if (!this.thread?.can.approve) {
      this.held = [];
      return;
    }
    try {
      const held = await api.get<HeldPost[]>(`/api/spaces/${this.space.id}/held`);
      this.held = held.filter(({ post }) => post.thread_id === this.threadId);
    } catch {
      // The list comes again with the next notice.
    }
  }

  private async fetchBlocked(): Promise<void> {
    try {
      const found = await api.getKnown<{ person_id: string }[]>("/api/me/blocks");
      this.blocked = new Set(found.map(({ person_id }) => person_id));
    } catch {
      // Nobody is blocked, as far as this device knows.
    }
  }

  protected override render(): TemplateResult {
    if (this.gone) {
      return html`<main id="main" class="thread" tabindex="-1">
        <h1>${t("thread.gone-title")}</h1>
        <p>${t("thread.gone")}</p>
        <p><a class="button primary" href=${path.space(this.space.id)}>${t("page.back-to", { title: this.space.title })}</a></p>
      </main>`;
    }
    if (this.failed) return trouble(this.failed, () => void this.fetch());
    const { shown, thread } = this;
    const title = shown?.title || thread?.title;
    if (!title) return html`<main id="main" class="thread" aria-busy="true" tabindex="-1"></main>`;
    const room = this.space.rooms.find(({ id }) => id === thread?.room_id);
    const scene = this.scene();
    return html`<main id="main" class="thread" tabindex="-1">
      <nav class="crumbs" aria-label=${t("page.where")}>
        <ol role="list">
          <li><a href=${path.space(this.space.id)}>${this.space.title}</a></li>
          ${room ? html`<li><span>${room.title}</span></li>` : nothing}
        </ol>
      </nav>
      <header class="page-head">
        <h1>${title}</h1>
        <span class="page-marks">${thread ? signs({ ...thread, lock: this.lock(), pinned: shown?.pinned ?? false }) : nothing}</span>
        <span class="grow"></span>
        <div class="page-tools">${this.headTools()}</div>
      </header>
      ${this.banners(scene)} ${this.waitingForMe(scene)}
      ${shown ? this.posts(shown, scene) : html`<p class="quiet" role="status">${t("thread.loading")}</p>`}
      ${this.foot(scene)}
    </main>`;
  }

  private headTools(): TemplateResult | typeof nothing {
    const { thread } = this;
    if (!thread) return nothing;
    const locked = this.lock() !== null;
    return html`${
      thread.can.lock
        ? html`<button class="button" @click=${() => this.toggleLock(locked)}>${icon(locked ? "unlock" : "lock")}<span class="wide-only">${t(locked ? "thread.unlock" : "thread.lock")}</span></button>`
        : nothing
    }
      <button class="button icon quiet" aria-haspopup="dialog" aria-label=${t("thread.more")} @click=${this.more}>${icon("more")}</button>`;
  }

  private banners(scene: Scene): TemplateResult[] {
    const found: TemplateResult[] = [];
    const { shown, thread } = this;
    const lock = this.lock();
    if (lock) {
      const { by, until, reason } = lock;
      const name = scene.people.name(by);
      found.push(html`<div class="note wait">
        ${icon("lock")}
        <div>
          <p>
            <strong>${until ? t("thread.locked-until", { name, time: moment(until) }) : t("thread.locked", { name })}</strong>
          </p>
          ${reason ? html`<p>${t("page.lock-reason", { reason })}</p>` : nothing}
        </div>
      </div>`);
    }
    if (thread?.kind === "ask")
      found.push(
        html`<div class="note">${icon("eye")}<p>${t(thread.author === this.mine ? "thread.ask-note" : "thread.ask-note-teacher")}</p></div>`,
      );
    if (shown && !this.live && this.line !== "connected")
      found.push(html`<div class="note wait">${icon("offline")}<p>${t("thread.kept")}</p></div>`);
    if (shown && shown.hands.length > 0)
      found.push(
        html`<p class="hands">${glyph("hand")}${t("thread.hands", { names: list(shown.hands.map((id) => scene.people.name(id))) })}</p>`,
      );
    return found;
  }

  /** What teachers have to decide stands first. */
  private waitingForMe(scene: Scene): TemplateResult | typeof nothing {
    if (this.held.length === 0) return nothing;
    return html`<section class="held card" aria-labelledby="held">
      <h2 id="held">${t("held.title", { count: this.held.length })}</h2>
      ${repeat(
        this.held,
        ({ post }) => post.id,
        (each) =>
          drawHeld(each, scene.people, {
            approve: () => this.decide(each),
            reject: () => this.reject(each),
          }),
      )}
    </section>`;
  }

  private posts(shown: Shown, scene: Scene): TemplateResult {
    const { posts } = shown;
    const first = Math.max(0, posts.length - this.most);
    const drawn = posts.slice(first);
    const seen = this.seen;
    const news =
      seen === undefined || seen === 0
        ? undefined
        : drawn.find(({ at, author }) => at > seen && author !== this.mine);
    const own = this.own(shown, scene);
    return html`
      ${
        first > 0
          ? html`<button class="button wide earlier" @click=${() => this.showEarlier(drawn[0]?.id)}>${t("thread.earlier", { count: Math.min(first, PAGE) })}</button>`
          : nothing
      }
      ${posts.length === 0 && own.length === 0 ? html`<p class="empty">${t(this.thread?.can.post ? "thread.empty-first" : "thread.empty")}</p>` : nothing}
      <ol class="posts" role="list" aria-label=${t("thread.posts")}>
        ${repeat(
          drawn,
          ({ id }) => id,
          (
            post,
          ) => html`<li id="post-${post.id}" tabindex="-1" class=${post.id === news?.id ? "first-new" : ""}>
            ${post.id === news?.id ? html`<p class="divider"><span>${t("thread.new-from-here")}</span></p>` : nothing}
            ${drawPost(post, scene)}
          </li>`,
        )}
        ${repeat(
          own,
          ([key]) => key,
          ([, drawnOwn]) => html`<li>${drawnOwn}</li>`,
        )}
      </ol>
    `;
  }

  /** What only I see, in the order it was written: what waits, what was turned down, what is not sent yet. */
  private own(shown: Shown, scene: Scene): [string, TemplateResult][] {
    const away = putAway();
    const waiting = (this.thread?.mine_waiting ?? []).filter(
      ({ id, state, waiting_body }) =>
        !away.has(id) &&
        (waiting_body !== null || !shown.posts.some((post) => post.id === id) || state !== "visible"),
    );
    const found: [number, string, TemplateResult][] = [
      ...waiting.map((post): [number, string, TemplateResult] => [
        post.at,
        post.id,
        drawWaiting(post, scene, {
          again: () => this.writeAgain(post.body),
          away: () => {
            putAway(post.id);
            this.requestUpdate();
          },
        }),
      ]),
      ...[...this.arrived].map(([key, { id, at, body, language }]): [number, string, TemplateResult] => [
        at,
        id,
        drawOutgoing({ key, at, body, language }, scene, true),
      ]),
      ...(this.talk?.outbox.waiting(this.threadId) ?? []).map((post): [number, string, TemplateResult] => [
        post.at,
        post.key,
        drawOutgoing(post, scene, this.line === "connected", {
          again: () => void this.talk?.outbox.again(post.key),
          away: () => void this.talk?.outbox.drop(post.key),
          change: () => {
            void this.talk?.outbox.drop(post.key);
            this.writeAgain(post.body);
          },
        }),
      ]),
    ];
    return found.sort(([a], [b]) => a - b).map(([, key, drawn]) => [key, drawn]);
  }

  private foot(scene: Scene): TemplateResult | typeof nothing {
    const { thread, shown } = this;
    if (!thread) return nothing;
    const jump =
      this.below > 0
        ? html`<button class="button primary jump" @click=${this.toEnd}>${icon("down")}${t("thread.jump", { count: this.below })}</button>`
        : nothing;
    const waiting =
      this.held.length > 0 && this.down
        ? html`<button class="button wide waits" @click=${this.toHeld}>${icon("up")}${t("held.title", { count: this.held.length })}</button>`
        : nothing;
    const locked = this.lock() !== null;
    if (!thread.can.post) {
      const key = `why.${locked ? "locked" : thread.reason}`;
      return html`<div class="compose-place">${jump} ${waiting}
        <div class="note why" role="status">${icon("eye")}<p>${t(has(key) ? key : "why.title")}</p></div>
      </div>`;
    }
    const room = this.space.rooms.find(({ id }) => id === thread.room_id);
    const answered = this.answering === null ? undefined : scene.get(this.answering);
    return html`<div class="compose-place">
      ${jump} ${waiting}
      ${keyed(
        this.threadId,
        html`<ts-composer
          .people=${scene.people.readersOf(thread, room, this.mine)}
          .languages=${this.space.languages}
          .policy=${thread.policy}
          .online=${this.line === "connected" || this.line === "idle"}
          .polls=${thread.can.approve}
          .hand=${shown?.hands.includes(this.mine) ?? false}
          .answering=${answered && !answered.hidden ? scene.people.name(answered.author) : ""}
          @written=${(event: CustomEvent<Written>) => this.post(event.detail)}
          @draft=${(event: CustomEvent<string>) => this.keepDraft(event.detail)}
          @hand=${(event: CustomEvent<boolean>) => this.raiseHand(event.detail)}
          @no-reply=${() => {
            this.answering = null;
          }}
        ></ts-composer>`,
      )}
    </div>`;
  }

  private scene(): Scene {
    const posts = new Map(this.shown?.posts.map((post) => [post.id, post]));
    return {
      mine: this.mine,
      admin: this.space.my_role === "admin",
      people: new People(this.space, this.talk?.members),
      thread: this.thread,
      now: this.now,
      get: (id) => posts.get(id),
      blocked: ({ person }) => person !== "" && this.blocked.has(person),
      open: this.open,
      originals: this.originals,
      toggle: (what) => this.toggle(what),
      react: (post, mark, on) => this.react(post, mark, on),
      vote: (post, option) => this.vote(post, option),
      closePoll: (post) => void this.closePoll(post),
      reply: (post) => {
        this.answering = post.id;
        void this.updateComplete.then(() => this.querySelector("ts-composer")?.focusField());
      },
      report: (post) => void reportPost(this.space, post),
      more: (post) => this.postMore(post),
      restore: (post) => void this.run(() => api.delete(`/api/posts/${post.id}/hidden`), t("post.restored")),
      original: (post) => void this.original(post),
      jump: (id) => this.jumpTo(id),
    };
  }

  // What the buttons do

  private post(written: Written): void {
    const { talk } = this;
    if (!talk) return;
    const outgoing: Outgoing = {
      ...written,
      key: newKey(),
      thread: this.threadId,
      reply_to: this.answering,
      at: Date.now() / 1000,
    };
    this.answering = null;
    this.atEnd = true;
    void talk.outbox.add(outgoing);
    this.toEnd();
  }

  private keepDraft(words: string): void {
    const keeper = this.talk?.keeper;
    void (words ? keeper?.put("drafts", this.threadId, words) : keeper?.delete("drafts", this.threadId));
  }

  private writeAgain(body: string): void {
    this.querySelector("ts-composer")?.write(body);
  }

  /** Does it, says so, or says why it could not be done. */
  private async run(action: () => Promise<unknown>, done = ""): Promise<boolean> {
    try {
      await action();
      if (done) announce(done);
      return true;
    } catch (error) {
      announce(explain(error));
      return false;
    }
  }

  private raiseHand(up: boolean): void {
    const url = `/api/threads/${this.threadId}/hand`;
    void this.run(() => (up ? api.put(url, undefined) : api.delete(url)));
  }

  private react(post: ShownPost, mark: Mark, on: boolean): void {
    const url = `/api/posts/${post.id}/reactions/${mark}`;
    void this.run(() => (on ? api.put(url, undefined) : api.delete(url))).then((done) => {
      const { thread } = this;
      if (!done || !thread) return;
      const others = (thread.my_marks?.[post.id] ?? []).filter((each) => each !== mark);
      const now = on ? [...others, mark] : others;
      this.thread = { ...thread, my_marks: { ...thread.my_marks, [post.id]: now } };
    });
    if (this.open.has(`marks ${post.id}`)) this.toggle(`marks ${post.id}`);
  }

  private async vote(post: ShownPost, option: number): Promise<void> {
    const done = await this.run(() => api.put(`/api/posts/${post.id}/vote`, { option }), t("poll.voted"));
    if (done) {
      if (this.thread)
        this.thread = { ...this.thread, my_votes: { ...this.thread.my_votes, [post.id]: option } };
      this.open = new Set(
        [...this.open].filter((each) => each !== `vote ${post.id}` && each !== `results ${post.id}`),
      );
    }
  }

  private async closePoll(post: ShownPost): Promise<void> {
    if (await endPoll(post)) announce(t("poll.closed-now"));
  }

  private toggle(what: string): void {
    const open = new Set(this.open);
    if (!open.delete(what)) open.add(what);
    if (what.startsWith("results ")) open.delete(`vote ${what.slice(8)}`);
    this.open = open;
  }

  private setOriginal(id: string, words: string | undefined): void {
    const originals = new Map(this.originals);
    if (words === undefined) originals.delete(id);
    else originals.set(id, words);
    this.originals = originals;
  }

  private async original({ id }: ShownPost): Promise<void> {
    if (this.originals.has(id)) {
      this.setOriginal(id, undefined);
      return;
    }
    await this.run(async () => {
      const { body } = await api.get<Post>(`/api/posts/${id}/original`);
      this.setOriginal(id, body);
    });
  }

  private async decide({ post, author_name }: HeldPost): Promise<void> {
    const done = await this.run(
      () => api.put(`/api/posts/${post.id}/decision`, { approve: true }),
      t("held.approved", { name: author_name }),
    );
    if (done) this.held = this.held.filter((each) => each.post.id !== post.id);
    await this.fetchHeld();
  }

  private async reject(held: HeldPost): Promise<void> {
    if (!(await rejectPost(held))) return;
    announce(t("held.rejected", { name: held.author_name }));
    this.held = this.held.filter(({ post }) => post.id !== held.post.id);
    await this.fetchHeld();
  }

  private async toggleLock(locked: boolean): Promise<void> {
    const { thread } = this;
    if (!thread) return;
    if (locked) {
      await this.run(() => api.delete(`/api/threads/${thread.id}/lock`), t("thread.unlocked-now"));
    } else if (await lockThread(thread)) announce(t("thread.locked-now"));
  }

  private more = async (): Promise<void> => {
    if (this.thread) await threadMenu(this.thread, this.shown?.pinned ?? false, this.speaker);
    void this.talk?.changed(["threads"]);
  };

  private async postMore(post: ShownPost): Promise<void> {
    const scene = this.scene();
    const who = scene.people.who(post.author);
    const chosen = await postMenu(post, who, scene);
    const waits = this.thread?.policy === "hold" || this.thread?.policy === "hold-first";
    if (chosen === "edit" && mayEdit(this.scene(), post) && (await editPost(post, waits))) {
      announce(t("post.saved"));
      await this.fetch();
    }
    if (chosen === "hide" && (await hidePost(post, post.author === this.mine)))
      announce(t("post.hidden-now"));
    if (chosen === "block") await this.block(who);
    if (chosen === "unblock") {
      const done = await this.run(
        () => api.delete(`/api/me/blocks/${who.person}`),
        t("post.unblocked-now", { name: who.name }),
      );
      if (done) this.blocked = new Set([...this.blocked].filter((id) => id !== who.person));
    }
  }

  private async block(who: Somebody): Promise<void> {
    if (!(await blockPerson(who))) return;
    this.blocked = new Set([...this.blocked, who.person]);
    announce(t("post.blocked-now", { name: who.name }));
  }

  // Where the reader is

  private scrolled = (): void => {
    const { scrollHeight } = document.documentElement;
    this.atEnd = scrollHeight - innerHeight - scrollY < NEAR_PX;
    if (this.atEnd && this.below > 0) this.below = 0;
    this.down = scrollY > HEAD_PX;
  };

  private toHeld = (): void => {
    this.atEnd = false;
    this.querySelector("#held")?.scrollIntoView({ block: "center" });
    this.querySelector<HTMLElement>(".held .button")?.focus({ preventScroll: true });
  };

  private toEnd = (): void => {
    this.below = 0;
    void this.updateComplete.then(() => scrollTo(0, document.documentElement.scrollHeight));
  };

  private goToFirstUnseen(): void {
    const news = this.querySelector(".first-new");
    this.atEnd = !news;
    if (news) news.scrollIntoView({ block: "start" });
    else this.toEnd();
  }

  /** Whether there is such a post on the screen. */
  private jumpTo(id: string): boolean {
    const at = this.shown?.posts.findIndex((post) => post.id === id) ?? -1;
    if (at < 0 || !this.shown) return false;
    this.atEnd = false;
    this.most = Math.max(this.most, this.shown.posts.length - at);
    void this.updateComplete.then(() => {
      const post = this.querySelector<HTMLElement>(`#post-${CSS.escape(id)}`);
      post?.scrollIntoView({ block: "center" });
      post?.focus({ preventScroll: true });
    });
    return true;
  }

  private showEarlier(first: string | undefined): void {
    this.atEnd = false;
    this.most += PAGE;
    if (first === undefined) return;
    void this.updateComplete.then(() =>
      this.querySelector<HTMLElement>(`#post-${CSS.escape(first)}`)?.scrollIntoView(),
    );
  }

  private markSeen(): void {
    const last = this.shown?.posts.reduce((latest, { at }) => Math.max(latest, at), 0) ?? 0;
    this.talk?.see(this.threadId, Math.max(last, this.thread?.last_at ?? 0));
  }
}

/** My rejected posts that I do not want to see any more, on this device. With an id: one more. */
function putAway(id?: string): Set<string> {
  let kept: string[] = [];
  try {
    kept = JSON.parse(localStorage.getItem(AWAY) ?? "[]");
    if (id !== undefined) {
      kept = [...kept, id].slice(-200);
      localStorage.setItem(AWAY, JSON.stringify(kept));
    }
  } catch {
    // Storage is forbidden: it is there again at the next visit.
  }
  return new Set(kept);
}

customElements.define("ts-thread", ThreadView);
