import { html, nothing, type TemplateResult } from "lit";
import { api } from "../api/client.ts";
import type { Room, Space } from "../api/types.ts";
import { language, t } from "../i18n/index.ts";
import { go, path } from "../router.ts";
import { announce } from "../ui/announce.ts";
import { ask } from "../ui/dialog.ts";
import { asks, mayStart, opens } from "./nav/index.ts";
import type { Talk } from "./nav/talk.ts";
import type { Somebody } from "./people.ts";
import type { HeldPost, ShownPost, Thread, ThreadKind } from "./types.ts";

const TITLE_LENGTH = 120;
const REASON_LENGTH = 200;
const BODY_LENGTH = 4000;
const REASONS = ["unkind", "private", "scary", "unwelcome", "self-harm", "violence", "other"] as const;
const MINUTES = [5, 15, 60] as const;

/** A key that no other post of mine has: sent again, the server knows it. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(18));
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_");
}

const text = (form: FormData, name: string): string => String(form.get(name) ?? "").trim();
/** The same on one line. */
const line = (form: FormData, name: string): string => text(form, name).replace(/\s+/g, " ");

function field(
  name: string,
  label: string,
  { value = "", required = true, rows = 0, longest = REASON_LENGTH, first = true } = {},
): TemplateResult {
  const id = `field-${name}`;
  return html`<div class="field">
    <label for=${id}>${label}</label>
    ${
      rows > 0
        ? html`<textarea id=${id} name=${name} rows=${rows} maxlength=${longest} .value=${value} ?required=${required} ?autofocus=${first}></textarea>`
        : html`<input id=${id} name=${name} maxlength=${longest} .value=${value} ?required=${required} ?autofocus=${first} autocomplete="off" />`
    }
  </div>`;
}

/** The kinds of discussion that I may start in a room. */
function kindsIn(space: Space, room: Room): ThreadKind[] {
  const kinds: ThreadKind[] = opens(space, room) ? ["thread"] : [];
  if (space.my_role === "teacher" || space.my_role === "admin") kinds.push("chat");
  if (asks(space, room)) kinds.push("ask");
  return kinds;
}

/** Asks what it is about, starts the discussion and opens it. */
export async function startThread(space: Space, talk: Talk, fixed?: Room): Promise<void> {
  const rooms = fixed ? [fixed] : space.rooms.filter((room) => mayStart(space, room));
  const kinds = [...new Set(rooms.flatMap((room) => kindsIn(space, room)))];
  const [first] = kinds;
  if (!first) return;
  const key = newKey();
  let made: Thread | undefined;
  await ask(
    {
      title: t(kinds.length === 1 && first === "ask" ? "talk.ask" : "talk.new"),
      fields: html`
        ${field("title", t("thread.title"), { longest: TITLE_LENGTH })}
        ${
          rooms.length > 1
            ? html`<div class="field">
                <label for="field-room">${t("thread.room")}</label>
                <select id="field-room" name="room">
                  ${rooms.map((room) => html`<option value=${room.id}>${room.title}</option>`)}
                </select>
              </div>`
            : nothing
        }
        ${
          kinds.length > 1
            ? html`<fieldset class="choice rows">
                <legend>${t("thread.kind")}</legend>
                ${kinds.map(
                  (kind) => html`<label>
                    <input type="radio" name="kind" value=${kind} ?checked=${kind === first} /><span>${t(`thread.kind-${kind}`)}</span>
                  </label>`,
                )}
              </fieldset>`
            : nothing
        }
        ${field("body", t(kinds.length === 1 && first === "ask" ? "thread.first-ask" : "thread.first"), {
          required: false,
          rows: 3,
          longest: BODY_LENGTH,
          first: false,
        })}
      `,
      submit: t("thread.start"),
    },
    async (form) => {
      const body = text(form, "body");
      made = await api.post<Thread>(`/api/rooms/${text(form, "room") || rooms[0]?.id}/threads`, {
        title: text(form, "title"),
        kind: text(form, "kind") || first,
        key,
        ...(body && { body, language: language() }),
      });
    },
  );
  if (!made) return;
  await talk.fetchThreads();
  go(path.thread(space.id, made.id));
  const waits = made.mine_waiting?.some(({ state }) => state === "held");
  announce(t(waits ? "thread.start-held" : "thread.started", { title: made.title }));
}

