//! How domain types stand in columns. One place for all of them, so that the domain knows no database.
//!
//! The SQL types are our own, native on each backend and equal in every query: ids are 16 bytes or a
//! uuid, instants microseconds or a timestamptz, JSON checked text or a jsonb.

use std::io::Write;

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
use diesel::pg::{Pg, PgValue};
use diesel::serialize::{self, IsNull, Output, ToSql};
use diesel::sql_types::{BigInt, Binary, Integer, SqlType, Text};
use diesel::sqlite::Sqlite;
use serde::Serialize;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::crypto::lookup::KeyedHash;
use crate::crypto::seal::Sealed;
use crate::crypto::token::Purpose;
use crate::domain::area::Radius;
use crate::domain::category::CategoryKey;
use crate::domain::clock::Ts;
use crate::domain::ids::{
    AreaId, CoordinatorId, ImportId, LeaseId, LetterId, MatchId, NeighborId, OfferId, PlanId,
    PlanPairId, RecordId, ReportId, RequestId, TaskId, VolunteerId, WebhookId,
};
use crate::domain::import::{ImportKind, ImportState};
use crate::domain::lifecycle::{
    Agreement, Attention, CloseReason, DeclineReason, FallReason, MatchState, OfferState,
    RequestState,
};
use crate::domain::need::{Handover, LeadTime, Quantity, Reach, Renews, Urgency, Verified};
use crate::domain::place::{Cell, DistanceBand};

/// An id: 16 bytes, a uuid.
#[derive(SqlType, diesel::query_builder::QueryId, Clone, Copy, Debug)]
#[diesel(sqlite_type(name = "Binary"))]
#[diesel(postgres_type(oid = 2950, array_oid = 2951))]
pub struct Id;

/// An instant: microseconds since 1970, UTC; a timestamptz, which on the wire are microseconds since 2000.
#[derive(SqlType, diesel::query_builder::QueryId, Clone, Copy, Debug)]
#[diesel(sqlite_type(name = "Long"))]
#[diesel(postgres_type(oid = 1184, array_oid = 1185))]
pub struct Instant;

impl diesel::sql_types::SqlOrd for Instant {}

/// A JSON value: text, or a jsonb.
#[derive(SqlType, diesel::query_builder::QueryId, Clone, Copy, Debug)]
#[diesel(sqlite_type(name = "Text"))]
#[diesel(postgres_type(oid = 3802, array_oid = 3807))]
pub struct JsonText;

/// A value kept as JSON.
#[derive(Clone, Debug, PartialEq, Eq, AsExpression, FromSqlRow)]
#[diesel(sql_type = JsonText)]
pub struct Json<T: std::fmt::Debug>(pub T);

impl<T: Serialize + std::fmt::Debug> ToSql<JsonText, Sqlite> for Json<T> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
        out.set_value(serde_json::to_string(&self.0)?);
        Ok(IsNull::No)
    }
}

impl<T: DeserializeOwned + std::fmt::Debug> FromSql<JsonText, Sqlite> for Json<T> {
    fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
        let text = <String as FromSql<Text, Sqlite>>::from_sql(value)?;
        Self::parse(text.as_bytes())
    }
}

/// The version of a jsonb on the wire, before the text.
const JSONB: u8 = 1;

impl<T: Serialize + std::fmt::Debug> ToSql<JsonText, Pg> for Json<T> {
    fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
        out.write_all(&[JSONB])?;
        serde_json::to_writer(out, &self.0)?;
        Ok(IsNull::No)
    }
}

impl<T: DeserializeOwned + std::fmt::Debug> FromSql<JsonText, Pg> for Json<T> {
    fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
        match value.as_bytes() {
            [JSONB, text @ ..] => Self::parse(text),
            _ => Err("a jsonb of an unknown version".into()),
        }
    }
}

impl<T: DeserializeOwned + std::fmt::Debug> Json<T> {
    fn parse(text: &[u8]) -> deserialize::Result<Self> {
        // The parser's own message could repeat the content.
        serde_json::from_slice(text)
            .map(Self)
            .map_err(|_| "JSON of another form than expected".into())
    }
}

/// Gives types of other modules an SQL type: `Type => SqlType, to: expression of the stored value,
/// from: (stored type) -> Result<Type, impl Into<Box<dyn Error>>>`.
macro_rules! columns {
    ($($type:ty => $sql:ty, $stored:ty, |$v:ident| $to:expr, |$s:ident| $from:expr;)*) => {$(
        const _: () = {
            #[derive(AsExpression, FromSqlRow)]
            #[diesel(sql_type = $sql, foreign_derive)]
            #[expect(dead_code, reason = "only its derived implementations are used")]
            struct Proxy($type);

            impl ToSql<$sql, Sqlite> for $type {
                fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
                    let $v = self;
                    out.set_value($to);
                    Ok(IsNull::No)
                }
            }

            impl FromSql<$sql, Sqlite> for $type {
                fn from_sql(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
                    let $s = <$stored as Stored>::read(value)?;
                    $from
                }
            }

            impl ToSql<$sql, Pg> for $type {
                fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Pg>) -> serialize::Result {
                    let $v = self;
                    out.write_all(<$sql as OnWire<$stored>>::bytes($to).as_ref())?;
                    Ok(IsNull::No)
                }
            }

            impl FromSql<$sql, Pg> for $type {
                fn from_sql(value: PgValue<'_>) -> deserialize::Result<Self> {
                    let $s = <$sql as OnWire<$stored>>::value(value.as_bytes())?;
                    $from
                }
            }
        };
    )*};
}

