//! Two people who are never to be brought together again: known by their contacts, so that it outlives
//! their records, and by their records, so that it outlives a change of contact.

use super::{Ctx, Outcome, Tx};
use crate::crypto::lookup::{Hasher, KeyedHash};
use crate::storage::neighbors::Neighbor;
use crate::storage::volunteers::Volunteer;
use crate::storage::{Conn, StorageError, blocks};

impl Tx<'_> {
    /// Never brings this pair together again, not even after both were erased and came back.
    pub(super) fn block_pair(&mut self, neighbor: &Neighbor, volunteer: &Volunteer) -> Outcome<()> {
        let pairs = pair_hashes(&self.keys.hasher, neighbor, volunteer);
        Ok(blocks::insert(self.conn, &pairs, self.now)?)
    }

    /// Whether this pair is never to be brought together again.
    pub(super) fn is_blocked(
        &mut self,
        neighbor: &Neighbor,
        volunteer: &Volunteer,
    ) -> Outcome<bool> {
        Ok(is_blocked(self.ctx, self.conn, neighbor, volunteer)?)
    }
}

/// Whether this pair is never to be brought together again.
///
/// # Errors
/// A failed query.
pub fn is_blocked(
    ctx: &Ctx,
    conn: &mut Conn,
    neighbor: &Neighbor,
    volunteer: &Volunteer,
) -> Result<bool, StorageError> {
    let pairs = pair_hashes(&ctx.vault.keys()?.hasher, neighbor, volunteer);
    Ok(!blocks::among(conn, &pairs)?.is_empty())
}

/// What a pair is known by: each contact of the one with each of the other, and the two records. Of a
/// neighbor without a contact of her own, her caller's count.
pub(super) fn pair_hashes(
    hasher: &Hasher,
    neighbor: &Neighbor,
    volunteer: &Volunteer,
) -> Vec<KeyedHash> {
    let records = hasher.pair(
        &hasher.call(&[neighbor.id.as_bytes()]),
        &hasher.call(&[volunteer.id.as_bytes()]),
    );
    let mut pairs = vec![records];
    for one in contact_hashes(neighbor).into_iter().flatten() {
        for other in [volunteer.email_hash, volunteer.phone_hash]
            .into_iter()
            .flatten()
        {
            pairs.push(hasher.pair(&one, &other));
        }
    }
    pairs
}

fn contact_hashes(neighbor: &Neighbor) -> [Option<KeyedHash>; 2] {
    match [neighbor.email_hash, neighbor.phone_hash] {
        [None, None] => [neighbor.caller_email_hash, neighbor.caller_phone_hash],
        hers => hers,
    }
}
