-- Without the column a used-up token would work again.
DELETE FROM tokens WHERE uses_left = 0;
DROP INDEX tokens_expiring;
ALTER TABLE tokens DROP COLUMN uses_left;
