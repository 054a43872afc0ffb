-- Volunteers who registered before there was a limit for a day get the usual one.
UPDATE volunteers SET limits = limits || '{"daily_asks": 8}';
