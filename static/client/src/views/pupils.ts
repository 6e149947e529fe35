import { html, nothing, type TemplateResult } from "lit";
import { api, explain } from "../api/client.ts";
import type { Card, Me, Pupil } from "../api/types.ts";
import { LANGUAGES, language, list, moment, t } from "../i18n/index.ts";
import { path } from "../router.ts";
import { announce } from "../ui/announce.ts";
import { icon } from "../ui/icons.ts";
import { avatar } from "../ui/marks.ts";
import { View } from "../ui/view.ts";
import { showCards } from "./cards.ts";
import { resetCard } from "./members.ts";

/** At once, as the server takes them. */
const MOST = 60;
/** A class, to begin with. */
const USUAL = 24;

/** The pupils of my school, and new cards for them. */
class Pupils extends View {
  static override properties = {
    me: { attribute: false },
    school: { attribute: false },
    pupils: { state: true },
    failed: { state: true },
    refused: { state: true },
    busy: { state: true },
    named: { state: true },
    consents: { state: true },
  };

  declare me: Me;
  declare school: string;
  declare pupils: Pupil[] | undefined;
  declare failed: string;
  declare refused: string;
  declare busy: boolean;
  declare named: boolean;
  /** Shows what families have agreed to instead: the part of this screen at #consent. */
  declare consents: boolean;

  private fetched = "";

  constructor() {
    super();
    this.failed = "";
    this.refused = "";
    this.busy = false;
    this.named = false;
    this.consents = false;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    addEventListener("hashchange", this.turn);
    void this.turn();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    removeEventListener("hashchange", this.turn);
  }

  private turn = async (): Promise<void> => {
    const wanted = () => location.hash === "#consent";
    try {
      if (wanted()) await (await import("../office/consents.ts")).words();
      this.consents = wanted();
    } catch {
      announce(t("error.unreachable"));
    }
  };

  protected override willUpdate(): void {
    if (this.fetched === this.school) return;
    this.fetched = this.school;
    void this.fetch();
  }

  private async fetch(): Promise<void> {
    try {
      this.pupils = await api.get<Pupil[]>(`/api/schools/${this.school}/pupils`);
      this.failed = "";
    } catch (error) {
      this.failed = explain(error);
    }
  }

  protected override render(): TemplateResult {
    if (this.consents) return html`<ts-consents .school=${this.school}></ts-consents>`;
    const spaces = this.me.spaces.filter(
      ({ role, status = "open" }) => (role === "teacher" || role === "admin") && status === "open",
    );
    return html`<main id="main" class="narrow pupils" tabindex="-1">
      <nav class="crumbs" aria-label=${t("page.where")}>
        <ol role="list"><li><a href=${path.home}>${t("nav.my-spaces")}</a></li></ol>
      </nav>
      <h1>${t("pupils.title")}</h1>
      ${this.failed ? html`<p class="note bad" role="alert">${icon("warn")}<span>${this.failed}</span></p>` : nothing}
      ${
        this.failed
          ? nothing
          : html`<p>
                <a class="button" href="#consent">${icon("draft")}${t("pupils.consent")}</a>
              </p>
              <section class="card" aria-labelledby="make">
                <h2 id="make">${t("pupils.make")}</h2>
                ${spaces.length === 0 ? html`<p>${t("pupils.no-space")}</p>` : this.form(spaces)}
              </section>
              <section aria-labelledby="known">
                <h2 id="known">${t("pupils.known")}</h2>
                ${this.list()}
              </section>`
      }
    </main>`;
  }

  private form(spaces: Me["spaces"]): TemplateResult {
    return html`<form class="stack" novalidate @submit=${this.make}>
      <p>${t("pupils.how")}</p>
      <div class="field">
        <label for="space">${t("pupils.space")}</label>
        <select id="space" name="space">
          ${spaces.map((space) => html`<option value=${space.id}>${space.title}</option>`)}
        </select>
      </div>
      <fieldset class="choice">
        <legend>${t("pupils.names")}</legend>
        ${[false, true].map(
          (named) => html`<label>
            <input type="radio" name="named" .checked=${this.named === named} @change=${() => {
              this.named = named;
            }} />
            <span>${t(named ? "pupils.names-own" : "pupils.names-made")}</span>
          </label>`,
        )}
      </fieldset>
      ${
        this.named
          ? html`<div class="field">
              <label for="names">${t("pupils.names-list")}</label>
              <p class="hint" id="names-hint">${t("pupils.names-hint")}</p>
              <textarea id="names" name="names" rows="6" aria-describedby="names-hint" autocomplete="off"></textarea>
            </div>`
          : html`<div class="field">
              <label for="count">${t("pupils.count")}</label>
              <input id="count" name="count" type="number" inputmode="numeric" min="1" max=${MOST} value=${USUAL} />
            </div>`
      }
      <div class="field">
        <label for="words">${t("pupils.language")}</label>
        <select id="words" name="language">
          ${LANGUAGES.map(({ code, name }) => html`<option value=${code} lang=${code} ?selected=${code === language()}>${name}</option>`)}
        </select>
      </div>
      <p class="error" role="alert">${this.refused}</p>
      <button class="button primary wide" aria-busy=${this.busy}>${icon("key")}${t("pupils.submit")}</button>
    </form>`;
  }

  private list(): TemplateResult {
    if (!this.pupils) return html`<div aria-busy="true"></div>`;
    if (this.pupils.length === 0) return html`<p class="empty">${t("pupils.none")}</p>`;
    return html`<ul class="member-list card" role="list">
      ${this.pupils.map(
        (pupil) => html`<li>
          ${avatar(pupil.name)}
          <span class="grow">
            <span>${pupil.name}</span>
            <span class="quiet"
              >${pupil.last_seen ? t("pupils.seen", { time: moment(pupil.last_seen) }) : t("pupils.never")}${
                pupil.spaces.length > 0 ? html` · ${list(pupil.spaces.map(({ title }) => title))}` : nothing
              }</span
            >
          </span>
          <button
            class="button"
            aria-label=${t("members.new-card-for", { name: pupil.name })}
            @click=${() => resetCard(pupil.person_id, pupil.name)}
          >
            ${icon("key")}<span class="wide-only">${t("members.new-card")}</span>
          </button>
        </li>`,
      )}
    </ul>`;
  }

  private async make(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (this.busy) return;
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const names = String(form.get("names") ?? "")
      .split(/[\n,;]+/)
      .map((name) => name.trim())
      .filter(Boolean);
    const count = this.named ? names.length : Number(form.get("count"));
    if (!Number.isInteger(count) || count < 1 || count > MOST) {
      this.refused = t("pupils.count-wrong", { most: MOST });
      this.querySelector<HTMLElement>(this.named ? "#names" : "#count")?.focus();
      return;
    }
    this.busy = true;
    this.refused = "";
    try {
      const { cards } = await api.post<{ cards: Card[] }>(`/api/schools/${this.school}/pupils`, {
        space_id: form.get("space"),
        language: form.get("language"),
        ...(this.named ? { pupils: names.map((name) => ({ name })) } : { count }),
      });
      this.busy = false;
      void this.fetch();
      await showCards(cards);
    } catch (error) {
      this.refused = explain(error);
    }
    this.busy = false;
  }
}

customElements.define("ts-pupils", Pupils);
