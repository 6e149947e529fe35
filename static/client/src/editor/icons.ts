import { html, svg, type TemplateResult } from "lit";

/** Strokes on a 24 x 24 grid, as the icons of the shell. Decoration: the button has the words. */
const STROKES = {
  undo: "M9 7L4.5 11.5 9 16M5 11.5h9a5 5 0 0 1 0 10h-3",
  redo: "M15 7l4.5 4.5L15 16M19 11.5h-9a5 5 0 0 0 0 10h3",
  strong: "M7.5 4.5h5.5a3.6 3.6 0 0 1 0 7.2H7.5zM7.5 11.7h6.2a3.9 3.9 0 0 1 0 7.8H7.5z",
  em: "M10.5 4.5h7M6.5 19.5h7M14 4.5l-4 15",
  underline: "M7 4v7a5 5 0 0 0 10 0V4M5.5 20.5h13",
  strike:
    "M4 12h16M16.5 7.5C16 5.6 14.3 4.5 12 4.5c-2.7 0-4.5 1.4-4.5 3.5 0 1.7 1 2.6 2.5 3.2M7.3 16c.5 2.2 2.3 3.5 4.9 3.5 2.8 0 4.6-1.5 4.6-3.7 0-1.2-.4-2-1.1-2.7",
  code: "M8.5 7.5L4 12l4.5 4.5M15.5 7.5L20 12l-4.5 4.5",
  link: "M10 14a4 4 0 0 0 5.7 0l3.1-3.1a4 4 0 0 0-5.7-5.7L11.8 6.5M14 10a4 4 0 0 0-5.7 0l-3.1 3.1a4 4 0 0 0 5.7 5.7l1.3-1.3",
  bullet_list: "M9.5 6H20M9.5 12H20M9.5 18H20M4.5 6h.01M4.5 12h.01M4.5 18h.01",
  ordered_list:
    "M10 6h10M10 12h10M10 18h10M4 4.5l1.5-.8V9M3.7 14.5c.3-1.3 2.8-1.2 2.8.3 0 1.2-2.8 2-2.8 3.7h3",
  task_list: "M11.5 7H20M11.5 17H20M3.5 6.8l1.7 1.7 3.2-3.6M4 14.5h4v5H4z",
  quote: "M5 16.5c2.5-1 4-3 4-6V7H4.5v5H7M14 16.5c2.5-1 4-3 4-6V7h-4.5v5H16",
  table: "M4 5h16v14H4zM4 10h16M4 14.5h16M9.5 5v14M14.7 5v14",
  image: "M4 5h16v14H4zM4 16l4.5-4.5 3.5 3.5 2.5-2.5L20 17.5M15.5 9h.01",
  rule: "M4 12h16M7 7h10M7 17h10",
  indent: "M11 6h9M11 12h9M11 18h9M4 8.5l3.5 3.5L4 15.5",
  outdent: "M11 6h9M11 12h9M11 18h9M7.5 8.5L4 12l3.5 3.5",
  "row-above": "M4 13h16v7H4zM4 16.5h16M12 3.5v6M9 6.5h6",
  "row-below": "M4 4h16v7H4zM4 7.5h16M12 14.5v6M9 17.5h6",
  "column-before": "M13 4h7v16h-7zM16.5 4v16M3.5 12h6M6.5 9v6",
  "column-after": "M4 4h7v16H4zM7.5 4v16M14.5 12h6M17.5 9v6",
  "header-row": "M4 5h16v14H4zM4 10h16M7 7.5h10",
  "delete-row": "M4 4h16v7H4zM9 15l6 5.5M15 15l-6 5.5",
  "delete-column": "M4 4h7v16H4zM15 9l5.5 6M20.5 9L15 15",
  "delete-table": "M4 5h16v14H4zM9 9l6 6M15 9l-6 6",
  saved: "M5 12.5l4.5 4.5L19 7.5",
  saving:
    "M12 4v4M12 16v4M4 12h4M16 12h4M6.3 6.3l2.9 2.9M14.8 14.8l2.9 2.9M6.3 17.7l2.9-2.9M14.8 9.2l2.9-2.9",
  offline: "M3 3l18 18M5 12a10 10 0 0 1 4-2.4M8.5 15.5a5 5 0 0 1 5-1M15 10a10 10 0 0 1 4 2M12 19h.01",
  "not-saved": "M12 4l9 16H3zM12 10v4M12 17h.01",
  readonly: "M6 11h12v9H6zM8.5 11V7.5a3.5 3.5 0 0 1 7 0V11",
  protect: "M6 11h12v9H6zM8.5 11V7.5a3.5 3.5 0 0 1 7 0V11",
  people:
    "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7zM2.5 20a6.5 6.5 0 0 1 13 0M16 4.5a3.5 3.5 0 0 1 0 6.5M18 14.5a6.5 6.5 0 0 1 3.5 5.5",
  help: "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM9.5 9.5a2.5 2.5 0 1 1 3.5 2.3c-.7.3-1 .8-1 1.7M12 16.5h.01",
} as const;

export type IconName = keyof typeof STROKES;

export const icon = (name: IconName): TemplateResult =>
  html`<svg class="i" viewBox="0 0 24 24" aria-hidden="true">${svg`<path d=${STROKES[name]} />`}</svg>`;
