//! What is printed. A reader that has gone away (`| head`) is no error.

use std::fmt::Display;
use std::io::Write;

/// What was asked for, one line.
pub(super) fn line(text: impl Display) {
    let _ = writeln!(std::io::stdout(), "{text}");
}

/// What was asked for, as JSON.
pub(super) fn json(value: &serde_json::Value) {
    line(format_args!("{value:#}"));
}

/// What should be heard of, one line.
pub(super) fn note(text: impl Display) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

/// What went wrong; further lines are indented.
pub(super) fn error(text: impl Display) {
    let text = text.to_string();
    match text.split_once('\n') {
        None => note(format_args!("error: {text}")),
        Some(_) => note(format_args!("error:\n  {}", text.replace('\n', "\n  "))),
    }
}

/// Rows with aligned columns under a head.
pub(super) fn table<const N: usize>(head: [&str; N], rows: &[[String; N]]) {
    let mut widths = head.map(str::len);
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    let show = |cells: &[&str]| {
        let padded: Vec<String> = cells
            .iter()
            .zip(widths)
            .map(|(cell, width)| format!("{cell:width$}"))
            .collect();
        line(padded.join("  ").trim_end());
    };
    show(&head);
    for row in rows {
        show(&row.each_ref().map(String::as_str));
    }
}
