-- Where what changes is told, one message an event. The address, the keys that sign and what is noted of it stand in
-- `sealed`. `place` is how far the change feed was read for it.
CREATE TABLE webhooks (
    id uuid PRIMARY KEY NOT NULL,
    types jsonb NOT NULL,
    disabled_at timestamptz,
    disabled_because text CHECK (disabled_because IN ('by_hand', 'gone', 'failing')),
    place jsonb NOT NULL,
    placed_at timestamptz NOT NULL,
    failures integer NOT NULL,
    failing_since timestamptz,
    last_failure text,
    last_failure_at timestamptz,
    last_success_at timestamptz,
    rest_until timestamptz,
    created_at timestamptz NOT NULL,
    created_by uuid NOT NULL,
    sealed bytea NOT NULL,
    sealed_version integer NOT NULL,
    sealed_epoch integer REFERENCES key_epochs (epoch),
    CHECK ((disabled_at IS NULL) = (disabled_because IS NULL))
);
-- What is told to a webhook waits among the letters: what has happened, to what, and when. Mail has no `event`, and is
-- looked for without those.
ALTER TABLE letters ADD COLUMN event text;
ALTER TABLE letters ADD COLUMN event_id uuid;
ALTER TABLE letters ADD COLUMN event_at timestamptz;
ALTER TABLE letters DROP CONSTRAINT letters_to_kind_check;
ALTER TABLE letters ADD CONSTRAINT letters_to_kind_check
    CHECK (to_kind IN ('neighbor', 'volunteer', 'coordinator', 'webhook'));
ALTER TABLE letters ADD CONSTRAINT letters_event_check
    CHECK ((to_kind = 'webhook') = (event IS NOT NULL) AND (event IS NULL) = (event_at IS NULL));
DROP INDEX letters_turn;
DROP INDEX letters_next;
CREATE INDEX letters_turn ON letters (state, unconfirmed, priority, due_at) WHERE event IS NULL;
CREATE INDEX letters_next ON letters (state, unconfirmed, lease_until, due_at) WHERE event IS NULL;
CREATE INDEX letters_events ON letters (to_id, state, due_at) WHERE event IS NOT NULL;
CREATE INDEX letters_told ON letters (settled_at) WHERE event IS NOT NULL;
