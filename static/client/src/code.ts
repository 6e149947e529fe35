/** How many words a code card has (rooms/codecards.py makes them). */
export const CARD_WORDS = 5;

/**
 * The words in whatever somebody typed, pasted or scanned: capitals, commas, dots, line breaks and the whole
 * card link are all forgiven. The server compares; this only tidies.
 */
export function wordsOf(typed: string): string[] {
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
      .match(/\p{L}+/gu) ?? []
  );
}

/** The code as the server takes it. */
export const codeOf = (typed: string): string => wordsOf(typed).join("-");
