import { language } from "../i18n/index.ts";

export const PURPOSES = ["account", "image", "voice-video", "public-name", "publication"] as const;
export type Purpose = (typeof PURPOSES)[number];

/** Days are written as 2026-09-01. */
export interface Consent {
  purpose: Purpose;
  state: "none" | "given" | "expired" | "withdrawn";
  given_on?: string | null;
  /** Its last day; without one it holds until it is withdrawn. */
  valid_until?: string | null;
  recorded_by?: string | null;
}

export interface PupilConsents {
  person_id: string;
  name: string;
  consents: Consent[];
}

export interface SchoolConsents {
  /** At the school. */
  today: string;
  pupils: PupilConsents[];
}

export interface ConsentEntry {
  purpose: Purpose;
  state: Consent["state"] | "replaced";
  given_on: string;
  valid_until: string | null;
  recorded_by: string | null;
  recorded_at: number;
  withdrawn_by: string | null;
  withdrawn_at: number | null;
}

/** A day, the way the reader writes it. */
export const day = (iso: string): string =>
  new Intl.DateTimeFormat(language(), { dateStyle: "medium", timeZone: "UTC" }).format(new Date(iso));

/** The next end of August, which is at least a day away. */
export function endOfSchoolYear(today: string): string {
  const year = Number(today.slice(0, 4));
  const end = `${year}-08-31`;
  return today < end ? end : `${year + 1}-08-31`;
}
