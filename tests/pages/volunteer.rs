//! `/confirm`, `/manage` with a volunteer's code, and `/unsubscribe`.

use std::time::Duration;

use manyhands::actions::propose_match::propose_match;
use manyhands::domain::lifecycle::OfferState;
use manyhands::storage::audit::Actor;
use manyhands::storage::{StorageError, neighbors, offers, volunteers};

use super::browse::{choose, follow, has, has_not, post_body, press_everything};
use super::forms::forms;
use super::town::{Town, unsubscribe_code};

#[actix_web::test]
async fn an_address_is_confirmed_by_a_choice() {
    let town = Town::new(&[("server.public_url", "https://help.example.org")]);
    let code = town.offers("Ana Lima", "towing", 2).await;
    let page = follow(&town.ctx, "/confirm", &code).await;
    assert_eq!(page.status, 200);
    has(&page, "<li>Towing");
    for secret in ["Ana", "612", "fresh", "ana@"] {
        has_not(&page, secret);
    }
    let before = town.commits();
    press_everything(&town.ctx, &page).await;
    assert_eq!(town.commits(), before);

    let kept = choose(&town.ctx, &page, &[("choice", "confirm")]).await;
    assert_eq!(kept.status, 200);
    has(&kept, "https://help.example.org/manage#mhv_");
    let before = town.commits();
    press_everything(&town.ctx, &kept).await;
    assert_eq!(
        town.commits(),
        before,
        "also what follows is only looked at"
    );
    let go_on = &forms(&kept.html)[0];
    let page = post_body(&town.ctx, &go_on.action, go_on.body(&[])).await;
    has(&page, "Hello Ana Lima");

    let again = follow(&town.ctx, "/confirm", &code).await;
    has(&again, "This is confirmed already");
    let other = choose(&town.ctx, &again, &[("choice", "confirm")]).await;
    assert_eq!(other.status, 200);
    assert_ne!(forms(&other.html)[0].fields[0], go_on.fields[0]);
}

#[actix_web::test]
async fn a_volunteer_manages_offers_and_limits() {
    let town = Town::new(&[]);
    let ana = town.volunteer("Ana Lima", "food", 20).await;
    let state = async || {
        let id = ana.offer;
        town.ctx
            .db
            .read(move |c| Ok::<_, StorageError>(offers::find(c, id)?))
            .await
            .unwrap()
            .unwrap()
    };
    let record = async || {
        let id = ana.id;
        town.ctx
            .db
            .read(move |c| Ok::<_, StorageError>(volunteers::find(c, id)?))
            .await
            .unwrap()
            .unwrap()
    };
    let page = follow(&town.ctx, "/manage", &ana.code).await;
    has(&page, "Food: 20 people");
    let before = town.commits();
    press_everything(&town.ctx, &page).await;
    assert_eq!(town.commits(), before);

    let paused = choose(&town.ctx, &page, &[("choice", "pause")]).await;
    assert_eq!(state().await.state, OfferState::Paused);
    let open = choose(&town.ctx, &paused, &[("choice", "resume")]).await;
    assert_eq!(state().await.state, OfferState::Open);
    town.clock.advance(Duration::from_hours(24));
    let ends = state().await.expires_at;
    choose(&town.ctx, &open, &[("choice", "renew")]).await;
    assert!(state().await.expires_at > ends);

    let rest = choose(&town.ctx, &open, &[("choice", "pause-all")]).await;
    assert!(record().await.paused_at.is_some());
    let back = choose(&town.ctx, &rest, &[("choice", "resume-all")]).await;
    assert!(record().await.paused_at.is_none());

    let before = town.commits();
    for wrong in ["0", "21", "many", ""] {
        let reply = choose(
            &town.ctx,
            &back,
            &[("choice", "limits"), ("open_asks", wrong)],
        )
        .await;
        assert_eq!(reply.status, 422, "{wrong}");
    }
    assert_eq!(town.commits(), before);
    let limited = choose(
        &town.ctx,
        &back,
        &[
            ("choice", "limits"),
            ("open_asks", "5"),
            ("daily_asks", "12"),
            ("nights", "yes"),
        ],
    )
    .await;
    assert_eq!(limited.status, 200);
    let limits = record().await.limits.0;
    assert_eq!(
        (limits.open_asks, limits.weekly_asks, limits.daily_asks),
        (5, 3, 12)
    );
    assert!(limits.nights);
    let before = town.commits();
    press_everything(&town.ctx, &limited).await;
    assert_eq!(town.commits(), before, "a ticked box is no choice");

    let closed = choose(&town.ctx, &limited, &[("choice", "close")]).await;
    assert_eq!(closed.status, 200);
    assert_eq!(state().await.state, OfferState::Closed);
}

