import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { has, LANGUAGES, language, t } from "../i18n/index.ts";
import { announce } from "../ui/announce.ts";
import { icon } from "../ui/icons.ts";
import { View } from "../ui/view.ts";
import { glyph } from "./marks.ts";
import { matching, mentioned, type Somebody, typedMention } from "./people.ts";
import type { Policy } from "./types.ts";

const LONGEST = 4000;
const BACK_MS = 400;
const MOST_MENTIONS = 20;
const OPTIONS = { least: 2, most: 8 };

/** What somebody has written, ready to go. */
export interface Written {
  body: string;
  language: string | null;
  mentions: string[];
  options: string[] | null;
}

/** A press on a button leaves the cursor in the text, and on a phone the keyboard open and all in its place. */
function keepFocus(event: Event): void {
  if ((event.target as Element).closest("button")) event.preventDefault();
}

/** Where posts are written: words, language, people to mention, a poll, a raised hand. */
class Composer extends View {
  static override properties = {
    people: { attribute: false },
    languages: { attribute: false },
    policy: { attribute: false },
    online: { attribute: false },
    polls: { attribute: false },
    hand: { attribute: false },
    answering: { attribute: false },
    words: { state: true },
    tongue: { state: true },
    poll: { state: true },
    found: { state: true },
    at: { state: true },
    failed: { state: true },
  };

  /** Whom a post here may mention. */
  declare people: readonly Somebody[];
  /** Languages of the space, by code. */
  declare languages: readonly string[];
  declare policy: Policy;
  declare online: boolean;
  /** I may make polls. */
  declare polls: boolean;
  declare hand: boolean;
  /** Name of the author whose post is answered, or "". */
  declare answering: string;
  declare words: string;
  /** Language of the post; null: that of the screen. */
  declare tongue: string | null;
  declare poll: boolean;
  declare found: Somebody[];
  /** Which of the people found is chosen. */
  declare at: number;
  declare failed: string;

