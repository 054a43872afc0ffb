-- Which master keys the database is sealed under, and which processes serve it. The keys themselves are in the key
-- ring and never here. A record names the key that wraps its own; a key that a record names cannot be removed, and
-- what is removed no record can name any more.

CREATE TABLE key_epochs (
    epoch INTEGER PRIMARY KEY NOT NULL CHECK (epoch >= 1),
    -- Recognizes the key without telling it; none only until the first start after this migration.
    key_check BLOB,
    added_at INTEGER NOT NULL,
    -- From then on it seals; the one that sealed before is retired.
    activated_at INTEGER,
    retired_at INTEGER,
    CHECK (retired_at IS NULL OR activated_at IS NOT NULL)
) STRICT;
CREATE UNIQUE INDEX key_epochs_one_active ON key_epochs ((retired_at IS NULL)) WHERE activated_at IS NOT NULL AND retired_at IS NULL;

INSERT INTO key_epochs (epoch, added_at, activated_at, retired_at)
SELECT epoch, at, at, CASE WHEN epoch < max(epoch) OVER () THEN at END
FROM (SELECT epoch, CAST(strftime('%s') AS INTEGER) * 1000000 AS at FROM (
    SELECT sealed_epoch AS epoch FROM coordinators WHERE sealed IS NOT NULL
    UNION
    SELECT sealed_epoch AS epoch FROM neighbors WHERE sealed IS NOT NULL
    UNION
    SELECT sealed_epoch AS epoch FROM requests WHERE sealed IS NOT NULL
    UNION
    SELECT sealed_epoch AS epoch FROM volunteers WHERE sealed IS NOT NULL
    UNION
    SELECT sealed_epoch AS epoch FROM offers WHERE sealed IS NOT NULL
));

ALTER TABLE coordinators RENAME COLUMN sealed_epoch TO epoch_before;
ALTER TABLE coordinators ADD COLUMN sealed_epoch INTEGER REFERENCES key_epochs (epoch);
UPDATE coordinators SET sealed_epoch = epoch_before WHERE sealed IS NOT NULL;
ALTER TABLE coordinators DROP COLUMN epoch_before;
ALTER TABLE neighbors RENAME COLUMN sealed_epoch TO epoch_before;
ALTER TABLE neighbors ADD COLUMN sealed_epoch INTEGER REFERENCES key_epochs (epoch);
UPDATE neighbors SET sealed_epoch = epoch_before WHERE sealed IS NOT NULL;
ALTER TABLE neighbors DROP COLUMN epoch_before;
ALTER TABLE requests RENAME COLUMN sealed_epoch TO epoch_before;
ALTER TABLE requests ADD COLUMN sealed_epoch INTEGER REFERENCES key_epochs (epoch);
UPDATE requests SET sealed_epoch = epoch_before WHERE sealed IS NOT NULL;
ALTER TABLE requests DROP COLUMN epoch_before;
ALTER TABLE volunteers RENAME COLUMN sealed_epoch TO epoch_before;
ALTER TABLE volunteers ADD COLUMN sealed_epoch INTEGER REFERENCES key_epochs (epoch);
UPDATE volunteers SET sealed_epoch = epoch_before WHERE sealed IS NOT NULL;
ALTER TABLE volunteers DROP COLUMN epoch_before;
ALTER TABLE offers RENAME COLUMN sealed_epoch TO epoch_before;
ALTER TABLE offers ADD COLUMN sealed_epoch INTEGER REFERENCES key_epochs (epoch);
UPDATE offers SET sealed_epoch = epoch_before WHERE sealed IS NOT NULL;
ALTER TABLE offers DROP COLUMN epoch_before;

CREATE TABLE instances (
    id BLOB PRIMARY KEY NOT NULL,
    started_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL,
    -- The newest key it holds, and the one it seals with; none while it is locked.
    newest_epoch INTEGER,
    active_epoch INTEGER
) STRICT;
