import { html, nothing, type TemplateResult } from "lit";
import { api } from "../api/client.ts";
import { has, registerCatalogue, t } from "../i18n/index.ts";
import { connection, NEWS } from "../net.ts";
import { path } from "../router.ts";
import { adopt } from "../styles/adopt.ts";
import { announce } from "../ui/announce.ts";
import { View } from "../ui/view.ts";
import css from "./bell.css";
import type { News } from "./news.ts";

adopt(css);

void registerCatalogue({
  en: () => import("./i18n/bell/en.ts"),
  es: () => import("./i18n/bell/es.ts"),
  pt: () => import("./i18n/bell/pt.ts"),
});

const TURN_MS = 60_000;
/** Where a space's socket tells of what is new, the rest (what waited for the morning) has more time. */
const TURNS_IN_A_SPACE = 5;
const MOST_SHOWN = 99;

/** The way to what is new, with the number of what is unread. */
class Bell extends View {
  static override properties = { unread: { state: true } };

  declare unread: number;

  /** Id of the newest that this tab has heard of; undefined before the first answer. */
  private newest: string | undefined;
  private turn = 0;
  private timer: ReturnType<typeof setInterval> | undefined;
  private later: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    super();
    this.unread = 0;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    addEventListener(NEWS, this.soon);
    addEventListener("focus", this.soon);
    document.addEventListener("visibilitychange", this.soon);
    this.timer = setInterval(this.look, TURN_MS);
    void this.fetch();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    removeEventListener(NEWS, this.soon);
    removeEventListener("focus", this.soon);
    document.removeEventListener("visibilitychange", this.soon);
    clearInterval(this.timer);
    clearTimeout(this.later);
  }

  /** Many notices at once are one fetch. */
  private soon = (): void => {
    clearTimeout(this.later);
    if (!document.hidden) this.later = setTimeout(() => void this.fetch(), 150);
  };

  private look = (): void => {
    if (document.hidden) return;
    const told = connection() === "connected" && location.pathname.startsWith("/spaces/");
    if (++this.turn % (told ? TURNS_IN_A_SPACE : 1) === 0) void this.fetch();
  };

  private async fetch(): Promise<void> {
    let news: News;
    try {
      news = await api.get<News>("/api/me/notifications?most=1");
    } catch {
      return; // The number stays as it is.
    }
    const [last] = news.notifications;
    const isNew = this.newest !== undefined && last && !last.read && last.id !== this.newest;
    this.newest = last?.id ?? "";
    this.unread = news.unread;
    if (isNew) announce(t("bell.heard", { count: news.unread }), { heard: true });
  }

  protected override render(): TemplateResult | typeof nothing {
    if (!has("bell.title")) return nothing;
    const { unread } = this;
    const to = path.office("notifications");
    return html`<a
      class="bell"
      href=${to}
      aria-label=${unread ? t("bell.unread", { count: unread }) : t("bell.title")}
      aria-current=${location.pathname === to ? "page" : nothing}
    >
      <svg class="i" viewBox="0 0 24 24" aria-hidden="true">
        <path d="M6 16.5v-6a6 6 0 0 1 12 0v6l1.5 1.5h-15zM10 21h4M12 4.5V3" />
      </svg>
      ${unread ? html`<span class="waits" aria-hidden="true">${unread > MOST_SHOWN ? `${MOST_SHOWN}+` : unread}</span>` : nothing}
    </a>`;
  }
}

customElements.define("ts-bell", Bell);
