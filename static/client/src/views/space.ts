import { html, nothing, type PropertyValues, type TemplateResult } from "lit";
import { ApiError, api, explain } from "../api/client.ts";
import type { Cockpit, Me, Page, Room, Space } from "../api/types.ts";
import type { Present, SpaceSession } from "../collab/collab.ts";
import type { Talk } from "../discussions/nav/talk.ts";
import { t } from "../i18n/index.ts";
import { manageWords } from "../i18n/manage/index.ts";
import { whenIdle } from "../offline/start.ts";
import { path, type Route } from "../router.ts";
import { ended, isLeaving, me, refresh } from "../session.ts";
import { announce } from "../ui/announce.ts";
import { closeDialogs, openDialog } from "../ui/dialog.ts";
import { icon } from "../ui/icons.ts";
import { tile } from "../ui/marks.ts";
import { trouble } from "../ui/trouble.ts";
import { View } from "../ui/view.ts";
import type { Place } from "./page-actions.ts";
import { pageTree } from "./page-tree.ts";
import { here, spaceHome } from "./space-home.ts";

type Actions = typeof import("./page-actions.ts");
type SpaceRoute = Extract<Route, { space: string }>;

/** Notices that concern nothing of the space itself. */
const TALK = new Set(["threads", "held", "mine", "reports", "notifications"]);
/** Notices that change what waits on the desk of a teacher. */
const DESK = new Set(["held", "reports", "members", "threads", "pages", "space"]);

/** A TwinSpace: its navigation, who is here now, and the part of it that the route names. */
class SpaceFrame extends View {
  static override properties = {
    me: { attribute: false },
    route: { attribute: false },
    space: { state: true },
    pages: { state: true },
    people: { state: true },
    failed: { state: true },
    gone: { state: true },
    version: { state: true },
    session: { state: true },
    talk: { state: true },
    missing: { state: true },
    news: { state: true },
    waits: { state: true },
  };

  declare me: Me;
  declare route: SpaceRoute;
  declare space: Space | undefined;
  declare pages: Page[];
  declare people: Present[];
  declare failed: string;
  /** Why this space is closed to me now, as a sentence. */
  declare gone: string;
  /** Counts the changes of the members, so that the list is fetched again. */
  declare version: number;
  declare session: SpaceSession | undefined;
  declare talk: Talk | undefined;
  /** The code of this part of the space could not be fetched. */
  declare missing: boolean;
  /** Counts what is new for the desk. */
  declare news: number;
  /** How many things wait for this teacher. */
  declare waits: number;

  private socket: unknown;
  private opened = "";
  private redrawSheet: () => void = () => {};
  private later?: ReturnType<typeof setTimeout>;
  private counting?: ReturnType<typeof setTimeout>;

  constructor() {
    super();
    this.pages = [];
    this.people = [];
    this.failed = "";
    this.gone = "";
    this.version = 0;
    this.missing = false;
    this.news = 0;
    this.waits = 0;
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.close();
    if (!me()) void import("../collab/collab.ts").then(({ closeSocket }) => closeSocket());
  }

  protected override willUpdate(changed: PropertyValues): void {
    if (this.opened !== this.route.space) {
      this.close();
      this.opened = this.route.space;
      void this.open();
    }
    if (changed.has("route")) void this.fetchCode();
    this.session?.setPage(this.route.name === "page" ? this.route.page : null);
  }

  protected override updated(): void {
    super.updated();
    this.redrawSheet();
  }

  /** The code of the part that the route names. Without a network it may not be there. */
  private async fetchCode(): Promise<void> {
    const { route } = this;
    this.missing = false;
    try {
      if (route.name === "page") await import("./page.ts");
      if (route.name === "thread") await (await import("../discussions/index.ts")).ready;
      if (route.name === "cockpit") await (await import("../teach/index.ts")).ready;
      if (route.name === "settings") await (await import("../teach/settings.ts")).ready;
      if (route.name === "members") await Promise.all([import("./members.ts"), manageWords()]);
    } catch {
      if (route === this.route) this.missing = true;
    }
  }

