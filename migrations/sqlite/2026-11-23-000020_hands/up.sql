-- The request of which this one is a duplicate. It may be forgotten first.
ALTER TABLE requests ADD COLUMN merged_into BLOB;
-- When a coordinator took a veto back; the pair may be proposed again since.
ALTER TABLE matches ADD COLUMN veto_undone_at INTEGER;
-- Since when nobody is asked for what a neighbor needs. That she is blocked outlives her record in `blocks`.
ALTER TABLE neighbors ADD COLUMN blocked_at INTEGER;
