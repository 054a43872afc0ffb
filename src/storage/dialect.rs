//! What truly differs between the databases, and nowhere else: locks on rows, and which transactions
//! may still be open.
//!
//! On SQLite there is one writer, so nothing needs a lock and nothing is overtaken.
