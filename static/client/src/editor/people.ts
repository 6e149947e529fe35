import type { Awareness } from "y-protocols/awareness";

/** Somebody on this page, as the server stamped them. */
export interface Somebody {
  client: number;
  id: string;
  name: string;
  school: string;
  country: string;
  role: string;
  color: string;
}

const COLOR = /^#[0-9a-f]{6}$/i;
const LONGEST_NAME = 60;

const words = (value: unknown, longest = 120): string =>
  typeof value === "string" ? value.slice(0, longest) : "";

/** One presence state as a person; null for whoever the server has not (yet) stamped. */
export function readSomebody(client: number, state: unknown): Somebody | null {
  const user = (state as { user?: Record<string, unknown> } | null)?.user;
  const name = words(user?.name, LONGEST_NAME).trim();
  if (!user || !name) return null;
  return {
    client,
    id: words(user.id) || String(client),
    name,
    school: words(user.school),
    country: words(user.country, 2),
    role: words(user.role, 20),
    color: typeof user.color === "string" && COLOR.test(user.color) ? user.color : "#6b6b6b",
  };
}

/** Everybody here, each person once, in the order of their names; I come first, stamped or not. */
export function everybody(
  awareness: Awareness,
  me: Omit<Somebody, "client" | "country" | "color">,
): Somebody[] {
  const people = new Map<string, Somebody>();
  for (const [client, state] of awareness.getStates()) {
    const somebody = readSomebody(client, state);
    if (somebody && !people.has(somebody.id)) people.set(somebody.id, somebody);
  }
  const mine = people.get(me.id) ?? { ...me, client: awareness.clientID, country: "", color: "" };
  people.delete(me.id);
  return [mine, ...[...people.values()].sort((a, b) => a.name.localeCompare(b.name))];
}
