//! Everybody who coordinates, or did, for the operator's eyes.

use super::Ctx;
use crate::domain::secret::CoordinatorSecret;
use crate::storage::coordinators::Coordinator;
use crate::storage::{StorageError, coordinators};

/// Every coordinator with name and address, oldest first.
///
/// # Errors
/// A failed query, or a sealed part that does not open.
pub async fn list_coordinators(
    ctx: &Ctx,
) -> Result<Vec<(Coordinator, CoordinatorSecret)>, StorageError> {
    let vault = ctx.vault.keys()?;
    ctx.db
        .read(move |conn| {
            coordinators::all(conn)?
                .into_iter()
                .map(|row| {
                    let secret = vault.open(row.id, row.sealed_version, &row.sealed)?;
                    Ok((row, secret))
                })
                .collect()
        })
        .await
}
