//! The service with a real mail server: good days over encrypted connections, and what becomes of a
//! letter on bad ones.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

#[expect(dead_code, reason = "every kind of test uses another part of it")]
#[path = "support/process.rs"]
mod process;
#[expect(dead_code, reason = "every kind of test uses another part of it")]
#[path = "support/smtp.rs"]
mod smtp;
#[path = "smtp/storm.rs"]
mod storm;
mod support;

use std::sync::Arc;

use actix_web::http::Method;
use manyhands::actions::claim_letters::claim_letters;
use manyhands::actions::settle_letter::{Attempt, settle_letter};
use manyhands::domain::ids::LeaseId;
use manyhands::domain::letter::{Lane, LetterKind};
use manyhands::domain::lifecycle::MatchState;
use manyhands::mail::transport::Transport;
use manyhands::settings::{Settings, Sources};
use manyhands::storage::StorageError;
use manyhands::storage::letters::{self, Letter, LetterFilter, LetterState};
use manyhands::storage::matches::{self, Match};
use manyhands::storage::page::Page;
use manyhands::workers::feed::Feed;
use manyhands::workers::matching::Matching;
use manyhands::workers::outbox::Outbox;
use manyhands::workers::{Stop, Worker};
use process::Server;
use serde_json::{Value, json};
use smtp::{ReceivedMail, SmtpServer};
use support::people::{food, offer_of, post_of, with};
use support::{DAY, HOUR, MINUTE, TestApp, token_in};
use tokio::sync::watch;

/// One mail server and a service that sends by it.
struct Office {
    server: SmtpServer,
    app: TestApp,
}

impl Office {
    fn new() -> Self {
        let server = SmtpServer::start();
        let settings = settings(&server, SmtpServer::LOGIN.1);
        let settings: Vec<_> = settings.iter().map(|(k, v)| (*k, &**v)).collect();
        Self {
            app: TestApp::with(&settings),
            server,
        }
    }

    /// A volunteer posts an offer; nothing is sent yet.
    async fn offers(&self, email: &str) {
        let body = offer_of(email, &[json!({"category": "food", "capacity": 5})]);
        self.app
            .call(Method::POST, "/v1/offers", None, Some(&body))
            .await
            .ok();
    }

    /// A volunteer posts an offer and confirms it by the letter.
    async fn confirmed(&mut self, email: &str) {
        self.offers(email).await;
        self.app.settle().await;
        self.confirm(email).await;
        self.app.settle().await;
    }

    /// The volunteer uses the confirm link of the newest letter that has one.
    async fn confirm(&self, email: &str) {
        let token = self.token_to(email, "mho_");
        self.app
            .call(Method::POST, "/v1/confirm", Some(&token), None)
            .await
            .ok();
    }

    /// A neighbor with an address asks, for somebody who gives food; nothing is sent yet.
    async fn asks(&self, email: &str) -> support::people::Neighbor {
        let contact = json!({"name": "Mo Farah", "email": email});
        let body = with(post_of(&[food(2)]), json!({"contact": contact}));
        self.app.neighbor_who(body).await
    }

    fn mails_to(&self, email: &str) -> Vec<ReceivedMail> {
        let mut mails = self.server.mails();
        mails.retain(|mail| mail.envelope.to == [email]);
        mails
    }

    fn token_to(&self, email: &str, prefix: &str) -> String {
        let mails = self.mails_to(email);
        let found = mails.iter().rev().find_map(|m| token_in(&m.text, prefix));
        found.unwrap_or_else(|| panic!("no letter with {prefix} to {email}"))
    }

    /// All letters of a kind, oldest first.
    async fn letters(&self, kind: LetterKind) -> Vec<Letter> {
        let filter = LetterFilter {
            kind: Some(kind),
            ..LetterFilter::default()
        };
        let page = Page {
            after: None,
            limit: 100,
        };
        let read = move |conn: &mut _| Ok::<_, StorageError>(letters::page(conn, &filter, page)?);
        let mut found = self.app.ctx.db.read(read).await.unwrap();
        found.reverse();
        found
    }

    /// The one letter of a kind.
    async fn letter(&self, kind: LetterKind) -> Letter {
        let mut all = self.letters(kind).await;
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }

