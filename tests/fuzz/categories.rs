//! The operator's file of categories.

use crate::domain::category::Catalog;

pub fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match Catalog::parse(&text) {
        Ok(catalog) => {
            assert!(catalog.iter().len() > 0);
            for category in catalog.iter() {
                assert!(catalog.get(category.key.as_str()).is_some());
                assert!(!category.title.is_empty());
            }
        }
        Err(error) => assert!(!error.faults.is_empty()),
    }
}
