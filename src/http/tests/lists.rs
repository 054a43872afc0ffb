//! Filters and pages.

use std::time::Duration;

use serde_json::json;

use super::{Town, food, ids, post_of, text};
use crate::domain::lifecycle::{Agreement, MatchState};
use crate::domain::place::Cell;
use crate::storage::matches::Acceptance;
use crate::storage::{capacity, matches, offers, requests};

/// All pages of a list; between them, what `meanwhile` posts is written.
async fn walk(town: &Town, path: &str, meanwhile: bool) -> Vec<String> {
    let mut all = Vec::new();
    let mut cursor: Option<String> = None;
    loop {
        let at = match &cursor {
            Some(cursor) => format!("{path}&cursor={cursor}"),
            None => path.to_owned(),
        };
        let page = town.get(&at).await.ok();
        all.extend(ids(&page));
        match page["next"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => return all,
        }
        if meanwhile {
            town.clock.advance(Duration::from_secs(1));
            town.neighbor(post_of(0.0, &[food()])).await;
        }
    }
}

#[actix_web::test]
async fn pages_neither_skip_nor_repeat_while_others_post() {
    let town = Town::new().await;
    let mut posted = Vec::new();
    for count in [1, 9, 5, 8] {
        // All of one call are of one instant: only their ids tell them apart.
        posted.extend(town.neighbor(post_of(0.0, &vec![food(); count])).await.1);
        town.clock.advance(Duration::from_micros(1));
    }
    for limit in [1, 4, 23, 24] {
        let mut seen = walk(&town, &format!("/v1/requests?limit={limit}"), true).await;
        let distinct = seen.len();
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), distinct, "none twice at {limit} a page");
        let missed = posted.iter().filter(|id| !seen.contains(*id));
        assert_eq!(missed.count(), 0, "none missed at {limit} a page");
    }
}

#[actix_web::test]
async fn the_last_page_says_so_and_newest_come_first() {
    let town = Town::new().await;
    assert_eq!(
        town.get("/v1/requests").await.ok(),
        json!({"items": [], "next": null})
    );
    let mut posted = Vec::new();
    for _ in 0..4 {
        posted.extend(town.neighbor(post_of(0.0, &[food()])).await.1);
        town.clock.advance(Duration::from_secs(1));
    }
    posted.reverse();
    let page = town.get("/v1/requests?limit=4").await.ok();
    assert_eq!((ids(&page), page["next"].as_str()), (posted, None));
}

#[actix_web::test]
async fn a_cursor_opens_only_its_own_list_with_its_own_filters() {
    let town = Town::new().await;
    town.neighbor(post_of(0.0, &[food(), food(), food()])).await;
    let first = town
        .get("/v1/requests?state=open&category=food&limit=1")
        .await
        .ok();
    let cursor = text(&first["next"]);
    let at = |query: &str| format!("{query}&cursor={cursor}");
    // Neither the order of the filters nor the size of the page belongs to it.
    for fine in ["/v1/requests?category=food&state=open&limit=2"] {
        town.get(&at(fine)).await.ok();
    }
    for other in [
        "/v1/requests?state=open",
        "/v1/requests?state=held&category=food",
        "/v1/requests?state=open&category=food&attention=false",
        "/v1/offers?state=open&category=food",
    ] {
        let answer = town.get(&at(other)).await;
        assert_eq!(answer.error().0, "cursor", "{other}");
    }
    let broken = town.get("/v1/requests?cursor=AAAA").await;
    assert!(broken.error().1.contains("begin again"));
}

