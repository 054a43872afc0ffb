-- An older version does not know what these are.
DELETE FROM tasks WHERE letter_id IN (SELECT id FROM letters WHERE to_kind = 'webhook');
DELETE FROM letters WHERE to_kind = 'webhook';
DROP INDEX letters_told;
DROP INDEX letters_events;
DROP INDEX letters_next;
DROP INDEX letters_turn;
CREATE INDEX letters_turn ON letters (state, unconfirmed, priority, due_at);
CREATE INDEX letters_next ON letters (state, unconfirmed, lease_until, due_at);
ALTER TABLE letters DROP CONSTRAINT letters_event_check;
ALTER TABLE letters DROP CONSTRAINT letters_to_kind_check;
ALTER TABLE letters ADD CONSTRAINT letters_to_kind_check
    CHECK (to_kind IN ('neighbor', 'volunteer', 'coordinator'));
ALTER TABLE letters DROP COLUMN event_at;
ALTER TABLE letters DROP COLUMN event_id;
ALTER TABLE letters DROP COLUMN event;
DROP TABLE webhooks;
