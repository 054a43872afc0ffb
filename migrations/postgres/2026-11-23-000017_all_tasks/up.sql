-- Tasks of all kinds: what each is about, who gave it to whom, what a coordinator notes of it (sealed), and when it was
-- so late that others were told.
ALTER TABLE tasks ADD COLUMN match_id uuid;
ALTER TABLE tasks ADD COLUMN offer_id uuid;
ALTER TABLE tasks ADD COLUMN volunteer_id uuid;
ALTER TABLE tasks ADD COLUMN report_id uuid;
ALTER TABLE tasks ADD COLUMN letter_id uuid;
-- Of news for a neighbor: the kind of the letter that would have told it.
ALTER TABLE tasks ADD COLUMN about text;
ALTER TABLE tasks ADD COLUMN assigned_by uuid;
ALTER TABLE tasks ADD COLUMN escalated_at timestamptz;
ALTER TABLE tasks ADD COLUMN sealed bytea;
ALTER TABLE tasks ADD COLUMN sealed_version integer NOT NULL DEFAULT 0;
ALTER TABLE tasks ADD COLUMN sealed_epoch integer REFERENCES key_epochs (epoch);
-- Whose it is, also of a look.
UPDATE tasks SET neighbor_id = (SELECT r.neighbor_id FROM requests r WHERE r.id = tasks.request_id) WHERE neighbor_id IS NULL;
-- One cause, one task.
CREATE UNIQUE INDEX tasks_one_tell ON tasks (neighbor_id) WHERE kind = 'tell' AND done_at IS NULL;
CREATE UNIQUE INDEX tasks_one_ask ON tasks (match_id) WHERE kind = 'ask' AND done_at IS NULL;
CREATE UNIQUE INDEX tasks_one_review ON tasks (match_id) WHERE kind = 'review' AND done_at IS NULL;
CREATE UNIQUE INDEX tasks_one_site_check ON tasks (offer_id) WHERE kind = 'site_check' AND done_at IS NULL;
CREATE UNIQUE INDEX tasks_one_report ON tasks (report_id) WHERE kind = 'report' AND done_at IS NULL;
CREATE UNIQUE INDEX tasks_one_dead_letter ON tasks (letter_id) WHERE kind = 'dead_letter' AND done_at IS NULL;
-- By what each is about, so that the act that ends it finds it.
CREATE INDEX tasks_match ON tasks (match_id) WHERE match_id IS NOT NULL;
CREATE INDEX tasks_offer ON tasks (offer_id) WHERE offer_id IS NOT NULL;
CREATE INDEX tasks_volunteer ON tasks (volunteer_id) WHERE volunteer_id IS NOT NULL;
CREATE INDEX tasks_report ON tasks (report_id) WHERE report_id IS NOT NULL;
CREATE INDEX tasks_letter ON tasks (letter_id) WHERE letter_id IS NOT NULL;
-- The list by when they are due, and one person's.
CREATE INDEX tasks_by_due ON tasks (due_at, id);
CREATE INDEX tasks_claimed ON tasks (claimed_by, due_at) WHERE claimed_by IS NOT NULL;
-- What is late and not told of yet, what was told of, and notes that have had their time.
CREATE INDEX tasks_late ON tasks (due_at) WHERE done_at IS NULL AND escalated_at IS NULL;
CREATE INDEX tasks_escalated ON tasks (escalated_at) WHERE done_at IS NULL AND escalated_at IS NOT NULL;
CREATE INDEX tasks_noted ON tasks (done_at) WHERE sealed IS NOT NULL AND done_at IS NOT NULL;
-- A letter that was given up may be sent again: from then on its time is counted anew.
ALTER TABLE letters ADD COLUMN retried_at timestamptz;
