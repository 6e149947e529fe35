import type { Me } from "../api/types.ts";
import { language } from "../i18n/index.ts";
import { path } from "../router.ts";

/** Something that has happened and that I should know of; ids only. */
export interface Notice {
  id: string;
  kind: string;
  space_id: string | null;
  /** What it is about, such as "post/<id>". */
  ref: string;
  details: Record<string, string>;
  at: number;
  read: boolean;
}

export interface News {
  unread: number;
  /** The newest first. */
  notifications: Notice[];
}

/** The address of what a notice is about, as far as I may go there. */
export function place({ kind, space_id: space, ref, details }: Notice, { spaces }: Me): string {
  const mine = spaces.find(({ id }) => id === space);
  const staff = mine?.role === "teacher" || mine?.role === "admin";
  switch (kind) {
    case "space-asked":
    case "floor-asked":
      return path.office("approvals");
    case "contact-asked":
    case "contact-accepted":
      return path.office("contacts");
    case "message":
      return path.office(`messages/${ref.slice("person/".length)}`);
    case "join-refused":
      return path.office("groups");
    case "mute-asked":
      if (!mine) return path.office("approvals");
      break;
    case "report":
    case "case-opened":
    case "case-closed":
      if (!mine) return path.office("cases");
  }
  if (!space) return path.home;
  if (details.thread && !(kind === "held" && staff)) {
    const post = ref.startsWith("post/") ? `#post-${ref.slice(5)}` : "";
    return path.thread(space, details.thread) + post;
  }
  switch (kind) {
    case "held":
    case "report":
      return staff ? path.cockpit(space) : path.space(space);
    case "floor-granted":
    case "floor-refused":
    case "floor-taken-back":
      return path.settings(space);
    case "mute-asked":
    case "mute-refused":
    case "mute-confirmed":
      return path.cockpit(space);
    case "invitation-accepted":
    case "join-asked":
      return path.members(space);
  }
  return path.space(space);
}

/** The days of the notices, the newest first, each with a name such as "today". */
export function byDay(notices: readonly Notice[], now = new Date()): { name: string; notices: Notice[] }[] {
  const days = new Map<string, { name: string; notices: Notice[] }>();
  for (const notice of notices) {
    const date = new Date(notice.at * 1000);
    const key = date.toDateString();
    let day = days.get(key);
    if (!day) {
      day = { name: dayName(date, now), notices: [] };
      days.set(key, day);
    }
    day.notices.push(notice);
  }
  return [...days.values()];
}

function dayName(date: Date, now: Date): string {
  const midnight = (day: Date) => Date.UTC(day.getFullYear(), day.getMonth(), day.getDate());
  const ago = Math.round((midnight(date) - midnight(now)) / 86_400_000);
  const words =
    ago <= 0 && ago >= -1
      ? new Intl.RelativeTimeFormat(language(), { numeric: "auto" }).format(ago, "day")
      : new Intl.DateTimeFormat(language(), { weekday: "long", day: "numeric", month: "long" }).format(date);
  return words.charAt(0).toLocaleUpperCase(language()) + words.slice(1);
}

export const timeOfDay = (at: number): string =>
  new Intl.DateTimeFormat(language(), { timeStyle: "short" }).format(new Date(at * 1000));
