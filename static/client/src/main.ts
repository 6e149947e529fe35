import { registerCatalogue, setLanguage } from "./i18n/index.ts";
import { startOffline } from "./offline/start.ts";
import { deviceLanguage } from "./session.ts";
import { applyTheme } from "./ui/theme.ts";
import "./views/app.ts";

applyTheme();
void registerCatalogue({
  en: () => import("./i18n/en.ts"),
  es: () => import("./i18n/es.ts"),
  pt: () => import("./i18n/pt.ts"),
});
await setLanguage(deviceLanguage());
document.querySelector("ts-app")?.start();
startOffline();
