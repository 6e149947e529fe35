/**
 * The truth behind the pill: what is known about the last edits, and the one state that follows from it.
 * Pure: the session collects the facts, this decides.
 */
export type Scope = "read-write" | "readonly" | "none";

export interface Facts {
  /** Whether there is something to show: from the device or from the server. */
  open: boolean;
  /** The shared socket stands and this document is authenticated and in step with the server on it. */
  connected: boolean;
  /** Whether the browser believes that it has a network: a dead line is noticed only after a while. */
  online: boolean;
  /** Edits exist that the server has not confirmed as durable. */
  unsaved: boolean;
  /** Whether this device holds every edit: "unknown" while it writes. */
  device: "kept" | "unknown" | "failed";
  scope: Scope;
  /** Message key why the scope is less than read-write, and free words to it. */
  reason: string;
  note: string;
  until: number | null;
  /** What the server says of its durable log; `reason` is a message key. */
  log: { state: "ok" | "slow" | "failing"; reason: string };
  /** The server refused an edit (message key and sentence), until the next confirmation. */
  refused: { what: string; message: string } | null;
  /** The document or the log-in is over; message key. */
  ended: string;
}

export type StateName = "connecting" | "saved" | "saving" | "offline" | "not-saved" | "readonly";

export interface EditorState {
  state: StateName;
  /** Message key that says why, where there is a why. */
  reason: string;
  /** Free words of a person or a sentence of the server. */
  note: string;
  until: number | null;
}

export const FIRST: Facts = {
  open: false,
  connected: false,
  online: true,
  unsaved: false,
  device: "unknown",
  scope: "read-write",
  reason: "",
  note: "",
  until: null,
  log: { state: "ok", reason: "" },
  refused: null,
  ended: "",
};

export function stateOf(facts: Facts): EditorState {
  const state = (name: StateName, reason = "", note = "", until: number | null = null): EditorState => ({
    state: name,
    reason,
    note,
    until,
  });
  const { unsaved } = facts;
  if (facts.ended) return state(unsaved ? "not-saved" : "readonly", facts.ended, facts.refused?.message);
  if (facts.scope !== "read-write") {
    // What is waiting may still be on its way until the server has said what it thinks of it.
    const lost = unsaved && (facts.refused !== null || !facts.connected || facts.scope === "none");
    return state(lost ? "not-saved" : "readonly", facts.reason || "readonly", facts.note, facts.until);
  }
  if (!facts.connected || (unsaved && !facts.online)) {
    if (!facts.open) return state("connecting");
    if (facts.device === "kept") return state("offline", unsaved ? "kept" : "nothing-waiting");
    if (!unsaved) return state("offline", facts.device === "failed" ? "no-device" : "nothing-waiting");
    return facts.device === "failed" ? state("not-saved", "no-device") : state("saving");
  }
  if (!unsaved) return state("saved");
  if (facts.refused) return state("not-saved", facts.refused.what, facts.refused.message);
  if (facts.log.state === "failing") return state("not-saved", facts.log.reason || "log");
  return state("saving");
}

/** Whether leaving now loses words: they are neither with the server nor on this device. */
export const wouldLose = (facts: Facts): boolean => facts.unsaved && facts.device !== "kept";

/** Whether the person may type now. */
export const mayWrite = (facts: Facts): boolean => facts.open && facts.scope === "read-write" && !facts.ended;

/** Whether words are here that will not be saved by waiting, so that a copy is offered. */
export const offersCopy = (facts: Facts): boolean => {
  const { state, reason } = stateOf(facts);
  return state === "not-saved" && (!mayWrite(facts) || reason === "no-device" || facts.refused !== null);
};
