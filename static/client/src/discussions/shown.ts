import type { Shown, ShownPost, ThreadLock } from "./types.ts";

type Values = Record<string, unknown>;

/** As much of a Y.Map as is read here. */
interface Entries {
  forEach(visit: (value: unknown, key: string) => void): void;
}

const text = (value: unknown): string => (typeof value === "string" ? value : "");
const textOrNull = (value: unknown): string | null => (typeof value === "string" && value ? value : null);
const time = (value: unknown): number | null =>
  typeof value === "number" && Number.isFinite(value) ? value : null;
const texts = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((each) => typeof each === "string") : [];
/** Each of so many places once, in some order; else nothing. */
const places = (value: unknown, count: number): number[] | null =>
  Array.isArray(value) && value.length === count && value.every((_, at) => value.includes(at)) ? value : null;
const values = (value: unknown): Values =>
  value !== null && typeof value === "object" && !Array.isArray(value) ? (value as Values) : {};

function entries(map: Entries): Values {
  const found: Values = {};
  map.forEach((value, key) => {
    found[key] = value;
  });
  return found;
}

/** The thread as its document has it, whatever stands in it: what is not as agreed is left out. */
export function readShown(thread: Entries, posts: Entries, hands: Entries): Shown {
  const meta = entries(thread);
  return {
    title: text(meta.title),
    kind: meta.kind === "chat" || meta.kind === "ask" ? meta.kind : "thread",
    pinned: meta.pinned === true,
    locked: lock(meta.locked),
    posts: Object.entries(entries(posts))
      .map(([id, value]) => readPost(id, values(value)))
      .filter((post) => post !== null)
      .sort((a, b) => a.number - b.number || (a.id < b.id ? -1 : 1)),
    hands: Object.entries(entries(hands))
      .sort(([, a], [, b]) => (time(a) ?? 0) - (time(b) ?? 0))
      .map(([id]) => id),
  };
}

function lock(value: unknown): ThreadLock | null {
  if (value === null || typeof value !== "object") return null;
  const { by, reason, until } = values(value);
  return { by: textOrNull(by), reason: text(reason), until: time(until) };
}

function readPost(id: string, post: Values): ShownPost | null {
  const number = time(post.number);
  if (number === null || (post.state !== "visible" && post.state !== "hidden")) return null;
  const hidden = post.state === "hidden";
  const options = hidden ? [] : texts(post.options);
  const votes = Array.isArray(post.votes) ? post.votes : null;
  const reactions = hidden
    ? {}
    : Object.fromEntries(Object.entries(values(post.reactions)).map(([mark, who]) => [mark, texts(who)]));
  return {
    id,
    number,
    author: textOrNull(post.author),
    body: hidden ? "" : text(post.body),
    language: textOrNull(post.language),
    reply_to: textOrNull(post.reply_to),
    mentions: hidden ? [] : texts(post.mentions),
    options: options.length > 0 ? options : null,
    votes: votes && options.map((_, at) => texts(votes[at])),
    closed: post.closed === true,
    chosen: options.length > 0 ? places(post.chosen, options.length) : null,
    reactions,
    marks: hidden ? [] : [...texts(post.marks), ...Object.keys(reactions)],
    hidden,
    hidden_by: textOrNull(post.hidden_by),
    at: time(post.at) ?? 0,
    edited_at: time(post.edited_at),
  };
}
