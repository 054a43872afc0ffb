//! Where things are: exact points, which stay sealed, and H3 cells, which may be known.

use std::fmt;
use std::str::FromStr;

use geo::{Distance, Haversine};
use h3o::{CellIndex, LatLng, Resolution};
use serde::{Deserialize, Serialize};

use super::word::words;

/// An exact point, WGS 84, degrees. Hidden from `Debug`: for a private post it is where somebody lives.
#[derive(Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct GeoPoint {
    lat: f64,
    lon: f64,
}

impl GeoPoint {
    /// `lat` from -90 to 90 and `lon` from -180 to 180, both inclusive and finite.
    ///
    /// # Errors
    /// Names the field that is wrong (`"lat"` or `"lon"`) with what was expected.
    pub fn parse(lat: f64, lon: f64) -> Result<Self, (&'static str, &'static str)> {
        if !(-90.0..=90.0).contains(&lat) {
            return Err(("lat", "must be a number from -90 to 90"));
        }
        if !(-180.0..=180.0).contains(&lon) {
            return Err(("lon", "must be a number from -180 to 180"));
        }
        Ok(Self { lat, lon })
    }

    /// Degrees north.
    #[must_use]
    pub fn lat(self) -> f64 {
        self.lat
    }

    /// Degrees east.
    #[must_use]
    pub fn lon(self) -> f64 {
        self.lon
    }

    /// Great-circle distance in meters on a sphere of radius 6 371 008.8 m.
    #[must_use]
    pub fn distance_m(self, other: Self) -> f64 {
        Haversine.distance(
            geo::Point::new(self.lon, self.lat),
            geo::Point::new(other.lon, other.lat),
        )
    }
}

impl fmt::Debug for GeoPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GeoPoint(redacted)")
    }
}

/// How fine cells are: an H3 resolution from 0 (continents) to 15 (a square meter).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct CellSize(Resolution);

impl TryFrom<u8> for CellSize {
    type Error = &'static str;
    fn try_from(resolution: u8) -> Result<Self, Self::Error> {
        Resolution::try_from(resolution)
            .map(Self)
            .map_err(|_| "must be an H3 resolution from 0 to 15")
    }
}

impl CellSize {
    /// So many sizes coarser; never coarser than the coarsest.
    #[must_use]
    pub fn coarser(self, by: u8) -> Self {
        let resolution = u8::from(self.0).saturating_sub(by);
        Self::try_from(resolution).unwrap_or(self)
    }
}

impl From<CellSize> for u8 {
    fn from(size: CellSize) -> Self {
        size.0.into()
    }
}

/// An H3 cell (<https://h3geo.org>): the only location of a private post that anything outside a
/// coordinator's view may depend on. At resolution 8 it covers about 0.7 km².
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Cell(CellIndex);

impl Cell {
    /// The cell that contains `point`.
    #[must_use]
    pub fn of(point: GeoPoint, size: CellSize) -> Self {
        // `GeoPoint` is finite, which is all that `LatLng` asks for; the fallback is unreachable.
        let at = LatLng::new(point.lat, point.lon).unwrap_or_default();
        Self(at.to_cell(size.0))
    }

    /// The cell of `point`, or this one while the point is in it or in a neighboring cell: a person
    /// who corrects an address by a few meters must not draw a line between two cells by it.
    #[must_use]
    pub fn moved_to(self, point: GeoPoint, size: CellSize) -> Self {
        let new = Self::of(point, size);
        if self.is_near(new) { self } else { new }
    }

    /// Whether it is that cell, or one of its neighbors.
    #[must_use]
    pub fn is_near(self, other: Self) -> bool {
        matches!(self.0.grid_distance(other.0), Ok(0..=1))
    }

    /// This cell and its neighbors: seven, or six around one of H3's pentagons.
    #[must_use]
    pub fn ring(self) -> Vec<Self> {
        let cells: Vec<CellIndex> = self.0.grid_disk(1);
        cells.into_iter().map(Self).collect()
    }

