import { html, nothing, type TemplateResult } from "lit";
import { api, explain } from "../api/client.ts";
import type { Card, Me, Member, Page, Role, Space } from "../api/types.ts";
import { country, moment, t } from "../i18n/index.ts";
import { path } from "../router.ts";
import { announce } from "../ui/announce.ts";
import { ask, openDialog } from "../ui/dialog.ts";
import { type IconName, icon } from "../ui/icons.ts";
import { avatar, hash, tile } from "../ui/marks.ts";
import { View } from "../ui/view.ts";
import { showCards } from "./cards.ts";

const ROLES: Record<Member["kind"], Role[]> = {
  adult: ["guest", "teacher", "admin"],
  pupil: ["student", "student-editor"],
};

/** Who belongs to the space, by school; for teachers what they may change about it. */
class Members extends View {
  static override properties = {
    me: { attribute: false },
    space: { attribute: false },
    version: { attribute: false },
    members: { state: true },
    failed: { state: true },
  };

  declare me: Me;
  declare space: Space;
  declare version: number;
  declare members: Member[] | undefined;
  declare failed: string;

  private fetched = -1;

  constructor() {
    super();
    this.failed = "";
  }

  protected override willUpdate(): void {
    if (this.fetched < 0 && this.me.person.kind === "adult") import("../office/belonging.ts").catch(() => {});
    if (this.fetched === this.version) return;
    this.fetched = this.version;
    void this.fetch();
  }

  private async fetch(): Promise<void> {
    try {
      this.members = await api.getKnown<Member[]>(`/api/spaces/${this.space.id}/members`);
      this.failed = "";
    } catch (error) {
      this.failed = explain(error);
    }
  }

  private get staff(): boolean {
    return this.space.my_role === "teacher" || this.space.my_role === "admin";
  }

  private mayManage({ can, person_id }: Member): boolean {
    return person_id !== this.me.person.id && (this.staff || can.role || can.remove || can.reset_code);
  }

  protected override render(): TemplateResult {
    const school = this.me.person.school;
    const others = (this.members ?? []).filter(
      ({ school_id }) => !this.space.schools.some(({ id }) => id === school_id),
    );
    return html`<main id="main" class="members" tabindex="-1">
      <h1>${t("nav.members")}</h1>
      ${this.staff && school && this.space.kind !== "group" ? html`<p><a class="button" href=${path.pupils(school.id)}>${icon("key")}${t("members.make-cards")}</a></p>` : nothing}
      ${this.failed ? html`<p class="error" role="alert">${this.failed}</p>` : nothing}
      ${this.space.schools.map((each, at) => {
        const mine = (this.members ?? []).filter((member) => member.school_id === each.id);
        return html`<section class="card school" aria-label=${each.name}>
          <div class="school-head">
            ${tile(each.id, { glaze: hash(this.space.id) + 1 + at })}
            <div>
              <h2>${each.name}</h2>
              <p class="quiet">${each.town}, ${country(each.country)}</p>
            </div>
          </div>
          ${this.members ? this.table(mine) : html`<div aria-busy="true"></div>`}
        </section>`;
      })}
      ${
        others.length > 0
          ? html`<section class="card school" aria-labelledby="others">
              <h2 id="others">${t("members.others")}</h2>
              ${this.table(others)}
            </section>`
          : nothing
      }
      ${
        this.me.person.kind === "adult"
          ? html`<ts-belonging .me=${this.me} .space=${this.space} .members=${this.members ?? []} .version=${this.version}></ts-belonging>`
          : nothing
      }
    </main>`;
  }

  private table(members: Member[]): TemplateResult {
    if (members.length === 0) return html`<p class="quiet">${t("members.none")}</p>`;
    const order = (member: Member) => (member.kind === "adult" ? 0 : 1);
    const sorted = [...members].sort((a, b) => order(a) - order(b) || a.name.localeCompare(b.name));
    return html`<ul class="member-list" role="list">
      ${sorted.map(
        (member) => html`<li>
          ${avatar(member.name)}
          <span class="grow">
            <span>${member.name}</span>
            <span class="quiet"
              >${t(`role.${member.role}`)}${member.founder ? html` · ${t("members.founder")}` : nothing}${
                member.person_id === this.me.person.id ? html` · ${t("home.you")}` : nothing
              }</span
            >
            ${member.mute ? html`<span class="quiet">${t(member.mute.until ? "members.muted-until" : "members.muted", { time: moment(member.mute.until ?? 0) })}</span>` : nothing}
          </span>
          ${
            this.mayManage(member)
              ? html`<button
                  class="button icon quiet"
                  aria-haspopup="dialog"
                  aria-label=${t("members.manage", { name: member.name })}
                  @click=${() => this.manage(member)}
                >
                  ${icon("more")}
                </button>`
              : nothing
          }
        </li>`,
      )}
    </ul>`;
  }

