-- Letters to addresses whose owners have not used a link of one yet wait in a line of their own.
ALTER TABLE letters ADD COLUMN unconfirmed boolean NOT NULL DEFAULT false;
UPDATE letters SET unconfirmed = true
WHERE state = 'queued'
    AND (kind = 'confirm' OR to_id IN (SELECT id FROM neighbors WHERE verified = 'none'));
DROP INDEX letters_due;
-- Whose turn it is, and when the next one is due. The state is no condition of the indexes: it comes as a parameter,
-- with which an index that has one is not used.
CREATE INDEX letters_turn ON letters (state, unconfirmed, priority, due_at);
CREATE INDEX letters_next ON letters (state, unconfirmed, lease_until, due_at);
CREATE INDEX letters_to ON letters (to_id);

-- What went to the mail server within the last hour; older rows are deleted.
CREATE TABLE departures (
    letter_id uuid PRIMARY KEY,
    at timestamptz NOT NULL,
    -- The keyed hash of the address, where its owner has not used a link of a letter yet.
    address_hash bytea
);
CREATE INDEX departures_at ON departures (at);
CREATE INDEX departures_address ON departures (address_hash, at) WHERE address_hash IS NOT NULL;

-- The keyed hash of the address that a manage token was sent to: using it proves the address.
ALTER TABLE tokens ADD COLUMN address_hash bytea;
