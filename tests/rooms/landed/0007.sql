-- Records as revision 0007 left them: all that 0006 had, and a board.
INSERT INTO settings (key, value) VALUES ('pepper', '5f0c8c1b1f4f4e1fa2b0e5d36f8d7c3aa0b1c2d3e4f5061728394a5b6c7d8e9f');
INSERT INTO countries (code, name, languages, consent_age) VALUES ('ES', 'España', '["es"]', 14);
INSERT INTO schools (id, name, town, country_code, time_zone, languages, state, created_at)
VALUES ('school', 'IES Puente de Piedra', 'Zaragoza', 'ES', 'Europe/Madrid', '["es", "en"]', 'confirmed', 1790000000.25);
INSERT INTO people (id, kind, name, school_id, language, state, created_at)
VALUES ('ana', 'adult', 'Ana Lahoz', 'school', 'es', 'confirmed', 1790000001.5),
       ('otter', 'pupil', 'Brave Otter', 'school', NULL, 'created', 1790000002.5);
INSERT INTO credentials (person_id, kind, selector, secret_hash, issued_at, used_at)
VALUES ('ana', 'password', 'ana@school.example', '$argon2id$v=19$m=8,t=1,p=1$IKovwoOgXgC/Vl5tCNLBCg$7F4zJN5ADH7PU/MjSOQWD2xic9Ev75FsP4NpniIEKXs', 1790000001.5, 1790000100.5),
       ('otter', 'code-card', 'brave-otter', '$argon2id$v=19$m=8,t=1,p=1$2a5HNBkQMIy973PzdmnMgQ$FskSk0fRJ04fijmRywjErggPsh3NcF4mze/GoOCi2D0', 1790000002.5, NULL);
INSERT INTO login_tries (account, wrong, held_until, last_at)
VALUES ('0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9', 5, 1790000130.5, 1790000100.5);
INSERT INTO sessions (id, token_hash, person_id, created_at, expires_at)
VALUES ('session', 'f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f00', 'ana', 1790000100.5, 1991209700.5);
INSERT INTO appointments (id, person_id, office, country_code, starts_at, ends_at)
VALUES ('appointment', 'ana', 'ambassador', 'ES', 1790000000.0, 1990000000.0);
INSERT INTO spaces (id, kind, title, summary, languages, age_band, status, frozen, policy, join_rule, featured, decided_by, decided_because, decided_at, created_at)
VALUES ('rivers', 'project', 'Two rivers', 'Ebro – Douro', '["es", "pt"]', '12-15', 'open', FALSE, '{"guests_read": true}', 'invitation', TRUE, 'ana', 'A good plan.', 1790000003.75, 1790000003.5);
INSERT INTO memberships (id, space_id, person_id, role, founder, school_id, state, muted_until, muted_because, created_at)
VALUES ('member-ana', 'rivers', 'ana', 'admin', TRUE, 'school', 'active', NULL, NULL, 1790000003.5),
       ('member-otter', 'rivers', 'otter', 'student', FALSE, 'school', 'active', 1790000200.5, 'Too loud.', 1790000004.5);
INSERT INTO rooms (id, space_id, title, kind, audience, state, place, author_id, used_at, created_at)
VALUES ('general', 'rivers', 'General', 'general', 'all', 'open', 0, NULL, 1790000150.5, 1790000003.5),
       ('team', 'rivers', 'Team', 'team', 'listed', 'supervised', 1, 'member-ana', 1790000150.5, 1790000005.5),
       ('free', 'rivers', 'Thermometers', 'free', 'staff', 'open', 2, 'member-ana', 1790000150.5, 1790000005.75);
INSERT INTO room_members (room_id, membership_id) VALUES ('team', 'member-otter');
INSERT INTO pages (id, room_id, kind, title, parent_id, place, see_rule, edit_rule, author_id, template, locked_by, locked_because, locked_at, locked_until, binned_at, created_at)
VALUES ('top', 'general', 'page', 'Our promise', NULL, 0, 'members', 'everyone', 'member-ana', 'notes', 'member-ana', 'Read it.', 1790000006.5, 1890000000.5, NULL, 1790000006.0),
       ('below', 'general', 'page', 'Sources', 'top', 0, 'draft', 'editors', 'member-otter', NULL, NULL, NULL, NULL, NULL, 1790000007.5, 1790000007.0),
       ('ideas', 'team', 'board', 'Our ideas', NULL, 0, 'members', 'everyone', 'member-otter', NULL, NULL, NULL, NULL, NULL, NULL, 1790000008.0);
