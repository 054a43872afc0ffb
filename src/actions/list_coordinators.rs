//! Everybody who coordinates, or did: for the operator's eyes, and their names for each other.

use std::collections::HashMap;

use super::Ctx;
use crate::crypto::token::Purpose;
use crate::domain::clock::Ts;
use crate::domain::contact::PersonName;
use crate::domain::ids::{CoordinatorId, RecordId};
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

/// What a coordinator is called.
///
/// # Errors
/// A sealed part that does not open, or keys that are locked.
pub fn name_of(ctx: &Ctx, row: &Coordinator) -> Result<PersonName, StorageError> {
    let keys = ctx.vault.keys()?;
    let secret: CoordinatorSecret = keys.open(row.id, row.sealed_version, &row.sealed)?;
    Ok(secret.name)
}

/// A coordinator who looks at themselves, and until when their token works.
///
/// # Errors
/// A failed query.
pub async fn own_access(
    ctx: &Ctx,
    id: CoordinatorId,
) -> Result<Option<(Coordinator, Option<Ts>)>, StorageError> {
    let now = ctx.now();
    let read = ctx.db.read(move |conn| {
        let Some(row) = coordinators::find(conn, id)? else {
            return Ok(None);
        };
        let ends = tokens::ends(conn, Purpose::Coordinator, now)?;
        let own = ends.into_iter().find(|(of, _)| *of == RecordId::from(id));
        Ok::<_, StorageError>(Some((row, own.and_then(|(_, until)| until))))
    });
    read.await
}
