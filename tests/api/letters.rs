//! Every kind of letter in the hands of whoever reads mailboxes: provider, scanner, over the shoulder.

use actix_web::http::Method;
use manyhands::domain::letter::LetterKind;
use serde_json::json;

use crate::support::letters::{Post, Sent};

fn rows(post: &Post) -> std::collections::BTreeSet<String> {
    post.app.database.rows()
}

/// The part of a link that reaches the server, and what stands behind the `#`.
fn parts(link: &str) -> (&str, &str) {
    let path = link.trim_start_matches("http://127.0.0.1:8080");
    assert!(path.starts_with('/'), "{link} leads elsewhere");
    path.split_once('#').unwrap_or((path, ""))
}

#[actix_web::test]
async fn a_scanner_without_scripts_changes_nothing() {
    let post = Post::new().await;
    let before = rows(&post);
    for letter in &post.sent {
        let links = letter.links();
        let is_to_people = !letter.to.starts_with("coo@");
        assert_eq!(links.is_empty(), !is_to_people, "{letter}");
        for link in &links {
            let (path, code) = parts(link);
            for method in [Method::HEAD, Method::GET] {
                let answer = post.app.call(method.clone(), path, None, None).await;
                assert!(answer.status < 400, "{method} {path}: {}", answer.status);
            }
            let form = ("Content-Type", "application/x-www-form-urlencoded");
            let send = async |body: String| {
                let body = Some(body.into_bytes());
                post.app.raw(Method::POST, path, None, body, &[form]).await
            };
            // Nothing, the code alone, and pressed without a choice.
            for body in [
                String::new(),
                format!("code={code}"),
                format!("code={code}&form=all"),
            ] {
                let answer = send(body.clone()).await;
                assert!(
                    answer.status < 500 && answer.status != 204,
                    "{letter}: {path} {body}"
                );
            }
            let none = post.app.call(Method::POST, path, None, None).await;
            assert!(none.status >= 400, "{letter}: {path}");
        }
        assert_eq!(rows(&post), before, "{letter}");
    }
}

#[actix_web::test]
async fn one_click_stops_mail_and_nothing_else_in_the_whole_database() {
    let post = Post::new().await;
    let mut stopped = Vec::new();
    for letter in post.sent.iter().rev() {
        let Some(url) = &letter.mail.message.unsubscribe else {
            assert!(letter.to.starts_with("coo@"), "{letter}");
            continue;
        };
        let before = rows(&post);
        let answer = post.app.one_click(parts(url.expose()).0).await;
        // Once somebody is erased, their letters open nothing.
        assert!(
            [204, 404].contains(&answer.status),
            "{letter}: {}",
            answer.status
        );
        let after = rows(&post);
        let gone: Vec<&String> = before.difference(&after).collect();
        let new: Vec<&String> = after.difference(&before).collect();
        let (audit, people): (Vec<&String>, Vec<&String>) =
            new.into_iter().partition(|row| row.starts_with("audit: "));
        assert!(
            audit.iter().all(|row| row.contains("'mail_stopped'")),
            "{audit:?}"
        );
        assert_eq!(gone.len(), people.len(), "{letter}: {gone:?}");
        if stopped.contains(&letter.to) || answer.status == 404 {
            assert_eq!(gone.len(), 0, "{letter}");
            continue;
        }
        stopped.push(letter.to.clone());
        assert_eq!(gone.len(), 1, "{letter}");
        let differ: Vec<_> = gone[0]
            .split_whitespace()
            .zip(people[0].split_whitespace())
            .filter(|(a, b)| a != b)
            .collect();
        assert_eq!(differ.len(), 1, "{letter}: {differ:?}");
        assert_eq!(differ[0].0, "mail_stopped_at=NULL", "{letter}");
    }
    assert!(stopped.len() > 6, "{stopped:?}");
}

