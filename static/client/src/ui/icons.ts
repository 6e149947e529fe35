import { html, svg, type TemplateResult } from "lit";

/** Strokes on a 24 x 24 grid. Decoration: the words stand beside it or in the label of its button. */
const STROKES = {
  home: "M4 11l8-7 8 7v9h-5v-6H9v6H4z",
  pages: "M6 3h8l4 4v14H6zM14 3v4h4M9 12h6M9 16h6",
  board: "M4 5h4.5v14H4zM10 5h4.5v9H10zM16 5h4.5v6H16z",
  talk: "M4 5h16v11.5h-8.5L7 20.5v-4H4zM8 9.5h8M8 12.5h5",
  pin: "M12 15v6M8 3.5h8l-1 6 3 5.5H6l3-5.5z",
  people:
    "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20a6.5 6.5 0 0 1 13 0M16 4.5a3.5 3.5 0 0 1 0 6.5M18 14.5a6.5 6.5 0 0 1 3.5 5.5",
  me: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4 21a8 8 0 0 1 16 0",
  plus: "M12 5v14M5 12h14",
  more: "M4.5 12a.8.8 0 1 0 1.6 0 .8.8 0 0 0-1.6 0zm6.7 0a.8.8 0 1 0 1.6 0 .8.8 0 0 0-1.6 0zm6.7 0a.8.8 0 1 0 1.6 0 .8.8 0 0 0-1.6 0z",
  lock: "M6 11h12v9H6zM8.5 11V7.5a3.5 3.5 0 0 1 7 0V11",
  unlock: "M6 11h12v9H6zM8.5 11V7.5a3.5 3.5 0 0 1 6.8-1.2",
  eye: "M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12zM12 15a3 3 0 1 0 0-6 3 3 0 0 0 0 6z",
  draft: "M4 20l1-4L16 5l3 3L8 19zM14 7l3 3",
  up: "M12 19V5M6 11l6-6 6 6",
  down: "M12 5v14M6 13l6 6 6-6",
  move: "M4 6h9M4 12h5M4 18h5M13 12v6h7M17 15l3 3-3 3",
  bin: "M4 7h16M9 7V4h6v3M6 7l1 14h10l1-14M10 11v6M14 11v6",
  print: "M7 9V3h10v6M7 18H4V9h16v9h-3M7 14h10v7H7z",
  key: "M8 15a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM12 11h9v3M17 11v3",
  check: "M5 12.5l4.5 4.5L19 7.5",
  warn: "M12 4l9 16H3zM12 10v4M12 17h.01",
  offline: "M3 3l18 18M5 12a10 10 0 0 1 4-2.4M8.5 15.5a5 5 0 0 1 5-1M15 10a10 10 0 0 1 4 2M12 19h.01",
  close: "M6 6l12 12M18 6L6 18",
  back: "M15 5l-7 7 7 7",
  next: "M9 5l7 7-7 7",
  globe:
    "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM3 12h18M12 3c3 3 3.5 6 3.5 9s-.5 6-3.5 9c-3-3-3.5-6-3.5-9S9 6 12 3z",
  out: "M10 4H4v16h6M15 8l4 4-4 4M19 12H9",
} as const;

export type IconName = keyof typeof STROKES;

export const icon = (name: IconName): TemplateResult =>
  html`<svg class="i" viewBox="0 0 24 24" aria-hidden="true">${svg`<path d=${STROKES[name]} />`}</svg>`;
