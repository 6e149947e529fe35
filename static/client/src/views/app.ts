import { html, nothing, type TemplateResult } from "lit";
import { explain, onSessionLost } from "../api/client.ts";
import type { Me } from "../api/types.ts";
import { LANGUAGES, language, t } from "../i18n/index.ts";
import { manageWords } from "../i18n/manage/index.ts";
import { type Connection, connection, onConnection } from "../net.ts";
import { whenIdle } from "../offline/start.ts";
import { go, path, type Route, startRouter } from "../router.ts";
import { ended, me, onMe, refresh } from "../session.ts";
import { announcers } from "../ui/announce.ts";
import { closeDialogs } from "../ui/dialog.ts";
import { icon } from "../ui/icons.ts";
import { avatar, brandMark } from "../ui/marks.ts";
import { trouble } from "../ui/trouble.ts";
import { focusNextHeading, View } from "../ui/view.ts";
import "./home.ts";
import "./login.ts";
import "./space.ts";

const PATIENCE_MS = 2500;

/** The frame of every screen: the bar at the top, the screen of the route, the voice for announcements. */
export class App extends View {
  static override properties = {
    route: { state: true },
    person: { state: true },
    line: { state: true },
    failed: { state: true },
    ready: { state: true },
    away: { state: true },
  };

  declare route: Route;
  /** Undefined while the server is asked. */
  declare person: Me | null | undefined;
  declare line: Connection;
  declare failed: string;
  declare ready: boolean;
  /** The connection has been missing for longer than a blink. */
  declare away: boolean;

  private patience?: ReturnType<typeof setTimeout>;

  constructor() {
    super();
    this.route = { name: "home" };
    this.person = undefined;
    this.line = "idle";
    this.failed = "";
    this.ready = false;
    this.away = false;
  }

  /** Called once the first words are there. */
  start(): void {
    this.ready = true;
    let first = true;
    startRouter((route) => {
      if (!first) focusNextHeading();
      first = false;
      closeDialogs();
      this.route = route;
      this.load();
    });
    onMe(() => {
      if (this.person !== undefined && !this.person !== !me()) focusNextHeading();
      this.person = me();
      this.load();
    });
    onSessionLost(ended);
    onConnection(() => {
      this.line = connection();
      clearTimeout(this.patience);
      if (this.line === "connected" || this.line === "idle") this.away = false;
      else this.patience = setTimeout(() => this.setAway(), PATIENCE_MS);
    });
    void this.askServer();
  }

  private setAway(): void {
    this.away = true;
  }

  private async askServer(): Promise<void> {
    this.failed = "";
    try {
      await refresh();
    } catch (error) {
      this.failed = explain(error);
    }
  }

  /** Log-in leads home; the code of screens that few need is fetched when one is first opened. */
  private load(): void {
    if (this.person && this.route.name === "login") {
      go(path.home, true);
      return;
    }
    if (this.person) whenIdle(() => import("../office/bell.ts").catch(() => {}));
    // What a page takes comes while the server is asked who this is.
    if (this.route.name === "page" && this.person === undefined)
      for (const code of [import("./page.ts"), import("../collab/collab.ts")]) code.catch(() => {});
    const later: Promise<unknown>[] = [];
    if (this.person && this.route.name === "pupils") later.push(import("./pupils.ts"), manageWords());
    // An invitation is read before its reader logs in.
    if (this.route.name === "office" && (this.person || this.route.id))
      later.push(import("../office/index.ts"));
    Promise.all(later).catch(() => {
      this.failed = t("error.unreachable");
    });
  }

  protected override render(): TemplateResult | typeof nothing {
    if (!this.ready) return nothing;
    return html`<a class="skip" href="#main">${t("app.skip")}</a>
      ${this.top()} ${this.screen()} ${announcers("toast")}`;
  }

  private top(): TemplateResult {
    const person = this.person?.person;
    return html`<header class="top">
      <a class="brand" href=${path.home}>${brandMark()}<span>TwinSpace</span></a>
      <span class="grow"></span>
      ${this.away && person ? html`<span class="pill wait" role="status">${icon("offline")}${t(`line.${this.line}`)}</span>` : nothing}
      ${
        person
          ? html`<ts-bell></ts-bell><button class="me-button" @click=${this.menu} aria-haspopup="dialog">
              ${avatar(person.name)}<span class="me-name">${person.name}</span><span class="sr">: ${t("me.open")}</span>
            </button>`
          : html`<button class="button quiet" @click=${this.menu} aria-haspopup="dialog">
              ${icon("globe")}<span>${LANGUAGES.find(({ code }) => code === language())?.name}</span
              ><span class="sr">: ${t("me.settings")}</span>
            </button>`
      }
    </header>`;
  }

  private menu = async (): Promise<void> => {
    const { openMenu } = await import("./menu.ts");
    await openMenu();
  };

  private screen(): TemplateResult {
    if (this.failed) return trouble(this.failed, () => this.askServer());
    if (this.person === undefined) return html`<main id="main" class="narrow" aria-busy="true"></main>`;
    const { route } = this;
    if (route.name === "card") return html`<ts-card .fallback=${!!this.person}></ts-card>`;
    const open = this.person || (route.name === "office" && route.screen === "invitations");
    if (!open || route.name === "login") return html`<ts-login></ts-login>`;
    switch (route.name) {
      case "home":
        return html`<ts-home .me=${this.person}></ts-home>`;
      case "pupils":
        return html`<ts-pupils .me=${this.person} .school=${route.school}></ts-pupils>`;
      case "office":
        return html`<ts-office .me=${this.person} .screen=${route.screen} .item=${route.id}></ts-office>`;
      case "space":
      case "page":
      case "thread":
      case "members":
      case "cockpit":
      case "settings":
        return html`<ts-space .me=${this.person} .route=${route} @open-menu=${this.menu}></ts-space>`;
      case "unknown":
        return html`<main id="main" class="narrow" tabindex="-1">
          <h1>${t("lost.title")}</h1>
          <p>${t("lost.text")}</p>
          <p><a class="button primary" href=${path.home}>${t("nav.my-spaces")}</a></p>
        </main>`;
    }
  }
}

customElements.define("ts-app", App);
declare global {
  interface HTMLElementTagNameMap {
    "ts-app": App;
  }
}
