-- Which master keys the database is sealed under, and which processes serve it. The keys themselves are in the key
-- ring and never here. A record names the key that wraps its own; a key that a record names cannot be removed, and
-- what is removed no record can name any more.

CREATE TABLE key_epochs (
    epoch integer PRIMARY KEY CHECK (epoch >= 1),
    -- Recognizes the key without telling it; none only until the first start after this migration.
    key_check bytea,
    added_at timestamptz NOT NULL,
    -- From then on it seals; the one that sealed before is retired.
    activated_at timestamptz,
    retired_at timestamptz,
    CHECK (retired_at IS NULL OR activated_at IS NOT NULL)
);
CREATE UNIQUE INDEX key_epochs_one_active ON key_epochs ((retired_at IS NULL)) WHERE activated_at IS NOT NULL AND retired_at IS NULL;

INSERT INTO key_epochs (epoch, added_at, activated_at, retired_at)
SELECT epoch, now(), now(), CASE WHEN epoch < max(epoch) OVER () THEN now() END
FROM (
    SELECT sealed_epoch AS epoch FROM coordinators WHERE sealed IS NOT NULL
    UNION
    SELECT sealed_epoch AS epoch FROM neighbors WHERE sealed IS NOT NULL
    UNION
    SELECT sealed_epoch AS epoch FROM requests WHERE sealed IS NOT NULL
    UNION
    SELECT sealed_epoch AS epoch FROM volunteers WHERE sealed IS NOT NULL
    UNION
    SELECT sealed_epoch AS epoch FROM offers WHERE sealed IS NOT NULL
) AS sealed_under;

ALTER TABLE coordinators ALTER COLUMN sealed_epoch DROP NOT NULL;
UPDATE coordinators SET sealed_epoch = NULL WHERE sealed IS NULL;
ALTER TABLE coordinators ADD FOREIGN KEY (sealed_epoch) REFERENCES key_epochs (epoch);
ALTER TABLE neighbors ALTER COLUMN sealed_epoch DROP NOT NULL;
UPDATE neighbors SET sealed_epoch = NULL WHERE sealed IS NULL;
ALTER TABLE neighbors ADD FOREIGN KEY (sealed_epoch) REFERENCES key_epochs (epoch);
ALTER TABLE requests ALTER COLUMN sealed_epoch DROP NOT NULL;
UPDATE requests SET sealed_epoch = NULL WHERE sealed IS NULL;
ALTER TABLE requests ADD FOREIGN KEY (sealed_epoch) REFERENCES key_epochs (epoch);
ALTER TABLE volunteers ALTER COLUMN sealed_epoch DROP NOT NULL;
UPDATE volunteers SET sealed_epoch = NULL WHERE sealed IS NULL;
ALTER TABLE volunteers ADD FOREIGN KEY (sealed_epoch) REFERENCES key_epochs (epoch);
ALTER TABLE offers ALTER COLUMN sealed_epoch DROP NOT NULL;
UPDATE offers SET sealed_epoch = NULL WHERE sealed IS NULL;
ALTER TABLE offers ADD FOREIGN KEY (sealed_epoch) REFERENCES key_epochs (epoch);

CREATE TABLE instances (
    id uuid PRIMARY KEY,
    started_at timestamptz NOT NULL,
    seen_at timestamptz NOT NULL,
    -- The newest key it holds, and the one it seals with; none while it is locked.
    newest_epoch integer,
    active_epoch integer
);
