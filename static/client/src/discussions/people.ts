import type { Member, Room, Space } from "../api/types.ts";
import { t } from "../i18n/index.ts";
import type { Thread } from "./types.ts";

/** Somebody in this space, as the list of members has them. */
export interface Somebody {
  id: string;
  person: string;
  name: string;
  school: string;
  teacher: boolean;
  pupil: boolean;
}

const LEFT: Omit<Somebody, "id" | "name"> = { person: "", school: "", teacher: false, pupil: false };

/** The names of a space. Whoever is not a member any more has none. */
export class People {
  private readonly schools: Map<string, string>;

  constructor(
    space: Space,
    /** Undefined until the list is there. */
    private readonly members: ReadonlyMap<string, Member> | undefined,
  ) {
    this.schools = new Map(space.schools.map(({ id, name }) => [id, name]));
  }

  who(id: string | null): Somebody {
    const member = id === null ? undefined : this.members?.get(id);
    if (member) return this.somebody(member);
    return { id: id ?? "", name: this.members || id === null ? t("post.left") : "…", ...LEFT };
  }

  name(id: string | null): string {
    return this.who(id).name;
  }

  /** Who sees a thread, without me, by name: those a post in it may mention. */
  readersOf(thread: Thread, room: Room | undefined, mine: string): Somebody[] {
    const listed = new Set(room?.members ?? []);
    const sees = (member: Member) => {
      if (member.role === "admin" || member.role === "teacher") return true;
      if (room?.audience === "staff" || thread.kind === "ask") return member.id === thread.author;
      return room?.audience !== "listed" || listed.has(member.id);
    };
    return [...(this.members?.values() ?? [])]
      .filter((member) => member.id !== mine && sees(member))
      .map((member) => this.somebody(member))
      .sort((a, b) => a.name.localeCompare(b.name));
  }

  private somebody({ id, person_id, name, role, kind, school_id }: Member): Somebody {
    return {
      id,
      person: person_id,
      name,
      school: this.schools.get(school_id ?? "") ?? "",
      teacher: role === "teacher" || role === "admin",
      pupil: kind === "pupil",
    };
  }
}

/** The people whose name or a word of it begins with what was typed. */
export function matching(people: readonly Somebody[], typed: string, most = 6): Somebody[] {
  const start = plain(typed);
  return people
    .filter(
      ({ name }) =>
        plain(name).startsWith(start) ||
        plain(name)
          .split(/[\s-]+/)
          .some((word) => word.startsWith(start)),
    )
    .slice(0, most);
}

const plain = (text: string): string =>
  text
    .normalize("NFD")
    .replace(/\p{Diacritic}/gu, "")
    .toLowerCase();

/** The "@name" that is being typed before the cursor: where it begins and what there is of it. */
export function typedMention(text: string, cursor: number): { from: number; typed: string } | null {
  const found = /(^|[\s(])@([\p{L}\p{N}'’-]*(?: [\p{L}\p{N}'’-]*)?)$/u.exec(text.slice(0, cursor));
  return found ? { from: found.index + (found[1]?.length ?? 0), typed: found[2] ?? "" } : null;
}

/** The ids of those, of the people chosen, whose name still stands in the text. */
export function mentioned(text: string, chosen: readonly Somebody[]): string[] {
  let rest = text;
  // The longest names first: "Ana Serrano" is nobody who is called Ana.
  return [...chosen]
    .sort((a, b) => b.name.length - a.name.length)
    .filter(({ name }) => {
      const found = rest.includes(name);
      rest = rest.replaceAll(name, " ");
      return found;
    })
    .map(({ id }) => id);
}
