-- Calls that nobody answered: how many, and when the last of them.
ALTER TABLE tasks ADD COLUMN attempts integer NOT NULL DEFAULT 0;
ALTER TABLE tasks ADD COLUMN tried_at timestamptz;
-- What is to be told of help that is near: found when it has come.
CREATE INDEX tasks_about ON tasks (about) WHERE done_at IS NULL AND about IS NOT NULL;
