import { language } from "../i18n/index.ts";

/** Languages that a space or a word may be in: those of the Union and of its neighbours. */
export const TONGUES =
  "bg cs da de el en es et fi fr ga hr hu it lt lv mt nl pl pt ro sk sl sv ar az hy is ka mk nb sq sr tr uk".split(
    " ",
  );

/** A language by its name in the language on the screen. */
export function tongue(code: string): string {
  try {
    return new Intl.DisplayNames(language(), { type: "language" }).of(code) ?? code;
  } catch {
    return code;
  }
}

/** The codes in the order of their names. */
export const byName = (codes: readonly string[]): string[] =>
  [...codes].sort((a, b) => tongue(a).localeCompare(tongue(b), language()));
