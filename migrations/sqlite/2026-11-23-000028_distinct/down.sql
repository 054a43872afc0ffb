DROP INDEX neighbors_blocked;
DROP INDEX neighbors_page;
DROP TABLE distinct_requests;
