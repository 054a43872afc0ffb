//! Whom a refusal is about. Only what the server says to a recipient or to a letter may end that
//! letter. What it says to us (a wrong password, a sender it does not know, a right we lack) would
//! otherwise end every letter of a city within minutes.

use std::error::Error as StdError;

use lettre::transport::smtp::Error;
use lettre::transport::smtp::response::{Code, Severity};

use super::{About, SendError, Trouble};

/// How far the conversation has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Name, TCP, encryption from the first byte, greeting.
    Connect,
    /// The upgrade to TLS.
    StartTls,
    /// AUTH.
    Login,
    /// MAIL FROM.
    Sender,
    /// RCPT TO.
    Recipient,
    /// DATA.
    Data,
    /// The letter itself.
    Body,
}

impl Step {
    /// Whom a failure at this step tells something of.
    pub(super) fn about(self) -> About {
        match self {
            Self::Connect | Self::StartTls | Self::Login | Self::Sender => About::Server,
            Self::Recipient | Self::Data | Self::Body => About::Domain,
        }
    }

    /// Whether `code` is the answer to go on with.
    pub(super) fn hopes_for(self, code: Code) -> bool {
        match self {
            Self::Data => u16::from(code) == 354,
            _ => code.severity == Severity::PositiveCompletion,
        }
    }
}

/// What an error at `step` means for the letter.
pub(super) fn classify(step: Step, error: &Error) -> SendError {
    let code = error.status().map(u16::from);
    let kind = match (code, step) {
        (_, Step::Login) if code.is_some() || error.is_client() => Trouble::Login,
        (Some(500..), Step::Recipient | Step::Data | Step::Body) => match code {
            Some(code) if !is_about_us(code, enhanced_status(error)) => {
                return SendError::Permanent { code };
            }
            _ => Trouble::Relay,
        },
        (Some(500..), _) => Trouble::Relay,
        (Some(_), _) => Trouble::Deferred,
        (None, _) if is_tls(error) => Trouble::Tls,
        // The server does not offer the upgrade.
        (None, Step::StartTls) if error.is_client() => Trouble::Tls,
        (None, Step::Connect) if is_unconnected(error) => Trouble::Connect,
        (None, _) => Trouble::Lost,
    };
    let about = match step.about() {
        About::Domain if code.is_some_and(|code| is_about_one(code, enhanced_status(error))) => {
            About::Letter
        }
        about => about,
    };
    SendError::Temporary {
        code,
        kind,
        about,
        outcome_unknown: step == Step::Body && code.is_none(),
    }
}

/// Whether a 4xx to a recipient or a letter speaks of that one only: a mailbox that is full or busy (X.2.\*), or
/// a policy such as greylisting, by which whoever comes for the first time has to come again (X.7.\*; RFC 3463,
/// RFC 6647). A server that closes the connection over it (421) means more than that.
fn is_about_one(code: u16, enhanced: Option<(u16, u16)>) -> bool {
    matches!(code, 400..=420 | 422..=499) && matches!(enhanced, Some((2 | 7, _)))
}

/// Whether a 5xx to a recipient or a letter speaks of us all the same. Many servers say what they
/// hold against the client or the sender only after RCPT, so the step alone does not tell.
///
/// * 500, 502, 503, 504, 555: our commands. 530, 534, 535, 538: our login (RFC 4954).
/// * X.1.7 and X.1.8: the sender's address. X.7.\*: our rights, our signature or our reputation
///   ("relay access denied" is 5.7.1); RFC 3463, RFC 7372.
pub(crate) fn is_about_us(code: u16, enhanced: Option<(u16, u16)>) -> bool {
    matches!(code, 500 | 502..=504 | 530 | 534 | 535 | 538 | 555)
        || matches!(enhanced, Some((1, 7 | 8) | (7, _)))
}

/// Subject and detail of the enhanced status code (RFC 3463) that the server's text begins with.
fn enhanced_status(error: &Error) -> Option<(u16, u16)> {
    parse_enhanced(&error.source()?.to_string())
}

pub(crate) fn parse_enhanced(text: &str) -> Option<(u16, u16)> {
    let mut numbers = text.split_whitespace().next()?.splitn(3, '.');
    let (class, subject, detail) = (numbers.next()?, numbers.next()?, numbers.next()?);
    matches!(class, "4" | "5").then_some(())?;
    Some((subject.parse().ok()?, detail.parse().ok()?))
}

/// The input and output errors behind `error`.
fn io_causes(error: &Error) -> impl Iterator<Item = &std::io::Error> {
    std::iter::successors(error.source(), |&cause| cause.source())
        .filter_map(|cause| cause.downcast_ref())
}

fn is_tls(error: &Error) -> bool {
    error.is_tls()
        || io_causes(error).any(|io| {
            io.get_ref()
                .is_some_and(<dyn StdError + Send + Sync>::is::<rustls::Error>)
        })
}

/// Whether there never was a connection: a name without address, nobody listening, nobody answering.
/// A connection that broke later has another of these causes.
fn is_unconnected(error: &Error) -> bool {
    use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    !error.is_response()
        && !io_causes(error).any(|io| {
            matches!(
                io.kind(),
                BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof
            )
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_enhanced_code_is_read_where_there_is_one() {
        assert_eq!(parse_enhanced("5.1.1 no such user"), Some((1, 1)));
        assert_eq!(
            parse_enhanced("5.7.26 This mail is unauthenticated"),
            Some((7, 26))
        );
        for text in [
            "",
            "no such user",
            "2.7.1 fine",
            "5.x.1",
            "192.168.7.1 is blocked",
            "5.7",
        ] {
            assert_eq!(parse_enhanced(text), None, "{text}");
        }
    }

    #[test]
    fn a_full_mailbox_or_a_greylist_says_nothing_of_its_domain() {
        for enhanced in [(2, 0), (2, 2), (7, 1)] {
            assert!(is_about_one(450, Some(enhanced)), "{enhanced:?}");
            assert!(!is_about_one(421, Some(enhanced)), "{enhanced:?}");
        }
        for enhanced in [None, Some((3, 0)), Some((4, 1))] {
            assert!(!is_about_one(451, enhanced), "{enhanced:?}");
        }
    }

    #[test]
    fn a_refusal_of_us_is_not_one_of_the_letter() {
        for code in [500, 502, 503, 504, 530, 534, 535, 538, 555] {
            assert!(is_about_us(code, None), "{code}");
        }
        for enhanced in [(1, 7), (1, 8), (7, 0), (7, 1), (7, 8), (7, 26)] {
            assert!(is_about_us(550, Some(enhanced)), "{enhanced:?}");
        }
        for (code, enhanced) in [
            (550, None),
            (550, Some((1, 1))),
            (552, Some((2, 2))),
            (554, Some((6, 0))),
            (501, None),
            (556, Some((1, 10))),
        ] {
            assert!(!is_about_us(code, enhanced), "{code} {enhanced:?}");
        }
    }
}
