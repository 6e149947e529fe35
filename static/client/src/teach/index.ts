import { registerCatalogue } from "../i18n/index.ts";
import { proposalWords } from "../office/proposals.ts";
import { adopt } from "../styles/adopt.ts";
import css from "./teach.css";
import "./authors.ts";
import "./cockpit.ts";
import "./teams.ts";

adopt(css);

/** The words of the teachers' tools are there. */
export const ready = Promise.all([
  registerCatalogue({
    en: () => import("./i18n/en.ts"),
    es: () => import("./i18n/es.ts"),
    pt: () => import("./i18n/pt.ts"),
  }),
  proposalWords(),
]);

export { askMute, liftMute, mute } from "./mute.ts";
export { manageRoom } from "./rooms.ts";
export { undoPerson } from "./undo.ts";
