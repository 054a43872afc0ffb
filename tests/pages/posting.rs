//! `/need` and `/offer`: posting without a program.

use manyhands::actions::list_site::list_site;
use manyhands::domain::letter::LetterKind;
use manyhands::domain::lifecycle::OfferState;
use manyhands::domain::need::{Handover, Urgency};
use manyhands::storage::audit::Actor;
use manyhands::storage::{StorageError, neighbors, offers, requests};

use super::browse::{Reply, choose, follow, get, has, has_not, post_body, press_everything};
use super::forms::{Form, forms};
use super::town::{Town, code};

fn form(page: &Reply) -> Form {
    forms(&page.html).pop().unwrap()
}

#[actix_web::test]
async fn every_kind_of_aid_has_its_forms_and_empty_ones_post_nothing() {
    let town = Town::new(&[]);
    let before = town.commits();
    for path in ["/need", "/offer"] {
        let kinds = get(&town.ctx, path).await;
        assert!(kinds.html.len() < 20_000);
        for category in town.ctx.catalog.iter() {
            let link = format!("{path}/{}", category.key);
            has(&kinds, &format!("href=\"{link}\""));
            let page = get(&town.ctx, &link).await;
            assert_eq!(page.status, 200);
            assert!(
                page.html.len() < 20_000,
                "{link} has {} bytes",
                page.html.len()
            );
            press_everything(&town.ctx, &page).await;
            let again = post_body(&town.ctx, &link, form(&page).body(&[])).await;
            assert_eq!(again.status, 422, "{link}");
            has(&again, "Nothing was posted yet.");
            assert!(
                again.html.matches("Please fill this in.").count() >= 3,
                "{}",
                again.html
            );
        }
        assert_eq!(get(&town.ctx, &format!("{path}/gold")).await.status, 404);
    }
    assert_eq!(town.commits(), before);
}

const NEED: [(&str, &str); 12] = [
    ("/needs/0/quantity", "4"),
    ("/needs/0/urgency", "now"),
    ("/needs/0/needed/0/until", "2026-01-15T22:00"),
    ("/needs/0/handover", "pickup"),
    ("/needs/0/requires/diet", "halal"),
    ("/needs/0/requires/delivery", "yes"),
    ("/location/postal_code", "55407"),
    ("/contact/name", "Mo <Farah>"),
    ("/contact/phone", "612 555 0123"),
    ("/languages/0", "so"),
    ("/agree_first", "yes"),
    ("/needs/0/note", "Two adults\r\ntwo children"),
];

#[actix_web::test]
async fn a_neighbor_asks_for_help() {
    let town = Town::new(&[("server.public_url", "https://help.example.org")]);
    let page = get(&town.ctx, "/need/food").await;
    let body = form(&page).body(&NEED);
    let posted = post_body(&town.ctx, "/need/food", body.clone()).await;
    assert_eq!(posted.status, 200);
    has(&posted, "Keep this code");
    has(&posted, "https://help.example.org/manage#mhn_");
    let go_on = form(&posted);
    let hers = post_body(&town.ctx, &go_on.action, go_on.body(&[])).await;
    for text in [
        "Hello Mo &#60;Farah&#62;",
        "Food: 4 people",
        "Halal",
        "10:00 PM (CST)",
        "Two adults\ntwo children",
    ] {
        has(&hers, text);
    }

    let twice = post_body(&town.ctx, "/need/food", body).await;
    let (_, second) = form(&twice).fields.remove(0);
    let neighbor = town.subject(&second).await;
    assert_eq!(
        neighbor,
        town.subject(&go_on.fields[0].1).await,
        "sent twice, it is one post"
    );
    let (row, posts) = town
        .ctx
        .db
        .read(move |c| {
            Ok::<_, StorageError>((
                neighbors::find(c, neighbor.into())?,
                requests::of_neighbor(c, neighbor.into())?,
            ))
        })
        .await
        .unwrap();
    assert!(row.unwrap().agree_first);
    assert_eq!(posts.len(), 1);
    assert_eq!(
        (posts[0].urgency, posts[0].handover),
        (Urgency::Now, Handover::Pickup)
    );
    assert_eq!(posts[0].needed_from, town.ctx.now());

    let changed = form(&page).body(&[&NEED[1..], &[("/needs/0/quantity", "5")]].concat());
    let other = post_body(&town.ctx, "/need/food", changed).await;
    assert_eq!(
        other.status, 200,
        "going back and changing it is another post"
    );
    assert_ne!(town.subject(&form(&other).fields[0].1).await, neighbor);
}