INSERT INTO settings (key, value)
VALUES ('token-secret', 'a0b1c2d3e4f5061728394a5b6c7d8e9f5f0c8c1b1f4f4e1fa2b0e5d36f8d7c3a');
INSERT INTO login_limits (key, kind, level, at)
VALUES ('1a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9', 'school', 3.25, 1790000100.5);
INSERT INTO changes (seq, at, origin, body)
VALUES (5, 1790000100.5, 'origin', '[{"kind": "lock", "document": "page/top", "space": "rivers", "notice": ["pages"]}]');
UPDATE people SET language = 'cnr-Latn-ME' WHERE id = 'otter';
UPDATE memberships SET visited_at = 1790000150.5 WHERE id = 'member-ana';
UPDATE rooms SET hours = '{"days": [1, 2], "from": "08:00", "to": "16:00"}', posting = 'hold' WHERE id = 'team';
INSERT INTO threads (id, room_id, kind, title, author_id, pinned, locked_by, locked_because, locked_at, locked_until, version, last_number, last_at, created_at)
VALUES ('thread', 'general', 'thread', 'Who lives here?', 'member-ana', TRUE, 'member-ana', 'Enough.', 1790000120.5, NULL, 3, 1, 1790000110.5, 1790000105.5);
INSERT INTO posts (id, thread_id, author_id, key, number, state, body, waiting_body, language, reply_to, mentions, options, reasons, version, decided_by, decided_because, decided_at, edited_at, created_at)
VALUES ('post', 'thread', 'member-ana', 'key-1', 1, 'visible', 'Otters?', NULL, 'en', NULL, '["member-otter"]', '["yes", "no"]', '[]', 2, NULL, NULL, NULL, 1790000108.5, 1790000106.5),
       ('answer', 'thread', 'member-otter', 'key-2', NULL, 'held', 'Call me', NULL, NULL, 'post', '[]', NULL, '["phone"]', 3, NULL, NULL, NULL, NULL, 1790000110.5);
INSERT INTO reactions (post_id, membership_id, mark) VALUES ('post', 'member-otter', 'heart');
INSERT INTO votes (post_id, membership_id, option) VALUES ('post', 'member-otter', 1);
UPDATE posts SET closed_at = 1790000114.5 WHERE id = 'post';
INSERT INTO hands (thread_id, membership_id, at) VALUES ('thread', 'member-otter', 1790000111.5);
INSERT INTO reports (id, space_id, reporter_id, target, target_id, concerned_id, reason, words, state, handler_id, answer, due_at, escalated_at, answered_at, created_at)
VALUES ('report', 'rivers', 'member-otter', 'post', 'post', 'member-ana', 'unkind', 'I did not like it', 'answered', 'member-ana', 'Thank you', 1790172910.5, NULL, 1790000130.5, 1790000112.5);
INSERT INTO audit (space_id, number, at, actor_id, action, object, concerned_id, details, previous, hash)
VALUES ('rivers', 1, 1790000120.5, 'member-ana', 'lock', 'thread/thread', NULL, '{"because": "Enough."}', '0000000000000000000000000000000000000000000000000000000000000000', 'f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f00');
INSERT INTO blocks (person_id, blocked_id, created_at) VALUES ('otter', 'ana', 1790000113.5);
INSERT INTO notifications (id, person_id, space_id, kind, ref, details, deliver_at, read_at, mailed_at, created_at)
VALUES ('note', 'ana', 'rivers', 'held', 'post/answer', '{}', 1790000110.5, NULL, NULL, 1790000110.5);
INSERT INTO invitations (id, space_id, role, token_hash, email, maker_id, voucher_id, accepted_id, founder, state, expires_at, created_at)
VALUES ('invitation', 'rivers', 'guest', 'a1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f00', 'bea@school.example', 'member-ana', 'member-ana', NULL, FALSE, 'open', 1791209714.5, 1790000114.5);
INSERT INTO join_requests (id, space_id, person_id, words, state, decided_by, decided_because, decided_at, created_at)
VALUES ('request', 'rivers', 'ana', 'May I?', 'accepted', 'member-ana', 'Welcome.', 1790000116.5, 1790000115.5);
INSERT INTO consents (id, person_id, purpose, given_on, valid_until, recorded_by, withdrawn_at, withdrawn_by, created_at)
VALUES ('consent', 'otter', 'voice-video', '2026-09-01', '2027-08-31', 'ana', 1790000118.5, 'ana', 1790000117.5);
INSERT INTO contacts (asker_id, asked_id, state, answered_at, created_at) VALUES ('ana', 'otter', 'refused', 1790000120.5, 1790000119.5);
INSERT INTO cases (id, space_id, person_id, report_id, ground, closed_at, created_at)
VALUES ('case', 'rivers', 'ana', 'report', 'A grave report.', NULL, 1790000121.5);
INSERT INTO mail_settings (person_id, digest, hour, quiet_from, quiet_until, leave_hash, last_at)
VALUES ('ana', 'daily', 17, '20:00', '07:00', 'b1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f00', 1790000122.5);
INSERT INTO proposals (id, space_id, kind, concerned_id, wish, because, state, asked_by, decided_by, decided_because, decided_at, created_at)
VALUES ('proposal', 'rivers', 'mute', 'member-otter', '{"minutes": 5}', 'Too loud.', 'accepted', 'member-ana', 'ana', 'So it is.', 1790000124.5, 1790000123.5);
INSERT INTO direct_messages (id, sender_id, recipient_id, key, body, read_at, created_at)
VALUES ('message', 'ana', 'otter', 'key-1', 'Olá!', NULL, 1790000125.5);
