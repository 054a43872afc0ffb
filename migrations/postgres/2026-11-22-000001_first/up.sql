-- Instants are in UTC and cut to microseconds, ids 16 random bytes, hashes 32 bytes, cells H3 numbers.
-- No column of any table holds a name, a contact, a private exact point, free text or a usable token
-- in clear: what says who, how to reach, exactly where, or free text stands in `sealed`.

CREATE TABLE meta (
    key text PRIMARY KEY,
    value bytea NOT NULL
);

CREATE TABLE coordinators (
    id uuid PRIMARY KEY,
    scope text NOT NULL CHECK (scope IN ('intake', 'coordinator', 'admin')),
    created_at timestamptz NOT NULL,
    revoked_at timestamptz,
    group_id uuid,
    sealed bytea NOT NULL,
    sealed_version integer NOT NULL,
    sealed_epoch integer NOT NULL
);

CREATE TABLE neighbors (
    id uuid PRIMARY KEY,
    cell bigint NOT NULL,
    email_hash bytea,
    phone_hash bytea,
    verified text NOT NULL,
    languages jsonb NOT NULL,
    locale text NOT NULL,
    agree_first boolean NOT NULL,
    entered_by uuid REFERENCES coordinators (id),
    mail_stopped_at timestamptz,
    erased_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    group_id uuid,
    sealed bytea,
    sealed_version integer NOT NULL,
    sealed_epoch integer NOT NULL,
    CHECK ((sealed IS NULL) = (erased_at IS NOT NULL))
);
CREATE INDEX neighbors_email ON neighbors (email_hash) WHERE email_hash IS NOT NULL;
CREATE INDEX neighbors_phone ON neighbors (phone_hash) WHERE phone_hash IS NOT NULL;

CREATE TABLE requests (
    id uuid PRIMARY KEY,
    neighbor_id uuid NOT NULL REFERENCES neighbors (id),
    series_id uuid,
    category text NOT NULL,
    quantity integer NOT NULL,
    covered integer NOT NULL,
    splittable boolean NOT NULL,
    max_helpers integer NOT NULL CHECK (max_helpers >= 1),
    urgency text NOT NULL CHECK (urgency IN ('now', 'today', 'soon')),
    travel_m integer NOT NULL CHECK (travel_m >= 0),
    handover text NOT NULL CHECK (handover IN ('door', 'home', 'pickup', 'meet')),
    language_must boolean NOT NULL,
    needed_from timestamptz NOT NULL,
    needed_until timestamptz NOT NULL,
    requires jsonb NOT NULL,
    cell bigint NOT NULL,
    state text NOT NULL CHECK (state IN ('open', 'covered', 'held', 'closed')),
    held_by text CHECK (held_by IN ('neighbor', 'coordinator')),
    close_reason text,
    closed_at timestamptz,
    attention text,
    -- Counts material changes: a pair that was declined may be proposed again after one.
    version integer NOT NULL,
    wave integer NOT NULL,
    next_wave_at timestamptz,
    match_due_at timestamptz,
    lease_id uuid,
    lease_until timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    sealed bytea,
    sealed_version integer NOT NULL,
    sealed_epoch integer NOT NULL,
    CHECK (quantity >= 1),
    CHECK (0 <= covered AND covered <= quantity),
    CHECK (needed_from < needed_until),
    CHECK ((state = 'held') = (held_by IS NOT NULL)),
    CHECK ((state = 'closed') = (closed_at IS NOT NULL)),
    CHECK ((state = 'closed') = (close_reason IS NOT NULL))
);
CREATE INDEX requests_neighbor ON requests (neighbor_id);
CREATE INDEX requests_page ON requests (created_at, id);
CREATE INDEX requests_due ON requests (match_due_at) WHERE match_due_at IS NOT NULL;
-- What still holds secrets after its end, for their erasure.
CREATE INDEX requests_closed ON requests (closed_at) WHERE closed_at IS NOT NULL AND sealed IS NOT NULL;
CREATE INDEX requests_live ON requests (needed_until) WHERE state <> 'closed';

