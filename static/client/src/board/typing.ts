import type * as Y from "yjs";
import { anchor, apply, change, indexOf, wordsOf } from "./text.ts";

type Places = (Y.RelativePosition | null)[];

/** A field in which the words of a card or title are written, by me and by others at once. */
export class Typing {
  /** The words when the field and the document last were the same. */
  private agreed: string;
  private composing = false;
  /** Where the caret and the other end of the selection are, while words of others come. */
  private selection: Places | null = null;
  /** Where each character of `agreed` is, if others wrote while an input method was at work. */
  private places: Places | null = null;

  constructor(
    readonly shared: Y.XmlElement,
    readonly field: HTMLTextAreaElement,
    private readonly write: (change: () => void) => void,
  ) {
    this.agreed = wordsOf(shared);
    field.value = this.agreed;
    field.setSelectionRange(this.agreed.length, this.agreed.length);
    field.addEventListener("input", this.typed);
    field.addEventListener("compositionstart", () => {
      this.composing = true;
    });
    field.addEventListener("compositionend", () => {
      this.composing = false;
      this.typed();
    });
  }

  /** Words of others are about to come. */
  hold(): void {
    const { shared, field, agreed } = this;
    if (this.composing) {
      this.places ??= Array.from({ length: agreed.length + 1 }, (_, at) => anchor(shared, at));
    } else this.selection = [anchor(shared, field.selectionStart), anchor(shared, field.selectionEnd)];
  }

  /** Shows the words as they are now; the caret stays with mine, or goes where an undo has changed something. */
  follow(): void {
    if (this.composing) return;
    const { field, shared, agreed, selection } = this;
    this.selection = null;
    const now = wordsOf(shared);
    if (now === agreed) return;
    this.agreed = now;
    field.value = now;
    const made = change(agreed, now);
    const end = (made?.at ?? 0) + (made?.insert.length ?? 0);
    const [from, to] = selection?.map((place) => indexOf(shared, place)) ?? [end, end];
    field.setSelectionRange(from ?? end, to ?? end);
  }

  /** Something that I undo moves my caret. */
  release(): void {
    this.selection = null;
  }

  private typed = (): void => {
    if (this.composing) return;
    const { field, shared, places } = this;
    const made = change(this.agreed, field.value, field.selectionEnd);
    this.places = this.selection = null;
    this.agreed = field.value;
    if (made) {
      if (places) {
        const from = indexOf(shared, places[made.at] ?? null);
        made.remove = Math.max(0, indexOf(shared, places[made.at + made.remove] ?? null) - from);
        made.at = from;
      }
      this.write(() => apply(shared, made));
    }
    if (!places) return;
    const caret = made ? made.at + made.insert.length : indexOf(shared, places[field.selectionEnd] ?? null);
    this.follow();
    field.setSelectionRange(caret, caret);
  };
}
