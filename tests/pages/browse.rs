//! What a person, or a mail scanner, does with pages.

use actix_web::http::StatusCode;
use actix_web::http::header::{CONTENT_TYPE, HeaderMap};
use actix_web::middleware::from_fn;
use actix_web::{App, test};
use manyhands::actions::Ctx;
use manyhands::http::{head, headers, routes};

use super::forms::{Form, encode, forms};

pub struct Reply {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub html: String,
}

pub async fn send(ctx: &Ctx, request: test::TestRequest) -> Reply {
    let app = test::init_service(
        App::new()
            .wrap(from_fn(head::as_get))
            .wrap(from_fn(headers::secure))
            .configure(routes(ctx.clone())),
    )
    .await;
    let response = test::call_service(&app, request.to_request()).await;
    let (status, headers) = (response.status(), response.headers().clone());
    let html = String::from_utf8(test::read_body(response).await.to_vec()).unwrap();
    Reply {
        status,
        headers,
        html,
    }
}

pub async fn get(ctx: &Ctx, path: &str) -> Reply {
    send(ctx, test::TestRequest::get().uri(path)).await
}

pub async fn post_body(ctx: &Ctx, path: &str, body: String) -> Reply {
    let form = test::TestRequest::post()
        .uri(path)
        .insert_header((CONTENT_TYPE, "application/x-www-form-urlencoded"));
    send(ctx, form.set_payload(body)).await
}

pub async fn post(ctx: &Ctx, path: &str, fields: &[(&str, &str)]) -> Reply {
    post_body(ctx, path, encode(fields.iter().copied())).await
}

/// What a link shows once the script has sent its code.
pub async fn follow(ctx: &Ctx, path: &str, code: &str) -> Reply {
    post(ctx, path, &[("code", code)]).await
}

/// Sends the one form of the page in which that can be chosen, with it chosen.
pub async fn choose(ctx: &Ctx, page: &Reply, choices: &[(&str, &str)]) -> Reply {
    let all = forms(&page.html);
    let (name, value) = choices[0];
    let form = all.iter().find(|f| f.offers(name, value));
    let form =
        form.unwrap_or_else(|| panic!("nowhere can {name}={value} be chosen:\n{}", page.html));
    post_body(ctx, &form.action, form.body(choices)).await
}

/// Sends every form of the page untouched, and every form of what comes back, and so on.
pub async fn press_everything(ctx: &Ctx, page: &Reply) {
    let mut waiting: Vec<Form> = forms(&page.html);
    let mut pressed = Vec::new();
    while let Some(form) = waiting.pop() {
        assert_eq!(form.method, "post");
        let body = form.body(&[]);
        if pressed.contains(&(form.action.clone(), body.clone())) {
            continue;
        }
        let reply = post_body(ctx, &form.action, body.clone()).await;
        assert!(!reply.status.is_server_error(), "{}", reply.html);
        waiting.extend(forms(&reply.html));
        pressed.push((form.action, body));
        assert!(pressed.len() < 200, "it never ends");
    }
    assert!(!pressed.is_empty(), "there was a button to press");
}

pub fn has(page: &Reply, text: &str) {
    assert!(
        page.html.contains(text),
        "{text:?} is not in\n{}",
        page.html
    );
}

pub fn has_not(page: &Reply, text: &str) {
    assert!(!page.html.contains(text), "{text:?} is in\n{}", page.html);
}
