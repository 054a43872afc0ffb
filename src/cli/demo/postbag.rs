//! Letters as they are "sent": one line each, and the first of each kind in full.

use std::collections::BTreeMap;

use super::screen::Screen;
use crate::domain::availability::TimeZoneName;
use crate::domain::letter::LetterKind;
use crate::mail::transport::StoredMail;

/// What was sent so far.
#[derive(Debug, Default)]
pub(super) struct Postbag(BTreeMap<LetterKind, u64>);

impl Postbag {
    /// How many letters of each kind.
    pub fn counts(&self) -> &BTreeMap<LetterKind, u64> {
        &self.0
    }

    /// Shows a letter and counts it.
    pub fn show(
        &mut self,
        mail: &StoredMail,
        kind: LetterKind,
        zone: &TimeZoneName,
        screen: &Screen,
    ) {
        let seen = self.0.entry(kind).or_default();
        *seen += 1;
        let is_first = *seen == 1;
        let message = &mail.message;
        screen.line(&format!(
            "{}  {kind:<10}  {:<45}  to {}",
            zone.to_local(mail.sent_at).strftime("%a %H:%M"),
            message.subject.as_str(),
            masked(message.to.expose())
        ));
        if is_first {
            let text: Vec<String> = message.text.lines().map(|l| format!("    | {l}")).collect();
            screen.line(&text.join("\n"));
        }
    }
}

/// An address of which only its owner recognizes more than the domain.
fn masked(address: &str) -> String {
    match address.split_once('@') {
        Some((name, domain)) => {
            let first: String = name.chars().take(1).collect();
            format!("{first}***@{domain}")
        }
        None => "***".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_masked() {
        assert_eq!(masked("ana.reyes@example.org"), "a***@example.org");
    }
}
