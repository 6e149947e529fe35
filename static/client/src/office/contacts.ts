import { html, nothing, type TemplateResult } from "lit";
import { api, explain } from "../api/client.ts";
import type { Me } from "../api/types.ts";
import { country, moment, t } from "../i18n/index.ts";
import { NEWS } from "../net.ts";
import { path } from "../router.ts";
import { announce } from "../ui/announce.ts";
import { ask } from "../ui/dialog.ts";
import { icon } from "../ui/icons.ts";
import { avatar } from "../ui/marks.ts";
import { View } from "../ui/view.ts";
import { type Contact, type Contacts, words } from "./contact-asking.ts";

export { words };

/** Adults whom I know beyond a space, who would like to know me, and whom I have asked. */
class ContactsScreen extends View {
  static override properties = {
    me: { attribute: false },
    found: { state: true },
    failed: { state: true },
  };

  declare me: Me;
  declare found: Contacts | undefined;
  declare failed: string;

  constructor() {
    super();
    this.failed = "";
  }

  override connectedCallback(): void {
    super.connectedCallback();
    addEventListener(NEWS, this.look);
    document.addEventListener("visibilitychange", this.look);
    void this.fetch();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    removeEventListener(NEWS, this.look);
    document.removeEventListener("visibilitychange", this.look);
  }

  private look = (): void => {
    if (!document.hidden) void this.fetch();
  };

  private async fetch(): Promise<void> {
    try {
      this.found = await api.get<Contacts>("/api/me/contacts");
      this.failed = "";
    } catch (error) {
      if (!this.found) this.failed = explain(error);
    }
  }

  protected override render(): TemplateResult {
    return html`<main id="main" class="narrow" tabindex="-1">
      <nav class="crumbs" aria-label=${t("page.where")}>
        <ol role="list"><li><a href=${path.home}>${t("nav.my-spaces")}</a></li></ol>
      </nav>
      <h1 tabindex="-1">${t("contacts.title")}</h1>
      ${
        this.me.person.kind === "pupil"
          ? html`<p class="empty">${t("contacts.adults")}</p>`
          : html`<p class="lead">${t("contacts.lead")}</p>
              ${this.failed ? html`<p class="note bad" role="alert">${icon("warn")}<span>${this.failed}</span></p>` : nothing}
              ${this.found ? this.lists(this.found) : this.failed ? nothing : html`<div aria-busy="true"></div>`}`
      }
    </main>`;
  }

  private lists({ contacts, asked_me, i_asked }: Contacts): TemplateResult {
    return html`${
      asked_me.length > 0
        ? html`<section aria-labelledby="asked-me">
            <h2 id="asked-me">${t("contacts.asked-me")}</h2>
            <ul class="member-list card contact-list" role="list">
              ${asked_me.map((each) =>
                this.line(
                  each,
                  nothing,
                  html`<button class="button" @click=${() => this.answer(each, false)}>
                      <span>${t("contacts.no")}<span class="sr">: ${each.name}</span></span>
                    </button>
                    <button class="button primary" @click=${() => this.answer(each, true)}>
                      <span>${t("contacts.yes")}<span class="sr">: ${each.name}</span></span>
                    </button>`,
                ),
              )}
            </ul>
          </section>`
        : nothing
    }
      <section aria-labelledby="known">
        <h2 id="known">${t("contacts.mine")}</h2>
        ${
          contacts.length === 0
            ? html`<p class="empty">${t("contacts.none")}</p>`
            : html`<ul class="member-list card contact-list" role="list">
                ${contacts.map((each) =>
                  this.line(
                    each,
                    nothing,
                    html`<a class="button" href=${path.office(`messages/${each.person_id}`)}>
                        <span>${t("contacts.write")}<span class="sr">: ${each.name}</span></span>
                      </a>
                      <button class="button" aria-haspopup="dialog" @click=${() => this.forget(each)}>
                      <span>${t("contacts.remove")}<span class="sr">: ${each.name}</span></span>
                    </button>`,
                  ),
                )}
              </ul>`
        }
      </section>
      ${
        i_asked.length > 0
          ? html`<section aria-labelledby="i-asked">
              <h2 id="i-asked">${t("contacts.i-asked")}</h2>
              <ul class="member-list card contact-list" role="list">
                ${i_asked.map((each) =>
                  this.line(
                    each,
                    html`<span class="quiet">${t("contacts.asked-at", { time: moment(each.since) })}</span>`,
                    html`<button class="button" @click=${() => this.takeBack(each)}>
                      <span>${t("contacts.take-back")}<span class="sr">: ${each.name}</span></span>
                    </button>`,
                  ),
                )}
              </ul>
            </section>`
          : nothing
      }`;
  }

  private line(person: Contact, when: TemplateResult | typeof nothing, acts: TemplateResult): TemplateResult {
    return html`<li>
      ${avatar(person.name)}
      <span class="grow">
        <span>${person.name}</span>
        <span class="quiet">${person.school}, ${person.town}, ${country(person.country)}</span>
        ${when}
      </span>
      <span class="actions">${acts}</span>
    </li>`;
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
    await this.updateComplete;
    // The button that was pressed is gone with its line.
    if (!this.contains(document.activeElement)) this.querySelector<HTMLElement>("h1")?.focus();
  }

  private answer({ person_id, name }: Contact, accept: boolean): Promise<void> {
    return this.act(
      () => api.put(`/api/me/contacts/${person_id}/answer`, { accept }),
      t(accept ? "contacts.said-yes" : "contacts.said-no", { name }),
    );
  }

  private takeBack({ person_id, name }: Contact): Promise<void> {
    return this.act(() => api.delete(`/api/me/contacts/${person_id}`), t("contacts.taken-back", { name }));
  }

  private async forget({ person_id, name }: Contact): Promise<void> {
    const done = await ask(
      {
        title: t("contacts.remove-title", { name }),
        text: t("contacts.remove-text"),
        submit: t("contacts.remove"),
        danger: true,
      },
      () => api.delete(`/api/me/contacts/${person_id}`),
    );
    if (done) await this.act(async () => {}, t("contacts.removed", { name }));
  }
}

customElements.define("ts-contacts", ContactsScreen);
