//! The chain that seals the audit: each link hashes the one before it and one entry, with a key that
//! the database does not hold. Who edits, removes, inserts or reorders entries breaks it, and cannot
//! mend it without the key ring.
//!
//! Entries are sealed strictly in the order of their numbers; the links have numbers of their own, one
//! after the other, because those of the audit may have gaps. A chain alone cannot show that its end
//! was cut off: for that somebody has to keep a [`Head`] elsewhere.

use std::fmt;
use std::str::FromStr;

use diesel::prelude::*;
use serde_json::Value;

use super::audit::Entry;
use super::connection::{Conn, with};
use super::schema::audit_chain;
use crate::crypto::lookup::{Hasher, KeyedHash};

/// A link of the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Queryable, Selectable, Insertable)]
#[diesel(table_name = audit_chain, treat_none_as_default_value = false)]
#[expect(missing_docs, reason = "the columns are described in the migration")]
pub struct Link {
    pub number: i64,
    pub seq: i64,
    pub hash: KeyedHash,
}

impl Link {
    /// The link that seals `entry` behind `last`; the first one, where there is none.
    #[must_use]
    pub fn following(last: Option<&Self>, entry: &Entry, hasher: &Hasher) -> Self {
        let number = last.map_or(0, |link| link.number) + 1;
        let hash = hasher.audit(&[
            last.map_or(&[0; 32], |link| link.hash.as_bytes()),
            &number.to_be_bytes(),
            &entry.seq.to_be_bytes(),
            &entry.at.as_micros().to_be_bytes(),
            entry.actor.as_str().as_bytes(),
            entry
                .actor_id
                .as_ref()
                .map_or(&[], |id| id.as_bytes().as_slice()),
            entry.action.as_bytes(),
            entry.subject.as_bytes(),
            entry.subject_id.as_bytes(),
            canonical(&entry.detail.0).as_bytes(),
        ]);
        Self {
            number,
            seq: entry.seq,
            hash,
        }
    }

    /// This link as the end of the chain.
    #[must_use]
    pub fn head(&self) -> Head {
        Head {
            number: self.number,
            hash: self.hash,
        }
    }
}

/// The same text for the same value, however a database orders and spaces it.
fn canonical(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(name, _)| *name);
            let fields: Vec<_> = fields
                .into_iter()
                .map(|(name, value)| format!("{}:{}", Value::from(&**name), canonical(value)))
                .collect();
            format!("{{{}}}", fields.join(","))
        }
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(canonical).collect();
            format!("[{}]", items.join(","))
        }
        scalar => scalar.to_string(),
    }
}

/// The end of the chain at some time, to be kept elsewhere: `NUMBER:HASH`. It tells nothing about any
/// entry, and the whole chain up to it can be checked against it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// How many entries are sealed.
    pub number: i64,
    /// The hash of the last link.
    pub hash: KeyedHash,
}

impl fmt::Display for Head {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hash = blake3::Hash::from_bytes(*self.hash.as_bytes());
        write!(f, "{}:{}", self.number, hash.to_hex())
    }
}

/// A text that is no [`Head`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be NUMBER:HASH, as `manyhands audit verify` prints it")]
pub struct NoHead;

impl FromStr for Head {
    type Err = NoHead;

    fn from_str(text: &str) -> Result<Self, NoHead> {
        let (number, hash) = text.trim().split_once(':').ok_or(NoHead)?;
        let number = number.parse().map_err(|_| NoHead)?;
        let hash = blake3::Hash::from_hex(hash).map_err(|_| NoHead)?;
        if number < 1 {
            return Err(NoHead);
        }
        Ok(Self {
            number,
            hash: KeyedHash::from(*hash.as_bytes()),
        })
    }
}

/// The last link.
///
/// # Errors
/// A failed query.
pub fn last(conn: &mut Conn) -> QueryResult<Option<Link>> {
    with!(conn, c => audit_chain::table
        .order(audit_chain::number.desc())
        .select(Link::as_select())
        .first(c)
        .optional())
}

/// The link of that number.
///
/// # Errors
/// A failed query.
pub fn find(conn: &mut Conn, number: i64) -> QueryResult<Option<Link>> {
    with!(conn, c => audit_chain::table.find(number).select(Link::as_select()).first(c).optional())
}

/// Links after `number`, in their order.
///
/// # Errors
/// A failed query.
pub fn after(conn: &mut Conn, number: i64, limit: i64) -> QueryResult<Vec<Link>> {
    with!(conn, c => audit_chain::table
        .filter(audit_chain::number.gt(number))
        .order(audit_chain::number)
        .limit(limit)
        .select(Link::as_select())
        .load(c))
}

/// Appends links, if the chain still ends where they begin. A constraint stops whoever does it at the
/// same instant. Tells whether they were appended.
///
/// # Errors
/// A failed query.
pub fn append(conn: &mut Conn, end: Option<&Link>, links: &[Link]) -> QueryResult<bool> {
    if last(conn)?.as_ref() != end {
        return Ok(false);
    }
    with!(conn, c => diesel::insert_into(audit_chain::table).values(links).execute(c))?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_form_of_a_detail_does_not_depend_on_its_spelling() {
        let one: Value =
            serde_json::from_str(r#"{"b": [1, {"y": null, "x": "\u00e9"}], "a": true}"#).unwrap();
        let other: Value =
            serde_json::from_str(r#"{"a":true,"b":[1,{"x":"é","y":null}]}"#).unwrap();
        assert_eq!(canonical(&one), canonical(&other));
        assert_eq!(canonical(&one), r#"{"a":true,"b":[1,{"x":"é","y":null}]}"#);
    }

    #[test]
    fn a_head_is_read_as_it_is_shown() {
        let head = Head {
            number: 4711,
            hash: KeyedHash::from([7; 32]),
        };
        assert_eq!(head.to_string().parse(), Ok(head));
        assert_eq!(format!(" {head}\n").parse(), Ok(head));
        for text in ["", "4711", "4711:07", "0:07", "x:y"] {
            assert_eq!(text.parse::<Head>(), Err(NoHead), "{text}");
        }
        assert_eq!(
            format!("-1:{}", "07".repeat(32)).parse::<Head>(),
            Err(NoHead)
        );
    }
}
