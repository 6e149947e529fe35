import { html, nothing, type TemplateResult } from "lit";
import { ApiError, api, explain } from "../api/client.ts";
import type { Space } from "../api/types.ts";
import { list, t } from "../i18n/index.ts";
import { announce } from "../ui/announce.ts";
import { icon } from "../ui/icons.ts";
import { View } from "../ui/view.ts";
import { type Action, CONTACTS, type Filters, type Policy, type Tried, type Word } from "./policy.ts";
import { byName, TONGUES, tongue } from "./tongues.ts";

const MOST_WORDS = 1000;
const LONGEST_WORD = 60;
const WORD_ACTIONS: readonly Action[] = ["flag", "hold", "block"];

/** What was written, one thing on each line, without what is there twice. */
const lines = (text: string): string[] => [
  ...new Set(
    text
      .split(/[\r\n]+/)
      .map((line) => line.trim())
      .filter(Boolean),
  ),
];

/** The site that an address leads to, as far as one can see. */
const site = (line: string): string =>
  line
    .toLowerCase()
    .replace(/^[a-z]+:\/\//, "")
    .replace(/[/?#:].*$/, "");

/** Splits a text where something was found in it; places are counted in Unicode characters. */
export function pieces(text: string, findings: Tried["findings"]): { text: string; found: boolean }[] {
  const chars = Array.from(text);
  const found = new Array<boolean>(chars.length).fill(false);
  for (const { start, end } of findings) found.fill(true, start, end);
  const parts: { text: string; found: boolean }[] = [];
  chars.forEach((char, at) => {
    const last = parts.at(-1);
    if (last && last.found === found[at]) last.text += char;
    else parts.push({ text: char, found: found[at] === true });
  });
  return parts;
}

/** The filters of a space: contact data, links, words; and a sentence to try them with. */
class FiltersForm extends View {
  static override properties = {
    space: { attribute: false },
    policy: { attribute: false },
    words: { state: true },
    language: { state: true },
    dirty: { state: true },
    failed: { state: true },
    tried: { state: true },
    triedText: { state: true },
    triedFailed: { state: true },
  };

  declare space: Space;
  declare policy: Policy;
  /** With what is not saved yet; undefined: as saved. */
  declare words: Word[] | undefined;
  /** Whose words are shown. */
  declare language: string;
  declare dirty: boolean;
  declare failed: string;
  declare tried: Tried | undefined;
  declare triedText: string;
  declare triedFailed: string;

  constructor() {
    super();
    this.language = "";
    this.dirty = false;
    this.failed = "";
    this.triedText = "";
    this.triedFailed = "";
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.language = this.space.languages[0] ?? "";
  }

  private get all(): Word[] {
    return this.words ?? this.policy.chosen.filters.words;
  }

  /** What the form says now. */
  private filters(): Filters {
    const form = new FormData(this.querySelector("form") ?? undefined);
    return {
      ...(Object.fromEntries(CONTACTS.map((kind) => [kind, form.get(kind)])) as Omit<
        Filters,
        "domains" | "words"
      >),
      domains: [...new Set(lines(String(form.get("domains"))).map(site))],
      words: this.all,
    };
  }

  private save = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    this.failed = "";
    try {
      await api.patch(`/api/spaces/${this.space.id}`, { policy: { filters: this.filters() } });
      this.words = undefined;
      this.dirty = false;
      announce(t("settings.saved"));
      this.dispatchEvent(new CustomEvent("saved"));
    } catch (error) {
      this.failed = why(error);
    }
  };

  private async attempt(): Promise<void> {
    const text = this.querySelector<HTMLTextAreaElement>("#settings-try")?.value ?? "";
    if (!text.trim()) return;
    this.triedFailed = "";
    try {
      this.tried = await api.post<Tried>(`/api/spaces/${this.space.id}/policy/try`, {
        text,
        filters: this.filters(),
      });
      this.triedText = text;
    } catch (error) {
      this.tried = undefined;
      this.triedFailed = why(error);
    }
  }

  protected override render(): TemplateResult {
    const { allowed, effective } = this.policy;
    return html`<form class="stack" @submit=${this.save} @input=${this.touched}>
      <p class="quiet">${t("settings.filters-text")}</p>
      <fieldset class="contacts">
        <legend>${t("settings.contacts")}</legend>
        ${CONTACTS.map(
          (kind) => html`<div class="field">
            <label for="settings-${kind}">${t(`settings.${kind}`)}</label>
            <select id="settings-${kind}" name=${kind}>
              ${allowed.contacts.map(
                (each) =>
                  html`<option value=${each} .selected=${each === effective.filters[kind]}>${t(`settings.action.${each}`)}</option>`,
              )}
            </select>
          </div>`,
        )}
        <div class="field">
          <label for="settings-domains">${t("settings.domains")}</label>
          <p class="hint" id="settings-domains-hint">${t("settings.domains-text")}</p>
          <textarea
            id="settings-domains"
            name="domains"
            rows="3"
            spellcheck="false"
            autocapitalize="none"
            aria-describedby="settings-domains-hint"
            .value=${effective.filters.domains.join("\n")}
          ></textarea>
        </div>
      </fieldset>
      ${this.wordList()}
      <p class="error" role="alert">${this.failed}</p>
      <div class="actions start">
        <button class="button primary">${t("dialog.save")}</button>
        <span class="quiet" role="status">${this.dirty ? t("settings.unsaved") : ""}</span>
      </div>
    </form>
    ${this.trial()}`;
  }

  private touched = (event: Event): void => {
    if ((event.target as HTMLElement).hasAttribute("name")) this.dirty = true;
  };

  // Words

  private wordList(): TemplateResult {
    const { all, language: shown } = this;
    const count = (code: string) => all.filter((word) => word.language === code).length;
    const used = new Set(all.map((word) => word.language));
    const first = [...new Set([...this.space.languages, "", ...used])];
    const codes = [...first, ...byName(TONGUES.filter((code) => !first.includes(code)))];
    const label = (code: string) => (code ? tongue(code) : t("settings.words-any"));
    const mine = all.filter((word) => word.language === shown);
    return html`<fieldset class="words">
      <legend>${t("settings.words")}</legend>
      <p class="quiet">${t("settings.words-text")}</p>
      <div class="field">
        <label for="settings-words-language">${t("settings.words-language")}</label>
        <select
          id="settings-words-language"
          @change=${({ target }: Event) => {
            this.language = (target as HTMLSelectElement).value;
          }}
        >
          ${codes.map(
            (code) => html`<option value=${code} .selected=${code === shown}>
              ${count(code) ? t("settings.words-count", { language: label(code), count: count(code) }) : label(code)}
            </option>`,
          )}
        </select>
      </div>
      ${
        mine.length
          ? html`<ul class="tags" role="list" aria-label=${label(shown)}>
              ${mine.map((word) => this.tag(word))}
            </ul>`
          : html`<p class="quiet">${t("settings.words-none")}</p>`
      }
      <div class="field">
        <label for="settings-words-new">${t("settings.words-new")}</label>
        <textarea id="settings-words-new" rows="3" spellcheck="false" autocapitalize="none"></textarea>
      </div>
      <div class="words-add">
        <div class="field">
          <label for="settings-words-action">${t("settings.words-action")}</label>
          <select id="settings-words-action">
            ${WORD_ACTIONS.map((each) => html`<option value=${each} ?selected=${each === "hold"}>${t(`settings.action.${each}`)}</option>`)}
          </select>
        </div>
        <button type="button" class="button" @click=${this.add}>${icon("plus")}${t("settings.words-add")}</button>
      </div>
    </fieldset>`;
  }

  private tag(word: Word): TemplateResult {
    return html`<li class="tag ${word.action}">
      <span><bdi>${word.text}</bdi> <span class="quiet">${t(`settings.action.${word.action}`)}</span></span>
      <button
        type="button"
        class="button icon quiet"
        aria-label=${t("settings.remove", { what: word.text })}
        @click=${(event: Event) => this.drop(word, event.currentTarget as HTMLElement)}
      >
        ${icon("close")}
      </button>
    </li>`;
  }

  private add = (): void => {
    const field = this.querySelector<HTMLTextAreaElement>("#settings-words-new");
    const action = this.querySelector<HTMLSelectElement>("#settings-words-action")?.value as Action;
    if (!field) return;
    const { language } = this;
    const fresh = lines(field.value.normalize())
      .map((line) => line.slice(0, LONGEST_WORD).trim())
      .filter((text) => /[\p{L}\p{N}]/u.test(text));
    field.focus();
    if (fresh.length === 0) return;
    const known = new Set(fresh.map((text) => text.toLowerCase()));
    const kept = this.all.filter((word) => word.language !== language || !known.has(word.text.toLowerCase()));
    if (kept.length + fresh.length > MOST_WORDS) {
      this.failed = t("settings.words-full", { count: MOST_WORDS });
      return;
    }
    this.failed = "";
    this.words = [...kept, ...fresh.map((text) => ({ text, action, language }))];
    this.dirty = true;
    field.value = "";
    announce(t("settings.words-added", { count: fresh.length }), { heard: true });
  };

  private drop(word: Word, button: HTMLElement): void {
    const item = button.closest("li");
    const next = item?.nextElementSibling ?? item?.previousElementSibling;
    const focus = next?.querySelector("button") ?? this.querySelector<HTMLElement>("#settings-words-new");
    const name = focus?.getAttribute("aria-label");
    this.words = this.all.filter((each) => each !== word);
    this.dirty = true;
    // The list is drawn anew: the one that was next is found by its name.
    void this.updateComplete.then(() => {
      const again =
        name &&
        [...this.querySelectorAll<HTMLElement>(".tag button")].find((each) => each.ariaLabel === name);
      (again || this.querySelector<HTMLElement>("#settings-words-new"))?.focus();
    });
  }

  // Trying

  private trial(): TemplateResult {
    const { tried } = this;
    return html`<div class="trial stack">
      <div class="field">
        <label for="settings-try">${t("settings.try")}</label>
        <p class="hint" id="settings-try-hint">${t("settings.try-text")}</p>
        <textarea id="settings-try" rows="2" maxlength="4000" aria-describedby="settings-try-hint"></textarea>
      </div>
      <div class="actions start">
        <button type="button" class="button" @click=${() => this.attempt()}>${t("settings.try-do")}</button>
      </div>
      <div role="status">
        ${this.triedFailed ? html`<p class="error">${this.triedFailed}</p>` : nothing}
        ${
          tried
            ? html`<p class="note ${OUTCOMES[tried.outcome] ?? ""}"><strong>${t(`settings.try.${tried.outcome}`)}</strong></p>
                ${
                  tried.findings.length
                    ? html`<p class="tried">${pieces(this.triedText, tried.findings).map(({ text, found }) => (found ? html`<mark>${text}</mark>` : text))}</p>
                        <p class="quiet">
                          ${t("settings.try-found", { what: list([...new Set(tried.findings.map(({ kind }) => t(`settings.found.${kind}`)))]) })}
                        </p>`
                    : nothing
                }`
            : nothing
        }
      </div>
    </div>`;
  }
}

const OUTCOMES: Record<string, string> = {
  "first-held": "wait",
  held: "wait",
  blocked: "bad",
  off: "bad",
};

/** Of what the server may not like, only a site can have been written by hand and look right. */
const why = (error: unknown): string =>
  error instanceof ApiError && error.status === 422 && JSON.stringify(error.details).includes("domains")
    ? t("settings.domains-bad")
    : explain(error);

customElements.define("ts-filters", FiltersForm);
