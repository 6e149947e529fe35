/** Threads and posts: what the REST API answers, and what the live document of a thread holds. */
export type ThreadKind = "thread" | "chat" | "ask";
export type PostState = "held" | "visible" | "hidden" | "rejected";
export type Policy = "off" | "hold" | "hold-first" | "free";

export interface ThreadLock {
  /** Membership id. */
  by: string | null;
  reason: string;
  until: number | null;
}

export interface Thread {
  id: string;
  room_id: string;
  kind: ThreadKind;
  title: string;
  /** Membership id. */
  author: string | null;
  pinned: boolean;
  lock: ThreadLock | null;
  /** Name of the live document: "thread/<id>". */
  document: string;
  posts_count: number;
  last_at: number;
  /** My own posts that only I and those who decide can see. */
  mine_waiting?: Post[];
  can: { post: boolean; lock: boolean; pin: boolean; rename: boolean; approve: boolean; hide: boolean };
  /** Message key why I may not post, else "". */
  reason: string;
  policy: Policy;
  /** The reactions that are used here; none: no reactions. */
  marks?: Mark[];
  /** The document tells who has set a mark and who has voted; else only which marks a post has. */
  counts?: boolean;
  /** My own marks, by post id. */
  my_marks?: Record<string, string[]>;
  /** What I have chosen in polls, by post id. */
  my_votes?: Record<string, number>;
  /** For teachers, where the document does not tell: how many have chosen each option, by post id. */
  votes?: Record<string, number[]>;
}

export interface Post {
  id: string;
  thread_id: string;
  state: PostState;
  number: number | null;
  body: string;
  author: string | null;
  language: string | null;
  reply_to: string | null;
  mentions: string[];
  options: string[] | null;
  /** What the filters found, and which policy held it. */
  reasons: string[];
  at: number;
  edited_at: number | null;
  decided_because: string | null;
  /** A change of it that waits while the old words are shown. */
  waiting_body: string | null;
}

/** A post that waits for a decision of mine. */
export interface HeldPost {
  post: Post;
  thread_title: string;
  room_title: string;
  author_name: string;
  author_school: string | null;
  since: number;
}

/** A post as everybody sees it, or the stub of a hidden one. */
export interface ShownPost {
  id: string;
  number: number;
  author: string | null;
  body: string;
  language: string | null;
  reply_to: string | null;
  mentions: string[];
  options: string[] | null;
  /** Membership ids for each option, where the space has counts. */
  votes: string[][] | null;
  /** Nobody votes any more in this poll. */
  closed: boolean;
  /** Of a closed poll without counts: the options by their place, what was chosen most first. */
  chosen: number[] | null;
  /** Membership ids by mark, where the space has counts. */
  reactions: Record<string, string[]>;
  /** The marks that somebody has set. */
  marks: string[];
  hidden: boolean;
  hidden_by: string | null;
  at: number;
  edited_at: number | null;
}

/** What a thread's document says at one moment. */
export interface Shown {
  title: string;
  kind: ThreadKind;
  pinned: boolean;
  locked: ThreadLock | null;
  posts: ShownPost[];
  /** Membership ids, the first to raise a hand first. */
  hands: string[];
}

export type Mark = "heart" | "thumb" | "smile" | "surprise" | "idea" | "question";
