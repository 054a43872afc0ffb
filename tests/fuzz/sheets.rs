//! Spreadsheets: a mapping, where there is one, between lines `+++`; the file. The first byte says what its rows become.

use super::{says_nothing_of_it, town};
use crate::domain::import::ImportKind;
use crate::sheets::guess::guess;
use crate::sheets::mapping::Mapping;
use crate::sheets::plan::Plan;
use crate::sheets::row::Reader;
use crate::sheets::table::Table;

pub fn run(bytes: &[u8]) {
    let Some((kind, file)) = bytes.split_first() else {
        return;
    };
    let kind = match kind {
        b'r' => ImportKind::Requests,
        _ => ImportKind::Offers,
    };
    let (mapping, file) = fenced(file);
    let Ok(table) = Table::read(file) else {
        return;
    };
    assert!(table.heads.len() <= Table::WIDEST && table.rows.len() <= Table::MOST);
    assert!(table.rows.windows(2).all(|pair| pair[0].line < pair[1].line));
    let mapping = mapping.unwrap_or_else(|| guess(kind, &table.heads));
    let Ok(plan) = Plan::of(kind, mapping, &table.heads) else {
        return;
    };
    town::with(|ctx| {
        let order = plan.mapping.dates;
        let reader = Reader { plan: plan.clone(), order, by: None, ctx: ctx.clone() };
        for row in &table.rows {
            let read = reader.read(&row.cells);
            let faults = read.post.err();
            assert!(faults.as_ref().is_none_or(|faults| !faults.is_empty()));
            for note in faults.iter().flatten().chain(&read.warnings) {
                says_nothing_of_it(&note.reason);
            }
        }
    });
}

fn fenced(file: &[u8]) -> (Option<Mapping>, &[u8]) {
    let Some(rest) = file.strip_prefix(b"+++\n") else {
        return (None, file);
    };
    let Some(end) = rest.windows(5).position(|part| part == b"\n+++\n") else {
        return (None, file);
    };
    let mapping = Mapping::parse(&String::from_utf8_lossy(&rest[..end]));
    (mapping.ok(), &rest[end + 5..])
}
