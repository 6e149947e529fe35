import { dropCursor } from "prosemirror-dropcursor";
import type { PluginView } from "prosemirror-state";
import type { EditorView } from "prosemirror-view";
import "./index.ts"; // it is there already; said so, what both need stays in one file

/** Shows where what is dragged would land. */
export const dropMark = (view: EditorView): PluginView | undefined =>
  dropCursor({ color: false, class: "drop-cursor" }).spec.view?.(view);
