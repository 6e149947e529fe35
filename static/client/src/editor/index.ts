import { registerCatalogue } from "../i18n/index.ts";
import { adopt } from "../styles/adopt.ts";
import css from "./editor.css";
import { PageEditor } from "./element.ts";

adopt(css);
customElements.define("ts-editor", PageEditor);

void registerCatalogue({
  en: () => import("./i18n/en.ts"),
  es: () => import("./i18n/es.ts"),
  pt: () => import("./i18n/pt.ts"),
});

export type { EditorState as PageState } from "./state.ts";
export { PageEditor };
