-- Whoever is blocked or wants no mail is looked up by address and number, confirmed and erased or not.
CREATE INDEX volunteers_by_email ON volunteers (email_hash) WHERE email_hash IS NOT NULL;
CREATE INDEX volunteers_by_phone ON volunteers (phone_hash) WHERE phone_hash IS NOT NULL;
