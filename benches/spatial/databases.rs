//! The same question put to databases, each with its best statement, prepared once.

use std::f64::consts::PI;

use diesel::connection::SimpleConnection;
use diesel::pg::{Pg, PgConnection};
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Double};
use diesel::sqlite::{Sqlite, SqliteConnection};
use manyhands::domain::place::GeoPoint;

use super::rivals::{Rival, WANTED};
use super::world::{Offer, number};

/// Rows in one INSERT.
const AT_ONCE: usize = 50_000;

/// West, east, south and north of what an offer reaches, in degrees.
fn reached(offer: &Offer) -> [f64; 4] {
    let (lat, lon) = (offer.point.lat(), offer.point.lon());
    let north = f64::from(offer.reach_m) / (6_371_008.8 * PI / 180.0);
    let east = north / (lat.abs() + north).to_radians().cos();
    [lon - east, lon + east, lat - north, lat + north]
}

/// An R*Tree of the boxes around what each offer reaches: those that hold the point are few, and their
/// exact distances are computed here, for SQLite's own build has no trigonometry. (A tree of points
/// must look at everything within the widest reach of all.)
pub struct RStarTree {
    conn: SqliteConnection,
    offers: Vec<Offer>,
}

impl RStarTree {
    pub fn new(offers: &[Offer]) -> Self {
        let mut conn = SqliteConnection::establish(":memory:").expect("memory");
        conn.batch_execute(
            "CREATE VIRTUAL TABLE reach USING rtree(id, west, east, south, north); BEGIN",
        )
        .expect("a table");
        for offer in offers {
            let id = i64::try_from(number(offer.key)).expect("fits");
            PutBox(reached(offer), id)
                .execute(&mut conn)
                .expect("inserted");
        }
        conn.batch_execute("COMMIT").expect("committed");
        Self {
            conn,
            offers: offers.to_vec(),
        }
    }
}

impl Rival for RStarTree {
    fn nearest(&mut self, from: GeoPoint) -> Vec<(usize, f64)> {
        let ids: Vec<i64> = BoxesAround([from.lon(), from.lat()])
            .load(&mut self.conn)
            .expect("ids");
        let mut hits: Vec<_> = ids
            .into_iter()
            .filter_map(|id| {
                let number = usize::try_from(id).expect("a number");
                let offer = &self.offers[number];
                let distance_m = from.distance_m(offer.point);
                (distance_m <= f64::from(offer.reach_m)).then_some((number, distance_m))
            })
            .collect();
        hits.sort_unstable_by(|a, b| a.1.total_cmp(&b.1));
        hits.truncate(WANTED);
        hits
    }
}

/// `PostGIS`, with a `GiST` index for the one category there is.
pub struct PostGis {
    conn: PgConnection,
    widest_m: f64,
    by: PostGisBy,
}

/// Which index, and so which statement.
#[derive(Clone, Copy)]
pub enum PostGisBy {
    /// Of the points, walked from the nearest on by `<->` to the end of the widest reach.
    Distance,
    /// Of the boxes around what each offer reaches, as for the R*Tree.
    Boxes,
}

impl PostGis {
    pub fn new(url: &str, by: PostGisBy, offers: &[Offer]) -> Self {
        let mut conn = PgConnection::establish(url).expect("the server answers");
        conn.batch_execute(
            "SET client_min_messages = warning; CREATE EXTENSION IF NOT EXISTS postgis;
             DROP TABLE IF EXISTS offers; SET jit = off; SET max_parallel_workers_per_gather = 0;
             CREATE UNLOGGED TABLE offers (id bigint, at geography(point), reach_m float8, reached box2d)",
        )
        .expect("a table");
        for offers in offers.chunks(AT_ONCE) {
            let column = |value: fn(&Offer) -> f64| offers.iter().map(value).collect::<Vec<_>>();
            let ids: Vec<i64> = offers
                .iter()
                .map(|o| i64::try_from(number(o.key)).expect("fits"))
                .collect();
            diesel::sql_query(
                "INSERT INTO offers SELECT id, ST_MakePoint(lon, lat)::geography, reach_m,
                        ST_MakeBox2D(ST_MakePoint(west, south), ST_MakePoint(east, north))
                 FROM unnest($1, $2, $3, $4, $5, $6, $7, $8)
                     AS o(id, lon, lat, reach_m, west, east, south, north)",
            )
            .bind::<Array<BigInt>, _>(ids)
            .bind::<Array<Double>, _>(column(|o| o.point.lon()))
            .bind::<Array<Double>, _>(column(|o| o.point.lat()))
            .bind::<Array<Double>, _>(column(|o| f64::from(o.reach_m)))
            .bind::<Array<Double>, _>(column(|o| reached(o)[0]))
            .bind::<Array<Double>, _>(column(|o| reached(o)[1]))
            .bind::<Array<Double>, _>(column(|o| reached(o)[2]))
            .bind::<Array<Double>, _>(column(|o| reached(o)[3]))
            .execute(&mut conn)
            .expect("inserted");
        }
        conn.batch_execute(match by {
            PostGisBy::Distance => "CREATE INDEX ON offers USING gist (at)",
            PostGisBy::Boxes => "CREATE INDEX ON offers USING gist ((reached::geometry))",
        })
        .expect("an index");
        conn.batch_execute("VACUUM ANALYZE offers")
            .expect("figures");
        let widest_m = offers.iter().map(|o| o.reach_m).max().unwrap_or(0);
        Self {
            conn,
            widest_m: f64::from(widest_m),
            by,
        }
    }
}