    /// The one match of a request.
    async fn matched(&self, request: &str) -> Match {
        let id = request.parse().unwrap();
        let read = move |conn: &mut _| Ok::<_, StorageError>(matches::of_request(conn, id)?);
        let mut all = self.app.ctx.db.read(read).await.unwrap();
        assert_eq!(all.len(), 1, "{all:?}");
        all.remove(0)
    }

    /// Matches what is due, and sends nothing.
    async fn match_only(&self) {
        let ctx = self.app.ctx.clone();
        let feed = Feed::new(ctx.clone());
        let mut matching = Matching::new(ctx, feed, Stop::never());
        matching.tick(self.app.now()).await.unwrap();
    }

    /// Another process's outbox, with this password, sends what is due.
    async fn another_sends(&self, password: &str) {
        let settings = settings(&self.server, password)
            .map(|(key, value)| (key.to_owned(), value))
            .to_vec();
        let settings = Settings::load(Sources {
            overrides: settings,
            ..Sources::default()
        });
        let transport = Arc::new(Transport::new(&settings.unwrap().mail).unwrap());
        for lane in Lane::ALL {
            let (ctx, transport) = (self.app.ctx.clone(), Arc::clone(&transport));
            let mut outbox = Outbox::new(ctx, transport, lane, Stop::never());
            outbox.tick(self.app.now()).await.unwrap();
        }
    }

    async fn claim(&self) -> (LeaseId, Vec<Letter>) {
        let lease = LeaseId::new(self.app.ctx.entropy.as_ref());
        let mut letters = Vec::new();
        for lane in Lane::ALL {
            let (claimed, _) = claim_letters(&self.app.ctx, lane, lease, 10).await.unwrap();
            letters.extend(claimed.into_iter().map(|c| c.letter));
        }
        (lease, letters)
    }
}

