import { html, svg, type TemplateResult } from "lit";

/** A small whole number from a text, the same on every device (FNV-1a). */
export function hash(text: string): number {
  let value = 0x811c9dc5;
  for (const char of text) value = Math.imul(value ^ (char.codePointAt(0) ?? 0), 0x01000193);
  return value >>> 0;
}

const GLAZES = [
  ["#1d6f8a", "#f0c987"],
  ["#a8481f", "#f6dfc8"],
  ["#2f7d5b", "#f2d06b"],
  ["#4a5fa5", "#f3b79b"],
  ["#8a3f68", "#f0d9a8"],
  ["#6c6a1f", "#cfe3d4"],
  ["#14605c", "#f3a880"],
  ["#6b4a2f", "#a9d6d0"],
] as const;

/** Each quarter of a tile is one of these shapes in a 10 x 10 square. */
const QUARTERS = [
  "M0 0h10A10 10 0 0 1 0 10z",
  "M10 0v10A10 10 0 0 1 0 0z",
  "M10 10H0A10 10 0 0 1 10 0z",
  "M0 10V0a10 10 0 0 1 10 10z",
];

/**
 * The glazed tile of a school or a space: a pattern of its own, without flags or letters. Decoration. Tiles
 * that stand together are told apart by giving each its own `glaze`.
 */
export function tile(seed: string, { big = false, glaze = hash(seed) } = {}): TemplateResult {
  const value = hash(seed);
  const [ground, figure] = GLAZES[glaze % GLAZES.length] ?? GLAZES[0];
  const turn = (value >>> 3) % 4;
  const twist = 1 + ((value >>> 5) % 3);
  const corners = [0, 1, 2, 3].map((corner) => {
    const x = (corner % 2) * 10;
    const y = corner < 2 ? 0 : 10;
    return svg`<path transform=${`translate(${x + 0.3} ${y + 0.3}) scale(0.94)`} d=${QUARTERS[(turn + corner * twist) % 4] ?? ""} fill=${figure} />`;
  });
  return html`<svg class="tile ${big ? "big" : ""}" viewBox="-2 -2 24 24" aria-hidden="true">
    <rect x="-2" y="-2" width="24" height="24" rx="5" fill=${ground} />${corners}
  </svg>`;
}

export const brandMark =
  (): TemplateResult => html`<svg class="brand-mark" viewBox="0 0 32 32" aria-hidden="true">
  <rect width="32" height="32" rx="7" /><path d="M6 6h10a10 10 0 0 1-10 10z" /><path d="M26 26H16a10 10 0 0 1 10-10z" />
  <path class="warm" d="M26 6v10a10 10 0 0 1-10-10z" /><path class="cool" d="M6 26V16a10 10 0 0 1 10 10z" /></svg>`;

/** One or two letters for a name: "brave otter" -> "BO". */
export function initials(name: string): string {
  const words = name.split(/[\s\-_.]+/).filter(Boolean);
  const letters = words.length > 1 ? [words[0], words[words.length - 1]] : [words[0]];
  return letters.map((word) => [...(word ?? "?")][0]?.toLocaleUpperCase() ?? "").join("");
}

/** Black or white, whichever is easier to read on `#rrggbb` (WCAG relative luminance). */
export function inkOn(color: string): "#000" | "#fff" {
  const channel = (at: number) => {
    const value = Number.parseInt(color.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  const light = 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
  return 1.05 / (light + 0.05) >= (light + 0.05) / 0.05 ? "#fff" : "#000";
}

/** The round mark of a person, in the colour their cursor has. The name stands beside it. */
export function avatar(name: string, color?: string): TemplateResult {
  const ground =
    color && /^#[0-9a-f]{6}$/i.test(color) ? color : (GLAZES[hash(name) % GLAZES.length]?.[0] ?? "#14605c");
  return html`<svg class="avatar" viewBox="0 0 36 36" aria-hidden="true">
    <circle cx="18" cy="18" r="18" fill=${ground} />
    <text x="18" y="18" dy=".36em" text-anchor="middle" fill=${inkOn(ground)}>${initials(name)}</text>
  </svg>`;
}
