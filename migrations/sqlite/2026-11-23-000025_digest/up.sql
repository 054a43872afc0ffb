-- The morning's letter: whether a coordinator wants it, and the local day of which they got the last one.
ALTER TABLE coordinators ADD COLUMN digest INTEGER NOT NULL DEFAULT 1 CHECK (digest IN (0, 1));
ALTER TABLE coordinators ADD COLUMN digest_on TEXT;
-- What is to be done: counted for it.
CREATE INDEX tasks_todo ON tasks (due_at, kind) WHERE done_at IS NULL;
