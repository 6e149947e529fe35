"""What is in PostgreSQL's schema `log`: the tables, and the procedures that alone write to them.

Every procedure is one call of one round trip and commits before it answers. So no lock outlives the work of
the server's own process: a client that is frozen, or behind a cable that was pulled, holds nothing, not even
when its last packet (the protocol's Sync, with which a function's transaction would end) never arrives.

Locks are taken in one order: subjects, new documents, documents (each by key), the writer's own row.

Nodes of the old version still run while the first of the new one upgrades: a step leaves the procedures they
call as they are. What has to work differently gets another name.
"""

__all__ = ["FENCED", "STEPS"]

FENCED = "TW001"
"""SQLSTATE of a call that came after its writer had given it up."""

_TABLES = """
CREATE TABLE log.documents (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key bytea UNIQUE,                           -- SHA-256 of the name, which is too long for an index
    name text,                                  -- both NULL: deleted, its rows are being removed
    epoch integer NOT NULL,
    head_seq bigint NOT NULL DEFAULT 0,
    snapshot_seq bigint NOT NULL DEFAULT 0,
    pruned_seq bigint NOT NULL DEFAULT 0,       -- history up to here is gone
    tail_count bigint NOT NULL DEFAULT 0,
    tail_bytes bigint NOT NULL DEFAULT 0,
    quarantine text                             -- why compaction left this document alone
) WITH (fillfactor = 50);

CREATE TABLE log.subjects (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key bytea NOT NULL UNIQUE,
    subject text NOT NULL
);

CREATE TABLE log.updates (
    document bigint NOT NULL,
    seq bigint NOT NULL,
    at bigint NOT NULL,                         -- Unix milliseconds
    epoch integer NOT NULL,
    subject integer NOT NULL,
    crc integer NOT NULL,                       -- over the document's name, epoch, at, subject and body
    format smallint NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (document, seq)
);

CREATE TABLE log.snapshots (
    document bigint PRIMARY KEY,
    seq bigint NOT NULL,
    at bigint NOT NULL,
    epoch integer NOT NULL,
    crc integer NOT NULL,
    format smallint NOT NULL,
    body bytea NOT NULL
);

CREATE TABLE log.clients (
    document bigint NOT NULL,
    client bigint NOT NULL,
    subject integer NOT NULL,
    PRIMARY KEY (document, client)
);

CREATE TABLE log.markers (
    document bigint NOT NULL,
    marker text NOT NULL,
    at bigint NOT NULL,
    subject integer NOT NULL,
    PRIMARY KEY (document, marker)
);

CREATE TABLE log.writers (
    id bigint PRIMARY KEY,
    turn bigint NOT NULL,                       -- the last of its calls that took effect
    fence bigint NOT NULL,                      -- no call up to this one may take effect any more
    heads bigint[],                             -- what the last call answered
    refused bigint[],
    seen timestamptz NOT NULL
) WITH (fillfactor = 20);

CREATE TABLE log.leases (
    key bytea PRIMARY KEY,                      -- SHA-256 of what is to be done
    holder bigint NOT NULL,
    fence bigint NOT NULL,
    until timestamptz NOT NULL
);
CREATE SEQUENCE log.fences;
"""

