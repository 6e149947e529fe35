/**
 * Words, numbers and dates in the reader's language.
 *
 * A catalogue maps a key to a message. `{name}` in a message is replaced by the parameter of that name;
 * numbers are written the way the language writes them. A message that depends on a number is an object
 * with the CLDR plural categories of its language, chosen by the parameter `count` (Intl.PluralRules).
 */
export type Plural = { other: string } & Partial<Record<Intl.LDMLPluralRule, string>>;
export type Message = string | Plural;
export type Catalogue = Record<string, Message>;
export type Params = Record<string, string | number>;
export type Loaders = Record<string, () => Promise<{ default: Catalogue }>>;

/** The languages of the client, each by its own name, the first one being the fallback. */
export const LANGUAGES: readonly { code: string; name: string; dir: "ltr" | "rtl" }[] = [
  { code: "en", name: "English", dir: "ltr" },
  { code: "es", name: "Español", dir: "ltr" },
  { code: "pt", name: "Português", dir: "ltr" },
];

const sources: Loaders[] = [];
const listeners = new Set<() => void>();
let messages: Catalogue = {};
let current = "en";
let turn = 0;

/** Code of the language on the screen, as in LANGUAGES. */
export const language = (): string => current;

/** The first of `wanted` (BCP 47 tags, best first) that the client speaks, else the fallback. */
export function pickLanguage(wanted: readonly (string | null | undefined)[]): string {
  for (const tag of wanted) {
    const code = tag?.toLowerCase().split(/[-_]/)[0];
    const known = LANGUAGES.find((each) => each.code === code);
    if (known) return known.code;
  }
  return "en";
}

/**
 * Adds the words of one part of the client: one loader for each language. Resolves when the words of the
 * language on the screen are there. The keys of a part begin with its name ("editor.bold").
 */
export async function registerCatalogue(loaders: Loaders): Promise<void> {
  if (!sources.includes(loaders)) sources.push(loaders);
  let code: string;
  let catalogue: Catalogue;
  do {
    code = current;
    catalogue = await load(loaders, code);
  } while (code !== current);
  messages = { ...messages, ...catalogue };
  for (const listener of listeners) listener();
}

/** Shows another language: loads its words first, then tells every listener. */
export async function setLanguage(code: string): Promise<void> {
  const mine = ++turn;
  const catalogues = await Promise.all(sources.map((loaders) => load(loaders, code)));
  if (mine !== turn) return;
  current = code;
  messages = Object.assign({}, ...catalogues);
  const known = LANGUAGES.find((each) => each.code === code);
  document.documentElement.lang = code;
  document.documentElement.dir = known?.dir ?? "ltr";
  for (const listener of listeners) listener();
}

/** Calls back after each change of the words; returns the function that ends it. */
export function onLanguage(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

async function load(loaders: Loaders, code: string): Promise<Catalogue> {
  const loader = loaders[code] ?? loaders.en;
  return loader ? (await loader()).default : {};
}

/** The message of `key` in the language on the screen; the key itself if there is none. */
export function t(key: string, params: Params = {}): string {
  return format(messages[key] ?? key, params, current);
}

/** Whether the language on the screen has a message of that key (for codes that come from the server). */
export const has = (key: string): boolean => key in messages;

/** Fills one message. Pure: the tests use it on every message of every catalogue. */
export function format(message: Message, params: Params, lang: string): string {
  const text = typeof message === "string" ? message : plural(message, Number(params.count ?? 0), lang);
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = params[name];
    if (value === undefined) return whole;
    return typeof value === "number" ? numbers(lang).format(value) : value;
  });
}

/** Making one takes long. */
const once = <T>(make: (lang: string) => T) => {
  const made: Record<string, T> = {};
  return (lang: string): T => (made[lang] ??= make(lang));
};
const numbers = once((lang) => new Intl.NumberFormat(lang));
const plurals = once((lang) => new Intl.PluralRules(lang));

function plural(message: Plural, count: number, lang: string): string {
  return message[plurals(lang).select(count)] ?? message.other;
}

/** A moment as date and time, short enough for a label. `when` is unix seconds or ISO 8601. */
export function moment(when: number | string): string {
  const date = new Date(typeof when === "number" ? when * 1000 : when);
  const today = date.toDateString() === new Date().toDateString();
  return new Intl.DateTimeFormat(
    current,
    today ? { timeStyle: "short" } : { dateStyle: "medium", timeStyle: "short" },
  ).format(date);
}

/** "Ana, Rui and Eva" */
export const list = (words: readonly string[]): string =>
  new Intl.ListFormat(current, { type: "conjunction" }).format(words);

/** The two codes in which the European institutions differ from ISO 3166. */
const EUROPEAN_CODES: Record<string, string> = { EL: "GR", UK: "GB" };

/** The name of a country in the language on the screen. */
export function country(code: string): string {
  try {
    const region = EUROPEAN_CODES[code] ?? code;
    return new Intl.DisplayNames(current, { type: "region" }).of(region) ?? code;
  } catch {
    return code;
  }
}
