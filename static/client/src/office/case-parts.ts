import { html, nothing, type TemplateResult } from "lit";
import { ApiError, api, explain, Unreachable } from "../api/client.ts";
import type { Role } from "../api/types.ts";
import { country, moment, t } from "../i18n/index.ts";
import { announce } from "../ui/announce.ts";
import { ask } from "../ui/dialog.ts";
import { icon } from "../ui/icons.ts";

export interface Case {
  id: string;
  space_id: string;
  space_title: string;
  report_id: string | null;
  ground: string;
  ends_at: number;
  /** Empty while it is open. */
  over: string;
}

export interface Post {
  id: string;
  state: "visible" | "hidden" | "held" | "rejected";
  author_name: string | null;
  author_role: Role | null;
  school: string | null;
  country: string | null;
  body: string;
  options: string[] | null;
  language: string | null;
  at: number;
  reported: boolean;
}

export interface Member {
  id: string;
  name: string;
  role: Role;
  founder: boolean;
  school_id: string | null;
  mute: { until: number | null } | null;
  can: { mute?: boolean; unmute?: boolean; remove?: boolean };
}

/** What was done; nothing when it was not. */
type Did = Promise<string | undefined>;

const DAY = 86_400;
const DAYS = [1, 7, 0] as const;

export const field = (
  name: string,
  label: string,
  { required = true, most = 500, hint = "" } = {},
): TemplateResult => html`<div class="field">
  <label for="ask-${name}">${label}</label>
  ${hint ? html`<p class="hint" id="ask-${name}-hint">${hint}</p>` : nothing}
  <textarea
    id="ask-${name}"
    name=${name}
    rows="3"
    maxlength=${most}
    ?required=${required}
    aria-describedby=${hint ? `ask-${name}-hint` : nothing}
  ></textarea>
</div>`;

export const line = (name: string, label: string, hint = ""): TemplateResult => html`<div class="field">
  <label for="ask-${name}">${label}</label>
  ${hint ? html`<p class="hint" id="ask-${name}-hint">${hint}</p>` : nothing}
  <input
    id="ask-${name}"
    name=${name}
    required
    maxlength="200"
    autocomplete="off"
    aria-describedby=${hint ? `ask-${name}-hint` : nothing}
  />
</div>`;

export function who(role: Role, school: string | null, code: string | null): string {
  const words = t("cases.person", { role: t(`cases.role.${role}`), school: school ?? t("cases.no-school") });
  return code ? `${words} (${country(code)})` : words;
}

export function postLine(post: Post, acts: TemplateResult | typeof nothing): TemplateResult {
  const { state, reported, body } = post;
  const unread = state === "hidden" && !reported ? t("cases.hidden-other") : t("cases.forgotten");
  return html`<li class=${reported ? "reported" : ""} data-post=${post.id}>
    <p class="by">
      <strong>${post.author_name ?? t("cases.somebody")}</strong>
      ${post.author_role ? html`<span class="quiet">${who(post.author_role, post.school, post.country)}</span>` : nothing}
      <span class="quiet">${moment(post.at)}</span>
      ${reported ? html`<span class="pill wait">${t("cases.reported")}</span>` : nothing}
      ${state === "visible" ? nothing : html`<span class="pill">${t(`cases.${state}`)}</span>`}
    </p>
    ${body ? html`<p class="case-body" lang=${post.language ?? nothing}>${body}</p>` : html`<p class="quiet">${unread}</p>`}
    ${post.options ? html`<ul>${post.options.map((option) => html`<li>${option}</li>`)}</ul>` : nothing} ${acts}
  </li>`;
}

/** What is written on a page, read by a case: the log of the space notes it. */
export async function pageText(page: string): Promise<string> {
  const answer = await fetch(`/api/pages/${page}/content?format=text`).catch(() => {
    throw new Unreachable("The server cannot be reached.");
  });
  if (!answer.ok) throw new ApiError(answer.status, "unknown", "");
  return answer.text();
}

export const pageLines = (
  { id, title }: { id: string; title: string },
  words: string | undefined,
): TemplateResult =>
  html`<div class="case-page case-body" role="region" aria-label=${title} tabindex="0" data-page=${id}>${words?.trim() || t("cases.page-empty")}</div>`;

