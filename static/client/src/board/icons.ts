import { html, svg, type TemplateResult } from "lit";

/** Strokes on a 24 x 24 grid, as the icons of the shell. Decoration: the button has the words. */
const STROKES = {
  undo: "M9 7L4.5 11.5 9 16M5 11.5h9a5 5 0 0 1 0 10h-3",
  redo: "M15 7l4.5 4.5L15 16M19 11.5h-9a5 5 0 0 0 0 10h3",
  board: "M4 5h4.500v14H4zM10 5h4.500v9H10zM16 5h4.500v6H16z",
  list: "M4 5h16v3.500H4zM4 10.500h16v3.500H4zM4 16h16v3.500H4z",
  plus: "M12 5v14M5 12h14",
  more: "M4.5 12a.8.8 0 1 0 1.6 0 .8.8 0 0 0-1.6 0zm6.7 0a.8.8 0 1 0 1.6 0 .8.8 0 0 0-1.6 0zm6.7 0a.8.8 0 1 0 1.6 0 .8.8 0 0 0-1.6 0z",
  grip: "M9 6h.01M15 6h.01M9 12h.01M15 12h.01M9 18h.01M15 18h.01",
  lock: "M6 11h12v9H6zM8.5 11V7.500a3.5 3.5 0 0 1 7 0V11",
} as const;

export const icon = (name: keyof typeof STROKES): TemplateResult =>
  html`<svg class="i" viewBox="0 0 24 24" aria-hidden="true">${svg`<path d=${STROKES[name]} />`}</svg>`;
