DROP TRIGGER audit_keeps_its_content;
DROP TRIGGER audit_keeps_its_entries;
DROP TABLE audit_chain;