fn settings(server: &SmtpServer, password: &str) -> [(&'static str, String); 7] {
    [
        ("mail.transport", "smtp".to_owned()),
        ("mail.smtp.host", "localhost".to_owned()),
        ("mail.smtp.port", server.ports().starttls.to_string()),
        ("mail.smtp.tls", "starttls".to_owned()),
        ("mail.smtp.username", SmtpServer::LOGIN.0.to_owned()),
        ("mail.smtp.password", password.to_owned()),
        ("mail.smtp.ca_file", server.ca_file().display().to_string()),
    ]
}

/// The id that mail programs know a letter by.
fn message_id(letter: &Letter) -> String {
    format!("<{}@example.invalid>", letter.id)
}

#[test]
fn help_is_found_by_real_letters_over_either_kind_of_encryption() {
    let server = SmtpServer::start();
    let ports = server.ports();
    for (tls, port) in [("starttls", ports.starttls), ("tls", ports.tls)] {
        let dir = tempfile::tempdir().unwrap();
        let (port, ca_file) = (port.to_string(), server.ca_file().display().to_string());
        let service = Server::start(
            dir.path(),
            &[
                ("MAIL__TRANSPORT", "smtp"),
                ("MAIL__FROM", "Manyhands <help@example.net>"),
                ("MAIL__SMTP__HOST", "localhost"),
                ("MAIL__SMTP__PORT", &port),
                ("MAIL__SMTP__TLS", tls),
                ("MAIL__SMTP__USERNAME", SmtpServer::LOGIN.0),
                ("MAIL__SMTP__PASSWORD", SmtpServer::LOGIN.1),
                ("MAIL__SMTP__CA_FILE", &ca_file),
            ],
        );
        let email = format!("ana-{tls}@example.org");
        let letter = |prefix: &str| {
            process::wait_for(prefix, || {
                let mails = server.mails();
                mails.into_iter().find(|mail| {
                    mail.envelope.to == [&*email] && token_in(&mail.text, prefix).is_some()
                })
            })
        };
        let call = |path: &str, token: Option<&str>, body: &Value| {
            let bearer = token.map(|t| format!("Bearer {t}"));
            let headers: Vec<_> = bearer.iter().map(|b| ("Authorization", &**b)).collect();
            service.post(path, &headers, body).unwrap().ok()
        };

        let offer = offer_of(&email, &[json!({"category": "food", "capacity": 5})]);
        call("/v1/offers", None, &offer);
        let confirm = letter("mho_");
        assert_is_a_good_letter(&confirm);
        let token = token_in(&confirm.text, "mho_").unwrap();
        call("/v1/confirm", Some(&token), &json!({}));
        let posted = call("/v1/requests", None, &post_of(&[food(2)]));
        let asked = letter("mha_");
        assert_is_a_good_letter(&asked);
        let token = token_in(&asked.text, "mha_").unwrap();
        call("/v1/matches/self/accept", Some(&token), &json!({}));
        let seen = service.get("/v1/neighbors/self", posted["manage_token"].as_str());
        assert_eq!(seen.unwrap().ok()["requests"][0]["covered"], 2);
        let (status, log) = service.terminate();
        assert!(status.success(), "{log}");
    }
}

/// What every letter to a volunteer has.
fn assert_is_a_good_letter(mail: &ReceivedMail) {
    assert!(mail.envelope.tls && mail.envelope.authenticated);
    assert_eq!(mail.envelope.from, "help@example.net");
    let id = mail.header("Message-ID");
    assert!(id.starts_with('<') && id.ends_with("@example.net>"), "{id}");
    assert!(!mail.text.trim().is_empty() && mail.html.contains("</html>"));
    // RFC 8058: one click, answered by a POST that needs no page.
    let unsubscribe = mail.header("List-Unsubscribe");
    assert!(
        unsubscribe.contains("/v1/unsubscribe/mhu_"),
        "{unsubscribe}"
    );
    assert_eq!(
        mail.header("List-Unsubscribe-Post"),
        "List-Unsubscribe=One-Click"
    );
}

#[actix_web::test]
async fn a_letter_put_off_is_delivered_later_as_the_same_letter() {
    let mut office = Office::new();
    office.offers("defer2-ana@example.org").await;
    office.app.settle().await;
    let letter = office.letter(LetterKind::Confirm).await;
    assert_eq!((letter.state, letter.attempts), (LetterState::Queued, 1));
    assert_eq!(letter.last_error.as_deref(), Some("deferred 451"));
    assert!(letter.due_at > office.app.now());

    // The waits grow; nothing is tried before its time.
    office.app.settle().await;
    assert_eq!(office.letter(LetterKind::Confirm).await.attempts, 1);
    office.app.advance(MINUTE).await;
    assert_eq!(office.letter(LetterKind::Confirm).await.attempts, 2);
    office.app.advance(2 * MINUTE).await;
    let sent = office.letter(LetterKind::Confirm).await;
    assert_eq!((sent.state, sent.attempts), (LetterState::Sent, 3));
    let mails = office.mails_to("defer2-ana@example.org");
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].header("Message-ID"), message_id(&letter));
    office.confirm("defer2-ana@example.org").await;
}

#[actix_web::test]
async fn a_letter_refused_for_good_is_dead_at_once() {
    let mut office = Office::new();
    office.offers("permfail-ana@example.org").await;
    office.app.settle().await;
    let letter = office.letter(LetterKind::Confirm).await;
    assert_eq!((letter.state, letter.attempts), (LetterState::Dead, 1));
    assert_eq!(letter.last_error.as_deref(), Some("refused 550"));
    assert_eq!(letter.settled_at, Some(office.app.now()));
    office.app.advance(DAY).await;
    assert_eq!(office.letter(LetterKind::Confirm).await.attempts, 1);
}

#[actix_web::test]
async fn a_connection_that_breaks_after_the_body_leads_to_the_same_letter_again() {
    let mut office = Office::new();
    // The server takes it, and the answer is lost.
    office.offers("drop-once-ana@example.org").await;
    office.app.settle().await;
    let letter = office.letter(LetterKind::Confirm).await;
    assert_eq!(letter.state, LetterState::Queued);
    assert_eq!(letter.last_error.as_deref(), Some("lost, outcome unknown"));
    office.app.advance(MINUTE).await;
    let sent = office.letter(LetterKind::Confirm).await;
    assert_eq!((sent.state, sent.attempts), (LetterState::Sent, 2));
    let mails = office.mails_to("drop-once-ana@example.org");
    let ids: Vec<_> = mails.iter().map(|m| m.header("Message-ID")).collect();
    // Mail programs show it once.
    assert_eq!(ids, [message_id(&letter), message_id(&letter)]);
    // Either copy confirms.
    for mail in &mails {
        let token = token_in(&mail.text, "mho_");
        let confirmed = office
            .app
            .call(Method::POST, "/v1/confirm", token.as_deref(), None);
        confirmed.await.ok();
    }
}

