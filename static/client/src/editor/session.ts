import { HocuspocusProvider, type HocuspocusProviderWebsocket } from "@hocuspocus/provider";
import type { Awareness } from "y-protocols/awareness";
import * as Y from "yjs";
import type { Page } from "../api/types.ts";
import { setUnsent, storeName, unsent } from "../collab/device.ts";
import {
  type EditorState,
  type Facts,
  FIRST,
  mayWrite,
  offersCopy,
  type Scope,
  stateOf,
  wouldLose,
} from "./state.ts";
import { DeviceStore } from "./store.ts";

const SLOW_DEVICE = 2000;
/** Moved carets are many: who is here is looked at once in so many ms. */
const PEOPLE_EVERY = 200;
const OPEN = 1;
const SYNC_STATUS = 8;
/** Codes after which the document can only be loaded anew. */
const RELOAD = new Set(["stale-epoch", "epoch", "reload"]);

/**
 * Sends only while the socket is open. The stock provider queues updates while it is not, and then counts
 * their confirmations against the one of the handshake, which holds the same edits: it would say "saved"
 * too early. The handshake of the next connection brings everything.
 */
class Provider extends HocuspocusProvider {
  override send(...args: Parameters<HocuspocusProvider["send"]>): void {
    if (this.configuration.websocketProvider.webSocket?.readyState === OPEN) super.send(...args);
  }
}

export interface SessionEvents {
  /** A message came and is about to be read: whatever is half done here has to be finished first. */
  receiving(): void;
  /** Something that the state follows from has changed. */
  changed(): void;
  people(): void;
}

/** One open page: its document, what the device keeps of it, its line to the server, and the facts of both. */
export class PageSession {
  readonly doc = new Y.Doc();
  readonly shared = this.doc.getXmlFragment("prosemirror");
  readonly awareness: Awareness;
  private readonly provider: Provider;
  private readonly store: DeviceStore;
  private facts: Facts;
  private readonly document: string;
  private closed = false;
  private moved: ReturnType<typeof setTimeout> | undefined;

  constructor(
    page: Page,
    private readonly personId: string,
    private readonly socket: HocuspocusProviderWebsocket,
    private readonly events: SessionEvents,
  ) {
    this.document = page.document;
    this.facts = {
      ...FIRST,
      scope: page.scope,
      reason: page.reason,
      online: navigator.onLine,
      note: page.lock?.reason ?? "",
      until: page.lock?.until ?? null,
      unsaved: unsent(personId).includes(page.document),
    };
    this.store = new DeviceStore(storeName(personId, page.document), this.doc, () =>
      this.learn({ device: this.store.state }),
    );
    this.provider = new Provider({
      name: page.document,
      document: this.doc,
      websocketProvider: socket,
      token: "session",
      onAuthenticated: ({ scope }) => this.authenticated(scope),
      onAuthenticationFailed: ({ reason }) =>
        this.learn({ scope: "none", reason: reason === "permission-denied" ? "no-access" : reason }),
      onStateless: ({ payload }) => this.told(payload),
      onUnsyncedChanges: ({ number }) => {
        if (number === 0 && this.provider.isAuthenticated) this.learn({ unsaved: false, refused: null });
      },
      onMessage: ({ message }) => {
        events.receiving();
        message.readVarString();
        // The provider says nothing about an edit that was refused.
        if (message.readVarUint() === SYNC_STATUS && message.readVarUint() === 0) {
          this.learn({ refused: this.facts.refused ?? { what: "refused", message: "" } });
        }
      },
      onSynced: () => this.line(),
      onAwarenessChange: () => {
        this.moved ??= setTimeout(() => {
          this.moved = undefined;
          if (!this.closed) events.people();
        }, PEOPLE_EVERY);
      },
    });
    this.awareness = this.provider.awareness as Awareness;
    // Nobody takes notice of a presence that has never changed (y-protocols: clock 0).
    this.awareness.setLocalStateField("cursor", null);
    this.provider.on("close", ({ event }: { event: { reason?: string } }) => {
      // The server let go of this document alone: trying again by itself would repeat what it refused.
      if (socket.status === "connected")
        this.learn({ ended: this.facts.refused?.what || event.reason || "refused" });
      this.line();
    });
    this.provider.on("status", this.line);
    this.doc.on("update", (_: Uint8Array, origin: unknown) => {
      if (origin !== this.provider && origin !== this.store)
        this.learn({ unsaved: true, device: this.store.state });
    });
    addEventListener("online", this.network);
    addEventListener("offline", this.network);
    void this.start();
  }

