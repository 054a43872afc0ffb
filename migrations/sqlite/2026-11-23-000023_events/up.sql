-- The change feed tells of matches and tasks too, for those who watch. Nobody reads it while this runs, and whoever
-- reads afterward begins anew.
DROP TABLE changes;
CREATE TABLE changes (
    seq INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    entity TEXT NOT NULL CHECK (entity IN ('request', 'offer', 'match', 'task')),
    entity_id BLOB NOT NULL,
    at INTEGER NOT NULL,
    mark INTEGER NOT NULL DEFAULT 0
) STRICT;
