/** The rules of a space as /api/spaces/<id>/policy answers them. */
export const CONTACTS = ["phone", "email", "handle", "link", "address"] as const;
export type Contact = (typeof CONTACTS)[number];
export type Action = "off" | "flag" | "hold" | "block";

export interface Word {
  text: string;
  action: Action;
  /** "" for whatever language. */
  language: string;
}

export interface Filters extends Record<Contact, Action> {
  domains: string[];
  words: Word[];
}

export interface Policy {
  age_band: string;
  /** Null: as far as the age band allows. */
  chosen: {
    guests_read: boolean;
    guests_edit: boolean;
    guests_post: boolean;
    students_create: boolean;
    block_owners: boolean;
    page_editing: string | null;
    posting: string | null;
    chat: string | null;
    supervision: string;
    filters: Filters;
  };
  /** From tight to free. */
  allowed: { page_editing: string[]; posting: string[]; chat: string[]; contacts: Action[] };
  effective: { page_editing: string; block_owners: boolean; posting: string; chat: string; filters: Filters };
}

export interface Tried {
  outcome: string;
  /** Counted in Unicode characters. */
  findings: { kind: Contact | "word"; action: Action; start: number; end: number }[];
}
