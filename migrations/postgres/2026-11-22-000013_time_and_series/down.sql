DROP INDEX requests_series;
ALTER TABLE matches DROP COLUMN further_periods;
ALTER TABLE requests DROP COLUMN throughout;
ALTER TABLE offers DROP COLUMN lead_minutes;
