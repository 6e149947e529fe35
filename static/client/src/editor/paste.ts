import { DOMParser, type ParseOptions, type Slice } from "prosemirror-model";
import type { EditorView } from "prosemirror-view";
import { setLink } from "./commands.ts";
import { schema } from "./schema.ts";
import { allowedLink } from "./urls.ts";

/**
 * Pasted HTML is parsed in a document of its own, where nothing runs. The page's policy holds there, too: it
 * blocks every style attribute, with a report for each. So they are put aside before, and read through the
 * CSS object model afterwards, since "bold" often comes as a style. What slips through here is blocked.
 */
const ASIDE = "data-pasted-style";
const DROPPED = /<!--[\s\S]*?-->|<(style|script|svg|math|iframe|object|template)\b[\s\S]*?<\/\1\s*>/gi;
const TAG = /<[a-z][^\s/>]*(?:[^>"']|"[^"]*"|'[^']*')*>/gi;
const ATTRIBUTE = /(\s|["'/])(style|on[a-z]+)(\s*=)/gi;

export function withoutStyles(html: string): string {
  return html
    .replace(DROPPED, "")
    .replace(TAG, (tag) =>
      tag.replace(ATTRIBUTE, (_, before: string, name: string, equals: string) =>
        name.toLowerCase() === "style"
          ? `${before} ${ASIDE}${equals}`
          : `${before} data-pasted-event${equals}`,
      ),
    );
}

class PasteParser extends DOMParser {
  override parseSlice(dom: globalThis.Node, options?: ParseOptions): Slice {
    for (const element of (dom as Element).querySelectorAll<HTMLElement>(`[${ASIDE}]`)) {
      element.style.cssText = element.getAttribute(ASIDE) ?? "";
    }
    return super.parseSlice(dom, options);
  }
}

export const pasteParser = new PasteParser(schema, DOMParser.fromSchema(schema).rules);

/** An address pasted over selected words links them; pasted alone it is a link with itself as words. */
export function pasteLink(view: EditorView, event: ClipboardEvent): boolean {
  const text = event.clipboardData?.getData("text/plain").trim() ?? "";
  const { selection } = view.state;
  const href = /^(https?:\/\/|mailto:)\S+$/.test(text) ? allowedLink(text) : null;
  if (!href || selection.$from.parent.type.spec.code || !selection.$from.sameParent(selection.$to))
    return false;
  setLink(href, text)(view.state, view.dispatch);
  return true;
}
