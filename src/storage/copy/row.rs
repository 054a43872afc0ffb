//! Rows of any table: read as a tuple of its columns, written again, and brought into one form that is
//! the same wherever they stand.

use blake3::Hasher;
use diesel::dsl::Eq;
use diesel::expression::{AsExpression, Expression};
use diesel::prelude::*;
use diesel::sql_types::{
    BigInt, Binary, Bool, Double, Integer, Nullable, SqlType, Text, is_nullable,
};
use serde_json::Value;

use crate::domain::clock::Ts;
use crate::domain::ids::RecordId;
use crate::storage::sql_types::{Id, Instant, Json, JsonText};

/// What a column of an SQL type holds.
pub(super) trait Kept {
    type Value;
}

macro_rules! kept {
    ($($sql:ty => $value:ty),* $(,)?) => {$(
        impl Kept for $sql {
            type Value = $value;
        }
    )*};
}

kept!(
    Id => RecordId,
    Instant => Ts,
    JsonText => Json<Value>,
    Text => String,
    Binary => Vec<u8>,
    BigInt => i64,
    Integer => i32,
    Bool => bool,
    Double => f64,
);

impl<S: Kept + SqlType<IsNull = is_nullable::NotNull>> Kept for Nullable<S> {
    type Value = Option<S::Value>;
}

/// The form of a value that does not depend on the database which gave it: what is equal has the same
/// bytes, and what differs has others.
pub(super) trait Canonical {
    fn feed(&self, hasher: &mut Hasher);
}

/// With the length before it, so that no two columns can be taken for two others.
fn feed_bytes(hasher: &mut Hasher, bytes: &[u8]) {
    hasher.update(&(bytes.len() as u64).to_be_bytes());
    hasher.update(bytes);
}

impl Canonical for RecordId {
    fn feed(&self, hasher: &mut Hasher) {
        hasher.update(self.as_bytes());
    }
}

impl Canonical for Ts {
    fn feed(&self, hasher: &mut Hasher) {
        self.as_micros().feed(hasher);
    }
}

impl Canonical for i64 {
    fn feed(&self, hasher: &mut Hasher) {
        hasher.update(&self.to_be_bytes());
    }
}

impl Canonical for i32 {
    fn feed(&self, hasher: &mut Hasher) {
        hasher.update(&self.to_be_bytes());
    }
}

impl Canonical for f64 {
    fn feed(&self, hasher: &mut Hasher) {
        hasher.update(&self.to_bits().to_be_bytes());
    }
}

impl Canonical for bool {
    fn feed(&self, hasher: &mut Hasher) {
        hasher.update(&[u8::from(*self)]);
    }
}

impl Canonical for String {
    fn feed(&self, hasher: &mut Hasher) {
        feed_bytes(hasher, self.as_bytes());
    }
}

impl Canonical for Vec<u8> {
    fn feed(&self, hasher: &mut Hasher) {
        feed_bytes(hasher, self);
    }
}

impl<T: Canonical> Canonical for Option<T> {
    fn feed(&self, hasher: &mut Hasher) {
        self.is_some().feed(hasher);
        if let Some(value) = self {
            value.feed(hasher);
        }
    }
}

impl Canonical for Json<Value> {
    fn feed(&self, hasher: &mut Hasher) {
        feed_json(hasher, &self.0);
    }
}

/// Whatever the order of its fields and the spelling of its numbers: a server keeps neither.
fn feed_json(hasher: &mut Hasher, value: &Value) {
    match value {
        Value::Null => drop(hasher.update(b"n")),
        Value::Bool(is) => is.feed(hasher.update(b"b")),
        Value::Number(number) => {
            // 1e16 comes back as 10000000000000000.
            let whole = number.as_i64().map(i128::from);
            let whole = whole.or_else(|| number.as_u64().map(i128::from));
            let whole = whole.or_else(|| number.as_f64().and_then(whole_of));
            match whole {
                Some(whole) => drop(hasher.update(b"i").update(&whole.to_be_bytes())),
                None => number.as_f64().feed(hasher.update(b"f")),
            }
        }
        Value::String(text) => text.feed(hasher.update(b"s")),
        Value::Array(items) => {
            items.len().to_string().feed(hasher.update(b"a"));
            for item in items {
                feed_json(hasher, item);
            }
        }
        Value::Object(fields) => {
            fields.len().to_string().feed(hasher.update(b"o"));
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_unstable_by_key(|(name, _)| *name);
            for (name, item) in fields {
                name.feed(hasher);
                feed_json(hasher, item);
            }
        }
    }
}

fn whole_of(number: f64) -> Option<i128> {
    const BOUND: f64 = 1e30;
    #[expect(clippy::cast_possible_truncation, reason = "it is whole and in bounds")]
    (number.fract() == 0.0 && number.abs() < BOUND).then_some(number as i128)
}

/// A column that a row is found by: in a form whose bytes have the order of the values, and one to show.
pub(super) trait Key {
    fn ordered(&self, into: &mut Vec<u8>);
    fn shown(&self) -> String;
}

impl Key for RecordId {
    fn ordered(&self, into: &mut Vec<u8>) {
        into.extend_from_slice(self.as_bytes());
    }
    fn shown(&self) -> String {
        self.to_string()
    }
}

