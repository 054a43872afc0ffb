//! What operators do where the database is a server's.
