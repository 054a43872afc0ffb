//! The public counts stand still within an hour.

use std::time::Duration;

use actix_web::App;
use actix_web::test::{TestRequest, call_and_read_body_json, init_service};
use serde_json::{Value, json};

use super::{Town, food, post_of};
use crate::http::routes;

#[actix_web::test]
async fn who_polls_does_not_see_when_somebody_posts() {
    let town = Town::new().await;
    let app = init_service(App::new().configure(routes(town.ctx.clone()))).await;
    let counts = async || -> Value {
        let request = TestRequest::with_uri("/v1/needs").to_request();
        call_and_read_body_json(&app, request).await
    };
    let none = json!({"items": []});
    assert_eq!(counts().await, none);
    for n in 0..4 {
        let mut body = post_of(0.0, &[food()]);
        body["contact"] = json!({"name": "Mo", "phone": format!("612 555 010{n}")});
        town.neighbor(body).await;
        town.clock.advance(Duration::from_mins(14));
        assert_eq!(counts().await, none);
    }
    town.clock.advance(Duration::from_mins(4));
    assert_eq!(counts().await["items"][0]["open"], 3);
}