_APPEND = """
CREATE PROCEDURE log.append(
    _writer bigint, _call bigint,
    _keys bytea[],              -- the documents in order of key; each array of one group is as long
    _names text[],
    _news boolean[],            -- perhaps there is no such document yet
    _firsts boolean[],          -- may be made: some entry is of the first epoch
    _epochs integer[],          -- what all its entries are of
    _counts bigint[],           -- how many entries, and how many bytes
    _sizes bigint[],
    _subject_keys bytea[], _subjects text[],
    _entry_document integer[],  -- the entries in order: which document, which of its entries, who
    _entry_place integer[],
    _entry_subject integer[],
    _entry_epoch integer[],     -- NULL unless the entries of a document differ
    _entry_at bigint[], _entry_crc integer[], _entry_body bytea[],
    _claim_entry integer[], _claim_client bigint[],
    _marker_entry integer[], _marker text[],
    INOUT _heads bigint[],      -- of each document: its head, the tail's updates and bytes before this call
    INOUT _tail_counts bigint[],
    INOUT _tail_sizes bigint[],
    INOUT _refused bigint[]     -- threes: entry, 1 and the epoch, 2 and the client, or 3 for a marker
) LANGUAGE plpgsql AS $$
DECLARE
    _who integer[];
    _found bytea[];
    _ids bigint[];
    _now integer[];
    _places integer[] := _entry_place;
    _ranks integer[];
    _claims integer := 1;
    _markers integer := 1;
    _from integer;
    _document integer;
    _owner integer;
    _taken bigint;
BEGIN
    FOR _attempt IN 1..2 LOOP
        SELECT array_agg(s.id ORDER BY w.place) INTO _who
        FROM unnest(_subject_keys) WITH ORDINALITY w(key, place) LEFT JOIN log.subjects s ON s.key = w.key;
        EXIT WHEN array_position(_who, NULL) IS NULL;
        INSERT INTO log.subjects (key, subject)
        SELECT w.key, w.subject FROM unnest(_subject_keys, _subjects) w(key, subject)
        WHERE NOT EXISTS (SELECT FROM log.subjects s WHERE s.key = w.key)
        ORDER BY w.key ON CONFLICT (key) DO NOTHING;
    END LOOP;

    FOR _attempt IN 1..5 LOOP
        IF true = ANY (_news) THEN
            INSERT INTO log.documents (key, name, epoch)
            SELECT w.key, w.name, 1 FROM unnest(_keys, _names, _news, _firsts) w(key, name, new, first)
            WHERE w.new AND w.first AND NOT EXISTS (SELECT FROM log.documents d WHERE d.key = w.key)
            ORDER BY w.key ON CONFLICT (key) DO NOTHING;
        END IF;
        SELECT array_agg(d.key), array_agg(d.id), array_agg(d.epoch), array_agg(d.head_seq),
            array_agg(d.tail_count), array_agg(d.tail_bytes)
        INTO _found, _ids, _now, _heads, _tail_counts, _tail_sizes
        FROM (
            SELECT id, key, epoch, head_seq, tail_count, tail_bytes FROM log.documents
            WHERE key = ANY (_keys) ORDER BY key FOR UPDATE
        ) d;
        EXIT WHEN _found = _keys;
        -- Some are not to be made; or somebody deleted one meanwhile, then once more.
        SELECT array_agg(f.id ORDER BY w.place), array_agg(f.epoch ORDER BY w.place),
            array_agg(coalesce(f.head, 0) ORDER BY w.place),
            array_agg(coalesce(f.count, 0) ORDER BY w.place),
            array_agg(coalesce(f.size, 0) ORDER BY w.place), array_agg(f.id IS NULL ORDER BY w.place)
        INTO _ids, _now, _heads, _tail_counts, _tail_sizes, _news
        FROM unnest(_keys) WITH ORDINALITY w(key, place)
        LEFT JOIN unnest(_found, _ids, _now, _heads, _tail_counts, _tail_sizes)
            f(key, id, epoch, head, count, size) ON f.key = w.key;
        EXIT WHEN NOT EXISTS (
            SELECT FROM unnest(_news, _firsts) w(missing, first) WHERE w.missing AND w.first);
    END LOOP;

    _refused := '{}';
    IF _entry_epoch IS NOT NULL OR _now IS DISTINCT FROM _epochs
        OR cardinality(_claim_entry) > 0 OR cardinality(_marker_entry) > 0
    THEN
        _ranks := array_fill(0, ARRAY[cardinality(_ids)]);
        <<entries>>
        FOR _entry IN 1..cardinality(_entry_document) LOOP
            _document := _entry_document[_entry];
            _places[_entry] := 0;
            _from := _claims;
            WHILE _claim_entry[_claims] = _entry LOOP
                _claims := _claims + 1;
            END LOOP;
            IF _now[_document] IS DISTINCT FROM coalesce(_entry_epoch[_entry], _epochs[_document]) THEN
                _refused := _refused || ARRAY[_entry, 1, coalesce(_now[_document], 1)]::bigint[];
                IF _marker_entry[_markers] = _entry THEN
                    _markers := _markers + 1;
                END IF;
                CONTINUE;
            END IF;
            IF _marker_entry[_markers] = _entry THEN
                _markers := _markers + 1;
                PERFORM FROM log.markers m
                WHERE m.document = _ids[_document] AND m.marker = _marker[_markers - 1];
                IF FOUND THEN
                    _refused := _refused || ARRAY[_entry, 3, 0]::bigint[];
                    CONTINUE;
                END IF;
            END IF;
            FOR _claim IN _from.._claims - 1 LOOP
                SELECT c.subject INTO _owner FROM log.clients c
                WHERE c.document = _ids[_document] AND c.client = _claim_client[_claim];
                IF _owner <> _who[_entry_subject[_entry]] THEN
                    _refused := _refused || ARRAY[_entry, 2, _claim_client[_claim]]::bigint[];
                    CONTINUE entries;
                END IF;
            END LOOP;
            FOR _claim IN _from.._claims - 1 LOOP
                INSERT INTO log.clients (document, client, subject)
                VALUES (_ids[_document], _claim_client[_claim], _who[_entry_subject[_entry]])
                ON CONFLICT (document, client) DO NOTHING;
            END LOOP;
            IF _marker_entry[_markers - 1] = _entry THEN
                INSERT INTO log.markers (document, marker, at, subject) VALUES (
                    _ids[_document], _marker[_markers - 1], _entry_at[_entry], _who[_entry_subject[_entry]]);
            END IF;
            _ranks[_document] := _ranks[_document] + 1;
            _places[_entry] := _ranks[_document];
        END LOOP;
        _counts := _ranks;
        IF cardinality(_refused) > 0 THEN
            SELECT array_agg(w.size ORDER BY w.document) INTO _sizes FROM (
                SELECT d.document, coalesce(sum(octet_length(e.body)), 0)::bigint AS size
                FROM generate_series(1, cardinality(_ids)) d(document)
                LEFT JOIN unnest(_entry_document, _places, _entry_body) e(document, place, body)
                ON e.document = d.document AND e.place > 0
                GROUP BY d.document
            ) w;
        END IF;
    END IF;

    INSERT INTO log.updates (document, seq, at, epoch, subject, crc, format, body)
    SELECT _ids[e.document], _heads[e.document] + e.place, e.at, _now[e.document], _who[e.subject],
        e.crc, 1, e.body
    FROM unnest(_entry_document, _places, _entry_subject, _entry_at, _entry_crc, _entry_body)
        e(document, place, subject, at, crc, body)
    WHERE e.place > 0;

    UPDATE log.documents d
    SET head_seq = d.head_seq + w.count, tail_count = d.tail_count + w.count,
        tail_bytes = d.tail_bytes + w.size
    FROM unnest(_ids, _counts, _sizes) w(id, count, size)
    WHERE d.id = w.id AND w.count > 0;

    UPDATE log.writers w
    SET turn = _call, fence = _call, heads = _heads, refused = _refused, seen = clock_timestamp()
    WHERE w.id = _writer AND w.fence < _call;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'call % of writer % comes too late', _call, _writer USING ERRCODE = 'TW001';
    END IF;
    COMMIT;
END $$;
"""

