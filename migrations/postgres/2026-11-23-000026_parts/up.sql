-- What a coordinator is limited to: some categories, some areas; null for everything.
ALTER TABLE coordinators ADD COLUMN part jsonb;
