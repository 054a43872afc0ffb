DROP INDEX tasks_one_volunteer_check;
DROP INDEX tasks_one_dispute;
DROP INDEX tasks_one_follow_up;
-- An older version does not know what these are.
DELETE FROM tasks WHERE kind IN ('follow_up', 'dispute', 'volunteer_check');
DELETE FROM letters WHERE kind IN ('did_it_work', 'arrival', 'reminder');
DROP INDEX matches_remind;
DROP INDEX matches_said_done;
-- It takes a volunteer's word at once.
UPDATE matches SET state = 'fulfilled', ended_at = done_at WHERE state = 'accepted' AND done_at IS NOT NULL;
ALTER TABLE matches DROP COLUMN remind_at;
ALTER TABLE matches DROP COLUMN returned_at;
ALTER TABLE matches DROP COLUMN no_show_by;
ALTER TABLE matches DROP COLUMN followed_up_at;
ALTER TABLE matches DROP COLUMN done_at;
