import { ApiError, Unreachable } from "../api/client.ts";
import type { Post } from "./types.ts";

/** Why the server did not take a post: message keys, and what a filter found. */
export interface Refusal {
  code: string;
  reason: string;
  kinds: string[];
}

/** A post on its way to the server, with the key that makes the server take it once only. */
export interface Outgoing {
  key: string;
  thread: string;
  body: string;
  language: string | null;
  reply_to: string | null;
  mentions: string[];
  options: string[] | null;
  /** Unix seconds, for order and for the eye. */
  at: number;
  /** Why the server did not take it: it is sent again only when its author says so. */
  refused?: Refusal;
}

/** Where an outbox lies on the device. */
export interface Shelf {
  all(): Promise<Outgoing[]>;
  put(post: Outgoing): Promise<unknown>;
  delete(key: string): Promise<void>;
}

export interface OutboxEvents {
  changed(): void;
  sent(outgoing: Outgoing, post: Post): void;
}

const FIRST_PAUSE_MS = 1500;
const LONGEST_PAUSE_MS = 60_000;

/** Whether the same request may succeed later without anybody changing it. */
export function passes(error: unknown): boolean {
  if (error instanceof Unreachable) return true;
  if (!(error instanceof ApiError)) return false;
  return error.status >= 500 || error.status === 429 || error.status === 408 || error.status === 401;
}

function refusalOf(error: unknown): Refusal {
  if (!(error instanceof ApiError)) return { code: "unknown", reason: "", kinds: [] };
  const { reason, kinds } = error.details;
  return {
    code: error.code,
    reason: typeof reason === "string" ? reason : "",
    kinds: Array.isArray(kinds) ? kinds.map(String) : [],
  };
}

/**
 * Posts that the server has not confirmed, in the order they were written. Each is kept on the device before
 * it is sent and until it is answered, so it survives a lost answer, a lost line and a reload.
 */
export class Outbox {
  private posts: Outgoing[] = [];
  private loaded: Promise<void> | undefined;
  private running: Promise<void> | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private pause = FIRST_PAUSE_MS;
  private closed = false;

  constructor(
    private readonly shelf: Shelf,
    private readonly send: (post: Outgoing) => Promise<Post>,
    private readonly events: OutboxEvents,
  ) {}

  /** What waits, the oldest first; of one thread or of all. */
  waiting(thread?: string): Outgoing[] {
    return this.posts.filter((post) => thread === undefined || post.thread === thread);
  }

  /** Takes up what an earlier visit left, and sends it. */
  async start(): Promise<void> {
    await this.load();
    await this.flush();
  }

  async add(post: Outgoing): Promise<void> {
    this.posts.push(post);
    this.events.changed();
    await this.load();
    await this.shelf.put(post);
    await this.flush();
  }

  /** Sends a refused post again as it is. */
  async again(key: string): Promise<void> {
    const post = this.posts.find((each) => each.key === key);
    if (!post) return;
    delete post.refused;
    this.events.changed();
    await this.shelf.put(post);
    await this.flush();
  }

  async drop(key: string): Promise<void> {
    this.posts = this.posts.filter((post) => post.key !== key);
    this.events.changed();
    await this.shelf.delete(key);
  }

  /** Sends what waits, one after the other; a second call while one runs joins it. */
  flush(): Promise<void> {
    if (this.closed) return Promise.resolve();
    clearTimeout(this.timer);
    this.running ??= this.run().finally(() => {
      this.running = undefined;
    });
    return this.running;
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
  }

  private load(): Promise<void> {
    this.loaded ??= this.shelf.all().then((kept) => {
      const mine = new Set(this.posts.map(({ key }) => key));
      this.posts = [...kept.filter(({ key }) => !mine.has(key)), ...this.posts];
      this.posts.sort((a, b) => a.at - b.at);
      this.events.changed();
    });
    return this.loaded;
  }

  private async run(): Promise<void> {
    for (let post = this.next(); post && !this.closed; post = this.next()) {
      try {
        const answer = await this.send(post);
        this.pause = FIRST_PAUSE_MS;
        this.events.sent(post, answer);
        await this.drop(post.key);
      } catch (error) {
        if (passes(error)) {
          this.later();
          return;
        }
        post.refused = refusalOf(error);
        this.events.changed();
        await this.shelf.put(post);
      }
    }
  }

  private next(): Outgoing | undefined {
    return this.posts.find((post) => !post.refused);
  }

  private later(): void {
    if (this.closed) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.flush(), this.pause);
    this.pause = Math.min(this.pause * 2, LONGEST_PAUSE_MS);
  }
}
