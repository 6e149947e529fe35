import {
  baseKeymap,
  chainCommands,
  createParagraphNear,
  exitCode,
  liftEmptyBlock,
  newlineInCode,
  splitBlock,
} from "prosemirror-commands";
import {
  InputRule,
  inputRules,
  textblockTypeInputRule,
  undoInputRule,
  wrappingInputRule,
} from "prosemirror-inputrules";
import { keymap } from "prosemirror-keymap";
import type { MarkType, NodeType } from "prosemirror-model";
import { splitListItem } from "prosemirror-schema-list";
import { type Command, Plugin } from "prosemirror-state";
import { addRowAfter, goToNextCell } from "prosemirror-tables";
import {
  indent,
  insertBreak,
  isInTable,
  mark,
  outdent,
  redo,
  setStyle,
  toggleList,
  toggleQuote,
  undo,
  withRule,
} from "./commands.ts";
import { schema } from "./schema.ts";
import { allowedLink } from "./urls.ts";

const { nodes } = schema;
const type = (name: string) => nodes[name] as NodeType;

/** The shortcuts that the help lists: command id of the toolbar, and its keys ("Mod" is Ctrl, on a Mac Cmd). */
export const SHORTCUTS: Record<string, string> = {
  undo: "Mod-z",
  redo: "Mod-Shift-z",
  strong: "Mod-b",
  em: "Mod-i",
  underline: "Mod-u",
  strike: "Mod-Shift-x",
  code: "Mod-e",
  link: "Mod-k",
  paragraph: "Mod-Alt-0",
  heading1: "Mod-Alt-1",
  heading2: "Mod-Alt-2",
  heading3: "Mod-Alt-3",
  ordered_list: "Mod-Shift-7",
  bullet_list: "Mod-Shift-8",
  task_list: "Mod-Shift-9",
  quote: "Mod-Shift-b",
  indent: "Mod-]",
  outdent: "Mod-[",
  toolbar: "Alt-F10",
};

const COMMANDS: Record<string, Command> = {
  undo,
  redo,
  strong: mark("strong"),
  em: mark("em"),
  underline: mark("underline"),
  strike: mark("strike"),
  code: mark("code"),
  paragraph: setStyle("paragraph"),
  heading1: setStyle("heading1"),
  heading2: setStyle("heading2"),
  heading3: setStyle("heading3"),
  ordered_list: toggleList("ordered_list"),
  bullet_list: toggleList("bullet_list"),
  task_list: toggleList("task_list"),
  quote: toggleQuote,
  indent,
  outdent,
};

/** Next cell; from the last one, into a new row. */
const nextCell: Command = (state, dispatch, view) => {
  if (goToNextCell(1)(state, dispatch)) return true;
  if (!isInTable(state) || !addRowAfter(state, dispatch)) return false;
  if (dispatch && view) goToNextCell(1)(view.state, view.dispatch);
  return true;
};

/**
 * Every key of the editor. Tab moves in tables and lists only; after Escape it leaves the page text, so that
 * the keyboard is never caught in it.
 */
export function keys(actions: { link: Command; toolbar: Command }): Plugin[] {
  let leaving = false;
  const tab =
    (command: Command): Command =>
    (state, dispatch, view) =>
      !leaving && command(state, dispatch, view);
  const bound: Record<string, Command> = {
    "Mod-y": redo,
    "Shift-Enter": chainCommands(exitCode, insertBreak),
    "Mod-Enter": chainCommands(exitCode, insertBreak),
    Enter: chainCommands(
      newlineInCode,
      splitListItem(type("list_item")),
      splitListItem(type("task_item"), { checked: false }),
      createParagraphNear,
      liftEmptyBlock,
      splitBlock,
    ),
    Backspace: undoInputRule,
    Tab: tab(chainCommands(nextCell, indent)),
    "Shift-Tab": tab(chainCommands(goToNextCell(-1), outdent)),
    [SHORTCUTS.link as string]: actions.link,
    [SHORTCUTS.toolbar as string]: actions.toolbar,
  };
  for (const [id, command] of Object.entries(COMMANDS)) bound[SHORTCUTS[id] as string] = command;
  const leave = new Plugin({
    props: {
      handleDOMEvents: {
        keydown: (_, event) => {
          if (event.key === "Escape") leaving = true;
          else if (event.key !== "Tab" && event.key !== "Shift") leaving = false;
          return false;
        },
        focus: () => {
          leaving = false;
          return false;
        },
      },
    },
  });
  return [leave, rules(), keymap(bound), keymap(baseKeymap)];
}

/** What is typed at the start of a line and becomes a style, and addresses that become links. */
function rules(): Plugin {
  const address = new InputRule(/(?:^|\s)(https?:\/\/[^\s]+\.[^\s]+)\s$/, (state, match, from, to) => {
    const written = match[1] as string;
    const href = allowedLink(written);
    const link = schema.marks.link as MarkType;
    const start = to - written.length;
    if (!href || start < from || state.doc.rangeHasMark(start, to, link)) return null;
    return state.tr.addMark(start, to, link.create({ href })).insertText(" ", to);
  });
  return inputRules({
    rules: [
      textblockTypeInputRule(/^(#{1,3})\s$/, type("heading"), ([, signs]) => ({ level: signs?.length })),
      textblockTypeInputRule(/^```$/, type("code_block")),
      wrappingInputRule(/^\s*>\s$/, type("blockquote")),
      wrappingInputRule(/^\s*\[\s?\]\s$/, type("task_list")),
      wrappingInputRule(/^\s*[-*]\s$/, type("bullet_list")),
      wrappingInputRule(
        /^(\d{1,5})[.)]\s$/,
        type("ordered_list"),
        ([, number]) => ({ order: Number(number) }),
        ([, number], node) => node.childCount + node.attrs.order === Number(number),
      ),
      new InputRule(/^---$/, (state, _, from, to) => withRule(state.tr.delete(from, to))),
      address,
    ],
  });
}

const isMac = typeof navigator !== "undefined" && /Mac|iP(hone|ad|od)/.test(navigator.platform);

/** "Mod-Shift-z" as people read it: "Ctrl+Shift+Z". */
export const readable = (shortcut: string): string =>
  shortcut
    .split("-")
    .map((part) => (part === "Mod" ? (isMac ? "⌘" : "Ctrl") : part.length === 1 ? part.toUpperCase() : part))
    .join("+");

/** The same for aria-keyshortcuts. */
export const aria = (shortcut: string): string =>
  shortcut.replace("Mod", isMac ? "Meta" : "Control").replaceAll("-", "+");
