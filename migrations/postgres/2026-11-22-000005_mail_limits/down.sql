ALTER TABLE tokens DROP COLUMN address_hash;
DROP TABLE departures;
DROP INDEX letters_to;
DROP INDEX letters_next;
DROP INDEX letters_turn;
ALTER TABLE letters DROP COLUMN unconfirmed;
CREATE INDEX letters_due ON letters (due_at, priority) WHERE state = 'queued';
