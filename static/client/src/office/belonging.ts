import { html, nothing, type TemplateResult } from "lit";
import { api, explain } from "../api/client.ts";
import type { Me, Member, Role, Space } from "../api/types.ts";
import { country, moment, t } from "../i18n/index.ts";
import { go, path } from "../router.ts";
import { refresh } from "../session.ts";
import { announce } from "../ui/announce.ts";
import { ask, openDialog } from "../ui/dialog.ts";
import { icon } from "../ui/icons.ts";
import { avatar } from "../ui/marks.ts";
import { View } from "../ui/view.ts";
import { area } from "./fields.ts";
import { linkOf } from "./link.ts";
import type { Invitation, JoinRequest, JoinRule, MadeInvitation } from "./lives.ts";
import { lifeWords } from "./words.ts";

const ROLES: Role[] = ["teacher", "admin", "guest"];
const RULES: JoinRule[] = ["invitation", "request", "open"];
const DAYS = [3, 14, 60];

/** Coming into a space and leaving it: invitations, requests to join, the join rule, and my own way out. */
class Belonging extends View {
  static override properties = {
    me: { attribute: false },
    space: { attribute: false },
    members: { attribute: false },
    version: { attribute: false },
    invitations: { state: true },
    requests: { state: true },
    failed: { state: true },
    ready: { state: true },
  };

  declare me: Me;
  declare space: Space;
  declare members: Member[];
  /** Counts the changes of the members, so that all is fetched again. */
  declare version: number;
  declare invitations: Invitation[];
  declare requests: JoinRequest[];
  declare failed: string;
  declare ready: boolean;

  private fetched = "";

  constructor() {
    super();
    this.members = [];
    this.invitations = [];
    this.requests = [];
    this.failed = "";
    this.ready = false;
    void lifeWords().then(() => {
      this.ready = true;
    });
  }

  /** A teacher may ask for an invitation; an admin confirms it. */
  private get mayInvite(): boolean {
    return this.space.can.invite === true || this.space.my_role === "teacher";
  }

  protected override willUpdate(): void {
    const { id, can, my_role } = this.space;
    const now = `${id} ${this.version} ${my_role} ${can.invite} ${can.requests}`;
    if (this.fetched === now) return;
    this.fetched = now;
    void this.fetch();
  }

  private async fetch(): Promise<void> {
    const at = `/api/spaces/${this.space.id}`;
    try {
      const [invitations, requests] = await Promise.all([
        this.mayInvite ? api.get<Invitation[]>(`${at}/invitations`) : [],
        this.space.can.requests ? api.get<JoinRequest[]>(`${at}/requests`) : [],
      ]);
      this.invitations = invitations;
      this.requests = requests;
      this.failed = "";
    } catch (error) {
      this.failed = explain(error);
    }
  }

  /** Does it, says so or why not, and looks again. */
  private async act(run: () => Promise<unknown>, said: string): Promise<void> {
    try {
      await run();
      announce(said);
    } catch (error) {
      announce(explain(error));
    }
    await this.fetch();
  }

  protected override render(): TemplateResult | typeof nothing {
    if (!this.ready) return nothing;
    const { can } = this.space;
    return html`<div class="belonging">
      ${this.failed ? html`<p class="error" role="alert">${this.failed}</p>` : nothing}
      ${can.requests && (this.requests.length > 0 || this.space.join_rule === "request") ? this.requestsPart() : nothing}
      ${this.mayInvite ? this.invitationsPart() : nothing} ${can.join_rule ? this.rulePart() : nothing}
      ${can.leave || can.hand_over ? this.minePart() : nothing}
    </div>`;
  }

  // Requests to join

  private requestsPart(): TemplateResult {
    return html`<section class="card" aria-labelledby="requests">
      <h2 id="requests">${t("join.title")}${this.requests.length ? html` <span class="pill wait">${this.requests.length}</span>` : nothing}</h2>
      ${
        this.requests.length === 0
          ? html`<p class="quiet">${t("join.none")}</p>`
          : html`<ul class="life-list" role="list">
              ${this.requests.map(
                (each) => html`<li>
                  <div class="life-head">
                    ${avatar(each.name)}
                    <p class="grow">
                      <strong>${each.name}</strong><br />
                      <span class="quiet"
                        >${[each.school, each.town, each.country && country(each.country)].filter(Boolean).join(", ")} ·
                        ${moment(each.at)}</span
                      >
                    </p>
                  </div>
                  ${each.words ? html`<blockquote>${each.words}</blockquote>` : nothing}
                  <div class="actions start">
                    <button
                      class="button primary"
                      @click=${() =>
                        this.act(
                          () => api.put(`/api/requests/${each.id}/answer`, { accept: true, because: "" }),
                          t("join.accepted", { name: each.name }),
                        )}
                    >
                      ${icon("check")}<span>${t("join.accept")}<span class="sr">: ${each.name}</span></span>
                    </button>
                    <button class="button" aria-haspopup="dialog" @click=${() => this.refuse(each)}>
                      <span>${t("join.refuse")}<span class="sr">: ${each.name}</span></span>
                    </button>
                  </div>
                </li>`,
              )}
            </ul>`
      }
    </section>`;
  }

