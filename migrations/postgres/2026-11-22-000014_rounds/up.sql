-- What the last round of matching for a request saw, for coordinators; and when all of it was first promised.
CREATE TABLE rounds (
    request_id uuid PRIMARY KEY REFERENCES requests (id),
    seen jsonb,
    covered_at timestamptz
);
CREATE INDEX rounds_covered ON rounds (covered_at) WHERE covered_at IS NOT NULL;
-- One look at a request is enough.
CREATE UNIQUE INDEX tasks_one_look ON tasks (request_id) WHERE kind = 'look' AND done_at IS NULL;
CREATE INDEX tasks_request ON tasks (request_id) WHERE request_id IS NOT NULL;
-- What happened within some days, for the statistics.
CREATE INDEX requests_ended ON requests (close_reason, closed_at) WHERE close_reason IS NOT NULL;
CREATE INDEX matches_asked ON matches (asked_at) WHERE asked_at IS NOT NULL;
