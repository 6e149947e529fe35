import { html, type TemplateResult } from "lit";

const timers: Partial<Record<string, ReturnType<typeof setTimeout>>> = {};

/**
 * Says a sentence to everyone: read out by screen readers, and shown for some seconds unless it is only `heard`.
 * Behind an open dialog nothing is read or seen, so it is said inside the dialog.
 */
export function announce(text: string, { heard = false } = {}): void {
  const kind = heard ? ".announcer.heard" : ".announcer:not(.heard)";
  const region = document.querySelector(`dialog[open] ${kind}`) ?? document.querySelector(kind);
  if (!region) return;
  region.textContent = "";
  clearTimeout(timers[kind]);
  requestAnimationFrame(() => {
    region.textContent = text;
    timers[kind] = setTimeout(() => {
      region.textContent = "";
    }, 6000);
  });
}

/** Where it is said; what is only heard must not take the place of what is to be read. */
export const announcers = (look: string): TemplateResult =>
  html`<div class="announcer ${look}" role="status" aria-live="polite"></div>
    <div class="announcer heard" role="status" aria-live="polite"></div>`;
