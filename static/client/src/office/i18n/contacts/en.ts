import type { Catalogue } from "../../../i18n/index.ts";

const en = {
  "contacts.title": "Contacts",
  "contacts.lead":
    "Colleagues whom you find again when a TwinSpace is over. You see each other’s name and school, nothing more.",
  "contacts.adults": "Contacts are for teachers. You meet others in your TwinSpaces.",
  "contacts.mine": "My contacts",
  "contacts.none":
    "No contacts yet. Open the people of a TwinSpace, choose a colleague, and ask them as a contact.",
  "contacts.asked-me": "They would like to be your contact",
  "contacts.i-asked": "You have asked",
  "contacts.asked-at": "asked: {time}",
  "contacts.yes": "Yes",
  "contacts.no": "No",
  "contacts.said-yes": "{name} is now a contact of yours.",
  "contacts.said-no": "Done. {name} is not told.",
  "contacts.take-back": "Take back",
  "contacts.taken-back": "You no longer ask {name}.",
  "contacts.write": "Write",
  "contacts.write-to": "Write to {name}",
  "contacts.remove": "Remove",
  "contacts.remove-title": "Remove {name} from your contacts?",
  "contacts.remove-text": "You disappear from their contacts, too. They are not told.",
  "contacts.removed": "{name} is not a contact of yours any more.",

  "contacts.ask": "Ask",
  "contacts.ask-title": "Ask {name} as a contact",
  "contacts.ask-text":
    "If they say yes, you find each other under “Contacts” by name and school, also when this TwinSpace is over.",
  "contacts.asked": "You have asked {name}.",
  "contacts.accept-title": "{name} has asked you",
  "contacts.accept-text":
    "Say yes, and you find each other under “Contacts” by name and school, also when this TwinSpace is over.",
  "contacts.already": "{name} is a contact of yours already.",
  "contacts.asked-already": "You have asked {name} already.",

  "error.too-many-unanswered":
    "Too many have not answered you yet. Wait a while, or take some requests back.",
  "error.blocked-by-you": "You have blocked this person. Unblock them first.",
} satisfies Catalogue;

export default en;
export type Words = Record<keyof typeof en, Catalogue[string]>;
