import { api } from "../api/client.ts";
import type { MadeInvitation } from "./lives.ts";

/** How long the partner's link works. */
export const PARTNER_DAYS = 14;

/** A new link for the partner of a project; an older one works no more. */
export const partnerToken = async (space: string): Promise<string> =>
  (await api.post<MadeInvitation>(`/api/spaces/${space}/partner`, { days: PARTNER_DAYS })).token;
