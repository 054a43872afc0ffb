//! `/manage` with a neighbor's code.

use manyhands::domain::lifecycle::{Agreement, CloseReason, RequestState};

use super::browse::{choose, follow, has, has_not, post, post_body, press_everything};
use super::forms::forms;
use super::town::Town;

#[actix_web::test]
async fn a_neighbor_agrees_before_anything_is_told() {
    let town = Town::new(&[]);
    let (ana, mo) = (
        town.volunteer("Ana Lima", "food", 20).await,
        town.neighbor("food", &[4], true).await,
    );
    let (id, code) = town.ask(mo.requests[0], &ana).await;
    let page = follow(&town.ctx, "/answer", &code).await;
    let yes = choose(&town.ctx, &page, &[("choice", "accept")]).await;
    has(&yes, "One more step");
    has_not(&yes, "tel:");

    let hers = follow(&town.ctx, "/manage", &mo.code).await;
    for text in [
        "Hello Mo Farah",
        "Yes, Ana may help me",
        "Soup &#38; bread, &#60;fresh&#62;",
        "Not vetted",
    ] {
        has(&hers, text);
    }
    has_not(&hers, "tel:");
    let before = town.commits();
    press_everything(&town.ctx, &hers).await;
    assert_eq!(town.commits(), before);

    let agreed = choose(&town.ctx, &hers, &[("choice", "agree")]).await;
    assert_eq!(agreed.status, 200);
    has(&agreed, "href=\"tel:+16125550123\"");
    assert_eq!(town.matched(id).await.agreement, Agreement::Agreed);
    let told = follow(&town.ctx, "/answer", &code).await;
    for text in ["2410 Example Ave", "Ring twice", "tel:"] {
        has(&told, text);
    }
    let again = choose(&town.ctx, &hers, &[("choice", "agree")]).await;
    assert_eq!(again.status, 200);
    let late = choose(&town.ctx, &hers, &[("choice", "refuse")]).await;
    assert_eq!(late.status, 409);
    has(&late, "not possible any more");

    let gone = choose(&town.ctx, &agreed, &[("choice", "no-show")]).await;
    assert_eq!(gone.status, 200);
    has_not(&gone, "tel:");
    assert_eq!(town.request(mo.requests[0]).await.state, RequestState::Open);
}

#[actix_web::test]
async fn a_neighbor_refuses_or_reports() {
    let town = Town::new(&[]);
    let (ana, mo) = (
        town.volunteer("Ana", "food", 20).await,
        town.neighbor("food", &[4], true).await,
    );
    let (id, code) = town.ask(mo.requests[0], &ana).await;
    let page = follow(&town.ctx, "/answer", &code).await;
    choose(&town.ctx, &page, &[("choice", "accept")]).await;
    let hers = follow(&town.ctx, "/manage", &mo.code).await;
    choose(&town.ctx, &hers, &[("choice", "refuse")]).await;
    assert_eq!(town.matched(id).await.agreement, Agreement::Refused);
    let hers = follow(&town.ctx, "/manage", &mo.code).await;
    let before = town.commits();
    assert_eq!(
        choose(&town.ctx, &hers, &[("choice", "report")])
            .await
            .status,
        422
    );
    assert_eq!(town.commits(), before);
    let told = choose(
        &town.ctx,
        &hers,
        &[("choice", "report"), ("problem", "unsafe")],
    )
    .await;
    has(&told, "The coordinators are told at once");
}

