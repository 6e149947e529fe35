import { api } from "../api/client.ts";
import { known, remember } from "../api/known.ts";

/** What the server knows of the writers of a page. */
export interface Writers {
  /** Client id to membership id. */
  whose: Record<string, string | null>;
  /** Membership id to name. */
  names: Record<string, string>;
}

const kept = (page: string): string => `/api/pages/${page}/writers`;

export async function fetchWriters(page: string): Promise<Writers> {
  const [whose, authors] = await Promise.all([
    api.get<Record<string, string | null>>(`/api/pages/${page}/authorship`),
    api.get<{ membership_id: string | null; name: string | null }[]>(`/api/pages/${page}/authors`),
  ]);
  const names: Record<string, string> = {};
  for (const { membership_id: id, name } of authors) if (id && name) names[id] = name;
  void remember(kept(page), { whose, names });
  return { whose, names };
}

/** What this device heard last. */
export const knownWriters = (page: string): Promise<Writers | undefined> => known<Writers>(kept(page));