_WRITER = """
CREATE PROCEDURE log.delete(_writer bigint, _call bigint, _key bytea, INOUT _heads bigint[])
LANGUAGE plpgsql AS $$
BEGIN
    UPDATE log.documents d SET key = NULL, name = NULL WHERE d.key = _key;
    _heads := ARRAY[FOUND::integer];
    UPDATE log.writers w
    SET turn = _call, fence = _call, heads = _heads, refused = '{}', seen = clock_timestamp()
    WHERE w.id = _writer AND w.fence < _call;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'call % of writer % comes too late', _call, _writer USING ERRCODE = 'TW001';
    END IF;
    COMMIT;
END $$;

-- Whether the call took effect; if it did not, it never will. Always writes, so that its own commit proves
-- that whatever it saw has gone wherever commits have to go (a synchronous standby too).
CREATE PROCEDURE log.settle(
    _writer bigint, _call bigint, INOUT _turn bigint, INOUT _heads bigint[], INOUT _refused bigint[]
) LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO log.writers AS w (id, turn, fence, seen) VALUES (_writer, 0, _call, clock_timestamp())
    ON CONFLICT (id) DO UPDATE SET fence = greatest(w.fence, _call), seen = clock_timestamp()
    RETURNING w.turn, w.heads, w.refused INTO _turn, _heads, _refused;
    COMMIT;
END $$;

-- Writes about as much as a full group takes, where the groups are written, and takes it back.
CREATE PROCEDURE log.probe(_writer bigint, _rows integer) LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO log.updates (document, seq, at, epoch, subject, crc, format, body)
    SELECT -_writer, n, 0, 0, 0, 0, 0, decode(repeat('00', 1900), 'hex') FROM generate_series(1, _rows) n;
    DELETE FROM log.updates u WHERE u.document = -_writer;
    COMMIT;
END $$;

CREATE PROCEDURE log.leave(_writer bigint) LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM log.leases l WHERE l.holder = _writer;
    DELETE FROM log.writers w WHERE w.id = _writer;
    COMMIT;
END $$;
"""

