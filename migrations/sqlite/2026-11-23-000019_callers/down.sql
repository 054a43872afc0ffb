DROP INDEX neighbors_entered;
DROP INDEX neighbors_caller_phone;
DROP INDEX neighbors_caller_email;
ALTER TABLE neighbors DROP COLUMN caller_phone_hash;
ALTER TABLE neighbors DROP COLUMN caller_email_hash;
