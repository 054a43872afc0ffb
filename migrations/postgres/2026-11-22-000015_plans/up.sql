-- Plans: who would help whom when there is not enough, made for all at once and applied pair by pair.
CREATE TABLE plans (
    id uuid PRIMARY KEY,
    -- What it was made for; none: everything.
    category text,
    area bigint,
    -- Whether no better one exists, and what none can be better than.
    exact boolean NOT NULL,
    bound bigint NOT NULL,
    figures jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    created_by uuid NOT NULL,
    -- When all its pairs were written; it is not applied before.
    ready_at timestamptz
);
CREATE INDEX plans_page ON plans (created_at, id);
CREATE TABLE plan_pairs (
    id uuid PRIMARY KEY,
    plan_id uuid NOT NULL REFERENCES plans (id) ON DELETE CASCADE,
    request_id uuid NOT NULL REFERENCES requests (id) ON DELETE CASCADE,
    offer_id uuid NOT NULL REFERENCES offers (id) ON DELETE CASCADE,
    -- In which order they are applied.
    position integer NOT NULL,
    request_version integer NOT NULL,
    quantity integer NOT NULL CHECK (quantity > 0),
    distance_m bigint NOT NULL,
    state text NOT NULL CHECK (state IN ('planned', 'applied', 'skipped')),
    -- Why it was skipped; or which match came of it.
    reason text,
    match_id uuid,
    created_at timestamptz NOT NULL,
    CHECK ((state = 'skipped') = (reason IS NOT NULL)),
    CHECK ((state = 'applied') = (match_id IS NOT NULL))
);
CREATE INDEX plan_pairs_next ON plan_pairs (plan_id, state, position);
CREATE INDEX plan_pairs_page ON plan_pairs (plan_id, created_at, id);
CREATE INDEX plan_pairs_request ON plan_pairs (request_id);
CREATE INDEX plan_pairs_offer ON plan_pairs (offer_id);
