import { html, nothing, type TemplateResult } from "lit";
import { ApiError, explain } from "../api/client.ts";
import { CARD_WORDS, codeOf, countOf, isWhole, wordsOf } from "../code.ts";
import { t } from "../i18n/index.ts";
import { go, path } from "../router.ts";
import { type Credentials, logIn, me } from "../session.ts";
import { icon } from "../ui/icons.ts";
import { brandMark } from "../ui/marks.ts";
import { View } from "../ui/view.ts";

type Tab = "code" | "password";
const TABS: Tab[] = ["code", "password"];
const LAST_TAB = "twinspace.login";

class Login extends View {
  static override properties = {
    tab: { state: true },
    typed: { state: true },
    failed: { state: true },
    busy: { state: true },
    visible: { state: true },
  };

  declare tab: Tab;
  declare typed: string;
  declare failed: string;
  declare busy: boolean;
  declare visible: boolean;

  constructor() {
    super();
    this.tab = localStorage.getItem(LAST_TAB) === "password" ? "password" : "code";
    this.typed = "";
    this.failed = "";
    this.busy = false;
    this.visible = false;
  }

  protected override render(): TemplateResult {
    return html`<main id="main" class="narrow login" tabindex="-1">
      <h1>${t("login.title")}</h1>
      <p class="lead">${t("login.lead")}</p>
      <div class="card">
        <div class="tabs" role="tablist" aria-label=${t("login.how")} @keydown=${this.arrow}>
          ${TABS.map(
            (tab) => html`<button
              role="tab"
              id="tab-${tab}"
              aria-controls="panel"
              aria-selected=${this.tab === tab}
              tabindex=${this.tab === tab ? 0 : -1}
              @click=${() => this.choose(tab)}
            >
              ${icon(tab === "code" ? "key" : "me")}${t(`login.tab-${tab}`)}
            </button>`,
          )}
        </div>
        <div id="panel" role="tabpanel" aria-labelledby="tab-${this.tab}">
          ${this.tab === "code" ? this.codeForm() : this.passwordForm()}
        </div>
      </div>
    </main>`;
  }

  private codeForm(): TemplateResult {
    const words = wordsOf(this.typed);
    const ready = isWhole(words);
    return html`<form class="stack" novalidate @submit=${this.submitCode}>
      <div class="field">
        <label for="code">${t("login.code")}</label>
        <p class="hint" id="code-hint">${t("login.code-hint", { count: CARD_WORDS })}</p>
        <textarea
          id="code"
          name="code"
          rows="2"
          autocapitalize="none"
          autocomplete="off"
          autocorrect="off"
          spellcheck="false"
          enterkeyhint="go"
          aria-describedby="code-hint code-count"
          aria-invalid=${this.failed ? "true" : "false"}
          .value=${this.typed}
          @input=${(event: InputEvent) => {
            this.typed = (event.target as HTMLTextAreaElement).value;
            this.failed = "";
          }}
          @keydown=${(event: KeyboardEvent) => {
            if (event.key === "Enter" && !event.isComposing) {
              event.preventDefault();
              (event.target as HTMLTextAreaElement).form?.requestSubmit();
            }
          }}
        ></textarea>
        <div class="chips" aria-hidden="true">
          ${Array.from({ length: Math.max(CARD_WORDS, words.length) }, (_, at) =>
            words[at]
              ? html`<span class="chip">${words[at]}</span>`
              : html`<span class="chip empty">${at + 1}</span>`,
          )}
        </div>
        <p class="hint" id="code-count" aria-live="polite">
          ${words.length === 0 ? nothing : t(ready ? "login.code-ready" : "login.code-count", { count: countOf(words), of: CARD_WORDS })}
        </p>
      </div>
      ${this.error()}
      <button class="button primary wide" aria-busy=${this.busy}>${t("login.enter")}</button>
      <p class="hint">${t("login.no-card")}</p>
    </form>`;
  }

