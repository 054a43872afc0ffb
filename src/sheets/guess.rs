//! A mapping guessed from heads that are well known. It is shown, and can be saved and put right.

use super::fields::{self, Field, IDS, plain};
use super::mapping::{Heads, Mapping};
use crate::domain::import::ImportKind;

/// Guesses.
pub fn guess(kind: ImportKind, heads: &[String]) -> Mapping {
    let plains: Vec<String> = heads.iter().map(|head| plain(head)).collect();
    let mut free = vec![true; heads.len()];
    let mut mapping = Mapping {
        kind: Some(kind),
        ..Mapping::default()
    };
    let mut take = |mapping: &mut Mapping, field: &Field, found: Vec<usize>| {
        for at in &found {
            free[*at] = false;
        }
        let mut names = found.into_iter().map(|at| heads[at].clone());
        let heads = match (names.next(), names.next()) {
            (Some(first), Some(second)) => Heads::Several(vec![first, second]),
            (Some(one), None) => Heads::One(one),
            (None, _) => return,
        };
        mapping.columns.insert(field.name.to_owned(), heads);
    };
    let position = |wanted: &str| plains.iter().position(|head| head == wanted);
    // A name in two columns.
    for (first, last) in [
        ("firstname", "lastname"),
        ("givenname", "familyname"),
        ("nombre", "apellido"),
        ("nombre", "apellidos"),
    ] {
        if let (Some(first), Some(last), Some(field)) =
            (position(first), position(last), fields::find(kind, "name"))
            && !mapping.columns.contains_key("name")
        {
            take(&mut mapping, field, vec![first, last]);
        }
    }
    let mut used = vec![false; heads.len()];
    for field in fields::all(kind) {
        let is_known = |head: &&'static str| plains.iter().position(|p| p == *head);
        if mapping.columns.contains_key(field.name) {
            continue;
        }
        if let Some(at) = field
            .heads
            .iter()
            .find_map(is_known)
            .filter(|at| !used[*at])
        {
            used[at] = true;
            take(&mut mapping, field, vec![at]);
        }
    }
    // What is asked in whole sentences.
    let is_taken = |mapping: &Mapping, at: usize| {
        mapping
            .columns
            .values()
            .any(|known| known.all().contains(&heads[at]))
    };
    for field in fields::all(kind) {
        if mapping.columns.contains_key(field.name) {
            continue;
        }
        let hinted = (0..heads.len()).find(|at| {
            !is_taken(&mapping, *at) && field.hints.iter().any(|hint| plains[*at].contains(hint))
        });
        if let Some(at) = hinted {
            take(&mut mapping, field, vec![at]);
        }
    }
    for (at, head) in heads.iter().enumerate() {
        if fields::attribute(kind, head).is_some() && !is_taken(&mapping, at) {
            mapping
                .columns
                .insert(head.clone(), Heads::One(head.clone()));
        }
    }
    mapping.id = IDS
        .iter()
        .find_map(|id| position(id))
        .map(|at| heads[at].clone());
    mapping
}
