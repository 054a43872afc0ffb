//! A table: heads, and rows with the lines on which they stand.
//!
//! A row that is broken is a fault of that row, never of the file: where a quotation mark is never closed,
//! the line that opens it is given up, and reading goes on with the next.

use csv::{ReaderBuilder, StringRecord};

use super::text::{NoText, decode};

/// Why a file is no table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoTable {
    /// It is no text.
    #[error(transparent)]
    NoText(#[from] NoText),
    /// Nothing is in it.
    #[error("the file is empty")]
    Empty,
    /// Its first line holds somebody's data.
    #[error("the first line must hold the heads of the columns; it looks like a row")]
    NoHeads,
    /// It is hardly a table at all.
    #[error("too many lines are broken: is it a CSV file?")]
    Broken,
    /// It is too long.
    #[error("the file has more than {} rows: split it", Table::MOST)]
    TooLong,
    /// It is too wide.
    #[error(
        "the file has more than {} columns: is it a list of posts?",
        Table::WIDEST
    )]
    TooWide,
}

/// A table.
#[derive(Clone)]
pub struct Table {
    /// What stands above the columns.
    pub heads: Vec<String>,
    /// The rows, without empty ones.
    pub rows: Vec<Record>,
    /// In which encoding the file was.
    pub encoding: &'static str,
    /// What stands between two cells.
    pub delimiter: char,
}

/// A row.
#[derive(Clone)]
pub struct Record {
    /// The line on which it begins.
    pub line: u64,
    /// What stands in it.
    pub cells: StringRecord,
}

impl std::fmt::Debug for Table {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (rows, columns) = (self.rows.len(), self.heads.len());
        write!(f, "Table({rows} rows of {columns} cells)")
    }
}

impl std::fmt::Debug for Record {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Record(line {})", self.line)
    }
}

/// What may stand between two cells.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];
/// Rows by which the delimiter is judged.
const JUDGED: usize = 20;
/// How often reading may begin anew behind a broken line,
const RESTARTS: usize = 1_000;
/// and how many bytes may be read in all because of it: a mark that opens and never closes reads to the end.
const READ: usize = 256 << 20;

impl Table {
    /// Rows that are taken at the most.
    pub const MOST: usize = 500_000;
    /// Columns that are taken at the most: what a form can ask for, and no list has.
    pub const WIDEST: usize = 1_000;