#[actix_web::test]
async fn a_wrong_password_kills_no_letter() {
    let mut office = Office::new();
    office.offers("ana@example.org").await;
    for attempt in 1..=5 {
        office.another_sends("wrong").await;
        let letter = office.letter(LetterKind::Confirm).await;
        assert_eq!(
            (letter.state, letter.attempts),
            (LetterState::Queued, attempt)
        );
        assert_eq!(letter.last_error.as_deref(), Some("login 535"));
        office.app.clock.set(letter.due_at);
    }
    assert!(office.server.mails().is_empty());
    // Somebody has set the right one.
    office.app.settle().await;
    let letter = office.letter(LetterKind::Confirm).await;
    assert_eq!(letter.state, LetterState::Sent);
    let mails = office.mails_to("ana@example.org");
    assert_eq!(mails.len(), 1);
    assert_eq!(mails[0].header("Message-ID"), message_id(&letter));
}

#[actix_web::test]
async fn after_five_days_a_letter_is_given_up() {
    let mut office = Office::new();
    office.asks("tempfail-mo@example.org").await;
    office.app.settle().await;
    let created = office.letters(LetterKind::Received).await[0].created_at;
    let mut last = office.letters(LetterKind::Received).await.remove(0);
    while last.state == LetterState::Queued {
        assert!(last.due_at.since(created) < 5 * DAY + 2 * HOUR, "{last:?}");
        office.app.clock.set(last.due_at);
        office.app.settle().await;
        last = office.letters(LetterKind::Received).await.remove(0);
    }
    assert_eq!(last.state, LetterState::Dead);
    assert_eq!(last.last_error.as_deref(), Some("deferred 451"));
    let age = last.settled_at.unwrap().since(created);
    assert!(age >= 5 * DAY && age < 5 * DAY + 2 * HOUR, "{age:?}");
    // An hour at the most between attempts: a server that is back is found soon.
    assert!(last.attempts >= 5 * 24, "{}", last.attempts);
    assert!(office.mails_to("tempfail-mo@example.org").is_empty());
}

#[actix_web::test]
async fn a_letter_whose_sender_died_is_taken_by_another() {
    let mut office = Office::new();
    office.offers("ana@example.org").await;
    let (lease, claimed) = office.claim().await;
    assert_eq!(claimed.len(), 1);
    let until = office
        .letter(LetterKind::Confirm)
        .await
        .lease_until
        .unwrap();

    // As long as the lease is held, nobody else touches it.
    office.app.settle().await;
    assert!(office.server.mails().is_empty());
    office.app.clock.set(until);
    office.app.settle().await;
    let sent = office.letter(LetterKind::Confirm).await;
    assert_eq!((sent.state, sent.attempts), (LetterState::Sent, 2));
    assert_eq!(office.mails_to("ana@example.org").len(), 1);

    // The first one was only slow: what it has to say is void now.
    let late = Attempt::Refused("refused 550".to_owned());
    settle_letter(&office.app.ctx, claimed[0].clone(), lease, late)
        .await
        .unwrap();
    assert_eq!(
        office.letter(LetterKind::Confirm).await.state,
        LetterState::Sent
    );
}

#[actix_web::test]
async fn a_confirm_letter_is_dropped_once_its_reader_has_confirmed() {
    let mut office = Office::new();
    office.offers("drop-once-ana@example.org").await;
    office.app.settle().await;
    assert_eq!(
        office.letter(LetterKind::Confirm).await.state,
        LetterState::Queued
    );
    // It had arrived all the same.
    office.confirm("drop-once-ana@example.org").await;
    office.app.advance(MINUTE).await;
    assert_eq!(
        office.letter(LetterKind::Confirm).await.state,
        LetterState::Dropped
    );
    let confirms = office.mails_to("drop-once-ana@example.org");
    let confirms = confirms
        .iter()
        .filter(|m| token_in(&m.text, "mho_").is_some());
    assert_eq!(confirms.count(), 1);
}