#[actix_web::test]
async fn what_is_wrong_stands_at_its_input_and_nothing_typed_is_lost() {
    let town = Town::new(&[]);
    let page = get(&town.ctx, "/need/food").await;
    let before = town.commits();
    for (at, wrong, said) in [
        ("/needs/0/quantity", "many", "Please give a number."),
        (
            "/needs/0/quantity",
            "4000",
            "Must be a whole number from 1 to 30.",
        ),
        ("/contact/phone", "", "Needs one way to be reached"),
        ("/contact/phone", "ask Mo", "Must be a phone number"),
        ("/location/postal_code", "", "Please fill this in."),
        (
            "/location/postal_code",
            "00000",
            "Is not a postal code that is known here",
        ),
        (
            "/needs/0/note",
            "call 612 555 0123",
            "use the note for the other side.",
        ),
        (
            "/needs/0/needed/0/until",
            "2020-01-01T10:00",
            "Please give a time in the future",
        ),
        (
            "/needs/0/needed/0/until",
            "tonight",
            "Please give a time in the future",
        ),
    ] {
        let kept: Vec<_> = NEED
            .into_iter()
            .filter(|(name, _)| *name != at)
            .chain([(at, wrong)])
            .collect();
        let again = post_body(&town.ctx, "/need/food", form(&page).body(&kept)).await;
        assert_eq!(again.status, 422, "{at} {wrong}");
        assert_eq!(
            again.html.matches("class=\"fault\"").count(),
            1,
            "{at} {wrong}: {}",
            again.html
        );
        has(&again, said);
        has(&again, "value=\"Mo &#60;Farah&#62;\"");
        let sent = form(&again);
        for field in [
            ("/needs/0/requires/diet", "halal"),
            ("/languages/0", "so"),
            (at, wrong),
        ] {
            let field = (field.0.to_owned(), field.1.to_owned());
            let is_area = at == "/needs/0/note" && field.0 == at;
            assert!(
                is_area || sent.fields.contains(&field),
                "{field:?} in {:?}",
                sent.fields
            );
        }
        assert_eq!(
            sent.fields[0],
            form(&page).fields[0],
            "it is still the same sending"
        );
    }
    assert_eq!(town.commits(), before);
}

const OFFER: [(&str, &str); 6] = [
    ("/offers/0/capacity", "10"),
    ("/offers/0/renews", "daily"),
    ("/location/postal_code", "55407"),
    ("/contact/name", "Ana"),
    ("/contact/email", "ana@example.org"),
    ("/limits/nights", "yes"),
];

#[actix_web::test]
async fn a_volunteer_offers_help_and_confirms() {
    let town = Town::new(&[]);
    let page = get(&town.ctx, "/offer/food").await;
    let body = form(&page).body(&[&OFFER[..], &[("/offers/0/reach_m", "3000")]].concat());
    let posted = post_body(&town.ctx, "/offer/food", body.clone()).await;
    has(&posted, "Please look into your e-mail");
    has_not(&posted, "mhv_");
    let again = post_body(&town.ctx, "/offer/food", body).await;
    assert_eq!(again.html, posted.html);
    let letters = town.deliver().await;
    assert_eq!(letters.len(), 1, "sent twice, it is one post");
    let confirm = code(&letters, LetterKind::Confirm, None);
    let page = follow(&town.ctx, "/confirm", &confirm).await;
    let kept = choose(&town.ctx, &page, &[("choice", "confirm")]).await;
    let go_on = form(&kept);
    let hers = post_body(&town.ctx, &go_on.action, go_on.body(&[])).await;
    has(&hers, "Food: 10 people a day");
}

#[actix_web::test]
async fn a_place_is_offered_checked_listed_and_shown_to_who_needs_one() {
    let town = Town::new(&[]);
    let page = get(&town.ctx, "/offer/warming_space").await;
    let site = [
        ("/offers/0/site/title", "Corner <Books>"),
        ("/offers/0/site/address", "2410 Example Ave"),
    ];
    let body = form(&page).body(&[&OFFER[..], &site].concat());
    has(
        &post_body(&town.ctx, "/offer/warming_space", body).await,
        "Please look into your e-mail",
    );
    let letters = town.deliver().await;
    let confirm = code(&letters, LetterKind::Confirm, None);
    let owner = town.subject(&confirm).await;
    let page = follow(&town.ctx, "/confirm", &confirm).await;
    let kept = choose(&town.ctx, &page, &[("choice", "confirm")]).await;
    let offer = town
        .ctx
        .db
        .read(move |c| Ok::<_, StorageError>(offers::of_volunteer(c, owner.into())?))
        .await
        .unwrap();
    assert_eq!((offer[0].state, offer[0].is_site), (OfferState::Open, true));
    has(&get(&town.ctx, "/sites").await, "No place is listed");
    list_site(&town.ctx, offer[0].id, Actor::OPERATOR)
        .await
        .unwrap();
    let sites = get(&town.ctx, "/sites").await;
    for text in [
        "Corner &#60;Books&#62;",
        "2410 Example Ave",
        "Open now.",
        "You can just walk in.",
    ] {
        has(&sites, text);
    }
    let page = get(&town.ctx, "/need/warming_space").await;
    let need = [
        ("/needs/0/quantity", "2"),
        ("/location/postal_code", "55407"),
        ("/contact/name", "Mo"),
        ("/contact/other", "at the desk"),
    ];
    let posted = post_body(&town.ctx, "/need/warming_space", form(&page).body(&need)).await;
    has(&posted, "Corner &#60;Books&#62;");

    let go_on = form(&kept);
    let hers = post_body(&town.ctx, &go_on.action, go_on.body(&[])).await;
    let mistyped = [("choice", "count"), ("taken", "full")];
    let asked_again = choose(&town.ctx, &hers, &mistyped).await;
    assert_eq!(asked_again.status, 422);
    let capacity = offer[0].capacity.get();
    for (taken, told) in [(capacity - 4, "Room for 4"), (capacity, "It was full")] {
        let count = [("choice", "count"), ("taken", &*taken.to_string())];
        has(
            &choose(&town.ctx, &hers, &count).await,
            "Everybody can see it now",
        );
        has(&get(&town.ctx, "/sites").await, told);
    }
}