impl Rival for PostGis {
    fn nearest(&mut self, from: GeoPoint) -> Vec<(usize, f64)> {
        let (lon, lat) = (from.lon(), from.lat());
        let rows: QueryResult<Vec<(i64, f64)>> = match self.by {
            PostGisBy::Distance => ByDistance([lon, lat], self.widest_m).load(&mut self.conn),
            PostGisBy::Boxes => ByBoxes([lon, lat]).load(&mut self.conn),
        };
        rows.expect("rows")
            .into_iter()
            .map(|(id, distance_m)| (usize::try_from(id).expect("a number"), distance_m))
            .collect()
    }
}

/// What the statements need to be kept prepared.
macro_rules! prepared {
    ($name:ident, $row:ty, $conn:ty) => {
        impl QueryId for $name {
            type QueryId = Self;
            const HAS_STATIC_QUERY_ID: bool = true;
        }
        impl Query for $name {
            type SqlType = $row;
        }
        impl RunQueryDsl<$conn> for $name {}
    };
}

struct PutBox([f64; 4], i64);
prepared!(PutBox, BigInt, SqliteConnection);

impl QueryFragment<Sqlite> for PutBox {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        out.push_sql("INSERT INTO reach VALUES (");
        out.push_bind_param::<BigInt, _>(&self.1)?;
        for side in &self.0 {
            out.push_sql(", ");
            out.push_bind_param::<Double, _>(side)?;
        }
        out.push_sql(")");
        Ok(())
    }
}

/// Longitude and latitude.
struct BoxesAround([f64; 2]);
prepared!(BoxesAround, BigInt, SqliteConnection);

impl QueryFragment<Sqlite> for BoxesAround {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        let [lon, lat] = &self.0;
        let sides = [
            ("west <= ", lon),
            ("east >= ", lon),
            ("south <= ", lat),
            ("north >= ", lat),
        ];
        out.push_sql("SELECT id FROM reach WHERE true");
        for (side, value) in sides {
            out.push_sql(" AND ");
            out.push_sql(side);
            out.push_bind_param::<Double, _>(value)?;
        }
        Ok(())
    }
}

/// The point, longitude and latitude, as `p`.
fn push_point<'b>(out: &mut AstPass<'_, 'b, Pg>, [lon, lat]: &'b [f64; 2]) -> QueryResult<()> {
    out.push_sql("SELECT id, ST_Distance(at, p, false) FROM offers, (SELECT ST_MakePoint(");
    out.push_bind_param::<Double, _>(lon)?;
    out.push_sql(", ");
    out.push_bind_param::<Double, _>(lat)?;
    out.push_sql(")::geography AS p) AS here WHERE ST_Distance(at, p, false) <= reach_m AND ");
    Ok(())
}

/// The point, and the widest reach of all, where the walk may end.
struct ByDistance([f64; 2], f64);
prepared!(ByDistance, (BigInt, Double), PgConnection);

impl QueryFragment<Pg> for ByDistance {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        push_point(&mut out, &self.0)?;
        out.push_sql("ST_DWithin(at, p, ");
        out.push_bind_param::<Double, _>(&self.1)?;
        out.push_sql(", false) ORDER BY at <-> p LIMIT 10");
        Ok(())
    }
}

/// The point.
struct ByBoxes([f64; 2]);
prepared!(ByBoxes, (BigInt, Double), PgConnection);

impl QueryFragment<Pg> for ByBoxes {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        push_point(&mut out, &self.0)?;
        out.push_sql("reached::geometry && p::geometry ORDER BY 2 LIMIT 10");
        Ok(())
    }
}
