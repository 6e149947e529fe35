import { html, svg, type TemplateResult } from "lit";
import type { Mark } from "./types.ts";

/** Strokes on a 24 x 24 grid, as the icons of the shell. Decoration: the button has the words. */
const STROKES: Record<Mark | "react" | "reply" | "flag" | "hand" | "send" | "poll" | "at", string> = {
  heart: "M12 20S4 15 4 9.300A4.3 4.3 0 0 1 12 7a4.3 4.3 0 0 1 8 2.300C20 15 12 20 12 20z",
  thumb:
    "M4 11h3.500v9H4zM7.5 11l3.5-7.500c1.5 0 2.3 1 2 2.500L12.5 9.500H18a2 2 0 0 1 2 2.400l-1.3 6.500A2 2 0 0 1 16.7 20H7.5",
  smile:
    "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM8 14c1 1.7 2.4 2.5 4 2.500s3-.8 4-2.500M9 9.500h.01M15 9.500h.01",
  surprise:
    "M12 21a9 9 0 1 0 0-18 9 9 0 0 0 0 18zM12 17a1.9 1.9 0 1 0 0-3.800A1.9 1.9 0 0 0 12 17zM9 9.500h.01M15 9.500h.01",
  idea: "M9.5 17.500h5M10 20.500h4M12 3.500a6 6 0 0 0-3.5 10.800c.7.6 1 1.3 1 2.200v1h5v-1c0-.9.3-1.6 1-2.200A6 6 0 0 0 12 3.500z",
  question: "M8.5 9a3.5 3.5 0 1 1 5.2 3.100c-1.1.6-1.7 1.3-1.7 2.900M12 19h.01",
  react:
    "M20 11.500A8.5 8.5 0 1 1 12.5 4M8.5 14c1 1.5 2.2 2.2 3.5 2.200s2.5-.7 3.5-2.200M9.5 10h.01M14.5 10h.01M18.5 3v6M15.5 6h6",
  reply: "M10 6L4.5 11.5 10 17M5 11.500h8.500a6 6 0 0 1 6 6V19",
  flag: "M6 21V4M6 4.500c4-2 7 2 12 0v9c-5 2-8-2-12 0",
  hand: "M8 12V5.500a1.5 1.5 0 0 1 3 0V11M11 10.500v-6a1.5 1.5 0 0 1 3 0v6.500M14 11V6a1.5 1.5 0 0 1 3 0v8.500c0 3.5-2.3 6-5.5 6-2.6 0-4-1.2-5.2-3.300L4 13.500c-.5-.9-.2-1.7.5-2.1.8-.4 1.5-.2 2.1.6L8 14",
  send: "M4 12l16-8-5 17-3.5-7zM11.5 14L20 4",
  poll: "M5 20v-7h3.500v7zM10.3 20V4h3.500v16zM15.5 20V9.500H19V20z",
  at: "M15.5 12a3.5 3.5 0 1 1-7 0 3.5 3.5 0 0 1 7 0zm0 0v1.500a2.4 2.4 0 0 0 4.8 0V12a8.3 8.3 0 1 0-3.3 6.6",
};

export const glyph = (name: keyof typeof STROKES): TemplateResult =>
  html`<svg class="i" viewBox="0 0 24 24" aria-hidden="true">${svg`<path d=${STROKES[name]} />`}</svg>`;
