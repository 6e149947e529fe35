import type { Catalogue } from "./index.ts";

const en = {
  "app.skip": "Skip to the content",

  "nav.space": "This TwinSpace",
  "nav.bottom": "Main menu",
  "nav.home": "Home",
  "nav.members": "People",
  "nav.pages": "Pages",
  "nav.talk": "Talk",
  "nav.me": "Me",
  "nav.desk": "Desk",
  "nav.desk-waits": { one: "One thing waits for you", other: "{count} things wait for you" },
  "nav.my-spaces": "My TwinSpaces",

  "line.offline": "No connection",
  "line.connecting": "Connecting …",

  "dialog.close": "Close",
  "dialog.cancel": "Cancel",
  "dialog.save": "Save",

  "me.open": "language, appearance, log out",
  "me.settings": "Language and appearance",
  "me.language": "Language",
  "me.theme": "Appearance",
  "me.log-out": "Log out",

  "theme.auto": "Like the device",
  "theme.light": "Light",
  "theme.dark": "Dark",

  "log-out.done": "You are logged out. Nothing of yours stays on this device.",
  "log-out.unsent-title": "Some of your writing is only here",
  "log-out.unsent": {
    one: "Something on one page or in a discussion is not sent yet. It will be lost if you log out now. Wait until you have a connection, open it, and see that it is saved or sent.",
    other:
      "What you wrote in {count} places is not sent yet. It will be lost if you log out now. Wait until you have a connection, open the pages and discussions, and see that all is saved or sent.",
  },
  "log-out.anyway": "Log out and lose them",

  "bye.logged-out": "You have been logged out.",
  "bye.session-expired": "Your time here ran out. Please log in again: your writing is kept.",

  "lost.title": "There is no such page here",
  "lost.text": "The address may be old, or have a typing mistake in it.",

  "trouble.title": "That did not work",
  "trouble.again": "Try again",

  "gone.title": "This TwinSpace is closed to you",
  "gone.removed":
    "You are no longer a member of this TwinSpace. If you think that is a mistake, ask your teacher.",
  "gone.not-member":
    "You are not a member of this TwinSpace, or it does not exist. Ask your teacher for the right link.",

  "error.unreachable": "The server cannot be reached. Check the connection and try again.",
  "error.unknown": "Something went wrong. Try again in a moment.",
  "error.said": "The server says: {message}",
  "error.forbidden": "You may not do that here. A teacher of this TwinSpace can.",
  "error.not-found": "It is not here any more. Someone may have moved or removed it.",
  "error.wait-seconds": {
    one: "That was too many tries. Wait one second and try again.",
    other: "That was too many tries. Wait {count} seconds and try again.",
  },
  "error.wait-minutes": {
    one: "That was too many tries. Wait one minute and try again.",
    other: "That was too many tries. Wait {count} minutes and try again.",
  },

  "login.title": "Come in",
  "login.lead": "TwinSpace is where your class and its partner classes work together.",
  "login.how": "How do you want to come in?",
  "login.tab-code": "I have a card",
  "login.tab-password": "I am a teacher",
  "login.code": "The words on your card",
  "login.code-hint": "Type all {count} words. Big or small letters, commas, spaces: all are fine.",
  "login.code-count": "{count} of {of} words",
  "login.code-ready": "All words are there.",
  "login.code-short": "Your card has {count} words. There are {typed} here.",
  "login.wrong-code":
    "These words do not open the door. Look at your card again, word by word. Still stuck? Your teacher can print you a new card.",
  "login.wrong-password": "The e-mail address and the password do not match. Check both and try again.",
  "login.enter": "Come in",
  "login.no-card": "No card, or lost it? Your teacher can print you a new one in a minute.",
  "login.email": "E-mail address",
  "login.password": "Password",
  "login.show-password": "Show the password",
  "login.both": "Please fill in your e-mail address and your password.",
  "login.forgotten": "Forgotten your password? The administrator of your server can set a new one.",

  "card.title": "Is this your card?",
  "card.and-more": "and more words",
  "card.instead": "{name} is logged in on this device now. Your card takes over.",
  "card.yes": "Yes, let me in",
  "card.no": "No, another card",
  "card.wrong": "This card does not work any more. Your teacher can print you a new one.",

  "home.hello": "Hello, {name}",
  "home.none-pupil": "You are in no TwinSpace yet. Your teacher can add you to one.",
  "home.none-teacher":
    "You are in no TwinSpace yet. Start one, or ask the teacher who leads your project to invite you.",
  "home.here": "Who is here now",
  "home.here-count": { one: "One person is here.", other: "{count} people are here." },
  "home.nobody": "Nobody is here right now.",
  "home.you": "you",

  "role.guest": "Guest",
  "role.student": "Student",
  "role.student-editor": "Student editor",
  "role.teacher": "Teacher",
  "role.admin": "Lead teacher",

  "pages.new": "New page",
  "pages.none": "There are no pages here yet.",
  "pages.none-create": "There are no pages here yet. Make the first one.",
  "pages.below": { one: "One page below", other: "{count} pages below" },
  "pages.readers": { one: "One person is on this page", other: "{count} people are on this page" },
  "pages.manage": "What to do with “{title}”",
  "pages.rename": "Rename",
  "pages.lock": "Lock",
  "pages.unlock": "Unlock",

  "see.draft": "Draft: its author, student editors and teachers",
  "see.staff": "Only teachers",

  "mark.board": "Board",
  "mark.locked": "Locked",
  "mark.readonly": "Only to read",

  "page.whose": "Who wrote this?",
  "page.where": "You are here",
  "page.gone-title": "This page is not here",
  "page.gone": "It may be in the bin, or it is not open to you.",
  "page.back-to": "Back to {title}",
  "page.locked": "{name} has locked this page.",
  "page.locked-until": "{name} has locked this page until {time}.",
  "page.lock-reason": "“{reason}”",
  "page.lock-not-you": "You can still write here.",
  "page.no-editor": "The page could not be loaded. Check the connection and try again.",

  "reason.readonly": "You can read this page, but not change it.",
  "reason.locked": "This page is locked. You can read it.",
  "reason.role": "You can read this page. Its rules say that others write here.",
  "reason.editors": "Student editors and teachers write on this page. You can read it.",
  "reason.teachers": "Teachers write on this page. You can read it.",
  "reason.muted": "You can read, but not write for now. Ask your teacher.",
  "reason.muted-until": "You can read, but not write until {time}. Ask your teacher.",
  "reason.outside-hours": "This room is closed at this hour. You can read everything.",
  "reason.supervised": "You can write here while a teacher is in the room.",
  "reason.no-teacher": "No teacher of your school is in this TwinSpace, so you can read but not write.",
  "reason.space-frozen":
    "Your teachers have paused this TwinSpace. You can read everything, and write again soon.",
  "reason.space-closed": "This TwinSpace is finished. You can read everything.",
  "reason.room-read-only": "This room is only to read for now.",
  "reason.room-frozen": "This room is paused. You can read everything.",
  "reason.room-archived": "This room is archived. You can read everything.",

  "rooms.manage": "Rules of the room {title}",
  "space.unfreeze": "Let everyone write again",

  "bin.title": "Bin",

  "members.none": "Nobody from this school yet.",
} satisfies Catalogue;

export default en;
export type Words = Record<keyof typeof en, Catalogue[string]>;
