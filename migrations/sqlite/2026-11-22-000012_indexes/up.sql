-- No condition of an index names a state: in the queries it is a parameter, with which such an index is not used. What
-- is over is told by an instant instead, which is a condition without one.
DROP INDEX requests_live;
CREATE INDEX requests_live ON requests (needed_until) WHERE closed_at IS NULL;
DROP INDEX offers_expiring;
CREATE INDEX offers_expiring ON offers (expires_at) WHERE closed_at IS NULL;
CREATE INDEX offers_ending ON offers (available_until) WHERE closed_at IS NULL AND available_until IS NOT NULL;
DROP INDEX matches_respond;
CREATE INDEX matches_respond ON matches (state, respond_by) WHERE ended_at IS NULL;
DROP INDEX matches_unasked;
CREATE INDEX matches_unasked ON matches (state, max_wait_at) WHERE ended_at IS NULL AND asked_at IS NULL;
DROP INDEX matches_agree;
CREATE INDEX matches_agree ON matches (state, agreement, agree_by) WHERE ended_at IS NULL;
-- What is taken for matching, for the end of the lease.
CREATE INDEX requests_leased ON requests (lease_until) WHERE match_due_at IS NOT NULL AND lease_until IS NOT NULL;
CREATE INDEX offers_leased ON offers (lease_until) WHERE match_due_at IS NOT NULL AND lease_until IS NOT NULL;
-- What no round will look at again, for the sweep.
CREATE INDEX requests_untouched ON requests (state, updated_at) WHERE match_due_at IS NULL AND closed_at IS NULL;
-- The call that a neighbor waits for; and what is kept of the calls for a while.
CREATE INDEX tasks_neighbor ON tasks (neighbor_id) WHERE neighbor_id IS NOT NULL;
CREATE INDEX tasks_done ON tasks (done_at) WHERE done_at IS NOT NULL;
CREATE INDEX volunteers_erased ON volunteers (id) WHERE erased_at IS NOT NULL AND blocked_at IS NULL;
-- Of what is closed, that which has secrets and that which has none any more: one index each, so that neither is taken
-- for the other.
DROP INDEX requests_forget;
CREATE INDEX requests_forget ON requests (closed_at) WHERE closed_at IS NOT NULL AND sealed IS NULL;
DROP INDEX offers_forget;
CREATE INDEX offers_forget ON offers (closed_at) WHERE closed_at IS NOT NULL AND sealed IS NULL;
-- What waits to be sent, the oldest first.
CREATE INDEX letters_waiting ON letters (created_at) WHERE settled_at IS NULL;
