-- The morning's letter: whether a coordinator wants it, and the local day of which they got the last one.
ALTER TABLE coordinators ADD COLUMN digest boolean NOT NULL DEFAULT true;
ALTER TABLE coordinators ADD COLUMN digest_on text;
-- What is to be done: counted for it.
CREATE INDEX tasks_todo ON tasks (due_at, kind) WHERE done_at IS NULL;