#[actix_web::test]
async fn wrong_filters_are_named_with_what_is_allowed() {
    let town = Town::new().await;
    for (query, name, allowed) in [
        (
            "matches?state=asked",
            "state",
            "must be one of proposed, notified",
        ),
        (
            "matches?category=unicorns",
            "category",
            "must be one of childcare",
        ),
        ("matches?request=7", "request", "must be an id"),
        (
            "matches?overdue=false",
            "overdue",
            "must be true, or left out",
        ),
        (
            "requests?urgency=later",
            "urgency",
            "must be one of now, today, soon",
        ),
        (
            "requests?attention=maybe",
            "attention",
            "must be true, false, or one of none_in_reach",
        ),
        (
            "requests?needed_before=tomorrow",
            "needed_before",
            "must be an instant",
        ),
        (
            "requests?order=best",
            "order",
            "must be one of newest, oldest",
        ),
        ("requests?area=Minneapolis", "area", "must be an H3 cell"),
        (
            "offers?state=held",
            "state",
            "must be one of unconfirmed, open",
        ),
        ("offers?site=1", "site", "must be true or false"),
        ("volunteers?vetted=yes", "vetted", "must be true or false"),
        (
            "letters?kind=postcard",
            "kind",
            "must be one of confirm, received",
        ),
        ("letters?state=lost", "state", "must be one of queued, sent"),
        (
            "requests?limit=0",
            "limit",
            "must be a whole number from 1 to 200",
        ),
        (
            "requests?limit=many",
            "limit",
            "must be a whole number from 1 to 200",
        ),
        (
            "requests?state=open&state=held",
            "state",
            "must be given once",
        ),
    ] {
        let answer = town.get(&format!("/v1/{query}")).await;
        let (pointer, detail) = answer.error();
        assert_eq!(pointer, name, "{query}");
        assert!(detail.starts_with(allowed), "{query}: {detail}");
    }
    let both = town.get("/v1/requests?state=x&urgency=x&limit=x").await;
    assert_eq!(both.body["errors"].as_array().unwrap().len(), 3);
    let unknown = town.get("/v1/volunteers?email=ana@example.org").await;
    assert_eq!(unknown.problem(400), "query");
    let detail = text(&unknown.body["detail"]);
    assert_eq!(
        detail,
        "Allowed are confirmed, vetted, blocked, vetting_ends_before, area, limit, cursor."
    );
}

#[actix_web::test]
async fn requests_are_found_by_what_they_are_and_where() {
    let town = Town::new().await;
    let later = json!({"category": "food", "quantity": 1, "urgency": "soon"});
    let tow = json!({"category": "towing", "quantity": 1, "urgency": "now"});
    let (_, here) = town.neighbor(post_of(0.0, &[food(), later, tow])).await;
    let (_, there) = town.neighbor(post_of(30.0, &[food()])).await;
    town.press(&format!("/v1/requests/{}/hold", here[0]))
        .await
        .ok();
    let (home, cell) = (
        cell_of(&town, &here[0]).await,
        cell_of(&town, &there[0]).await,
    );
    let near = cell.parent().and_then(Cell::parent).unwrap();
    let region = std::iter::successors(Some(cell), |c| c.parent())
        .find(|wide| std::iter::successors(Some(home), |c| c.parent()).any(|c| c == *wide))
        .unwrap();
    let file = town.get(&format!("/v1/requests/{}", here[0])).await.ok();
    let neighbor = text(&file["neighbor"]["id"]);
    for (query, found) in [
        ("state=held".to_owned(), vec![&here[0]]),
        ("category=towing".to_owned(), vec![&here[2]]),
        ("urgency=soon".to_owned(), vec![&here[1]]),
        ("attention=true".to_owned(), vec![]),
        (
            format!("neighbor={neighbor}"),
            vec![&here[0], &here[1], &here[2]],
        ),
        (format!("area={cell}"), vec![&there[0]]),
        (format!("area={near}"), vec![&there[0]]),
        (
            format!("area={region}&category=food"),
            vec![&here[0], &here[1], &there[0]],
        ),
        (format!("area={near}&state=held"), vec![]),
        ("area=8a1fb46622dffff".to_owned(), vec![]),
    ] {
        let listing = town.get(&format!("/v1/requests?{query}")).await.ok();
        let mut found: Vec<String> = found.into_iter().cloned().collect();
        let mut seen = ids(&listing);
        found.sort();
        seen.sort();
        assert_eq!(seen, found, "{query}");
    }
}

