/** Registers the service worker once the page is quiet, and has it keep what this page was made of. */
export function startOffline(): void {
  if (!("serviceWorker" in navigator)) return;
  addEventListener("load", register);
  if (document.readyState === "complete") register();
}

let begun = false;

function register(): void {
  if (begun) return;
  begun = true;
  const idle = globalThis.requestIdleCallback ?? ((run: () => void) => setTimeout(run, 2000));
  idle(async () => {
    try {
      await navigator.serviceWorker.register(scriptUrl("/sw.js"));
      const worker = (await navigator.serviceWorker.ready).active;
      const used = performance
        .getEntriesByType("resource")
        .map((entry) => new URL(entry.name))
        .filter((url) => url.origin === location.origin && url.pathname.startsWith("/assets/"))
        .map((url) => url.pathname);
      worker?.postMessage({ type: "keep", assets: used });
    } catch {
      // No service worker (private window, plain http): everything works but a reload without a network.
    }
  });
}

interface TrustedTypes {
  createPolicy(
    name: string,
    rules: { createScriptURL(url: string): string },
  ): { createScriptURL(url: string): string };
}

/** The page's policy asks for trusted script addresses; this is the only one we ever make. */
function scriptUrl(url: "/sw.js"): string {
  const types = (globalThis as { trustedTypes?: TrustedTypes }).trustedTypes;
  return types ? types.createPolicy("twinspace", { createScriptURL: () => url }).createScriptURL(url) : url;
}