/** To hide a post, or to show it again. `after` hears what was done. */
export function postActs(post: Post, after: (said: string) => unknown): TemplateResult | typeof nothing {
  const does = async (did: Did) => {
    const said = await did;
    if (said) await after(said);
  };
  if (post.state === "visible")
    return html`<div class="actions">
      <button class="button ${post.reported ? "danger" : ""}" aria-haspopup="dialog" @click=${() => does(hide(post))}>${t("cases.hide")}</button>
    </div>`;
  if (post.state !== "hidden" || (post.reported && !post.body)) return nothing;
  return html`<div class="actions">
    <button class="button" @click=${() => does(restore(post))}>${icon("eye")}${t("cases.restore")}</button>
  </div>`;
}

/** To mute a member, and to take one out of the space. `after` hears what was done. */
export function memberActs(
  member: Member,
  after: (said: string) => unknown,
): TemplateResult | typeof nothing {
  const { name, can, mute: muted } = member;
  const does = async (did: Did) => {
    const said = await did;
    if (said) await after(said);
  };
  if (!can.mute && !can.remove) return nothing;
  const named = html`<span class="sr">: ${name}</span>`;
  return html`<div class="actions">
    ${
      muted && can.unmute !== false
        ? html`<button class="button" @click=${() => does(unmute(member))}><span>${t("cases.unmute")}${named}</span></button>`
        : can.mute
          ? html`<button class="button" aria-haspopup="dialog" @click=${() => does(mute(member))}><span>${t("cases.mute")}${named}</span></button>`
          : nothing
    }
    ${
      can.remove
        ? html`<button class="button danger" aria-haspopup="dialog" @click=${() => does(remove(member))}><span>${t("cases.remove")}${named}</span></button>`
        : nothing
    }
  </div>`;
}

export const mutedWords = ({ mute }: Member): string =>
  mute?.until ? t("cases.muted-until", { time: moment(mute.until) }) : t("cases.muted");

// What is done

async function hide({ id, reported }: Post): Did {
  const done = await ask(
    {
      title: t(reported ? "cases.hide-title" : "cases.hide-any-title"),
      text: t("cases.hide-text"),
      fields: field("because", t("cases.because"), { most: 200 }),
      submit: t("cases.hide"),
      danger: true,
    },
    (form) => api.put(`/api/posts/${id}/hidden`, { because: String(form.get("because")).trim() }),
  );
  return done ? t("cases.now-hidden") : undefined;
}

const restore = ({ id }: Post): Did => at(api.delete(`/api/posts/${id}/hidden`), t("cases.now-shown"));

async function mute({ id, name }: Member): Did {
  const done = await ask(
    {
      title: t("cases.mute-title", { name }),
      text: t("cases.mute-text"),
      fields: html`<fieldset class="choice rows">
          <legend>${t("cases.mute-how-long")}</legend>
          ${DAYS.map(
            (days) => html`<label>
              <input type="radio" name="days" value=${days} ?checked=${days === 1} />
              <span>${days > 0 ? t("cases.mute-days", { count: days }) : t("cases.mute-open")}</span>
            </label>`,
          )}
        </fieldset>
        ${line("reason", t("cases.mute-reason"))}`,
      submit: t("cases.mute"),
    },
    (form) => {
      const days = Number(form.get("days"));
      return api.put(`/api/memberships/${id}/mute`, {
        reason: String(form.get("reason")).trim(),
        ...(days > 0 && { until: Date.now() / 1000 + days * DAY }),
      });
    },
  );
  return done ? t("cases.now-muted", { name }) : undefined;
}

const unmute = ({ id, name }: Member): Did =>
  at(api.delete(`/api/memberships/${id}/mute`), t("cases.now-unmuted", { name }));

async function remove({ id, name }: Member): Did {
  const done = await ask(
    {
      title: t("cases.remove-title", { name }),
      text: t("cases.remove-text"),
      submit: t("cases.remove"),
      danger: true,
    },
    () => api.delete(`/api/memberships/${id}`),
  );
  return done ? t("cases.now-removed", { name }) : undefined;
}

async function at(sent: Promise<unknown>, said: string): Did {
  try {
    await sent;
    return said;
  } catch (error) {
    announce(explain(error));
    return undefined;
  }
}
