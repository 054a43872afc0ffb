-- Where what changes is told, one message an event. The address, the keys that sign and what is noted of it stand in
-- `sealed`. `place` is how far the change feed was read for it.
CREATE TABLE webhooks (
    id BLOB PRIMARY KEY NOT NULL,
    types TEXT NOT NULL CHECK (json_valid(types)),
    disabled_at INTEGER,
    disabled_because TEXT CHECK (disabled_because IN ('by_hand', 'gone', 'failing')),
    place TEXT NOT NULL CHECK (json_valid(place)),
    placed_at INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    failing_since INTEGER,
    last_failure TEXT,
    last_failure_at INTEGER,
    last_success_at INTEGER,
    rest_until INTEGER,
    created_at INTEGER NOT NULL,
    created_by BLOB NOT NULL,
    sealed BLOB NOT NULL,
    sealed_version INTEGER NOT NULL,
    sealed_epoch INTEGER REFERENCES key_epochs (epoch),
    CHECK ((disabled_at IS NULL) = (disabled_because IS NULL))
) STRICT;
-- What is told to a webhook waits among the letters: what has happened, to what, and when. Mail has no `event`, and is
-- looked for without those.
CREATE TABLE letters_new (
    id BLOB PRIMARY KEY NOT NULL,
    kind TEXT NOT NULL,
    to_kind TEXT NOT NULL CHECK (to_kind IN ('neighbor', 'volunteer', 'coordinator', 'webhook')),
    to_id BLOB NOT NULL,
    request_id BLOB,
    match_id BLOB,
    -- Smaller goes first.
    priority INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'sent', 'dropped', 'dead')),
    due_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL,
    lease_id BLOB,
    lease_until INTEGER,
    last_error TEXT,
    settled_at INTEGER,
    created_at INTEGER NOT NULL,
    unconfirmed INTEGER NOT NULL DEFAULT 0,
    retried_at INTEGER,
    event TEXT,
    event_id BLOB,
    event_at INTEGER,
    CHECK ((to_kind = 'webhook') = (event IS NOT NULL) AND (event IS NULL) = (event_at IS NULL)),
    CHECK ((state = 'queued') = (settled_at IS NULL))
) STRICT;
INSERT INTO letters_new (id, kind, to_kind, to_id, request_id, match_id, priority, state, due_at, attempts, lease_id,
    lease_until, last_error, settled_at, created_at, unconfirmed, retried_at)
SELECT id, kind, to_kind, to_id, request_id, match_id, priority, state, due_at, attempts, lease_id,
    lease_until, last_error, settled_at, created_at, unconfirmed, retried_at
FROM letters;
DROP TABLE letters;
ALTER TABLE letters_new RENAME TO letters;
CREATE INDEX letters_page ON letters (created_at, id);
CREATE INDEX letters_match ON letters (match_id) WHERE match_id IS NOT NULL;
CREATE INDEX letters_to ON letters (to_id);
CREATE INDEX letters_settled ON letters (settled_at) WHERE settled_at IS NOT NULL;
CREATE INDEX letters_request ON letters (request_id) WHERE request_id IS NOT NULL;
CREATE INDEX letters_waiting ON letters (created_at) WHERE settled_at IS NULL;
CREATE INDEX letters_turn ON letters (state, unconfirmed, priority, due_at) WHERE event IS NULL;
CREATE INDEX letters_next ON letters (state, unconfirmed, lease_until, due_at) WHERE event IS NULL;
CREATE INDEX letters_events ON letters (to_id, state, due_at) WHERE event IS NOT NULL;
CREATE INDEX letters_told ON letters (settled_at) WHERE event IS NOT NULL;