#[actix_web::test]
async fn subjects_say_nothing_and_nothing_is_loaded_from_elsewhere() {
    let post = Post::new().await;
    let mut telling: Vec<String> = [
        "danger",
        "unsafe",
        "violence",
        "child",
        "children",
        "meal",
        "meals",
        "hungry",
        "money",
        "minneapolis",
        "55407",
        "mo",
        "lin",
        "kim",
        "nia",
        "oli",
        "pat",
        "sam",
        "ana",
        "ben",
        "cem",
        "dee",
        "eve",
        "farah",
        "alvarez",
        "coo",
        "urgent",
        "now",
        "tonight",
        "km",
    ]
    .map(str::to_owned)
    .to_vec();
    for category in post.app.ctx.catalog.iter() {
        let title = category.title.to_lowercase();
        let key = category.key.to_string();
        let words = title.split(' ').chain(key.split('_')).map(str::to_owned);
        telling.extend(words.filter(|w| w.len() > 3));
        telling.push(category.unit_for(1).to_lowercase());
        telling.push(category.unit_for(2).to_lowercase());
    }
    // Said of every category alike, it tells of none.
    telling.retain(|word| !word.is_empty() && word != "help");
    for letter in &post.sent {
        let subject = letter.mail.message.subject.as_str().to_lowercase();
        let told = |word: &String| {
            subject
                .split(|c: char| !c.is_alphanumeric())
                .any(|w| w == word)
        };
        let told: Vec<&String> = telling.iter().filter(|word| told(word)).collect();
        assert!(told.is_empty(), "{letter}: {subject}: {told:?}");
        assert!(!subject.contains(|c: char| c.is_ascii_digit()), "{subject}");
        loads_nothing(letter);
    }
}

/// The HTML part is complete in itself: no image, style, script, font or form, nothing that calls home.
fn loads_nothing(letter: &Sent) {
    let html = letter.mail.message.html.to_lowercase();
    for forbidden in [
        "<img",
        "<link",
        "<script",
        "<style",
        "<iframe",
        "<object",
        "<embed",
        "<form",
        "<base",
        "<svg",
        "<video",
        "<audio",
        "<input",
        "src=",
        "srcset=",
        "background=",
        "url(",
        "@import",
        "data:",
        "cid:",
        "onload",
        "onclick",
        "http-equiv",
        "ping=",
        "width=\"1\"",
    ] {
        assert!(!html.contains(forbidden), "{forbidden} in {letter}: {html}");
    }
    for (at, _) in html.match_indices("href=\"") {
        let link = html[at + 6..].split('"').next().unwrap();
        let (path, code) = parts(link);
        assert!(
            ["/confirm", "/answer", "/manage", "/unsubscribe"].contains(&path),
            "{letter}: {link}"
        );
        assert!(code.starts_with("mh") && !link.contains('?'), "{link}");
    }
}

#[actix_web::test]
async fn letters_carry_no_contact_whatever_their_kind() {
    let post = Post::new().await;
    for letter in &post.sent {
        let eml = String::from_utf8_lossy(&letter.mail.eml);
        for secret in [
            "55501",
            "555 01",
            "Ring twice",
            "Secret Ave",
            "Farah",
            "Alvarez",
            "44.9",
            "-93.",
        ] {
            assert!(!eml.contains(secret), "{secret} in {letter}: {eml}");
        }
        // To people, not to coordinators: they have asked for theirs.
        let one_click = "List-Unsubscribe-Post: List-Unsubscribe=One-Click";
        assert_eq!(eml.contains(one_click), letter.to != "coo@example.org");
        let greets = letter.mail.message.text.starts_with("Hello ");
        assert!(greets, "{letter}");
    }
    // The story leaves work: somebody is asked, somebody must agree, somebody must confirm.
    for (kind, to) in [
        (LetterKind::Asked, "ana@example.org"),
        (LetterKind::Agree, "oli@example.org"),
        (LetterKind::Confirm, "eve@example.org"),
    ] {
        assert!(post.newest(kind, to).code().is_some());
    }
    let answer = post.newest(LetterKind::Asked, "ana@example.org");
    let code = answer.code().unwrap();
    let decline = "/v1/matches/self/decline";
    let declined = post.app.post(decline, &code, &json!({})).await;
    assert_eq!(declined.ok()["state"], "declined");
}
