//! Where a postal code lies.
//!
//! Reads the format of GeoNames' postal code files (<https://download.geonames.org/export/zip/>),
//! so that a file of any country they cover can be put in place of the shipped one.

use super::place::GeoPoint;

/// A country's two letters and a postal code's letters and digits, padded with zero bytes.
type Key = [u8; 22];
const COUNTRY: usize = 2;

/// Postal codes with their points. An entry takes 32 bytes, so a country is a megabyte or two.
#[derive(Clone, Debug)]
pub struct Gazetteer {
    /// Sorted by key, each key once.
    places: Vec<Place>,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    key: Key,
    lat: MicroDegrees,
    lon: MicroDegrees,
}

/// Millionths of a degree: a tenth of a meter, exact for the five decimals that the files have.
#[derive(Clone, Copy, Debug)]
struct MicroDegrees(i32);

impl MicroDegrees {
    /// `degrees` must be finite and within ±180.
    fn of(degrees: f64) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "180 million fits")]
        Self((degrees * 1e6).round() as i32)
    }

    fn degrees(self) -> f64 {
        f64::from(self.0) / 1e6
    }
}

/// A line of a gazetteer that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {problem}")]
pub struct GazetteerError {
    /// Counted from 1.
    pub line: usize,
    /// What was expected.
    pub problem: &'static str,
}

impl Gazetteer {
    /// Reads lines of GeoNames' twelve columns; a code that stands on several lines is where the
    /// first of them says. Empty lines and lines without coordinates are passed over.
    ///
    /// # Errors
    /// Names the first line that is not of this format.
    pub fn parse(text: &str) -> Result<Self, GazetteerError> {
        let text = text.trim_start_matches('\u{feff}');
        let mut places = Vec::with_capacity(text.len() / 40);
        for (i, line) in text.lines().enumerate() {
            let read = Place::parse(line).map_err(|problem| GazetteerError {
                line: i + 1,
                problem,
            })?;
            places.extend(read);
        }
        // Stable, so that of equal keys the first line stays the first; nearly free on the sorted
        // files there are.
        places.sort_by_key(|place| place.key);
        places.dedup_by_key(|place| place.key);
        places.shrink_to_fit();
        Ok(Self { places })
    }

    /// The ZIP codes of the United States that are shipped in `config/gazetteer`.
    ///
    /// # Errors
    /// Never, as long as the test that reads the file passes.
    pub fn shipped() -> Result<Self, GazetteerError> {
        Self::parse(include_str!("../../config/gazetteer/us.tsv"))
    }

    /// The point of a postal code. `country` has two letters (ISO 3166); case, spaces and hyphens
    /// make no difference, and of a ZIP+4 code the first five digits count.
    #[must_use]
    pub fn locate(&self, country: &str, code: &str) -> Option<GeoPoint> {
        let mut key = key(country.trim(), code).ok()?;
        if &key[..COUNTRY] == b"US"
            && key[COUNTRY + 9..].iter().all(|b| *b == 0)
            && key[COUNTRY + 8] != 0
        {
            key[COUNTRY + 5..].fill(0);
        }
        let found = self
            .places
            .binary_search_by(|place| place.key.cmp(&key))
            .ok()?;
        let place = self.places.get(found)?;
        GeoPoint::parse(place.lat.degrees(), place.lon.degrees()).ok()
    }

    /// How many postal codes it knows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Whether it knows none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.places.is_empty()
    }
}

impl Place {
    /// `None` where the line is empty or gives no point.
    fn parse(line: &str) -> Result<Option<Self>, &'static str> {
        if line.trim().is_empty() {
            return Ok(None);
        }
        let mut columns = line.split('\t');
        let (Some(country), Some(code), Some(lat), Some(lon)) = (
            columns.next(),
            columns.next(),
            columns.nth(7),
            columns.next(),
        ) else {
            return Err("must have twelve columns with a tab between them");
        };
        let key = key(country, code)?;
        if lat.is_empty() && lon.is_empty() {
            return Ok(None);
        }
        let degrees = |text: &str, problem| text.trim().parse::<f64>().map_err(|_| problem);
        let lat = degrees(lat, "column 10 must be a latitude, a number from -90 to 90")?;
        let lon = degrees(
            lon,
            "column 11 must be a longitude, a number from -180 to 180",
        )?;
        let point = GeoPoint::parse(lat, lon).map_err(|(field, _)| match field {
            "lat" => "column 10 must be a latitude, a number from -90 to 90",
            _ => "column 11 must be a longitude, a number from -180 to 180",
        })?;
        Ok(Some(Self {
            key,
            lat: MicroDegrees::of(point.lat()),
            lon: MicroDegrees::of(point.lon()),
        }))
    }
}

