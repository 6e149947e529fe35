import { html, nothing, type TemplateResult } from "lit";
import { has, list, moment, t } from "../i18n/index.ts";
import { icon } from "../ui/icons.ts";
import { avatar } from "../ui/marks.ts";
import type { Outgoing, Refusal } from "./outbox.ts";
import type { People } from "./people.ts";
import { byline, type Scene } from "./post.ts";
import type { HeldPost, Post } from "./types.ts";
import { drawWords } from "./words.ts";

/** What a filter found, in words for its author. */
function findings(kinds: readonly string[]): TemplateResult | typeof nothing {
  if (kinds.length === 0) return nothing;
  const words = new Set(kinds.map((kind) => t(has(`found.${kind}`) ? `found.${kind}` : "found.other")));
  return html`${[...words].map((each) => html`<p>${each}</p>`)}`;
}

interface WaitingActs {
  again(): void;
  away(): void;
}

/** A post of mine that only I and those who decide see: it waits, or was turned down. */
export function drawWaiting(post: Post, { people, mine }: Scene, acts: WaitingActs): TemplateResult {
  const who = people.who(mine);
  const rejected = post.state === "rejected";
  const edited = post.waiting_body !== null && post.state === "visible";
  return html`<article class="post mine waiting ${rejected ? "rejected" : ""}" aria-labelledby="who-${post.id}-waits">
    ${avatar(who.name)}
    <div class="post-main">
      ${byline(`who-${post.id}-waits`, who, post.at)}
      <p class="pill ${rejected ? "bad" : "wait"}">
        ${icon(rejected ? "close" : "eye")}${t(rejected ? "post.rejected" : edited ? "post.waiting-edit" : "post.waiting")}
      </p>
      <div class="post-body" lang=${post.language ?? nothing}>${drawWords(post.waiting_body ?? post.body)}</div>
      ${
        rejected
          ? html`<div class="post-why">
              <p>
                ${post.decided_because ? t("post.rejected-because", { reason: post.decided_because }) : t("post.rejected-plain")}
              </p>
              ${findings(post.reasons.filter((kind) => kind !== "policy" && kind !== "first"))}
            </div>`
          : html`<div class="post-why">${findings(post.reasons.filter((kind) => kind !== "policy"))}</div>`
      }
      ${
        rejected
          ? html`<div class="row">
              <button class="button" @click=${acts.again}>${t("post.again")}</button>
              <button class="button quiet" @click=${acts.away}>${t("post.put-away")}</button>
            </div>`
          : nothing
      }
    </div>
  </article>`;
}

type Draft = Pick<Outgoing, "key" | "at" | "body" | "language"> & { refused?: Refusal };

interface OutgoingActs extends WaitingActs {
  change(): void;
}

/** A post of mine on its way, or one that the server did not take. */
export function drawOutgoing(
  post: Draft,
  { people, mine }: Scene,
  online: boolean,
  acts?: OutgoingActs,
): TemplateResult {
  const who = people.who(mine);
  const { refused } = post;
  return html`<article class="post mine waiting ${refused ? "rejected" : ""}" aria-labelledby="who-${post.key}">
    ${avatar(who.name)}
    <div class="post-main">
      ${byline(`who-${post.key}`, who, post.at)}
      ${
        refused
          ? html`<p class="pill bad">${icon("close")}${t("post.refused")}</p>`
          : online
            ? html`<p class="quiet" role="status">${t("post.sending")}</p>`
            : html`<p class="pill wait" role="status">${icon("offline")}${t("post.not-sent")}</p>`
      }
      <div class="post-body" lang=${post.language ?? nothing}>${drawWords(post.body)}</div>
      ${
        refused && acts
          ? html`<div class="post-why" role="alert">${whyRefused(refused)}</div>
              <div class="row">
                <button class="button" @click=${acts.change}>${t("post.again")}</button>
                ${refused.code === "blocked" ? nothing : html`<button class="button quiet" @click=${acts.again}>${t("post.send-again")}</button>`}
                <button class="button quiet" @click=${acts.away}>${t("post.throw-away")}</button>
              </div>`
          : nothing
      }
    </div>
  </article>`;
}

function whyRefused({ code, reason, kinds }: Refusal): TemplateResult | typeof nothing {
  if (kinds.length > 0) return findings(kinds);
  const key = [`why.${reason}`, `error.${code}`].find((each) => has(each));
  return html`<p>${t(key ?? "why.title")}</p>`;
}

/** A post that waits for my decision. */
export function drawHeld(
  { post, author_name, author_school, since }: HeldPost,
  people: People,
  acts: { approve(): void; reject(): void },
): TemplateResult {
  const reasons = [...new Set(post.reasons)].map((kind) =>
    t(has(`held.kind.${kind}`) ? `held.kind.${kind}` : "held.kind.other"),
  );
  const names = post.mentions.map((id) => people.name(id));
  return html`<article class="post held-post" aria-labelledby="held-${post.id}">
    ${avatar(author_name)}
    <div class="post-main">
      <header class="byline">
        <strong id="held-${post.id}">${author_name}</strong>
        <span class="quiet">${author_school ? html`${author_school} · ` : nothing}${moment(since)}</span>
      </header>
      ${post.waiting_body === null ? nothing : html`<p class="quiet">${t("held.edit")}</p>`}
      <div class="post-body" lang=${post.language ?? nothing}>${drawWords(post.waiting_body ?? post.body, names)}</div>
      ${post.options ? html`<ul>${post.options.map((option) => html`<li>${option}</li>`)}</ul>` : nothing}
      ${reasons.length > 0 ? html`<p class="quiet">${t("held.found", { reasons: list(reasons) })}</p>` : nothing}
      <div class="row">
        <button class="button primary" @click=${acts.approve}>
          ${icon("check")}<span>${t("held.approve")}<span class="sr">: ${author_name}</span></span>
        </button>
        <button class="button" aria-haspopup="dialog" @click=${acts.reject}>
          <span>${t("held.reject")}<span class="sr">: ${author_name}</span></span>
        </button>
      </div>
    </div>
  </article>`;
}
