/**
 * The service worker: the app opens without a network. It keeps index.html and the hashed assets of one
 * version, nothing of the API and nothing of anybody's work (collab/device.ts and api/known.ts do that, and
 * clear it at log-out). A new version takes over at once: hashed names cannot clash.
 */
declare const __ASSETS__: string[];
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

/** Word catalogues are many and one is read: the page names those that it used. */
worker.addEventListener("message", (event) => {
  const data = event.data as { type?: unknown; assets?: unknown };
  if (data?.type !== "keep" || !Array.isArray(data.assets)) return;
  const paths = data.assets.filter((path) => typeof path === "string" && path.startsWith("/assets/"));
  event.waitUntil(Promise.all(paths.map((path) => asset(new Request(path)).catch(() => undefined))));
});

worker.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== worker.location.origin) return;
  if (url.pathname.startsWith("/assets/")) event.respondWith(asset(request));
  else if (request.mode === "navigate" && isScreen(url.pathname)) event.respondWith(shown(request));
});

const isScreen = (path: string): boolean => /^\/($|login$|card$|spaces\/|schools\/)/.test(path);

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
