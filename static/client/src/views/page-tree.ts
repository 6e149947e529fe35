import { html, nothing, type TemplateResult } from "lit";
import type { Page, Room, Space } from "../api/types.ts";
import type { Present } from "../collab/collab.ts";
import { t } from "../i18n/index.ts";
import { type Node, treeOf } from "../pages/tree.ts";
import { path } from "../router.ts";
import { icon } from "../ui/icons.ts";
import { avatar } from "../ui/marks.ts";

export interface Tree {
  space: Space;
  pages: readonly Page[];
  /** Who else is on which page, each person once. */
  others: readonly Present[];
  /** Id of the open page. */
  current: string | null;
  create(room: string): void;
  manage(page: Page): void;
  bin(): void;
  /** What stands below the pages of a room. */
  below?(room: Room): TemplateResult;
}

/** The pages of a space, room by room, as nested links. */
export function pageTree(tree: Tree): TemplateResult {
  const bins = tree.space.my_role !== "guest" && tree.space.my_role !== "student";
  return html`${tree.space.rooms.map(
    (room) => html`<section class="room">
      <h2 class="side-title">${room.title}</h2>
      ${branch(tree, treeOf(tree.pages, room.id))}
      ${
        room.can?.create_pages
          ? html`<button class="button quiet wide start" @click=${() => tree.create(room.id)}>${icon("plus")}${t("pages.new")}</button>`
          : nothing
      }
      ${tree.below?.(room) ?? nothing}
    </section>`,
  )}
  ${bins ? html`<button class="button quiet wide start bin" @click=${tree.bin}>${icon("bin")}${t("bin.title")}</button>` : nothing}`;
}

function branch(tree: Tree, nodes: Node[]): TemplateResult | typeof nothing {
  if (nodes.length === 0) return nothing;
  return html`<ul class="tree" role="list">
    ${nodes.map(
      ({ page, children }) => html`<li>
        <div class="leaf">
          <a href=${path.page(tree.space.id, page.id)} aria-current=${tree.current === page.id ? "page" : nothing}>
            <span class="leaf-title">${page.title}</span>${marks(page)}
          </a>
          ${crowd(
            tree.others.filter((each) => each.page === page.id),
            3,
          )}
          ${
            manageable(page)
              ? html`<button
                  class="button icon quiet"
                  aria-haspopup="dialog"
                  aria-label=${t("pages.manage", { title: page.title })}
                  @click=${() => tree.manage(page)}
                >
                  ${icon("more")}
                </button>`
              : nothing
          }
        </div>
        ${branch(tree, children)}
      </li>`,
    )}
  </ul>`;
}

/** The marks of some people on a page, `most` of them drawn, all of them counted. */
function crowd(people: readonly Present[], most: number): TemplateResult | typeof nothing {
  if (people.length === 0) return nothing;
  return html`<span class="stack-people">
    ${people.slice(0, most).map(({ user }) => avatar(user.name, user.color))}
    ${people.length > most ? html`<span class="quiet" aria-hidden="true">+${people.length - most}</span>` : nothing}
    <span class="sr">${t("pages.readers", { count: people.length })}</span>
  </span>`;
}

export const manageable = (page: Page): boolean =>
  page.can.rename || page.can.settings || page.can.lock || page.can.delete;

/** The small signs behind a page's title, each with its words for screen readers. */
export function marks(page: Page): TemplateResult[] {
  const found: ["board" | "lock" | "draft" | "people" | "eye", string][] = [];
  if (page.kind === "board") found.push(["board", t("mark.board")]);
  if (page.lock) found.push(["lock", t("mark.locked")]);
  else if (page.scope === "readonly") found.push(["eye", t("mark.readonly")]);
  if (page.see_rule === "draft") found.push(["draft", t("see.draft")]);
  if (page.see_rule === "staff") found.push(["people", t("see.staff")]);
  return found.map(
    ([sign, words]) =>
      html`<span class="mark" title=${words}>${icon(sign)}<span class="sr">${words}</span></span>`,
  );
}
