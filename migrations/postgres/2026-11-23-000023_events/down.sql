-- An older version does not know what these are.
DELETE FROM changes WHERE entity IN ('match', 'task');
ALTER TABLE changes DROP CONSTRAINT changes_entity_check;
ALTER TABLE changes ADD CONSTRAINT changes_entity_check CHECK (entity IN ('request', 'offer'));
