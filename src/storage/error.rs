//! What can go wrong at the two doors.

use diesel::result::{DatabaseErrorKind, Error as DieselError};

use super::outage;

/// A failure of the database, as opposed to a refusal by a use case.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The database cannot answer now: full disk, I/O error, queue full, time-out, closing. Try later.
    #[error("the database is unavailable: {0}")]
    Unavailable(&'static str),
    /// A constraint stopped a write that a use case should have refused first.
    #[error("a constraint of the database stopped the write")]
    Constraint(#[source] DieselError),
    /// A stored value is damaged, or a query is wrong.
    #[error("the database answered something unexpected")]
    Unexpected(#[source] DieselError),
    /// A sealed value did not open.
    #[error(transparent)]
    Sealed(#[from] crate::crypto::seal::SealError),
}

impl From<DieselError> for StorageError {
    fn from(error: DieselError) -> Self {
        use DatabaseErrorKind as Kind;
        match error {
            DieselError::DatabaseError(
                Kind::UniqueViolation
                | Kind::ForeignKeyViolation
                | Kind::NotNullViolation
                | Kind::CheckViolation,
                _,
            ) => Self::Constraint(error),
            DieselError::DatabaseError(..) | DieselError::BrokenTransactionManager => {
                // Writers that met are run again; that is counted, and no outage.
                if met_another(&error) {
                    tracing::debug!(error = %error, "a write met another");
                } else {
                    outage::failed(&error.to_string());
                }
                Self::Unavailable("it failed to carry out an operation")
            }
            _ => Self::Unexpected(error),
        }
    }
}

/// How PostgreSQL says what diesel has no kind for; sessions ask for these words where they may.
const MET: [&str; 2] = [
    "deadlock detected",
    "canceling statement due to lock timeout",
];

/// Whether somebody else was in its way.
fn met_another(error: &DieselError) -> bool {
    match error {
        DieselError::DatabaseError(DatabaseErrorKind::SerializationFailure, _) => true,
        DieselError::DatabaseError(_, said) => {
            MET.iter().any(|met| said.message().starts_with(met))
        }
        _ => false,
    }
}

impl StorageError {
    /// Whether the same transaction, run once more, may succeed: whoever was in its way, or was quicker,
    /// is done by then. A constraint counts, because the row that broke it is then seen first.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Constraint(_))
    }

    /// Whether the connection and everything uncommitted on it must be given up.
    #[must_use]
    pub fn poisons_connection(&self) -> bool {
        matches!(self, Self::Unavailable(_))
    }
}

/// How a closure at one of the doors ends without its value: refused by the use case, or failed.
/// Either undoes everything that the closure wrote.
#[derive(Debug, thiserror::Error)]
pub enum TxError<R> {
    /// The use case says no; its own enum says why.
    #[error("refused")]
    Refused(R),
    /// The database failed.
    #[error(transparent)]
    Storage(StorageError),
}

impl<R> TxError<R> {
    /// The same with another type of refusal.
    pub fn map<S>(self, f: impl FnOnce(R) -> S) -> TxError<S> {
        match self {
            Self::Refused(refusal) => TxError::Refused(f(refusal)),
            Self::Storage(error) => TxError::Storage(error),
        }
    }
}

impl<R> From<StorageError> for TxError<R> {
    fn from(error: StorageError) -> Self {
        Self::Storage(error)
    }
}

impl<R> From<DieselError> for TxError<R> {
    fn from(error: DieselError) -> Self {
        Self::Storage(error.into())
    }
}

impl<R> From<crate::crypto::seal::SealError> for TxError<R> {
    fn from(error: crate::crypto::seal::SealError) -> Self {
        Self::Storage(error.into())
    }
}

/// For closures that never refuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Never {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_that_was_locked_for_too_long_is_no_outage() {
        let said = |text: &str| {
            DieselError::DatabaseError(DatabaseErrorKind::Unknown, Box::new(text.to_owned()))
        };
        assert!(met_another(&said(
            "canceling statement due to lock timeout"
        )));
        assert!(met_another(&said("deadlock detected")));
        assert!(!met_another(&said(
            "canceling statement due to statement timeout"
        )));
    }
}
