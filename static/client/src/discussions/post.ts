import { html, nothing, type TemplateResult } from "lit";
import { moment, t } from "../i18n/index.ts";
import { icon } from "../ui/icons.ts";
import { avatar } from "../ui/marks.ts";
import { plain } from "./markdown.ts";
import { glyph } from "./marks.ts";
import type { People, Somebody } from "./people.ts";
import { drawPoll } from "./poll.ts";
import type { Mark, ShownPost, Thread } from "./types.ts";
import { drawWords } from "./words.ts";

/** So long authors may change their post. */
export const EDIT_SECONDS = 15 * 60;
const LONGEST_QUOTE = 110;

/** What a post needs to know to be drawn, and what its buttons do. */
export interface Scene {
  /** My membership id. */
  mine: string;
  admin: boolean;
  people: People;
  thread: Thread | undefined;
  /** Unix seconds. */
  now: number;
  get(id: string): ShownPost | undefined;
  blocked(person: Somebody): boolean;
  /** Posts whose reactions are open, or whose results, vote, hidden words or blocked words are shown. */
  open: ReadonlySet<string>;
  originals: ReadonlyMap<string, string>;
  toggle(what: string): void;
  react(post: ShownPost, mark: Mark, on: boolean): void;
  vote(post: ShownPost, option: number): void;
  closePoll(post: ShownPost): void;
  reply(post: ShownPost): void;
  report(post: ShownPost): void;
  more(post: ShownPost): void;
  restore(post: ShownPost): void;
  original(post: ShownPost): void;
  jump(post: string): void;
}

export const mayEdit = ({ mine, thread, now }: Scene, post: ShownPost): boolean =>
  post.author === mine && !post.hidden && thread?.can.post === true && now - post.at < EDIT_SECONDS;

/** Teachers hide posts of pupils and guests, admins those of all, and everybody their own. */
export function mayHide({ mine, thread, admin, people }: Scene, post: ShownPost): boolean {
  if (post.hidden) return false;
  if (post.author === mine) return true;
  return thread?.can.hide === true && (admin || !people.who(post.author).teacher);
}

export function mayRestore(scene: Scene, post: ShownPost): boolean {
  if (!post.hidden) return false;
  if (post.hidden_by === scene.mine && post.author === scene.mine) return true;
  return scene.thread?.can.hide === true && (scene.admin || !scene.people.who(post.author).teacher);
}

export const mayBlock = ({ mine }: Scene, post: ShownPost, who: Somebody): boolean =>
  post.author !== mine && who.person !== "" && !who.teacher;

export const hasMore = (scene: Scene, post: ShownPost, who: Somebody): boolean =>
  mayEdit(scene, post) || mayHide(scene, post) || mayBlock(scene, post, who);

/** One post of a thread, or what stands in its place. */
export function drawPost(post: ShownPost, scene: Scene): TemplateResult {
  const who = scene.people.who(post.author);
  if (post.hidden) return stub(post, scene);
  if (scene.blocked(who) && !scene.open.has(`blocked ${post.id}`)) {
    return html`<div class="post-line">
      ${icon("eye")}<span class="grow">${t("post.blocked")}</span>
      <button class="button quiet" @click=${() => scene.toggle(`blocked ${post.id}`)}>${t("post.blocked-show")}</button>
    </div>`;
  }
  return html`<article class="post ${post.author === scene.mine ? "mine" : ""}" aria-labelledby="who-${post.id}">
    ${avatar(who.name)}
    <div class="post-main">
      ${byline(`who-${post.id}`, who, post.at, post.edited_at)} ${quote(post, scene)}
      <div class="post-body" lang=${post.language ?? nothing}>
        ${drawWords(
          post.body,
          post.mentions.map((id) => scene.people.name(id)),
        )}
      </div>
      ${drawPoll(post, scene)} ${tools(post, who, scene)}
    </div>
  </article>`;
}

export function byline(id: string, who: Somebody, at: number, edited: number | null = null): TemplateResult {
  return html`<header class="byline">
    <strong id=${id}>${who.name}</strong>
    ${who.teacher ? html`<span class="pill teacher">${t("role.teacher")}</span>` : nothing}
    <span class="quiet"
      >${who.school ? html`${who.school} · ` : nothing}<time datetime=${new Date(at * 1000).toISOString()}
        >${moment(at)}</time
      >${edited ? html` · ${t("post.edited")}` : nothing}</span
    >
  </header>`;
}

