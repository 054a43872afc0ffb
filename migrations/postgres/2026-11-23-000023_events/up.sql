-- The change feed tells of matches and tasks too, for those who watch.
ALTER TABLE changes DROP CONSTRAINT changes_entity_check;
ALTER TABLE changes ADD CONSTRAINT changes_entity_check CHECK (entity IN ('request', 'offer', 'match', 'task'));
