import { html, nothing, type TemplateResult } from "lit";
import { api, explain } from "../api/client.ts";
import type { Me } from "../api/types.ts";
import { t } from "../i18n/index.ts";
import { path } from "../router.ts";
import { refresh } from "../session.ts";
import { icon } from "../ui/icons.ts";
import { focusNextHeading, View } from "../ui/view.ts";
import { languageChoice, likely } from "./languages.ts";
import { linkOf } from "./link.ts";
import type { SpaceKind } from "./lives.ts";
import { PARTNER_DAYS, partnerToken } from "./partner.ts";

const BANDS = ["up-to-6", "7-11", "12-15", "16-19"];
interface Draft {
  kind: SpaceKind;
  title: string;
  summary: string;
  languages: string[];
  age_band: string;
}

interface Made {
  id: string;
  kind: SpaceKind;
  title: string;
  status: string;
}

/** A new project or group, and what happens next. */
class NewSpace extends View {
  static override properties = {
    me: { attribute: false },
    draft: { state: true },
    allLanguages: { state: true },
    failed: { state: true },
    busy: { state: true },
    made: { state: true },
    token: { state: true },
  };

  declare me: Me;
  declare draft: Draft;
  declare allLanguages: boolean;
  declare failed: string;
  declare busy: boolean;
  declare made: Made | undefined;
  /** Of the partner's link. */
  declare token: string;

  constructor() {
    super();
    this.allLanguages = false;
    this.failed = "";
    this.busy = false;
    this.token = "";
  }

  /** In this tab, for this person, until it is sent; log-out removes it. */
  private get place(): string {
    return `twinspace.new.${this.me.person.id}`;
  }

  protected override willUpdate(): void {
    this.draft ??= {
      kind: "project",
      title: "",
      summary: "",
      languages: likely(this.me.person.school?.country),
      age_band: "12-15",
      ...kept(this.place),
    };
  }

  private change(part: Partial<Draft>): void {
    this.draft = { ...this.draft, ...part };
    try {
      sessionStorage.setItem(this.place, JSON.stringify(this.draft));
    } catch {
      // Forbidden or full: the words are on the screen only.
    }
  }

  protected override render(): TemplateResult {
    return html`<main id="main" class="narrow life" tabindex="-1">
      <nav class="crumbs" aria-label=${t("page.where")}>
        <ol role="list"><li><a href=${path.home}>${t("nav.my-spaces")}</a></li></ol>
      </nav>
      ${this.made ? this.next(this.made) : this.form()}
    </main>`;
  }

  private form(): TemplateResult {
    const { kind, title, summary, languages, age_band } = this.draft;
    if (this.me.can?.create_space === false)
      return html`<h1>${t("new.title")}</h1><p class="note">${icon("lock")}<span>${t("new.not-yet")}</span></p>`;
    return html`<h1>${t("new.title")}</h1>
      <form class="stack" novalidate @submit=${this.submit}>
        <fieldset class="choice rows">
          <legend>${t("new.what")}</legend>
          ${(["project", "group"] as const).map(
            (each) => html`<label>
              <input type="radio" name="kind" value=${each} .checked=${kind === each} @change=${() => this.change({ kind: each })} />
              <span><strong>${t(`new.${each}`)}</strong><br /><span class="quiet">${t(`new.${each}-hint`)}</span></span>
            </label>`,
          )}
        </fieldset>
        <div class="field">
          <label for="title">${t("new.name")}</label>
          <input id="title" name="title" maxlength="200" autocomplete="off" .value=${title} @input=${this.typed("title")} />
        </div>
        <div class="field">
          <label for="summary">${t("new.about")}</label>
          <p class="hint" id="summary-hint">${t(`new.about-${kind}`)}</p>
          <textarea id="summary" name="summary" rows="4" maxlength="2000" aria-describedby="summary-hint" .value=${summary} @input=${this.typed("summary")}></textarea>
        </div>
        ${languageChoice(
          likely(this.me.person.school?.country),
          languages,
          this.allLanguages,
          (codes) => this.change({ languages: codes }),
          () => {
            this.allLanguages = true;
          },
        )}
        ${kind === "project" ? this.bands(age_band) : nothing}
        <p class="error" role="alert">${this.failed}</p>
        <button class="button primary wide" aria-busy=${this.busy}>${t(`new.make-${kind}`)}</button>
      </form>`;
  }

