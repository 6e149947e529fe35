import { ApiError, api, Unreachable } from "./api/client.ts";
import { forgetAll, remember, startKeeping } from "./api/known.ts";
import type { Me } from "./api/types.ts";
import { clearStores } from "./collab/device.ts";
import { language, pickLanguage, setLanguage } from "./i18n/index.ts";

const LANGUAGE = "twinspace.language";
const LAST_PERSON = "twinspace.person";

let person: Me | null = null;
let leaving = false;
const listeners = new Set<() => void>();

/** Who is logged in here, or null. */
export const me = (): Me | null => person;

/** I am logging out myself: the server's word that my log-in is over is no news. */
export const isLeaving = (): boolean => leaving;

export function onMe(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** The language before anybody is known: the one chosen on this device, else the browser's. */
export const deviceLanguage = (): string =>
  pickLanguage([localStorage.getItem(LANGUAGE), ...navigator.languages]);

/** Asks the server who is logged in (without a network: who was, last time). */
export async function refresh(): Promise<Me | null> {
  try {
    await welcome(await api.getKnown<Me>("/api/me"));
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 401)) throw error;
    person = null;
    tell();
  }
  return person;
}

export type Credentials =
  | { method: "password"; email: string; password: string }
  | { method: "code"; code: string };

export async function logIn(credentials: Credentials): Promise<void> {
  await welcome(await api.post<Me>("/api/session", credentials));
}

/** Ends the log-in and removes what this device kept of it. */
export async function logOut(): Promise<void> {
  leaving = true;
  try {
    await api.delete("/api/session").catch((error: unknown) => {
      if (!(error instanceof ApiError && error.status === 401)) throw error;
    });
  } finally {
    leaving = false;
  }
  ended();
  localStorage.removeItem(LAST_PERSON);
  sessionStorage.clear();
  await Promise.all([forgetAll(), clearStores()]);
}

/** The log-in is over on the server's side. Unsent edits stay on the device for the person's return. */
export function ended(): void {
  person = null;
  tell();
}

export async function chooseLanguage(code: string): Promise<void> {
  await setLanguage(code).catch(() => {
    throw new Unreachable("The words of the language cannot be fetched.");
  });
  localStorage.setItem(LANGUAGE, code);
  if (person) {
    person = { ...person, person: { ...person.person, language: code } };
    void remember("/api/me", person);
    await api.patch("/api/me", { language: code }).catch(() => {});
  }
}

async function welcome(answer: Me): Promise<void> {
  const last = localStorage.getItem(LAST_PERSON);
  if (last && last !== answer.person.id) await Promise.all([forgetAll(), clearStores(true)]);
  startKeeping();
  void remember("/api/me", answer);
  localStorage.setItem(LAST_PERSON, answer.person.id);
  const wanted = pickLanguage([answer.person.language, deviceLanguage()]);
  if (wanted !== language()) await setLanguage(wanted);
  person = answer;
  tell();
}

function tell(): void {
  for (const listener of listeners) listener();
}
