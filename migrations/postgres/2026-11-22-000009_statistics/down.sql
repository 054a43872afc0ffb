DROP INDEX offers_forget;
DROP INDEX letters_request;
DROP INDEX letters_settled;
DROP INDEX requests_forget;
DROP TABLE statistics;
