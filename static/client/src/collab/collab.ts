import { HocuspocusProvider, HocuspocusProviderWebsocket } from "@hocuspocus/provider";
import type { Me, Space } from "../api/types.ts";
import { connection, NEWS, setConnection } from "../net.ts";

export { connection, onConnection } from "../net.ts";

/** Identity of somebody here, stamped by the server, and the page they have open. */
export interface Present {
  user: {
    id: string;
    name: string;
    role: string;
    school: string;
    country: string;
    color?: string;
  };
  page: string | null;
}

let socket: HocuspocusProviderWebsocket | undefined;

/** The one WebSocket of the app: every document opens on it. Made on first use. */
export function getSocket(): HocuspocusProviderWebsocket {
  if (socket) return socket;
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  const made = new HocuspocusProviderWebsocket({
    url: `${scheme}://${location.host}/collab`,
    delay: 400,
    factor: 1.6,
    minDelay: 200,
    maxDelay: 5000,
  });
  made.on("status", ({ status }: { status: string }) => {
    setConnection(status === "connected" ? "connected" : navigator.onLine ? "connecting" : "offline");
  });
  socket = made;
  return made;
}

/** Ends the socket for good (log-out): the next getSocket() makes a new one. */
export function closeSocket(): void {
  socket?.destroy();
  socket = undefined;
  setConnection("idle");
}

addEventListener("online", () => {
  if (socket && connection() !== "connected") void socket.connect();
});
addEventListener("offline", () => {
  if (connection() !== "connected") setConnection("offline");
});

export interface SpaceEvents {
  /** Who is in the space now, this tab included. */
  people(present: Present[]): void;
  /** Something of the space changed: fetch these again over REST. */
  changed(what: string[]): void;
  /** Notices come from now on, for the first time or again: what changed before was not told. */
  listening(): void;
  /** No right to this space (any more), or the log-in is over; `reason` is a message key. */
  ended(reason: string): void;
}

/** Presence and notices of one space, on the server-written document `space/<id>`. */
export class SpaceSession {
  private readonly provider: HocuspocusProvider;
  private page: string | null = null;

  constructor(space: Space, me: Me, events: SpaceEvents) {
    this.provider = new HocuspocusProvider({
      name: `space/${space.id}`,
      websocketProvider: getSocket(),
      token: "session",
      onAwarenessChange: ({ states }) =>
        events.people([
          myself(space, me, this.page),
          ...states
            .filter((entry) => entry.clientId !== this.provider.document.clientID && isPresent(entry))
            .map(toPresent),
        ]),
      onAuthenticated: () => {
        events.listening();
        dispatchEvent(new Event(NEWS));
      },
      onStateless: ({ payload }) => notice(payload, events),
      onAuthenticationFailed: ({ reason }) => events.ended(reason),
    });
    this.provider.attach();
    this.setPage(null);
  }

  /** Tells the others which page is open here. */
  setPage(page: string | null): void {
    this.page = page;
    this.provider.setAwarenessField("page", page);
  }

  close(): void {
    this.provider.destroy();
    this.provider.document.destroy();
  }
}

/** The server stamps who I am for everybody else; my own state never comes back to me. */
function myself(space: Space, { person }: Me, page: string | null): Present {
  return {
    user: {
      id: person.id,
      name: person.name,
      role: space.my_role,
      school: person.school?.name ?? "",
      country: person.school?.country ?? "",
    },
    page,
  };
}

function isPresent(entry: Record<string, unknown>): boolean {
  return typeof entry.user === "object" && entry.user !== null;
}

function toPresent(entry: { clientId: number; [key: string]: unknown }): Present {
  return {
    user: entry.user as Present["user"],
    page: typeof entry.page === "string" ? entry.page : null,
  };
}

function notice(payload: string, events: SpaceEvents): void {
  let message: { type?: unknown; changed?: unknown; reason?: unknown; scope?: unknown };
  try {
    message = JSON.parse(payload);
  } catch {
    return;
  }
  if (message.type === "space" && Array.isArray(message.changed)) {
    if (message.changed.includes("notifications")) dispatchEvent(new Event(NEWS));
    events.changed(message.changed.map(String));
  }
  if (message.type === "bye") events.ended(String(message.reason ?? ""));
  if (message.type === "access" && message.scope === "none") events.ended(String(message.reason ?? ""));
}
