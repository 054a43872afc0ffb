-- What one side of a match reported of the other. The evidence stands in `sealed` and is destroyed at
-- `erase_at`; the row without it stays. No reference to the match: a report may outlive it.
CREATE TABLE reports (
    id BLOB PRIMARY KEY NOT NULL,
    match_id BLOB NOT NULL,
    request_id BLOB NOT NULL,
    neighbor_id BLOB NOT NULL,
    volunteer_id BLOB NOT NULL,
    reported_by TEXT NOT NULL CHECK (reported_by IN ('neighbor', 'volunteer', 'coordinator')),
    about TEXT NOT NULL CHECK (about IN ('neighbor', 'volunteer')),
    problem TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    closed_at INTEGER,
    closed_by BLOB,
    erase_at INTEGER NOT NULL,
    sealed BLOB,
    sealed_version INTEGER NOT NULL,
    sealed_epoch INTEGER REFERENCES key_epochs (epoch),
    UNIQUE (match_id, reported_by)
) STRICT;
CREATE INDEX reports_page ON reports (created_at, id);
CREATE INDEX reports_evidence ON reports (erase_at) WHERE sealed IS NOT NULL;
CREATE INDEX reports_neighbor ON reports (neighbor_id);
CREATE INDEX reports_volunteer ON reports (volunteer_id);
