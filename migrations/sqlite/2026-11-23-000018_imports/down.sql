ALTER TABLE volunteers DROP COLUMN imported;
ALTER TABLE neighbors DROP COLUMN imported;
DROP TABLE import_parts;
DROP TABLE imports;
DROP TABLE imported_rows;
