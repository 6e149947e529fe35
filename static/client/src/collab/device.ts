/**
 * What this device keeps of a person's work: one IndexedDB database for each document that was opened, so
 * that it opens and takes edits without a network. School computers are shared, so all of it goes at
 * log-out; the names are remembered here because not every browser can list its databases.
 */
const NAMES = "twinspace.stores";
const UNSENT = "twinspace.unsent";

type Entries = Record<string, string>;

function read(key: string): Entries {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(key) ?? "{}");
    return value !== null && typeof value === "object" ? (value as Entries) : {};
  } catch {
    return {};
  }
}

function write(key: string, entries: Entries): void {
  try {
    localStorage.setItem(key, JSON.stringify(entries));
  } catch {
    // Storage is full or forbidden: the database still opens under its usual name.
  }
}

/** Name of the database that keeps `document` for this person. The editor opens it. */
export function storeName(personId: string, document: string): string {
  const name = `twinspace:${personId}:${document}`;
  write(NAMES, { ...read(NAMES), [name]: personId });
  return name;
}

/** Tells whether `document` holds edits of this person that the server has not confirmed. */
export function setUnsent(personId: string, document: string, unsent: boolean): void {
  const entries = read(UNSENT);
  const name = `twinspace:${personId}:${document}`;
  if (unsent === name in entries) return;
  if (unsent) entries[name] = document;
  else delete entries[name];
  write(UNSENT, entries);
}

/** The documents of this person with edits that are only on this device. */
export function unsent(personId: string): string[] {
  return Object.entries(read(UNSENT))
    .filter(([name]) => name.startsWith(`twinspace:${personId}:`))
    .map(([, document]) => document);
}

/** Deletes every kept document, or every one but those with unsent edits. */
export async function clearStores(keepUnsent = false): Promise<void> {
  const kept = keepUnsent ? read(UNSENT) : {};
  const names = new Set(Object.keys(read(NAMES)));
  for (const each of (await indexedDB.databases?.()) ?? []) {
    if (each.name?.startsWith("twinspace:")) names.add(each.name);
  }
  const gone = [...names].filter((name) => !(name in kept));
  await Promise.all(gone.map(remove));
  write(NAMES, Object.fromEntries(Object.entries(read(NAMES)).filter(([name]) => name in kept)));
  write(UNSENT, kept);
}

function remove(name: string): Promise<void> {
  return new Promise((resolve) => {
    const request = indexedDB.deleteDatabase(name);
    request.onsuccess = request.onerror = request.onblocked = () => resolve();
  });
}
