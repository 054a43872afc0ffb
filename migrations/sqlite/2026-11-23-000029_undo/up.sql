-- When a coordinator took back that somebody did not come.
ALTER TABLE matches ADD COLUMN no_show_undone_at INTEGER;
-- Which import made a post; of older ones nobody knows.
ALTER TABLE requests ADD COLUMN import_id BLOB;
ALTER TABLE offers ADD COLUMN import_id BLOB;
CREATE INDEX requests_import ON requests (import_id, id) WHERE import_id IS NOT NULL;
CREATE INDEX offers_import ON offers (import_id, id) WHERE import_id IS NOT NULL;
-- Which import took a row.
ALTER TABLE imported_rows ADD COLUMN import_id BLOB;
CREATE INDEX imported_rows_import ON imported_rows (import_id, subject_id) WHERE import_id IS NOT NULL;
-- Imports by the command line are kept as well, which no coordinator began; and what came of taking one back.
CREATE TABLE kept_imports AS SELECT * FROM imports;
CREATE TABLE kept_parts AS SELECT * FROM import_parts;
DROP INDEX imports_page;
DROP TABLE import_parts;
DROP TABLE imports;
CREATE TABLE imports (
    id BLOB PRIMARY KEY NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('requests', 'offers')),
    state TEXT NOT NULL CHECK (state IN ('running', 'done', 'broken_off')),
    dry_run INTEGER NOT NULL,
    tally TEXT NOT NULL CHECK (json_valid(tally)),
    -- Empty: the operator, on the command line.
    created_by BLOB REFERENCES coordinators (id),
    created_at INTEGER NOT NULL,
    -- When it last went on.
    updated_at INTEGER NOT NULL,
    -- How many posts were closed, and how many stay.
    undone TEXT CHECK (undone IS NULL OR json_valid(undone)),
    -- When nothing of it was left to close.
    undone_at INTEGER
) STRICT;
INSERT INTO imports (id, kind, state, dry_run, tally, created_by, created_at, updated_at) SELECT id, kind, state, dry_run, tally, created_by, created_at, updated_at FROM kept_imports;
CREATE INDEX imports_page ON imports (created_at, id);
-- What became of the rows, some at a time.
CREATE TABLE import_parts (
    import_id BLOB NOT NULL REFERENCES imports (id) ON DELETE CASCADE,
    first_line INTEGER NOT NULL,
    report TEXT NOT NULL CHECK (json_valid(report)),
    PRIMARY KEY (import_id, first_line)
) STRICT;
INSERT INTO import_parts (import_id, first_line, report) SELECT import_id, first_line, report FROM kept_parts;
DROP TABLE kept_parts;
DROP TABLE kept_imports;
