import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { api, explain } from "../api/client.ts";
import type { Space } from "../api/types.ts";
import { registerCatalogue, t } from "../i18n/index.ts";
import { proposalWords } from "../office/proposals.ts";
import { adopt } from "../styles/adopt.ts";
import { announce } from "../ui/announce.ts";
import { ask } from "../ui/dialog.ts";
import { icon } from "../ui/icons.ts";
import { trouble } from "../ui/trouble.ts";
import { View } from "../ui/view.ts";
import "./filters.ts";
import "./floor.ts";
import type { Policy } from "./policy.ts";
import css from "./settings.css";
import { byName, TONGUES, tongue } from "./tongues.ts";

adopt(css);

/** The words of the settings are there. */
export const ready = Promise.all([
  registerCatalogue({
    en: () => import("./i18n/settings/en.ts"),
    es: () => import("./i18n/settings/es.ts"),
    pt: () => import("./i18n/settings/pt.ts"),
  }),
  proposalWords(),
]);

const RULES = ["page_editing", "posting", "chat"] as const;
const GUESTS = ["guests_read", "guests_post", "guests_edit"] as const;

/** From one state of the space to the next, with the words of the question and of what is said then. */
const STEPS: Record<string, [step: string, status: string, said: string][]> = {
  open: [["close", "closed", "settings.closed"]],
  closed: [
    ["reopen", "open", "settings.opened"],
    ["archive", "archived", "settings.archived"],
  ],
  archived: [["reopen", "open", "settings.opened"]],
};

/** What the admins of a space set: its words, what pupils and guests may do, the filters, and its end. */
class Settings extends View {
  static override properties = {
    space: { attribute: false },
    version: { attribute: false },
    policy: { state: true },
    languages: { state: true },
    failed: { state: true },
    failures: { state: true },
    dirty: { state: true },
  };

  declare space: Space;
  /** Counts what is new in the space, so that the rules are fetched again. */
  declare version: number;
  declare policy: Policy | undefined;
  /** Chosen and not saved yet. */
  declare languages: string[] | undefined;
  declare failed: string;
  /** Why a part could not be saved, by its name. */
  declare failures: Record<string, string>;
  /** The parts in which something is not saved yet. */
  declare dirty: ReadonlySet<string>;

  private fetched = -1;

  constructor() {
    super();
    this.failed = "";
    this.failures = {};
    this.dirty = new Set();
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (changed.has("space") && !this.dirty.has("about")) this.languages = undefined;
    if (this.fetched === this.version) return;
    this.fetched = this.version;
    void this.fetch();
  }

  private async fetch(): Promise<void> {
    try {
      this.policy = await api.get<Policy>(`/api/spaces/${this.space.id}/policy`);
      this.failed = "";
    } catch (error) {
      this.failed = explain(error);
    }
  }

  protected override render(): TemplateResult {
    const { policy, space } = this;
    if (this.failed && !policy) return trouble(this.failed, () => this.fetch());
    return html`<main id="main" class="settings" tabindex="-1">
      <h1>${t("settings.title")}</h1>
      ${
        policy
          ? html`${this.about(space)} ${policy.age_band === "adults" ? nothing : this.students(policy)}
              ${policy.age_band === "adults" ? nothing : html`<ts-floor .space=${space} .policy=${policy} .version=${this.version}></ts-floor>`}
              ${this.guests(policy)}
              <section class="card" aria-labelledby="settings-filters">
                <h2 id="settings-filters">${t("settings.filters")}</h2>
                <ts-filters .space=${space} .policy=${policy} @saved=${() => this.fetch()}></ts-filters>
              </section>
              ${space.can.close ? this.life(space) : nothing}`
          : html`<div aria-busy="true"></div>`
      }
    </main>`;
  }

  /** One part with its own form: saved by itself, with what went wrong beside its button. */
  private section(
    name: string,
    fields: TemplateResult,
    changes: (form: FormData) => Record<string, unknown>,
  ): TemplateResult {
    const save = async (event: SubmitEvent) => {
      event.preventDefault();
      const form = new FormData(event.currentTarget as HTMLFormElement);
      this.failures = { ...this.failures, [name]: "" };
      try {
        await api.patch(`/api/spaces/${this.space.id}`, changes(form));
        this.touch(name, false);
        announce(t("settings.saved"));
        await this.fetch();
      } catch (error) {
        this.failures = { ...this.failures, [name]: explain(error) };
      }
    };
    return html`<section class="card" aria-labelledby="settings-${name}">
      <h2 id="settings-${name}">${t(`settings.${name}`)}</h2>
      <form class="stack" @submit=${save} @input=${() => this.touch(name, true)}>
        ${fields}
        <p class="error" role="alert">${this.failures[name] ?? ""}</p>
        ${saving(this.dirty.has(name))}
      </form>
    </section>`;
  }

  private touch(name: string, dirty: boolean): void {
    if (this.dirty.has(name) === dirty) return;
    const parts = new Set(this.dirty);
    if (dirty) parts.add(name);
    else parts.delete(name);
    this.dirty = parts;
  }

  // Name and languages

