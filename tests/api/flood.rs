//! Mail that strangers cause: three letters an hour to an address that nobody has confirmed, a budget
//! for all, and no delay for who is confirmed.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use actix_web::http::Method;
use actix_web::test::TestRequest;
use manyhands::actions::claim_letters::{claim_letters, claim_letters_past};
use manyhands::actions::return_letters::return_letters;
use manyhands::domain::clock::{Clock, Ts};
use manyhands::domain::contact::EmailAddress;
use manyhands::domain::ids::LeaseId;
use manyhands::domain::letter::Lane;
use manyhands::domain::rests::{Line, Rest, Rests};
use manyhands::mail::transport::StoredMail;
use manyhands::storage::letters::{LetterFilter, LetterState};
use manyhands::storage::page::Page;
use manyhands::storage::{StorageError, letters};
use manyhands::workers::outbox::Outbox;
use manyhands::workers::{Next, Stop, Worker};
use serde_json::{Value, json};

use crate::support::people::{Volunteer, food, offer_of, post_of, with};
use crate::support::{DAY, HOUR, MINUTE, TestApp};

const VICTIM: &str = "victim@example.org";

/// An instance with the limits of mail, and none of calls.
fn limited(more: &[(&str, &str)]) -> TestApp {
    let mut settings = vec![
        ("limits.mode", "on"),
        ("limits.posts.burst", "1000000"),
        ("limits.contacts.burst", "1000000"),
    ];
    settings.extend(more);
    TestApp::with(&settings)
}

fn meals() -> [Value; 1] {
    [json!({"category": "food", "capacity": 50})]
}

fn posts(path: &str, body: &Value) -> TestRequest {
    TestRequest::with_uri(path)
        .method(Method::POST)
        .set_json(body)
}

fn offer(email: &str) -> TestRequest {
    posts("/v1/offers", &offer_of(email, &meals()))
}

fn need(email: &str) -> TestRequest {
    let contact = json!({"name": "Mo", "email": email});
    posts(
        "/v1/requests",
        &with(post_of(&[food(1)]), json!({ "contact": contact })),
    )
}

async fn waiting(app: &TestApp) -> i64 {
    let count = |conn: &mut _| Ok::<_, StorageError>(letters::count(conn, LetterState::Queued)?);
    app.ctx.db.read(count).await.expect("a count")
}

/// Another instance over the same database sends what is due.
async fn another_sends(app: &TestApp) {
    for lane in Lane::ALL {
        let (ctx, transport) = (app.ctx.clone(), app.transport.clone());
        let mut outbox = Outbox::new(ctx, transport, lane, Stop::never());
        outbox.tick(app.now()).await.expect("a tick");
    }
}

#[actix_web::test]
async fn an_address_gets_three_letters_an_hour_until_somebody_uses_a_link() {
    let mut app = limited(&[]);
    let mut answers = Vec::new();
    // Over several posts of both kinds, several instances, and a restart.
    for n in 0..4 {
        answers.extend(
            app.send_all([offer(VICTIM), need("Victim@Example.org")])
                .await,
        );
        match n % 2 {
            0 => app.settle().await,
            _ => another_sends(&app).await,
        }
        app.clock.advance(MINUTE);
    }
    assert!(answers.iter().all(|a| a.status == 201), "nobody is told");
    let letters =
        |app: &TestApp| app.subjects_to(VICTIM).len() + app.subjects_to("Victim@Example.org").len();
    assert_eq!(letters(&app), 3);
    app.send_all([offer("other@example.org")]).await;
    app.settle().await;
    assert_eq!(app.subjects_to("other@example.org").len(), 1);

    app.advance(55 * MINUTE).await;
    assert_eq!(letters(&app), 3, "the first left less than an hour ago");
    for hour in 2.. {
        app.advance(10 * MINUTE).await;
        if waiting(&app).await == 0 {
            break;
        }
        assert_eq!(letters(&app), 3 * hour, "put off and not lost");
        app.clock.advance(50 * MINUTE);
    }
    assert!(letters(&app) >= 8);
}

#[actix_web::test]
async fn strangers_do_not_use_up_the_letters_of_who_has_confirmed() {
    let mut app = limited(&[]);
    let ana = app.volunteer(VICTIM, &meals()).await;
    app.advance(2 * HOUR).await;
    app.send_all((0..5).map(|_| offer(VICTIM))).await;
    app.settle().await;
    app.mails();
    for _ in 0..2 {
        let contact = json!({"name": "Mo", "phone": "612 555 0123"});
        app.neighbor_who(with(post_of(&[food(1)]), json!({ "contact": contact })))
            .await;
    }
    app.settle().await;
    assert_eq!(app.subjects_to(&ana.email).len(), 2, "both asks");
}