#[actix_web::test]
async fn offers_and_letters_are_found_by_what_they_are() {
    let town = Town::new().await;
    let (cook, _, soup) = town.cook().await;
    let site = json!({"category": "warming_space", "capacity": 30,
        "site": {"title": "Corner Books", "address": "1 Public Ave"}});
    let (_, _, shop) = town.volunteer(site).await;
    let soups = town.get(&format!("/v1/offers/{soup}")).await.ok();
    let cell = text(&soups["cell"]);
    for (query, found) in [
        ("site=true".to_owned(), vec![&shop]),
        ("site=false".to_owned(), vec![&soup]),
        ("category=food".to_owned(), vec![&soup]),
        ("state=closed".to_owned(), vec![]),
        (
            format!("volunteer={cook}&area={cell}&state=open&limit=2"),
            vec![&soup, &shop],
        ),
    ] {
        let mut seen = ids(&town.get(&format!("/v1/offers?{query}")).await.ok());
        let mut found: Vec<String> = found.into_iter().cloned().collect();
        found.sort();
        seen.sort();
        assert_eq!(seen, found, "{query}");
    }
    let confirm = town.get("/v1/letters?kind=confirm&state=queued").await.ok();
    assert_eq!(ids(&confirm).len(), 2);
    let one = ids(&confirm).remove(0);
    let letter = town.get(&format!("/v1/letters/{one}")).await.ok();
    assert_eq!(letter["to"]["kind"], "volunteer");
    assert_eq!(ids(&town.get("/v1/letters?state=dead").await.ok()).len(), 0);
}

async fn cell_of(town: &Town, request: &str) -> Cell {
    let file = town.get(&format!("/v1/requests/{request}")).await.ok();
    text(&file["cell"]).parse().unwrap()
}

#[actix_web::test]
async fn overdue_is_what_still_waits_and_should_not() {
    let town = Town::new().await;
    let (_, _, offer) = town.cook().await;
    let (_, asks) = town.neighbor(post_of(0.0, &vec![food(); 4])).await;
    let late = town.matched(&asks[0], &offer, MatchState::Notified).await;
    let pending = accepted(&town, &asks[1], &offer, Agreement::Pending).await;
    accepted(&town, &asks[2], &offer, Agreement::Agreed).await;
    assert_eq!(
        ids(&town.get("/v1/matches?overdue=true").await.ok()).len(),
        0
    );
    town.clock.advance(Duration::from_secs(600));
    town.matched(&asks[3], &offer, MatchState::Notified).await;
    let mut seen = ids(&town.get("/v1/matches?overdue=true").await.ok());
    let mut expected = vec![late, pending];
    seen.sort();
    expected.sort();
    assert_eq!(seen, expected);
}

/// An accepted match whose time to agree is over soon.
async fn accepted(town: &Town, request: &str, offer: &str, agreement: Agreement) -> String {
    let id = town.matched(request, offer, MatchState::Notified).await;
    let (matched, offer) = (id.parse().unwrap(), offer.parse().unwrap());
    let now = town.ctx.now();
    town.write(move |conn| {
        let offer = offers::find(conn, offer)?.unwrap();
        let m = matches::find(conn, matched)?.unwrap();
        let acceptance = Acceptance {
            taken: 1,
            period_start: m.period_start,
            further_periods: m.further_periods.clone(),
            agreement,
            agree_by: Some(now.after(Duration::from_secs(300))),
            arrival_at: None,
            released_at: None,
            remind_at: None,
        };
        assert!(capacity::take(conn, &offer, m.period_start, 1)?);
        assert!(requests::take_cover(conn, m.request_id, 1, now)?);
        assert!(matches::accept(conn, matched, &acceptance, now)?);
        Ok(())
    })
    .await;
    id
}

#[actix_web::test]
async fn matches_are_found_by_state_request_offer_and_category() {
    let town = Town::new().await;
    let (_, _, offer) = town.cook().await;
    let (_, asks) = town.neighbor(post_of(0.0, &[food(), food()])).await;
    let proposed = town.matched(&asks[0], &offer, MatchState::Proposed).await;
    let notified = town.matched(&asks[1], &offer, MatchState::Notified).await;
    for (query, found) in [
        ("state=proposed".to_owned(), vec![&proposed]),
        (format!("request={}", asks[1]), vec![&notified]),
        (
            format!("offer={offer}&category=food"),
            vec![&proposed, &notified],
        ),
        ("category=towing".to_owned(), vec![]),
    ] {
        let mut seen = ids(&town.get(&format!("/v1/matches?{query}")).await.ok());
        let mut found: Vec<String> = found.into_iter().cloned().collect();
        found.sort();
        seen.sort();
        assert_eq!(seen, found, "{query}");
    }
}
