/**
 * Places in an order that many change at once: texts of 0-9A-Za-z, compared as they are. Between any two of
 * them there is room for another one, so that what moves changes nobody else's place.
 */
const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const BASE = DIGITS.length;
/** Before the first and after the last one counts in steps of this many digits, so that places stay short. */
const STEPS = 3;
const LONGEST = 1000;

const digit = (text: string, at: number): number => Math.max(0, DIGITS.indexOf(text[at] ?? "0"));

/**
 * A place after `before` and before `after` ("" and null: no limit); null if there is none. Some chance is in
 * it: two who put something between the same two at once hardly ever take the same place.
 */
export function between(
  before: string,
  after: string | null,
  random: () => number = Math.random,
): string | null {
  const found = middle(before, after);
  if (found === null) return null;
  const chance = Math.floor(random() * BASE * (BASE - 1));
  const place = found + DIGITS[Math.floor(chance / (BASE - 1))] + DIGITS[1 + (chance % (BASE - 1))];
  return place.length > LONGEST ? null : place;
}

/** Neither the beginning of `after` nor with a 0 at its end: whatever follows it stays between the two. */
function middle(before: string, after: string | null): string | null {
  if (after === null) return (before && step(before, 1)) || beyond(before);
  if (!before) {
    const found = step(after, -1);
    if (found) return found;
  }
  let same = "";
  for (let at = 0; at < after.length; at++) {
    const low = digit(before, at);
    const high = digit(after, at);
    if (high < low) return null;
    if (high - low > 1) return same + DIGITS[(low + high) >> 1];
    same += DIGITS[low];
    if (high > low) return same + beyond(before.slice(at + 1));
  }
  return null;
}

/** Something after `before`, half-way to the end of everything. */
function beyond(before: string): string {
  let same = "";
  for (let at = 0; ; at++) {
    const low = digit(before, at);
    if (low < BASE - 1) return same + DIGITS[(low + BASE) >> 1];
    same += DIGITS[low];
  }
}

/** The next place of few digits, in this direction; null at the end of counting. */
function step(from: string, by: 1 | -1): string | null {
  let value = 0;
  for (let at = 0; at < STEPS; at++) value = value * BASE + digit(from, at);
  do value += by;
  while (value % BASE === 0);
  if (value <= 0 || value >= BASE ** STEPS) return null;
  let text = "";
  for (; text.length < STEPS; value = Math.floor(value / BASE)) text = DIGITS[value % BASE] + text;
  return text;
}

/**
 * The place for something that shall stand at `index` among these, which are in order. Where some are equal
 * and have no room between them, it comes after them.
 */
export function placeAt(places: readonly string[], index: number, random?: () => number): string {
  const before = places[index - 1] ?? "";
  for (let at = Math.max(0, index); at <= places.length; at++) {
    const found = between(before, places[at] ?? null, random);
    if (found !== null) return found;
  }
  return before;
}
