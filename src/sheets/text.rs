//! The text of a file, whatever program has written it.

use encoding_rs::{Encoding, WINDOWS_1252};

/// Why a file is no text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoText {
    /// A workbook.
    #[error("the file is a workbook: save it as CSV, and import that")]
    Workbook,
    /// Something else.
    #[error("the file is no text: export it as CSV")]
    Binary,
}

/// The text, and the name of the encoding it was in: what a byte order mark says; UTF-8, if it is that; else
/// what Windows programs write where nothing else was chosen.
pub fn decode(bytes: &[u8]) -> Result<(String, &'static str), NoText> {
    if bytes.starts_with(b"PK\x03\x04") {
        return Err(NoText::Workbook);
    }
    let (encoding, skip) = match Encoding::for_bom(bytes) {
        Some(known) => known,
        None if std::str::from_utf8(bytes).is_ok() => (encoding_rs::UTF_8, 0),
        None => (WINDOWS_1252, 0),
    };
    let (text, _) = encoding.decode_without_bom_handling(&bytes[skip..]);
    if text.contains('\0') {
        return Err(NoText::Binary);
    }
    Ok((text.into_owned(), encoding.name()))
}
