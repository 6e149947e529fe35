import { html, nothing, type TemplateResult } from "lit";
import { t } from "../i18n/index.ts";
import type { Scene } from "./post.ts";
import type { ShownPost } from "./types.ts";

/** A poll: where one votes, or what is known of the votes. Numbers are for adults among themselves, and staff. */
export function drawPoll(post: ShownPost, scene: Scene): TemplateResult | typeof nothing {
  if (!post.options) return nothing;
  const { can, my_votes = {} } = scene.thread ?? {};
  const mine = post.votes?.findIndex((voters) => voters.includes(scene.mine)) ?? my_votes[post.id] ?? -1;
  const may = can?.post === true && !post.closed;
  const looks = scene.open.has(`results ${post.id}`) || (mine >= 0 && !scene.open.has(`vote ${post.id}`));
  return may && !looks
    ? form(post, post.options, mine, scene)
    : answers(post, post.options, mine, may, scene);
}

/** How many have chosen each option, if I am told. */
const counted = (post: ShownPost, { thread }: Scene): number[] | undefined =>
  post.votes?.map((voters) => voters.length) ?? thread?.votes?.[post.id];

function answers(
  post: ShownPost,
  options: readonly string[],
  mine: number,
  may: boolean,
  scene: Scene,
): TemplateResult {
  const counts = counted(post, scene);
  const all = Math.max(1, counts?.reduce((sum, count) => sum + count, 0) ?? 1);
  const ordered = !counts && post.chosen ? post.chosen : options.map((_, at) => at);
  const words = post.closed
    ? t(counts ? "poll.is-closed" : "poll.order")
    : counts || mine < 0
      ? ""
      : t("poll.later");
  return html`<div class="poll">
    ${post.closed ? html`<p class="quiet">${words}</p>` : nothing}
    <ol role="list">
      ${ordered.map((at) => {
        const count = counts?.[at] ?? 0;
        const said = [counts && t("poll.votes", { count }), at === mine && t("poll.mine")].filter(Boolean);
        return html`<li class=${at === mine ? "chosen" : ""}>
          <span class="poll-words"
            ><span>${options[at]}</span><span class="quiet">${said.join(" · ")}</span></span
          >
          ${counts ? html`<meter min="0" max=${all} value=${count} aria-hidden="true"></meter>` : nothing}
        </li>`;
      })}
    </ol>
    ${!post.closed && words ? html`<p class="quiet">${words}</p>` : nothing}
    ${may || mayClose(post, scene) ? html`<div class="row">${may ? again(post, mine, scene) : nothing} ${closing(post, scene)}</div>` : nothing}
  </div>`;
}

function form(post: ShownPost, options: readonly string[], mine: number, scene: Scene): TemplateResult {
  return html`<form
    class="poll"
    @submit=${(event: SubmitEvent) => {
      event.preventDefault();
      const option = new FormData(event.currentTarget as HTMLFormElement).get("option");
      if (option !== null) scene.vote(post, Number(option));
    }}
  >
    <fieldset class="choice rows">
      <legend>${t("poll.legend")}</legend>
      ${options.map(
        (option, at) => html`<label>
          <input type="radio" name="option" value=${at} ?checked=${at === mine} required /><span>${option}</span>
        </label>`,
      )}
    </fieldset>
    <div class="row">
      <button class="button">${t("poll.vote")}</button>
      ${
        scene.thread?.can.approve
          ? html`<button class="button quiet" type="button" @click=${() => scene.toggle(`results ${post.id}`)}>${t("poll.results")}</button>`
          : nothing
      }
      ${closing(post, scene)}
    </div>
  </form>`;
}

const again = (post: ShownPost, mine: number, scene: Scene): TemplateResult =>
  html`<button class="button quiet" @click=${() => scene.toggle(mine >= 0 ? `vote ${post.id}` : `results ${post.id}`)}>
    ${t(mine >= 0 ? "poll.change" : "poll.vote")}
  </button>`;

/** Teachers end a poll, and whoever has made it. */
const mayClose = (post: ShownPost, { mine, thread }: Scene): boolean =>
  !post.closed && (thread?.can.pin === true || (post.author === mine && thread?.can.post === true));

const closing = (post: ShownPost, scene: Scene): TemplateResult | typeof nothing =>
  mayClose(post, scene)
    ? html`<button class="button quiet" type="button" aria-haspopup="dialog" @click=${() => scene.closePoll(post)}>
        ${t("poll.close")}
      </button>`
    : nothing;
