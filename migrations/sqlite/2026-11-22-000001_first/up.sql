-- Instants are microseconds since 1970 in UTC, ids 16 random bytes, hashes 32 bytes, cells H3 numbers.
-- No column of any table holds a name, a contact, a private exact point, free text or a usable token
-- in clear: what says who, how to reach, exactly where, or free text stands in `sealed`.

CREATE TABLE meta (
    key TEXT PRIMARY KEY NOT NULL,
    value BLOB NOT NULL
) STRICT;

CREATE TABLE coordinators (
    id BLOB PRIMARY KEY NOT NULL,
    scope TEXT NOT NULL CHECK (scope IN ('intake', 'coordinator', 'admin')),
    created_at INTEGER NOT NULL,
    revoked_at INTEGER,
    group_id BLOB,
    sealed BLOB NOT NULL,
    sealed_version INTEGER NOT NULL,
    sealed_epoch INTEGER NOT NULL
) STRICT;

CREATE TABLE neighbors (
    id BLOB PRIMARY KEY NOT NULL,
    cell INTEGER NOT NULL,
    email_hash BLOB,
    phone_hash BLOB,
    verified TEXT NOT NULL,
    languages TEXT NOT NULL CHECK (json_valid(languages)),
    locale TEXT NOT NULL,
    agree_first INTEGER NOT NULL,
    entered_by BLOB REFERENCES coordinators (id),
    mail_stopped_at INTEGER,
    erased_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    group_id BLOB,
    sealed BLOB,
    sealed_version INTEGER NOT NULL,
    sealed_epoch INTEGER NOT NULL,
    CHECK ((sealed IS NULL) = (erased_at IS NOT NULL))
) STRICT;
CREATE INDEX neighbors_email ON neighbors (email_hash) WHERE email_hash IS NOT NULL;
CREATE INDEX neighbors_phone ON neighbors (phone_hash) WHERE phone_hash IS NOT NULL;

CREATE TABLE requests (
    id BLOB PRIMARY KEY NOT NULL,
    neighbor_id BLOB NOT NULL REFERENCES neighbors (id),
    series_id BLOB,
    category TEXT NOT NULL,
    quantity INTEGER NOT NULL,
    covered INTEGER NOT NULL,
    splittable INTEGER NOT NULL,
    max_helpers INTEGER NOT NULL CHECK (max_helpers >= 1),
    urgency TEXT NOT NULL CHECK (urgency IN ('now', 'today', 'soon')),
    travel_m INTEGER NOT NULL CHECK (travel_m >= 0),
    handover TEXT NOT NULL CHECK (handover IN ('door', 'home', 'pickup', 'meet')),
    language_must INTEGER NOT NULL,
    needed_from INTEGER NOT NULL,
    needed_until INTEGER NOT NULL,
    requires TEXT NOT NULL CHECK (json_valid(requires)),
    cell INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('open', 'covered', 'held', 'closed')),
    held_by TEXT CHECK (held_by IN ('neighbor', 'coordinator')),
    close_reason TEXT,
    closed_at INTEGER,
    attention TEXT,
    -- Counts material changes: a pair that was declined may be proposed again after one.
    version INTEGER NOT NULL,
    wave INTEGER NOT NULL,
    next_wave_at INTEGER,
    match_due_at INTEGER,
    lease_id BLOB,
    lease_until INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    sealed BLOB,
    sealed_version INTEGER NOT NULL,
    sealed_epoch INTEGER NOT NULL,
    CHECK (quantity >= 1),
    CHECK (0 <= covered AND covered <= quantity),
    CHECK (needed_from < needed_until),
    CHECK ((state = 'held') = (held_by IS NOT NULL)),
    CHECK ((state = 'closed') = (closed_at IS NOT NULL)),
    CHECK ((state = 'closed') = (close_reason IS NOT NULL))
) STRICT;
CREATE INDEX requests_neighbor ON requests (neighbor_id);
CREATE INDEX requests_page ON requests (created_at, id);
CREATE INDEX requests_due ON requests (match_due_at) WHERE match_due_at IS NOT NULL;
-- What still holds secrets after its end, for their erasure.
CREATE INDEX requests_closed ON requests (closed_at) WHERE closed_at IS NOT NULL AND sealed IS NOT NULL;
CREATE INDEX requests_live ON requests (needed_until) WHERE state <> 'closed';