impl Key for i64 {
    fn ordered(&self, into: &mut Vec<u8>) {
        into.extend_from_slice(&(self ^ Self::MIN).to_be_bytes());
    }
    fn shown(&self) -> String {
        self.to_string()
    }
}

impl Key for i32 {
    fn ordered(&self, into: &mut Vec<u8>) {
        i64::from(*self).ordered(into);
    }
    fn shown(&self) -> String {
        self.to_string()
    }
}

impl Key for Ts {
    fn ordered(&self, into: &mut Vec<u8>) {
        self.as_micros().ordered(into);
    }
    fn shown(&self) -> String {
        self.to_string()
    }
}

/// All keys of bytes are hashes of one length, and no text has a zero in it.
impl Key for Vec<u8> {
    fn ordered(&self, into: &mut Vec<u8>) {
        into.extend_from_slice(self);
    }
    fn shown(&self) -> String {
        use std::fmt::Write;
        self.iter().take(8).fold(String::new(), |mut text, byte| {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

impl Key for String {
    fn ordered(&self, into: &mut Vec<u8>) {
        into.extend_from_slice(self.as_bytes());
        into.push(0);
    }
    fn shown(&self) -> String {
        self.clone()
    }
}

/// The columns of a table, by their SQL types.
pub(super) trait Columns {
    type Row;
}

/// Puts a row into columns.
pub(super) trait Assign<Row> {
    type Values;
    fn assign(self, row: Row) -> Self::Values;
}

macro_rules! row {
    ($($n:tt $c:ident $v:ident),*) => {
        impl<$($c: Kept),*> Columns for ($($c,)*) {
            type Row = ($($c::Value,)*);
        }

        impl<$($v: Canonical),*> Canonical for ($($v,)*) {
            fn feed(&self, hasher: &mut Hasher) {
                $(self.$n.feed(hasher);)*
            }
        }

        impl<$($c, $v),*> Assign<($($v,)*)> for ($($c,)*)
        where
            $($c: ExpressionMethods, <$c as Expression>::SqlType: SqlType,
              $v: AsExpression<<$c as Expression>::SqlType>,)*
        {
            type Values = ($(Eq<$c, $v>,)*);
            fn assign(self, row: ($($v,)*)) -> Self::Values {
                ($(self.$n.eq(row.$n),)*)
            }
        }
    };
}

/// Tuples of every length up to that of the widest table.
macro_rules! rows {
    ([$($done:tt)*]) => {};
    ([$($n:tt $c:ident $v:ident)*] $n1:tt $c1:ident $v1:ident, $($rest:tt)*) => {
        row!($($n $c $v,)* $n1 $c1 $v1);
        rows!([$($n $c $v)* $n1 $c1 $v1] $($rest)*);
    };
}

rows!([] 0 C0 V0, 1 C1 V1, 2 C2 V2, 3 C3 V3, 4 C4 V4, 5 C5 V5, 6 C6 V6, 7 C7 V7, 8 C8 V8, 9 C9 V9,
    10 C10 V10, 11 C11 V11, 12 C12 V12, 13 C13 V13, 14 C14 V14, 15 C15 V15, 16 C16 V16, 17 C17 V17,
    18 C18 V18, 19 C19 V19, 20 C20 V20, 21 C21 V21, 22 C22 V22, 23 C23 V23, 24 C24 V24, 25 C25 V25,
    26 C26 V26, 27 C27 V27, 28 C28 V28, 29 C29 V29, 30 C30 V30, 31 C31 V31, 32 C32 V32,
    33 C33 V33, 34 C34 V34,);

#[cfg(test)]
mod tests {
    use super::*;

    fn hash(json: &str) -> blake3::Hash {
        let mut hasher = Hasher::new();
        Json(serde_json::from_str::<Value>(json).unwrap()).feed(&mut hasher);
        hasher.finalize()
    }

    #[test]
    fn the_spelling_of_json_does_not_count_and_its_meaning_does() {
        let same = [
            (
                r#"{"a": 1, "b": [true, null]}"#,
                r#"{"b":[true,null],"a":1}"#,
            ),
            ("1e16", "10000000000000000"),
            ("1.0", "1"),
            ("1e-7", "0.0000001"),
            (r#""é""#, r#""\u00e9""#),
        ];
        for (one, other) in same {
            assert_eq!(hash(one), hash(other), "{one} {other}");
        }
        let different = [
            ("1", "\"1\""),
            ("1", "1.5"),
            ("[1, 2]", "[2, 1]"),
            ("[[1], 2]", "[[1, 2]]"),
            (r#"{"a": null}"#, "{}"),
            (r#"["ab", "c"]"#, r#"["a", "bc"]"#),
            ("18446744073709551615", "18446744073709551614"),
        ];
        for (one, other) in different {
            assert_ne!(hash(one), hash(other), "{one} {other}");
        }
    }

    #[test]
    fn keys_have_the_order_of_their_values() {
        let ordered = |key: &dyn Key| {
            let mut bytes = Vec::new();
            key.ordered(&mut bytes);
            bytes
        };
        let numbers = [i64::MIN, -256, -1, 0, 1, 255, 256, i64::MAX];
        assert!(numbers.is_sorted_by_key(|number| ordered(number)));
        let texts = ["", "a", "aa", "b"].map(str::to_owned);
        assert!(texts.is_sorted_by_key(|text| ordered(text)));
    }
}
