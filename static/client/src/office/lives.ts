/** What the API says of the lives of spaces. Ids are short strings; times are unix seconds. */
import type { Role } from "../api/types.ts";

export type SpaceKind = "project" | "group";
export type JoinRule = "invitation" | "request" | "open";

/** A space that waits for the national office. */
export interface Waiting {
  id: string;
  kind: SpaceKind;
  title: string;
  summary: string;
  languages: string[];
  age_band: string;
  founders: { name: string; school: string | null; town: string | null; country: string | null }[];
  asked_at: number;
}

export interface Group {
  id: string;
  title: string;
  summary: string;
  languages: string[];
  featured: boolean;
  join_rule: JoinRule;
  members: number;
  mine: "" | "member" | "waiting" | "refused";
}

export interface JoinRequest {
  id: string;
  name: string;
  school: string | null;
  town: string | null;
  country: string | null;
  words: string;
  at: number;
}

export interface Invitation {
  id: string;
  role: Role;
  state: "proposed" | "open" | "accepted" | "declined" | "withdrawn" | "expired";
  /** For whom it is; only for who made it. */
  email: string | null;
  mine: boolean;
  expires_at: number;
  created_at: number;
  can: { confirm: boolean; withdraw: boolean };
}

export interface MadeInvitation {
  invitation: Invitation;
  /** For the link; it is told only this once. */
  token: string;
}

/** What the holder of a link is told. */
export interface Invited {
  space_title: string;
  space_kind: SpaceKind;
  role: Role;
  founder: boolean;
  inviter: string;
  school: string | null;
  expires_at: number;
}