  private close(): void {
    this.session?.close();
    this.session = undefined;
    this.talk?.close();
    this.talk = undefined;
    this.opened = "";
    this.people = [];
    this.space = undefined;
    this.pages = [];
    this.gone = "";
    clearTimeout(this.later);
    clearTimeout(this.counting);
    this.waits = 0;
  }

  private async open(): Promise<void> {
    const id = this.opened;
    await this.fetch();
    const space = this.space;
    if (this.opened !== id || !space) return;
    if (this.route.name === "page") whenIdle(() => void this.openTalk(id));
    else void this.openTalk(id);
    const { SpaceSession, getSocket } = await import("../collab/collab.ts");
    if (this.opened !== id || !this.isConnected) return;
    this.socket = getSocket();
    this.session = new SpaceSession(space, this.me, {
      people: (people) => {
        this.people = people;
      },
      changed: (what) => {
        this.talk?.changed(what);
        if (what.includes("members")) this.version++;
        if (what.some((each) => DESK.has(each))) this.countSoon();
        if (what.some((each) => !TALK.has(each))) this.fetchSoon();
      },
      listening: () => {
        this.talk?.changed(["threads", "members", "held", "mine"]);
        this.version++;
        this.countSoon();
        this.fetchSoon();
      },
      ended: (reason) => void this.shut(reason),
    });
    this.session.setPage(this.route.name === "page" ? this.route.page : null);
  }

  private async openTalk(id: string): Promise<void> {
    const nav = await import("../discussions/nav/index.ts").catch(() => undefined);
    if (nav && this.opened === id && this.isConnected) this.talk = new nav.Talk(id, this.me);
  }

  /** Many notices at once are one fetch. */
  private fetchSoon(): void {
    clearTimeout(this.later);
    this.later = setTimeout(() => void this.fetch(), 80);
  }

  private get staff(): boolean {
    return this.space?.my_role === "teacher" || this.space?.my_role === "admin";
  }

  /** For teachers: what is new goes to the desk, or else its number beside the way there. */
  private countSoon(): void {
    clearTimeout(this.counting);
    if (!this.staff) return;
    this.counting = setTimeout(() => {
      this.news++;
      void this.count();
    }, 300);
  }

  private async count(): Promise<void> {
    const id = this.opened;
    try {
      const { counts } = await api.get<Cockpit>(`/api/spaces/${id}/cockpit`);
      if (id === this.opened) this.waits = counts.held + counts.reports;
    } catch {
      // The number stays as it is.
    }
  }

  private async fetch(): Promise<void> {
    const id = this.route.space;
    try {
      const [space, pages] = await Promise.all([
        api.getKnown<Space>(`/api/spaces/${id}`),
        api.getKnown<Page[]>(`/api/spaces/${id}/pages`),
      ]);
      if (id !== this.route.space) return;
      // An officer with a case reads beside the spaces: office/cases.ts.
      if (!space.my_membership) throw new ApiError(404, "", "");
      this.space = space;
      this.pages = pages;
      if (space.status !== "open") import("../office/state.ts").catch(() => {});
      this.failed = "";
    } catch (error) {
      if (id !== this.route.space) return;
      if (error instanceof ApiError && (error.status === 403 || error.status === 404)) {
        this.gone = t(this.space ? "gone.removed" : "gone.not-member");
        this.session?.close();
        this.session = undefined;
      } else if (!this.space) {
        this.failed = explain(error);
      }
    }
  }

  /** The server ended our right to this space, or the whole log-in. */
  private async shut(reason: string): Promise<void> {
    if (!me() || isLeaving()) return;
    const had = this.opened;
    const person = await refresh().catch(() => me());
    if (!this.isConnected) return; // who has left on their own account need not be told
    if (!person) {
      ended();
      announce(t(reason === "logged-out" ? "bye.logged-out" : "bye.session-expired"));
      return;
    }
    if (this.opened !== had || person.spaces.some((space) => space.id === had)) {
      this.fetchSoon();
      return;
    }
    this.gone = t("gone.removed");
    this.session?.close();
    this.session = undefined;
    closeDialogs();
    announce(this.gone);
  }

