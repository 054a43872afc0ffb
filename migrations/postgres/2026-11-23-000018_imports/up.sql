-- Posts from spreadsheets. What a row held is remembered by keyed hashes only.
CREATE TABLE imported_rows (
    -- The row's own id where the sheet has one, else all it holds.
    row_hash bytea PRIMARY KEY,
    -- All it holds: tells a row that was changed since.
    content_hash bytea NOT NULL,
    -- The post that was made of it, or that was there already.
    subject_id uuid NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX imported_rows_age ON imported_rows (created_at);
-- Imports over the API, with how far they are.
CREATE TABLE imports (
    id uuid PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('requests', 'offers')),
    state text NOT NULL CHECK (state IN ('running', 'done', 'broken_off')),
    dry_run boolean NOT NULL,
    tally jsonb NOT NULL,
    created_by uuid NOT NULL REFERENCES coordinators (id),
    created_at timestamptz NOT NULL,
    -- When it last went on.
    updated_at timestamptz NOT NULL
);
CREATE INDEX imports_page ON imports (created_at, id);
-- What became of the rows, some at a time.
CREATE TABLE import_parts (
    import_id uuid NOT NULL REFERENCES imports (id) ON DELETE CASCADE,
    first_line bigint NOT NULL,
    report jsonb NOT NULL,
    PRIMARY KEY (import_id, first_line)
);
-- Came from a spreadsheet that a coordinator or the operator vouched for.
ALTER TABLE neighbors ADD COLUMN imported boolean NOT NULL DEFAULT false;
ALTER TABLE volunteers ADD COLUMN imported boolean NOT NULL DEFAULT false;