_BACKGROUND = """
CREATE PROCEDURE log.take_lease(_key bytea, _holder bigint, _seconds float8, INOUT _fence bigint)
LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (SELECT FROM log.leases l WHERE l.key = _key AND l.until > clock_timestamp()) THEN
        COMMIT;
        RETURN;
    END IF;
    INSERT INTO log.leases AS l (key, holder, fence, until) VALUES (
        _key, _holder, nextval('log.fences'), clock_timestamp() + make_interval(secs => _seconds))
    ON CONFLICT (key) DO UPDATE SET holder = excluded.holder, fence = excluded.fence, until = excluded.until
    WHERE l.until < clock_timestamp()
    RETURNING l.fence INTO _fence;
    COMMIT;
END $$;

CREATE PROCEDURE log.give_lease_back(_key bytea, _fence bigint) LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM log.leases l WHERE l.key = _key AND l.fence = _fence;
    COMMIT;
END $$;

-- The document's row is locked last, so that appends wait for no snapshot on its way to the disk.
CREATE PROCEDURE log.swap(
    _lease bytea, _fence bigint, _document bigint, _expected bigint, _epoch integer, _through bigint,
    _at bigint, _crc integer, _body bytea, INOUT _done boolean
) LANGUAGE plpgsql AS $$
BEGIN
    _done := false;
    PERFORM FROM log.leases l
    WHERE l.key = _lease AND l.fence = _fence AND l.until > clock_timestamp() FOR UPDATE;
    IF NOT FOUND THEN
        COMMIT;
        RETURN;
    END IF;
    INSERT INTO log.snapshots AS s (document, seq, at, epoch, crc, format, body)
    VALUES (_document, _through, _at, _epoch, _crc, 1, _body)
    ON CONFLICT (document) DO UPDATE SET seq = excluded.seq, at = excluded.at, epoch = excluded.epoch,
        crc = excluded.crc, format = excluded.format, body = excluded.body;
    PERFORM FROM log.documents d
    WHERE d.id = _document AND d.key IS NOT NULL AND d.snapshot_seq = _expected AND d.epoch = _epoch
    FOR UPDATE;
    IF NOT FOUND THEN
        ROLLBACK;
        RETURN;
    END IF;
    UPDATE log.documents d SET snapshot_seq = _through, quarantine = NULL, (tail_count, tail_bytes) = (
        SELECT count(*), coalesce(sum(octet_length(u.body)), 0) FROM log.updates u
        WHERE u.document = _document AND u.seq > _through)
    WHERE d.id = _document;
    _done := true;
    COMMIT;
END $$;

CREATE PROCEDURE log.quarantine(_key bytea, _reason text) LANGUAGE plpgsql AS $$
BEGIN
    UPDATE log.documents d SET quarantine = _reason WHERE d.key = _key;
    COMMIT;
END $$;

CREATE PROCEDURE log.remove_deleted(_limit bigint, INOUT _found boolean) LANGUAGE plpgsql AS $$
DECLARE
    _document bigint;
    _gone bigint;
BEGIN
    SELECT d.id INTO _document FROM log.documents d WHERE d.key IS NULL
    ORDER BY d.id LIMIT 1 FOR UPDATE SKIP LOCKED;
    _found := FOUND;
    IF _found THEN
        DELETE FROM log.updates u WHERE u.document = _document AND u.seq IN (
            SELECT o.seq FROM log.updates o WHERE o.document = _document ORDER BY o.seq LIMIT _limit);
        GET DIAGNOSTICS _gone = ROW_COUNT;
        IF _gone < _limit THEN
            DELETE FROM log.snapshots s WHERE s.document = _document;
            DELETE FROM log.clients c WHERE c.document = _document;
            DELETE FROM log.markers m WHERE m.document = _document;
            DELETE FROM log.documents d WHERE d.id = _document;
        END IF;
    END IF;
    COMMIT;
END $$;

CREATE PROCEDURE log.prune_history(_document bigint, _before bigint, _limit bigint, INOUT _gone bigint)
LANGUAGE plpgsql AS $$
DECLARE
    _last bigint;
BEGIN
    SELECT max(o.seq) INTO _last FROM (
        SELECT u.seq, bool_and(u.at < _before) OVER (ORDER BY u.seq) AS old FROM log.updates u
        WHERE u.document = _document
            AND u.seq <= (SELECT d.snapshot_seq FROM log.documents d WHERE d.id = _document)
        ORDER BY u.seq LIMIT _limit
    ) o WHERE o.old;
    DELETE FROM log.updates u WHERE u.document = _document AND u.seq <= _last;
    GET DIAGNOSTICS _gone = ROW_COUNT;
    UPDATE log.documents d SET pruned_seq = greatest(d.pruned_seq, _last) WHERE d.id = _document;
    COMMIT;
END $$;

CREATE PROCEDURE log.tidy(_days float8) LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM log.writers w WHERE w.seen < clock_timestamp() - make_interval(secs => _days * 86400);
    DELETE FROM log.leases l WHERE l.until < clock_timestamp() - make_interval(secs => _days * 86400);
    COMMIT;
END $$;
"""

