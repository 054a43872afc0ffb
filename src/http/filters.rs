//! The filters of lists: query parameters, each given once at the most and parsed into what it means,
//! with every fault told at once.
//!
//! To add a filter: its name in the list's call of [`Filters::read`], a line that parses it, and a
//! line in the handler's `params`.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use actix_web::http::StatusCode;
use actix_web::{HttpRequest, web};
use serde::de::DeserializeOwned;

use super::fields::FieldErrors;
use super::paging::{Asked, DEFAULT, MAX};
use super::problem::Problem;
use crate::actions::Ctx;
use crate::domain::clock::Ts;
use crate::domain::part::Part;
use crate::domain::place::Cell;
use crate::storage::StorageError;

/// What every list takes beside its filters.
const EVERY: [&str; 2] = ["limit", "cursor"];

/// The query of a list.
#[derive(Debug)]
pub struct Filters {
    list: &'static str,
    given: BTreeMap<String, String>,
    errors: FieldErrors,
}

impl Filters {
    /// The query of a call to `list`, which has the filters `known`.
    ///
    /// # Errors
    /// A parameter that the list does not have.
    pub fn read(
        list: &'static str,
        known: &[&str],
        request: &HttpRequest,
    ) -> Result<Self, Problem> {
        let pairs = web::Query::<Vec<(String, String)>>::from_query(request.query_string());
        let pairs = pairs.map_err(|_| unreadable(known))?.into_inner();
        let mut given = BTreeMap::new();
        let mut errors = FieldErrors::default();
        for (name, value) in pairs {
            if !known.iter().chain(&EVERY).any(|known| *known == name) {
                return Err(unreadable(known));
            }
            if given.insert(name.clone(), value).is_some() {
                errors.push(name, "must be given once");
            }
        }
        Ok(Self {
            list,
            given,
            errors,
        })
    }

    /// A value that is parsed as only this list does.
    pub fn value<T, E: Display>(
        &mut self,
        name: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let given = self.given.get(name);
        self.errors.optional(name, given, |text| parse(text))
    }

    /// A value whose type says itself what is allowed.
    pub fn parsed<T: FromStr<Err: Display>>(&mut self, name: &str) -> Option<T> {
        self.value(name, str::parse)
    }

    /// An id.
    pub fn id<T: FromStr>(&mut self, name: &str) -> Option<T> {
        // The parser's own message repeats what was sent.
        self.value(name, |text| text.parse().map_err(|_| "must be an id"))
    }

    /// A yes or no.
    pub fn flag(&mut self, name: &str) -> Option<bool> {
        self.value(name, |text| {
            text.parse().map_err(|_| "must be true or false")
        })
    }

    /// An instant.
    pub fn instant(&mut self, name: &str) -> Option<Ts> {
        self.value(name, |text| {
            let parsed = text.parse::<jiff::Timestamp>().map(Ts::from);
            parsed.map_err(|_| "must be an instant such as 2026-12-01T18:00:00Z")
        })
    }

    /// A narrowing that is on or left out.
    pub fn only(&mut self, name: &str) -> bool {
        let is_on = self.value(name, |text| match text {
            "true" => Ok(()),
            _ => Err("must be true, or left out"),
        });
        is_on.is_some()
    }

    /// The key of a category that there is.
    pub fn category(&mut self, ctx: &Ctx) -> Option<String> {
        self.value("category", |text| match ctx.catalog.get(text) {
            Some(category) => Ok(category.key.to_string()),
            None => Err(format!("must be one of {}", ctx.catalog.keys())),
        })
    }

    /// What lies within a cell of any size; everything where none is named.
    pub fn area(&mut self) -> Part {
        self.parsed::<Cell>("area").map_or(Part::ALL, Part::from)
    }

    /// The name of something, such as an action of the audit.
    pub fn name(&mut self, name: &str) -> Option<String> {
        const LONGEST: usize = 64;
        self.value(name, |text| {
            let is_name = (1..=LONGEST).contains(&text.len())
                && text.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
            match is_name {
                true => Ok(text.to_owned()),
                false => Err("must be a name such as request_held"),
            }
        })
    }

    /// The page that is asked for, if nothing is wrong with any of it.
    ///
    /// # Errors
    /// All the faults, as one problem.
    pub fn finish<P: DeserializeOwned>(mut self, ctx: &Ctx) -> Result<Asked<P>, Problem> {
        let limit = self.value("limit", |text| {
            let limit = text.parse::<i64>().ok().filter(|n| (1..=MAX).contains(n));
            limit.ok_or_else(|| format!("must be a whole number from 1 to {MAX}"))
        });
        let context = self.context();
        let keys = ctx.vault.keys().map_err(StorageError::from)?;
        let after = self.value("cursor", |text| {
            let after = keys.opaque.show(&context, text);
            after.ok_or("is not of this list with these filters; begin again without it")
        });
        self.errors.finish(Some(Asked {
            context,
            after,
            limit: limit.unwrap_or(DEFAULT),
            keys,
        }))
    }

    /// The list with its filters in one spelling.
    fn context(&self) -> String {
        let filters = self
            .given
            .iter()
            .filter(|(name, _)| !EVERY.contains(&name.as_str()));
        // `Debug` quotes and escapes, so that no two sets of filters read alike.
        format!("{} {:?}", self.list, filters.collect::<Vec<_>>())
    }
}

/// A query that is none of this list's. What was sent is not repeated.
fn unreadable(known: &[&str]) -> Problem {
    let allowed: Vec<&str> = known.iter().copied().chain(EVERY).collect();
    Problem::new(
        StatusCode::BAD_REQUEST,
        "query",
        "A query parameter cannot be read",
    )
    .detail(format!("Allowed are {}.", allowed.join(", ")))
}