/// A form of the page behind a manage code.
fn page(code: &str, choice: &str) -> TestRequest {
    let form = ("Content-Type", "application/x-www-form-urlencoded");
    let request = TestRequest::with_uri("/manage").method(Method::POST);
    request
        .insert_header(form)
        .set_payload(format!("code={code}{choice}"))
}

/// A neighbor with this address has asked for help, and volunteers come and go.
async fn letters_of_a_busy_hour(app: &mut TestApp, ana: &Volunteer) {
    for _ in 0..5 {
        app.settle().await;
        let token = app.letter_to(&ana.email, "mha_");
        for step in ["accept", "release"] {
            let path = format!("/v1/matches/self/{step}");
            app.post(&path, &token, &json!({})).await.ok();
            app.settle().await;
        }
        app.clock.advance(6 * MINUTE);
        app.send_all([need("mo@example.org")]).await;
    }
}

#[actix_web::test]
async fn a_neighbor_who_uses_a_link_out_of_a_letter_gets_all_of_hers() {
    for proves in [false, true] {
        let mut app = limited(&[]);
        let ana = app.volunteer("ana@example.org", &meals()).await;
        let mo = app.neighbor_who(with(post_of(&[food(1)]), json!({}))).await;
        app.settle().await;
        let mailed = app.letter_to("mo@example.org", "mhn_");
        let verified = async |app: &TestApp| {
            let one = app.get("/v1/neighbors/self", &mo.token).await.ok();
            one["verified"].clone()
        };
        // Looking proves nothing: mail scanners look. Nor does the token that the answer held.
        app.send_all([page(&mailed, ""), page(&mo.token, "")]).await;
        app.get("/v1/neighbors/self", &mailed).await.ok();
        let renew = format!("/v1/requests/{}/renew", mo.requests[0]);
        app.post(&renew, &mo.token, &json!({})).await.ok();
        assert_eq!(verified(&app).await, "none");
        if proves {
            app.post(&renew, &mailed, &json!({})).await.ok();
            assert_eq!(verified(&app).await, "email");
        }
        letters_of_a_busy_hour(&mut app, &ana).await;
        let got = app.subjects_to("mo@example.org").len();
        assert!(if proves { got > 3 } else { got <= 3 }, "{got} letters");
    }
}

#[actix_web::test]
async fn a_choice_on_her_page_proves_an_address_as_well() {
    let mut app = limited(&[]);
    let mo = app.neighbor(&[food(1)]).await;
    app.settle().await;
    let mailed = app.letter_to("mo@example.org", "mhn_");
    let verified = async || {
        let hers = app.get("/v1/neighbors/self", &mo.token).await.ok();
        hers["verified"].clone()
    };
    // The button without a choice, as a scanner presses it, and the token that came in no letter.
    let vain = [
        page(&mailed, "&form=1"),
        page(&mo.token, "&form=1&choice=hide"),
    ];
    app.send_all(vain).await;
    assert_eq!(verified().await, "none");
    app.send_all([page(&mailed, "&form=1&choice=show")]).await;
    assert_eq!(verified().await, "email");
}

#[actix_web::test]
async fn another_address_is_to_be_proved_anew() {
    let mut app = limited(&[]);
    let mo = app.neighbor(&[food(1)]).await;
    app.settle().await;
    let mailed = app.letter_to("mo@example.org", "mhn_");
    let verified = async |email: &str| {
        let patch = json!({"contact": {"name": "Mo", "email": email}});
        let after = app.patch("/v1/neighbors/self", &mailed, &patch).await.ok();
        after["verified"].clone()
    };
    assert_eq!(verified("mo@example.org").await, "email");
    assert_eq!(verified("new@example.org").await, "none");
    // The letter went to the former one.
    app.post("/v1/neighbors/self/hide", &mailed, &json!({}))
        .await
        .ok();
    let hers = app.get("/v1/neighbors/self", &mo.token).await.ok();
    assert_eq!(hers["verified"], "none");
}