CREATE TABLE volunteers (
    id BLOB PRIMARY KEY NOT NULL,
    email_hash BLOB,
    phone_hash BLOB,
    confirmed_at INTEGER,
    vetted_until INTEGER,
    blocked_at INTEGER,
    paused_at INTEGER,
    mail_stopped_at INTEGER,
    erased_at INTEGER,
    last_asked_at INTEGER,
    languages TEXT NOT NULL CHECK (json_valid(languages)),
    locale TEXT NOT NULL,
    limits TEXT NOT NULL CHECK (json_valid(limits)),
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    group_id BLOB,
    sealed BLOB,
    sealed_version INTEGER NOT NULL,
    sealed_epoch INTEGER NOT NULL,
    CHECK ((sealed IS NULL) = (erased_at IS NOT NULL))
) STRICT;
-- One confirmed record an address: a second post joins it when it is confirmed.
CREATE UNIQUE INDEX volunteers_email ON volunteers (email_hash) WHERE confirmed_at IS NOT NULL AND erased_at IS NULL;
CREATE INDEX volunteers_unconfirmed ON volunteers (created_at) WHERE confirmed_at IS NULL;
CREATE INDEX volunteers_page ON volunteers (created_at, id);

CREATE TABLE offers (
    id BLOB PRIMARY KEY NOT NULL,
    volunteer_id BLOB NOT NULL REFERENCES volunteers (id),
    category TEXT NOT NULL,
    capacity INTEGER NOT NULL CHECK (capacity >= 1),
    renews TEXT NOT NULL CHECK (renews IN ('none', 'daily', 'weekly')),
    reach_m INTEGER NOT NULL CHECK (reach_m >= 0),
    available_from INTEGER,
    available_until INTEGER,
    opening_hours TEXT,
    timezone TEXT NOT NULL,
    provides TEXT NOT NULL CHECK (json_valid(provides)),
    is_site INTEGER NOT NULL,
    cell INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('unconfirmed', 'open', 'paused', 'closed')),
    closed_at INTEGER,
    expires_at INTEGER NOT NULL,
    match_due_at INTEGER,
    lease_id BLOB,
    lease_until INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    sealed BLOB,
    sealed_version INTEGER NOT NULL,
    sealed_epoch INTEGER NOT NULL,
    CHECK (available_from IS NULL OR available_until IS NULL OR available_from < available_until),
    CHECK ((state = 'closed') = (closed_at IS NOT NULL))
) STRICT;
CREATE INDEX offers_volunteer ON offers (volunteer_id);
CREATE INDEX offers_page ON offers (created_at, id);
CREATE INDEX offers_due ON offers (match_due_at) WHERE match_due_at IS NOT NULL;
CREATE INDEX offers_closed ON offers (closed_at) WHERE closed_at IS NOT NULL AND sealed IS NOT NULL;
CREATE INDEX offers_expiring ON offers (expires_at) WHERE state <> 'closed';

-- What is free of an offer in one period. A period without a row is wholly free.
CREATE TABLE offer_capacity (
    offer_id BLOB NOT NULL REFERENCES offers (id),
    period_start INTEGER NOT NULL,
    capacity INTEGER NOT NULL,
    taken INTEGER NOT NULL,
    PRIMARY KEY (offer_id, period_start),
    CHECK (0 <= taken AND taken <= capacity)
) STRICT, WITHOUT ROWID;

-- The public face of an offer, written when a coordinator has checked it.
CREATE TABLE sites (
    offer_id BLOB PRIMARY KEY NOT NULL REFERENCES offers (id),
    title TEXT NOT NULL,
    address TEXT NOT NULL,
    lat REAL NOT NULL,
    lon REAL NOT NULL,
    walk_in INTEGER NOT NULL,
    listed_at INTEGER NOT NULL
) STRICT;

