//! `GET /openapi.json`, the API's description, and `/docs`, where people read it and try it out. All
//! of it is in the binary; nothing is loaded from elsewhere.

use std::sync::{Arc, LazyLock};

use actix_web::{HttpResponse, web};
use utoipa_swagger_ui::Config;

use super::openapi::openapi_json;
use super::problem::Problem;
use super::public;

/// Never changes while the program runs.
static JSON: LazyLock<web::Bytes> = LazyLock::new(|| openapi_json().into());

/// Addresses are relative, so that they hold wherever a proxy puts the service.
static READER: LazyLock<Arc<Config<'static>>> = LazyLock::new(|| {
    let config = Config::new(["../openapi.json"])
        // Without the bar that asks for the address of another document, and brings a style that the
        // content security policy forbids.
        .use_base_layout()
        // It would ask a server of its makers whether the document is valid.
        .validator_url("none");
    Arc::new(config)
});

/// The document.
pub async fn json() -> HttpResponse {
    public(HttpResponse::Ok())
        .content_type("application/json")
        .body(JSON.clone())
}

/// To the reader's directory, which its files are relative to.
pub async fn redirect() -> HttpResponse {
    public(HttpResponse::PermanentRedirect())
        .insert_header(("Location", "docs/"))
        .finish()
}

/// The reader: one of its files.
///
/// # Errors
/// No such file.
pub async fn reader(file: web::Path<String>) -> Result<HttpResponse, Problem> {
    let found = utoipa_swagger_ui::serve(&file, READER.clone());
    let found = found.map_err(|_| Problem::internal())?;
    let file = found.ok_or_else(Problem::not_found)?;
    Ok(public(HttpResponse::Ok())
        .content_type(file.content_type)
        .body(file.bytes.into_owned()))
}
