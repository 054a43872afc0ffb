//! Addresses of webhooks, and the one under which an instance is reached.

use ureq::http::Uri;

use super::says_nothing_of_it;
use crate::domain::webhook::WebhookUrl;
use crate::settings::server::PublicUrl;

pub fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    for allow_insecure in [false, true] {
        match WebhookUrl::parse(&text, allow_insecure) {
            Ok(url) => is_one(&url, allow_insecure),
            Err(error) => says_nothing_of_it(error),
        }
    }
    if let Ok(url) = text.parse::<PublicUrl>() {
        let again: PublicUrl = url.as_str().parse().unwrap();
        assert_eq!((again.as_str(), again.host()), (url.as_str(), url.host()));
        let uri: Uri = url.as_str().parse().unwrap();
        let host = uri.host().unwrap().trim_matches(['[', ']']);
        assert_eq!(host, url.host());
    }
}

#[track_caller]
fn is_one(url: &WebhookUrl, allow_insecure: bool) {
    let text = url.expose();
    let again = WebhookUrl::parse(text, allow_insecure).unwrap();
    assert_eq!(again.expose(), text);
    assert!(text.starts_with("https://") || (allow_insecure && text.starts_with("http://")));
    assert!(!url.host().is_empty());
    // Whoever posts there must not read another host out of it than the one that was checked.
    if let Ok(uri) = text.parse::<Uri>() {
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
        assert_eq!(host, url.host());
    }
}