CREATE TABLE volunteers (
    id uuid PRIMARY KEY,
    email_hash bytea,
    phone_hash bytea,
    confirmed_at timestamptz,
    vetted_until timestamptz,
    blocked_at timestamptz,
    paused_at timestamptz,
    mail_stopped_at timestamptz,
    erased_at timestamptz,
    last_asked_at timestamptz,
    languages jsonb NOT NULL,
    locale text NOT NULL,
    limits jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    group_id uuid,
    sealed bytea,
    sealed_version integer NOT NULL,
    sealed_epoch integer NOT NULL,
    CHECK ((sealed IS NULL) = (erased_at IS NOT NULL))
);
-- One confirmed record an address: a second post joins it when it is confirmed.
CREATE UNIQUE INDEX volunteers_email ON volunteers (email_hash) WHERE confirmed_at IS NOT NULL AND erased_at IS NULL;
CREATE INDEX volunteers_unconfirmed ON volunteers (created_at) WHERE confirmed_at IS NULL;
CREATE INDEX volunteers_page ON volunteers (created_at, id);

CREATE TABLE offers (
    id uuid PRIMARY KEY,
    volunteer_id uuid NOT NULL REFERENCES volunteers (id),
    category text NOT NULL,
    capacity integer NOT NULL CHECK (capacity >= 1),
    renews text NOT NULL CHECK (renews IN ('none', 'daily', 'weekly')),
    reach_m integer NOT NULL CHECK (reach_m >= 0),
    available_from timestamptz,
    available_until timestamptz,
    opening_hours text,
    timezone text NOT NULL,
    provides jsonb NOT NULL,
    is_site boolean NOT NULL,
    cell bigint NOT NULL,
    state text NOT NULL CHECK (state IN ('unconfirmed', 'open', 'paused', 'closed')),
    closed_at timestamptz,
    expires_at timestamptz NOT NULL,
    match_due_at timestamptz,
    lease_id uuid,
    lease_until timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    sealed bytea,
    sealed_version integer NOT NULL,
    sealed_epoch integer NOT NULL,
    CHECK (available_from IS NULL OR available_until IS NULL OR available_from < available_until),
    CHECK ((state = 'closed') = (closed_at IS NOT NULL))
);
CREATE INDEX offers_volunteer ON offers (volunteer_id);
CREATE INDEX offers_page ON offers (created_at, id);
CREATE INDEX offers_due ON offers (match_due_at) WHERE match_due_at IS NOT NULL;
CREATE INDEX offers_closed ON offers (closed_at) WHERE closed_at IS NOT NULL AND sealed IS NOT NULL;
CREATE INDEX offers_expiring ON offers (expires_at) WHERE state <> 'closed';

-- What is free of an offer in one period. A period without a row is wholly free.
CREATE TABLE offer_capacity (
    offer_id uuid NOT NULL REFERENCES offers (id),
    period_start timestamptz NOT NULL,
    capacity integer NOT NULL,
    taken integer NOT NULL,
    PRIMARY KEY (offer_id, period_start),
    CHECK (0 <= taken AND taken <= capacity)
);

-- The public face of an offer, written when a coordinator has checked it.
CREATE TABLE sites (
    offer_id uuid PRIMARY KEY REFERENCES offers (id),
    title text NOT NULL,
    address text NOT NULL,
    lat double precision NOT NULL,
    lon double precision NOT NULL,
    walk_in boolean NOT NULL,
    listed_at timestamptz NOT NULL
);

