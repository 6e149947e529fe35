import { registerCatalogue } from "../i18n/index.ts";
import { adopt } from "../styles/adopt.ts";
import css from "./discussions.css";
import "./thread.ts";

adopt(css);

/** The words of discussions are there. */
export const ready = registerCatalogue({
  en: () => import("./i18n/en.ts"),
  es: () => import("./i18n/es.ts"),
  pt: () => import("./i18n/pt.ts"),
});

export { startThread } from "./dialogs.ts";
