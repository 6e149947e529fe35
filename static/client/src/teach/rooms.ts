import { html, nothing } from "lit";
import { api } from "../api/client.ts";
import type { Room } from "../api/types.ts";
import { language, t } from "../i18n/index.ts";
import { announce } from "../ui/announce.ts";
import { ask } from "../ui/dialog.ts";
import type { Policy } from "./policy.ts";

const STATES = ["open", "supervised", "read-only", "frozen"];
const POSTING = ["off", "hold", "hold-first", "free"];

/** 1 January 2024 was a Monday. */
const dayName = (day: number): string =>
  new Intl.DateTimeFormat(language(), { weekday: "short", timeZone: "UTC" }).format(Date.UTC(2024, 0, day));

/** Who may write in a room, when, and how posts come to be seen: what of it this teacher may change. */
export async function manageRoom(room: Room, space: string): Promise<boolean> {
  const { can = {}, hours } = room;
  const { effective } = await api.get<Policy>(`/api/spaces/${space}/policy`);
  const posting = POSTING.slice(0, POSTING.indexOf(effective.posting) + 1);
  const states = can.state ? STATES : ["open", "supervised"];
  const done = await ask(
    {
      title: t("room.manage", { title: room.title }),
      fields: html`${
        can.state || can.supervise
          ? html`<fieldset class="choice rows">
              <legend>${t("room.state")}</legend>
              ${states.map(
                (each) => html`<label>
                  <input type="radio" name="state" value=${each} ?checked=${each === room.state} />
                  <span>${t(`room.state.${each}`)}</span>
                </label>`,
              )}
            </fieldset>`
          : nothing
      }
      ${
        can.settings
          ? html`<div class="field">
              <label for="room-posting">${t("room.posting")}</label>
              <select id="room-posting" name="posting">
                ${posting.map((each) => html`<option value=${each} ?selected=${each === room.posting}>${t(`room.posting.${each}`)}</option>`)}
              </select>
            </div>`
          : nothing
      }
      ${
        can.state
          ? html`<fieldset class="room-hours">
              <legend>${t("room.hours")}</legend>
              <label class="check"><input type="checkbox" name="limited" ?checked=${!!hours} /> ${t("room.hours-some")}</label>
              <div class="room-days">
                ${[1, 2, 3, 4, 5, 6, 7].map(
                  (day) => html`<label class="check"
                    ><input type="checkbox" name="day" value=${day} ?checked=${hours ? hours.days.includes(day) : day < 6} /> ${dayName(day)}</label
                  >`,
                )}
              </div>
              <div class="room-times">
                <label>${t("room.from")} <input type="time" name="from" value=${hours?.from ?? "08:00"} /></label>
                <label>${t("room.to")} <input type="time" name="to" value=${hours?.to ?? "16:00"} /></label>
              </div>
              <p class="quiet">${t("room.hours-text")}</p>
            </fieldset>`
          : nothing
      }`,
      submit: t("dialog.save"),
    },
    async (form) => {
      const at = `/api/rooms/${room.id}`;
      const rule = form.get("posting");
      if (rule && rule !== room.posting) await api.patch(at, { posting: rule });
      if (can.state) {
        const days = form.getAll("day").map(Number);
        if (form.get("limited") && days.length > 0)
          await api.put(`${at}/hours`, { days, from: form.get("from"), to: form.get("to") });
        else if (hours) await api.delete(`${at}/hours`);
      }
      const state = form.get("state");
      if (state && state !== room.state) await api.put(`${at}/state`, { state });
    },
  );
  if (done) announce(t("room.saved"));
  return done;
}