  protected override render(): TemplateResult {
    if (this.gone) {
      return html`<main id="main" class="narrow" tabindex="-1">
        <h1>${t("gone.title")}</h1>
        <p>${this.gone}</p>
        <p><a class="button primary" href=${path.home}>${t("nav.my-spaces")}</a></p>
      </main>`;
    }
    if (this.failed) return trouble(this.failed, () => this.fetch().then(() => this.space && this.open()));
    if (!this.space) return html`<main id="main" aria-busy="true"></main>`;
    return html`<div class="space">
      <nav class="side" aria-label=${t("nav.space")}>
        <a class="side-head" href=${path.space(this.space.id)}>${tile(this.space.id)}<strong>${this.space.title}</strong></a>
        <ul class="side-links" role="list">
          <li>${this.link("space", path.space(this.space.id), "home", t("nav.home"))}</li>
          <li>${this.link("members", path.members(this.space.id), "people", t("nav.members"))}</li>
          ${this.staff ? html`<li>${this.deskLink(this.space)}</li>` : nothing}
        </ul>
        ${this.trees(this.space)}
      </nav>
      <div class="space-main">${this.frozen(this.space)} ${this.section(this.space)}</div>
      ${this.bottom(this.space)}
    </div>`;
  }

  /** That all is paused, for everybody; a teacher who leads the space can end it. */
  private frozen({ id, frozen, can }: Space): TemplateResult | typeof nothing {
    if (!frozen) return nothing;
    return html`<div class="note wait frozen" role=${this.route.name === "page" ? nothing : "status"}>
      ${icon("lock")}
      <div>
        <p>${t("reason.space-frozen")}</p>
        ${
          can.unfreeze
            ? html`<button class="button" @click=${() => api.delete(`/api/spaces/${id}/freeze`).catch((error) => announce(explain(error)))}>
                ${t("space.unfreeze")}
              </button>`
            : nothing
        }
      </div>
    </div>`;
  }

  private section(space: Space): TemplateResult {
    const { route } = this;
    if (this.missing) return trouble(t("error.unreachable"), () => this.fetchCode());
    if (route.name === "members") {
      return html`<ts-members .me=${this.me} .space=${space} .version=${this.version}></ts-members>`;
    }
    if (route.name === "cockpit" && this.staff) {
      return html`<ts-desk
        .me=${this.me}
        .space=${space}
        .pages=${this.pages}
        .people=${this.people}
        .version=${this.news}
      ></ts-desk>`;
    }
    if (route.name === "settings" && space.can.settings) {
      return html`<ts-settings .space=${space} .version=${this.news}></ts-settings>`;
    }
    if (route.name === "page") {
      return html`<ts-page
        .me=${this.me}
        .space=${space}
        .pages=${this.pages}
        .pageId=${route.page}
        .socket=${this.socket}
        @manage-page=${(event: CustomEvent<Page>) => this.act(({ managePage }, place) => managePage(place, event.detail.id))}
        @lock-page=${(event: CustomEvent<Page>) => this.act(({ toggleLock }) => toggleLock(event.detail))}
      ></ts-page>`;
    }
    if (route.name === "thread") {
      return html`<ts-thread
        .me=${this.me}
        .space=${space}
        .talk=${this.talk}
        .people=${this.people}
        .threadId=${route.thread}
        .socket=${this.socket}
      ></ts-thread>`;
    }
    return spaceHome(
      space,
      this.pages,
      this.people,
      this.me,
      (room) => this.act(({ createPage }, place) => createPage(place, room)),
      html`<ts-talk-home .talk=${this.talk} .space=${space}></ts-talk-home>`,
      (room) => this.rules(room),
    );
  }

  private async rules(room: Room): Promise<void> {
    try {
      const tools = await import("../teach/index.ts");
      await tools.ready;
      if (await tools.manageRoom(room, this.opened)) await this.fetch();
    } catch {
      announce(t("error.unreachable"));
    }
  }

