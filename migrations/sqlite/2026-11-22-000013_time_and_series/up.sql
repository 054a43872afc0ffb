-- How long before helping a volunteer must know of it.
ALTER TABLE offers ADD COLUMN lead_minutes INTEGER NOT NULL DEFAULT 0 CHECK (lead_minutes BETWEEN 0 AND 10080);
-- Whether the helper must be there for the whole of the time.
ALTER TABLE requests ADD COLUMN throughout INTEGER NOT NULL DEFAULT 0 CHECK (throughout IN (0, 1));
-- The periods after period_start in which a match holds as much of the offer as in that one.
ALTER TABLE matches ADD COLUMN further_periods TEXT NOT NULL DEFAULT '[]' CHECK (json_valid(further_periods));
-- The other slots of a series.
CREATE INDEX requests_series ON requests (series_id) WHERE series_id IS NOT NULL;
