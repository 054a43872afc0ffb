//! The pages in a real browser, as large as a small phone's: links, presses, colors, and a mail
//! scanner that runs the scripts and presses every button.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "support/browser.rs"]
mod browser;
#[path = "pages_browser/letters.rs"]
mod letters;
mod support;
#[path = "support/pages.rs"]
#[expect(dead_code, reason = "shared with the tests that need no browser")]
mod town;

use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer};
use manyhands::actions::Ctx;
use manyhands::actions::propose_match::propose_match;
use manyhands::domain::lifecycle::{MatchState, OfferState};
use manyhands::http::{headers, routes};
use manyhands::storage::audit::Actor;
use manyhands::storage::{StorageError, offers};
use serde_json::json;

use self::browser::Browser;
use self::support::ring;
use self::town::{Town, unsubscribe_code};

/// Serves the pages on a free port; gives the address that links begin with.
fn serve(ctx: &Ctx) -> String {
    let routes = routes(ctx.clone());
    let server = HttpServer::new(move || {
        App::new()
            .wrap(from_fn(headers::secure))
            .configure(routes.clone())
    })
    .workers(1)
    .disable_signals()
    .bind(("127.0.0.1", 0))
    .unwrap();
    let address = server.addrs()[0];
    actix_web::rt::spawn(server.run());
    format!("http://{address}")
}

const IN_ORDER: &str = include_str!("support/in_order.js");

/// Looks for what makes a page hard to read or to press, by day and by night.
fn check(browser: &mut Browser, name: &str) {
    for (scheme, file) in [("light", name.to_owned()), ("dark", format!("{name}-dark"))] {
        let features = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        browser.call(
            "Emulation.setEmulatedMedia",
            &json!({ "features": features }),
        );
        let faults = browser.eval(IN_ORDER);
        assert_eq!(faults, json!([]), "{name} in {scheme}");
        browser.picture(&file);
    }
    browser.call("Emulation.setEmulatedMedia", &json!({ "features": [] }));
}

#[actix_web::test]
async fn links_open_and_leave_no_code_in_the_address_bar() {
    let town = Town::new(&[]);
    let url = serve(&town.ctx);
    let (ana, mo) = (
        town.volunteer("Ana Lima", "food", 20).await,
        town.neighbor("food", &[4, 12], true).await,
    );
    let (id, answer) = town.ask(mo.requests[0], &ana).await;
    let confirm = town.offers("Ben", "towing", 2).await;
    let before = town.commits();
    let mut browser = Browser::start();

    browser.open(&url);
    check(&mut browser, "front");
    browser.open(&format!("{url}/answer"));
    check(&mut browser, "code");
    for path in [
        "need",
        "need/food",
        "need/childcare",
        "offer/towing",
        "offer/warming_space",
    ] {
        browser.open(&format!("{url}/{path}"));
        check(&mut browser, &path.replace('/', "-"));
    }
    browser.eval("document.querySelector('form').noValidate = true");
    browser.go("document.querySelector('button').click()");
    check(&mut browser, "offer-faults");
    for (link, title, name) in [
        (
            format!("{url}/confirm#{confirm}"),
            "Confirm your offer",
            "confirm",
        ),
        (
            format!("{url}/manage#{}", mo.code),
            "Your posts",
            "neighbor",
        ),
        (
            format!("{url}/manage#{}", ana.code),
            "Your offers",
            "volunteer",
        ),
        (
            format!("{url}/answer#{answer}"),
            "Can you help a neighbor?",
            "answer",
        ),
        (
            format!("{url}/answer#{}", mo.code),
            "This code opens nothing",
            "wrong",
        ),
        (
            format!("{url}/#{answer}"),
            "Can you help a neighbor?",
            "answer",
        ),
    ] {
        browser.open(&link);
        browser.wait(&format!("document.title.startsWith('{title}')"));
        let address = browser.eval("location.href");
        assert_eq!(address.as_str().unwrap(), link.split('#').next().unwrap());
        check(&mut browser, name);
    }
    assert_eq!(town.commits(), before, "looking changed nothing");

    // A person answers with a thumb: what belongs to a choice appears with it.
    browser.open(&format!("{url}/answer#{answer}"));
    browser.wait("document.getElementById('accept')");
    let is_shown = "document.getElementById('arrival').offsetHeight > 0";
    assert_eq!(browser.eval(is_shown), false);
    browser.eval("document.querySelector('label[for=accept]').click()");
    assert_eq!(browser.eval(is_shown), true);
    browser.picture("answer-chosen");
    browser.go("document.querySelector('button').click()");
    assert!(
        browser.text().contains("One more step"),
        "{}",
        browser.text()
    );
    assert_eq!(town.matched(id).await.state, MatchState::Accepted);

    browser.open(&format!("{url}/manage#{}", mo.code));
    browser.wait("document.querySelector('input[value=agree]')");
    check(&mut browser, "neighbor-asked");
    browser.eval("document.querySelector('input[value=agree]').click()");
    browser.go("document.querySelector('input[value=agree]').form.querySelector('button').click()");
    assert!(browser.text().contains("+16125550123"));
    check(&mut browser, "neighbor-settled");

    browser.open(&format!("{url}/answer#{answer}"));
    browser.wait("document.title.startsWith('Thank you. It is settled')");
    check(&mut browser, "answer-settled");
    assert_eq!(browser.complaints(), [] as [&str; 0]);
}

