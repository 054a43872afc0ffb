//! Two people who are never to be brought together again: known by their contacts, so that it outlives
//! their records, and by their records, so that it outlives a change of contact.

use super::{Ctx, Outcome, Tx};
use crate::crypto::lookup::{Hasher, KeyedHash};
use crate::storage::neighbors::Neighbor;
use crate::storage::volunteers::Volunteer;
use crate::storage::{Conn, StorageError, blocks};

impl Tx<'_> {
    /// Whether a neighbor with one of these contacts is blocked, erased or not.
    pub(super) fn is_person_blocked(&mut self, contacts: &[KeyedHash]) -> Outcome<bool> {
        let known_by = person_hashes(&self.keys.hasher, contacts);
        Ok(!blocks::among(self.conn, &known_by)?.is_empty())
    }

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

/// Whether this pair is never to be brought together again, or the neighbor with nobody.
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
    Ok(neighbor.blocked_at.is_some() || !blocks::among(conn, &pairs)?.is_empty())
}

/// Which of these pairs are never to be brought together again, in their order.
///
/// # Errors
/// A failed query.
pub fn are_parted(
    ctx: &Ctx,
    conn: &mut Conn,
    pairs: &[(&Neighbor, &Volunteer)],
) -> Result<Vec<bool>, StorageError> {
    let keys = ctx.vault.keys()?;
    let hashes = |(neighbor, volunteer): &(&Neighbor, &Volunteer)| {
        pair_hashes(&keys.hasher, neighbor, volunteer)
    };
    let known: Vec<Vec<KeyedHash>> = pairs.iter().map(hashes).collect();
    let parted = blocks::among(conn, &known.concat())?;
    let is_parted = |of: &Vec<KeyedHash>| of.iter().any(|hash| parted.contains(hash));
    Ok(known.iter().map(is_parted).collect())
}

/// What a blocked neighbor is known by: each of her contacts, as one of nobody else's blocks.
pub(super) fn person_hashes(hasher: &Hasher, contacts: &[KeyedHash]) -> Vec<KeyedHash> {
    let everybody = hasher.call(&[b"blocked neighbor"]);
    let blocked = |contact: &KeyedHash| hasher.pair(contact, &everybody);
    contacts.iter().map(blocked).collect()
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
