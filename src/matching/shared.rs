//! What many posts say alike is kept once: the languages of a town, what most offers provide, when shops are open. It is
//! most of what a card would hold in memory.

use std::collections::HashSet;
use std::hash::Hash;
use std::sync::Arc;

use crate::domain::attribute::Attributes;
use crate::domain::availability::Windows;

/// Values that cards have had lately. Each is cheap to clone.
#[derive(Debug, Default)]
pub struct Shared {
    attributes: HashSet<Attributes>,
    languages: HashSet<Arc<[String]>>,
    windows: HashSet<Windows>,
}

/// Values of a kind that are remembered; with one more all are forgotten. Cards keep what they have, and what is common
/// is soon here again.
const MOST: usize = 10_000;

impl Shared {
    pub(super) fn attributes(&mut self, own: &mut Attributes) {
        share(&mut self.attributes, own);
    }

    pub(super) fn languages(&mut self, own: &mut Arc<[String]>) {
        share(&mut self.languages, own);
    }

    pub(super) fn windows(&mut self, own: &mut Windows) {
        share(&mut self.windows, own);
    }
}

/// Puts what is known in the place of an equal value.
fn share<T: Clone + Eq + Hash>(known: &mut HashSet<T>, own: &mut T) {
    if let Some(one) = known.get(own) {
        own.clone_from(one);
        return;
    }
    if known.len() >= MOST {
        known.clear();
    }
    known.insert(own.clone());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_alike_is_kept_once_and_not_everything_for_ever() {
        let said = |nth: usize| -> Arc<[String]> { [nth.to_string()].into() };
        let mut shared = Shared::default();
        let (mut first, mut other, mut second) = (said(0), said(MOST), said(0));
        shared.languages(&mut first);
        shared.languages(&mut other);
        shared.languages(&mut second);
        assert!(Arc::ptr_eq(&first, &second));
        for nth in 1..=MOST {
            shared.languages(&mut said(nth));
        }
        assert!(shared.languages.len() <= MOST);
        assert_eq!(first, said(0));
    }
}