#[actix_web::test]
async fn without_a_script_the_code_is_typed() {
    let town = Town::new(&[]);
    let url = serve(&town.ctx);
    let code = town.offers("Ana Lima", "food", 20).await;
    let owner = town.subject(&code).await;
    let mut browser = Browser::start();
    browser.call(
        "Emulation.setScriptExecutionDisabled",
        &json!({ "value": true }),
    );
    browser.open(&format!("{url}/confirm#{code}"));
    browser.eval(&format!(
        "document.getElementById('code').value = '{}'",
        code.to_lowercase()
    ));
    browser.go("document.querySelector('button').click()");
    assert!(browser.text().contains("Did you offer this help?"));
    browser.eval("document.getElementById('confirm').click()");
    browser.go("document.querySelector('button').click()");
    assert!(browser.text().contains("Keep this code"));
    check(&mut browser, "keep");
    let posted = town
        .ctx
        .db
        .read(move |c| Ok::<_, StorageError>(offers::of_volunteer(c, owner.into())?))
        .await
        .unwrap();
    assert!(posted.iter().all(|o| o.state == OfferState::Open));
}

/// A mail scanner follows the links of letters, runs the scripts, waits, and presses every button.
#[actix_web::test]
async fn a_scanner_that_presses_every_button_changes_nothing() {
    let town = Town::new(&[]);
    let url = serve(&town.ctx);
    let (ana, mo) = (
        town.volunteer("Ana Lima", "food", 20).await,
        town.neighbor("food", &[4, 4], true).await,
    );
    let unsubscribe = {
        let ben = town.volunteer("Ben", "food", 20).await;
        let request = mo.requests[1];
        propose_match(&town.ctx, request, ben.offer, None, Actor::OPERATOR)
            .await
            .unwrap();
        unsubscribe_code(&town.deliver().await)
    };
    let (_, answer) = town.ask(mo.requests[0], &ana).await;
    let confirm = town.offers("Cem", "towing", 2).await;
    let mut browser = Browser::start();
    let before = town.commits();
    for (page, code) in [
        ("answer", &answer),
        ("confirm", &confirm),
        ("unsubscribe", &unsubscribe),
        ("manage", &mo.code),
        ("manage", &ana.code),
    ] {
        let link = format!("{url}/{page}#{code}");
        let mut next = 0;
        loop {
            browser.open(&link);
            browser.wait("document.querySelector('input[name=code][type=hidden]')");
            let buttons = browser
                .eval("document.getElementsByTagName('button').length")
                .as_u64()
                .unwrap();
            assert!(buttons > 0, "{page} has a button");
            if next == buttons {
                break;
            }
            browser.go(&format!(
                "document.getElementsByTagName('button')[{next}].click()"
            ));
            assert!(
                browser.text().contains("Nothing was changed."),
                "{page}: {}",
                browser.text()
            );
            next += 1;
        }
        check(&mut browser, &format!("scanned-{page}"));
    }
    assert_eq!(town.commits(), before);
    assert_eq!(browser.complaints(), [] as [&str; 0]);
}
