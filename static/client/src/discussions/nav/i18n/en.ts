import type { Catalogue } from "../../../i18n/index.ts";

const en = {
  "talk.title": "Discussions",
  "talk.new": "New discussion",
  "talk.ask": "Ask my teacher",
  "talk.none": "There are no discussions here yet.",
  "talk.none-start": "There are no discussions here yet. Start the first one.",
  "talk.all": { one: "Show the other one", other: "Show {count} more" },
  "talk.posts": { one: "One post", other: "{count} posts" },
  "talk.fresh": "New posts",
  "talk.pinned": "Pinned",
  "talk.locked": "Locked",
  "talk.private": "Only for you and your teachers",
  "talk.last": "last {time}",
} satisfies Catalogue;

export default en;
export type Words = Record<keyof typeof en, Catalogue[string]>;
