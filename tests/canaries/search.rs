//! Finds marked things in files, in every way in which they might be spelled.

use std::fs;
use std::path::Path;

use aho_corasick::AhoCorasick;
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use h3o::{LatLng, Resolution};

use crate::marks::Marks;

/// All spellings of all marks.
pub struct Search {
    spellings: Vec<(Vec<u8>, String)>,
    all: AhoCorasick,
}

impl Search {
    pub fn of(marks: &Marks) -> Self {
        let mut spellings = Vec::new();
        for text in &marks.texts {
            for spelled in [text.clone(), text.to_lowercase(), text.to_uppercase()] {
                spellings.extend(encoded(spelled.as_bytes()).map(|bytes| (bytes, text.clone())));
            }
        }
        for phone in &marks.phones {
            let (area, rest) = phone.split_at(3);
            let (exchange, line) = rest.split_at(3);
            let spelled = [
                phone.clone(),
                format!("{area} {exchange} {line}"),
                format!("{area}-{exchange}-{line}"),
                format!("({area}) {exchange}-{line}"),
            ];
            for spelled in spelled {
                spellings.extend(encoded(spelled.as_bytes()).map(|bytes| (bytes, phone.clone())));
            }
            let number: u64 = format!("1{phone}").parse().unwrap();
            for bytes in [number.to_be_bytes(), number.to_le_bytes()] {
                spellings.push((bytes.to_vec(), phone.clone()));
            }
        }
        for point in &marks.points {
            let name = format!("{point:?}");
            spellings.extend(of_point(*point).into_iter().map(|b| (b, name.clone())));
        }
        spellings.sort();
        spellings.dedup_by(|a, b| a.0 == b.0);
        let all = AhoCorasick::new(spellings.iter().map(|(bytes, _)| bytes)).unwrap();
        Self { spellings, all }
    }

    pub fn size(&self) -> usize {
        self.spellings.len()
    }

    /// What is found in the file, or in the files below the directory: where, what, how spelled.
    pub fn below(&self, path: &Path) -> Vec<String> {
        if path.is_dir() {
            let entries = fs::read_dir(path).unwrap();
            return entries
                .flat_map(|entry| self.below(&entry.unwrap().path()))
                .collect();
        }
        let bytes = fs::read(path).unwrap();
        let found = self.all.find_iter(&bytes).map(|found| {
            let (spelling, mark) = &self.spellings[found.pattern()];
            let around =
                &bytes[found.start().saturating_sub(60)..bytes.len().min(found.end() + 60)];
            format!(
                "{}: {mark} as {spelling:?} in {}",
                path.display(),
                String::from_utf8_lossy(around)
            )
        });
        found.take(5).collect()
    }
}

/// UTF-8, UTF-16, hexadecimal, base64.
fn encoded(text: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let wide = |swap: bool| -> Vec<u8> {
        let pair = |b: &u8| if swap { [0, *b] } else { [*b, 0] };
        text.iter().flat_map(pair).collect()
    };
    let digit = |n: u8| char::from(b"0123456789abcdef"[usize::from(n)]);
    let hex: String = text
        .iter()
        .flat_map(|b| [digit(b >> 4), digit(b & 15)])
        .collect();
    let mut all = vec![
        text.to_vec(),
        wide(false),
        wide(true),
        hex.clone().into_bytes(),
        hex.to_uppercase().into_bytes(),
    ];
    // What comes before shifts base64 by one or two of three bytes; the ends then depend on neighbors.
    for shift in 0..3 {
        let shifted = [&vec![0; shift], text].concat();
        let whole = shifted.len() / 3 * 3;
        for engine in [&STANDARD, &URL_SAFE] {
            let text = engine.encode(&shifted[..whole]).into_bytes();
            all.push(text[if shift > 0 { 4 } else { 0 }..].to_vec());
        }
    }
    all.into_iter()
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "coordinates fit, and what is cut off is the point of it"
)]
/// As text, as floating and fixed point numbers, in radians, on the unit sphere, as a fine cell.
fn of_point((lat, lon): (f64, f64)) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for number in [lat, lon] {
        // Five digits behind the point are one meter.
        let text = format!("{number:.7}");
        all.push(text.as_bytes()[..text.len() - 2].to_vec());
        for value in [number, number.to_radians(), number.abs()] {
            all.push(value.to_le_bytes().to_vec());
            all.push(value.to_be_bytes().to_vec());
        }
    }
    let (la, lo) = (lat.to_radians(), lon.to_radians());
    for value in [la.cos() * lo.cos(), la.cos() * lo.sin(), la.sin()] {
        all.push(value.to_le_bytes().to_vec());
        all.push(value.to_be_bytes().to_vec());
    }
    for (a, b) in [(lat, lon), (lon, lat)] {
        // Four bytes alone are found by chance.
        all.push([(a as f32).to_le_bytes(), (b as f32).to_le_bytes()].concat());
        all.push([(a as f32).to_be_bytes(), (b as f32).to_be_bytes()].concat());
        for scale in [1e5, 1e6, 1e7] {
            let (a, b) = ((a * scale).round() as i32, (b * scale).round() as i32);
            all.push([a.to_le_bytes(), b.to_le_bytes()].concat());
            all.push([a.to_be_bytes(), b.to_be_bytes()].concat());
        }
    }
    let point = LatLng::new(lat, lon).unwrap();
    for resolution in [
        Resolution::Nine,
        Resolution::Ten,
        Resolution::Eleven,
        Resolution::Twelve,
        Resolution::Thirteen,
        Resolution::Fourteen,
        Resolution::Fifteen,
    ] {
        let cell = u64::from(point.to_cell(resolution));
        all.push(cell.to_le_bytes().to_vec());
        all.push(cell.to_be_bytes().to_vec());
        all.push(format!("{cell:x}").into_bytes());
    }
    all
}
