import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Facts,
  FIRST,
  mayWrite,
  offersCopy,
  type Scope,
  stateOf,
  wouldLose,
} from "../src/editor/state.ts";

const IN_STEP: Facts = { ...FIRST, open: true, connected: true, device: "kept" };
const facts = (news: Partial<Facts>): Facts => ({ ...IN_STEP, ...news });
const state = (news: Partial<Facts>) => stateOf(facts(news)).state;
const reason = (news: Partial<Facts>) => stateOf(facts(news)).reason;

test("before anything is there it connects", () => {
  assert.equal(stateOf(FIRST).state, "connecting");
  assert.equal(mayWrite(FIRST), false);
});

test("an edit is saving until the server has confirmed it, and then saved", () => {
  assert.equal(state({}), "saved");
  assert.equal(state({ unsaved: true }), "saving");
  assert.equal(state({ unsaved: true, device: "unknown" }), "saving");
  assert.equal(state({ unsaved: true, log: { state: "slow", reason: "" } }), "saving");
});

test("a lost line is offline; kept is said only when the device holds every edit", () => {
  assert.deepEqual(
    [state({ connected: false }), reason({ connected: false })],
    ["offline", "nothing-waiting"],
  );
  assert.equal(reason({ connected: false, unsaved: true }), "kept");
  assert.equal(state({ connected: false, unsaved: true, device: "unknown" }), "saving");
  assert.equal(reason({ online: false, unsaved: true }), "kept");
  assert.equal(state({ online: false }), "saved");
  const failed = { connected: false, device: "failed" } as const;
  assert.deepEqual([state(failed), reason(failed)], ["offline", "no-device"]);
  assert.deepEqual(
    [state({ ...failed, unsaved: true }), reason({ ...failed, unsaved: true })],
    ["not-saved", "no-device"],
  );
});

test("what the device has can be written on without a network", () => {
  assert.equal(mayWrite(facts({ connected: false })), true);
  assert.equal(mayWrite(facts({ connected: false, open: false })), false);
});

test("a failing log is not saved, with its reason, and saved again when it is back", () => {
  const failing = { log: { state: "failing", reason: "disk-full" } } as const;
  assert.equal(state({ ...failing, unsaved: true }), "not-saved");
  assert.equal(reason({ ...failing, unsaved: true }), "disk-full");
  assert.equal(reason({ log: { state: "failing", reason: "" }, unsaved: true }), "log");
  assert.equal(state(failing), "saved");
  assert.equal(offersCopy(facts({ ...failing, unsaved: true })), false);
});

test("a refused edit is not saved, in the words of the server, and a copy is offered", () => {
  const refused = { unsaved: true, refused: { what: "limit-size", message: "Too big." } };
  assert.deepEqual(stateOf(facts(refused)), {
    state: "not-saved",
    reason: "limit-size",
    note: "Too big.",
    until: null,
  });
  assert.equal(offersCopy(facts(refused)), true);
});

test("a page that is only read says why, and until when", () => {
  const locked = { scope: "readonly", reason: "locked", note: "We vote", until: 9 } as const;
  assert.deepEqual(stateOf(facts(locked)), {
    state: "readonly",
    reason: "locked",
    note: "We vote",
    until: 9,
  });
  assert.equal(mayWrite(facts(locked)), false);
  assert.equal(offersCopy(facts(locked)), false);
});

test("a lock while words are on their way: they may still be taken, then they are not saved", () => {
  const locked = { scope: "readonly", reason: "locked", unsaved: true } as const;
  assert.equal(state(locked), "readonly");
  const refused = { ...locked, refused: { what: "readonly", message: "" } };
  assert.deepEqual([state(refused), reason(refused)], ["not-saved", "locked"]);
  assert.equal(offersCopy(facts(refused)), true);
  assert.equal(state({ ...locked, connected: false }), "not-saved");
});

test("no right any more, or the end of the log-in: nothing is written, unsaved words are offered as a copy", () => {
  for (const gone of [{ scope: "none", reason: "no-access" }, { ended: "logged-out" }] as Partial<Facts>[]) {
    assert.equal(state(gone), "readonly");
    assert.equal(mayWrite(facts(gone)), false);
    assert.equal(state({ ...gone, unsaved: true }), "not-saved");
    assert.equal(offersCopy(facts({ ...gone, unsaved: true })), true);
  }
  assert.equal(reason({ ended: "logged-out" }), "logged-out");
});

test("leaving warns only of words that are nowhere else", () => {
  assert.equal(wouldLose(facts({ unsaved: true, device: "kept" })), false);
  assert.equal(wouldLose(facts({ unsaved: true, device: "unknown" })), true);
  assert.equal(wouldLose(facts({ unsaved: true, device: "failed" })), true);
  assert.equal(wouldLose(facts({ unsaved: false, device: "failed" })), false);
});

test("over all facts: saved and offline-kept are never said of words that are nowhere", () => {
  const pick = <T>(...values: T[]) => values;
  for (const open of pick(true, false))
    for (const connected of pick(true, false))
      for (const unsaved of pick(true, false))
        for (const device of pick<Facts["device"]>("kept", "unknown", "failed"))
          for (const scope of pick<Scope>("read-write", "readonly", "none"))
            for (const log of pick<Facts["log"]["state"]>("ok", "slow", "failing"))
              for (const refused of pick(null, { what: "x", message: "y" }))
                for (const ended of pick("", "removed")) {
                  const all: Facts = {
                    ...FIRST,
                    open,
                    connected,
                    unsaved,
                    device,
                    scope,
                    log: { state: log, reason: "" },
                    refused,
                    ended,
                  };
                  const { state: name, reason: why } = stateOf(all);
                  const said = JSON.stringify(all);
                  if (name === "saved") assert.ok(!unsaved && connected, said);
                  if (name === "offline") assert.ok(!connected && (!unsaved || device === "kept"), said);
                  if (why === "kept") assert.equal(device, "kept", said);
                  if (name === "not-saved") assert.ok(unsaved, said);
                  if (name === "readonly") assert.ok(!mayWrite(all), said);
                  if (offersCopy(all)) assert.equal(name, "not-saved", said);
                }
});
