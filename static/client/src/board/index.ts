import { registerCatalogue } from "../i18n/index.ts";
import { adopt } from "../styles/adopt.ts";
import css from "./board.css";
import { PageBoard } from "./element.ts";

adopt(css);
customElements.define("ts-board", PageBoard);

void registerCatalogue({
  en: () => import("../editor/i18n/en.ts"),
  es: () => import("../editor/i18n/es.ts"),
  pt: () => import("../editor/i18n/pt.ts"),
});
void registerCatalogue({
  en: () => import("./i18n/en.ts"),
  es: () => import("./i18n/es.ts"),
  pt: () => import("./i18n/pt.ts"),
});

export { PageBoard };
