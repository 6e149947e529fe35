import type { LitElement } from "lit";
import { html, nothing, type TemplateResult } from "lit";
import { ApiError, explain } from "../api/client.ts";
import { announce } from "../ui/announce.ts";
import { icon } from "../ui/icons.ts";
import { WhileSeen } from "./seen.ts";

/** What a screen shows of what the server has: fetched when the screen comes, and again while it is seen. */
export class Looking<T> {
  found: T | undefined;
  failed = "";

  constructor(
    private readonly host: LitElement,
    private readonly get: () => Promise<T>,
    private readonly why: (error: unknown) => string = explain,
  ) {
    new WhileSeen(host, () => this.again());
  }

  async again(): Promise<void> {
    try {
      this.found = await this.get();
      this.failed = "";
    } catch (error) {
      // While the server cannot be reached, what is on the screen stays there.
      if (error instanceof ApiError || this.found === undefined) this.failed = this.why(error);
    }
    this.host.requestUpdate();
    await this.host.updateComplete;
  }

  /** Does it, says so or why not, and looks again. */
  async act(run: () => Promise<unknown>, said: string): Promise<void> {
    try {
      await run();
      announce(said);
    } catch (error) {
      announce(explain(error));
    }
    await this.again();
    // The button that was pressed may be gone by now.
    if (document.activeElement === document.body) this.host.querySelector<HTMLElement>("h1")?.focus();
  }

  /** What stands above the rest: why it failed, or that it is being fetched. */
  state(): TemplateResult | typeof nothing {
    if (this.failed)
      return html`<p class="note bad" role="alert">${icon("warn")}<span>${this.failed}</span></p>`;
    return this.found === undefined ? html`<div aria-busy="true"></div>` : nothing;
  }
}
