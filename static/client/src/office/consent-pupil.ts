import { html, nothing, type TemplateResult } from "lit";
import { api, explain } from "../api/client.ts";
import { moment, t } from "../i18n/index.ts";
import { announce } from "../ui/announce.ts";
import { ask, openDialog } from "../ui/dialog.ts";
import { type Consent, type ConsentEntry, day, type PupilConsents, type Purpose } from "./consent-data.ts";

/** All that a family has agreed to, and a way to take it back. Resolves true when something has changed. */
export async function showPupil({ person_id, name, consents }: PupilConsents): Promise<boolean> {
  let entries: ConsentEntry[] | undefined;
  let failed = "";
  const purpose = await openDialog<Purpose>(
    () => name,
    (close, redraw) => {
      const look = async () => {
        try {
          entries = await api.get<ConsentEntry[]>(`/api/people/${person_id}/consents`);
        } catch (error) {
          failed = explain(error);
        }
        redraw();
      };
      return html`<div class="stack">
        <ul class="consent-list" role="list">
          ${consents.map(
            (consent) => html`<li>
              <span class="grow">
                <strong>${t(`consent.${consent.purpose}`)}</strong>
                <span class="quiet">${sentence(consent)}</span>
              </span>
              ${
                consent.state === "given" || consent.state === "expired"
                  ? html`<button class="button" @click=${() => close(consent.purpose)}>
                      <span>${t("consent.withdraw")}<span class="sr">: ${t(`consent.${consent.purpose}`)}</span></span>
                    </button>`
                  : nothing
              }
            </li>`,
          )}
        </ul>
        ${
          entries
            ? html`<h3>${t("consent.history")}</h3>
                ${entries.length === 0 ? html`<p class="quiet">${t("consent.history-none")}</p>` : nothing}
                <ul class="consent-list" role="list">${entries.map(line)}</ul>`
            : html`<button class="button wide" @click=${look}>${t("consent.history")}</button>`
        }
        <p class="error" role="alert">${failed}</p>
      </div>`;
    },
  );
  return purpose !== undefined && (await withdraw(person_id, name, purpose));
}

async function withdraw(person: string, name: string, purpose: Purpose): Promise<boolean> {
  const about = { name, purpose: t(`consent.${purpose}`) };
  const done = await ask(
    {
      title: t("consent.withdraw-title", about),
      text: t("consent.withdraw-text"),
      submit: t("consent.withdraw"),
      danger: true,
    },
    () => api.put(`/api/people/${person}/consents/${purpose}/withdrawn`, {}),
  );
  if (done) announce(t("consent.withdrawn", about));
  return done;
}

function sentence({ state, given_on, valid_until, recorded_by }: Consent): TemplateResult {
  if (!given_on) return html`${t("consent.state.none")}`;
  if (state === "withdrawn") return html`${t("consent.state.withdrawn")}`;
  const when =
    state === "expired" && valid_until
      ? t("consent.ended", { day: day(valid_until) })
      : span(given_on, valid_until);
  return html`${when}${recorded_by ? html` · ${t("consent.by", { name: recorded_by })}` : nothing}`;
}

const span = (given: string, until?: string | null): string =>
  until
    ? t("consent.from-to", { from: day(given), to: day(until) })
    : t("consent.from", { from: day(given) });

function line(entry: ConsentEntry): TemplateResult {
  const { purpose, state, given_on, valid_until, recorded_at, withdrawn_at } = entry;
  return html`<li>
    <span class="grow">
      <span>${t(`consent.${purpose}`)}: ${span(given_on, valid_until)}</span>
      <span class="quiet">${t("consent.noted", { name: entry.recorded_by ?? t("consent.somebody"), time: moment(recorded_at) })}</span>
      ${
        withdrawn_at
          ? html`<span class="quiet">${t("consent.withdrawn-by", { name: entry.withdrawn_by ?? t("consent.somebody"), time: moment(withdrawn_at) })}</span>`
          : nothing
      }
    </span>
    ${state === "given" ? nothing : html`<span class="pill ${state}">${t(`consent.state.${state}`)}</span>`}
  </li>`;
}
