import { html, nothing, type TemplateResult } from "lit";
import { ApiError, api, explain } from "../api/client.ts";
import type { Me } from "../api/types.ts";
import { list, t } from "../i18n/index.ts";
import { path } from "../router.ts";
import { refresh } from "../session.ts";
import { announce } from "../ui/announce.ts";
import { ask } from "../ui/dialog.ts";
import { icon } from "../ui/icons.ts";
import { tile } from "../ui/marks.ts";
import { View } from "../ui/view.ts";
import { area } from "./fields.ts";
import { nameOf } from "./languages.ts";
import type { Group } from "./lives.ts";
import { Looking } from "./looking.ts";

type Answer = Pick<Group, "mine">;

/** The groups of adults: to find one, and to come in. */
class Groups extends View {
  static override properties = {
    me: { attribute: false },
  };

  declare me: Me;
  private readonly groups = new Looking(
    this,
    () => api.get<Group[]>("/api/groups"),
    (error) => (error instanceof ApiError && error.status === 403 ? t("groups.not-yet") : explain(error)),
  );

  protected override render(): TemplateResult {
    return html`<main id="main" class="narrow life" tabindex="-1">
      <nav class="crumbs" aria-label=${t("page.where")}>
        <ol role="list"><li><a href=${path.home}>${t("nav.my-spaces")}</a></li></ol>
      </nav>
      <h1 tabindex="-1">${t("groups.title")}</h1>
      <p class="lead">${t("groups.lead")}</p>
      ${this.groups.state()}
      ${
        this.me.can?.create_space === false
          ? nothing
          : html`<p><a class="button" href=${path.office("new")}>${icon("plus")}${t("groups.new")}</a></p>`
      }
      ${this.list()}
    </main>`;
  }

  private list(): TemplateResult | typeof nothing {
    const { found } = this.groups;
    if (!found) return nothing;
    if (found.length === 0) return html`<p class="empty">${t("groups.none")}</p>`;
    return html`<ul class="cards" role="list">
      ${found.map(
        (group) => html`<li class="card life-card" aria-labelledby="group-${group.id}">
          <div class="life-head">
            ${tile(group.id)}
            <div class="grow">
              <h2 id="group-${group.id}">
                ${group.mine === "member" ? html`<a href=${path.space(group.id)}>${group.title}</a>` : group.title}
              </h2>
              <p class="quiet">
                ${t("groups.members", { count: group.members })} · ${list(group.languages.map(nameOf))}
              </p>
            </div>
          </div>
          ${
            group.featured || group.mine
              ? html`<p class="pills">
                  ${group.featured ? html`<span class="pill">${icon("pin")}${t("groups.featured")}</span>` : nothing}
                  ${group.mine ? html`<span class="pill ${group.mine === "waiting" ? "wait" : ""}">${t(`groups.mine.${group.mine}`)}</span>` : nothing}
                </p>`
              : nothing
          }
          ${group.summary ? html`<p class="words">${group.summary}</p>` : nothing}
          ${this.acts(group)}
        </li>`,
      )}
    </ul>`;
  }

  private acts(group: Group): TemplateResult | typeof nothing {
    const { id, title, mine, join_rule, featured } = group;
    const free = mine === "" && this.me.can?.create_space !== false;
    const named = html`<span class="sr">: ${title}</span>`;
    const feature = this.me.can?.approve
      ? html`<button
          class="button"
          @click=${() =>
            this.groups.act(
              () => api.put(`/api/spaces/${id}/featured`, { featured: !featured }),
              t(featured ? "groups.unfeatured" : "groups.now-featured", { title }),
            )}
        >
          <span>${t(featured ? "groups.unfeature" : "groups.feature")}${named}</span>
        </button>`
      : nothing;
    return html`<div class="actions start">
        ${mine === "member" ? html`<a class="button primary" href=${path.space(id)}><span>${t("groups.open")}${named}</span></a>` : nothing}
        ${
          mine === "waiting"
            ? html`<button class="button" @click=${() => this.groups.act(() => api.delete(`/api/groups/${id}/join`), t("groups.taken-back", { title }))}>
                <span>${t("groups.take-back")}${named}</span>
              </button>`
            : nothing
        }
        ${
          free && join_rule === "open"
            ? html`<button class="button primary" @click=${() => this.join(group)}><span>${t("groups.join")}${named}</span></button>`
            : nothing
        }
        ${
          free && join_rule === "request"
            ? html`<button class="button primary" aria-haspopup="dialog" @click=${() => this.request(group)}>
                <span>${t("groups.ask")}${named}</span>
              </button>`
            : nothing
        }
        ${feature}
      </div>
      ${mine === "" && join_rule === "invitation" ? html`<p class="quiet">${t("groups.by-invitation")}</p>` : nothing}`;
  }

  private async join({ id, title }: Group): Promise<void> {
    try {
      this.arrived(await api.put<Answer>(`/api/groups/${id}/join`, { words: "" }), title);
    } catch (error) {
      announce(explain(error));
    }
    await this.groups.again();
  }

  private async request({ id, title }: Group): Promise<void> {
    let answer: Answer | undefined;
    await ask(
      {
        title: t("groups.ask-title", { title }),
        text: t("groups.ask-text"),
        fields: area("words", t("groups.ask-words")),
        submit: t("groups.ask"),
      },
      async (form) => {
        const words = String(form.get("words")).trim();
        answer = await api.put<Answer>(`/api/groups/${id}/join`, { words });
      },
    );
    if (answer) this.arrived(answer, title);
    await this.groups.again();
  }

  private arrived({ mine }: Answer, title: string): void {
    announce(t(mine === "member" ? "groups.joined" : "groups.asked", { title }));
    if (mine === "member") void refresh().catch(() => {});
  }
}

customElements.define("ts-groups", Groups);
