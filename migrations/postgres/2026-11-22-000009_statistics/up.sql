-- What is left of requests that are forgotten: how many of a category ended how on which day. Nobody is in it.
CREATE TABLE statistics (
    -- The beginning of the day, UTC, on which they were closed.
    day timestamptz NOT NULL,
    category text NOT NULL,
    close_reason text NOT NULL,
    requests bigint NOT NULL CHECK (requests >= 1),
    quantity bigint NOT NULL,
    covered bigint NOT NULL CHECK (0 <= covered AND covered <= quantity),
    PRIMARY KEY (day, category, close_reason)
);
-- What is forgotten, by age.
CREATE INDEX requests_forget ON requests (closed_at) WHERE closed_at IS NOT NULL;
CREATE INDEX letters_settled ON letters (settled_at) WHERE settled_at IS NOT NULL;
CREATE INDEX letters_request ON letters (request_id) WHERE request_id IS NOT NULL;
CREATE INDEX offers_forget ON offers (closed_at) WHERE closed_at IS NOT NULL;
