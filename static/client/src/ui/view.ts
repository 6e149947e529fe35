import { LitElement } from "lit";
import { Localized } from "../i18n/localized.ts";

/** Set while a new screen is on its way: the heading of the one that is left. */
let leaving: { heading: Element | null; words: string } | undefined;

const words = (heading: Element | null): string => heading?.textContent?.trim() ?? "";

/** The next heading that is drawn gets the focus, so that a screen reader starts there. */
export function focusNextHeading(): void {
  const heading = document.querySelector("h1");
  leaving = { heading, words: words(heading) };
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
    const heading = this.isConnected && this.querySelector("h1");
    if (!heading || !this.isOwn(heading)) return;
    document.title = `${words(heading)} · TwinSpace`;
    if (!leaving || (leaving.heading === heading && leaving.words === words(heading))) return;
    leaving = undefined;
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