#[actix_web::test]
async fn the_letter_of_a_confirmed_person_is_in_the_first_batch_of_a_flood() {
    let mut app = limited(&[("outbox.batch", "50")]);
    let ana = app.volunteer("ana@example.org", &meals()).await;
    let flood = (0..2000).map(|n| offer(&format!("flood{n}@example.org")));
    assert!(app.send_all(flood).await.iter().all(|a| a.status == 201));
    // An instance is in the middle of a batch of the flood when somebody needs Ana.
    let lease = LeaseId::new(app.ctx.entropy.as_ref());
    let (held, _) = claim_letters(&app.ctx, Lane::Unconfirmed, lease, 50)
        .await
        .expect("a batch");
    assert_eq!(held.len(), 50);
    app.clock.advance(MINUTE);
    app.mails();
    app.send_all([need("mo@example.org")]).await;
    // The sweep of the workers, with one batch of the outbox.
    app.match_only().await;
    let lease = LeaseId::new(app.ctx.entropy.as_ref());
    let (first, _) = claim_letters(&app.ctx, Lane::Confirmed, lease, 50)
        .await
        .expect("a batch");
    let to: Vec<_> = first.iter().map(|c| c.to_send.to.expose()).collect();
    assert_eq!(to, [ana.email.as_str()], "hers, and nothing else");
    let ids = first.iter().map(|c| c.letter.id).collect();
    return_letters(&app.ctx, ids, lease)
        .await
        .expect("returned");

    app.settle().await;
    let sent: Vec<String> = app
        .mails()
        .iter()
        .map(|m| m.message.to.expose().to_owned())
        .collect();
    assert_eq!(sent.first(), Some(&ana.email));
    assert_eq!(sent.len(), 1 + 1 + 2000 - 50, "the flood leaves as well");
}

#[actix_web::test]
async fn the_budget_bounds_an_hour_and_strangers_get_a_quarter_of_it() {
    let mut app = limited(&[("mail.hourly_budget", "40")]);
    app.send_all((0..30).map(|n| offer(&format!("flood{n}@example.org"))))
        .await;
    app.settle().await;
    assert_eq!(app.mails().len(), 10);
    let commits = *app.ctx.db.committed().borrow();
    app.settle().await;
    assert_eq!(
        *app.ctx.db.committed().borrow(),
        commits,
        "waiting writes nothing"
    );

    // Thirty are left for those who are confirmed, the important ones first.
    let (_, desk) = app
        .coordinator(manyhands::storage::coordinators::Scope::Intake)
        .await;
    for n in 0..35 {
        let contact = json!({"name": "Mo", "email": format!("mo{n}@example.org")});
        let body = with(post_of(&[food(1)]), json!({ "contact": contact }));
        app.post("/v1/requests", &desk, &body).await.ok();
    }
    app.settle().await;
    assert_eq!(app.mails().len(), 30);
    app.advance(59 * MINUTE).await;
    assert_eq!(app.mails().len(), 0);
    // The rest of hers, and to every neighbor that nobody was found: that is all of the budget.
    app.advance(MINUTE).await;
    let mails = app.mails();
    let is_flood = |mail: &&Arc<StoredMail>| mail.message.to.expose().starts_with("flood");
    assert_eq!(
        (mails.len(), mails.iter().filter(is_flood).count()),
        (40, 0)
    );
    app.advance(HOUR).await;
    assert_eq!(app.mails().iter().filter(is_flood).count(), 10);
}

#[actix_web::test]
async fn letters_to_a_domain_that_rests_are_passed_over_as_if_they_had_not_been_taken() {
    // Ten of them may go to strangers.
    let app = limited(&[("mail.hourly_budget", "40")]);
    let dead = (0..30).map(|n| offer(&format!("p{n}@dead.example")));
    app.send_all(dead).await;
    app.clock.advance(MINUTE);
    let good = (0..3).map(|n| offer(&format!("p{n}@good.example")));
    app.send_all(good).await;
    let domain = EmailAddress::parse("any@dead.example").unwrap().domain();
    let until = app.now().after(MINUTE);
    let rest = Rest::new(1, until, Line::default());
    let rests = Rests::from_iter([(domain, rest)]);
    let lease = LeaseId::new(app.ctx.entropy.as_ref());
    let claim = claim_letters_past(&app.ctx, Lane::Unconfirmed, lease, 50, rests)
        .await
        .expect("a claim");
    // More are looked at than may go: the probe, and everybody at good.example.
    assert_eq!(claim.taken, 33);
    let mut to: Vec<_> = claim
        .letters
        .iter()
        .map(|c| c.to_send.to.expose())
        .collect();
    to[1..].sort_unstable();
    let others = ["p0@good.example", "p1@good.example", "p2@good.example"];
    assert!(to[0].ends_with("@dead.example"), "{to:?}");
    assert_eq!(to[1..], others);
    let page = Page {
        after: None,
        limit: 100,
    };
    let all = move |conn: &mut _| {
        Ok::<_, StorageError>(letters::page(conn, &LetterFilter::default(), page)?)
    };
    let all = app.ctx.db.read(all).await.expect("letters");
    let passed = all.iter().filter(|l| l.lease_id.is_none());
    let passed: Vec<_> = passed.map(|l| (l.attempts, l.due_at)).collect();
    assert_eq!(passed, vec![(0, until); 29]);

    // What was passed over has used up nothing of the hour.
    app.clock.set(until);
    let (rest, _) = claim_letters(&app.ctx, Lane::Unconfirmed, lease, 50)
        .await
        .expect("a claim");
    assert_eq!(rest.len(), 10 - 4);
}

