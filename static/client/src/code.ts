/** How many words a code card has; a number may follow the second (rooms/accounts/codecards.py draws them). */
export const CARD_WORDS = 5;
const SHORTEST_WORD = 3;

/**
 * The words in whatever somebody typed, pasted or scanned: capitals, commas, dots, line breaks, the numbers
 * of a list and the whole card link are all forgiven. The server puts slips right; this only tidies.
 */
export function wordsOf(typed: string): string[] {
  const tokens = tokensOf(typed);
  return tokens.filter((token, at) => !isNumber(token) || isPartOfCode(tokens, at));
}

/** The code as the server takes it. */
export const codeOf = (typed: string): string => wordsOf(typed).join("-");

/** How many words of a card are there; the number behind the second is no word. */
export const countOf = (words: readonly string[]): number => words.filter((word) => !isNumber(word)).length;

/** Whether it can be a whole card: all words, or as many letters without spaces between them. */
export const isWhole = (words: readonly string[]): boolean =>
  countOf(words) >= CARD_WORDS ||
  (countOf(words) === 1 && words.join("").length >= CARD_WORDS * SHORTEST_WORD);

function tokensOf(typed: string): string[] {
  const text = typed.includes("#") ? typed.slice(typed.lastIndexOf("#") + 1) : typed;
  let plain = text;
  try {
    plain = decodeURIComponent(text);
  } catch {
    // A lone % in typed text: take it as it stands.
  }
  return (
    plain
      .normalize("NFC")
      .toLocaleLowerCase("en")
      .match(/\p{L}+|\d+/gu) ?? []
  );
}

const isNumber = (token: string): boolean => /^\d+$/.test(token);

/** The only number, right behind the second word: "brave-otter-2-lemon-train-cloud". */
const isPartOfCode = (tokens: readonly string[], at: number): boolean =>
  at === 2 && tokens.filter(isNumber).length === 1;