export async function renameThread(thread: Thread): Promise<boolean> {
  return ask(
    {
      title: t("thread.rename"),
      fields: field("title", t("thread.title"), { value: thread.title, longest: TITLE_LENGTH }),
      submit: t("dialog.save"),
    },
    (form) => api.patch(`/api/threads/${thread.id}`, { title: text(form, "title") }),
  );
}

export async function lockThread(thread: Thread): Promise<boolean> {
  return ask(
    {
      title: t("thread.lock"),
      text: t("thread.lock-text"),
      fields: html`
        ${field("reason", t("thread.why-all"))}
        <fieldset class="choice rows">
          <legend>${t("thread.lock-until")}</legend>
          ${[0, ...MINUTES, 24 * 60].map(
            (minutes) => html`<label>
              <input type="radio" name="minutes" value=${minutes} ?checked=${minutes === 0} />
              <span
                >${
                  minutes === 0
                    ? t("thread.lock-open")
                    : minutes > 60
                      ? t("thread.lock-day")
                      : t("thread.lock-minutes", { count: minutes })
                }</span
              >
            </label>`,
          )}
        </fieldset>
      `,
      submit: t("thread.lock"),
    },
    (form) => {
      const minutes = Number(text(form, "minutes"));
      return api.put(`/api/threads/${thread.id}/lock`, {
        reason: text(form, "reason"),
        ...(minutes > 0 && { until: Math.round(Date.now() / 1000) + minutes * 60 }),
      });
    },
  );
}

export async function editPost(post: ShownPost, waits: boolean): Promise<boolean> {
  return ask(
    {
      title: t("post.editing"),
      ...(waits && { text: t("post.edit-waits") }),
      fields: field("body", t("compose.label"), { value: post.body, rows: 6, longest: BODY_LENGTH }),
      submit: t("dialog.save"),
    },
    (form) => api.patch(`/api/posts/${post.id}`, { body: text(form, "body") }),
  );
}

export async function hidePost(post: ShownPost, own: boolean): Promise<boolean> {
  return ask(
    {
      title: t(own ? "post.hide-own" : "post.hide"),
      text: t(own ? "post.hide-own-text" : "post.hide-text"),
      ...(!own && { fields: field("because", t("thread.why-seen")) }),
      submit: t("post.hide"),
      danger: true,
    },
    (form) => {
      const because = text(form, "because");
      return api.put(`/api/posts/${post.id}/hidden`, because ? { because } : {});
    },
  );
}

export async function endPoll(post: ShownPost): Promise<boolean> {
  return ask({ title: t("poll.close"), text: t("poll.close-text"), submit: t("poll.close") }, () =>
    api.put(`/api/posts/${post.id}/closed`, undefined),
  );
}

export async function rejectPost({ post, author_name }: HeldPost): Promise<boolean> {
  return ask(
    {
      title: t("held.reject-of", { name: author_name }),
      text: t("held.reject-text"),
      fields: field("because", t("held.because"), { rows: 3 }),
      submit: t("held.reject"),
    },
    (form) => api.put(`/api/posts/${post.id}/decision`, { approve: false, because: line(form, "because") }),
  );
}

/** Tells a teacher what is wrong with a post. */
export async function reportPost(space: Space, post: ShownPost): Promise<void> {
  const done = await ask(
    {
      title: t("report.title"),
      text: t("report.text"),
      fields: html`
        <fieldset class="choice rows">
          <legend class="sr">${t("report.title")}</legend>
          ${REASONS.map(
            (reason) => html`<label>
              <input type="radio" name="reason" value=${reason} required /><span>${t(`report.${reason}`)}</span>
            </label>`,
          )}
        </fieldset>
        ${field("words", t("report.words"), { required: false, rows: 2, longest: 1000, first: false })}
        <p class="hint">${t("report.help")}</p>
      `,
      submit: t("report.send"),
    },
    (form) =>
      api.post(`/api/spaces/${space.id}/reports`, {
        target: "post",
        target_id: post.id,
        reason: text(form, "reason"),
        words: text(form, "words"),
      }),
  );
  if (done) announce(t("report.sent"));
}

export async function blockPerson({ person, name }: Somebody): Promise<boolean> {
  return ask({ title: t("post.block", { name }), text: t("post.block-text"), submit: t("dialog.save") }, () =>
    api.put(`/api/me/blocks/${person}`, undefined),
  );
}
