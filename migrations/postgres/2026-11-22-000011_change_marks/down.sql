DROP INDEX changes_mark;
ALTER TABLE changes DROP COLUMN mark;
