import { html, nothing, type TemplateResult } from "lit";
import { api, explain } from "../api/client.ts";
import type { Member, Room, Space } from "../api/types.ts";
import { list, t } from "../i18n/index.ts";
import { announce } from "../ui/announce.ts";
import { ask, openDialog } from "../ui/dialog.ts";
import { icon } from "../ui/icons.ts";
import { View } from "../ui/view.ts";
import { manageRoom } from "./rooms.ts";

interface Team {
  title: string;
  schools: { school_id: string | null; members: string[] }[];
}

interface Mixed {
  seed: number;
  teams: Team[];
}

/** The rooms of a space, how many of each school are in a team, and how a teacher makes more of them. */
class Rooms extends View {
  static override properties = {
    space: { attribute: false },
    members: { attribute: false },
  };

  declare space: Space;
  declare members: Member[];

  protected override render(): TemplateResult {
    const { space } = this;
    return html`<section class="card" aria-labelledby="desk-rooms">
      <h2 id="desk-rooms">${t("rooms.title")}</h2>
      <ul class="desk-list" role="list">
        ${space.rooms.map((room) => this.line(room))}
      </ul>
      ${
        space.can.make_rooms
          ? html`<div class="actions start">
              <button class="button" aria-haspopup="dialog" @click=${() => newRoom(space)}>${icon("plus")}${t("rooms.new")}</button>
              ${
                this.pupils.length
                  ? html`<button class="button" aria-haspopup="dialog" @click=${() => mixTeams(space, this.pupils)}>
                      ${icon("people")}${t("teams.mix")}
                    </button>`
                  : nothing
              }
            </div>`
          : nothing
      }
    </section>`;
  }

  private get pupils(): Member[] {
    return this.members.filter(({ kind }) => kind === "pupil");
  }

  private line(room: Room): TemplateResult {
    const { can = {} } = room;
    return html`<li class="room-line">
      <span class="grow">
        <strong>${room.title}</strong>
        <span class="quiet">${this.who(room)}${room.state === "open" ? nothing : html` · ${t(`room.state.${room.state}`)}`}</span>
      </span>
      ${
        room.kind === "team" && can.settings
          ? html`<button class="button quiet" aria-haspopup="dialog" @click=${() => changeTeam(room, this.pupils)}>
              ${t("teams.change")}<span class="sr">: ${room.title}</span>
            </button>`
          : nothing
      }
      ${
        can.settings || can.state || can.supervise
          ? html`<button class="button icon quiet" aria-haspopup="dialog" aria-label=${t("room.manage", { title: room.title })} @click=${() => manageRoom(room, this.space.id)}>
              ${icon("more")}
            </button>`
          : nothing
      }
    </li>`;
  }

  /** Whose room it is; of a team, how many of each school. */
  private who(room: Room): string {
    if (room.kind !== "team") return t(`rooms.for.${room.audience === "staff" ? "staff" : "all"}`);
    const here = this.pupils.filter(({ id }) => room.members?.includes(id));
    return balance(
      this.space,
      here.map(({ school_id }) => school_id),
    );
  }
}

/** "3 Zaragoza, 2 Porto". */
function balance(space: Space, schools: (string | null)[]): string {
  if (schools.length === 0) return t("teams.nobody");
  return list(
    space.schools.flatMap(({ id, town }) => {
      const count = schools.filter((each) => each === id).length;
      return count ? [`${count} ${town}`] : [];
    }),
  );
}

async function newRoom(space: Space): Promise<boolean> {
  let title = "";
  const done = await ask(
    {
      title: t("rooms.new"),
      fields: html`<div class="field">
          <label for="room-title">${t("rooms.name")}</label>
          <input id="room-title" name="title" required maxlength="200" autocomplete="off" />
        </div>
        <fieldset class="choice rows">
          <legend>${t("rooms.whose")}</legend>
          ${space.age_band === "adults" ? nothing : kind("team", true)} ${kind("free", space.age_band === "adults")}
          ${kind("general", false)}
        </fieldset>`,
      submit: t("rooms.make"),
    },
    (form) => {
      title = String(form.get("title")).trim();
      return api.post(`/api/spaces/${space.id}/rooms`, { title, kind: form.get("kind") });
    },
  );
  if (done) announce(t("rooms.made", { title }));
  return done;
}

