-- How a promise ends: when its volunteer said that the help was given (the neighbor is asked then), when both sides were
-- asked whether it worked, which side said that nobody came, since when the place it held is free again where places
-- return, and when both are to be reminded.
ALTER TABLE matches ADD COLUMN done_at timestamptz;
ALTER TABLE matches ADD COLUMN followed_up_at timestamptz;
ALTER TABLE matches ADD COLUMN no_show_by text;
ALTER TABLE matches ADD COLUMN returned_at timestamptz;
ALTER TABLE matches ADD COLUMN remind_at timestamptz;
CREATE INDEX matches_said_done ON matches (done_at) WHERE ended_at IS NULL AND done_at IS NOT NULL;
CREATE INDEX matches_remind ON matches (remind_at) WHERE ended_at IS NULL AND remind_at IS NOT NULL;
-- One cause, one task.
CREATE UNIQUE INDEX tasks_one_follow_up ON tasks (request_id) WHERE kind = 'follow_up' AND done_at IS NULL;
CREATE UNIQUE INDEX tasks_one_dispute ON tasks (match_id) WHERE kind = 'dispute' AND done_at IS NULL;
CREATE UNIQUE INDEX tasks_one_volunteer_check ON tasks (volunteer_id) WHERE kind = 'volunteer_check' AND done_at IS NULL;