    /// The cell's center.
    #[must_use]
    pub fn center(self) -> GeoPoint {
        let at = LatLng::from(self.0);
        GeoPoint {
            lat: at.lat(),
            lon: at.lng(),
        }
    }

    /// The next coarser cell that contains this one; `None` at resolution 0.
    #[must_use]
    pub fn parent(self) -> Option<Self> {
        let coarser = u8::from(self.0.resolution()).checked_sub(1)?;
        self.0.parent(Resolution::try_from(coarser).ok()?).map(Self)
    }

    /// The cell of that size that contains this one; this one where it is not finer.
    #[must_use]
    pub fn coarsened(self, size: CellSize) -> Self {
        self.0.parent(size.0).map_or(self, Self)
    }

    /// Whether this cell is that area, or lies in it.
    #[must_use]
    pub fn is_within(self, area: Self) -> bool {
        self.0.parent(area.0.resolution()) == Some(area.0)
    }

    /// H3's resolution of this cell.
    #[must_use]
    pub fn resolution(self) -> u8 {
        self.0.resolution().into()
    }

    /// How long an edge of the cell is, in meters: as far as its corners are from its middle.
    #[must_use]
    pub fn edge_m(self) -> f64 {
        self.0.resolution().edge_length_m()
    }

    /// The cell as a signed number, for the database.
    #[must_use]
    pub fn to_i64(self) -> i64 {
        u64::from(self.0).cast_signed()
    }

    /// The numbers, first and last, under which the database keeps every cell within this one: a span
    /// for its own resolution and for each finer one. H3 has the resolution in bits 52 to 55 and below
    /// them three bits for each step down, so that what shares the first steps lies side by side.
    #[must_use]
    pub fn spans(self) -> Vec<(i64, i64)> {
        let own = u64::from(self.0);
        (self.resolution()..=15)
            .map(|resolution| {
                let finer_steps = 3 * u32::from(resolution - self.resolution());
                let unused = 3 * u32::from(15 - resolution);
                let steps = ((1 << finer_steps) - 1) << unused;
                let at_resolution = (own & !(15 << 52)) | (u64::from(resolution) << 52);
                let (first, last) = (at_resolution & !steps, at_resolution | steps);
                (first.cast_signed(), last.cast_signed())
            })
            .collect()
    }

    /// The corners of the cell, for drawing; ring not closed.
    #[must_use]
    pub fn boundary(self) -> Vec<(f64, f64)> {
        self.0
            .boundary()
            .iter()
            .map(|c| (c.lat(), c.lng()))
            .collect()
    }
}

impl TryFrom<i64> for Cell {
    type Error = &'static str;
    fn try_from(value: i64) -> Result<Self, Self::Error> {
        CellIndex::try_from(value.cast_unsigned())
            .map(Self)
            .map_err(|_| "is not an H3 cell")
    }
}

impl FromStr for Cell {
    type Err = &'static str;
    fn from_str(s: &str) -> Result<Self, Self::Err> {
        s.parse()
            .map(Self)
            .map_err(|_| "must be an H3 cell such as 882649b2d3fffff")
    }
}

impl fmt::Display for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cell({})", self.0)
    }
}

impl Serialize for Cell {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cell {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

words! {
    /// A distance as people are told it: never finer than the cells it was computed from.
    DistanceBand {
        /// Less than 2 km.
        Under2Km = "under_2_km",
        /// 2 to 5 km.
        Under5Km = "under_5_km",
        /// 5 to 10 km.
        Under10Km = "under_10_km",
        /// 10 to 25 km.
        Under25Km = "under_25_km",
        /// 25 km or more.
        Over25Km = "over_25_km",
    }
}

impl DistanceBand {
    /// The band of a distance in meters.
    #[must_use]
    pub fn of(meters: f64) -> Self {
        match meters {
            m if m < 2_000.0 => Self::Under2Km,
            m if m < 5_000.0 => Self::Under5Km,
            m if m < 10_000.0 => Self::Under10Km,
            m if m < 25_000.0 => Self::Under25Km,
            _ => Self::Over25Km,
        }
    }

