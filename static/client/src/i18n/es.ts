import type { Words } from "./en.ts";

const es: Words = {
  "app.name": "TwinSpace",
};

export default es;
