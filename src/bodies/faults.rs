//! The faults of what somebody sent, each with its place.

use std::fmt::Display;

use serde::Serialize;
use utoipa::ToSchema;

/// A field that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// Where: a JSON pointer (RFC 6901) into the body, or the name of a query parameter.
    #[schema(example = "/needs/0/category")]
    pub pointer: String,
    /// What is wrong with it, or what is allowed.
    #[schema(example = "must be one of food, towing")]
    pub detail: String,
}

/// Faults told of one body at the most.
pub const MOST: usize = 64;

/// The faults found so far.
#[derive(Debug, Default)]
pub struct FieldErrors(Vec<FieldError>);

impl FieldErrors {
    /// Notes a fault. A field that is wrong already is not also called missing.
    pub fn push(&mut self, pointer: impl Into<String>, detail: impl Into<String>) {
        if self.0.len() < MOST {
            self.0.push(FieldError {
                pointer: pointer.into(),
                detail: detail.into(),
            });
        }
    }

    /// The value, or a fault noted.
    pub fn check<T, E: Display>(
        &mut self,
        pointer: impl Into<String>,
        result: Result<T, E>,
    ) -> Option<T> {
        result
            .map_err(|detail| self.push(pointer, detail.to_string()))
            .ok()
    }

    /// The value, or a note that it is missing.
    pub fn require<T>(&mut self, pointer: &str, value: Option<T>) -> Option<T> {
        if value.is_none() && !self.has(pointer) {
            self.push(pointer, "is required");
        }
        value
    }

    /// Parses a value that may be left out; `Some(None)` where it is, `None` where it is wrong.
    pub fn optional<T, U, E: Display>(
        &mut self,
        pointer: impl Into<String>,
        value: Option<T>,
        parse: impl FnOnce(T) -> Result<U, E>,
    ) -> Option<U> {
        value.and_then(|v| self.check(pointer, parse(v)))
    }

    fn has(&self, pointer: &str) -> bool {
        self.0
            .iter()
            .any(|e| e.pointer == pointer || e.pointer.starts_with(&format!("{pointer}/")))
    }

    /// The faults, in the order in which they were found.
    #[must_use]
    pub fn into_all(self) -> Vec<FieldError> {
        self.0
    }

    /// The same.
    #[must_use]
    pub fn all(&self) -> &[FieldError] {
        &self.0
    }
}
