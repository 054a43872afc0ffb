//! The operator's file of postal codes.

use crate::domain::gazetteer::Gazetteer;

pub fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match Gazetteer::parse(&text) {
        Ok(gazetteer) => {
            assert!(gazetteer.len() <= text.lines().count());
            for line in text.lines() {
                let mut columns = line.trim_start_matches('\u{feff}').split('\t');
                let (country, code) = (columns.next().unwrap(), columns.next().unwrap_or_default());
                if let Some(point) = gazetteer.locate(country, code) {
                    assert!(point.lat().abs() <= 90.0 && point.lon().abs() <= 180.0);
                }
            }
        }
        Err(error) => assert!((1..=text.lines().count()).contains(&error.line)),
    }
}
