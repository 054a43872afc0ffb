-- Who calls again for somebody else is known by her own address and number: NULL where nobody called, and
-- where the call was before this.
ALTER TABLE neighbors ADD COLUMN caller_email_hash BLOB;
ALTER TABLE neighbors ADD COLUMN caller_phone_hash BLOB;
CREATE INDEX neighbors_caller_email ON neighbors (caller_email_hash) WHERE caller_email_hash IS NOT NULL;
CREATE INDEX neighbors_caller_phone ON neighbors (caller_phone_hash) WHERE caller_phone_hash IS NOT NULL;
-- Whoever takes calls sees those whom they entered.
CREATE INDEX neighbors_entered ON neighbors (entered_by) WHERE entered_by IS NOT NULL;
