/** Whether the live connection stands, for the part of the app that is there before the socket is. */
export type Connection = "idle" | "connecting" | "connected" | "offline";

let state: Connection = "idle";
const listeners = new Set<(state: Connection) => void>();

/** Told to the window when there may be something new for me. */
export const NEWS = "ts-news";

export const connection = (): Connection => state;

/** Calls back on each change of the connection; returns the function that ends it. */
export function onConnection(listener: (state: Connection) => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function setConnection(next: Connection): void {
  if (next === state) return;
  state = next;
  for (const listener of listeners) listener(next);
}
