-- Areas in which nothing is matched for now: around the middle of a cell.
CREATE TABLE areas (
    id uuid PRIMARY KEY,
    cell bigint NOT NULL,
    radius_m integer NOT NULL CHECK (radius_m BETWEEN 100 AND 50000),
    reason text NOT NULL,
    created_at timestamptz NOT NULL,
    created_by uuid NOT NULL,
    lifted_at timestamptz,
    lifted_by uuid,
    -- What of the last change is still to be carried out, and up to which record it was.
    settling text CHECK (settling IN ('asks', 'requests', 'offers')),
    settled_to uuid,
    CHECK ((lifted_at IS NULL) = (lifted_by IS NULL))
);
CREATE INDEX areas_page ON areas (created_at, id);
CREATE INDEX areas_frozen ON areas (created_at) WHERE lifted_at IS NULL;
CREATE INDEX areas_settling ON areas (created_at) WHERE settling IS NOT NULL;
