import { html, nothing, type TemplateResult } from "lit";
import { api, explain } from "../api/client.ts";
import type { EditRule, Page, SeeRule, Space } from "../api/types.ts";
import { t } from "../i18n/index.ts";
import { brothers, places } from "../pages/tree.ts";
import { go, path } from "../router.ts";
import { announce } from "../ui/announce.ts";
import { ask, openDialog } from "../ui/dialog.ts";
import { type IconName, icon } from "../ui/icons.ts";

const SEE: SeeRule[] = ["members", "draft", "staff"];
const EDIT: EditRule[] = ["everyone", "editors", "teachers"];
const KINDS: Page["kind"][] = ["page", "board"];
const TITLE_LENGTH = 120;

/** The space that a page belongs to, and its pages as they are now. */
export interface Place {
  space: Space;
  pages(): readonly Page[];
  /** Takes up a page just made, before the server's notice of it comes. */
  add(page: Page): void;
}

/** Asks for a title, makes the page and opens it. */
export async function createPage({ space, add }: Place, roomId: string, parent?: Page): Promise<void> {
  let made: Page | undefined;
  await ask(
    {
      title: parent ? t("pages.new-below", { title: parent.title }) : t("pages.new"),
      fields: html`${titleField("")}
        <fieldset class="choice rows">
          <legend>${t("pages.kind")}</legend>
          ${KINDS.map(
            (kind) => html`<label>
              <input type="radio" name="kind" value=${kind} ?checked=${kind === "page"} />
              <span>${t(`pages.kind.${kind}`)}</span>
            </label>`,
          )}
        </fieldset>`,
      submit: t("pages.create"),
    },
    async (form) => {
      made = await api.post<Page>(`/api/rooms/${roomId}/pages`, {
        title: titleOf(form),
        kind: form.get("kind"),
        ...(parent ? { parent_id: parent.id } : {}),
      });
    },
  );
  if (made) {
    add(made);
    go(path.page(space.id, made.id));
    announce(t("pages.created", { title: made.title }));
  }
}

async function renamePage(page: Page): Promise<void> {
  const done = await ask(
    { title: t("pages.rename"), fields: titleField(page.title), submit: t("dialog.save") },
    (form) => api.patch(`/api/pages/${page.id}`, { title: titleOf(form) }),
  );
  if (done) announce(t("pages.saved"));
}

const titleOf = (form: FormData): string => String(form.get("title")).trim();

function titleField(value: string): TemplateResult {
  return html`<div class="field">
    <label for="title">${t("pages.title")}</label>
    <input id="title" name="title" .value=${value} maxlength=${TITLE_LENGTH} required autocomplete="off" autofocus />
  </div>`;
}

type Action = "rename" | "below" | "move" | "rules" | "lock" | "bin";

/** Everything that can be done with a page, as a list of plain buttons. Up and down act at once. */
export async function managePage(place: Place, id: string): Promise<void> {
  const { space, pages } = place;
  const current = () => pages().find((page) => page.id === id);
  const first = current();
  if (!first) return;
  const chosen = await openDialog<Action>(
    () => current()?.title ?? first.title,
    (close, redraw) => {
      const page = current() ?? first;
      const item = (action: Action, sign: IconName, words: string) =>
        html`<li><button class="menu-item" @click=${() => close(action)}>${icon(sign)}${words}</button></li>`;
      const room = space.rooms.find((each) => each.id === page.room_id);
      return html`<ul class="menu" role="list">
        ${page.can.rename ? item("rename", "draft", t("pages.rename")) : nothing}
        ${room?.can?.create_pages ? item("below", "plus", t("pages.add-below")) : nothing}
        ${page.can.settings ? html`${step(page, pages(), -1, redraw)}${step(page, pages(), 1, redraw)}` : nothing}
        ${page.can.settings ? item("move", "move", t("pages.move")) : nothing}
        ${page.can.settings ? item("rules", "eye", t("pages.rules")) : nothing}
        ${page.can.lock ? item("lock", "lock", t(page.lock ? "pages.unlock" : "pages.lock")) : nothing}
        ${page.can.delete ? item("bin", "bin", t("pages.bin")) : nothing}
      </ul>`;
    },
    { className: "sheet" },
  );
  const page = current() ?? first;
  if (chosen === "rename") await renamePage(page);
  if (chosen === "below") await createPage(place, page.room_id, page);
  if (chosen === "move") await movePage(page, pages());
  if (chosen === "rules") await changeRules(page);
  if (chosen === "lock") await toggleLock(page);
  if (chosen === "bin") await binPage(space, page);
}

/** "Move up" and "Move down": among its brothers, without leaving the list. */
function step(page: Page, pages: readonly Page[], by: -1 | 1, redraw: () => void): TemplateResult {
  const row = brothers(pages, page);
  const at = row.findIndex((each) => each.id === page.id);
  // Its neighbour's place: pages that I may not see have places too.
  const place = row[at + by]?.order;
  const possible = place !== undefined;
  return html`<li>
    <button
      class="menu-item"
      aria-disabled=${possible ? nothing : "true"}
      @click=${async () => {
        if (!possible) return;
        try {
          await api.patch(`/api/pages/${page.id}`, { order: place });
          announce(t("pages.place", { count: at + by + 1, of: row.length }));
        } catch (error) {
          announce(explain(error));
        }
        setTimeout(redraw, 300);
      }}
    >
      ${icon(by < 0 ? "up" : "down")}${t(by < 0 ? "pages.up" : "pages.down")}
    </button>
  </li>`;
}

