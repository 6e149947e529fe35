import type { TemplateResult } from "lit";
import { html, literal, type StaticValue } from "lit/static-html.js";
import type { Me } from "../api/types.ts";
import { t } from "../i18n/index.ts";
import { trouble } from "../ui/trouble.ts";
import { View } from "../ui/view.ts";
import { proposalWords } from "./proposals.ts";
import { lifeWords } from "./words.ts";

interface Screen {
  tag: StaticValue;
  /** Fetches its code and its words. */
  load(): Promise<unknown>;
}

/** What is beside the spaces, by the first part of its address; each screen is fetched when it is opened. */
const SCREENS: Record<string, Screen> = {
  new: { tag: literal`ts-new`, load: () => Promise.all([import("./new.ts"), lifeWords()]) },
  groups: { tag: literal`ts-groups`, load: () => Promise.all([import("./groups.ts"), lifeWords()]) },
  approvals: {
    tag: literal`ts-approvals`,
    load: () => Promise.all([import("./approvals.ts"), lifeWords(), proposalWords()]),
  },
  cases: { tag: literal`ts-cases`, load: () => import("./cases.ts").then(({ words }) => words()) },
  contacts: {
    tag: literal`ts-contacts`,
    load: () => import("./contacts.ts").then(({ words }) => words()),
  },
  messages: {
    tag: literal`ts-messages`,
    load: () => import("./messages.ts").then(({ words }) => words()),
  },
  notifications: {
    tag: literal`ts-notifications`,
    load: () => import("./notifications.ts").then(({ words }) => words()),
  },
  invitations: {
    tag: literal`ts-invitation`,
    load: () => Promise.all([import("./invitation.ts"), lifeWords()]),
  },
};

/** The frame of the screens here. Each is an element with the properties `me` and `item`. */
class Office extends View {
  static override properties = {
    me: { attribute: false },
    screen: { attribute: false },
    item: { attribute: false },
    shown: { state: true },
    failed: { state: true },
  };

  declare me: Me;
  declare screen: string;
  /** The second part of the address, or nothing. */
  declare item: string;
  declare shown: string;
  declare failed: boolean;

  constructor() {
    super();
    this.shown = "";
    this.failed = false;
  }

  protected override willUpdate(changed: Map<string, unknown>): void {
    if (changed.has("screen")) void this.fetch();
  }

  private async fetch(): Promise<void> {
    const { screen } = this;
    this.failed = false;
    try {
      await SCREENS[screen]?.load();
      if (screen === this.screen) this.shown = screen;
    } catch {
      this.failed = true;
    }
  }

  protected override render(): TemplateResult {
    if (this.failed) return trouble(t("error.unreachable"), () => this.fetch());
    const screen = SCREENS[this.screen];
    if (!screen || this.shown !== this.screen)
      return html`<main id="main" class="narrow" aria-busy="true"></main>`;
    return html`<${screen.tag} .me=${this.me} .item=${this.item}></${screen.tag}>`;
  }
}

customElements.define("ts-office", Office);
