import type { Words } from "./en.ts";

const pt: Words = {
  "app.name": "TwinSpace",
};

export default pt;
