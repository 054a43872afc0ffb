//! The style, the script and the icon of the pages, out of the binary. A name holds a hash of the
//! content, so that browsers keep the file for good and a new version is another file.

use std::sync::LazyLock;

use actix_web::{HttpResponse, ResponseError, web};

use crate::http::problem::Problem;

/// A file that pages load.
#[derive(Debug)]
pub struct Asset {
    stem: &'static str,
    name: String,
    kind: &'static str,
    body: &'static str,
}

static ASSETS: LazyLock<[Asset; 3]> = LazyLock::new(|| {
    [
        Asset::new(
            "page",
            "css",
            "text/css; charset=utf-8",
            include_str!("../assets/page.css"),
        ),
        Asset::new(
            "page",
            "js",
            "text/javascript; charset=utf-8",
            include_str!("../assets/page.js"),
        ),
        Asset::new(
            "icon",
            "svg",
            "image/svg+xml",
            include_str!("../assets/icon.svg"),
        ),
    ]
});

impl Asset {
    fn new(stem: &'static str, extension: &str, kind: &'static str, body: &'static str) -> Self {
        let hash = blake3::hash(body.as_bytes()).to_hex();
        Self {
            stem,
            name: format!("{stem}-{}.{extension}", &hash[..12]),
            kind,
            body,
        }
    }

    /// Whether that is this file's name, in this version or in another: while versions change, a page of
    /// one server may load its style from the other.
    fn is_called(&self, name: &str) -> bool {
        let extension = self.name.rsplit('.').next();
        let stem = name.split('-').next();
        stem == Some(self.stem) && name.rsplit('.').next() == extension
    }
}

/// The path of the style.
#[must_use]
pub fn style() -> &'static str {
    &ASSETS[0].name
}

/// The path of the script.
#[must_use]
pub fn script() -> &'static str {
    &ASSETS[1].name
}

/// The path of the icon.
#[must_use]
pub fn icon() -> &'static str {
    &ASSETS[2].name
}

/// One of the files.
pub async fn get(name: web::Path<String>) -> HttpResponse {
    let Some(asset) = ASSETS.iter().find(|a| a.is_called(&name)) else {
        return Problem::not_found().error_response();
    };
    let mut response = HttpResponse::Ok();
    response.content_type(asset.kind);
    if asset.name == *name {
        response.insert_header(("Cache-Control", "public, max-age=31536000, immutable"));
    }
    response.body(asset.body)
}
