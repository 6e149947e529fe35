/**
 * The service worker: the app opens without a network. It keeps index.html and the hashed assets of one
 * version, nothing of the API and nothing of anybody's work (collab/device.ts and api/known.ts do that, and
 * clear it at log-out). A new version takes over at once: hashed names cannot clash.
 */
declare const __ASSETS__: string[];
declare const __WORDS__: string[];
declare const __VERSION__: string;

interface WorkerScope {
  addEventListener(type: string, listener: (event: WorkerEvent) => void): void;
  skipWaiting(): Promise<void>;
  clients: { claim(): Promise<void> };
  location: Location;
}

interface WorkerEvent {
  waitUntil(work: Promise<unknown>): void;
  respondWith(answer: Promise<Response>): void;
  request: Request;
  data: unknown;
}

const worker = self as unknown as WorkerScope;
const STORE = `twinspace-app-${__VERSION__}`;
const PATIENCE_MS = 4000;

worker.addEventListener("install", (event) => {
  event.waitUntil(
    (async () => {
      const cache = await caches.open(STORE);
      await cache.addAll(__ASSETS__);
      await worker.skipWaiting();
    })(),
  );
});

worker.addEventListener("activate", (event) => {
  event.waitUntil(
    (async () => {
      for (const name of await caches.keys()) {
        if (name.startsWith("twinspace-app-") && name !== STORE) await caches.delete(name);
      }
      await worker.clients.claim();
    })(),
  );
});

/** Catalogues of words are many and one language is read: the page says which. */
worker.addEventListener("message", (event) => {
  const data = event.data as { type?: unknown; language?: unknown };
  if (data?.type !== "language") return;
  const mine = __WORDS__.filter((path) => path.startsWith(`/assets/${data.language}-`));
  event.waitUntil(Promise.all(mine.map((path) => asset(new Request(path)).catch(() => undefined))));
});

worker.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== worker.location.origin) return;
  if (url.pathname.startsWith("/assets/")) event.respondWith(asset(request));
  else if (request.mode === "navigate" && isScreen(url.pathname)) event.respondWith(shown(request));
});

const isScreen = (path: string): boolean =>
  /^\/($|login$|card$|spaces\/|schools\/|invitations\/|messages\/|(new|groups|approvals|contacts|messages|notifications|cases)$)/.test(
    path,
  );

/** A hashed file never changes: the kept one is as good as the server's. */
async function asset(request: Request): Promise<Response> {
  const cache = await caches.open(STORE);
  const kept = await cache.match(request);
  if (kept) return kept;
  const fresh = await fetch(request);
  if (fresh.ok) await cache.put(request, fresh.clone());
  return fresh;
}

/** The server's page, or the kept one when the network is away, or too slow. */
async function shown(request: Request): Promise<Response> {
  const kept = await caches.match("/", { cacheName: STORE });
  const fresh = fetch(request);
  if (!kept) return fresh;
  const tired = new Promise<Response>((resolve) => setTimeout(() => resolve(kept), PATIENCE_MS));
  return Promise.race([fresh.catch(() => kept), tired]);
}
