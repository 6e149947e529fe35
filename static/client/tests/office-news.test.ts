import assert from "node:assert/strict";
import { test } from "node:test";
import type { Me, Role } from "../src/api/types.ts";
import { byDay, type Notice, place } from "../src/office/news.ts";

const notice = (kind: string, changes: Partial<Notice> = {}): Notice => ({
  id: "n1",
  kind,
  space_id: "s1",
  ref: "post/p1",
  details: {},
  at: 0,
  read: false,
  ...changes,
});

const as = (role?: Role): Me => ({
  person: { id: "me", name: "Ana", kind: "adult", school: null, language: null },
  spaces: role ? [{ id: "s1", title: "Two rivers", role }] : [],
});

const THREAD = { details: { thread: "t1" } };
const PLACES: [Notice, Role | undefined, string][] = [
  [notice("held", THREAD), "teacher", "/spaces/s1/cockpit"],
  [notice("held", THREAD), "student", "/spaces/s1/threads/t1#post-p1"],
  [notice("approved", THREAD), "student", "/spaces/s1/threads/t1#post-p1"],
  [notice("rejected", THREAD), "student", "/spaces/s1/threads/t1#post-p1"],
  [notice("hidden", THREAD), "student", "/spaces/s1/threads/t1#post-p1"],
  [notice("mention", THREAD), "student", "/spaces/s1/threads/t1#post-p1"],
  [notice("reply", THREAD), "student", "/spaces/s1/threads/t1#post-p1"],
  [notice("report", { ref: "report/r1" }), "admin", "/spaces/s1/cockpit"],
  [notice("report", { ref: "report/r1" }), undefined, "/cases"],
  [notice("report-answered", { ref: "report/r1" }), "student", "/spaces/s1"],
  [notice("muted", { ref: "membership/m1" }), "student", "/spaces/s1"],
  [notice("invitation-accepted"), "admin", "/spaces/s1/members"],
  [notice("partner-accepted"), "admin", "/spaces/s1"],
  [notice("space-asked"), undefined, "/approvals"],
  [notice("space-approved"), "admin", "/spaces/s1"],
  [notice("space-refused"), "admin", "/spaces/s1"],
  [notice("join-asked"), "admin", "/spaces/s1/members"],
  [notice("join-accepted"), "teacher", "/spaces/s1"],
  [notice("join-refused"), undefined, "/groups"],
  [notice("contact-asked", { space_id: null }), undefined, "/contacts"],
  [notice("contact-accepted", { space_id: null }), undefined, "/contacts"],
  [notice("message", { space_id: null, ref: "person/p_1-" }), undefined, "/messages/p_1-"],
  [notice("case-opened"), "admin", "/spaces/s1"],
  [notice("case-opened"), undefined, "/cases"],
  [notice("case-closed"), "admin", "/spaces/s1"],
  [notice("floor-asked"), undefined, "/approvals"],
  [notice("floor-granted"), "admin", "/spaces/s1/settings"],
  [notice("floor-refused"), "admin", "/spaces/s1/settings"],
  [notice("floor-taken-back"), "admin", "/spaces/s1/settings"],
  [notice("mute-asked"), "admin", "/spaces/s1/cockpit"],
  [notice("mute-asked"), undefined, "/approvals"],
  [notice("mute-confirmed"), "admin", "/spaces/s1/cockpit"],
  [notice("mute-refused"), "admin", "/spaces/s1/cockpit"],
  [notice("something-of-tomorrow", { space_id: null }), "teacher", "/"],
];

for (const [about, role, address] of PLACES) {
  test(`${about.kind} leads a ${role ?? "stranger"} to ${address}`, () => {
    assert.equal(place(about, as(role)), address);
  });
}

test("days have names, the newest first", () => {
  const now = new Date(2026, 10, 18, 9);
  const at = (...when: [number, number, number, number]) => new Date(...when).getTime() / 1000;
  const days = byDay(
    [
      notice("reply", { at: at(2026, 10, 18, 8) }),
      notice("reply", { at: at(2026, 10, 18, 0) }),
      notice("reply", { at: at(2026, 10, 17, 23) }),
      notice("reply", { at: at(2026, 10, 9, 12) }),
    ],
    now,
  );
  assert.deepEqual(
    days.map(({ name, notices }) => [name, notices.length]),
    [
      ["Today", 2],
      ["Yesterday", 1],
      ["Monday, November 9", 1],
    ],
  );
});
