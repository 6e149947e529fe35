import { html, nothing, type TemplateResult } from "lit";
import { api, explain } from "../api/client.ts";
import type { Page, Role, Space } from "../api/types.ts";
import type { Sentence } from "../editor/live.ts";
import { list, moment, t } from "../i18n/index.ts";
import { announce } from "../ui/announce.ts";
import { icon } from "../ui/icons.ts";
import { avatar } from "../ui/marks.ts";
import { View } from "../ui/view.ts";
import { undoPerson } from "./undo.ts";

interface Author {
  membership_id: string | null;
  name: string | null;
  school: string | null;
  role: Role | null;
  characters: number;
  last_at: number | null;
}

type Live = HTMLElement & { sentenceAt(point?: { left: number; top: number }): Sentence | null };

const POINT_MS = 150;
/** The server's record is asked for again at most so often, while somebody unknown to it has written. */
const ASK_AGAIN_MS = 2000;
const LONGEST = 80;

/** Who wrote what on the page beside it, and who wrote the sentence that one points at; by the server's record. */
class Authors extends View {
  static override properties = {
    page: { attribute: false },
    space: { attribute: false },
    authors: { state: true },
    said: { state: true },
    failed: { state: true },
  };

  declare page: Page;
  declare space: Space;
  declare authors: Author[] | undefined;
  declare said: string;
  declare failed: string;

  private whose: Record<string, string | null> = {};
  private asked = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    super();
    this.said = "";
    this.failed = "";
  }

  override connectedCallback(): void {
    super.connectedCallback();
    document.addEventListener("selectionchange", this.atCaret);
    document.addEventListener("pointermove", this.atPointer);
    void this.open();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearTimeout(this.timer);
    document.removeEventListener("selectionchange", this.atCaret);
    document.removeEventListener("pointermove", this.atPointer);
  }

  private async open(): Promise<void> {
    await this.fetch();
    await this.tell(this.editor?.sentenceAt() ?? null);
  }

  /** The page beside this, be it text or a board. */
  private get editor(): Live | null {
    return document.querySelector<Live>("ts-editor, ts-board");
  }

  private async fetch(): Promise<void> {
    this.asked = Date.now();
    try {
      const [authors, whose] = await Promise.all([
        api.get<Author[]>(`/api/pages/${this.page.id}/authors`),
        api.get<Record<string, string | null>>(`/api/pages/${this.page.id}/authorship`),
      ]);
      this.authors = authors;
      this.whose = whose;
      this.failed = "";
    } catch (error) {
      this.failed = explain(error);
    }
  }

  private atCaret = (): void => {
    if (this.editor?.contains(document.getSelection()?.anchorNode ?? null)) this.soon();
  };

  private atPointer = (event: PointerEvent): void => {
    if (event.pointerType !== "mouse" || event.buttons) return;
    if (!(event.target as Element).closest?.(".ed-page, .bd-card")) return;
    this.soon({ left: event.clientX, top: event.clientY });
  };

  private soon(place?: { left: number; top: number }): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.tell(this.editor?.sentenceAt(place) ?? null), POINT_MS);
  }

  /** Says who wrote a sentence. Asked by a button, it says also that there is none. */
  private async tell(sentence: Sentence | null, asked = false): Promise<void> {
    if (!sentence) {
      if (asked) announce(t("authors.nothing"));
      return;
    }
    const unknown = sentence.clients.some((client) => !(client in this.whose));
    if (unknown && Date.now() - this.asked > ASK_AGAIN_MS) await this.fetch();
    const ids = new Set(
      sentence.clients.filter((client) => client in this.whose).map((client) => this.whose[client]),
    );
    const names = [...ids].map((id) => this.authors?.find((each) => each.membership_id === id)?.name);
    const text = sentence.text.length > LONGEST ? `${sentence.text.slice(0, LONGEST)}…` : sentence.text;
    this.said = names.length
      ? t("authors.wrote", { names: list(names.map((name) => name ?? t("authors.gone"))), sentence: text })
      : t("authors.unknown", { sentence: text });
  }

  protected override render(): TemplateResult {
    const schools = [...new Set(this.authors?.map(({ school }) => school))];
    return html`<section class="card authors" aria-labelledby="authors-title">
      <header class="authors-head">
        <h2 id="authors-title">${t("authors.title")}</h2>
        <button class="button icon quiet" aria-label=${t("dialog.close")} @click=${() => this.dispatchEvent(new Event("close-authors"))}>
          ${icon("close")}
        </button>
      </header>
      ${this.failed ? html`<p class="error" role="alert">${this.failed}</p>` : nothing}
      ${this.authors?.length === 0 ? html`<p class="quiet">${t("authors.none")}</p>` : nothing}
      ${schools.map(
        (school) => html`<h3>${school ?? t("authors.no-school")}</h3>
          <ul class="member-list" role="list">
            ${this.authors?.filter((each) => each.school === school).map((each) => this.row(each))}
          </ul>`,
      )}
      <div class="whose">
        <p role="status">${this.said || t("authors.how")}</p>
        <button
          class="button"
          @mousedown=${(event: Event) => event.preventDefault()}
          @click=${() => this.tell(this.editor?.sentenceAt() ?? null, true)}
        >
          ${icon("eye")}${t("page.whose")}
        </button>
      </div>
    </section>`;
  }

  private row({ membership_id: id, name, characters, last_at: at }: Author): TemplateResult {
    const words = name ?? t("authors.gone");
    const staff = this.space.my_role === "teacher" || this.space.my_role === "admin";
    return html`<li>
      ${avatar(words)}
      <span class="grow">
        <span>${words}</span>
        <span class="quiet">
          ${t("authors.share", { count: characters })}${at ? html` · ${t("authors.last", { time: moment(at) })}` : nothing}
        </span>
      </span>
      ${
        staff && id && name
          ? html`<button
              class="button"
              aria-haspopup="dialog"
              aria-label=${t("undo.do-name", { name })}
              @click=${async () => (await undoPerson(id, name, [this.page])) && this.fetch()}
            >
              ${t("undo.submit")}
            </button>`
          : nothing
      }
    </li>`;
  }
}

customElements.define("ts-authors", Authors);
