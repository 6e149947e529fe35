/**
 * Adds a stylesheet to the whole document without a <style> element: the page's policy allows styles only
 * from our own files and from the CSS object model. `import css from "./part.css"` gives the text.
 */
export function adopt(css: string): void {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
}
