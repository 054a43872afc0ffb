DROP INDEX matches_asked;
DROP INDEX requests_ended;
DROP INDEX tasks_request;
DROP INDEX tasks_one_look;
-- An older version does not know what these are.
DELETE FROM tasks WHERE kind = 'look';
DROP TABLE rounds;