const kind = (value: string, checked: boolean): TemplateResult => html`<label>
  <input type="radio" name="kind" value=${value} ?checked=${checked} />
  <span>${t(`rooms.kind.${value}`)}</span>
</label>`;

/** Puts pupils into a team or takes them out. */
function changeTeam(room: Room, pupils: Member[]): Promise<boolean> {
  const others = (room.members ?? []).filter((id) => !pupils.some((each) => each.id === id));
  return ask(
    {
      title: t("teams.change-title", { title: room.title }),
      fields: html`<fieldset class="choice rows">
        <legend>${t("teams.who")}</legend>
        ${pupils.map(
          (pupil) => html`<label>
            <input type="checkbox" name="member" value=${pupil.id} ?checked=${room.members?.includes(pupil.id)} />
            <span>${pupil.name}</span>
          </label>`,
        )}
      </fieldset>`,
      submit: t("dialog.save"),
    },
    (form) => api.patch(`/api/rooms/${room.id}`, { members: [...others, ...form.getAll("member")] }),
  );
}

/** Shows teams until the teacher likes them, then makes those that are on the screen. */
async function mixTeams(space: Space, pupils: Member[]): Promise<boolean> {
  let count = Math.min(pupils.length, Math.max(2, Math.round(pupils.length / 4)));
  let names: string[] = [];
  let mixed: Mixed | undefined;
  let failed = "";
  let busy = false;
  const name = (id: string) => pupils.find((each) => each.id === id)?.name ?? "";
  const made = await openDialog<boolean>(
    () => t("teams.mix"),
    (close, redraw) => {
      const send = async (preview: boolean, seed: number | undefined, shown?: HTMLFormElement) => {
        if (busy) return;
        busy = true;
        failed = "";
        if (shown) names = [...new FormData(shown).getAll("name")].map((each) => String(each).trim());
        const wanted = (mixed?.teams ?? []).map((team, index) => names[index] || team.title);
        redraw();
        try {
          const body = {
            count,
            preview,
            ...(seed === undefined ? {} : { seed }),
            names: wanted.slice(0, count),
          };
          const answer = await api.post<Mixed>(`/api/spaces/${space.id}/teams`, body);
          if (preview) mixed = answer;
          else close(true);
        } catch (error) {
          failed = explain(error);
        }
        busy = false;
        redraw();
      };
      return html`<form
        class="stack"
        method="dialog"
        @submit=${(event: SubmitEvent) => {
          event.preventDefault();
          const form = event.currentTarget as HTMLFormElement;
          void send(!mixed, mixed?.seed, form);
        }}
      >
        <p>${t("teams.mix-text", { count: pupils.length })}</p>
        <div class="field">
          <label for="team-count">${t("teams.count")}</label>
          <input
            id="team-count"
            type="number"
            min="1"
            max=${Math.min(50, pupils.length)}
            required
            .value=${String(count)}
            @input=${(event: Event) => {
              count = (event.currentTarget as HTMLInputElement).valueAsNumber || 1;
              mixed = undefined;
              redraw();
            }}
          />
        </div>
        ${
          mixed
            ? html`<ol class="desk-list team-list" role="list">
                ${mixed.teams.map(
                  (team, index) => html`<li>
                    <input name="name" required maxlength="200" autocomplete="off" aria-label=${t("teams.name", { number: index + 1 })} .value=${team.title} />
                    <p class="quiet">
                      ${balance(
                        space,
                        team.schools.flatMap(({ school_id, members }) => members.map(() => school_id)),
                      )}:
                      ${list(team.schools.flatMap(({ members }) => members.map(name)))}
                    </p>
                  </li>`,
                )}
              </ol>`
            : nothing
        }
        <p class="error" role="alert">${failed}</p>
        <footer class="actions">
          <button class="button" type="button" @click=${() => close()}>${t("dialog.cancel")}</button>
          ${
            mixed
              ? html`<button
                  class="button"
                  type="button"
                  @click=${(event: Event) => send(true, undefined, (event.currentTarget as HTMLButtonElement).form ?? undefined)}
                >
                  ${t("teams.again")}
                </button>`
              : nothing
          }
          <button class="button primary" type="submit" aria-disabled=${busy}>${t(mixed ? "teams.make" : "teams.show")}</button>
        </footer>
      </form>`;
    },
  );
  if (made) announce(t("teams.made", { count }));
  return made === true;
}

customElements.define("ts-desk-rooms", Rooms);
