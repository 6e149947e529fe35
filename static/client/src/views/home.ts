import { html, nothing, type TemplateResult } from "lit";
import type { Me } from "../api/types.ts";
import { has, t } from "../i18n/index.ts";
import { path } from "../router.ts";
import { icon } from "../ui/icons.ts";
import { tile } from "../ui/marks.ts";
import { View } from "../ui/view.ts";

/** My spaces. */
class Home extends View {
  static override properties = { me: { attribute: false } };

  declare me: Me;

  override connectedCallback(): void {
    super.connectedCallback();
    if (this.me.person.kind === "adult") import("../office/home.ts").catch(() => {});
  }

  protected override render(): TemplateResult {
    const { person, spaces } = this.me;
    return html`<main id="main" class="narrow" tabindex="-1">
      <h1>${t("home.hello", { name: person.name })}</h1>
      ${person.school ? html`<p class="lead">${person.school.name}, ${person.school.town}</p>` : nothing}
      <h2>${t("nav.my-spaces")}</h2>
      ${
        spaces.length === 0
          ? html`<div class="empty">
              <p>${t(person.kind === "pupil" ? "home.none-pupil" : "home.none-teacher")}</p>
            </div>`
          : html`<ul class="cards" role="list">
              ${spaces.map(
                (space) => html`<li>
                  <a class="card link" href=${path.space(space.id)}>
                    ${tile(space.id)}
                    <span class="grow"><strong>${space.title}</strong><span class="quiet">${t(`role.${space.role}`)}</span></span>
                    ${has(`status.${space.status}`) ? html`<span class="pill">${t(`status.${space.status}`)}</span>` : nothing}
                    ${icon("next")}
                  </a>
                </li>`,
              )}
            </ul>`
      }
      ${person.kind === "adult" ? html`<ts-home-office .me=${this.me}></ts-home-office>` : nothing}
    </main>`;
  }
}

customElements.define("ts-home", Home);