  private passwordForm(): TemplateResult {
    return html`<form class="stack" novalidate @submit=${this.submitPassword}>
      <div class="field">
        <label for="email">${t("login.email")}</label>
        <input id="email" name="email" type="email" autocomplete="username" inputmode="email" required />
      </div>
      <div class="field">
        <label for="password">${t("login.password")}</label>
        <div class="joined">
          <input
            id="password"
            name="password"
            type=${this.visible ? "text" : "password"}
            autocomplete="current-password"
            required
          />
          <button
            type="button"
            class="button"
            aria-pressed=${this.visible}
            @click=${() => {
              this.visible = !this.visible;
            }}
          >
            ${icon("eye")}<span class="sr">${t("login.show-password")}</span>
          </button>
        </div>
      </div>
      ${this.error()}
      <button class="button primary wide" aria-busy=${this.busy}>${t("login.enter")}</button>
      <p class="hint">${t("login.forgotten")}</p>
    </form>`;
  }

  private error(): TemplateResult {
    return html`<p class="error" role="alert">${this.failed}</p>`;
  }

  private arrow(event: KeyboardEvent): void {
    if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
    event.preventDefault();
    const other = this.tab === "code" ? "password" : "code";
    this.choose(other);
    this.querySelector<HTMLElement>(`#tab-${other}`)?.focus();
  }

  private choose(tab: Tab): void {
    this.tab = tab;
    this.failed = "";
    localStorage.setItem(LAST_TAB, tab);
  }

  private submitCode(event: SubmitEvent): void {
    event.preventDefault();
    const words = wordsOf(this.typed);
    if (!isWhole(words)) {
      this.failed = t("login.code-short", { count: CARD_WORDS, typed: countOf(words) });
      this.querySelector<HTMLElement>("#code")?.focus();
      return;
    }
    void this.send({ method: "code", code: codeOf(this.typed) });
  }

  private submitPassword(event: SubmitEvent): void {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const email = String(form.get("email")).trim();
    const password = String(form.get("password"));
    if (!email || !password) {
      this.failed = t("login.both");
      this.querySelector<HTMLElement>(email ? "#password" : "#email")?.focus();
      return;
    }
    void this.send({ method: "password", email, password });
  }

  private async send(credentials: Credentials): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    this.failed = "";
    try {
      await logIn(credentials);
    } catch (error) {
      this.failed = refusal(error, credentials.method);
      this.querySelector<HTMLElement>(credentials.method === "code" ? "#code" : "#password")?.focus();
    }
    this.busy = false;
  }
}

function refusal(error: unknown, method: Credentials["method"]): string {
  return error instanceof ApiError && error.status === 401 ? t(`login.wrong-${method}`) : explain(error);
}

/** Where the QR of a card leads: /card#words. One tap and the pupil is in. */
class CardLogin extends View {
  static override properties = { failed: { state: true }, busy: { state: true }, words: { state: true } };

  declare failed: string;
  declare busy: boolean;
  declare words: string[];

  constructor() {
    super();
    this.failed = "";
    this.busy = false;
    this.words = [];
  }

  /** The code leaves the address bar and the history at once. */
  override connectedCallback(): void {
    super.connectedCallback();
    this.words = wordsOf(location.hash);
    history.replaceState(null, "", location.pathname);
    if (this.words.length === 0) go(path.login, true);
  }

  protected override render(): TemplateResult {
    const now = me()?.person.name;
    return html`<main id="main" class="narrow login" tabindex="-1">
      <div class="card stack centre">
        <div class="big-mark">${brandMark()}</div>
        <h1>${t("card.title")}</h1>
        <p class="chips">
          ${this.words.slice(0, 2).map((word) => html`<span class="chip">${word}</span>`)}
          <span class="sr">${t("card.and-more")}</span><span aria-hidden="true">…</span>
        </p>
        ${now ? html`<p class="note">${t("card.instead", { name: now })}</p>` : nothing}
        <p class="error" role="alert">${this.failed}</p>
        <button class="button primary wide" aria-busy=${this.busy} @click=${this.enter}>${t("card.yes")}</button>
        <a class="button quiet wide" href=${path.login}>${t("card.no")}</a>
      </div>
    </main>`;
  }

  private async enter(): Promise<void> {
    if (this.busy) return;
    this.busy = true;
    this.failed = "";
    try {
      await logIn({ method: "code", code: this.words.join("-") });
      go(path.home, true);
    } catch (error) {
      this.failed = error instanceof ApiError && error.status === 401 ? t("card.wrong") : explain(error);
    }
    this.busy = false;
  }
}

customElements.define("ts-login", Login);
customElements.define("ts-card", CardLogin);
