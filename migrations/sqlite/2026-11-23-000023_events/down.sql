DROP TABLE changes;
CREATE TABLE changes (
    seq INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL,
    entity TEXT NOT NULL CHECK (entity IN ('request', 'offer')),
    entity_id BLOB NOT NULL,
    at INTEGER NOT NULL,
    mark INTEGER NOT NULL DEFAULT 0
) STRICT;