#[actix_web::test]
async fn a_letter_to_somebody_who_was_erased_is_dropped() {
    let mut office = Office::new();
    office.offers("tempfail-ana@example.org").await;
    office.app.settle().await;
    assert_eq!(
        office.letter(LetterKind::Confirm).await.state,
        LetterState::Queued
    );
    // Never confirmed, so housekeeping erases it.
    office.app.sleep_over(25 * HOUR).await;
    let letter = office.letter(LetterKind::Confirm).await;
    assert_eq!((letter.state, letter.attempts), (LetterState::Dropped, 2));
}

#[actix_web::test]
async fn an_ask_that_was_superseded_is_not_sent() {
    let mut office = Office::new();
    office.confirmed("ana@example.org").await;
    let mo = office.asks("mo@example.org").await;
    office.match_only().await;
    let matched = office.matched(&mo.requests[0]).await;
    assert_eq!(matched.state, MatchState::Notified);
    let path = format!("/v1/requests/{}/close", mo.requests[0]);
    let reason = json!({"reason": "not_needed"});
    office.app.post(&path, &mo.token, &reason).await.ok();
    let matched = office.matched(&mo.requests[0]).await;
    assert_eq!(matched.state, MatchState::Superseded);

    office.app.settle().await;
    assert_eq!(
        office.letter(LetterKind::Asked).await.state,
        LetterState::Dropped
    );
    let mails = office.mails_to("ana@example.org");
    assert!(mails.iter().all(|m| token_in(&m.text, "mha_").is_none()));
}

#[actix_web::test]
async fn the_time_for_an_answer_begins_when_the_mail_server_has_the_letter() {
    let mut office = Office::new();
    office.confirmed("ana@example.org").await;
    let mo = office.asks("mo@example.org").await;
    office.match_only().await;
    office.another_sends("wrong").await;
    let letter = office.letter(LetterKind::Asked).await;
    assert_eq!((letter.state, letter.attempts), (LetterState::Queued, 1));
    let matched = office.matched(&mo.requests[0]).await;
    assert_eq!((matched.asked_at, matched.respond_by), (None, None));

    // An hour of bad days would withdraw it; ten minutes do not.
    office.app.clock.advance(10 * MINUTE);
    office.another_sends(SmtpServer::LOGIN.1).await;
    let now = office.app.now();
    assert_eq!(office.letter(LetterKind::Asked).await.settled_at, Some(now));
    let matched = office.matched(&mo.requests[0]).await;
    assert_eq!(matched.state, MatchState::Notified);
    assert_eq!(matched.asked_at, Some(now));
    assert_eq!(matched.respond_by, Some(now.after(15 * MINUTE)));
    assert_eq!(
        office.letter(LetterKind::Asked).await.state,
        LetterState::Sent
    );
}

#[actix_web::test]
async fn letters_that_wait_for_their_domain_keep_no_connection_from_others() {
    let server = SmtpServer::start();
    let settings = settings(&server, SmtpServer::LOGIN.1);
    let mut settings: Vec<_> = settings.iter().map(|(k, v)| (*k, &**v)).collect();
    // Two connections for strangers, of which one domain gets one.
    settings.extend([("outbox.parallel", "8"), ("outbox.batch", "10")]);
    let office = Office {
        app: TestApp::with(&settings),
        server,
    };
    // More than a batch, and each takes two seconds.
    for n in 0..30 {
        office.offers(&format!("linger-{n}@large.example")).await;
    }
    office.app.clock.advance(MINUTE);
    for n in 0..3 {
        office.offers(&format!("p{n}@small.example")).await;
    }
    let small = |office: &Office| {
        let mails = office.server.mails();
        let is_small = |mail: &&ReceivedMail| mail.envelope.to[0].ends_with("@small.example");
        (mails.iter().filter(is_small).count(), mails.len())
    };
    let (ctx, transport) = (office.app.ctx.clone(), office.app.transport.clone());
    let (stop, stopped) = watch::channel(false);
    let mut outbox = Outbox::new(ctx, transport, Lane::Unconfirmed, Stop::new(stopped));
    let all_small = async {
        let mut known = 0;
        while small(&office).0 < 3 {
            known = office.server.wait_for(known + 1).await.len();
        }
        stop.send(true).unwrap();
        small(&office).1 - 3
    };
    let (tick, large) = tokio::join!(outbox.tick(office.app.now()), all_small);
    tick.unwrap();
    assert!(large <= 5, "{large} of the large domain came before");
}