  private async refuse({ id, name }: JoinRequest): Promise<void> {
    const done = await ask(
      {
        title: t("join.refuse-title", { name }),
        text: t("join.refuse-text"),
        fields: area("because", t("approve.because")),
        submit: t("join.refuse"),
      },
      (form) =>
        api.put(`/api/requests/${id}/answer`, {
          accept: false,
          because: String(form.get("because")).trim(),
        }),
    );
    if (done) await this.act(async () => {}, t("join.refused", { name }));
  }

  // Invitations

  private invitationsPart(): TemplateResult {
    const waits = ({ state }: Invitation) => state === "open" || state === "proposed";
    const open = this.invitations.filter(waits);
    const over = this.invitations.filter((each) => !waits(each));
    return html`<section class="card" aria-labelledby="invitations">
      <h2 id="invitations">${t("invite.title")}</h2>
      <p class="quiet">${t(this.space.can.invite ? "invite.text" : "invite.text-ask")}</p>
      <p>
        <button class="button" aria-haspopup="dialog" @click=${this.invite}>${icon("plus")}${t("invite.new")}</button>
      </p>
      ${open.length ? html`<ul class="member-list" role="list">${open.map((each) => this.line(each))}</ul>` : nothing}
      ${
        over.length
          ? html`<details>
              <summary>${t("invite.over", { count: over.length })}</summary>
              <ul class="member-list" role="list">${over.map((each) => this.line(each))}</ul>
            </details>`
          : nothing
      }
    </section>`;
  }

  private line(invitation: Invitation): TemplateResult {
    const { role, email, state, can, expires_at, created_at, mine } = invitation;
    const what = email ?? t(`role.${role}`);
    const when =
      state === "open" || state === "proposed"
        ? t("invite.until", { time: moment(expires_at) })
        : t("invite.made", { time: moment(created_at) });
    return html`<li class="invitation">
      <span class="grow">
        <span>${what}</span>
        <span class="quiet">
          ${email ? html`${t(`role.${role}`)} · ` : nothing}${when}${mine ? html` · ${t("invite.mine")}` : nothing}
        </span>
      </span>
      <span class="pill ${state === "proposed" ? "wait" : ""}">${t(`invite.state.${state}`)}</span>
      ${
        can.confirm
          ? html`<button class="button primary" @click=${() => this.confirm(invitation)}>
              <span>${t("invite.confirm")}<span class="sr">: ${what}</span></span>
            </button>`
          : nothing
      }
      ${
        can.withdraw
          ? html`<button class="button" @click=${() => this.withdraw(invitation)}>
              <span>${t("invite.withdraw")}<span class="sr">: ${what}</span></span>
            </button>`
          : nothing
      }
    </li>`;
  }

  private async confirm({ id }: Invitation): Promise<void> {
    const url = `/api/spaces/${this.space.id}/invitations/${id}/confirmed`;
    await this.act(() => api.put(url, {}), t("invite.confirmed"));
  }

  private async withdraw({ id }: Invitation): Promise<void> {
    const url = `/api/spaces/${this.space.id}/invitations/${id}`;
    await this.act(() => api.delete(url), t("invite.withdrawn"));
  }