  private bands(chosen: string): TemplateResult {
    return html`<fieldset class="choice rows">
      <legend>${t("new.age")}</legend>
      ${BANDS.map(
        (band) => html`<label>
          <input type="radio" name="age_band" value=${band} .checked=${band === chosen} @change=${() => this.change({ age_band: band })} />
          <span><strong>${t(`band.${band}`)}</strong><br /><span class="quiet">${t(`band.${band}-means`)}</span></span>
        </label>`,
      )}
    </fieldset>`;
  }

  private typed(part: "title" | "summary"): (event: InputEvent) => void {
    return (event) => this.change({ [part]: (event.target as HTMLInputElement).value });
  }

  private async submit(event: SubmitEvent): Promise<void> {
    event.preventDefault();
    if (this.busy) return;
    const { kind, title, summary, languages, age_band } = this.draft;
    if (!title.trim()) return this.complain(t("new.need-name"), "#title");
    if (!summary.trim()) return this.complain(t("new.need-about"), "#summary");
    if (languages.length === 0) return this.complain(t("new.need-language"), "[name=languages]");
    this.busy = true;
    this.failed = "";
    try {
      const { id, status } = await api.post<{ id: string; status: string }>("/api/spaces", {
        kind,
        title: title.trim(),
        summary: summary.trim(),
        languages,
        age_band: kind === "group" ? "adults" : age_band,
      });
      sessionStorage.removeItem(this.place);
      focusNextHeading();
      this.made = { id, kind, title: title.trim(), status };
      await refresh().catch(() => {});
    } catch (error) {
      this.failed = explain(error);
    }
    this.busy = false;
    if (this.made?.kind === "project") await this.invite(this.made.id);
  }

  private complain(words: string, field: string): void {
    this.failed = words;
    this.querySelector<HTMLElement>(field)?.focus();
  }

  private async invite(space: string): Promise<void> {
    this.failed = "";
    try {
      this.token = await partnerToken(space);
    } catch (error) {
      this.failed = explain(error);
    }
  }

  private next({ id, kind, title, status }: Made): TemplateResult {
    const open = html`<p><a class="button ${kind === "group" ? "primary" : ""}" href=${path.space(id)}>${t("new.see", { title })}</a></p>`;
    if (kind === "group")
      return html`<h1>${t(status === "open" ? "new.group-open" : "new.group-waits")}</h1>
        <p>${t(status === "open" ? "new.group-open-text" : "new.group-waits-text", { title })}</p>
        ${open}`;
    return html`<h1>${t("new.partner")}</h1>
      <p>${t("new.partner-text", { title })}</p>
      ${
        this.token
          ? html`<ts-link
                .url=${linkOf(this.token)}
                .words=${t("new.partner-link")}
                .message=${t("new.partner-message", { title })}
              ></ts-link>
              <p class="hint">${t("new.partner-days", { count: PARTNER_DAYS })}</p>`
          : this.failed
            ? html`<p class="error" role="alert">${this.failed}</p>
                <p><button class="button primary" @click=${() => this.invite(id)}>${t("new.partner-make")}</button></p>`
            : html`<div aria-busy="true"></div>`
      }
      <ol class="steps">
        <li>${t("new.step-send")}</li>
        <li>${t("new.step-accept")}</li>
        <li>${t("new.step-open")}</li>
      </ol>
      ${open}`;
  }
}

function kept(place: string): Partial<Draft> {
  try {
    return JSON.parse(sessionStorage.getItem(place) ?? "{}") as Partial<Draft>;
  } catch {
    return {};
  }
}

customElements.define("ts-new", NewSpace);
