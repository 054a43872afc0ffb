-- An older version does not know what these are.
DELETE FROM tasks WHERE letter_id IN (SELECT id FROM letters WHERE to_kind = 'webhook');
DELETE FROM letters WHERE to_kind = 'webhook';
CREATE TABLE letters_new (
    id BLOB PRIMARY KEY NOT NULL,
    kind TEXT NOT NULL,
    to_kind TEXT NOT NULL CHECK (to_kind IN ('neighbor', 'volunteer', 'coordinator')),
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
CREATE INDEX letters_turn ON letters (state, unconfirmed, priority, due_at);
CREATE INDEX letters_next ON letters (state, unconfirmed, lease_until, due_at);
DROP TABLE webhooks;
