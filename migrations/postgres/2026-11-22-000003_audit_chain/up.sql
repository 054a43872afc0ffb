-- The seal over the audit. Each link hashes the one before it and one entry, with a key that the database does not
-- hold. Links have numbers of their own, because those of the audit may have gaps.
CREATE TABLE audit_chain (
    number bigint PRIMARY KEY CHECK (number >= 1),
    seq bigint NOT NULL UNIQUE REFERENCES audit (seq),
    hash bytea NOT NULL CHECK (octet_length(hash) = 32)
);

-- A first line only: whoever owns the tables can drop these. The chain shows what was done.
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING MESSAGE = TG_ARGV[0], ERRCODE = 'integrity_constraint_violation';
END
$$;
CREATE TRIGGER audit_keeps_its_content BEFORE UPDATE ON audit
    FOR EACH ROW EXECUTE FUNCTION refuse_change('entries of the audit are never changed');
CREATE TRIGGER audit_keeps_its_entries BEFORE DELETE ON audit
    FOR EACH ROW EXECUTE FUNCTION refuse_change('entries of the audit are never removed');
CREATE TRIGGER audit_is_never_emptied BEFORE TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('entries of the audit are never removed');
CREATE TRIGGER audit_chain_keeps_its_content BEFORE UPDATE ON audit_chain
    FOR EACH ROW EXECUTE FUNCTION refuse_change('links of the audit''s chain are never changed');
CREATE TRIGGER audit_chain_keeps_its_links BEFORE DELETE ON audit_chain
    FOR EACH ROW EXECUTE FUNCTION refuse_change('links of the audit''s chain are never removed');
CREATE TRIGGER audit_chain_is_never_emptied BEFORE TRUNCATE ON audit_chain
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change('links of the audit''s chain are never removed');
