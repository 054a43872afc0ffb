//! How domain types stand in columns. One place for all of them, so that the domain knows no database.
//!
//! The SQL types are our own, native on each backend and equal in every query: ids are 16 bytes,
//! instants microseconds, JSON checked text.

use diesel::backend::Backend;
use diesel::deserialize::{self, FromSql, FromSqlRow};
use diesel::expression::AsExpression;
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
    AreaId, CoordinatorId, LeaseId, LetterId, MatchId, NeighborId, OfferId, RecordId, ReportId,
    RequestId, TaskId, VolunteerId,
};
use crate::domain::lifecycle::{
    Agreement, Attention, CloseReason, DeclineReason, FallReason, MatchState, OfferState,
    RequestState,
};
use crate::domain::need::{Handover, Quantity, Reach, Renews, Urgency, Verified};
use crate::domain::place::{Cell, DistanceBand};

/// An id: 16 bytes.
#[derive(SqlType, diesel::query_builder::QueryId, Clone, Copy, Debug)]
#[diesel(sqlite_type(name = "Binary"))]
pub struct Id;

/// An instant: microseconds since 1970, UTC.
#[derive(SqlType, diesel::query_builder::QueryId, Clone, Copy, Debug)]
#[diesel(sqlite_type(name = "Long"))]
pub struct Instant;

impl diesel::sql_types::SqlOrd for Instant {}

/// A JSON value.
#[derive(SqlType, diesel::query_builder::QueryId, Clone, Copy, Debug)]
#[diesel(sqlite_type(name = "Text"))]
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
        // The parser's own message could repeat the content.
        serde_json::from_str(&text)
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
    AreaId
);

word_columns!(
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
    crate::domain::report::Problem,
    crate::domain::report::Reporter,
    crate::domain::report::Side,
    crate::domain::task::TaskKind,
    crate::domain::task::TaskOutcome,
    crate::domain::area::AreaReason,
    crate::domain::area::Settling,
);

columns! {
    Ts => Instant, i64, |t| t.as_micros(), |micros| Ok(Self::from_micros(micros));
    Cell => BigInt, i64, |cell| cell.to_i64(), |number| Ok(Self::try_from(number)?);
    Quantity => Integer, i32, |q| q.get(), |n| Ok(Self::try_from(i64::from(n))?);
    Radius => Integer, i32, |r| r.meters(), |n| Ok(Self::try_from(i64::from(n))?);
    Reach => Integer, i32, |r| r.meters(), |n| Ok(Self::try_from(i64::from(n))?);
    KeyedHash => Binary, Vec<u8>, |h| h.as_bytes().as_slice(),
        |bytes| <[u8; 32]>::try_from(bytes).map(Self::from).map_err(|_| "a hash is not 32 bytes".into());
    Sealed => Binary, Vec<u8>, |s| s.as_bytes(), |bytes| Ok(Self::from_bytes(bytes));
}
