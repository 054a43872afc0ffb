//! `manyhands openapi`: the description of the API, for tools.

use super::print;
use crate::http::openapi::openapi_json;

pub(super) fn run() {
    print::line(openapi_json());
}
