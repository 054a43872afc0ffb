-- What one side of a match reported of the other. The evidence stands in `sealed` and is destroyed at
-- `erase_at`; the row without it stays. No reference to the match: a report may outlive it.
CREATE TABLE reports (
    id uuid PRIMARY KEY,
    match_id uuid NOT NULL,
    request_id uuid NOT NULL,
    neighbor_id uuid NOT NULL,
    volunteer_id uuid NOT NULL,
    reported_by text NOT NULL CHECK (reported_by IN ('neighbor', 'volunteer', 'coordinator')),
    about text NOT NULL CHECK (about IN ('neighbor', 'volunteer')),
    problem text NOT NULL,
    created_at timestamptz NOT NULL,
    closed_at timestamptz,
    closed_by uuid,
    erase_at timestamptz NOT NULL,
    sealed bytea,
    sealed_version integer NOT NULL,
    sealed_epoch integer REFERENCES key_epochs (epoch),
    UNIQUE (match_id, reported_by)
);
CREATE INDEX reports_page ON reports (created_at, id);
CREATE INDEX reports_evidence ON reports (erase_at) WHERE sealed IS NOT NULL;
CREATE INDEX reports_neighbor ON reports (neighbor_id);
CREATE INDEX reports_volunteer ON reports (volunteer_id);
