DROP TRIGGER audit_is_never_emptied ON audit;
DROP TRIGGER audit_keeps_its_entries ON audit;
DROP TRIGGER audit_keeps_its_content ON audit;
DROP TABLE audit_chain;
DROP FUNCTION refuse_change();
