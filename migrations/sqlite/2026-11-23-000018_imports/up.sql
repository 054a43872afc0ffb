-- Posts from spreadsheets. What a row held is remembered by keyed hashes only.
CREATE TABLE imported_rows (
    -- The row's own id where the sheet has one, else all it holds.
    row_hash BLOB PRIMARY KEY NOT NULL,
    -- All it holds: tells a row that was changed since.
    content_hash BLOB NOT NULL,
    -- The post that was made of it, or that was there already.
    subject_id BLOB NOT NULL,
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX imported_rows_age ON imported_rows (created_at);
-- Imports over the API, with how far they are.
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
CREATE INDEX imports_page ON imports (created_at, id);
-- What became of the rows, some at a time.
CREATE TABLE import_parts (
    import_id BLOB NOT NULL REFERENCES imports (id) ON DELETE CASCADE,
    first_line INTEGER NOT NULL,
    report TEXT NOT NULL CHECK (json_valid(report)),
    PRIMARY KEY (import_id, first_line)
) STRICT;
-- Came from a spreadsheet that a coordinator or the operator vouched for.
ALTER TABLE neighbors ADD COLUMN imported INTEGER NOT NULL DEFAULT 0;
ALTER TABLE volunteers ADD COLUMN imported INTEGER NOT NULL DEFAULT 0;
