-- How many times a token still works; NULL is as often as its holder likes.
ALTER TABLE tokens ADD COLUMN uses_left integer CHECK (uses_left >= 0);
UPDATE tokens SET uses_left = 3 WHERE purpose = 'confirm';
CREATE INDEX tokens_expiring ON tokens (expires_at) WHERE expires_at IS NOT NULL;