#[actix_web::test]
async fn a_volunteer_sees_what_was_asked() {
    let town = Town::new(&[]);
    let (ana, mo) = (
        town.volunteer("Ana", "food", 20).await,
        town.neighbor("food", &[4], false).await,
    );
    let (_, code) = town.ask(mo.requests[0], &ana).await;
    let page = follow(&town.ctx, "/manage", &ana.code).await;
    has(&page, "You are asked.");
    has_not(&page, "tel:");
    let match_page = follow(&town.ctx, "/answer", &code).await;
    choose(&town.ctx, &match_page, &[("choice", "accept")]).await;
    let page = follow(&town.ctx, "/manage", &ana.code).await;
    has(&page, "it is settled");
    has(&page, "tel:");
}

#[actix_web::test]
async fn mail_stops_by_a_choice_and_nothing_else_does() {
    let town = Town::new(&[]);
    let ana = town.volunteer("Ana", "food", 20).await;
    let mo = town.neighbor("food", &[4], false).await;
    propose_match(&town.ctx, mo.requests[0], ana.offer, None, Actor::OPERATOR)
        .await
        .unwrap();
    let code = unsubscribe_code(&town.deliver().await);
    let page = follow(&town.ctx, "/unsubscribe", &code).await;
    has(&page, "nothing else");
    let before = town.commits();
    press_everything(&town.ctx, &page).await;
    assert_eq!(town.commits(), before);
    let stopped = choose(&town.ctx, &page, &[("choice", "stop")]).await;
    has(&stopped, "You get no more e-mail from us");
    let again = choose(&town.ctx, &page, &[("choice", "stop")]).await;
    assert_eq!(again.status, 200);
    let hers = follow(&town.ctx, "/manage", &ana.code).await;
    has(&hers, "You get no e-mail from us");
    choose(&town.ctx, &hers, &[("choice", "mail")]).await;
    has_not(
        &follow(&town.ctx, "/manage", &ana.code).await,
        "You get no e-mail from us",
    );
}

#[actix_web::test]
async fn deleting_everything_is_chosen_twice() {
    let town = Town::new(&[]);
    let (ana, mo) = (
        town.volunteer("Ana", "food", 20).await,
        town.neighbor("food", &[4], false).await,
    );
    for code in [&ana.code, &mo.code] {
        let page = follow(&town.ctx, "/manage", code).await;
        let before = town.commits();
        let not_yet = choose(&town.ctx, &page, &[("choice", "erase")]).await;
        assert_eq!(not_yet.status, 422);
        let not_yet = choose(&town.ctx, &page, &[("sure", "yes")]).await;
        assert_eq!(not_yet.status, 422);
        assert_eq!(town.commits(), before);
        let gone = choose(&town.ctx, &page, &[("choice", "erase"), ("sure", "yes")]).await;
        has(&gone, "Everything is deleted");
        assert_eq!(follow(&town.ctx, "/manage", code).await.status, 404);
    }
    let (neighbor, volunteer) = town
        .ctx
        .db
        .read(move |c| {
            Ok::<_, StorageError>((neighbors::find(c, mo.id)?, volunteers::find(c, ana.id)?))
        })
        .await
        .unwrap();
    assert!(neighbor.unwrap().sealed.is_none() && volunteer.unwrap().sealed.is_none());
}
