import { html, nothing, type TemplateResult } from "lit";
import { api } from "../api/client.ts";
import { moment, registerCatalogue, t } from "../i18n/index.ts";
import { announce } from "../ui/announce.ts";
import { ask } from "../ui/dialog.ts";
import { area } from "./fields.ts";

/** What an admin of a space proposes and somebody else agrees to. Times are unix seconds. */
export interface Proposal {
  id: string;
  kind: "floor" | "mute";
  state: "waiting" | "accepted" | "refused" | "withdrawn";
  space_id: string;
  space_title: string;
  age_band: string;
  floor: Floor | null;
  mute: { minutes: number | null; until: number | null } | null;
  because: string;
  asked_by: Somebody | null;
  /** Who is to be muted. */
  concerned: Somebody | null;
  asked_at: number;
  answer: { by: string | null; because: string; at: number } | null;
  can: { decide: boolean; withdraw: boolean };
}

/** How far beyond the age band; null: no further. */
export type Floor = Record<Rule, string | null>;

interface Somebody {
  member: string;
  name: string;
  school: string | null;
}

export const RULES = ["page_editing", "posting", "chat"] as const;
export type Rule = (typeof RULES)[number];

const loaders = {
  en: () => import("./i18n/proposals/en.ts"),
  es: () => import("./i18n/proposals/es.ts"),
  pt: () => import("./i18n/proposals/pt.ts"),
};
let there: Promise<void> | undefined;

/** The words of proposals. Rejects when they cannot be had; asking again tries again. */
export function proposalWords(): Promise<void> {
  there ??= registerCatalogue(loaders).catch((error: unknown) => {
    there = undefined;
    throw error;
  });
  return there;
}

/** What is to be opened wider, rule by rule. */
export const wishes = ({ floor }: { floor: Floor | null }): TemplateResult =>
  html`${RULES.map((rule) =>
    floor?.[rule]
      ? html`<li>${t(`proposal.${rule}`)}: <strong>${t(`proposal.${rule}.${floor[rule]}`)}</strong></li>`
      : nothing,
  )}`;

/** How long a mute is to be. */
export function howLong({ mute }: Proposal): string {
  if (mute?.minutes) return t("mutes.minutes", { count: mute.minutes });
  return mute?.until ? t("mutes.until", { time: moment(mute.until) }) : t("mutes.open");
}

export const somebody = (person: Somebody | null): string =>
  person ? `${person.name}, ${person.school ?? t("proposal.no-school")}` : "";

/** A space that may be opened wider than its age band. */
export interface Granted {
  space_id: string;
  space_title: string;
  age_band: string;
  floor: Floor;
}

/** Asks why, and has the space as wide as its age band at once. */
export async function takeBack({ space_id, space_title: title }: Granted): Promise<void> {
  const done = await ask(
    {
      title: t("office.take-back-title", { title }),
      text: t("office.take-back-text"),
      fields: area("because", t("mutes.because")),
      submit: t("office.take-back"),
      danger: true,
    },
    (form) =>
      api.put(`/api/spaces/${space_id}/floor/taken-back`, { because: String(form.get("because")).trim() }),
  );
  if (done) announce(t("office.taken-back", { title }));
}

const answer = (id: string, accept: boolean, because: string) =>
  api.put(`/api/proposals/${id}/decision`, { accept, because });

/** Asks whether it is to be, and has it so. */
export async function confirmMute({ id, concerned }: Proposal): Promise<void> {
  const name = concerned?.name ?? "";
  const done = await ask(
    {
      title: t("mutes.confirm-title", { name }),
      text: t("mutes.confirm-text", { name }),
      submit: t("mutes.confirm"),
      danger: true,
    },
    () => answer(id, true, ""),
  );
  if (done) announce(t("mutes.confirmed", { name }));
}

export async function grant({ id, space_title: title }: Proposal): Promise<void> {
  await answer(id, true, "");
  announce(t("office.granted", { title }));
}

/** Asks why not, and says so to who has asked. */
export async function refuse({ id, kind, concerned, space_title: title }: Proposal): Promise<void> {
  const name = concerned?.name ?? "";
  const [words, what] = kind === "mute" ? ["mutes", { name }] : ["office", { title }];
  const done = await ask(
    {
      title: t(`${words}.refuse-title`, what),
      text: t(`${words}.refuse-text`, what),
      fields: area("because", t("mutes.because")),
      submit: t(`${words}.refuse`),
    },
    (form) => answer(id, false, String(form.get("because")).trim()),
  );
  if (done) announce(t(`${words}.refused`, what));
}

export async function withdraw({ id }: Proposal): Promise<void> {
  await api.delete(`/api/proposals/${id}`);
  announce(t("proposal.withdrawn"));
}