  private deskLink(space: Space): TemplateResult {
    return html`<a href=${path.cockpit(space.id)} aria-current=${this.route.name === "cockpit" ? "page" : nothing}>
      ${icon("check")}<span>${t("nav.desk")}</span>
      ${this.waits ? html`<span class="waits"><span aria-hidden="true">${this.waits}</span><span class="sr">${t("nav.desk-waits", { count: this.waits })}</span></span>` : nothing}
    </a>`;
  }

  private link(name: Route["name"], to: string, sign: "home" | "people", words: string): TemplateResult {
    return html`<a href=${to} aria-current=${this.route.name === name ? "page" : nothing}>${icon(sign)}<span>${words}</span></a>`;
  }

  /** On a phone the way through the space lies under the thumb. */
  private bottom(space: Space): TemplateResult {
    return html`<nav class="bottom" aria-label=${t("nav.bottom")}>
      ${this.link("space", path.space(space.id), "home", t("nav.home"))}
      <button aria-haspopup="dialog" aria-current=${this.route.name === "page" ? "true" : nothing} @click=${this.openTree}>
        ${icon("pages")}<span>${t("nav.pages")}</span>
      </button>
      <button aria-haspopup="dialog" aria-current=${this.route.name === "thread" ? "true" : nothing} @click=${this.openTalkSheet}>
        ${icon("talk")}<span>${t("nav.talk")}</span>
      </button>
      ${this.link("members", path.members(space.id), "people", t("nav.members"))}
      ${this.staff ? this.deskLink(space) : nothing}
      <button aria-haspopup="dialog" @click=${() => this.dispatchEvent(new CustomEvent("open-menu"))}>
        ${icon("me")}<span>${t("nav.me")}</span>
      </button>
    </nav>`;
  }

  private openTree = async (): Promise<void> => {
    await openDialog(
      () => t("nav.pages"),
      (_close, redraw) => {
        this.redrawSheet = redraw;
        return html`<nav class="sheet-tree" aria-label=${t("nav.pages")}>${this.space ? this.trees(this.space) : nothing}</nav>`;
      },
      { className: "sheet" },
    );
    this.redrawSheet = () => {};
  };

  private openTalkSheet = async (): Promise<void> => {
    await openDialog(
      () => t("nav.talk"),
      (_close, redraw) => {
        this.redrawSheet = redraw;
        return html`<nav class="sheet-tree" aria-label=${t("nav.talk")}>
          ${this.space?.rooms.map(
            (room) =>
              html`<section class="room"><h3 class="side-title">${room.title}</h3>${this.roomTalk(room)}</section>`,
          )}
        </nav>`;
      },
      { className: "sheet" },
    );
    this.redrawSheet = () => {};
  };

  /** The discussions of one room, once their code is there. */
  private roomTalk = (room: Room): TemplateResult =>
    html`<ts-talk
      .talk=${this.talk}
      .space=${this.space}
      .room=${room}
      .current=${this.route.name === "thread" ? this.route.thread : null}
    ></ts-talk>`;

  private trees(space: Space): TemplateResult {
    const mine = this.me.person.id;
    return pageTree({
      space,
      pages: this.pages,
      others: here(this.people).filter(({ user }) => user.id !== mine),
      current: this.route.name === "page" ? this.route.page : null,
      create: (room) => void this.act(({ createPage }, place) => createPage(place, room)),
      manage: (page) => void this.act(({ managePage }, place) => managePage(place, page.id)),
      bin: () => void this.act(({ openBin }) => openBin(space)),
      below: this.roomTalk,
    });
  }

  private readonly place: Pick<Place, "pages" | "add"> = {
    pages: () => this.pages,
    add: (page) => {
      this.pages = [...this.pages.filter(({ id }) => id !== page.id), page];
    },
  };

  private async act(run: (actions: Actions, place: Place) => Promise<void>): Promise<void> {
    const { space } = this;
    if (!space) return;
    try {
      const [actions] = await Promise.all([import("./page-actions.ts"), manageWords()]);
      await run(actions, { ...this.place, space });
    } catch {
      announce(t("error.unreachable"));
    }
  }
}

customElements.define("ts-space", SpaceFrame);
