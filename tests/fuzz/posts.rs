//! What is posted: needs and offers, read into what the database is told, with every fault and its place. The first
//! byte says what it is.

use super::{says_nothing_of_it, town};
use crate::bodies::faults::{FieldErrors, MOST};
use crate::bodies::task::TaskPatch;
use crate::bodies::webhook::WebhookBody;
use crate::http::auth::EnteredBy;
use crate::http::fields::read_json;
use crate::http::offers::PostOffersBody;
use crate::http::problem::Problem;
use crate::http::requests::PostRequestsBody;

pub fn run(bytes: &[u8]) {
    let Some((kind, body)) = bytes.split_first() else {
        return;
    };
    town::with(|ctx| match kind {
        b'r' => check(read_json::<PostRequestsBody>(body), |body, errors| {
            let post = body.parse(ctx, EnteredBy(None), errors);
            assert!(post.is_some() || !errors.all().is_empty());
        }),
        b'o' => check(read_json::<PostOffersBody>(body), |body, errors| {
            let post = body.parse(ctx, errors);
            assert!(post.is_some() || !errors.all().is_empty());
        }),
        b'w' => check(read_json::<WebhookBody>(body), |body, errors| {
            let webhook = body.parse(false, errors);
            assert!(webhook.is_some() || !errors.all().is_empty());
        }),
        b't' => check(read_json::<TaskPatch>(body), |body, errors| {
            body.parse(ctx.now(), errors);
        }),
        _ => {}
    });
}

#[track_caller]
fn check<T>(read: Result<(T, FieldErrors), Problem>, parse: impl FnOnce(T, &mut FieldErrors)) {
    match read {
        Ok((body, mut errors)) => {
            parse(body, &mut errors);
            assert!(errors.all().len() <= MOST);
            for error in errors.all() {
                assert!(error.pointer.is_empty() || error.pointer.starts_with('/'));
                says_nothing_of_it(&error.detail);
            }
        }
        Err(problem) => {
            assert_eq!(problem.status, 400);
            says_nothing_of_it(problem.detail.unwrap_or_default());
        }
    }
}
