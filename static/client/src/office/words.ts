import { registerCatalogue } from "../i18n/index.ts";
import { adopt } from "../styles/adopt.ts";
import css from "./life.css";

const loaders = {
  en: () => import("./i18n/life/en.ts"),
  es: () => import("./i18n/life/es.ts"),
  pt: () => import("./i18n/life/pt.ts"),
};
let there: Promise<void> | undefined;

/** The words and the look of the lives of spaces. Rejects when they cannot be had; asking again tries again. */
export function lifeWords(): Promise<void> {
  there ??= registerCatalogue(loaders)
    .then(() => adopt(css))
    .catch((error: unknown) => {
      there = undefined;
      throw error;
    });
  return there;
}