  private invite = async (): Promise<void> => {
    let made: MadeInvitation | undefined;
    const { id, title, kind } = this.space;
    const roles = kind === "group" ? ROLES.filter((role) => role !== "guest") : ROLES;
    await ask(
      {
        title: t("invite.new"),
        fields: html`<fieldset class="choice rows">
            <legend>${t("invite.role")}</legend>
            ${roles.map(
              (role, at) => html`<label>
                <input type="radio" name="role" value=${role} ?checked=${at === 0} />
                <span>${t(`role.${role}`)}<br /><span class="quiet">${t(`invited.as-${role}`)}</span></span>
              </label>`,
            )}
          </fieldset>
          <div class="field">
            <label for="invite-days">${t("invite.days")}</label>
            <select id="invite-days" name="days">
              ${DAYS.map((days) => html`<option value=${days} ?selected=${days === 14}>${t("invite.day-count", { count: days })}</option>`)}
            </select>
          </div>
          <div class="field">
            <label for="invite-email">${t("invite.email")}</label>
            <p class="hint" id="invite-email-hint">${t("invite.email-hint")}</p>
            <input id="invite-email" name="email" type="email" autocomplete="off" aria-describedby="invite-email-hint" />
          </div>`,
        submit: t("invite.make"),
      },
      async (form) => {
        const email = String(form.get("email")).trim();
        made = await api.post<MadeInvitation>(`/api/spaces/${id}/invitations`, {
          role: form.get("role"),
          days: Number(form.get("days")),
          ...(email && { email }),
        });
      },
    );
    if (!made) return;
    const { token, invitation } = made;
    await openDialog(
      () => t("invite.ready"),
      (close) => html`<div class="stack">
        <p>${t(invitation.state === "proposed" ? "invite.once-proposed" : "invite.once")}</p>
        <ts-link
          .url=${linkOf(token)}
          .words=${t("invite.link")}
          .message=${t("invite.message", { title })}
        ></ts-link>
        <footer class="actions"><button class="button" @click=${() => close()}>${t("dialog.close")}</button></footer>
      </div>`,
    );
    await this.fetch();
  };

  // The group's rule

  private rulePart(): TemplateResult {
    return html`<section class="card" aria-labelledby="join-rule">
      <h2 id="join-rule">${t("rule.title")}</h2>
      <fieldset class="choice rows">
        <legend class="sr">${t("rule.title")}</legend>
        ${RULES.map(
          (rule) => html`<label>
            <input
              type="radio"
              name="join-rule"
              value=${rule}
              .checked=${this.space.join_rule === rule}
              @change=${() =>
                this.act(
                  () => api.put(`/api/spaces/${this.space.id}/join-rule`, { rule }),
                  t("rule.saved", { rule: t(`rule.${rule}`) }),
                )}
            />
            <span>${t(`rule.${rule}`)}</span>
          </label>`,
        )}
      </fieldset>
    </section>`;
  }

  // My own way out

  private minePart(): TemplateResult {
    const { can, founders = [], my_membership } = this.space;
    const founder = founders.includes(my_membership);
    return html`<section class="card" aria-labelledby="mine">
      <h2 id="mine">${t("leave.title")}</h2>
      ${founder ? html`<p>${t("leave.founder")}</p>` : nothing}
      <div class="actions start">
        ${
          can.hand_over
            ? html`<button class="button" aria-haspopup="dialog" @click=${this.handOver}>${icon("key")}${t("leave.hand-over")}</button>`
            : nothing
        }
        ${
          can.leave
            ? html`<button class="button" aria-haspopup="dialog" @click=${this.leave}>${icon("out")}${t("leave.do")}</button>`
            : nothing
        }
      </div>
    </section>`;
  }

  private handOver = async (): Promise<void> => {
    const others = this.members.filter(({ role, founder }) => role === "admin" && !founder);
    if (others.length === 0) {
      announce(t("leave.nobody"));
      return;
    }
    let name = "";
    const done = await ask(
      {
        title: t("leave.hand-over"),
        text: t("leave.hand-over-text"),
        fields: html`<fieldset class="choice rows">
          <legend>${t("leave.to-whom")}</legend>
          ${others.map(
            (member, at) => html`<label>
              <input type="radio" name="member" value=${member.id} ?checked=${at === 0} />
              <span>${member.name}<br /><span class="quiet">${this.schoolOf(member)}</span></span>
            </label>`,
          )}
        </fieldset>`,
        submit: t("leave.hand-over"),
      },
      (form) => {
        const member = String(form.get("member"));
        name = others.find(({ id }) => id === member)?.name ?? "";
        return api.put(`/api/spaces/${this.space.id}/founder`, { member });
      },
    );
    if (done) announce(t("leave.handed-over", { name }));
  };

  private schoolOf({ school_id }: Member): string {
    return this.space.schools.find(({ id }) => id === school_id)?.name ?? "";
  }

  private leave = async (): Promise<void> => {
    const { id, title, kind } = this.space;
    const done = await ask(
      {
        title: t("leave.do-title", { title }),
        text: t(kind === "group" ? "leave.do-text-group" : "leave.do-text"),
        submit: t("leave.do"),
        danger: true,
      },
      async () => {
        await api.delete(`/api/spaces/${id}/me`);
        go(path.home, true);
        await refresh().catch(() => {});
      },
    );
    if (done) announce(t("leave.done", { title }));
  };
}

customElements.define("ts-belonging", Belonging);
