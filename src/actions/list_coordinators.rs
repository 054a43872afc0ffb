//! Everybody who coordinates, or did, for the operator's eyes.

use std::collections::HashMap;

use super::Ctx;
use crate::crypto::token::Purpose;
use crate::domain::clock::Ts;
use crate::domain::ids::RecordId;
use crate::domain::secret::CoordinatorSecret;
use crate::storage::coordinators::Coordinator;
use crate::storage::{StorageError, coordinators, tokens};

/// A coordinator as the operator sees them.
#[derive(Debug)]
pub struct Listed {
    /// The row.
    pub row: Coordinator,
    /// Name and address.
    pub secret: CoordinatorSecret,
    /// Whether there is a token, and until when it works; `Some(None)` is for good.
    pub access: Option<Option<Ts>>,
}

/// Every coordinator with name, address and access, oldest first.
///
/// # Errors
/// A failed query, or a sealed part that does not open.
pub async fn list_coordinators(ctx: &Ctx) -> Result<Vec<Listed>, StorageError> {
    let (vault, now) = (ctx.vault.keys()?, ctx.now());
    ctx.db
        .read(move |conn| {
            let ends = tokens::ends(conn, Purpose::Coordinator, now)?;
            let ends: HashMap<RecordId, Option<Ts>> = ends.into_iter().collect();
            coordinators::all(conn)?
                .into_iter()
                .map(|row| {
                    let secret = vault.open(row.id, row.sealed_version, &row.sealed)?;
                    let access = ends.get(&RecordId::from(row.id)).copied();
                    Ok(Listed {
                        row,
                        secret,
                        access,
                    })
                })
                .collect()
        })
        .await
}
