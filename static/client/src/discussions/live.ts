import { HocuspocusProvider, type HocuspocusProviderWebsocket } from "@hocuspocus/provider";
import * as Y from "yjs";
import { readShown } from "./shown.ts";
import type { Keeper } from "./store.ts";
import type { Shown } from "./types.ts";

export interface LiveEvents {
  /** The thread as it is now; `live` is false for what the device kept of an earlier visit. */
  shown(shown: Shown, live: boolean): void;
  /** My right to this thread may have changed: ask for it. */
  access(): void;
  /** No right to this thread (any more). */
  ended(reason: string): void;
}

/** One open thread: what the device kept of it, then its document, live. Read only: the server writes. */
export class LiveThread {
  private readonly doc = new Y.Doc();
  private readonly provider: HocuspocusProvider;
  private synced = false;
  private closed = false;
  private drawing = false;
  private saving = false;
  private unsaved: Shown | undefined;

  constructor(
    private readonly id: string,
    document: string,
    socket: HocuspocusProviderWebsocket,
    private readonly keeper: Keeper,
    private readonly events: LiveEvents,
  ) {
    this.provider = new HocuspocusProvider({
      name: document,
      document: this.doc,
      websocketProvider: socket,
      token: "session",
      awareness: null,
      onSynced: () => {
        this.synced = true;
        this.draw();
      },
      onStateless: ({ payload }) => this.told(payload),
      onAuthenticationFailed: ({ reason }) => void this.end(reason),
    });
    this.doc.on("update", () => this.draw());
    this.provider.attach();
    void this.keeper.get<Shown>("threads", id).then((kept) => {
      if (kept && !this.synced && !this.closed) events.shown(kept, false);
    });
  }

  close(): void {
    this.closed = true;
    this.provider.destroy();
    this.doc.destroy();
  }

  /** Many changes in one turn are drawn once. Half a document, before the first answer, is not drawn. */
  private draw(): void {
    if (this.drawing || !this.synced) return;
    this.drawing = true;
    queueMicrotask(() => {
      this.drawing = false;
      if (this.closed) return;
      const { doc } = this;
      const shown = readShown(doc.getMap("thread"), doc.getMap("posts"), doc.getMap("hands"));
      this.events.shown(shown, true);
      this.unsaved = shown;
      void this.save();
    });
  }

  /** One write at a time; what changes meanwhile is in the next. */
  private async save(): Promise<void> {
    if (this.saving) return;
    this.saving = true;
    while (this.unsaved) {
      const shown = this.unsaved;
      this.unsaved = undefined;
      await this.keeper.put("threads", this.id, shown);
    }
    this.saving = false;
  }

  private async end(reason: string): Promise<void> {
    if (this.closed) return;
    this.unsaved = undefined;
    this.events.ended(reason);
    if (reason === "permission-denied") await this.keeper.delete("threads", this.id);
  }

  private told(payload: string): void {
    let message: { type?: unknown; scope?: unknown; reason?: unknown };
    try {
      message = JSON.parse(payload);
    } catch {
      return;
    }
    if (message?.type !== "access" && message?.type !== "bye") return;
    if (message.type === "bye" || message.scope === "none") void this.end(String(message.reason ?? ""));
    else this.events.access();
  }
}
