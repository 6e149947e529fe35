/** Words of the screens that few visits need. Whoever imports this has them. */
import { registerCatalogue } from "../index.ts";

await registerCatalogue({
  en: () => import("./en.ts"),
  es: () => import("./es.ts"),
  pt: () => import("./pt.ts"),
});
