import type { Catalogue } from "../../../i18n/index.ts";

const en = {
  "messages.title": "Messages",
  "messages.lead": "What you and other teachers write to each other. It goes after 90 days.",
  "messages.adults":
    "Messages are for teachers. To write to yours, choose “Ask my teacher” in your TwinSpace.",
  "messages.none": "No messages yet. Choose a contact, and write the first one.",
  "messages.to-contacts": "My contacts",
  "messages.you": "You: {words}",
  "messages.unread": { one: "{count} new message", other: "{count} new messages" },

  "messages.empty": "Nothing here yet. Write the first message.",
  "messages.older": "Show older ones",
  "messages.more": "More about {name}",
  "messages.mine": "You",
  "messages.new": "{name} has written: {words}",
  "messages.label": "Your message to {name}",
  "messages.placeholder": "Write a message",
  "messages.send": "Send",
  "messages.send-again": "Send again",
  "messages.keys": "Send (Ctrl + Enter)",
  "messages.sent": "Sent.",
  "messages.too-long": {
    one: "One character too many. Make it a little shorter.",
    other: "{count} characters too many. Make it a little shorter.",
  },
  "messages.kept": "Your words are kept.",
  "messages.closed":
    "You cannot write to {name} now. People write to each other who are contacts, or share a TwinSpace.",

  "messages.remove": "Remove from my contacts",
  "messages.block": "Block this person",
  "messages.block-title": "Block {name}?",
  "messages.block-text":
    "What {name} writes to you from now on never arrives, and what they post is hidden from you. They are not told.",
  "messages.block-do": "Block",
  "messages.blocked": "You have blocked {name}. Nothing they write arrives.",
  "messages.blocked-said": "{name} is blocked.",
  "messages.unblock": "Unblock",
  "messages.unblocked": "{name} is not blocked any more.",

  "error.too-many-messages": "You have written a lot. Wait a while, then send this.",
  "error.too-many-new": "You have written to many new people today. Write to the next ones tomorrow.",
  "error.blocked-by-you": "You have blocked this person. Unblock them first.",
} satisfies Catalogue;

export default en;
export type Words = Record<keyof typeof en, Catalogue[string]>;