/// What a column gives back before it is parsed.
trait Stored: Sized {
    fn read(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self>;
}

macro_rules! stored {
    ($($type:ty => $sql:ty;)*) => {$(
        impl Stored for $type {
            fn read(value: <Sqlite as Backend>::RawValue<'_>) -> deserialize::Result<Self> {
                <Self as FromSql<$sql, Sqlite>>::from_sql(value)
            }
        }
    )*};
}

stored! {
    Vec<u8> => Binary;
    String => Text;
    i64 => BigInt;
    i32 => Integer;
}

/// How a plain value of a column travels to and from PostgreSQL, in its binary form.
trait OnWire<V> {
    /// What `columns!` gives for it.
    type Given<'a>;
    fn bytes(value: Self::Given<'_>) -> impl AsRef<[u8]>;
    fn value(bytes: &[u8]) -> deserialize::Result<V>;
}

macro_rules! bytes_on_wire {
    ($($sql:ty)*) => {$(
        impl OnWire<Vec<u8>> for $sql {
            type Given<'a> = &'a [u8];
            fn bytes(value: Self::Given<'_>) -> impl AsRef<[u8]> {
                value
            }
            fn value(bytes: &[u8]) -> deserialize::Result<Vec<u8>> {
                Ok(bytes.to_vec())
            }
        }
    )*};
}

bytes_on_wire!(Id Binary);

impl OnWire<String> for Text {
    type Given<'a> = &'a str;
    fn bytes(value: Self::Given<'_>) -> impl AsRef<[u8]> {
        value
    }
    fn value(bytes: &[u8]) -> deserialize::Result<String> {
        Ok(String::from_utf8(bytes.to_vec())?)
    }
}

macro_rules! numbers_on_wire {
    ($($sql:ty, $number:ty;)*) => {$(
        impl OnWire<$number> for $sql {
            type Given<'a> = $number;
            fn bytes(value: Self::Given<'_>) -> impl AsRef<[u8]> {
                value.to_be_bytes()
            }
            fn value(bytes: &[u8]) -> deserialize::Result<$number> {
                Ok(<$number>::from_be_bytes(bytes.try_into()?))
            }
        }
    )*};
}

numbers_on_wire! {
    BigInt, i64;
    Integer, i32;
}

/// 2000-01-01, from which PostgreSQL counts, in microseconds since 1970.
const POSTGRES_EPOCH: i64 = 946_684_800_000_000;

impl OnWire<i64> for Instant {
    type Given<'a> = i64;
    fn bytes(micros: Self::Given<'_>) -> impl AsRef<[u8]> {
        micros.saturating_sub(POSTGRES_EPOCH).to_be_bytes()
    }
    fn value(bytes: &[u8]) -> deserialize::Result<i64> {
        let since_2000 = <BigInt as OnWire<i64>>::value(bytes)?;
        Ok(since_2000.saturating_add(POSTGRES_EPOCH))
    }
}

macro_rules! id_columns {
    ($($type:ty),* $(,)?) => { columns! {$(
        $type => Id, Vec<u8>, |id| id.as_bytes().as_slice(), |bytes| Ok(Uuid::from_slice(&bytes)?.into());
    )*} };
}

macro_rules! word_columns {
    ($($type:ty),* $(,)?) => { columns! {$(
        $type => Text, String, |word| word.as_str(), |text| Ok(text.parse()?);
    )*} };
}

id_columns!(
    RecordId,
    LeaseId,
    NeighborId,
    RequestId,
    VolunteerId,
    OfferId,
    MatchId,
    LetterId,
    CoordinatorId,
    ReportId,
    TaskId,
    AreaId,
    PlanId,
    PlanPairId,
    ImportId,
    WebhookId
);

word_columns!(
    ImportKind,
    ImportState,
    Urgency,
    Handover,
    Renews,
    Verified,
    RequestState,
    OfferState,
    MatchState,
    Agreement,
    FallReason,
    CloseReason,
    DeclineReason,
    Attention,
    Purpose,
    CategoryKey,
    DistanceBand,
    super::requests::HeldBy,
    super::matches::DoneBy,
    super::coordinators::Scope,
    super::letters::LetterState,
    super::letters::RecipientKind,
    super::changes::Entity,
    super::audit::ActorKind,
    crate::domain::letter::LetterKind,
    crate::domain::webhook::Notice,
    crate::domain::webhook::DisabledBecause,
    crate::domain::report::Problem,
    crate::domain::report::Reporter,
    crate::domain::report::Side,
    crate::domain::task::TaskKind,
    crate::domain::task::TaskOutcome,
    crate::domain::area::AreaReason,
    crate::domain::area::Settling,
    crate::domain::plan::PairState,
    crate::domain::plan::SkipReason,
);

columns! {
    Ts => Instant, i64, |t| t.as_micros(), |micros| Ok(Self::from_micros(micros));
    Cell => BigInt, i64, |cell| cell.to_i64(), |number| Ok(Self::try_from(number)?);
    Quantity => Integer, i32, |q| q.get(), |n| Ok(Self::try_from(i64::from(n))?);
    Radius => Integer, i32, |r| r.meters(), |n| Ok(Self::try_from(i64::from(n))?);
    LeadTime => Integer, i32, |l| l.minutes(), |n| Ok(Self::try_from(i64::from(n))?);
    Reach => Integer, i32, |r| r.meters(), |n| Ok(Self::try_from(i64::from(n))?);
    KeyedHash => Binary, Vec<u8>, |h| h.as_bytes().as_slice(),
        |bytes| <[u8; 32]>::try_from(bytes).map(Self::from).map_err(|_| "a hash is not 32 bytes".into());
    Sealed => Binary, Vec<u8>, |s| s.as_bytes(), |bytes| Ok(Self::from_bytes(bytes));
}
