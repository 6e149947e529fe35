import { html, nothing, type TemplateResult } from "lit";
import { api, explain } from "../api/client.ts";
import { registerCatalogue, t } from "../i18n/index.ts";
import { path } from "../router.ts";
import { adopt } from "../styles/adopt.ts";
import { announce } from "../ui/announce.ts";
import { ask } from "../ui/dialog.ts";
import { icon } from "../ui/icons.ts";
import { View } from "../ui/view.ts";
import {
  type Consent,
  day,
  endOfSchoolYear,
  PURPOSES,
  type PupilConsents,
  type Purpose,
  type SchoolConsents,
} from "./consent-data.ts";
import { showPupil } from "./consent-pupil.ts";
import css from "./consents.css";

adopt(css);

const loaders = {
  en: () => import("./i18n/consents/en.ts"),
  es: () => import("./i18n/consents/es.ts"),
  pt: () => import("./i18n/consents/pt.ts"),
};

export const words = (): Promise<void> => registerCatalogue(loaders);

/** At once, as the server takes them. */
const MOST = 200;

/** What the families of my school's pupils have agreed to: on a phone one purpose at a time, else a table. */
class Consents extends View {
  static override properties = {
    school: { attribute: false },
    found: { state: true },
    purpose: { state: true },
    chosen: { state: true },
    failed: { state: true },
  };

  declare school: string;
  declare found: SchoolConsents | undefined;
  declare purpose: Purpose;
  /** Ids of people. */
  declare chosen: ReadonlySet<string>;
  declare failed: string;

  private fetched = "";

  constructor() {
    super();
    this.purpose = "account";
    this.chosen = new Set();
    this.failed = "";
  }

  protected override willUpdate(): void {
    if (this.fetched === this.school) return;
    this.fetched = this.school;
    void this.fetch();
  }

  private async fetch(): Promise<void> {
    try {
      this.found = await api.get<SchoolConsents>(`/api/schools/${this.school}/consents`);
      this.failed = "";
    } catch (error) {
      this.failed = explain(error);
    }
  }

  private get pupils(): PupilConsents[] {
    return this.found?.pupils ?? [];
  }

  private consent({ consents }: PupilConsents, purpose = this.purpose): Consent {
    return consents.find((each) => each.purpose === purpose) ?? { purpose, state: "none" };
  }

  private get missing(): PupilConsents[] {
    return this.pupils.filter((pupil) => this.consent(pupil).state !== "given");
  }

  protected override render(): TemplateResult {
    return html`<main id="main" class="consents" tabindex="-1">
      <nav class="crumbs" aria-label=${t("page.where")}>
        <ol role="list">
          <li><a href=${path.home}>${t("nav.my-spaces")}</a></li>
          <li><a href="#cards">${t("pupils.title")}</a></li>
        </ol>
      </nav>
      <h1>${t("consent.title")}</h1>
      <p class="lead">${t("consent.lead")}</p>
      ${this.failed ? html`<p class="note bad" role="alert">${icon("warn")}<span>${this.failed}</span></p>` : nothing}
      ${this.found ? this.body() : this.failed ? nothing : html`<div aria-busy="true"></div>`}
    </main>`;
  }

  private body(): TemplateResult {
    if (this.pupils.length === 0) return html`<p class="empty">${t("consent.no-pupils")}</p>`;
    const given = this.pupils.length - this.missing.length;
    return html`<fieldset class="choice">
        <legend>${t("consent.for-what")}</legend>
        ${PURPOSES.map(
          (purpose) => html`<label>
            <input
              type="radio"
              name="purpose"
              value=${purpose}
              .checked=${purpose === this.purpose}
              @change=${() => {
                this.purpose = purpose;
                this.chosen = new Set();
              }}
            />
            <span>${t(`consent.${purpose}`)}</span>
          </label>`,
        )}
      </fieldset>
      <section class="card" aria-labelledby="purpose">
        <h2 id="purpose">${t(`consent.${this.purpose}`)}</h2>
        <p>${t(`consent.${this.purpose}-means`)}</p>
        <p class="quiet">${t("consent.given-count", { count: given, of: this.pupils.length })}</p>
        ${this.table()}
      </section>
      ${this.bar()}`;
  }

