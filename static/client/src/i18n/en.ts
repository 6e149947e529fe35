import type { Catalogue } from "./index.ts";

const en = {
  "app.name": "TwinSpace",
} satisfies Catalogue;

export default en;
export type Words = Record<keyof typeof en, Catalogue[string]>;
