import { LitElement } from "lit";
import { Localized } from "../i18n/localized.ts";

let focusHeading = false;

/** The next view that draws a heading gives it the focus, so that a screen reader starts there. */
export function focusNextHeading(): void {
  focusHeading = true;
}

/**
 * A screen or a part of one, drawn into the page itself: labels, headings and print styles work across
 * parts, and password managers see the log-in form.
 */
export class View extends LitElement {
  constructor() {
    super();
    new Localized(this);
  }

  protected override createRenderRoot(): HTMLElement {
    return this;
  }

  protected override updated(): void {
    const heading = this.querySelector("h1");
    if (!heading || !this.isOwn(heading)) return;
    document.title = `${heading.textContent?.trim()} · TwinSpace`;
    if (!focusHeading) return;
    focusHeading = false;
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
    scrollTo(0, 0);
  }

  /** Not of a view within this one, which may not have drawn itself yet. */
  private isOwn(element: Element): boolean {
    let at = element.parentElement;
    while (at && !(at instanceof View)) at = at.parentElement;
    return at === this;
  }
}