  private about(space: Space): TemplateResult {
    const languages = this.languages ?? space.languages;
    return this.section(
      "about",
      html`<div class="field">
          <label for="settings-name">${t("settings.name")}</label>
          <input id="settings-name" name="title" required maxlength="200" autocomplete="off" .value=${space.title} />
        </div>
        <div class="field">
          <label for="settings-summary">${t("settings.summary")}</label>
          <textarea id="settings-summary" name="summary" rows="3" maxlength="2000" .value=${space.summary}></textarea>
        </div>
        <fieldset>
          <legend>${t("settings.languages")}</legend>
          <ul class="tags" role="list">
            ${languages.map(
              (code) => html`<li class="tag">
                <span>${tongue(code)}</span>
                ${
                  languages.length > 1
                    ? html`<button
                        type="button"
                        class="button icon quiet"
                        aria-label=${t("settings.remove", { what: tongue(code) })}
                        @click=${() => this.speak(languages.filter((each) => each !== code))}
                      >
                        ${icon("close")}
                      </button>`
                    : nothing
                }
              </li>`,
            )}
          </ul>
          <div class="field">
            <label for="settings-language">${t("settings.language-add")}</label>
            <select
              id="settings-language"
              @change=${({ target }: Event) => {
                const select = target as HTMLSelectElement;
                this.speak([...languages, select.value]);
                select.value = "";
              }}
            >
              <option value="">${t("settings.language-choose")}</option>
              ${byName(TONGUES.filter((code) => !languages.includes(code))).map((code) => html`<option value=${code}>${tongue(code)}</option>`)}
            </select>
          </div>
        </fieldset>`,
      (form) => ({
        title: String(form.get("title")).trim(),
        summary: String(form.get("summary")).trim(),
        languages: this.languages ?? this.space.languages,
      }),
    );
  }

  private speak(languages: string[]): void {
    this.languages = languages;
    this.touch("about", true);
  }

  // What pupils and guests may do

  private students({ age_band, chosen, allowed, effective }: Policy): TemplateResult {
    return this.section(
      "students",
      html`<p class="note">${icon("people")}<span>${t("settings.age", { age: t(`settings.age.${age_band}`) })}</span></p>
        ${choice("page_editing", allowed.page_editing, effective.page_editing)}
        ${
          allowed.page_editing.length > 1
            ? html`<label class="check">
                <input type="checkbox" name="students_create" .checked=${chosen.students_create} />
                ${t("settings.create")}
              </label>
              <label class="check">
                <input
                  type="checkbox"
                  name="block_owners"
                  .checked=${effective.block_owners}
                  ?disabled=${effective.block_owners && !chosen.block_owners}
                />
                ${t("settings.block-owners")}
              </label>`
            : nothing
        }
        ${choice("posting", allowed.posting, effective.posting)}
        ${choice("chat", allowed.chat, effective.chat)}
        ${choice("supervision", ["one", "each-school"], chosen.supervision)}`,
      (form) => ({
        policy: {
          ...Object.fromEntries(
            RULES.filter((rule) => (form.get(rule) ?? effective[rule]) !== effective[rule]).map((rule) => [
              rule,
              form.get(rule),
            ]),
          ),
          ...(allowed.page_editing.length > 1 && {
            students_create: form.has("students_create"),
            block_owners: form.has("block_owners"),
          }),
          supervision: form.get("supervision"),
        },
      }),
    );
  }

  private guests({ chosen }: Policy): TemplateResult {
    return this.section(
      "guests",
      html`<div>
        ${GUESTS.map(
          (each) => html`<label class="check">
            <input type="checkbox" name=${each} .checked=${chosen[each]} /> ${t(`settings.${each}`)}
          </label>`,
        )}
      </div>`,
      (form) => ({ policy: Object.fromEntries(GUESTS.map((each) => [each, form.has(each)])) }),
    );
  }

  // Its end

  private life(space: Space): TemplateResult | typeof nothing {
    const steps = STEPS[space.status];
    if (!steps) return nothing;
    return html`<section class="card" aria-labelledby="settings-life">
      <h2 id="settings-life">${t("settings.life")}</h2>
      <div class="stack">
        <p>${t(`settings.life.${space.status}`)}</p>
        <div class="actions start">
          ${steps.map(
            ([step, status, said]) => html`<button
              class="button ${step === "reopen" ? "" : "danger"}"
              aria-haspopup="dialog"
              @click=${() => this.step(step, status, said)}
            >
              ${t(`settings.${step}`)}
            </button>`,
          )}
        </div>
      </div>
    </section>`;
  }

  private async step(step: string, status: string, said: string): Promise<void> {
    const done = await ask(
      {
        title: t(`settings.${step}-title`),
        text: t(`settings.${step}-text`),
        submit: t(`settings.${step}`),
        danger: step !== "reopen",
      },
      () => api.put(`/api/spaces/${this.space.id}/status`, { status }),
    );
    if (done) announce(t(said));
  }
}

/** The button that saves, and whether there is something to save. */
const saving = (dirty: boolean): TemplateResult => html`<div class="actions start">
  <button class="button primary">${t("dialog.save")}</button>
  <span class="quiet" role="status">${dirty ? t("settings.unsaved") : ""}</span>
</div>`;

/** One of what is allowed, as it is called; where only one thing is, that is said. */
function choice(name: string, allowed: readonly string[], now: string): TemplateResult {
  const words = (each: string) => t(`settings.${name}.${each}`);
  const [only, ...more] = allowed;
  if (only && more.length === 0) {
    return html`<div>
      <h3>${t(`settings.${name}`)}</h3>
      <p>${words(only)}</p>
    </div>`;
  }
  return html`<fieldset class="choice rows">
    <legend>${t(`settings.${name}`)}</legend>
    ${allowed.map(
      (each) => html`<label>
        <input type="radio" name=${name} value=${each} .checked=${each === now} />
        <span>${words(each)}</span>
      </label>`,
    )}
  </fieldset>`;
}

customElements.define("ts-settings", Settings);