  private table(): TemplateResult {
    const column = (purpose: Purpose) => (purpose === this.purpose ? "now" : "other");
    // The roles are said, too: some browsers forget them where a phone shows the rows as blocks.
    return html`<table role="table" aria-label=${t("consent.title")}>
      <thead role="rowgroup">
        <tr role="row">
          <th scope="col" role="columnheader"><span class="sr">${t("consent.choose")}</span></th>
          <th scope="col" role="columnheader">${t("consent.student")}</th>
          ${PURPOSES.map((purpose) => html`<th scope="col" role="columnheader" class=${column(purpose)}>${t(`consent.${purpose}`)}</th>`)}
          <td role="cell"></td>
        </tr>
      </thead>
      <tbody role="rowgroup">
        ${this.pupils.map(
          (pupil) => html`<tr role="row" class=${this.chosen.has(pupil.person_id) ? "chosen" : ""}>
            <td role="cell">
              <label class="tick">
                <input
                  type="checkbox"
                  .checked=${this.chosen.has(pupil.person_id)}
                  @change=${() => this.choose(pupil.person_id)}
                />
                <span class="sr">${t("consent.choose-name", { name: pupil.name })}</span>
              </label>
            </td>
            <th scope="row" role="rowheader">${pupil.name}</th>
            ${PURPOSES.map((purpose) => html`<td role="cell" class=${column(purpose)}>${this.cell(this.consent(pupil, purpose))}</td>`)}
            <td role="cell" class="more">
              <button
                class="button icon quiet"
                aria-haspopup="dialog"
                aria-label=${t("consent.of", { name: pupil.name })}
                @click=${() => this.open(pupil)}
              >
                ${icon("more")}
              </button>
            </td>
          </tr>`,
        )}
      </tbody>
    </table>`;
  }

  private cell({ state, valid_until }: Consent): TemplateResult {
    if (state === "none") return html`<span class="quiet">${t("consent.state.none")}</span>`;
    const until = valid_until
      ? html`<span class="quiet until">${t(state === "expired" ? "consent.ended" : "consent.until", { day: day(valid_until) })}</span>`
      : nothing;
    return html`<span class="pill ${state}">${icon(state === "given" ? "check" : state === "expired" ? "warn" : "close")}${t(`consent.state.${state}`)}</span>
      ${state === "withdrawn" ? nothing : until}`;
  }

  private choose(id: string): void {
    const chosen = new Set(this.chosen);
    if (!chosen.delete(id)) chosen.add(id);
    this.chosen = chosen;
  }

  private bar(): TemplateResult {
    const count = this.chosen.size;
    const missing = this.missing.slice(0, MOST);
    return html`<div class="consent-bar">
      <p role="status">${t("consent.chosen", { count })}</p>
      <div class="actions">
        ${
          count > 0
            ? html`<button class="button" @click=${() => this.pick([])}>${t("consent.choose-none")}</button>`
            : missing.length > 0
              ? html`<button class="button" @click=${() => this.pick(missing)}>
                  ${t("consent.choose-missing", { count: missing.length })}
                </button>`
              : nothing
        }
        <button
          class="button primary"
          aria-haspopup="dialog"
          aria-disabled=${count === 0 ? "true" : "false"}
          @click=${this.record}
        >
          ${t("consent.record")}
        </button>
      </div>
    </div>`;
  }

  private pick(pupils: PupilConsents[]): void {
    this.chosen = new Set(pupils.map(({ person_id }) => person_id));
  }

  private record = async (): Promise<void> => {
    const { found, purpose } = this;
    const pupils = this.pupils.filter(({ person_id }) => this.chosen.has(person_id));
    if (!found || pupils.length === 0) {
      announce(t("consent.choose-first"));
      return;
    }
    if (pupils.length > MOST) {
      announce(t("consent.too-many", { most: MOST }));
      return;
    }
    const done = await ask(
      {
        title: t("consent.record-title", { purpose: t(`consent.${purpose}`) }),
        text: html`${t("consent.record-text", { count: pupils.length })}
          <span class="quiet consent-names">${pupils.map(({ name }) => name).join(", ")}</span>`,
        fields: html`<div class="field">
            <label for="given-on">${t("consent.given-on")}</label>
            <input id="given-on" name="given_on" type="date" required min="2000-01-01" max=${found.today} value=${found.today} />
          </div>
          <div class="field">
            <label for="valid-until">${t("consent.valid-until")}</label>
            <p class="hint" id="valid-until-hint">${t("consent.valid-until-hint")}</p>
            <input
              id="valid-until"
              name="valid_until"
              type="date"
              min="2000-01-02"
              max="2199-12-31"
              value=${endOfSchoolYear(found.today)}
              aria-describedby="valid-until-hint"
            />
          </div>`,
        submit: t("consent.record-do"),
      },
      (form) =>
        api.put(`/api/schools/${this.school}/consents`, {
          pupils: pupils.map(({ person_id }) => person_id),
          purpose,
          given_on: form.get("given_on"),
          valid_until: form.get("valid_until") || null,
        }),
    );
    if (!done) return;
    this.chosen = new Set();
    announce(t("consent.recorded", { count: pupils.length }));
    await this.fetch();
  };

  private async open(pupil: PupilConsents): Promise<void> {
    if (await showPupil(pupil)) await this.fetch();
  }
}

customElements.define("ts-consents", Consents);
