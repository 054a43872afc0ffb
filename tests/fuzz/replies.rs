//! What a mail server answers.

use lettre::transport::smtp::response::Response;

use crate::mail::transport::refusal::{is_about_us, parse_enhanced};

pub fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let _ = parse_enhanced(&text);
    if let Ok(response) = text.parse::<Response>() {
        let enhanced = response.first_line().and_then(parse_enhanced);
        let _ = is_about_us(response.code().into(), enhanced);
    }
}
