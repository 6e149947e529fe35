import type { Node } from "prosemirror-model";

/** The page as plain text: what a person takes along when it cannot be saved. */
export function plainText(doc: Node): string {
  return doc
    .textBetween(0, doc.content.size, "\n\n", (leaf) => {
      if (leaf.type.name === "hard_break") return "\n";
      return leaf.type.name === "image" ? (leaf.attrs.alt ?? "") : (leaf.attrs.text ?? "");
    })
    .trim();
}

/** Hands the text over as a file. */
export function saveCopy(title: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text, "\n"], { type: "text/plain" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = `${title.replace(/[^\p{L}\p{N} ._-]/gu, "").trim() || "page"}.txt`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
