import type { Me } from "../api/types.ts";
import { country } from "../i18n/index.ts";

export interface Message {
  id: string;
  mine: boolean;
  /** Of my own: the one it was sent with. */
  key: string | null;
  body: string;
  /** Unix seconds; no two of a conversation have the same. */
  at: number;
}

/** The other side of a conversation. */
export interface Partner {
  person_id: string;
  name: string;
  school: string | null;
  town: string | null;
  country: string | null;
}

export interface ConversationLine {
  partner: Partner;
  last: Message;
  unread: number;
}

export interface Conversations {
  unread: number;
  conversations: ConversationLine[];
}

export interface Conversation {
  partner: Partner;
  can_write: boolean;
  contact: boolean;
  /** By me. */
  blocked: boolean;
  unread: number;
  /** The first first. */
  messages: Message[];
  more: boolean;
}

/** School, town and country, as far as there are any. */
export const whereabouts = ({ school, town, country: code }: Partner): string =>
  [school, town, code && country(code)].filter(Boolean).join(", ");

/** Both lists in one, the first first, each message once. */
export function merged(some: readonly Message[], others: readonly Message[]): Message[] {
  const all = new Map([...some, ...others].map((each) => [each.id, each]));
  return [...all.values()].sort((one, other) => one.at - other.at);
}

/** Words that are not sent yet, with the key they were tried with. */
export interface Draft {
  words: string;
  /** "" until they are sent the first time. */
  key: string;
  /** What was sent under this key. */
  tried: string;
}

export const NOTHING: Draft = { words: "", key: "", tried: "" };

/** Other words are another message: with a new key, so that neither takes the place of the other. */
export function typed(draft: Draft, words: string): Draft {
  return words.trim() === draft.tried ? { ...draft, words } : { ...NOTHING, words };
}

/** The draft after these messages have come: what was tried without an answer may be one of them. */
export function settled(draft: Draft, messages: readonly Message[]): Draft {
  return draft.key && messages.some(({ key }) => key === draft.key) ? NOTHING : draft;
}

const place = (me: Me, person: string): string => `twinspace.message.${me.person.id}.${person}`;

/** In this tab, for this person, until it is sent; log-out removes it. */
export function keep(me: Me, person: string, draft: Draft): void {
  try {
    if (draft.words) sessionStorage.setItem(place(me, person), JSON.stringify(draft));
    else sessionStorage.removeItem(place(me, person));
  } catch {
    // Forbidden or full: the words are on the screen only.
  }
}

export function kept(me: Me, person: string): Draft {
  try {
    return { ...NOTHING, ...JSON.parse(sessionStorage.getItem(place(me, person)) ?? "{}") };
  } catch {
    return NOTHING;
  }
}

/** A key that no other message of mine has: sent again, the server knows it. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}