#[actix_web::test]
async fn a_match_is_only_for_the_neighbor_it_belongs_to() {
    let town = Town::new(&[]);
    let ana = town.volunteer("Ana", "food", 20).await;
    let (mo, other) = (
        town.neighbor("food", &[4], true).await,
        town.neighbor("food", &[4], true).await,
    );
    let (id, code) = town.ask(mo.requests[0], &ana).await;
    let page = follow(&town.ctx, "/answer", &code).await;
    choose(&town.ctx, &page, &[("choice", "accept")]).await;
    let before = town.commits();
    for request in [mo.requests[0], other.requests[0]] {
        let fields = [
            ("code", other.code.as_str()),
            ("form", "match"),
            ("choice", "agree"),
            ("request", &request.to_string()),
            ("match", &id.to_string()),
        ];
        assert_eq!(post(&town.ctx, "/manage", &fields).await.status, 404);
    }
    let fields = [
        ("code", other.code.as_str()),
        ("form", "post"),
        ("choice", "not-needed"),
        ("request", &mo.requests[0].to_string()),
    ];
    assert_eq!(post(&town.ctx, "/manage", &fields).await.status, 404);
    assert_eq!(
        town.request(mo.requests[0]).await.state,
        RequestState::Covered
    );
    assert!(town.commits() <= before + 1, "at most an empty transaction");
}

#[actix_web::test]
async fn a_neighbor_hides_shows_renews_and_closes() {
    let town = Town::new(&[]);
    let mo = town.neighbor("food", &[4], false).await;
    let id = mo.requests[0];
    let page = follow(&town.ctx, "/manage", &mo.code).await;
    has(&page, "We are looking for somebody near you.");

    let hidden = choose(&town.ctx, &page, &[("choice", "hide")]).await;
    has(&hidden, "You have hidden it");
    assert_eq!(town.request(id).await.state, RequestState::Held);
    let shown = choose(&town.ctx, &hidden, &[("choice", "show")]).await;
    assert_eq!(town.request(id).await.state, RequestState::Open);

    let until = town.request(id).await.needed_until;
    choose(&town.ctx, &shown, &[("choice", "renew")]).await;
    let longer = town.request(id).await.needed_until;
    assert!(longer > until);
    choose(&town.ctx, &shown, &[("choice", "renew")]).await;
    assert_eq!(
        town.request(id).await.needed_until,
        longer,
        "sent twice, it adds the time once"
    );

    let closed = choose(&town.ctx, &shown, &[("choice", "helped-elsewhere")]).await;
    has(&closed, "Closed: you got help elsewhere.");
    assert_eq!(
        town.request(id).await.close_reason,
        Some(CloseReason::HelpedElsewhere)
    );

    let open = choose(&town.ctx, &closed, &[("choice", "reopen")]).await;
    has(&open, "It is open again.");
    let request = town.request(id).await;
    assert_eq!(
        (request.state, request.close_reason),
        (RequestState::Open, None)
    );
}

#[actix_web::test]
async fn a_new_code_ends_the_old_one() {
    let town = Town::new(&[("server.public_url", "https://help.example.org")]);
    let mo = town.neighbor("food", &[4], false).await;
    let page = follow(&town.ctx, "/manage", &mo.code).await;
    let new = choose(&town.ctx, &page, &[("choice", "rotate")]).await;
    has(&new, "https://help.example.org/manage#mhn_");
    assert_eq!(follow(&town.ctx, "/manage", &mo.code).await.status, 404);
    let go_on = &forms(&new.html)[0];
    let page = post_body(&town.ctx, &go_on.action, go_on.body(&[])).await;
    has(&page, "Hello Mo Farah");
}

#[actix_web::test]
async fn many_posts_make_no_large_page() {
    let town = Town::new(&[]);
    let mo = town.neighbor("food", &[4; 60], false).await;
    let page = follow(&town.ctx, "/manage", &mo.code).await;
    assert!(page.html.len() < 20_000, "{} bytes", page.html.len());
    let all = forms(&page.html);
    let other = all.iter().find(|f| f.choices.len() == 54).unwrap();
    let (_, last) = other.choices.last().unwrap();
    let shown = post_body(&town.ctx, &other.action, other.body(&[("request", last)])).await;
    assert!(
        forms(&shown.html)[0]
            .fields
            .contains(&("request".to_owned(), last.clone())),
        "the chosen one comes first"
    );
    let before = town.commits();
    press_everything(&town.ctx, &page).await;
    assert_eq!(town.commits(), before);
}
