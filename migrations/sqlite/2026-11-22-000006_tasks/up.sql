-- What a person must do by a time.
CREATE TABLE tasks (
    id BLOB PRIMARY KEY NOT NULL,
    kind TEXT NOT NULL,
    request_id BLOB,
    neighbor_id BLOB,
    created_at INTEGER NOT NULL,
    due_at INTEGER NOT NULL,
    claimed_by BLOB,
    claimed_at INTEGER,
    done_at INTEGER,
    done_by BLOB,
    outcome TEXT,
    CHECK ((done_at IS NULL) = (outcome IS NULL)),
    CHECK ((claimed_at IS NULL) = (claimed_by IS NULL))
) STRICT;
-- One call is enough, however many requests wait for it.
CREATE UNIQUE INDEX tasks_one_call ON tasks (neighbor_id) WHERE kind = 'call' AND done_at IS NULL;
CREATE INDEX tasks_page ON tasks (created_at, id);
