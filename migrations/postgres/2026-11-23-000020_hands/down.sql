ALTER TABLE neighbors DROP COLUMN blocked_at;
ALTER TABLE matches DROP COLUMN veto_undone_at;
ALTER TABLE requests DROP COLUMN merged_into;
