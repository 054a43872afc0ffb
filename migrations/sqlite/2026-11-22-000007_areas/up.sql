-- Areas in which nothing is matched for now: around the middle of a cell.
CREATE TABLE areas (
    id BLOB PRIMARY KEY NOT NULL,
    cell INTEGER NOT NULL,
    radius_m INTEGER NOT NULL CHECK (radius_m BETWEEN 100 AND 50000),
    reason TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    created_by BLOB NOT NULL,
    lifted_at INTEGER,
    lifted_by BLOB,
    -- What of the last change is still to be carried out, and up to which record it was.
    settling TEXT CHECK (settling IN ('asks', 'requests', 'offers')),
    settled_to BLOB,
    CHECK ((lifted_at IS NULL) = (lifted_by IS NULL))
) STRICT;
CREATE INDEX areas_page ON areas (created_at, id);
CREATE INDEX areas_frozen ON areas (created_at) WHERE lifted_at IS NULL;
CREATE INDEX areas_settling ON areas (created_at) WHERE settling IS NOT NULL;
