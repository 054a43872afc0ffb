//! One letter, rendered, and how it is written as an e-mail (RFC 5322, MIME).
//!
//! Whatever text arrives, the result is ASCII with lines of legal length (RFC 5321, 4.5.3.1.6) and
//! exactly the headers below: a header's content comes from a type that cannot hold a line end.

use std::fmt;
use std::time::{Duration, SystemTime};

use lettre::Address;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};

use crate::domain::clock::Ts;
use crate::domain::contact::EmailAddress;
use crate::domain::ids::LetterId;
use crate::settings::mail::Sender;

/// A letter ready to be sent. It holds tokens and contacts, so `Debug` shows the id only.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// The letter in the outbox. It makes the Message-ID, so that a repeat can be recognized.
    pub id: LetterId,
    /// The one recipient.
    pub to: EmailAddress,
    /// The subject.
    pub subject: Subject,
    /// The body for programs without HTML.
    pub text: String,
    /// The same as HTML.
    pub html: String,
    /// Where one POST stops further letters.
    pub unsubscribe: Option<UnsubscribeUrl>,
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Message")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// A subject: one line, at most [`Subject::MAX`] characters.
#[derive(Clone, PartialEq, Eq)]
pub struct Subject(String);

impl Subject {
    /// Longest subject kept, in characters.
    pub const MAX: usize = 150;

    /// `text` on one line: runs of space and control characters become one space, and what is too
    /// long ends in an ellipsis.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let line = text
            .split(|c: char| c.is_whitespace() || c.is_control())
            .filter(|word| !word.is_empty())
            .collect::<Vec<_>>()
            .join(" ");
        if line.chars().count() <= Self::MAX {
            return Self(line);
        }
        Self(line.chars().take(Self::MAX - 1).chain(['…']).collect())
    }

    /// The text of the subject.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Subject(redacted)")
    }
}

/// The address of `POST /v1/unsubscribe/{token}`, which carries a token and therefore has a
/// redacting `Debug`. RFC 8058 wants `https`; `http` is taken for trying things out.
#[derive(Clone, PartialEq, Eq)]
pub struct UnsubscribeUrl(String);

impl UnsubscribeUrl {
    /// # Errors
    /// Says what is wrong with the text, without repeating it.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        let visible = |b: u8| b.is_ascii_graphic() && !matches!(b, b'<' | b'>' | b',' | b'"');
        if !text.starts_with("https://") && !text.starts_with("http://") {
            return Err("must be an https URL");
        }
        if text.len() > 500 || !text.bytes().all(visible) {
            return Err("must be a URL of at most 500 visible ASCII characters");
        }
        Ok(Self(text.to_owned()))
    }

    /// The URL, for a header or the test that follows it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for UnsubscribeUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("UnsubscribeUrl(redacted)")
    }
}

