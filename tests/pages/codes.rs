//! What all pages have in common: headers, sizes, codes right and wrong.

use std::time::Duration;

use actix_web::http::header::CONTENT_TYPE;
use actix_web::http::{Method, StatusCode};
use actix_web::test::TestRequest;
use manyhands::crypto::token::Purpose;

use super::browse::{follow, get, has, has_not, post, post_body, send};
use super::forms::encode;
use super::town::{Town, stranger};

#[actix_web::test]
async fn pages_are_small_safe_and_complete_by_themselves() {
    let town = Town::new(&[]);
    for path in [
        "/",
        "/sites",
        "/confirm",
        "/answer",
        "/manage",
        "/unsubscribe",
    ] {
        let page = get(&town.ctx, path).await;
        assert_eq!(page.status, 200, "{path}");
        assert!(
            page.html.len() < 20_000,
            "{path} has {} bytes",
            page.html.len()
        );
        assert_eq!(
            page.headers.get(CONTENT_TYPE).unwrap(),
            "text/html; charset=utf-8"
        );
        let cache = if path == "/sites" {
            "public, max-age=60"
        } else {
            "no-store"
        };
        assert_eq!(page.headers.get("cache-control").unwrap(), cache, "{path}");
        assert_eq!(page.headers.get("referrer-policy").unwrap(), "no-referrer");
        has(&page, "<html lang=\"en\">");
        has(&page, "name=\"viewport\"");
        for forbidden in [
            "style=",
            "<style",
            "onclick",
            "javascript:",
            "http://",
            "https://",
        ] {
            has_not(&page, forbidden);
        }
        assert_eq!(
            page.html.matches("<script").count(),
            1,
            "one script, and that from the server"
        );
        let head = send(
            &town.ctx,
            TestRequest::default().method(Method::HEAD).uri(path),
        )
        .await;
        assert_eq!(head.status, 200, "{path}");
    }
}

#[actix_web::test]
async fn style_script_and_icon_are_kept_by_browsers_for_good() {
    let town = Town::new(&[]);
    let page = get(&town.ctx, "/").await;
    let paths: Vec<&str> = page
        .html
        .split('"')
        .filter(|text| text.starts_with("/assets/"))
        .collect();
    assert_eq!(paths.len(), 3);
    for path in paths {
        let asset = get(&town.ctx, path).await;
        assert_eq!(asset.status, 200, "{path}");
        assert!(asset.html.len() < 5_000, "{path}");
        assert_eq!(
            asset.headers.get("cache-control").unwrap(),
            "public, max-age=31536000, immutable"
        );
        assert_eq!(
            asset.headers.get("x-content-type-options").unwrap(),
            "nosniff"
        );
        let (stem, rest) = path.rsplit_once('-').unwrap();
        let other = format!("{stem}-000000000000.{}", rest.rsplit_once('.').unwrap().1);
        let other = get(&town.ctx, &other).await;
        assert_eq!((other.status, other.html), (StatusCode::OK, asset.html));
        assert_eq!(
            other.headers.get("cache-control").unwrap(),
            "no-store",
            "an old name is not kept"
        );
    }
    assert_eq!(get(&town.ctx, "/assets/none-1.css").await.status, 404);
}

#[actix_web::test]
async fn a_code_opens_its_page_from_the_front_page_however_it_is_typed() {
    let town = Town::new(&[]);
    let (ana, mo) = (
        town.volunteer("Ana", "food", 20).await,
        town.neighbor("food", &[4], false).await,
    );
    let (_, answer) = town.ask(mo.requests[0], &ana).await;
    let confirm = town.offers("Ben", "food", 3).await;
    for (code, text) in [
        (&ana.code, "Your offers"),
        (&mo.code, "Your posts"),
        (&answer, "Can you help"),
        (&confirm, "Did you offer"),
    ] {
        let typed = format!(
            "  {} {}-{}",
            &code[..8],
            &code[8..20],
            code[20..].to_lowercase()
        );
        let page = follow(&town.ctx, "/", &typed).await;
        assert_eq!(page.status, 200);
        has(&page, text);
        has(&page, code);
    }
}

#[actix_web::test]
async fn every_wrong_code_gets_the_same_answer() {
    let town = Town::new(&[]);
    let (ana, mo) = (
        town.volunteer("Ana", "food", 20).await,
        town.neighbor("food", &[4], false).await,
    );
    let confirm = town.offers("Ben", "food", 3).await;
    town.clock.advance(Duration::from_hours(30 * 24));
    let mut answers = Vec::new();
    for (path, code) in [
        ("/answer", "nonsense".to_owned()),
        ("/answer", String::new()),
        ("/answer", stranger(Purpose::Answer)),
        ("/answer", ana.code.clone()),
        ("/confirm", confirm),
        ("/confirm", mo.code.clone()),
        ("/unsubscribe", mo.code.clone()),
        ("/manage", stranger(Purpose::Neighbor)),
        ("/manage", stranger(Purpose::Coordinator)),
        ("/", stranger(Purpose::Volunteer)),
        ("/", "x".repeat(5000)),
    ] {
        for choice in ["", "accept", "confirm", "stop", "erase"] {
            let page = post(
                &town.ctx,
                path,
                &[
                    ("code", &code),
                    ("form", "f"),
                    ("choice", choice),
                    ("sure", "yes"),
                ],
            )
            .await;
            assert_eq!(page.status, 404, "{path}");
            answers.push(page.html);
        }
    }
    assert!(
        answers.iter().all(|a| *a == answers[0]),
        "and the code is not repeated in it"
    );
}

#[actix_web::test]
async fn what_is_no_form_is_refused_on_a_page() {
    let town = Town::new(&[]);
    let too_long = encode([("code", "x".repeat(9000).as_str())]);
    let page = post_body(&town.ctx, "/answer", too_long).await;
    assert_eq!(page.status, 413);
    has(&page, "We could not read that");
    let page = post_body(&town.ctx, "/answer", "code=a&code=b".to_owned()).await;
    assert_eq!(page.status, 400);
    assert_eq!(page.headers.get("cache-control").unwrap(), "no-store");
    has(&page, "We could not read that");
    let json = TestRequest::post()
        .uri("/answer")
        .insert_header((CONTENT_TYPE, "application/json"));
    assert_eq!(send(&town.ctx, json.set_payload("{}")).await.status, 400);
    let wrong = post(
        &town.ctx,
        "/manage",
        &[
            ("code", &town.neighbor("food", &[4], false).await.code),
            ("form", "post"),
            ("choice", "renew"),
            ("request", "x"),
        ],
    )
    .await;
    assert_eq!(wrong.status, 422);
}