  private async manage(member: Member): Promise<void> {
    type Action = "role" | "card" | "remove" | "mute" | "ask-mute" | "unmute" | "undo" | "contact";
    const item = (action: Action, sign: IconName, words: string, close: (value: Action) => void) =>
      html`<li><button class="menu-item" @click=${() => close(action)}>${icon(sign)}${words}</button></li>`;
    const chosen = await openDialog<Action>(
      () => member.name,
      (close) => html`<ul class="menu" role="list">
        ${member.can.mute && !member.mute ? item("mute", "eye", t("members.mute"), close) : nothing}
        ${member.can.ask_mute && !member.mute ? item("ask-mute", "eye", t("members.ask-mute"), close) : nothing}
        ${member.can.unmute && member.mute ? item("unmute", "draft", t("members.unmute"), close) : nothing}
        ${this.mayKnow(member) ? item("contact", "people", t("members.contact"), close) : nothing}
        ${this.staff ? item("undo", "back", t("members.undo"), close) : nothing}
        ${member.can.role ? item("role", "people", t("members.change-role"), close) : nothing}
        ${member.can.reset_code ? item("card", "key", t("members.new-card"), close) : nothing}
        ${member.can.remove ? item("remove", "out", t("members.remove"), close) : nothing}
      </ul>`,
      { className: "sheet" },
    );
    if (chosen === "mute" || chosen === "ask-mute" || chosen === "unmute" || chosen === "undo") {
      await this.teach(chosen, member);
    }
    if (chosen === "contact") await this.askContact(member);
    if (chosen === "role") await this.changeRole(member);
    if (chosen === "card") await resetCard(member.person_id, member.name);
    if (chosen === "remove") await this.expel(member);
  }

  private mayKnow({ kind, school_id }: Member): boolean {
    return kind === "adult" && !!school_id && !!this.me.person.school;
  }

  private async askContact(member: Member): Promise<void> {
    try {
      await (await import("../office/contact-asking.ts")).askContact(member);
    } catch (error) {
      announce(explain(error));
    }
  }

  private async teach(what: "mute" | "ask-mute" | "unmute" | "undo", member: Member): Promise<void> {
    try {
      const tools = await import("../teach/index.ts");
      await tools.ready;
      if (what === "mute") await tools.mute(member);
      if (what === "ask-mute") await tools.askMute(member, this.space.id);
      if (what === "unmute") await tools.liftMute(member);
      if (what === "undo") {
        const pages = await api.getKnown<Page[]>(`/api/spaces/${this.space.id}/pages`);
        await tools.undoPerson(member.id, member.name, pages);
      }
    } catch (error) {
      announce(explain(error));
    }
    await this.fetch();
  }

  private async changeRole(member: Member): Promise<void> {
    let role = member.role;
    const done = await ask(
      {
        title: t("members.role-of", { name: member.name }),
        fields: html`<fieldset class="choice rows">
          <legend class="sr">${t("members.role-of", { name: member.name })}</legend>
          ${ROLES[member.kind].map(
            (each) => html`<label>
              <input type="radio" name="role" value=${each} ?checked=${each === member.role} />
              <span>${t(`role.${each}`)}</span>
            </label>`,
          )}
        </fieldset>`,
        submit: t("dialog.save"),
      },
      (form) => {
        role = form.get("role") as Role;
        return api.patch(`/api/memberships/${member.id}`, { role });
      },
    );
    if (!done) return;
    announce(t("members.role-changed", { name: member.name, role: t(`role.${role}`) }));
    await this.fetch();
  }

  private async expel(member: Member): Promise<void> {
    const done = await ask(
      {
        title: t("members.remove-name", { name: member.name }),
        text: t("members.remove-text"),
        submit: t("members.remove"),
        danger: true,
      },
      () => api.delete(`/api/memberships/${member.id}`),
    );
    if (!done) return;
    announce(t("members.removed", { name: member.name }));
    await this.fetch();
  }
}

/** A new card for a pupil; the old one stops working at once. */
export async function resetCard(personId: string, name: string): Promise<void> {
  let card: Card | undefined;
  await ask(
    {
      title: t("members.new-card-for", { name }),
      text: t("members.new-card-text"),
      submit: t("members.new-card"),
    },
    async () => {
      card = (await api.post<{ card: Card }>(`/api/people/${personId}/code`)).card;
    },
  );
  if (card) await showCards([card]);
}

customElements.define("ts-members", Members);
