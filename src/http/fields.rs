//! Reading bodies so that every fault is told at once, each with its place.
//!
//! Fields of bodies are `Option` even where they are required: a field of the wrong type is noted and
//! taken out, and the rest is read on; what is missing is noted when the body is parsed into domain
//! types.

use actix_web::http::StatusCode;
use actix_web::http::header::CONTENT_TYPE;
use actix_web::{HttpMessage, HttpRequest};
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::{Path, Segment};

use super::objects::Strict;
use super::problem::Problem;
pub use crate::bodies::faults::FieldErrors;
use crate::bodies::faults::MOST;

impl FieldErrors {
    /// The value if nothing is wrong.
    ///
    /// # Errors
    /// All the faults, as one problem.
    pub fn finish<T>(self, value: Option<T>) -> Result<T, Problem> {
        match value {
            Some(value) if self.all().is_empty() => Ok(value),
            _ => Err(Problem::invalid(self.into_all())),
        }
    }
}

/// Reads a JSON body. What does not have the right form is noted in the errors and read as left out.
///
/// # Errors
/// Another media type, or what is no JSON at all.
pub fn read_body<T: DeserializeOwned + Default>(
    request: &HttpRequest,
    body: &[u8],
) -> Result<(T, FieldErrors), Problem> {
    check_media_type(request)?;
    read_json(body)
}

/// As [`read_body`], wherever the JSON comes from.
///
/// # Errors
/// What is no JSON at all.
pub fn read_json<T: DeserializeOwned + Default>(body: &[u8]) -> Result<(T, FieldErrors), Problem> {
    let mut value: Value = serde_json::from_slice(body).map_err(|e| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "malformed-json",
            "The body is no JSON, or nested too deeply",
        )
        .detail(format!(
            "It cannot be read from line {}, column {} on.",
            e.line(),
            e.column()
        ))
    })?;
    let mut errors = FieldErrors::default();
    while errors.all().len() < MOST {
        match serde_path_to_error::deserialize::<_, T>(Strict(&value)) {
            Ok(read) => return Ok((read, errors)),
            Err(error) => {
                let segments = segments(error.path());
                errors.push(pointer(&segments), explain(&error.inner().to_string()));
                if !take_out(&mut value, &segments) {
                    break;
                }
            }
        }
    }
    Ok((T::default(), errors))
}

/// As [`read_body`], but an empty body is as `{}`.
///
/// # Errors
/// As [`read_body`].
pub fn read_optional<T: DeserializeOwned + Default>(
    request: &HttpRequest,
    body: &[u8],
) -> Result<(T, FieldErrors), Problem> {
    if body.is_empty() {
        Ok((T::default(), FieldErrors::default()))
    } else {
        read_body(request, body)
    }
}

fn check_media_type(request: &HttpRequest) -> Result<(), Problem> {
    let has_type = request.headers().contains_key(CONTENT_TYPE);
    let is_json = request
        .content_type()
        .rsplit(['/', '+'])
        .next()
        .is_some_and(|suffix| suffix.eq_ignore_ascii_case("json"));
    if has_type && !is_json {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "media-type",
            "Send JSON",
        )
        .detail("Content-Type: application/json"));
    }
    Ok(())
}

fn segments(path: &Path) -> Vec<String> {
    path.iter()
        .filter_map(|segment| match segment {
            Segment::Seq { index } => Some(index.to_string()),
            Segment::Map { key } => Some(key.clone()),
            Segment::Enum { variant } => Some(variant.clone()),
            Segment::Unknown => None,
        })
        .collect()
}

/// RFC 6901: `~` and `/` in names are escaped.
pub fn pointer(segments: &[String]) -> String {
    segments.iter().fold(String::new(), |path, s| {
        path + "/" + &s.replace('~', "~0").replace('/', "~1")
    })
}

