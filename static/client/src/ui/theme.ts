/** Light, dark or as the device says. Dark is one stylesheet; choosing sets when it applies. */
export type Theme = "auto" | "light" | "dark";

const KEY = "twinspace.theme";
const MEDIA: Record<Theme, string> = {
  auto: "screen and (prefers-color-scheme: dark)",
  light: "not all",
  dark: "screen",
};

export function theme(): Theme {
  const kept = localStorage.getItem(KEY);
  return kept === "light" || kept === "dark" ? kept : "auto";
}

export function setTheme(choice: Theme): void {
  localStorage.setItem(KEY, choice);
  applyTheme();
}

export function applyTheme(): void {
  document.querySelector<HTMLLinkElement>("#dark")?.setAttribute("media", MEDIA[theme()]);
}