function quote(post: ShownPost, scene: Scene): TemplateResult | typeof nothing {
  if (post.reply_to === null) return nothing;
  const first = scene.get(post.reply_to);
  if (!first || first.hidden || scene.blocked(scene.people.who(first.author))) {
    return html`<p class="answers">${glyph("reply")}<span>${t("post.answers-hidden")}</span></p>`;
  }
  return html`<button class="answers" @click=${() => scene.jump(first.id)}>
    ${glyph("reply")}<span lang=${first.language ?? nothing}
      >${t("post.answers", { name: scene.people.name(first.author), text: plain(first.body, LONGEST_QUOTE) })}</span
    >
  </button>`;
}

function stub(post: ShownPost, scene: Scene): TemplateResult {
  const own = post.hidden_by !== null && post.hidden_by === post.author;
  const mine = post.author === scene.mine;
  const words = own
    ? t(mine ? "post.hidden-me" : "post.hidden-own")
    : mayRestore(scene, post) && post.hidden_by
      ? t("post.hidden-by", { name: scene.people.name(post.hidden_by) })
      : t("post.hidden");
  const original = scene.originals.get(post.id);
  return html`<div class="post-line hidden-post">
      ${icon("eye")}<span class="grow">${words}</span>
      ${
        mayRestore(scene, post)
          ? html`<button class="button quiet" aria-expanded=${original === undefined ? "false" : "true"} @click=${() => scene.original(post)}>
                ${t(original === undefined ? "post.original" : "post.original-hide")}
              </button>
              <button class="button quiet" @click=${() => scene.restore(post)}>${t("post.restore")}</button>`
          : nothing
      }
    </div>
    ${original === undefined ? nothing : html`<div class="post-body original" lang=${post.language ?? nothing}>${drawWords(original)}</div>`}`;
}

function tools(post: ShownPost, who: Somebody, scene: Scene): TemplateResult {
  const { name } = who;
  const { marks = [], counts = false, my_marks = {} } = scene.thread ?? {};
  const may = scene.thread?.can.post === true;
  const open = scene.open.has(`marks ${post.id}`);
  const given = (mark: Mark) => post.reactions[mark] ?? [];
  const mark = (each: Mark) => {
    const mine = counts ? given(each).includes(scene.mine) : !!my_marks[post.id]?.includes(each);
    const label = t(`post.mark.${each}`);
    const count = given(each).length;
    const shown = counts && count > 0;
    return html`<button
      class="mark-button"
      aria-pressed=${mine ? "true" : "false"}
      ?disabled=${!may}
      title=${label}
      aria-label=${shown ? t("post.mark-count", { mark: label, count }) : label}
      @click=${() => scene.react(post, each, !mine)}
    >
      ${glyph(each)}${shown ? html`<span aria-hidden="true">${count}</span>` : nothing}
    </button>`;
  };
  return html`<footer class="post-tools">
    ${marks.filter((each) => open || post.marks?.includes(each)).map(mark)}
    ${
      may && marks.length > 0
        ? html`<button
            class="button icon quiet"
            aria-expanded=${open ? "true" : "false"}
            aria-label=${t("post.react-to", { name })}
            title=${t("post.react")}
            @click=${() => scene.toggle(`marks ${post.id}`)}
          >
            ${glyph("react")}
          </button>`
        : nothing
    }
    ${
      may
        ? html`<button class="button icon quiet" aria-label=${t("post.reply-to", { name })} title=${t("post.reply")} @click=${() => scene.reply(post)}>
            ${glyph("reply")}
          </button>`
        : nothing
    }
    ${
      post.author !== scene.mine
        ? html`<button class="button icon quiet" aria-haspopup="dialog" aria-label=${t("post.report-of", { name })} title=${t("post.report")} @click=${() => scene.report(post)}>
            ${glyph("flag")}
          </button>`
        : nothing
    }
    ${
      hasMore(scene, post, who)
        ? html`<button class="button icon quiet" aria-haspopup="dialog" aria-label=${t("post.more", { name })} @click=${() => scene.more(post)}>
            ${icon("more")}
          </button>`
        : nothing
    }
  </footer>`;
}
