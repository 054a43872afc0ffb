-- How full a listed site is: the newest count, when it was made, and until when it says anything.
ALTER TABLE sites ADD COLUMN taken integer CHECK (taken >= 0);
ALTER TABLE sites ADD COLUMN counted_at timestamptz;
ALTER TABLE sites ADD COLUMN counts_until timestamptz;
