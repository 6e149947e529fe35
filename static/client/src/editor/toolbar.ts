import { html, nothing, type TemplateResult } from "lit";
import type { Command } from "prosemirror-state";
import type { EditorView } from "prosemirror-view";
import { language, t } from "../i18n/index.ts";
import {
  indent,
  inList,
  inQuote,
  insertRule,
  insertTable,
  isInTable,
  linkAt,
  mark,
  markActive,
  outdent,
  redo,
  STYLES,
  selectedImage,
  setStyle,
  styleOf,
  TABLE,
  toggleList,
  toggleQuote,
  undo,
} from "./commands.ts";
import { type IconName, icon } from "./icons.ts";
import { aria, readable, SHORTCUTS } from "./keys.ts";
import { isProtected } from "./protection.ts";

interface Tool {
  id: IconName;
  run: Command;
  /** Whether it is on at the caret; left out for what is done rather than switched. */
  pressed?: boolean;
  dialog?: boolean;
}

export interface Asking {
  link: Command;
  image: Command;
  protect: Command;
}

/** The tools that fit where the caret is, in groups. */
function groups({ state }: EditorView, asking: Asking): Tool[][] {
  const marks = (["strong", "em", "underline", "strike", "code"] as const).map((id) => ({
    id,
    run: mark(id),
    pressed: markActive(state, id),
  }));
  const lists = (["bullet_list", "ordered_list", "task_list"] as const).map((id) => ({
    id,
    run: toggleList(id),
    pressed: inList(state, id),
  }));
  const listed = lists.some(({ pressed }) => pressed);
  return [
    [
      { id: "undo", run: undo },
      { id: "redo", run: redo },
    ],
    isInTable(state) ? TABLE.map(([id, run]) => ({ id: id as IconName, run })) : [],
    [...marks, { id: "link", run: asking.link, pressed: linkAt(state) !== null, dialog: true }],
    [
      ...lists,
      ...(listed
        ? ([
            { id: "outdent", run: outdent },
            { id: "indent", run: indent },
          ] as Tool[])
        : []),
      { id: "quote", run: toggleQuote, pressed: inQuote(state) },
    ],
    [
      { id: "image", run: asking.image, pressed: selectedImage(state) !== null, dialog: true },
      { id: "table", run: insertTable },
      { id: "rule", run: insertRule },
      { id: "protect", run: asking.protect, pressed: isProtected(state), dialog: true },
    ],
  ];
}

/** One stop of the Tab key for all tools; the arrows move among them (WAI-ARIA toolbar pattern). */
export class Toolbar {
  private current = "style";
  /** What was shown last, and what it was made of. */
  private shown: { made: TemplateResult; of: unknown[] } | undefined;

  constructor(
    private readonly asking: Asking,
    private readonly redraw: () => void,
  ) {}

  /** Working out what fits costs more than typing, so it is not done again for the same. */
  render(view: EditorView): TemplateResult {
    const of = [view.state, this.current, language()];
    if (!this.shown?.of.every((each, at) => each === of[at])) this.shown = { made: this.draw(view), of };
    return this.shown.made;
  }

  private draw(view: EditorView): TemplateResult {
    const shown = groups(view, this.asking).filter((group) => group.length);
    const ids = ["style", ...shown.flat().map(({ id }) => id as string)];
    if (!ids.includes(this.current)) this.current = "style";
    return html`<div
      class="ed-tools"
      role="toolbar"
      aria-label=${t("editor.tools")}
      aria-orientation="horizontal"
      @keydown=${(event: KeyboardEvent) => this.key(event, ids, view)}
      @focusin=${(event: FocusEvent) => this.focused(event)}
    >
      <div class="ed-group">${this.styles(view)}</div>
      ${shown.map((group) => html`<div class="ed-group">${group.map((tool) => this.tool(tool, view))}</div>`)}
    </div>`;
  }

  private styles(view: EditorView): TemplateResult {
    const style = styleOf(view.state);
    return html`<select
      class="ed-style"
      data-tool="style"
      tabindex=${this.current === "style" ? 0 : -1}
      aria-label=${t("editor.style")}
      .value=${style}
      @change=${(event: Event) => this.run(setStyle((event.target as HTMLSelectElement).value), view)}
    >
      ${style ? nothing : html`<option value="" selected disabled hidden>${t("editor.style.mixed")}</option>`}
      ${STYLES.map(({ id }) => html`<option value=${id} ?selected=${id === style}>${t(`editor.style.${id}`)}</option>`)}
    </select>`;
  }

  private tool({ id, run, pressed, dialog }: Tool, view: EditorView): TemplateResult {
    const label = t(`editor.tool.${id}`);
    const keys = SHORTCUTS[id];
    const able = run(view.state);
    return html`<button
      type="button"
      class="ed-tool"
      data-tool=${id}
      tabindex=${this.current === id ? 0 : -1}
      aria-label=${label}
      title=${keys ? `${label} (${readable(keys)})` : label}
      aria-keyshortcuts=${keys ? aria(keys) : nothing}
      aria-pressed=${pressed === undefined ? nothing : String(pressed)}
      aria-haspopup=${dialog ? "dialog" : nothing}
      aria-disabled=${able ? nothing : "true"}
      @mousedown=${(event: MouseEvent) => event.preventDefault()}
      @click=${() => able && this.run(run, view, dialog)}
    >
      ${icon(id)}
    </button>`;
  }

  private run(command: Command, view: EditorView, dialog = false): void {
    command(view.state, view.dispatch, view);
    if (!dialog) view.focus();
  }

  /** Gives the toolbar the focus, at the tool that had it last. */
  focus(root: ParentNode): void {
    root.querySelector<HTMLElement>(`[data-tool="${this.current}"]`)?.focus();
  }

  private focused(event: FocusEvent): void {
    const id = (event.target as HTMLElement).dataset.tool;
    if (!id || id === this.current) return;
    this.current = id;
    this.redraw();
  }

  private key(event: KeyboardEvent, ids: string[], view: EditorView): void {
    if (event.key === "Escape") {
      event.preventDefault();
      view.focus();
      return;
    }
    const bar = event.currentTarget as HTMLElement;
    const forward = getComputedStyle(bar).direction === "rtl" ? -1 : 1;
    const at = ids.indexOf(this.current);
    const steps: Record<string, number> = {
      ArrowRight: at + forward,
      ArrowLeft: at - forward,
      Home: 0,
      End: ids.length - 1,
    };
    const next = steps[event.key];
    if (next === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const id = ids[(next + ids.length) % ids.length];
    bar.querySelector<HTMLElement>(`[data-tool="${id}"]`)?.focus();
  }
}
