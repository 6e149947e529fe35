import { ApiError, api } from "../../api/client.ts";
import type { Me, Member } from "../../api/types.ts";
import { setUnsent } from "../../collab/device.ts";
import { connection, onConnection } from "../../net.ts";
import { Outbox, type Outgoing } from "../outbox.ts";
import { Keeper } from "../store.ts";
import type { Post, Shown, Thread } from "../types.ts";

/** Notices that come together are one fetch; many screens hear the same notice, so not all ask at once. */
const GATHER_MS = 100;
const SPREAD_MS = 300;
/** So many threads that changed while I was away are kept anew, the others are forgotten until I open them. */
const MOST_RENEWED = 5;
const RENEWAL_MS = 10_000;

/** The discussions of one space as this person has them: the list, what was read, what waits to be sent. */
export class Talk {
  threads: Thread[] | undefined;
  members: Map<string, Member> | undefined;
  /** Last arrival from the outbox, for the thread that is open. */
  readonly outbox: Outbox;
  readonly keeper: Keeper;

  private read = new Map<string, number>();
  private readonly listeners = new Set<(news: readonly string[]) => void>();
  private readonly sent = new Set<(outgoing: Outgoing, post: Post) => void>();
  private reading: string | null = null;
  private renewing = false;
  /** The states in which threads were kept anew. */
  private readonly renewed = new Map<string, string>();
  private endRenewal: () => void = () => {};
  private news = new Set<string>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private readonly stopLine: () => void;
  private closed = false;

  constructor(
    readonly space: string,
    { person }: Me,
  ) {
    this.keeper = new Keeper(person.id, "threads", ["threads", "drafts", "read"]);
    const box = new Keeper(person.id, "outbox", ["posts"]);
    this.outbox = new Outbox(
      {
        all: () => box.all<Outgoing>("posts"),
        put: (post) => box.put("posts", post.key, post),
        delete: (key) => box.delete("posts", key),
      },
      ({ thread, key, body, language, reply_to, mentions, options }) =>
        api.post<Post>(`/api/threads/${thread}/posts`, {
          key,
          body,
          ...(language && { language }),
          ...(reply_to && { reply_to }),
          ...(mentions.length > 0 && { mentions }),
          ...(options && { options }),
        }),
      {
        changed: () => {
          setUnsent(person.id, "outbox", this.outbox.waiting().length > 0);
          this.tell(["outbox"]);
        },
        sent: (outgoing, post) => {
          for (const listener of this.sent) listener(outgoing, post);
        },
      },
    );
    this.stopLine = onConnection((line) => {
      if (line !== "connected") return;
      void this.outbox.flush();
      if (this.threads) void this.renewKept();
    });
    addEventListener("online", this.online);
    void this.start();
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    this.endRenewal();
    this.stopLine();
    removeEventListener("online", this.online);
    this.outbox.close();
    this.listeners.clear();
  }

