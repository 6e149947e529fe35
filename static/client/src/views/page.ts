import { html, nothing, type TemplateResult } from "lit";
import { keyed } from "lit/directives/keyed.js";
import type { Me, Page, Space } from "../api/types.ts";
import type { PageState } from "../editor/index.ts";
import { has, moment, t } from "../i18n/index.ts";
import { pathTo } from "../pages/tree.ts";
import { path } from "../router.ts";
import { announce } from "../ui/announce.ts";
import { icon } from "../ui/icons.ts";
import { View } from "../ui/view.ts";
import { manageable, marks } from "./page-tree.ts";

/** One page: where it lies, what it is called, who may change it, and the editor. */
class PageView extends View {
  static override properties = {
    me: { attribute: false },
    space: { attribute: false },
    pages: { attribute: false },
    pageId: { attribute: false },
    socket: { attribute: false },
    ready: { state: true },
    broken: { state: true },
    whose: { state: true },
    until: { state: true },
  };

  declare me: Me;
  declare space: Space;
  declare pages: Page[];
  declare pageId: string;
  declare socket: unknown;
  /** The kind of page for which the code is here. */
  declare ready: Page["kind"] | "";
  declare broken: boolean;
  /** The list of who wrote what is open. */
  declare whose: boolean;
  /** Until when I may not write, if the line to the page says so. */
  declare until: number | null;

  private asked: Page["kind"] | "" = "";

  constructor() {
    super();
    this.ready = "";
    this.broken = false;
    this.whose = false;
    this.until = null;
  }

  protected override willUpdate(): void {
    const page = this.pages.find(({ id }) => id === this.pageId);
    if (page && page.kind !== this.asked) this.fetchEditor(page.kind);
  }

  private fetchEditor(kind: Page["kind"]): void {
    this.asked = kind;
    this.broken = false;
    (kind === "board" ? import("../board/index.ts") : import("../editor/index.ts")).then(
      () => {
        this.ready = kind;
      },
      () => {
        this.broken = true;
      },
    );
  }

  protected override render(): TemplateResult {
    const page = this.pages.find((each) => each.id === this.pageId);
    if (!page) {
      return html`<main id="main" class="page" tabindex="-1">
        <h1>${t("page.gone-title")}</h1>
        <p>${t("page.gone")}</p>
        <p><a class="button primary" href=${path.space(this.space.id)}>${t("page.back-to", { title: this.space.title })}</a></p>
      </main>`;
    }
    const above = pathTo(this.pages, page.id).slice(0, -1);
    return html`<main id="main" class="page" tabindex="-1">
      <nav class="crumbs" aria-label=${t("page.where")}>
        <ol role="list">
          <li><a href=${path.space(this.space.id)}>${this.space.title}</a></li>
          ${above.map((each) => html`<li><a href=${path.page(this.space.id, each.id)}>${each.title}</a></li>`)}
        </ol>
      </nav>
      <header class="page-head">
        <h1>${page.title}</h1>
        <span class="page-marks">${marks(page)}</span>
        <span class="grow"></span>
        <div class="page-tools">
          <button
            class="button icon quiet"
            aria-expanded=${String(this.whose)}
            aria-label=${t("page.whose")}
            title=${t("page.whose")}
            @mousedown=${(event: Event) => event.preventDefault()}
            @click=${this.toggleAuthors}
          >
            ${icon("people")}
          </button>
          ${
            page.can.lock
              ? html`<button class="button" @click=${() => this.ask("lock-page", page)}>${icon(page.lock ? "unlock" : "lock")}<span class="wide-only">${t(page.lock ? "pages.unlock" : "pages.lock")}</span></button>`
              : nothing
          }
          ${
            manageable(page)
              ? html`<button
                  class="button icon quiet"
                  aria-haspopup="dialog"
                  aria-label=${t("pages.manage", { title: page.title })}
                  @click=${() => this.ask("manage-page", page)}
                >
                  ${icon("more")}
                </button>`
              : nothing
          }
        </div>
      </header>
      ${this.notice(page)}
      ${
        this.whose
          ? keyed(
              page.id,
              html`<ts-authors .page=${page} .space=${this.space} @close-authors=${this.toggleAuthors}></ts-authors>`,
            )
          : nothing
      }
      ${this.editor(page)}
    </main>`;
  }

  private toggleAuthors = async (): Promise<void> => {
    try {
      if (!this.whose) await (await import("../teach/index.ts")).ready;
      this.whose = !this.whose;
    } catch {
      announce(t("error.unreachable"));
    }
  };

  private ask(what: "manage-page" | "lock-page", page: Page): void {
    this.dispatchEvent(new CustomEvent(what, { detail: page }));
  }

  /** Why I cannot write here, if I cannot; and the lock, for those whom it does not stop. */
  private notice(page: Page): TemplateResult | typeof nothing {
    if (page.lock) {
      const { by, until, reason } = page.lock;
      const who = until
        ? t("page.locked-until", { name: by, time: moment(until) })
        : t("page.locked", { name: by });
      return html`<div class="note wait">
        ${icon("lock")}
        <div>
          <p><strong>${who}</strong></p>
          ${reason ? html`<p>${t("page.lock-reason", { reason })}</p>` : nothing}
          ${page.scope === "read-write" ? html`<p>${t("page.lock-not-you")}</p>` : nothing}
        </div>
      </div>`;
    }
    if (page.scope === "read-write") return nothing;
    if (page.reason === "space-frozen") return nothing;
    if (page.reason === "muted" && this.until) {
      return html`<div class="note">${icon("eye")}<p>${t("reason.muted-until", { time: moment(this.until) })}</p></div>`;
    }
    const ruled = page.reason === "role" || page.reason === "policy";
    const key = `reason.${ruled ? page.edit_rule : page.reason}`;
    return html`<div class="note">${icon("eye")}<p>${t(has(key) ? key : ruled ? "reason.role" : "reason.readonly")}</p></div>`;
  }

  private editor(page: Page): TemplateResult {
    if (this.broken) {
      return html`<div class="note wait">
        ${icon("offline")}
        <div><p>${t("page.no-editor")}</p><button class="button" @click=${() => this.fetchEditor(page.kind)}>${t("trouble.again")}</button></div>
      </div>`;
    }
    if (this.ready !== page.kind || !this.socket)
      return html`<div class="editor-wait" aria-busy="true"></div>`;
    const { person } = this.me;
    const writer = {
      id: person.id,
      name: person.name,
      role: this.space.my_role,
      school: person.school?.name ?? "",
      membership: this.space.my_membership,
    };
    const told = (event: CustomEvent<PageState>) => {
      this.until = event.detail.until;
    };
    return html`${keyed(
      page.document,
      page.kind === "board"
        ? html`<ts-board
            .page=${page}
            .me=${writer}
            .socket=${this.socket}
            @editor-state=${told}
          ></ts-board>`
        : html`<ts-editor
            .page=${page}
            .me=${writer}
            .socket=${this.socket}
            @editor-state=${told}
          ></ts-editor>`,
    )}`;
  }
}

customElements.define("ts-page", PageView);
