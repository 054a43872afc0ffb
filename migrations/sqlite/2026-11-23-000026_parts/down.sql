-- An older version would show everything to whoever is limited: their access ends.
UPDATE coordinators SET revoked_at = created_at WHERE part IS NOT NULL AND revoked_at IS NULL;
ALTER TABLE coordinators DROP COLUMN part;
