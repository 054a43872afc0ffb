-- Plans: who would help whom when there is not enough, made for all at once and applied pair by pair.
CREATE TABLE plans (
    id BLOB PRIMARY KEY NOT NULL,
    -- What it was made for; none: everything.
    category TEXT,
    area INTEGER,
    -- Whether no better one exists, and what none can be better than.
    exact INTEGER NOT NULL,
    bound INTEGER NOT NULL,
    figures TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by BLOB NOT NULL,
    -- When all its pairs were written; it is not applied before.
    ready_at INTEGER
) STRICT;
CREATE INDEX plans_page ON plans (created_at, id);
CREATE TABLE plan_pairs (
    id BLOB PRIMARY KEY NOT NULL,
    plan_id BLOB NOT NULL REFERENCES plans (id) ON DELETE CASCADE,
    request_id BLOB NOT NULL REFERENCES requests (id) ON DELETE CASCADE,
    offer_id BLOB NOT NULL REFERENCES offers (id) ON DELETE CASCADE,
    -- In which order they are applied.
    position INTEGER NOT NULL,
    request_version INTEGER NOT NULL,
    quantity INTEGER NOT NULL CHECK (quantity > 0),
    distance_m INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('planned', 'applied', 'skipped')),
    -- Why it was skipped; or which match came of it.
    reason TEXT,
    match_id BLOB,
    created_at INTEGER NOT NULL,
    CHECK ((state = 'skipped') = (reason IS NOT NULL)),
    CHECK ((state = 'applied') = (match_id IS NOT NULL))
) STRICT;
CREATE INDEX plan_pairs_next ON plan_pairs (plan_id, state, position);
CREATE INDEX plan_pairs_page ON plan_pairs (plan_id, created_at, id);
CREATE INDEX plan_pairs_request ON plan_pairs (request_id);
CREATE INDEX plan_pairs_offer ON plan_pairs (offer_id);
