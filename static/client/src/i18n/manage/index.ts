import { registerCatalogue } from "../index.ts";

const loaders = {
  en: () => import("./en.ts"),
  es: () => import("./es.ts"),
  pt: () => import("./pt.ts"),
};
let there: Promise<void> | undefined;

/** Words of the screens that few visits need. Rejects when they cannot be had; asking again tries again. */
export function manageWords(): Promise<void> {
  there ??= registerCatalogue(loaders).catch((error: unknown) => {
    there = undefined;
    throw error;
  });
  return there;
}
