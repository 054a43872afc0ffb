-- The number of the transaction that wrote a change. One that is still open may have taken a smaller `seq` than what
-- others have committed since, so whoever follows the feed goes by this, and only up to the oldest that is open.
ALTER TABLE changes ADD COLUMN mark bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint);
CREATE INDEX changes_mark ON changes (mark, seq);
