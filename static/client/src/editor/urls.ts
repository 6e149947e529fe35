/**
 * The one place that decides which addresses a document may name. Whatever writes into the shared document
 * directly has passed no other check, so this stands before every href and src that is drawn or parsed.
 */
const LINKS = new Set(["http:", "https:", "mailto:"]);
const LONGEST = 2048;

function parse(value: unknown, base: string): URL | null {
  if (typeof value !== "string" || value.length > LONGEST) return null;
  try {
    return new URL(value.trim(), base);
  } catch {
    return null;
  }
}

const here = (): string => (typeof location === "undefined" ? "https://localhost/" : location.href);

/** The address a link may lead to, written out in full; null if there is none. */
export function allowedLink(value: unknown, base = here()): string | null {
  const url = parse(value, base);
  return url && LINKS.has(url.protocol) ? url.href : null;
}

/** The address an image may come from (https, or this very server); null if there is none. */
export function allowedImage(value: unknown, base = here()): string | null {
  const url = parse(value, base);
  if (!url || url.username || url.password) return null;
  const own = url.protocol === "http:" && url.origin === new URL(base).origin;
  return url.protocol === "https:" || own ? url.href : null;
}

/** What somebody typed into the link field, as an address: "school.pt" means https, "a@b.eu" a mail. */
export function typedLink(text: string): string | null {
  const typed = text.trim();
  if (!typed || /\s/.test(typed)) return null;
  if (/^[a-z][a-z0-9+.-]*:/i.test(typed) && !/^[\w.-]+:\d+(\/|$)/.test(typed)) return allowedLink(typed);
  if (/^[^@/]+@[^@/]+\.[^@/]+$/.test(typed)) return allowedLink(`mailto:${typed}`);
  if (/^[/#?]/.test(typed)) return allowedLink(typed);
  return /^[^/?#]+\.[^/?#.]+/.test(typed) || /^localhost\b/.test(typed)
    ? allowedLink(`https://${typed}`)
    : null;
}