_APPEND_TO = """
-- What `append` does, in three statements, where nothing can be refused: entries of one document and one
-- epoch, by known people, that claim no client and carry no marker. Else it does nothing, and its heads are
-- NULL.
CREATE PROCEDURE log.append_to(
    _writer bigint, _call bigint, _key bytea, _epoch integer, _size bigint,
    _subject_keys bytea[], _ats bigint[], _crcs integer[], _bodies bytea[],    -- of each entry
    INOUT _heads bigint[], INOUT _tail_counts bigint[], INOUT _tail_sizes bigint[]     -- as of `append`
) LANGUAGE plpgsql AS $$
DECLARE
    _count bigint := cardinality(_bodies);
    _document bigint;
    _stored bigint;
BEGIN
    UPDATE log.documents d
    SET head_seq = d.head_seq + _count, tail_count = d.tail_count + _count, tail_bytes = d.tail_bytes + _size
    WHERE d.key = _key AND d.epoch = _epoch
    RETURNING d.id, ARRAY[d.head_seq - _count], ARRAY[d.tail_count - _count], ARRAY[d.tail_bytes - _size]
    INTO _document, _heads, _tail_counts, _tail_sizes;

    INSERT INTO log.updates (document, seq, at, epoch, subject, crc, format, body)
    SELECT _document, _heads[1] + e.place, e.at, _epoch, s.id, e.crc, 1, e.body
    FROM unnest(_subject_keys, _ats, _crcs, _bodies) WITH ORDINALITY e(subject_key, at, crc, body, place)
    JOIN log.subjects s ON s.key = e.subject_key
    WHERE _document IS NOT NULL;
    GET DIAGNOSTICS _stored = ROW_COUNT;
    IF _stored < _count THEN
        ROLLBACK;
        _heads := NULL;
        RETURN;
    END IF;

    UPDATE log.writers w
    SET turn = _call, fence = _call, heads = _heads, refused = '{}', seen = clock_timestamp()
    WHERE w.id = _writer AND w.fence < _call;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'call % of writer % comes too late', _call, _writer USING ERRCODE = 'TW001';
    END IF;
    COMMIT;
END $$;
"""

STEPS: tuple[tuple[str, ...], ...] = ((_TABLES, _APPEND, _WRITER, _BACKGROUND), (_APPEND_TO,))
"""Step n brings the schema from version n to n + 1. Steps are only ever added."""
