//! `/answer`: a volunteer says yes, no, and how it went.

use manyhands::domain::lifecycle::{CloseReason, FallReason, MatchState};

use super::browse::{choose, follow, has, has_not, press_everything};
use super::town::Town;

#[actix_web::test]
async fn a_volunteer_answers_a_neighbor() {
    let town = Town::new(&[]);
    let (ana, mo) = (
        town.volunteer("Ana Lima", "food", 20).await,
        town.neighbor("food", &[4], false).await,
    );
    let (id, code) = town.ask(mo.requests[0], &ana).await;

    let page = follow(&town.ctx, "/answer", &code).await;
    assert_eq!(page.status, 200);
    for text in [
        "Can you help a neighbor?",
        "Food: 4 people",
        "Two adults &#60;and&#62; two children",
        "Somali, English",
        "(CST)",
    ] {
        has(&page, text);
    }
    for secret in ["Farah", "612", "mo@", "2410", "Ring twice"] {
        has_not(&page, secret);
    }

    let before = town.commits();
    press_everything(&town.ctx, &page).await;
    assert_eq!(
        town.commits(),
        before,
        "pressing the button without a choice changes nothing"
    );
    let asked_again = choose(&town.ctx, &page, &[("choice", "report")]).await;
    assert_eq!(asked_again.status, 422, "a report says what is wrong");
    assert_eq!(town.commits(), before);

    let yes = choose(
        &town.ctx,
        &page,
        &[("choice", "accept"), ("arrival", "2026-01-15T13:30")],
    )
    .await;
    assert_eq!(yes.status, 200);
    has(&yes, "It is settled");
    has(&yes, "href=\"tel:+16125550123\"");
    has(&yes, "href=\"sms:+16125550123\"");
    has(&yes, "href=\"mailto:mo@example.org\"");
    has(&yes, "Thu, Jan 15, 1:30 PM");
    has_not(&yes, "Farah");
    has_not(&yes, "2410");
    let accepted = town.matched(id).await;
    assert_eq!((accepted.state, accepted.taken), (MatchState::Accepted, 4));

    let letters = town.deliver().await.len();
    assert!(letters > 0);
    let again = choose(&town.ctx, &page, &[("choice", "accept")]).await;
    assert_eq!(again.status, 200, "a second press is no error");
    assert_eq!(town.deliver().await.len(), 0, "and writes no second letter");

    let done = choose(&town.ctx, &yes, &[("choice", "done")]).await;
    has(&done, "You said it is done");
    has_not(&done, "tel:");
    assert_eq!(town.matched(id).await.state, MatchState::Accepted);
    let hers = follow(&town.ctx, "/manage", &mo.code).await;
    has(&hers, "says that you got the help. Is that so?");
    choose(&town.ctx, &hers, &[("choice", "done")]).await;
    assert_eq!(town.matched(id).await.state, MatchState::Fulfilled);
    let done = follow(&town.ctx, "/answer", &code).await;
    has(&done, "It is done");
    assert_eq!(
        town.request(mo.requests[0]).await.close_reason,
        Some(CloseReason::HelpedHere)
    );
}

#[actix_web::test]
async fn a_no_is_as_easy_and_may_be_taken_back() {
    let town = Town::new(&[]);
    let (ana, mo) = (
        town.volunteer("Ana", "food", 20).await,
        town.neighbor("food", &[4], false).await,
    );
    let (id, code) = town.ask(mo.requests[0], &ana).await;
    let page = follow(&town.ctx, "/answer", &code).await;
    let no = choose(
        &town.ctx,
        &page,
        &[("choice", "decline"), ("reason", "too_far")],
    )
    .await;
    has(&no, "You said no");
    assert_eq!(town.matched(id).await.state, MatchState::Declined);
    let after_all = choose(&town.ctx, &no, &[("choice", "accept")]).await;
    has(&after_all, "It is settled");
    let back = choose(&town.ctx, &after_all, &[("choice", "release")]).await;
    has(&back, "You gave this back");
    has_not(&back, "tel:");
    assert_eq!(
        town.matched(id).await.fall_reason,
        Some(FallReason::Released)
    );
}

#[actix_web::test]
async fn whoever_comes_second_is_told_kindly() {
    let town = Town::new(&[]);
    let ana = town.volunteer("Ana", "food", 20).await;
    let ben = town.volunteer("Ben", "food", 20).await;
    let mo = town.neighbor("food", &[4], false).await;
    let (_, first) = town.ask(mo.requests[0], &ana).await;
    let (_, second) = town.ask(mo.requests[0], &ben).await;
    let page = follow(&town.ctx, "/answer", &second).await;
    let (of_ana, yes) = (
        follow(&town.ctx, "/answer", &first).await,
        &[("choice", "accept")],
    );
    choose(&town.ctx, &of_ana, yes).await;
    let late = choose(&town.ctx, &page, yes).await;
    assert_eq!(late.status, 409);
    has(&late, "Somebody else was a little quicker");
    has(&late, "You are not needed for this");
    has_not(&late, "tel:");
}

#[actix_web::test]
async fn part_of_a_need_can_be_promised() {
    let town = Town::new(&[]);
    let (ana, mo) = (
        town.volunteer("Ana", "food", 20).await,
        town.neighbor("food", &[10], false).await,
    );
    let (id, code) = town.ask(mo.requests[0], &ana).await;
    let page = follow(&town.ctx, "/answer", &code).await;
    let before = town.commits();
    for wrong in ["0", "-1", "two", "1.5"] {
        let reply = choose(
            &town.ctx,
            &page,
            &[("choice", "accept"), ("quantity", wrong)],
        )
        .await;
        assert_eq!(reply.status, 422, "{wrong}");
    }
    let reply = choose(
        &town.ctx,
        &page,
        &[("choice", "accept"), ("arrival", "six or so")],
    )
    .await;
    assert_eq!(reply.status, 422);
    assert_eq!(town.commits(), before);
    choose(&town.ctx, &page, &[("choice", "accept"), ("quantity", "3")]).await;
    assert_eq!(town.matched(id).await.taken, 3);
    let hers = follow(&town.ctx, "/manage", &mo.code).await;
    has(&hers, "3 of 10 people are promised.");
}
