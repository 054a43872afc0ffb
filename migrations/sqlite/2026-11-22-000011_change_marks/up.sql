-- The number of the transaction that wrote a change. One that is still open may have taken a smaller `seq` than what
-- others have committed since, so whoever follows the feed goes by this, and only up to the oldest that is open.
-- SQLite has one writer, so that no change overtakes another, and needs none.
ALTER TABLE changes ADD COLUMN mark INTEGER NOT NULL DEFAULT 0;
