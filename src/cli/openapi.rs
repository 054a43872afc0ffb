//! `manyhands openapi`: the description of the API, for tools.

use super::{Failure, print};
use crate::http::openapi::document;

pub(super) fn run() -> Result<(), Failure> {
    let text = document().to_pretty_json().map_err(anyhow::Error::from)?;
    print::line(text);
    Ok(())
}
