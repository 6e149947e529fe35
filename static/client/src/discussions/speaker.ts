import type { Present } from "../collab/collab.ts";
import { list, t } from "../i18n/index.ts";
import { announce } from "../ui/announce.ts";

const KEY = "twinspace.speak-posts";
/** What comes within so many ms is said together. */
const GATHER_MS = 1500;
/** Whoever shows up this soon after me was there before. */
const ARRIVAL_MS = 4000;

/** Tells those who listen instead of look about new posts and new people, unless they want it quiet. */
export class Speaker {
  private news: { name: string; text: string }[] = [];
  private came: string[] = [];
  private present: Map<string, string> | undefined;
  private since = 0;
  private timer: ReturnType<typeof setTimeout> | undefined;

  get speaks(): boolean {
    return localStorage.getItem(KEY) !== "off";
  }

  set speaks(on: boolean) {
    localStorage.setItem(KEY, on ? "on" : "off");
    if (!on) this.stop();
  }

  posts(news: readonly { name: string; text: string }[]): void {
    if (news.length === 0 || !this.speaks) return;
    this.news.push(...news);
    this.soon();
  }

  /** Who is in the space now; those who were not before have come in. */
  hereAre(people: readonly Present[], mine: string): void {
    const now = new Map(
      people.filter(({ user }) => user.id !== mine).map(({ user }) => [user.id, user.name] as const),
    );
    const before = this.present;
    this.present = now;
    if (!before) this.since = Date.now();
    if (!before || !this.speaks || Date.now() - this.since < ARRIVAL_MS) return;
    const came = [...now].filter(([id]) => !before.has(id)).map(([, name]) => name);
    this.came = [...this.came, ...came];
    if (came.length > 0) this.soon();
  }

  /** Takes back what was just said, or is about to be: it may have been hidden. */
  unsay(): void {
    this.stop();
    announce("", { heard: true });
  }

  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.news = [];
    this.came = [];
  }

  private soon(): void {
    this.timer ??= setTimeout(() => {
      const { news, came } = this;
      this.stop();
      const names = (all: readonly string[]) => list([...new Set(all)].slice(0, 5));
      const said: string[] = [];
      const [first] = news;
      if (first && news.length === 1) said.push(t("say.post", first));
      else if (first)
        said.push(t("say.posts", { count: news.length, names: names(news.map(({ name }) => name)) }));
      if (came.length > 0) said.push(t("say.came", { count: new Set(came).size, names: names(came) }));
      announce(said.join(". "), { heard: true });
    }, GATHER_MS);
  }
}
