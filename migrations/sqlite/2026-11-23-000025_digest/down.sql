DROP INDEX tasks_todo;
-- An older version does not know what these are.
DELETE FROM letters WHERE kind = 'digest';
ALTER TABLE coordinators DROP COLUMN digest_on;
ALTER TABLE coordinators DROP COLUMN digest;
