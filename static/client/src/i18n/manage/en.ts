import type { Catalogue } from "../index.ts";

const en = {
  "pages.new-below": "New page below “{title}”",
  "pages.title": "Title",
  "pages.create": "Make the page",
  "pages.created": "The page “{title}” is ready.",
  "pages.add-below": "New page below this one",
  "pages.up": "Move up",
  "pages.down": "Move down",
  "pages.place": "Now number {count} of {of}.",
  "pages.move": "Move to another place",
  "pages.put-under": "Put it under",
  "pages.top": "No page: at the top",
  "pages.rules": "Who sees it, who writes",
  "pages.saved": "Saved.",
  "pages.lock-text":
    "Everyone can read a locked page, and nobody can change it until it is unlocked. They will see your reason.",
  "pages.lock-reason": "Why? (everyone sees this)",
  "pages.lock-until": "Until when?",
  "pages.locked": "The page is locked.",
  "pages.unlock-text": "Everyone who could write before can write again.",
  "pages.unlocked": "The page is open again.",
  "pages.bin": "Put in the bin",
  "pages.bin-title": "Put “{title}” in the bin?",
  "pages.bin-text":
    "Nobody will see the page and the pages below it any more. They are kept in the bin for 30 days.",
  "pages.binned": "“{title}” is in the bin.",

  "lock.open": "Until I unlock it",
  "lock.minutes": { one: "For one minute", other: "For {count} minutes" },
  "lock.day": "For one day",

  "rules.see": "Who sees this page?",
  "rules.edit": "Who may write on it?",

  "see.members": "Everyone in the TwinSpace",

  "edit.everyone": "Everyone who sees it",
  "edit.editors": "Student editors and teachers",
  "edit.teachers": "Only teachers",

  "bin.empty": "The bin is empty.",
  "bin.restore": "Take out",
  "bin.restore-title": "Take “{title}” out of the bin",
  "bin.restored": "“{title}” is back.",

  "error.others-below": "There are pages of others below this one. Move them away first.",
  "error.would-hide": "With this rule you could not see the page yourself any more.",
  "error.too-many-pages": "This TwinSpace is full of pages. Put some in the bin first.",
  "error.too-deep": "Pages cannot go any deeper. Choose a place higher up.",

  "members.founder": "founder",
  "members.make-cards": "Cards for my class",
  "members.manage": "What to do with {name}",
  "members.change-role": "Change the role",
  "members.role-of": "Role of {name}",
  "members.role-changed": "{name} is now: {role}.",
  "members.remove": "Remove from this TwinSpace",
  "members.remove-name": "Remove {name}",
  "members.remove-text":
    "They leave this TwinSpace at once, also where it is open now. What they wrote stays.",
  "members.removed": "{name} is no longer a member.",
  "members.new-card": "New card",
  "members.new-card-for": "New card for {name}",
  "members.new-card-text": "The old card stops working at once, and whoever used it is logged out.",

  "pupils.make": "Make new cards",
  "pupils.how":
    "Each student gets a card with a picture code and some words. It needs no e-mail address. Students appear under a made-up name; who is who stays on your paper.",
  "pupils.no-space": "You need a TwinSpace first. Ask the teacher who leads your project to add you.",
  "pupils.space": "For which TwinSpace?",
  "pupils.names": "Which names?",
  "pupils.names-made": "Made up for me",
  "pupils.names-own": "My own list",
  "pupils.names-list": "Names, one on each line",
  "pupils.names-hint": "Use made-up names, not real ones: other schools will see them.",
  "pupils.count": "How many cards?",
  "pupils.count-wrong": "Please ask for 1 to {most} cards at a time.",
  "pupils.language": "Language that the students read",
  "pupils.submit": "Make the cards",
  "pupils.known": "Students of my school",
  "pupils.seen": "last here: {time}",
  "pupils.never": "not here yet",
  "pupils.none": "No students yet. Make their cards above.",

  "cards.title": { one: "One new card", other: "{count} new cards" },
  "cards.once": "The words are shown only now. Print the cards before you close this.",
  "cards.print": "Print",
  "cards.done": "Close",
  "cards.sure": "Close without printing?",
  "cards.sure-text": "Nobody can see these words again. You would have to make new cards.",
  "cards.sure-yes": "Close",
  "cards.qr": "Picture code for {name}",
  "cards.scan": "Scan the code, or go to {host} and type:",
  "cards.name": "My name:",
  "cards.keep": "Keep this card safe: it is your key.",
} satisfies Catalogue;

export default en;
export type Words = Record<keyof typeof en, Catalogue[string]>;
