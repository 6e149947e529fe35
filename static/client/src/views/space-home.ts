import { html, nothing, type TemplateResult } from "lit";
import type { Me, Page, Room, School, Space } from "../api/types.ts";
import type { Present } from "../collab/collab.ts";
import { country, has, t } from "../i18n/index.ts";
import { treeOf } from "../pages/tree.ts";
import { path } from "../router.ts";
import { icon } from "../ui/icons.ts";
import { avatar, hash, tile } from "../ui/marks.ts";
import { marks } from "./page-tree.ts";

/** Each person once, however many tabs they have; the tab with an open page counts. */
export function here(people: readonly Present[]): Present[] {
  const found = new Map<string, Present>();
  for (const each of people) {
    const known = found.get(each.user.id);
    if (!known || (!known.page && each.page)) found.set(each.user.id, each);
  }
  return [...found.values()].sort((a, b) => a.user.name.localeCompare(b.user.name));
}

/** The home of a TwinSpace: who is here and from where, and the pages. */
export function spaceHome(
  space: Space,
  pages: readonly Page[],
  people: readonly Present[],
  me: Me,
  create: (room: string) => void,
  talk: TemplateResult,
  rules: (room: Room) => void,
): TemplateResult {
  const present = here(people);
  return html`<main id="main" class="space-home" tabindex="-1">
    <header class="space-head">
      ${tile(space.id, { big: true })}
      <div>
        <h1>${space.title}</h1>
        ${space.summary ? html`<p class="lead">${space.summary}</p>` : nothing}
      </div>
    </header>
    <ts-space-state .space=${space}></ts-space-state>
    <section aria-labelledby="here">
      <h2 id="here">${t("home.here")}</h2>
      <p class="sr" role="status">${t("home.here-count", { count: present.length })}</p>
      <ul class="schools" role="list">
        ${space.schools.map((school) => schoolCard(space, school, present, pages, me))}
      </ul>
    </section>
    ${talk}
    <section aria-labelledby="pages">
      <h2 id="pages">${t("nav.pages")}</h2>
      ${space.rooms.map((room) => {
        const top = treeOf(pages, room.id);
        return html`<section class="room-pages" aria-label=${room.title}>
          <div class="room-head">
            <h3>${room.title}</h3>
            ${
              room.can?.state || room.can?.supervise || room.can?.settings
                ? html`<button
                    class="button icon quiet"
                    aria-haspopup="dialog"
                    aria-label=${t("rooms.manage", { title: room.title })}
                    @click=${() => rules(room)}
                  >
                    ${icon("more")}
                  </button>`
                : nothing
            }
          </div>
          ${
            room.reason && room.reason !== "space-frozen" && has(`reason.${room.reason}`)
              ? html`<div class="note">${icon("eye")}<p>${t(`reason.${room.reason}`)}</p></div>`
              : nothing
          }
          ${
            top.length === 0
              ? html`<p class="empty">${t(room.can?.create_pages ? "pages.none-create" : "pages.none")}</p>`
              : html`<ul class="cards" role="list">
                  ${top.map(
                    ({ page, children }) => html`<li>
                      <a class="card link" href=${path.page(space.id, page.id)}>
                        <span class="card-icon">${icon("pages")}</span>
                        <span class="grow"
                          ><strong>${page.title} ${marks(page)}</strong>
                          ${children.length > 0 ? html`<span class="quiet">${t("pages.below", { count: children.length })}</span>` : nothing}
                        </span>
                        ${icon("next")}
                      </a>
                    </li>`,
                  )}
                </ul>`
          }
          ${
            room.can?.create_pages
              ? html`<button class="button" @click=${() => create(room.id)}>${icon("plus")}${t("pages.new")}</button>`
              : nothing
          }
        </section>`;
      })}
    </section>
  </main>`;
}

function schoolCard(
  space: Space,
  school: School,
  present: readonly Present[],
  pages: readonly Page[],
  me: Me,
): TemplateResult {
  const mine = present.filter((each) => each.user.school === school.id || each.user.school === school.name);
  return html`<li class="card school">
    <div class="school-head">
      ${tile(school.id, { glaze: hash(space.id) + 1 + space.schools.indexOf(school) })}
      <div>
        <h3>${school.name}</h3>
        <p class="quiet">${school.town}, ${country(school.country)}</p>
      </div>
    </div>
    ${
      mine.length === 0
        ? html`<p class="quiet">${t("home.nobody")}</p>`
        : html`<ul class="present" role="list">
            ${mine.map((each) => {
              const page = pages.find((one) => one.id === each.page);
              return html`<li>
                ${avatar(each.user.name, each.user.color)}
                <span class="grow">
                  <span>${each.user.name}</span>
                  <span class="quiet">${each.user.id === me.person.id ? t("home.you") : t(`role.${each.user.role}`)}</span>
                </span>
                ${page ? html`<a class="on-page" href=${path.page(space.id, page.id)}>${page.title}</a>` : nothing}
              </li>`;
            })}
          </ul>`
    }
  </li>`;
}
