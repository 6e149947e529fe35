import { registerCatalogue } from "./i18n/index.ts";

await registerCatalogue({
  en: () => import("./i18n/en.ts"),
  es: () => import("./i18n/es.ts"),
  pt: () => import("./i18n/pt.ts"),
});
void import("./collab/collab.ts");
