//! Mappings of spreadsheets.

use crate::sheets::mapping::Mapping;

pub fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(mapping) = Mapping::parse(&text) {
        let written = mapping.to_toml().unwrap();
        let again = Mapping::parse(&written).unwrap();
        assert_eq!(again.to_toml().unwrap(), written);
    }
}
