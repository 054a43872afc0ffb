-- When a coordinator took back that somebody did not come.
ALTER TABLE matches ADD COLUMN no_show_undone_at timestamptz;
-- Which import made a post; of older ones nobody knows.
ALTER TABLE requests ADD COLUMN import_id uuid;
ALTER TABLE offers ADD COLUMN import_id uuid;
CREATE INDEX requests_import ON requests (import_id, id) WHERE import_id IS NOT NULL;
CREATE INDEX offers_import ON offers (import_id, id) WHERE import_id IS NOT NULL;
-- Which import took a row.
ALTER TABLE imported_rows ADD COLUMN import_id uuid;
CREATE INDEX imported_rows_import ON imported_rows (import_id, subject_id) WHERE import_id IS NOT NULL;
-- Imports by the command line are kept as well, which no coordinator began; and what came of taking one back: how
-- many posts were closed and how many stay, and when nothing of it was left to close.
ALTER TABLE imports ALTER COLUMN created_by DROP NOT NULL;
ALTER TABLE imports ADD COLUMN undone jsonb;
ALTER TABLE imports ADD COLUMN undone_at timestamptz;
-- Made anew as on the other database, where the table is.
DROP INDEX imports_page;
CREATE INDEX imports_page ON imports (created_at, id);
