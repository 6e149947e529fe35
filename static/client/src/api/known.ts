/**
 * The last answers this device knows (who I am, my space, its pages), so that the app opens without a
 * network. Gone at log-out.
 */
const STORE = "twinspace-known";

let keeping = true;

/** From a log-out to the next log-in nothing is kept, whatever answer was still under way. */
export function startKeeping(): void {
  keeping = true;
}

/** Undefined where the browser keeps nothing (private windows, plain http). */
async function store(): Promise<Cache | undefined> {
  try {
    return keeping ? await globalThis.caches?.open(STORE) : undefined;
  } catch {
    return undefined;
  }
}

export async function remember(url: string, value: unknown): Promise<void> {
  const cache = await store();
  await cache?.put(url, new Response(JSON.stringify(value))).catch(() => {});
}

export async function known<T>(url: string): Promise<T | undefined> {
  const found = await (await store())?.match(url);
  return found ? ((await found.json()) as T) : undefined;
}

export async function forget(url: string): Promise<void> {
  await (await store())?.delete(url);
}

export async function forgetAll(): Promise<void> {
  keeping = false;
  await globalThis.caches?.delete(STORE).catch(() => {});
}
