-- The seal over the audit. Each link hashes the one before it and one entry, with a key that the database does not
-- hold. Links have numbers of their own, because those of the audit may have gaps.
CREATE TABLE audit_chain (
    number INTEGER PRIMARY KEY NOT NULL CHECK (number >= 1),
    seq INTEGER NOT NULL UNIQUE REFERENCES audit (seq),
    hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;

-- A first line only: whoever can write to the file can drop these. The chain shows what was done.
CREATE TRIGGER audit_keeps_its_content BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'entries of the audit are never changed'); END;
CREATE TRIGGER audit_keeps_its_entries BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'entries of the audit are never removed'); END;
CREATE TRIGGER audit_chain_keeps_its_content BEFORE UPDATE ON audit_chain
BEGIN SELECT RAISE(ABORT, 'links of the audit''s chain are never changed'); END;
CREATE TRIGGER audit_chain_keeps_its_links BEFORE DELETE ON audit_chain
BEGIN SELECT RAISE(ABORT, 'links of the audit''s chain are never removed'); END;
