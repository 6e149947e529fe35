import type { Catalogue } from "../../i18n/index.ts";

const en = {
  "editor.label": "Text of the page “{title}”",
  "editor.placeholder": "Write here. Everybody sees it at once.",
  "editor.task": "Done: {task}",
  "editor.unknown": "This part was made with another version. It is kept, but cannot be changed here.",
  "editor.absent":
    "You are offline, and this page is not on this device yet. It opens when the network is back.",
  "editor.late": "The server does not answer yet. This page opens by itself when it does.",
  "editor.note": "Why: {note}",
  "editor.until": "Until {time}.",
  "editor.reload": "Load the page again",
  "editor.retry": "Try again",

  "editor.state.connecting": "Connecting …",
  "editor.state.saved": "Saved",
  "editor.state.saving": "Saving …",
  "editor.state.offline": "Offline",
  "editor.state.offline.kept": "Offline, kept on this device",
  "editor.state.not-saved": "Not saved",
  "editor.state.readonly": "Read only",
  "editor.state.readonly.locked": "Locked",

  "editor.why.offline": "You are offline.",
  "editor.why.kept":
    "You are offline. What you wrote is kept on this device and is sent when the network is back.",
  "editor.why.nothing-waiting":
    "You are offline. You can go on writing: it is kept on this device and sent when the network is back.",
  "editor.why.offline.no-device":
    "You are offline, and this browser cannot keep your words. Wait for the network before you write.",
  "editor.why.no-device":
    "You are offline, and this browser could not keep your last words. Leave this page open until the network is back, or keep a copy.",
  "editor.why.not-saved": "The server did not take your last words.",
  "editor.why.not-saved.locked": "The page was locked before your last words reached the server.",
  "editor.why.not-saved.protected": "Your last change touches a protected block.",
  "editor.why.not-saved.no-access": "You were taken off this page before your last words reached the server.",
  "editor.why.readonly": "You can read this page, but not change it.",
  "editor.why.log":
    "Not saved, because the server cannot write to its disk now. Keep this page open: it goes on by itself.",
  "editor.why.disk-full":
    "Not saved, because the server’s disk is full. Keep this page open: it goes on by itself when there is room again.",
  "editor.why.io-error":
    "Not saved, because the server’s disk has a fault. Keep this page open: it goes on by itself when the disk works again.",
  "editor.why.no-access": "You cannot see this page any more.",
  "editor.why.reload": "This page was made anew on the server. Load it again to go on.",
  "editor.why.logged-out": "You are logged out. Log in again to go on.",
  "editor.why.session-expired": "Your log-in has ended. Log in again to go on.",
  "editor.why.removed": "You are not a member of this TwinSpace any more.",

  "editor.copy.text": "Your words are still on this page. Keep a copy before you go on.",
  "editor.copy.copy": "Copy the text",
  "editor.copy.file": "Save as a file",
  "editor.copy.discard": "Show the saved page",
  "editor.copy.done": "The text is copied.",

  "editor.people.here": { one: "{count} person here", other: "{count} people here" },
  "editor.people.came": { one: "{names} is here now.", other: "{names} are here now." },
  "editor.people.went": { one: "{names} has left.", other: "{names} have left." },

  "editor.tools": "Tools for writing",
  "editor.style": "Style of the text",
  "editor.style.mixed": "Style",
  "editor.style.paragraph": "Text",
  "editor.style.heading1": "Heading",
  "editor.style.heading2": "Subheading",
  "editor.style.heading3": "Small heading",
  "editor.style.code": "Code",
  "editor.tool.undo": "Undo my last change",
  "editor.tool.redo": "Do it again",
  "editor.tool.strong": "Bold",
  "editor.tool.em": "Italic",
  "editor.tool.underline": "Underlined",
  "editor.tool.strike": "Crossed out",
  "editor.tool.code": "Code in the line",
  "editor.tool.link": "Link",
  "editor.tool.bullet_list": "List with dots",
  "editor.tool.ordered_list": "List with numbers",
  "editor.tool.task_list": "List of tasks",
  "editor.tool.outdent": "Move to the left",
  "editor.tool.indent": "Move to the right",
  "editor.tool.quote": "Quote",
  "editor.tool.image": "Image",
  "editor.tool.table": "Table",
  "editor.tool.rule": "Dividing line",
  "editor.tool.protect": "Protect this block",
  "editor.tool.row-above": "New row above",
  "editor.tool.row-below": "New row below",
  "editor.tool.column-before": "New column before",
  "editor.tool.column-after": "New column after",
  "editor.tool.header-row": "First row is a heading",
  "editor.tool.delete-row": "Delete the row",
  "editor.tool.delete-column": "Delete the column",
  "editor.tool.delete-table": "Delete the table",
  "editor.tool.toolbar": "Go to the tools",

  "editor.protect.by": "Protected by {name}",
  "editor.protect.by-me": "Protected by you",
  "editor.protect.by-teachers": "Protected by the teachers",
  "editor.protect.hint": "This block is protected. Press Enter to write below it.",

  "editor.help.title": "Writing with the keyboard",
  "editor.help.tab": "Tab moves inside lists and tables. Press Escape and then Tab to leave the text.",
} satisfies Catalogue;

export default en;
export type Words = Record<keyof typeof en, Catalogue[string]>;
