DELETE FROM imports WHERE created_by IS NULL;
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
    created_by BLOB NOT NULL REFERENCES coordinators (id),
    created_at INTEGER NOT NULL,
    -- When it last went on.
    updated_at INTEGER NOT NULL
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
DROP INDEX imported_rows_import;
DROP INDEX offers_import;
DROP INDEX requests_import;
ALTER TABLE imported_rows DROP COLUMN import_id;
ALTER TABLE offers DROP COLUMN import_id;
ALTER TABLE requests DROP COLUMN import_id;
ALTER TABLE matches DROP COLUMN no_show_undone_at;