/// Takes the nearest member of an object on the way to the fault out of the body.
fn take_out(value: &mut Value, segments: &[String]) -> bool {
    for depth in (0..segments.len()).rev() {
        let parent = value.pointer_mut(&pointer(&segments[..depth]));
        if let Some(Value::Object(members)) = parent {
            return members.remove(&segments[depth]).is_some();
        }
    }
    false
}

/// How serde's own messages begin. What other parsers expected may stand beside what they got.
const OF_SERDE: [&str; 3] = ["unknown ", "invalid type", "invalid value"];

/// Says what was expected, without what was sent.
fn explain(error: &str) -> String {
    let expected = error
        .rsplit_once(", expected ")
        .filter(|_| OF_SERDE.iter().any(|begin| error.starts_with(begin)))
        .map(|(_, expected)| expected.replace('`', ""));
    match expected {
        Some(names) if error.starts_with("unknown field") => {
            let names = names.trim_start_matches("one of ");
            format!("unknown field; allowed: {names}")
        }
        Some(expected) => format!("must be {expected}"),
        None => "is not of the right form".into(),
    }
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Default, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Outer {
        a: Option<i32>,
        b: Option<bool>,
        list: Option<Vec<Inner>>,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Inner {
        x: Option<f64>,
        y: Option<String>,
    }

    fn read(body: &str) -> (Outer, Vec<(String, String)>) {
        let request = TestRequest::default()
            .insert_header((CONTENT_TYPE, "application/json"))
            .to_http_request();
        let (value, errors) = read_body(&request, body.as_bytes()).unwrap();
        (
            value,
            errors
                .into_all()
                .into_iter()
                .map(|e| (e.pointer, e.detail))
                .collect(),
        )
    }

    #[test]
    fn every_fault_is_told_and_nothing_of_what_was_sent() {
        let (value, errors) = read(
            r#"{"a":"secret","b":true,"c/d":1,"list":[{"x":1.5,"y":"ok"},{"x":"secret","z":2}]}"#,
        );
        assert_eq!(value.b, Some(true));
        assert_eq!(value.list.as_ref().unwrap()[0].x, Some(1.5));
        let pointers: Vec<_> = errors.iter().map(|e| e.0.as_str()).collect();
        assert_eq!(pointers.len(), 4, "{errors:?}");
        for pointer in ["/a", "/c~1d", "/list/1/x", "/list/1/z"] {
            assert!(pointers.contains(&pointer), "{pointer} in {errors:?}");
        }
        assert!(errors.iter().all(|e| !e.1.contains("secret")), "{errors:?}");
        assert!(value.list.unwrap()[1].y.is_none() && value.a.is_none());
    }

    #[test]
    fn a_body_of_a_wholly_other_form_is_a_fault_too() {
        assert_eq!(read("[1,2]").1.len(), 1);
        assert_eq!(
            read(r#"{"list":[1]}"#).1,
            [("/list/0".to_owned(), "must be an object".to_owned())]
        );
    }

    #[test]
    fn a_list_is_no_object_though_its_entries_would_fit() {
        let (value, errors) = read("[1,true,null]");
        assert_eq!(errors, [(String::new(), "must be an object".to_owned())]);
        assert!(value.a.is_none());
        let (_, errors) = read(r#"{"a":1,"list":[[1.5,"ok"]]}"#);
        assert_eq!(
            errors,
            [("/list/0".to_owned(), "must be an object".to_owned())]
        );
    }

    #[test]
    fn only_what_serde_expected_is_told() {
        let told = "unknown variant `secret`, expected `a` or `b`";
        assert_eq!(explain(told), "must be a or b");
        let other = "failed to parse year, expected 0-9 but got secret";
        assert_eq!(explain(other), "is not of the right form");
    }

    #[test]
    fn nesting_is_limited() {
        let request = TestRequest::default().to_http_request();
        let deep = "[".repeat(100_000);
        assert_eq!(
            read_body::<Outer>(&request, deep.as_bytes())
                .unwrap_err()
                .status,
            400
        );
    }
}