  /** Whom the post mentions, if their names still stand in it. */
  private readonly chosen = new Map<string, Somebody>();
  private pause: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    super();
    this.people = [];
    this.languages = [];
    this.policy = "free";
    this.online = true;
    this.polls = false;
    this.hand = false;
    this.answering = "";
    this.words = "";
    this.tongue = null;
    this.poll = false;
    this.found = [];
    this.at = 0;
    this.failed = "";
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.pause);
    document.documentElement.removeAttribute("data-writing");
  }

  private get field(): HTMLTextAreaElement | null {
    return this.querySelector("#compose");
  }

  /** Puts words into the field, with the cursor behind them. */
  write(words: string): void {
    this.words = words;
    void this.updateComplete.then(() => {
      this.focusField();
      this.field?.setSelectionRange(words.length, words.length);
    });
  }

  focusField(): void {
    this.field?.focus();
  }

  protected override updated(): void {
    super.updated();
    const { field } = this;
    if (!field) return;
    // For browsers that do not let a field grow with its text by themselves.
    field.style.height = "auto";
    field.style.height = `${field.scrollHeight + 2}px`;
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has("answering") && this.answering) void this.updateComplete.then(() => this.focusField());
  }

  protected override render(): TemplateResult {
    const open = this.found.length > 0;
    return html`<form class="composer" @submit=${this.send} @mousedown=${keepFocus} @focusin=${this.writing} @focusout=${this.pausing}>
      ${this.answers()} ${this.outlook()}
      <div class="compose-field">
        ${open ? this.list() : nothing}
        <label class="sr" for="compose">${t("compose.label")}</label>
        <textarea
          id="compose"
          rows="1"
          lang=${this.tongue ?? language()}
          placeholder=${t("compose.placeholder")}
          aria-describedby=${this.failed ? "compose-failed" : nothing}
          aria-autocomplete="list"
          aria-controls=${open ? "compose-people" : nothing}
          aria-activedescendant=${open ? `compose-person-${this.at}` : nothing}
          aria-keyshortcuts="Control+Enter"
          .value=${this.words}
          @input=${this.typed}
          @click=${this.look}
          @keydown=${this.key}
          @blur=${this.shutSoon}
        ></textarea>
        <button class="button primary send" title=${t("compose.keys")}>${glyph("send")}<span class="wide-only">${t("compose.send")}</span></button>
      </div>
      <p id="compose-failed" class="error" role="alert">${this.failed}</p>
      ${this.poll ? this.options() : nothing}
      <div class="compose-tools">
        <label class="sr" for="compose-language">${t("compose.language")}</label>
        <select
          id="compose-language"
          @change=${(event: Event) => {
            this.tongue = (event.target as HTMLSelectElement).value;
          }}
        >
          ${this.tongues().map(([code, name]) => html`<option value=${code} lang=${code} ?selected=${code === (this.tongue ?? language())}>${name}</option>`)}
        </select>
        <span class="grow"></span>
        <button class="button icon quiet" type="button" aria-label=${t("compose.mention")} title=${t("compose.mention")} @click=${this.mention}>${glyph("at")}</button>
        ${
          this.polls
            ? html`<button class="button icon quiet" type="button" aria-pressed=${this.poll ? "true" : "false"} aria-label=${t("compose.poll-on")} title=${t("compose.poll-on")} @click=${this.togglePoll}>
                ${glyph("poll")}
              </button>`
            : nothing
        }
        <button
          class="button quiet hand"
          type="button"
          aria-pressed=${this.hand ? "true" : "false"}
          @click=${() => this.dispatchEvent(new CustomEvent("hand", { detail: !this.hand }))}
        >
          ${glyph("hand")}<span>${t(this.hand ? "compose.hand-up" : "compose.hand")}</span>
        </button>
      </div>
    </form>`;
  }

  private writing = (): void => {
    clearTimeout(this.pause);
    document.documentElement.setAttribute("data-writing", "");
  };

  /** What hides while somebody writes comes back after the tap that ended it, not under the finger. */
  private pausing = (): void => {
    this.pause = setTimeout(() => document.documentElement.removeAttribute("data-writing"), BACK_MS);
  };

  private answers(): TemplateResult | typeof nothing {
    if (!this.answering) return nothing;
    return html`<div class="compose-answers">
      ${glyph("reply")}<span class="grow">${t("compose.to", { name: this.answering })}</span>
      <button class="button icon quiet" type="button" aria-label=${t("compose.cancel-reply")} @click=${this.noReply}>${icon("close")}</button>
    </div>`;
  }

  /** What happens with the post, said before it is sent. */
  private outlook(): TemplateResult | typeof nothing {
    const waits = this.policy === "hold" || this.policy === "hold-first";
    const key = this.online ? (waits ? `compose.${this.policy}` : "") : "compose.offline";
    if (!has(key)) return nothing;
    return html`<p class="compose-before" role="status">${icon(this.online ? "eye" : "offline")}<span>${t(key)}</span></p>`;
  }

  private options(): TemplateResult {
    return html`<div class="field compose-options">
      <label for="compose-options">${t("compose.options")}</label>
      <textarea id="compose-options" rows="3"></textarea>
    </div>`;
  }

  private list(): TemplateResult {
    return html`<ul id="compose-people" role="listbox" aria-label=${t("compose.mentions")}>
      ${this.found.map(
        (person, at) => html`<li
          id="compose-person-${at}"
          role="option"
          aria-selected=${at === this.at ? "true" : "false"}
          @pointerdown=${(event: Event) => {
            event.preventDefault();
            this.take(person);
          }}
        >
          <span>${person.name}</span><span class="quiet">${person.school}</span>
        </li>`,
      )}
    </ul>`;
  }

  private tongues(): [string, string][] {
    const codes = new Set([language(), ...this.languages, ...LANGUAGES.map(({ code }) => code)]);
    return [...codes].map((code) => {
      const own = LANGUAGES.find((each) => each.code === code)?.name;
      try {
        return [code, own ?? new Intl.DisplayNames(code, { type: "language" }).of(code) ?? code];
      } catch {
        return [code, code];
      }
    });
  }

  private typed = (event: Event): void => {
    this.words = (event.target as HTMLTextAreaElement).value;
    this.failed = "";
    this.dispatchEvent(new CustomEvent("draft", { detail: this.words }));
    this.look();
  };

  /** Whether a name is being typed, and whose it may be. */
  private look = (): void => {
    const { field } = this;
    const typing = field && typedMention(field.value, field.selectionStart);
    const before = this.found.map(({ id }) => id).join();
    this.found = typing ? matching(this.people, typing.typed) : [];
    if (before !== this.found.map(({ id }) => id).join()) {
      this.at = 0;
      if (this.found.length > 0)
        announce(t("compose.mention-count", { count: this.found.length }), { heard: true });
    }
  };

  private key = (event: KeyboardEvent): void => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      this.querySelector("form")?.requestSubmit();
      return;
    }
    const { length } = this.found;
    if (length === 0 || event.isComposing) return;
    const chosen = this.found[this.at];
    if (event.key === "ArrowDown") this.at = (this.at + 1) % length;
    else if (event.key === "ArrowUp") this.at = (this.at + length - 1) % length;
    else if ((event.key === "Enter" || event.key === "Tab") && chosen) this.take(chosen);
    else if (event.key === "Escape") this.found = [];
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  private take(somebody: Somebody): void {
    const { name } = somebody;
    const { field } = this;
    const typing = field && typedMention(field.value, field.selectionStart);
    this.found = [];
    if (!field || !typing) return;
    const behind = field.value.slice(field.selectionStart).replace(/^ /, "");
    // Without the "@": that is how names in other apps begin, which are held for a teacher.
    const before = `${field.value.slice(0, typing.from)}${name} `;
    this.chosen.set(somebody.id, somebody);
    this.set(before, behind);
  }

  private mention = (): void => {
    const { field } = this;
    if (!field) return;
    const before = field.value.slice(0, field.selectionStart);
    this.set(`${before}${/\S$/.test(before) ? " " : ""}@`, field.value.slice(field.selectionEnd));
    void this.updateComplete.then(this.look);
  };

  private set(before: string, behind: string): void {
    this.words = before + behind;
    this.dispatchEvent(new CustomEvent("draft", { detail: this.words }));
    void this.updateComplete.then(() => {
      this.focusField();
      this.field?.setSelectionRange(before.length, before.length);
    });
  }

  private shutSoon = (): void => {
    this.found = [];
  };

  private togglePoll = (): void => {
    this.poll = !this.poll;
    if (this.poll)
      void this.updateComplete.then(() => this.querySelector<HTMLElement>("#compose-options")?.focus());
  };

  private noReply = (): void => {
    this.dispatchEvent(new CustomEvent("no-reply"));
    this.focusField();
  };

  private send = (event: Event): void => {
    event.preventDefault();
    const body = this.words.trim();
    if (!body) {
      this.focusField();
      return;
    }
    if (body.length > LONGEST) {
      this.failed = t("compose.too-long", { count: body.length - LONGEST });
      return;
    }
    const options = this.poll
      ? (this.querySelector<HTMLTextAreaElement>("#compose-options")?.value ?? "")
          .split("\n")
          .map((line) => line.trim())
          .filter(Boolean)
      : null;
    if (options && (options.length < OPTIONS.least || options.length > OPTIONS.most)) {
      this.failed = t("compose.options-few");
      return;
    }
    const written: Written = {
      body,
      language: this.tongue ?? language(),
      mentions: mentioned(body, [...this.chosen.values()]).slice(0, MOST_MENTIONS),
      options,
    };
    this.words = "";
    this.chosen.clear();
    this.poll = false;
    this.failed = "";
    this.found = [];
    this.dispatchEvent(new CustomEvent("draft", { detail: "" }));
    this.dispatchEvent(new CustomEvent("written", { detail: written }));
    this.focusField();
  };
}

customElements.define("ts-composer", Composer);
declare global {
  interface HTMLElementTagNameMap {
    "ts-composer": Composer;
  }
}
