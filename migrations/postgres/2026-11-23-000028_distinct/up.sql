-- Requests that look alike and that a coordinator knows to be two: each pair stands both ways round.
CREATE TABLE distinct_requests (
    request_id uuid NOT NULL REFERENCES requests (id) ON DELETE CASCADE,
    other_id uuid NOT NULL REFERENCES requests (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (request_id, other_id),
    CHECK (request_id <> other_id)
);
CREATE INDEX distinct_requests_other ON distinct_requests (other_id);
-- The list of neighbors, and of the blocked ones among them.
CREATE INDEX neighbors_page ON neighbors (created_at, id);
CREATE INDEX neighbors_blocked ON neighbors (created_at, id) WHERE blocked_at IS NOT NULL;