    /// The band in words.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Under2Km => "less than 2 km away",
            Self::Under5Km => "2 to 5 km away",
            Self::Under10Km => "5 to 10 km away",
            Self::Under25Km => "10 to 25 km away",
            Self::Over25Km => "more than 25 km away",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn poles_and_antimeridian_are_places() {
        for (lat, lon) in [(90.0, 0.0), (-90.0, 180.0), (0.0, 180.0), (0.0, -180.0)] {
            assert!(GeoPoint::parse(lat, lon).is_ok());
        }
        assert_eq!(GeoPoint::parse(f64::NAN, 0.0).unwrap_err().0, "lat");
        assert_eq!(GeoPoint::parse(0.0, f64::INFINITY).unwrap_err().0, "lon");
        assert_eq!(GeoPoint::parse(90.1, 0.0).unwrap_err().0, "lat");
    }

    #[test]
    fn a_cell_is_sticky_within_one_ring() {
        let size = CellSize::try_from(8).unwrap();
        let home = GeoPoint::parse(44.95, -93.26).unwrap();
        let cell = Cell::of(home, size);
        let next_door = GeoPoint::parse(44.9575, -93.26).unwrap();
        assert_ne!(Cell::of(next_door, size), cell);
        assert_eq!(cell.moved_to(next_door, size), cell);
        let across_town = GeoPoint::parse(45.05, -93.26).unwrap();
        assert_eq!(
            cell.moved_to(across_town, size),
            Cell::of(across_town, size)
        );
    }

    #[test]
    fn the_spans_of_a_cell_hold_what_is_within_it_and_nothing_else() {
        let at = |lat, lon, size| {
            Cell::of(
                GeoPoint::parse(lat, lon).unwrap(),
                CellSize::try_from(size).unwrap(),
            )
        };
        let is_in = |area: Cell, cell: Cell| {
            let number = cell.to_i64();
            area.spans()
                .iter()
                .any(|(first, last)| (*first..=*last).contains(&number))
        };
        // The last is in a pentagon, where H3 leaves steps out.
        for (lat, lon) in [(44.95, -93.26), (-33.9, 18.4), (64.7, 10.5)] {
            let home = at(lat, lon, 8);
            let mut area = Some(home);
            while let Some(cell) = area {
                assert!(is_in(cell, home), "{cell:?}");
                assert!(is_in(cell, at(lat, lon, 15)), "{cell:?}");
                assert!(!is_in(cell, at(-lat, lon + 90.0, 8)), "{cell:?}");
                for child in cell.0.children(finer(cell)) {
                    assert!(is_in(cell, Cell(child)), "{child} in {cell:?}");
                    assert_eq!(is_in(Cell(child), home), Cell(child).holds(home));
                }
                area = cell.parent();
            }
            assert!(!is_in(home, home.parent().unwrap()));
        }
    }

    fn finer(cell: Cell) -> Resolution {
        Resolution::try_from(cell.resolution() + 1).unwrap()
    }

    impl Cell {
        /// Whether `other` lies within this cell, found out step by step.
        fn holds(self, other: Self) -> bool {
            let mut at = Some(other);
            while let Some(cell) = at {
                if cell == self {
                    return true;
                }
                at = cell.parent();
            }
            false
        }
    }

    #[test]
    fn a_cell_survives_the_database_and_json() {
        let cell = Cell::of(
            GeoPoint::parse(44.95, -93.26).unwrap(),
            CellSize::try_from(8).unwrap(),
        );
        assert_eq!(Cell::try_from(cell.to_i64()), Ok(cell));
        assert_eq!(cell.to_string().parse(), Ok(cell));
    }
}
