/**
 * What this device keeps of discussions: the outbox in one IndexedDB database, and in another the last
 * visible state of each thread, drafts and what was read. A thread is one value that is replaced as a whole,
 * so that a text that was hidden is not kept in some older part. Where the browser keeps nothing, nothing is
 * kept. Log-out deletes both (collab/device.ts).
 */
import { storeName } from "../collab/device.ts";
import { me } from "../session.ts";

export class Keeper {
  private opened: Promise<IDBDatabase> | undefined;

  constructor(
    private readonly person: string,
    private readonly what: string,
    private readonly parts: readonly string[],
  ) {}

  async get<T>(part: string, key: string): Promise<T | undefined> {
    return this.run(part, "readonly", (store) => store.get(key) as IDBRequest<T | undefined>);
  }

  async keys(part: string): Promise<string[]> {
    return ((await this.run(part, "readonly", (store) => store.getAllKeys())) ?? []).map(String);
  }

  async all<T>(part: string): Promise<T[]> {
    return (await this.run(part, "readonly", (store) => store.getAll() as IDBRequest<T[]>)) ?? [];
  }

  /** Resolves whether it is on the device now. */
  async put(part: string, key: string, value: unknown): Promise<boolean> {
    return (await this.run(part, "readwrite", (store) => store.put(value, key))) !== undefined;
  }

  async delete(part: string, key: string): Promise<void> {
    await this.run(part, "readwrite", (store) => store.delete(key));
  }

  private async run<T>(
    part: string,
    mode: IDBTransactionMode,
    ask: (store: IDBObjectStore) => IDBRequest<T>,
  ): Promise<T | undefined> {
    if (me()?.person.id !== this.person) return undefined;
    try {
      const transaction = (await this.open()).transaction(part, mode);
      const request = ask(transaction.objectStore(part));
      return await new Promise((resolve, reject) => {
        transaction.oncomplete = () => resolve(request.result);
        transaction.onabort = () => reject(transaction.error);
      });
    } catch {
      return undefined;
    }
  }

  private open(): Promise<IDBDatabase> {
    this.opened ??= new Promise<IDBDatabase>((resolve, reject) => {
      const request = indexedDB.open(storeName(this.person, this.what), 1);
      request.onupgradeneeded = () => {
        for (const part of this.parts) request.result.createObjectStore(part);
      };
      request.onsuccess = () => {
        const db = request.result;
        // Log-out deletes the database, also from another tab: do not stand in its way.
        db.onversionchange = db.onclose = () => {
          db.close();
          this.opened = undefined;
        };
        resolve(db);
      };
      request.onerror = () => reject(request.error);
      request.onblocked = () => reject(new Error("The database is held by an older page."));
    });
    this.opened.catch(() => {
      this.opened = undefined;
    });
    return this.opened;
  }
}