async function movePage(page: Page, pages: readonly Page[]): Promise<void> {
  const done = await ask(
    {
      title: t("pages.move"),
      fields: html`<div class="field">
        <label for="parent">${t("pages.put-under")}</label>
        <select id="parent" name="parent" autofocus>
          <option value="" ?selected=${page.parent_id === null}>${t("pages.top")}</option>
          ${places(pages, page).map(
            (place) => html`<option value=${place.page.id} ?selected=${place.page.id === page.parent_id}>
              ${"\u2003".repeat(place.depth)}${place.page.title}
            </option>`,
          )}
        </select>
      </div>`,
      submit: t("dialog.save"),
    },
    (form) => api.patch(`/api/pages/${page.id}`, { parent_id: String(form.get("parent")) || null }),
  );
  if (done) announce(t("pages.saved"));
}

async function changeRules(page: Page): Promise<void> {
  const done = await ask(
    {
      title: t("pages.rules"),
      fields: html`${rule("see", SEE, page.see_rule)}${rule("edit", EDIT, page.edit_rule)}`,
      submit: t("dialog.save"),
    },
    (form) => api.patch(`/api/pages/${page.id}`, { see_rule: form.get("see"), edit_rule: form.get("edit") }),
  );
  if (done) announce(t("pages.saved"));
}

function rule(name: "see" | "edit", values: readonly string[], chosen: string): TemplateResult {
  return html`<fieldset class="choice rows">
    <legend>${t(`rules.${name}`)}</legend>
    ${values.map(
      (value) => html`<label>
        <input type="radio" name=${name} value=${value} ?checked=${value === chosen} />
        <span>${t(`${name}.${value}`)}</span>
      </label>`,
    )}
  </fieldset>`;
}

/** Ends of a lock that a teacher needs, in minutes; 0 is "until I open it". */
const LOCK_MINUTES = [0, 15, 45, 90, 24 * 60];

export async function toggleLock(page: Page): Promise<void> {
  if (page.lock) {
    const done = await ask(
      { title: t("pages.unlock"), text: t("pages.unlock-text"), submit: t("pages.unlock") },
      () => api.delete(`/api/pages/${page.id}/lock`),
    );
    if (done) announce(t("pages.unlocked"));
    return;
  }
  const done = await ask(
    {
      title: t("pages.lock"),
      text: t("pages.lock-text"),
      fields: html`<div class="field">
          <label for="reason">${t("pages.lock-reason")}</label>
          <input id="reason" name="reason" maxlength="200" required autocomplete="off" autofocus />
        </div>
        <div class="field">
          <label for="minutes">${t("pages.lock-until")}</label>
          <select id="minutes" name="minutes">
            ${LOCK_MINUTES.map(
              (minutes) => html`<option value=${minutes}>
                ${minutes === 0 ? t("lock.open") : minutes < 1440 ? t("lock.minutes", { count: minutes }) : t("lock.day")}
              </option>`,
            )}
          </select>
        </div>`,
      submit: t("pages.lock"),
    },
    (form) => {
      const minutes = Number(form.get("minutes"));
      return api.put(`/api/pages/${page.id}/lock`, {
        reason: String(form.get("reason")).trim(),
        ...(minutes > 0 ? { until: Math.floor(Date.now() / 1000) + minutes * 60 } : {}),
      });
    },
  );
  if (done) announce(t("pages.locked"));
}

async function binPage(space: Space, page: Page): Promise<void> {
  const done = await ask(
    {
      title: t("pages.bin-title", { title: page.title }),
      text: t("pages.bin-text"),
      submit: t("pages.bin"),
      danger: true,
    },
    () => api.delete(`/api/pages/${page.id}`),
  );
  if (!done) return;
  if (location.pathname === path.page(space.id, page.id)) go(path.space(space.id), true);
  announce(t("pages.binned", { title: page.title }));
}

/** What lies in the bin and may be taken out again. */
export async function openBin(space: Space): Promise<void> {
  let pages: Page[];
  try {
    pages = await api.get<Page[]>(`/api/spaces/${space.id}/bin`);
  } catch (error) {
    announce(explain(error));
    return;
  }
  await openDialog(
    () => t("bin.title"),
    (_close, redraw) => {
      const takeOut = async (page: Page) => {
        try {
          await api.post(`/api/pages/${page.id}/restore`);
          pages = pages.filter((each) => each.id !== page.id);
          announce(t("bin.restored", { title: page.title }));
        } catch (error) {
          announce(explain(error));
        }
        redraw();
      };
      return pages.length === 0
        ? html`<p class="empty">${t("bin.empty")}</p>`
        : html`<ul class="member-list" role="list">
            ${pages.map(
              (page) => html`<li>
                <span class="grow">${page.title}</span>
                <button class="button" aria-label=${t("bin.restore-title", { title: page.title })} @click=${() => takeOut(page)}>
                  ${t("bin.restore")}
                </button>
              </li>`,
            )}
          </ul>`;
    },
    { className: "sheet" },
  );
}