/// A letter that no server would take: repeating it cannot help.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the letter cannot be written as an e-mail: {0}")]
pub struct Unwritable(pub &'static str);

impl Message {
    /// The `Message-ID`, the same at every attempt.
    #[must_use]
    pub fn message_id(&self, from: &Sender) -> String {
        format!("<{}@{}>", self.id, from.domain())
    }

    /// The letter as an e-mail from `from`, dated `date`.
    ///
    /// The recipient's server may read it over a relay's shoulder, so nothing is in the headers that
    /// is not needed: no name beside the recipient's address, no name of this machine.
    ///
    /// # Errors
    /// When an address is none that a mail server takes, which the types should have prevented.
    pub fn to_mime(&self, from: &Sender, date: Ts) -> Result<lettre::Message, Unwritable> {
        let sender: Address = from
            .address()
            .parse()
            .map_err(|_| Unwritable("the sender's address"))?;
        let recipient: Address = self
            .to
            .expose()
            .parse()
            .map_err(|_| Unwritable("the recipient's address"))?;
        let mut builder = lettre::Message::builder()
            .from(Mailbox::new(from.name().map(str::to_owned), sender))
            .to(Mailbox::new(None, recipient))
            .subject(self.subject.as_str())
            .date(on_the_calendar(date))
            .message_id(Some(self.message_id(from)))
            // RFC 3834: no vacation notice answers this. Exchange knows only the second one.
            .raw_header(header("Auto-Submitted", "auto-generated"))
            .raw_header(header("X-Auto-Response-Suppress", "All"));
        if let Some(url) = &self.unsubscribe {
            builder = builder
                .raw_header(header("List-Unsubscribe", &format!("<{}>", url.expose())))
                .raw_header(header(
                    "List-Unsubscribe-Post",
                    "List-Unsubscribe=One-Click",
                ));
        }
        // The boundary is the letter's random id, which no body written before it can contain.
        let parts = MultiPart::alternative()
            .boundary(format!("manyhands-{}", self.id))
            .singlepart(SinglePart::plain(lines(&self.text)))
            .singlepart(SinglePart::html(lines(&self.html)));
        builder
            .multipart(parts)
            .map_err(|_| Unwritable("its headers"))
    }
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

/// `text` with every line end as `\n` and without other control characters. A carriage return on its
/// own would reach the server, and servers disagree on whether it ends a line (SMTP smuggling).
fn lines(text: &str) -> String {
    text.replace("\r\n", "\n")
        .replace('\r', "\n")
        .replace(|c: char| c.is_control() && c != '\n' && c != '\t', "")
}

/// `date` for the `Date` header, which knows the years 1970 to 9999 only.
fn on_the_calendar(date: Ts) -> SystemTime {
    const LAST: u64 = 253_402_300_799;
    let secs = u64::try_from(date.as_secs()).unwrap_or(0).min(LAST);
    SystemTime::UNIX_EPOCH + Duration::from_secs(secs)
}

#[cfg(test)]
mod tests {
    use mail_parser::MessageParser;
    use proptest::prelude::*;

    use super::*;

    fn letter(subject: &str, text: &str, html: &str) -> Message {
        Message {
            id: uuid::Uuid::from_u128(7).into(),
            to: EmailAddress::parse("ana@example.org").unwrap(),
            subject: Subject::new(subject),
            text: text.to_owned(),
            html: html.to_owned(),
            unsubscribe: UnsubscribeUrl::parse("https://help.example.org/v1/unsubscribe/mhu_TOKEN")
                .ok(),
        }
    }

    fn written(letter: &Message, micros: i64) -> Vec<u8> {
        let from = "Añá Help <help@example.org>".parse().unwrap();
        letter
            .to_mime(&from, Ts::from_micros(micros))
            .unwrap()
            .formatted()
    }

    #[test]
    fn the_headers_are_these_and_no_others() {
        let eml = written(
            &letter("Food for four", "Hi", "<p>Hi</p>"),
            1_767_225_600_000_000,
        );
        let eml = String::from_utf8(eml).unwrap();
        let (headers, _) = eml.split_once("\r\n\r\n").unwrap();
        let expected = "From: =?utf-8?b?QcOxw6EgSGVscA==?= <help@example.org>\r\n\
            To: ana@example.org\r\n\
            Subject: Food for four\r\n\
            Date: Thu, 01 Jan 2026 00:00:00 +0000\r\n\
            Message-ID: <00000000-0000-0000-0000-000000000007@example.org>\r\n\
            Auto-Submitted: auto-generated\r\n\
            X-Auto-Response-Suppress: All\r\n\
            List-Unsubscribe: <https://help.example.org/v1/unsubscribe/mhu_TOKEN>\r\n\
            List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n\
            MIME-Version: 1.0\r\n\
            Content-Type: multipart/alternative;\r\n \
            boundary=\"manyhands-00000000-0000-0000-0000-000000000007\"";
        assert_eq!(headers, expected);
    }

    #[test]
    fn the_same_letter_is_written_the_same_again() {
        let letter = letter("Hi", "there", "<p>there</p>");
        assert_eq!(written(&letter, 0), written(&letter, 0));
    }

    #[test]
    fn dates_outside_the_calendar_are_bent_into_it() {
        for micros in [i64::MIN, -1, i64::MAX] {
            assert!(!written(&letter("", "", ""), micros).is_empty());
        }
    }

    #[test]
    fn debug_shows_nothing_of_the_person() {
        let shown = format!(
            "{:?}",
            letter("SECRET subject", "SECRET text", "SECRET html")
        );
        assert!(
            !shown.contains("SECRET") && !shown.contains("ana@") && !shown.contains("mhu_"),
            "{shown}"
        );
        let parts = format!(
            "{:?}{:?}",
            Subject::new("SECRET"),
            UnsubscribeUrl::parse("https://SECRET")
        );
        assert!(!parts.contains("SECRET"), "{parts}");
    }

    #[test]
    fn an_unsubscribe_url_cannot_carry_a_header() {
        for text in [
            "https://a\r\nBcc: x",
            "https://a b",
            "https://a>, <mailto:x",
            "ftp://a",
            "mhu_x",
            "https://ä",
        ] {
            assert!(UnsubscribeUrl::parse(text).is_err(), "{text}");
        }
        assert!(UnsubscribeUrl::parse("http://127.0.0.1:8080/v1/unsubscribe/mhu_x").is_ok());
    }

    #[test]
    fn a_subject_is_one_line() {
        assert_eq!(
            Subject::new(" a\r\nBcc: b@c.org\t\0d ").as_str(),
            "a Bcc: b@c.org d"
        );
        assert_eq!(
            Subject::new(&"ä".repeat(500)).as_str().chars().count(),
            Subject::MAX
        );
    }

    fn nasty() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            any::<String>(),
            "[ -~]{0,40}",
            Just("\r\n.\r\n".to_owned()),
            Just("\r.\r".to_owned()),
            Just("\n.\n".to_owned()),
            Just("\r\nBcc: x@y.org\r\n\r\n".to_owned()),
            Just("a".repeat(1200)),
            Just("--manyhands-00000000\r\n".to_owned()),
            Just("=3D=\n \t\0\u{2028}🧣".to_owned()),
        ];
        prop::collection::vec(piece, 0..6).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn whatever_is_written_is_legal_and_comes_back(subject in nasty(), text in nasty(), html in nasty()) {
            let letter = letter(&subject, &text, &html);
            let eml = written(&letter, 0);
            prop_assert!(eml.is_ascii() && !eml.contains(&0));
            for line in eml.split(|b| *b == b'\n') {
                prop_assert!(line.len() <= 999, "a line of {}", line.len());
                let line = line.strip_suffix(b"\r").unwrap_or(line);
                prop_assert!(!line.contains(&b'\r'), "a lone carriage return");
            }
            prop_assert!(eml.windows(2).all(|w| w[1] != b'\n' || w[0] == b'\r'), "a lone line feed");

            let parsed = MessageParser::default().parse(&eml).unwrap();
            let names: Vec<_> = parsed.root_part().headers().iter().map(|h| h.name().to_owned()).collect();
            prop_assert_eq!(names.len(), 11, "{:?}", names);
            prop_assert_eq!(parsed.subject().unwrap_or_default(), letter.subject.as_str());
            prop_assert_eq!(parsed.text_body_count(), 1);
            prop_assert_eq!(parsed.html_body_count(), 1);
            let same = |seen: &str, sent: &str| seen.replace("\r\n", "\n") == lines(sent);
            prop_assert!(same(&parsed.body_text(0).unwrap(), &text));
            prop_assert!(same(&parsed.body_html(0).unwrap(), &html));
        }
    }
}
