DROP INDEX tasks_about;
ALTER TABLE tasks DROP COLUMN tried_at;
ALTER TABLE tasks DROP COLUMN attempts;