  private async start(): Promise<void> {
    const slow = new Promise<boolean>((resolve) => setTimeout(resolve, SLOW_DEVICE, false));
    const kept = await Promise.race([this.store.open(), slow]);
    if (this.closed) return;
    if (kept) this.learn({ open: true });
    // Only now: what the device has goes into the first handshake instead of being sent as a new edit.
    this.provider.attach();
  }

  get state(): EditorState {
    return stateOf(this.facts);
  }

  get open(): boolean {
    return this.facts.open;
  }

  get writable(): boolean {
    return mayWrite(this.facts);
  }

  get offersCopy(): boolean {
    return offersCopy(this.facts);
  }

  /** Whether the line to this page has ended for good unless somebody acts. */
  get ended(): boolean {
    return this.facts.ended !== "" || this.facts.scope === "none";
  }

  get wouldLose(): boolean {
    return wouldLose(this.facts);
  }

  /** Tries again to get in, after a refusal: the right may be there now. */
  retry(): void {
    this.learn({ ended: "", refused: null });
    if (this.socket.status === "connected") void this.provider.onOpen(new Event("open"));
    else void this.socket.connect();
  }

  /** What the records say of the page now; the server says it on the line too, this may come first. */
  pageChanged(page: Page): void {
    if (this.facts.scope === "none" && !this.facts.ended) this.retry();
    else if (!this.facts.connected && page.scope !== this.facts.scope) {
      this.learn({ scope: page.scope, reason: page.reason, note: page.lock?.reason ?? "" });
    }
  }

  /** Gives up what the server did not take: the device forgets the page, which is then opened anew. */
  async discard(): Promise<void> {
    this.close();
    setUnsent(this.personId, this.document, false);
    await this.store.remove();
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    removeEventListener("online", this.network);
    removeEventListener("offline", this.network);
    this.provider.destroy();
    this.store.close();
    this.doc.destroy();
  }

  private learn(news: Partial<Facts>): void {
    if (this.closed) return;
    this.facts = { ...this.facts, ...news };
    setUnsent(this.personId, this.document, this.facts.unsaved);
    this.events.changed();
  }

  private network = (): void => this.learn({ online: navigator.onLine });

  private line = (): void => {
    const { provider } = this;
    const connected = this.socket.status === "connected" && provider.isAuthenticated && provider.synced;
    this.learn({ connected, open: this.facts.open || connected });
  };

  private authenticated(scope: string): void {
    const before = this.facts.scope;
    const now: Scope = scope === "readonly" ? "readonly" : "read-write";
    if (now !== before) this.learn({ scope: now, reason: "", note: "", until: null });
    this.learn({ ended: "" });
    if (now === "read-write") this.sendAgain();
    this.line();
  }

  /** What was refused or held back while writing was not allowed goes to the server now. */
  private sendAgain(): void {
    if (!this.facts.unsaved || !this.provider.synced) return;
    this.learn({ refused: null });
    this.provider.forceSync();
  }

  private told(payload: string): void {
    const message = parse(payload);
    switch (message.type) {
      case "access":
        this.learn({
          scope: message.scope === "read-write" || message.scope === "none" ? message.scope : "readonly",
          reason: words(message.reason),
          note: words(message.note),
          until: typeof message.until === "number" ? message.until : null,
        });
        return;
      case "log": {
        const state = message.state === "failing" || message.state === "slow" ? message.state : "ok";
        this.learn({ log: { state, reason: words(message.reason) } });
        return;
      }
      case "refused":
        if (message.what === "budget") return;
        this.learn({ refused: { what: words(message.what), message: words(message.message) } });
        if (RELOAD.has(words(message.what))) this.learn({ ended: "reload" });
        return;
      case "bye":
        this.learn({ ended: words(message.reason) || "ended" });
        return;
    }
  }
}

function parse(payload: string): Record<string, unknown> {
  try {
    const message: unknown = JSON.parse(payload);
    return typeof message === "object" && message !== null ? (message as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

const words = (value: unknown): string => (typeof value === "string" ? value.slice(0, 500) : "");
