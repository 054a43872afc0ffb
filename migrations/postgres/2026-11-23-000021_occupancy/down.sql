ALTER TABLE sites DROP COLUMN counts_until;
ALTER TABLE sites DROP COLUMN counted_at;
ALTER TABLE sites DROP COLUMN taken;