  /** Calls back with what is new: "threads", "members", "outbox", or a notice of the server as it came. */
  on(listener: (news: readonly string[]) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Calls back when a post of mine has reached the server. */
  onSent(listener: (outgoing: Outgoing, post: Post) => void): () => void {
    this.sent.add(listener);
    return () => this.sent.delete(listener);
  }

  /** The server says that these have changed. */
  changed(what: readonly string[]): void {
    for (const each of what) this.news.add(each);
    this.timer ??= setTimeout(() => void this.fetchNews(), GATHER_MS + Math.random() * SPREAD_MS);
  }

  async fetchThreads(): Promise<void> {
    const threads = await this.fetch<Thread[]>("threads");
    if (!threads || this.closed) return;
    this.threads = threads;
    await this.markFirst(threads);
    this.tell(["threads"]);
    if (connection() === "connected") void this.renewKept();
  }

  /** Which thread is on the screen: it is kept by itself, and not renewed here. */
  reads(thread: string | null): void {
    this.reading = thread;
    if (thread !== null) this.endRenewal();
  }

  async fetchMembers(): Promise<void> {
    const members = await this.fetch<Member[]>("members");
    if (!members || this.closed) return;
    this.members = new Map(members.map((member) => [member.id, member]));
    this.tell(["members"]);
  }

  /** Whether a thread has posts that this device has not shown to me. */
  isFresh({ id, last_at, posts_count }: Thread): boolean {
    return posts_count > 0 && last_at > (this.read.get(id) ?? this.read.get(this.space) ?? Infinity);
  }

  /** I have seen a thread up to this moment. */
  see(thread: string, last: number): void {
    if (last <= (this.read.get(thread) ?? 0)) return;
    this.read.set(thread, last);
    void this.keeper.put("read", thread, last);
    this.tell(["read"]);
  }

  /** How far I had seen a thread before. */
  async seenUpTo(thread: string): Promise<number> {
    return this.read.get(thread) ?? (await this.keeper.get<number>("read", thread)) ?? 0;
  }

  private online = (): void => void this.outbox.flush();

  private async start(): Promise<void> {
    for (const key of await this.keeper.keys("read")) {
      const at = await this.keeper.get<number>("read", key);
      if (at !== undefined && !this.read.has(key)) this.read.set(key, at);
    }
    await Promise.all([this.fetchThreads(), this.outbox.start()]);
  }

  /** Words that were hidden while I was away do not stay on the device until I come by. */
  private async renewKept(): Promise<void> {
    if (this.renewing) return;
    this.renewing = true;
    let left = MOST_RENEWED;
    for (const id of await this.keeper.keys("threads")) {
      const thread = this.threads?.find((each) => each.id === id);
      const kept = await this.keeper.get<Shown>("threads", id);
      if (this.closed) return;
      if (!thread) await this.forgetIfGone(id);
      else if (
        kept &&
        this.reading !== id &&
        this.renewed.get(id) !== stateOf(thread) &&
        isStale(kept, thread)
      ) {
        this.renewed.set(id, stateOf(thread));
        await (left-- > 0 ? this.renew(thread) : this.keeper.delete("threads", id));
      }
    }
    this.renewing = false;
  }

  private async renew({ id, document }: Thread): Promise<void> {
    const [{ LiveThread }, { getSocket }] = await Promise.all([
      import("../live.ts"),
      import("../../collab/collab.ts"),
    ]);
    if (this.closed || this.reading !== null) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(tired);
        this.endRenewal = () => {};
        live.close();
        resolve();
      };
      const tired = setTimeout(done, RENEWAL_MS);
      const live = new LiveThread(id, document, getSocket(), this.keeper, {
        shown: (_, now) => now && done(),
        access: () => {},
        ended: done,
      });
      this.endRenewal = done;
    });
  }

  /** On the first visit with this device nothing is news. */
  private async markFirst(threads: readonly Thread[]): Promise<void> {
    if (this.read.has(this.space)) return;
    const last = Math.max(0, ...threads.map(({ last_at }) => last_at));
    this.read.set(this.space, last);
    await this.keeper.put("read", this.space, last);
  }

  /** A thread of this space that I may not see any more does not stay on the device. */
  private async forgetIfGone(thread: string): Promise<void> {
    try {
      await api.get(`/api/threads/${thread}`);
    } catch (error) {
      if (error instanceof ApiError && (error.status === 404 || error.status === 403))
        await this.keeper.delete("threads", thread);
    }
  }

  private async fetchNews(): Promise<void> {
    this.timer = undefined;
    const news = [...this.news];
    this.news.clear();
    if (this.closed) return;
    this.tell(news);
    await Promise.all([
      news.includes("threads") || news.includes("space") ? this.fetchThreads() : undefined,
      news.includes("members") && this.members ? this.fetchMembers() : undefined,
    ]);
  }

  private async fetch<T>(what: string): Promise<T | undefined> {
    try {
      return await api.getKnown<T>(`/api/spaces/${this.space}/${what}`);
    } catch {
      return undefined;
    }
  }

  private tell(news: readonly string[]): void {
    if (this.closed) return;
    for (const listener of this.listeners) listener(news);
  }
}

const stateOf = ({ posts_count, last_at }: Thread): string => `${posts_count} ${last_at}`;

/** Whether a thread may say something else now than what the device kept of it. */
function isStale({ posts }: Shown, { posts_count, last_at }: Thread): boolean {
  const seen = posts.filter(({ hidden }) => !hidden);
  return seen.length !== posts_count || last_at - Math.max(0, ...seen.map(({ at }) => at)) > 1;
}
