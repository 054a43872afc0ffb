DROP INDEX volunteers_by_phone;
DROP INDEX volunteers_by_email;
