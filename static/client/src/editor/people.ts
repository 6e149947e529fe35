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

/** Everybody here, each person once, in the order of their names; my own entry comes first. */
export function everybody(awareness: Awareness, me: { id: string }): Somebody[] {
  const people = new Map<string, Somebody>();
  for (const [client, state] of awareness.getStates()) {
    const somebody = readSomebody(client, state);
    if (somebody && (!people.has(somebody.id) || client === awareness.clientID))
      people.set(somebody.id, somebody);
  }
  const mine = (each: Somebody) => each.id === me.id || each.client === awareness.clientID;
  return [...people.values()].sort(
    (a, b) => Number(mine(b)) - Number(mine(a)) || a.name.localeCompare(b.name),
  );
}