fn key(country: &str, code: &str) -> Result<Key, &'static str> {
    let mut key = [0; 22];
    match country.as_bytes() {
        [a, b] if a.is_ascii_alphabetic() && b.is_ascii_alphabetic() => {
            key[0] = a.to_ascii_uppercase();
            key[1] = b.to_ascii_uppercase();
        }
        _ => return Err("column 1 must be a country's two letters"),
    }
    let mut free = key[COUNTRY..].iter_mut();
    for byte in code.bytes().filter(|b| !matches!(b, b' ' | b'-')) {
        if !byte.is_ascii_alphanumeric() {
            return Err("column 2 must be a postal code of letters and digits");
        }
        *free
            .next()
            .ok_or("column 2 must be a postal code of at most 20 characters")? =
            byte.to_ascii_uppercase();
    }
    if key[COUNTRY] == 0 {
        return Err("column 2 must not be empty");
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(gazetteer: &Gazetteer, country: &str, code: &str) -> Option<(f64, f64)> {
        gazetteer.locate(country, code).map(|p| (p.lat(), p.lon()))
    }

    #[test]
    fn the_shipped_file_is_read_and_knows_minneapolis() {
        let us = Gazetteer::shipped().unwrap();
        assert_eq!(us.len(), 33_187);
        for code in ["55407", " 55407 ", "55407-1234", "554071234", "55407 1234"] {
            assert_eq!(at(&us, "US", code), Some((44.93504, -93.25303)), "{code}");
        }
        assert_eq!(at(&us, "us", "00601"), Some((18.18055, -66.74996)));
        for (country, code) in [
            ("US", "00000"),
            ("US", "5540"),
            ("US", "554071"),
            ("US", ""),
            ("DE", "55407"),
            ("", "55407"),
            ("USA", "55407"),
            ("US", "55407\u{0}"),
            ("US", "55407-1234-5678-9012-3456"),
        ] {
            assert_eq!(at(&us, country, code), None, "{country} {code}");
        }
    }

    #[test]
    fn a_file_as_geonames_ships_it_is_read() {
        let text = "US\t99553\tAkutan\tAlaska\tAK\tAleutians East\t013\t\t\t54.143\t-165.7854\t1\r\n\
                    GB\tAB10 1AA\tAberdeen\tScotland\tSCT\t\t\t\t\t57.1482\t-2.0966\t6\r\n\
                    \r\n\
                    FR\t01000\tBourg-en-Bresse\t\t\t\t\t\t\t46.2\t5.2167\t5\r\n\
                    FR\t01000\tSaint-Denis-lès-Bourg\t\t\t\t\t\t\t46.3\t5.3\t5\r\n\
                    FR\t75001 CEDEX 01\tParis\t\t\t\t\t\t\t\t\t\r\n\
                    BR\t01000-000\tSão Paulo\t\t\t\t\t\t\t-23.5475\t-46.6361";
        let read = Gazetteer::parse(text).unwrap();
        assert_eq!(at(&read, "GB", "ab101aa"), Some((57.1482, -2.0966)));
        assert_eq!(at(&read, "FR", "01000"), Some((46.2, 5.2167)));
        assert_eq!(at(&read, "FR", "75001CEDEX01"), None);
        assert_eq!(at(&read, "BR", "01000000"), Some((-23.5475, -46.6361)));
        assert_eq!(read.len(), 4);
    }

    #[test]
    fn an_error_names_the_line() {
        let good = "US\t55407\tMinneapolis\t\tMN\t\t\t\t\t44.9\t-93.2\t\n";
        for (bad, problem) in [
            ("US\t55408\tMinneapolis", "twelve columns"),
            ("USA\t55408\t\t\t\t\t\t\t\t44.9\t-93.2\t", "column 1"),
            ("US\t\t\t\t\t\t\t\t\t44.9\t-93.2\t", "column 2"),
            ("US\t55408\t\t\t\t\t\t\t\t91\t-93.2\t", "column 10"),
            ("US\t55408\t\t\t\t\t\t\t\tnan\t-93.2\t", "column 10"),
            ("US\t55408\t\t\t\t\t\t\t\t44.9\twest\t", "column 11"),
        ] {
            let error = Gazetteer::parse(&format!("{good}{bad}\n{good}")).unwrap_err();
            assert_eq!(error.line, 2, "{bad}");
            assert!(error.to_string().contains(problem), "{bad}: {error}");
        }
    }

    fn any_point() -> impl Strategy<Value = (f64, f64)> {
        let degrees = |thousandths: i32| f64::from(thousandths) / 1e3;
        (-90_000..=90_000, -180_000..=180_000)
            .prop_map(move |(lat, lon)| (degrees(lat), degrees(lon)))
    }

    proptest! {
        #[test]
        fn every_code_is_found_again_in_any_order(
            places in prop::collection::btree_map("[0-9A-Z]{1,10}", any_point(), 0..40),
        ) {
            let line = |(code, (lat, lon)): (&String, &(f64, f64))| {
                format!("DE\t{code}\t\t\t\t\t\t\t\t{lat}\t{lon}\t")
            };
            let text = places.iter().rev().map(line).collect::<Vec<_>>().join("\n");
            let read = Gazetteer::parse(&text).unwrap();
            prop_assert_eq!(read.len(), places.len());
            for (code, point) in &places {
                prop_assert_eq!(at(&read, "DE", code), Some(*point));
            }
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,200}", code in ".{0,40}") {
            let _ = Gazetteer::parse(&text).map(|g| g.locate("US", &code));
        }
    }
}
