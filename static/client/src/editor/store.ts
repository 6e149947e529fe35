import * as Y from "yjs";

/**
 * Keeps a document on this device: one IndexedDB database, laid out as y-indexeddb does ("updates" in order,
 * "custom" beside it). Unlike it, this tells when an edit really is on the device: after the transaction
 * that holds it has completed, and not when it was asked for.
 */
export type Kept = "kept" | "unknown" | "failed";

const COMPACT_AT = 200;
const RETRY = 5000;

export class DeviceStore {
  /** Whether every edit so far is on the device. */
  state: Kept = "unknown";
  private db: IDBDatabase | null = null;
  private waiting: Uint8Array[] = [];
  private busy = false;
  private retry: ReturnType<typeof setTimeout> | undefined;
  private closed = false;

  constructor(
    private readonly name: string,
    private readonly doc: Y.Doc,
    private readonly changed: () => void,
  ) {
    doc.on("update", this.keep);
  }

  /** Reads what the device has into the document; resolves whether there was anything. Never rejects. */
  async open(): Promise<boolean> {
    try {
      const db = await openDatabase(this.name);
      if (this.closed) {
        db.close();
        return false;
      }
      this.db = db;
      // Log-out deletes the database, also from another tab: do not stand in its way.
      db.onversionchange = () => this.fail();
      const updates = await read(db);
      if (this.closed) return false;
      if (updates.length) Y.applyUpdate(this.doc, Y.mergeUpdates(updates), this);
      if (updates.length >= COMPACT_AT) await compact(db);
      this.settle();
      this.write();
      return updates.length > 0;
    } catch {
      this.fail();
      return false;
    }
  }

  private keep = (update: Uint8Array, origin: unknown): void => {
    if (origin === this || this.closed) return;
    this.waiting.push(update);
    if (this.state !== "failed") this.state = "unknown";
    this.write();
  };

  /** One transaction at a time; what comes meanwhile goes together into the next. */
  private write(): void {
    if (!this.db || this.busy || !this.waiting.length) return;
    const batch = this.waiting;
    this.waiting = [];
    this.busy = true;
    const failed = () => {
      this.waiting = [...batch, ...this.waiting];
      this.state = "failed";
      clearTimeout(this.retry);
      this.retry = setTimeout(() => this.write(), RETRY);
      this.changed();
    };
    try {
      const transaction = this.db.transaction("updates", "readwrite");
      transaction.objectStore("updates").add(batch.length === 1 ? batch[0] : Y.mergeUpdates(batch));
      transaction.oncomplete = () => {
        this.busy = false;
        this.settle();
        this.write();
      };
      transaction.onabort = () => {
        this.busy = false;
        failed();
      };
    } catch {
      this.busy = false;
      failed();
    }
  }

  private settle(): void {
    if (this.waiting.length) return;
    this.state = "kept";
    this.changed();
  }

  private fail(): void {
    this.db?.close();
    this.db = null;
    this.state = "failed";
    this.changed();
  }

  /** Stops keeping; what was asked for before is still written. */
  close(): void {
    this.closed = true;
    clearTimeout(this.retry);
    this.doc.off("update", this.keep);
    this.write();
    // IndexedDB closes after the transactions that have begun.
    this.db?.close();
  }

  /** Forgets the document on this device. */
  async remove(): Promise<void> {
    this.close();
    await new Promise<void>((resolve) => {
      const request = indexedDB.deleteDatabase(this.name);
      request.onsuccess = request.onerror = request.onblocked = () => resolve();
    });
  }
}

function openDatabase(name: string): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore("updates", { autoIncrement: true });
      request.result.createObjectStore("custom");
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error("The database is held by an older page."));
  });
}

function read(db: IDBDatabase): Promise<Uint8Array[]> {
  return new Promise((resolve, reject) => {
    const request = db.transaction("updates", "readonly").objectStore("updates").getAll();
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** Puts one update in the place of all, in one transaction: another tab sees either. */
function compact(db: IDBDatabase): Promise<void> {
  return new Promise((resolve, reject) => {
    const transaction = db.transaction("updates", "readwrite");
    const updates = transaction.objectStore("updates");
    const request = updates.getAll();
    request.onsuccess = () => {
      updates.clear();
      updates.add(Y.mergeUpdates(request.result));
    };
    transaction.oncomplete = () => resolve();
    transaction.onabort = () => reject(transaction.error);
  });
}