#[actix_web::test]
async fn letters_of_who_died_give_back_what_is_counted_of_them_and_no_more() {
    // Ten an hour may go to strangers.
    let app = limited(&[("mail.hourly_budget", "40")]);
    app.send_all((0..40).map(|n| offer(&format!("p{n}@example.org"))))
        .await;
    let claim = async || {
        let lease = LeaseId::new(app.ctx.entropy.as_ref());
        let claim = claim_letters(&app.ctx, Lane::Unconfirmed, lease, 50).await;
        claim.expect("a claim").0.len()
    };
    // Whoever takes these dies. When the leases are over others may take them, but no more within the hour.
    assert_eq!(claim().await, 10);
    app.clock.advance(10 * MINUTE);
    assert_eq!(claim().await, 10);
    // So do these. Hours later nothing is counted any more, and so nothing given back.
    app.clock.advance(3 * HOUR);
    assert_eq!(claim().await, 10);
}

#[actix_web::test]
async fn without_limits_all_mail_leaves_at_once() {
    let mut app = TestApp::with(&[("mail.hourly_budget", "20")]);
    app.send_all((0..50).map(|_| offer(VICTIM))).await;
    app.settle().await;
    assert_eq!(app.mails().len(), 50);
}

/// A clock that is an hour farther whenever somebody looks.
#[derive(Debug)]
struct Leaping(AtomicI64);

impl Clock for Leaping {
    fn now(&self) -> Ts {
        let hours = self.0.fetch_add(1, Ordering::SeqCst);
        Ts::EPOCH
            .after(Duration::from_secs(1_800_000_000))
            .after(HOUR * u32::try_from(hours).unwrap_or(0))
    }
}

#[actix_web::test]
async fn a_batch_that_cannot_be_begun_is_not_taken_again_at_once() {
    let app = TestApp::new();
    app.send_all([offer("ana@example.org")]).await;
    let mut ctx = app.ctx.clone();
    ctx.clock = Arc::new(Leaping(AtomicI64::new(0)));
    let now = ctx.now();
    let mut outbox = Outbox::new(ctx, app.transport.clone(), Lane::Unconfirmed, Stop::never());
    // It would never come back.
    let Next::At(rest) = outbox.tick(now).await.expect("a tick") else {
        panic!("it must rest");
    };
    assert!(rest > now);
    assert!(app.mails().is_empty());
    assert_eq!(waiting(&app).await, 1);
}

/// A clock that is ten years ahead when somebody looks first.
#[derive(Debug)]
struct AheadAtFirst(AtomicI64, Ts);

impl Clock for AheadAtFirst {
    fn now(&self) -> Ts {
        match self.0.fetch_add(1, Ordering::SeqCst) {
            0 => self.1.after(3_650 * DAY),
            _ => self.1,
        }
    }
}

#[actix_web::test]
async fn nothing_is_begun_under_a_lease_of_a_clock_that_was_ahead() {
    let app = TestApp::new();
    app.send_all([offer("ana@example.org")]).await;
    let mut ctx = app.ctx.clone();
    ctx.clock = Arc::new(AheadAtFirst(AtomicI64::new(0), app.now()));
    // It looks first to take the letter, which others may take too as soon as the lease is brought back.
    let mut outbox = Outbox::new(ctx, app.transport.clone(), Lane::Unconfirmed, Stop::never());
    let next = outbox.tick(app.now()).await.expect("a tick");
    assert!(matches!(next, Next::At(_)), "{next:?}");
    assert!(app.mails().is_empty());
    assert_eq!(waiting(&app).await, 1);
}