CREATE TABLE matches (
    id BLOB PRIMARY KEY NOT NULL,
    request_id BLOB NOT NULL REFERENCES requests (id),
    offer_id BLOB NOT NULL REFERENCES offers (id),
    quantity INTEGER NOT NULL CHECK (quantity >= 1),
    -- What of the offer's capacity and the request's cover this match holds.
    taken INTEGER NOT NULL CHECK (taken >= 0),
    period_start INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('proposed', 'notified', 'accepted', 'fulfilled', 'declined', 'lapsed', 'vetoed', 'superseded', 'fell_through')),
    decline_reason TEXT,
    fall_reason TEXT,
    agreement TEXT NOT NULL CHECK (agreement IN ('none', 'pending', 'agreed', 'refused')),
    agree_by INTEGER,
    band TEXT NOT NULL,
    score REAL NOT NULL,
    parts TEXT NOT NULL CHECK (json_valid(parts)),
    wave INTEGER NOT NULL,
    request_version INTEGER NOT NULL,
    by_hand INTEGER NOT NULL,
    -- The ask: its letter leaves by max_wait or the ask does not count; the answer is due by respond_by.
    max_wait_at INTEGER,
    asked_at INTEGER,
    respond_by INTEGER,
    answered_at INTEGER,
    arrival_at INTEGER,
    released_at INTEGER,
    done_by TEXT CHECK (done_by IN ('neighbor', 'volunteer', 'coordinator')),
    ended_at INTEGER,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    CHECK (taken <= quantity),
    CHECK ((taken > 0) = (state IN ('accepted', 'fulfilled'))),
    CHECK (released_at IS NULL OR state NOT IN ('proposed', 'notified', 'vetoed', 'superseded'))
) STRICT;
CREATE UNIQUE INDEX matches_one_active ON matches (request_id, offer_id) WHERE state IN ('proposed', 'notified', 'accepted');
CREATE INDEX matches_request ON matches (request_id);
CREATE INDEX matches_offer ON matches (offer_id);
CREATE INDEX matches_page ON matches (created_at, id);
CREATE INDEX matches_respond ON matches (respond_by) WHERE state = 'notified' AND respond_by IS NOT NULL;
CREATE INDEX matches_unasked ON matches (max_wait_at) WHERE state = 'notified' AND asked_at IS NULL;
CREATE INDEX matches_agree ON matches (agree_by) WHERE state = 'accepted' AND agreement = 'pending';

-- Pairs of people never to be proposed again, as keyed hashes that outlive both.
CREATE TABLE blocks (
    pair_hash BLOB PRIMARY KEY NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE letters (
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
    CHECK ((state = 'queued') = (settled_at IS NULL))
) STRICT;
CREATE INDEX letters_due ON letters (due_at, priority) WHERE state = 'queued';
CREATE INDEX letters_page ON letters (created_at, id);
CREATE INDEX letters_match ON letters (match_id) WHERE match_id IS NOT NULL;

CREATE TABLE tokens (
    hash BLOB PRIMARY KEY NOT NULL,
    purpose TEXT NOT NULL,
    subject_id BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER
) STRICT;
CREATE INDEX tokens_subject ON tokens (subject_id);

-- The change feed: what every instance's index must look at again.
CREATE TABLE changes (
    seq INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    entity TEXT NOT NULL CHECK (entity IN ('request', 'offer')),
    entity_id BLOB NOT NULL,
    at INTEGER NOT NULL
) STRICT;

CREATE TABLE audit (
    seq INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL CHECK (actor IN ('system', 'anyone', 'neighbor', 'volunteer', 'coordinator', 'operator')),
    actor_id BLOB,
    action TEXT NOT NULL,
    subject TEXT NOT NULL,
    subject_id BLOB NOT NULL,
    detail TEXT NOT NULL CHECK (json_valid(detail))
) STRICT;
CREATE INDEX audit_subject ON audit (subject_id);
CREATE INDEX audit_actor ON audit (actor_id, at) WHERE actor_id IS NOT NULL;

CREATE TABLE idempotency (
    key_hash BLOB PRIMARY KEY NOT NULL,
    body_hash BLOB NOT NULL,
    subject_id BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE INDEX idempotency_age ON idempotency (created_at);