    /// Reads a file: UTF-8, UTF-16 or Windows-1252, with commas, semicolons, tabs or bars.
    ///
    /// # Errors
    /// What is no table.
    pub fn read(bytes: &[u8]) -> Result<Self, NoTable> {
        let (text, encoding) = decode(bytes)?;
        let text = ended(text);
        let (text, skipped, delimiter) = match text.strip_prefix("sep=") {
            // What Excel puts first for itself.
            Some(rest) => {
                let (first, rest) = rest.split_once('\n').ok_or(NoTable::Empty)?;
                let said = first.bytes().next().filter(|b| DELIMITERS.contains(b));
                (rest, 1, said)
            }
            None => (text.as_str(), 0, None),
        };
        let delimiter = delimiter.unwrap_or_else(|| judge(text));
        let mut rows = rows(text, delimiter, skipped)?.into_iter();
        let heads: Vec<String> = rows
            .next()
            .ok_or(NoTable::Empty)?
            .cells
            .iter()
            .map(|head| head.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        if heads.iter().any(|head| is_data(head)) {
            return Err(NoTable::NoHeads);
        }
        Ok(Self {
            heads,
            rows: rows.collect(),
            encoding,
            delimiter: char::from(delimiter),
        })
    }
}

/// The text with the line ends that are counted here: old Macs, and Excel for them, end lines with CR alone.
fn ended(text: String) -> String {
    let has_cr_alone = || text.replace("\r\n", "").contains('\r');
    match text.contains('\r') && has_cr_alone() {
        true => text.replace("\r\n", "\n").replace('\r', "\n"),
        false => text,
    }
}

/// Whether that is no head: an address, a number, a point.
fn is_data(head: &str) -> bool {
    let digits = head.bytes().filter(u8::is_ascii_digit).count();
    let is_address = head.split_whitespace().any(|word| {
        word.split_once('@')
            .is_some_and(|(a, b)| !a.is_empty() && b.contains('.'))
    });
    is_address || (digits >= 7 && digits * 2 > head.chars().count())
}

/// The delimiter that makes most columns in rows of equal length.
fn judge(text: &str) -> u8 {
    let score = |delimiter: u8| {
        let mut reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .from_reader(text.as_bytes());
        let lengths: Vec<usize> = reader
            .records()
            .take(JUDGED)
            .map_while(Result::ok)
            .map(|record| record.len())
            .collect();
        let heads = lengths.first().copied().unwrap_or(0);
        let alike = lengths.iter().filter(|length| **length == heads).count();
        match heads {
            0 | 1 => 0,
            heads => heads * alike * 100 / lengths.len().max(1),
        }
    };
    // Of equal ones the first: the comma.
    DELIMITERS
        .into_iter()
        .rev()
        .max_by_key(|delimiter| score(*delimiter))
        .unwrap_or(b',')
}

fn rows(text: &str, delimiter: u8, skipped: u64) -> Result<Vec<Record>, NoTable> {
    let mut found: Vec<Record> = Vec::new();
    let (mut from, mut line, mut heads) = (0, 1 + skipped, None);
    let mut read = 0;
    for _ in 0..RESTARTS {
        let mut reader = ReaderBuilder::new()
            .has_headers(false)
            .flexible(true)
            .delimiter(delimiter)
            .from_reader(&text.as_bytes()[from..]);
        let mut broken = None;
        let mut cells = StringRecord::new();
        while reader.read_record(&mut cells).unwrap_or(false) {
            let (start, nth) = cells
                .position()
                .map_or((0, 1), |p| (at(p.byte()), p.line()));
            // The reader counts empty lines before a row to it.
            let rest = &text[(from + start).min(text.len())..];
            let row = rest.trim_start_matches(['\r', '\n']);
            let empty = rest[..rest.len() - row.len()].matches('\n').count() as u64;
            let (start, on) = (text.len() - row.len(), line + nth - 1 + empty);
            let length = *heads.get_or_insert(cells.len());
            if length > Table::WIDEST {
                return Err(NoTable::TooWide);
            }
            let end = (from + at(reader.position().byte())).min(text.len());
            let is_whole = || cells.len() == length && is_closed(&text[start..end], delimiter);
            if cells.iter().any(|cell| cell.contains('\n')) && !is_whole() {
                broken = Some((start, on));
                read += end - from;
                break;
            }
            if cells.iter().any(|cell| !cell.trim().is_empty()) {
                found.push(Record {
                    line: on,
                    cells: cells.clone(),
                });
            }
            if found.len() > Table::MOST {
                return Err(NoTable::TooLong);
            }
        }
        let Some((start, on)) = broken else {
            return Ok(found);
        };
        if read > READ {
            return Err(NoTable::Broken);
        }
        let end = text[start..].find('\n');
        let whole = &text[start..end.map_or(text.len(), |end| start + end)];
        found.push(Record {
            line: on,
            cells: StringRecord::from(vec![whole.trim_end()]),
        });
        let Some(end) = end else {
            return Ok(found);
        };
        (from, line) = (start + end + 1, on + 1);
    }
    Err(NoTable::Broken)
}

/// Whether every quotation mark that opens a cell is closed, and followed by the end of the cell.
fn is_closed(row: &str, delimiter: u8) -> bool {
    let mut rest = row.as_bytes();
    loop {
        if let Some(quoted) = rest.strip_prefix(b"\"") {
            rest = quoted;
            loop {
                let Some(at) = rest.iter().position(|b| *b == b'"') else {
                    return false;
                };
                rest = &rest[at + 1..];
                match rest.strip_prefix(b"\"") {
                    Some(inside) => rest = inside,
                    None => break,
                }
            }
            if !matches!(rest.first(), None | Some(b'\r' | b'\n')) && rest[0] != delimiter {
                return false;
            }
        }
        let Some(next) = rest.iter().position(|b| *b == delimiter) else {
            return true;
        };
        rest = &rest[next + 1..];
    }
}

fn at(byte: u64) -> usize {
    usize::try_from(byte).unwrap_or(usize::MAX)
}
