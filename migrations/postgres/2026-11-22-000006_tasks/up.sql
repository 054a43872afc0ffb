-- What a person must do by a time.
CREATE TABLE tasks (
    id uuid PRIMARY KEY,
    kind text NOT NULL,
    request_id uuid,
    neighbor_id uuid,
    created_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    claimed_by uuid,
    claimed_at timestamptz,
    done_at timestamptz,
    done_by uuid,
    outcome text,
    CHECK ((done_at IS NULL) = (outcome IS NULL)),
    CHECK ((claimed_at IS NULL) = (claimed_by IS NULL))
);
-- One call is enough, however many requests wait for it.
CREATE UNIQUE INDEX tasks_one_call ON tasks (neighbor_id) WHERE kind = 'call' AND done_at IS NULL;
CREATE INDEX tasks_page ON tasks (created_at, id);