CREATE TABLE matches (
    id uuid PRIMARY KEY,
    request_id uuid NOT NULL REFERENCES requests (id),
    offer_id uuid NOT NULL REFERENCES offers (id),
    quantity integer NOT NULL CHECK (quantity >= 1),
    -- What of the offer's capacity and the request's cover this match holds.
    taken integer NOT NULL CHECK (taken >= 0),
    period_start timestamptz NOT NULL,
    state text NOT NULL CHECK (state IN ('proposed', 'notified', 'accepted', 'fulfilled', 'declined', 'lapsed', 'vetoed', 'superseded', 'fell_through')),
    decline_reason text,
    fall_reason text,
    agreement text NOT NULL CHECK (agreement IN ('none', 'pending', 'agreed', 'refused')),
    agree_by timestamptz,
    band text NOT NULL,
    score double precision NOT NULL,
    parts jsonb NOT NULL,
    wave integer NOT NULL,
    request_version integer NOT NULL,
    by_hand boolean NOT NULL,
    -- The ask: its letter leaves by max_wait or the ask does not count; the answer is due by respond_by.
    max_wait_at timestamptz,
    asked_at timestamptz,
    respond_by timestamptz,
    answered_at timestamptz,
    arrival_at timestamptz,
    released_at timestamptz,
    done_by text CHECK (done_by IN ('neighbor', 'volunteer', 'coordinator')),
    ended_at timestamptz,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CHECK (taken <= quantity),
    CHECK ((taken > 0) = (state IN ('accepted', 'fulfilled'))),
    CHECK (released_at IS NULL OR state NOT IN ('proposed', 'notified', 'vetoed', 'superseded'))
);
CREATE UNIQUE INDEX matches_one_active ON matches (request_id, offer_id) WHERE state IN ('proposed', 'notified', 'accepted');
CREATE INDEX matches_request ON matches (request_id);
CREATE INDEX matches_offer ON matches (offer_id);
CREATE INDEX matches_page ON matches (created_at, id);
CREATE INDEX matches_respond ON matches (respond_by) WHERE state = 'notified' AND respond_by IS NOT NULL;
CREATE INDEX matches_unasked ON matches (max_wait_at) WHERE state = 'notified' AND asked_at IS NULL;
CREATE INDEX matches_agree ON matches (agree_by) WHERE state = 'accepted' AND agreement = 'pending';

-- Pairs of people never to be proposed again, as keyed hashes that outlive both.
CREATE TABLE blocks (
    pair_hash bytea PRIMARY KEY,
    created_at timestamptz NOT NULL
);

CREATE TABLE letters (
    id uuid PRIMARY KEY,
    kind text NOT NULL,
    to_kind text NOT NULL CHECK (to_kind IN ('neighbor', 'volunteer', 'coordinator')),
    to_id uuid NOT NULL,
    request_id uuid,
    match_id uuid,
    -- Smaller goes first.
    priority integer NOT NULL,
    state text NOT NULL CHECK (state IN ('queued', 'sent', 'dropped', 'dead')),
    due_at timestamptz NOT NULL,
    attempts integer NOT NULL,
    lease_id uuid,
    lease_until timestamptz,
    last_error text,
    settled_at timestamptz,
    created_at timestamptz NOT NULL,
    CHECK ((state = 'queued') = (settled_at IS NULL))
);
CREATE INDEX letters_due ON letters (due_at, priority) WHERE state = 'queued';
CREATE INDEX letters_page ON letters (created_at, id);
CREATE INDEX letters_match ON letters (match_id) WHERE match_id IS NOT NULL;

CREATE TABLE tokens (
    hash bytea PRIMARY KEY,
    purpose text NOT NULL,
    subject_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz
);
CREATE INDEX tokens_subject ON tokens (subject_id);

-- The change feed: what every instance's index must look at again.
CREATE TABLE changes (
    seq bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    entity text NOT NULL CHECK (entity IN ('request', 'offer')),
    entity_id uuid NOT NULL,
    at timestamptz NOT NULL
);

CREATE TABLE audit (
    seq bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL,
    actor text NOT NULL CHECK (actor IN ('system', 'anyone', 'neighbor', 'volunteer', 'coordinator', 'operator')),
    actor_id uuid,
    action text NOT NULL,
    subject text NOT NULL,
    subject_id uuid NOT NULL,
    detail jsonb NOT NULL
);
CREATE INDEX audit_subject ON audit (subject_id);
CREATE INDEX audit_actor ON audit (actor_id, at) WHERE actor_id IS NOT NULL;

CREATE TABLE idempotency (
    key_hash bytea PRIMARY KEY,
    body_hash bytea NOT NULL,
    subject_id uuid NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX idempotency_age ON idempotency (created_at);
