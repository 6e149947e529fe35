import type { Catalogue } from "../../../i18n/index.ts";

/** The words of the questions for links and images. */
const en = {
  "editor.link.title": "Add a link",
  "editor.link.change": "Change the link",
  "editor.link.href": "Address",
  "editor.link.hint": "A web address or an e-mail address.",
  "editor.link.text": "Words to show",
  "editor.link.add": "Add the link",
  "editor.link.save": "Save the link",
  "editor.link.remove": "Remove the link",
  "editor.link.open": "Open this link",
  "editor.link.bad": "This is no address that a link can lead to. Write it like www.example.org.",

  "editor.image.title": "Add an image",
  "editor.image.change": "Change the image",
  "editor.image.src": "Address of the image",
  "editor.image.src-hint": "It begins with https://",
  "editor.image.alt": "What does the image show?",
  "editor.image.alt-hint": "For people who cannot see it. One sentence is enough.",
  "editor.image.decoration": "It is only decoration and needs no words.",
  "editor.image.add": "Add the image",
  "editor.image.save": "Save the image",
  "editor.image.bad": "This is no address of an image. It has to begin with https://",
  "editor.image.no-alt": "Write what the image shows, or say that it is only decoration.",
} satisfies Catalogue;

export default en;
export type Words = Record<keyof typeof en, Catalogue[string]>;
