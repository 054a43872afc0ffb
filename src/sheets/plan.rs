//! A mapping laid over the heads of a file: which cell goes where.

use std::collections::BTreeMap;

use csv::StringRecord;

use super::fields::{self, plain};
use super::mapping::{Mapping, Split};
use crate::domain::availability::TimeZoneName;
use crate::domain::import::ImportKind;

/// Which cell goes where.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What the rows become.
    pub kind: ImportKind,
    /// The mapping.
    pub mapping: Mapping,
    /// Our field, and for each of its columns where heads of that name stand.
    columns: BTreeMap<String, Vec<Vec<usize>>>,
    splits: Vec<(usize, Split)>,
    notes: Vec<usize>,
    /// Where the row's id stands.
    pub id: Option<usize>,
    /// The time zone of times without one.
    pub zone: Option<TimeZoneName>,
    /// How many cells a row has.
    pub width: usize,
    /// Heads whose cells go nowhere.
    pub unmapped: Vec<String>,
    heads: Vec<String>,
}

impl Plan {
    /// # Errors
    /// Everything that is wrong with the mapping, one a line.
    pub fn of(kind: ImportKind, mapping: Mapping, heads: &[String]) -> Result<Self, String> {
        let mut faults = Vec::new();
        if mapping.kind.is_some_and(|said| said != kind) {
            faults.push(format!("the mapping is not for {kind}"));
        }
        let plains: Vec<String> = heads.iter().map(|head| plain(head)).collect();
        let mut used = vec![false; heads.len()];
        let mut places = |head: &str, faults: &mut Vec<String>| -> Vec<usize> {
            let wanted = plain(head);
            let all = plains.iter().enumerate();
            let found: Vec<usize> = all.filter(|(_, p)| **p == wanted).map(|(i, _)| i).collect();
            if found.is_empty() {
                faults.push(format!("the file has no column \"{head}\""));
            }
            for at in &found {
                used[*at] = true;
            }
            found
        };
        let mut columns = BTreeMap::new();
        for (name, sources) in &mapping.columns {
            check_field(kind, name, &mut faults);
            let all = sources.all().iter().map(|head| places(head, &mut faults));
            columns.insert(name.clone(), all.collect());
        }
        let mut splits = Vec::new();
        for (head, split) in &mapping.split {
            for name in &split.into {
                check_field(kind, name, &mut faults);
            }
            if split.by.is_empty() || split.into.len() < 2 {
                faults.push("a split needs `by` and two fields or more in `into`".to_owned());
            }
            splits.extend(
                places(head, &mut faults)
                    .first()
                    .map(|at| (*at, split.clone())),
            );
        }
        let mut notes = Vec::new();
        for head in &mapping.note_from {
            notes.extend(places(head, &mut faults).first().copied());
        }
        let id = mapping
            .id
            .clone()
            .and_then(|head| places(&head, &mut faults).first().copied());
        for name in mapping.values.keys().chain(mapping.constants.keys()) {
            check_field(kind, name, &mut faults);
        }
        let zone = mapping.timezone.as_deref().and_then(|name| {
            TimeZoneName::parse(name)
                .map_err(|why| faults.push(format!("timezone {why}")))
                .ok()
        });
        if columns.is_empty() && splits.is_empty() {
            faults.push("no column is mapped to any field".to_owned());
        }
        if !faults.is_empty() {
            faults.dedup();
            return Err(faults.join("\n"));
        }
        let unmapped = heads
            .iter()
            .zip(&used)
            .filter(|(head, used)| !**used && !head.is_empty());
        Ok(Self {
            kind,
            columns,
            splits,
            notes,
            id,
            zone,
            width: heads.len(),
            unmapped: unmapped.map(|(head, _)| head.clone()).collect(),
            heads: heads.to_vec(),
            mapping,
        })
    }

