import { language, onLanguage } from "../i18n/index.ts";

/** Once the page has nothing better to do, or in two seconds. */
export const whenIdle = (run: () => void): unknown =>
  globalThis.requestIdleCallback?.(run, { timeout: 2000 }) ?? setTimeout(run, 2000);

/** Registers the service worker once the page is quiet, and tells it the language whose words to keep. */
export function startOffline(): void {
  if (!("serviceWorker" in navigator)) return;
  if (document.readyState === "complete") begin();
  else addEventListener("load", begin, { once: true });
}

function begin(): void {
  whenIdle(async () => {
    try {
      await navigator.serviceWorker.register(scriptUrl("/sw.js"));
    } catch {
      // No service worker (private window, plain http): everything works but a reload without a network.
      return;
    }
    await keepWords();
    onLanguage(keepWords);
  });
}

async function keepWords(): Promise<void> {
  const { active } = await navigator.serviceWorker.ready;
  active?.postMessage({ type: "language", language: language() });
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
