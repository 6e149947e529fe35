/** What the REST API answers (docs: /api/docs). Ids are short strings; times are unix seconds. */
export type Role = "guest" | "student" | "student-editor" | "teacher" | "admin";
export type SeeRule = "draft" | "members" | "staff";
export type EditRule = "everyone" | "editors" | "teachers";

export interface School {
  id: string;
  name: string;
  town: string;
  country: string;
  time_zone?: string;
}

export interface Person {
  id: string;
  name: string;
  kind: "adult" | "pupil";
  school: School | null;
  language: string | null;
}

export interface Me {
  person: Person;
  spaces: { id: string; title: string; role: Role; status?: string }[];
  /** What I may do beside the spaces: create_space, approve, cases, legal_cases. */
  can?: Record<string, boolean>;
}

export interface Room {
  id: string;
  title: string;
  kind: string;
  state: string;
  /** Who sees it; "listed": its members and the teachers. */
  audience?: "all" | "listed" | "staff";
  /** How posts of pupils come before the others' eyes. */
  posting?: "off" | "hold" | "hold-first" | "free";
  /** Membership ids of the listed members. */
  members?: string[];
  /** Days are 1 Monday to 7 Sunday; times are "08:00". */
  hours?: { days: number[]; from: string; to: string } | null;
  /** Message key why I may write nothing there now, else "". */
  reason?: string;
  /** What I may do here. */
  can?: {
    create_pages?: boolean;
    start_threads?: boolean;
    settings?: boolean;
    state?: boolean;
    supervise?: boolean;
  };
}

export interface Space {
  id: string;
  kind: string;
  title: string;
  summary: string;
  languages: string[];
  age_band: string;
  status: string;
  /** How adults come into a group. */
  join_rule?: string;
  /** Membership ids. */
  founders?: string[];
  /** What the national office has said last. */
  decision?: { approved: boolean | null; because: string; at: number } | null;
  /** Nobody writes until an admin lifts this. */
  frozen: boolean;
  my_role: Role;
  my_membership: string;
  schools: School[];
  rooms: Room[];
  can: Record<string, boolean>;
}

export interface Member {
  id: string;
  person_id: string;
  name: string;
  kind: "adult" | "pupil";
  role: Role;
  founder: boolean;
  school_id: string | null;
  /** Why the member may not write now; only for who may mute. Without an end: until it is lifted. */
  mute?: { reason: string; until: number | null } | null;
  /** What I may do with this member. */
  can: {
    role: boolean;
    remove: boolean;
    reset_code: boolean;
    mute?: boolean;
    ask_mute?: boolean;
    unmute?: boolean;
  };
}

/** What a teacher is told at one glance. The ids of people are membership ids. */
export interface Cockpit {
  /** My last visit. */
  since: number;
  pages: { id: string; title: string; last_at: number; authors: string[] }[];
  threads: { id: string; title: string; last_at: number; new_posts: number }[];
  members: { id: string; name: string; at: number }[];
  /** Pupils who have written nothing for half an hour. */
  silent: string[];
  counts: { held: number; reports: number; muted: number };
}

export interface Lock {
  by: string;
  reason: string;
  until: number | null;
  at: number;
}

export interface Page {
  id: string;
  kind: "page" | "board";
  title: string;
  parent_id: string | null;
  order: number;
  room_id: string;
  see_rule: SeeRule;
  edit_rule: EditRule;
  lock: Lock | null;
  /** Name of the live document: "page/<id>". */
  document: string;
  scope: "read-write" | "readonly";
  /** Message key why the page is not read-write, else "". */
  reason: string;
  can: { lock: boolean; rename: boolean; settings: boolean; delete: boolean };
  /** A block that I make here is protected for me. */
  block_owners?: boolean;
}

export interface Pupil {
  person_id: string;
  name: string;
  language: string | null;
  /** The first words of the card. */
  selector: string;
  /** Last log-in with this card. */
  last_seen: number | null;
  spaces: { id: string; title: string }[];
}

export interface Card {
  person_id: string;
  name: string;
  code: string;
  login_url: string;
  qr_svg: string;
}
