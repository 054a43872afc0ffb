//! Attributes as they are posted, against the shipped categories, and as they are kept.

use serde_json::{Map, Value};

use super::{says_nothing_of_it, town};
use crate::domain::attribute::Attributes;

pub fn run(bytes: &[u8]) {
    kept(bytes);
    let Ok(given) = serde_json::from_slice::<Map<String, Value>>(bytes) else {
        return;
    };
    town::with(|ctx| {
        for category in ctx.catalog.iter() {
            for read in [category.parse_required(&given), category.parse_provided(&given)] {
                match read {
                    Ok(read) => kept(&serde_json::to_vec(&read).unwrap()),
                    Err(faults) => {
                        assert!(!faults.is_empty());
                        for fault in &faults { says_nothing_of_it(&fault.message); }
                    }
                }
            }
        }
    });
}

/// What is read back from where it is kept, and kept again, is the same.
#[track_caller]
fn kept(bytes: &[u8]) {
    if let Ok(read) = serde_json::from_slice::<Attributes>(bytes) {
        let text = serde_json::to_string(&read).unwrap();
        assert_eq!(serde_json::from_str::<Attributes>(&text).unwrap(), read, "{text}");
    }
}
