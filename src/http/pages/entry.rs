//! Where a link leads: a page that asks for the code. The script takes it from behind the `#` of the
//! address and sends the form; without the script it is pasted or typed.

use actix_web::http::StatusCode;
use askama::Template;

use super::{Page, page};

#[derive(Template)]
#[template(path = "entry.html")]
struct EntryPage {
    title: &'static str,
    lead: &'static str,
    action: &'static str,
}

fn entry(title: &'static str, lead: &'static str, action: &'static str) -> Page {
    page(
        StatusCode::OK,
        &EntryPage {
            title,
            lead,
            action,
        },
    )
}

/// Asks for a confirm code.
///
/// # Errors
/// A template that fails, which none does by itself.
pub fn confirm() -> Page {
    entry(
        "Confirm your offer",
        "Enter the code of the e-mail in which we asked you to confirm.",
        "/confirm",
    )
}

/// Asks for an answer code.
///
/// # Errors
/// As [`confirm`].
pub fn answer() -> Page {
    entry(
        "Answer a neighbor",
        "Enter the code of the e-mail in which we asked you for help.",
        "/answer",
    )
}

/// Asks for a manage code.
///
/// # Errors
/// As [`confirm`].
pub fn manage() -> Page {
    entry(
        "See how it stands",
        "Enter the code that you got when you posted.",
        "/manage",
    )
}

/// Asks for an unsubscribe code.
///
/// # Errors
/// As [`confirm`].
pub fn unsubscribe() -> Page {
    entry(
        "No more e-mail",
        "Enter the code that stands last in the link at the end of any of our e-mails.",
        "/unsubscribe",
    )
}