    /// Where a field comes from, as reports name it.
    pub fn label(&self, field: &str) -> String {
        let of_columns = self.columns.get(field).map(|sources| {
            let first = sources.iter().filter_map(|places| places.first());
            first
                .map(|at| self.heads[*at].as_str())
                .collect::<Vec<_>>()
                .join(" + ")
        });
        let of_split = || {
            let is_in = |split: &Split| split.into.iter().any(|name| name == field);
            let found = self.splits.iter().find(|(_, split)| is_in(split));
            found.map(|(at, _)| self.heads[*at].clone())
        };
        // What may stand in another field's column.
        let others: &[&str] = match field {
            "postal_code" => &["full_address", "point", "lat"],
            "address" => &["full_address"],
            "lat" | "lon" => &["point"],
            _ => &[],
        };
        let of_other = || {
            let other = others.iter().find(|name| self.columns.contains_key(**name));
            other.map(|name| self.label(name))
        };
        of_columns
            .or_else(of_split)
            .or_else(of_other)
            .unwrap_or_else(|| field.to_owned())
    }

    /// The texts of a row by field, without empty ones.
    pub fn texts(&self, cells: &StringRecord) -> BTreeMap<String, String> {
        let cell = |at: usize| tidy(cells.get(at).unwrap_or_default());
        let mut texts = BTreeMap::new();
        for (name, sources) in &self.columns {
            let glue = fields::find(self.kind, name).map_or(" ", |field| field.glue);
            let parts = sources.iter().filter_map(|places| {
                // Of several columns with one head, the first that says something.
                places
                    .iter()
                    .map(|at| cell(*at))
                    .find(|text| !text.is_empty())
            });
            let joined = parts.collect::<Vec<_>>().join(glue);
            if !joined.is_empty() {
                texts.insert(name.clone(), joined);
            }
        }
        for (at, split) in &self.splits {
            let text = cell(*at);
            let parts = text.splitn(split.into.len(), split.by.as_str());
            for (name, part) in split.into.iter().zip(parts) {
                let part = part.trim();
                if !part.is_empty() {
                    texts.insert(name.clone(), part.to_owned());
                }
            }
        }
        let notes = self.notes.iter().filter_map(|at| {
            let text = cell(*at);
            (!text.is_empty()).then(|| format!("{}: {text}", self.heads[*at]))
        });
        let notes = notes.collect::<Vec<_>>().join("\n");
        if !notes.is_empty() {
            let whole = texts.entry("private_note".to_owned()).or_default();
            if !whole.is_empty() {
                whole.push('\n');
            }
            whole.push_str(&notes);
        }
        for (name, text) in &mut texts {
            if let Some(ours) = self.ours(name, text) {
                *text = ours;
            }
        }
        for (name, constant) in &self.mapping.constants {
            texts
                .entry(name.clone())
                .or_insert_with(|| constant.to_string());
        }
        texts
    }

    /// Our word for theirs.
    pub fn ours(&self, field: &str, theirs: &str) -> Option<String> {
        let words = self.mapping.values.get(field)?;
        let wanted = plain(theirs);
        let found = words.iter().find(|(theirs, _)| plain(theirs) == wanted);
        found.map(|(_, ours)| ours.clone())
    }
}

fn check_field(kind: ImportKind, name: &str, faults: &mut Vec<String>) {
    if fields::find(kind, name).is_none() && fields::attribute(kind, name).is_none() {
        let known: Vec<_> = fields::all(kind).map(|field| field.name).collect();
        faults.push(format!(
            "{name} is no field of {kind}; there are {}",
            known.join(", ")
        ));
    }
}

/// A cell without what programs put around it: spaces of every kind, Windows' line ends, and the apostrophe
/// that keeps a spreadsheet from taking a text for a formula.
fn tidy(cell: &str) -> String {
    let text = cell
        .replace("\r\n", "\n")
        .replace('\r', "\n")
        .replace('\u{a0}', " ");
    let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}' || c == '\u{200b}');
    match text.strip_prefix('\'') {
        Some(rest) if rest.starts_with(['=', '+', '-', '@']) => rest.to_owned(),
        _ => text.to_owned(),
    }
}
