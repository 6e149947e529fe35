import type { Catalogue } from "../../../i18n/index.ts";

const en = {
  "consent.title": "Consent of families",
  "consent.lead":
    "What families have agreed to on paper. Only teachers of your school see this list; the signed papers stay with you.",
  "consent.no-pupils": "No students yet. Make their cards first.",
  "consent.for-what": "Agreed to what?",

  "consent.account": "Account",
  "consent.account-means": "The student may have a card and work in a TwinSpace under a made-up name.",
  "consent.image": "Pictures",
  "consent.image-means": "Pictures that show the student may be used inside a TwinSpace.",
  "consent.voice-video": "Voice and video",
  "consent.voice-video-means":
    "Recordings in which the student is heard or seen may be used inside a TwinSpace.",
  "consent.public-name": "First name",
  "consent.public-name-means": "The student’s own first name may stand beside what is published.",
  "consent.publication": "Publishing",
  "consent.publication-means":
    "What the student makes may be published on the web, where everyone can see it.",

  "consent.given-count": "{count} of {of} have agreed.",
  "consent.student": "Student",
  "consent.choose": "Choose",
  "consent.choose-name": "Choose {name}",
  "consent.of": "Consent for {name}",
  "consent.chosen": { one: "One student is chosen.", other: "{count} students are chosen." },
  "consent.choose-none": "Choose nobody",
  "consent.choose-missing": { one: "Choose the one missing", other: "Choose the {count} missing" },
  "consent.choose-first": "Choose some students first.",
  "consent.too-many": "Please choose at most {most} students at a time.",

  "consent.state.none": "Not given",
  "consent.state.given": "Given",
  "consent.state.expired": "Ended",
  "consent.state.withdrawn": "Withdrawn",
  "consent.state.replaced": "Replaced",
  "consent.until": "until {day}",
  "consent.ended": "ended {day}",
  "consent.from": "given on {from}",
  "consent.from-to": "given on {from}, until {to}",
  "consent.by": "noted by {name}",

  "consent.record": "Given on paper …",
  "consent.record-title": "{purpose}: consent given on paper",
  "consent.record-text": {
    one: "The family of this student has signed:",
    other: "The families of these {count} students have signed:",
  },
  "consent.given-on": "Signed on",
  "consent.valid-until": "Holds until",
  "consent.valid-until-hint": "The last day. Leave it empty if it holds until it is withdrawn.",
  "consent.record-do": "Note it",
  "consent.recorded": { one: "Noted for one student.", other: "Noted for {count} students." },

  "consent.withdraw": "Withdraw",
  "consent.withdraw-title": "{purpose}: withdraw the consent for {name}?",
  "consent.withdraw-text":
    "It ends at once. What was noted before stays in the list, so that you can show it later.",
  "consent.withdrawn": "{purpose}: there is no consent for {name} any more.",

  "consent.history": "All that was noted",
  "consent.history-none": "Nothing yet.",
  "consent.noted": "noted by {name}, {time}",
  "consent.withdrawn-by": "withdrawn: {name}, {time}",
  "consent.somebody": "somebody who has left",

  "error.not-yet-given": "The day of the signature cannot be after today.",
  "error.ends-too-early": "The last day has to be after the day of the signature.",
} satisfies Catalogue;

export default en;
export type Words = Record<keyof typeof en, Catalogue[string]>;
