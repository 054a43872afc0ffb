//! The matrix, made from the OpenAPI document alone: from each operation's `security`, with the scope a
//! coordinator needs, and from its path, where an id is somebody's. A new operation is in it by itself.

use std::fmt::Write;

use actix_web::http::Method;
use manyhands::http::openapi::openapi_json;
use serde_json::Value;

/// Every kind of caller. *Own* is whose records stand in the path, *other* somebody of the same kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Caller {
    Nobody,
    Garbage,
    NeighborOwn,
    NeighborOther,
    VolunteerOwn,
    VolunteerOther,
    Confirm,
    AnswerOwn,
    AnswerOther,
    Unsubscribe,
    IntakeOwn,
    IntakeOther,
    Coordinator,
    Admin,
    Revoked,
}

use Caller::{
    Admin, AnswerOther, AnswerOwn, Confirm, Coordinator, Garbage, IntakeOther, IntakeOwn,
    NeighborOther, NeighborOwn, Nobody, Revoked, Unsubscribe, VolunteerOther, VolunteerOwn,
};

pub const CALLERS: [(Caller, &str); 15] = [
    (Nobody, "no token"),
    (Garbage, "garbage"),
    (NeighborOwn, "neighbor, own"),
    (NeighborOther, "neighbor, other"),
    (VolunteerOwn, "volunteer, own"),
    (VolunteerOther, "volunteer, other"),
    (Confirm, "confirm"),
    (AnswerOwn, "answer, own"),
    (AnswerOther, "answer, other"),
    (Unsubscribe, "unsubscribe"),
    (IntakeOwn, "intake, own"),
    (IntakeOther, "intake, other"),
    (Coordinator, "coordinator"),
    (Admin, "admin"),
    (Revoked, "revoked"),
];

/// What a call comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Door {
    Open,
    NoToken,
    Scope,
    Nothing,
}

impl Door {
    pub fn text(self) -> &'static str {
        match self {
            Self::Open => "✓",
            Self::NoToken => "401",
            Self::Scope => "403",
            Self::Nothing => "404",
        }
    }
}

/// A call that the document describes.
#[derive(Clone)]
pub struct Operation {
    pub method: Method,
    pub path: String,
    /// Scheme and, for coordinators, the scope; `None` where anybody may call.
    pub doors: Option<Vec<(String, Option<String>)>>,
    /// Whether it may be called without a token too.
    pub also_nobody: bool,
    /// The media type and an example of its body.
    pub body: Option<(String, Value)>,
}

impl std::fmt::Display for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} {}", self.method, self.path)
    }
}

pub fn operations() -> Vec<Operation> {
    let document: Value = serde_json::from_str(&openapi_json()).unwrap();
    let mut all = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, described) in item.as_object().unwrap() {
            all.push(Operation {
                method: method.to_uppercase().parse().unwrap(),
                path: path.clone(),
                doors: doors(described),
                also_nobody: described["security"]
                    .as_array()
                    .is_some_and(|all| all.iter().any(|one| one == &Value::Object(<_>::default()))),
                body: body(&document, described),
            });
        }
    }
    all
}

fn doors(described: &Value) -> Option<Vec<(String, Option<String>)>> {
    let all = described["security"].as_array()?;
    let schemes = all.iter().filter_map(Value::as_object).flatten();
    let door = |(scheme, scopes): (&String, &Value)| {
        let scope = scopes.get(0).and_then(Value::as_str).map(str::to_owned);
        (scheme.clone(), scope)
    };
    Some(schemes.map(door).collect())
}

fn body(document: &Value, described: &Value) -> Option<(String, Value)> {
    let content = described["requestBody"]["content"].as_object()?;
    let (kind, media) = content.iter().next()?;
    let schema = match media["schema"]["$ref"].as_str() {
        Some(to) => document.pointer(to.trim_start_matches('#')).unwrap(),
        None => &media["schema"],
    };
    // What is no JSON has its example beside the schema.
    let example = schema.get("example").unwrap_or(&media["example"]);
    Some((kind.clone(), example.clone()))
}

/// What the document says of a caller at an operation.
pub fn expected(operation: &Operation, caller: Caller) -> Door {
    // RFC 8058: the caller's token stands in the path; it is all the call has.
    if operation.path.contains("{token}") {
        return if caller == Unsubscribe {
            Door::Open
        } else {
            Door::Nothing
        };
    }
    let Some(doors) = &operation.doors else {
        return Door::Open;
    };
    let has = |wanted: &str| doors.iter().any(|(scheme, _)| scheme == wanted);
    // An id in the path is somebody's; `self` is whoever calls.
    let is_of_one = operation.path.contains('{');
    let open = match caller {
        Nobody if operation.also_nobody => true,
        Nobody => return Door::NoToken,
        Garbage | Unsubscribe | Revoked => false,
        NeighborOwn => has("neighbor"),
        NeighborOther => has("neighbor") && !is_of_one,
        VolunteerOwn => has("volunteer"),
        VolunteerOther => has("volunteer") && !is_of_one,
        Confirm => has("confirm"),
        AnswerOwn => has("answer"),
        AnswerOther => has("answer") && !is_of_one,
        IntakeOwn | IntakeOther | Coordinator | Admin => {
            let Some((_, scope)) = doors.iter().find(|(scheme, _)| scheme == "coordinator") else {
                return Door::Nothing;
            };
            let rank = |scope: &str| match scope {
                "intake" => 0,
                "coordinator" => 1,
                "admin" => 2,
                other => panic!("{operation} needs the scope {other}, which there is not"),
            };
            let needed = scope
                .as_deref()
                .unwrap_or_else(|| panic!("{operation} names no scope"));
            let own = match caller {
                IntakeOwn | IntakeOther => 0,
                Coordinator => 1,
                _ => 2,
            };
            if own < rank(needed) {
                return Door::Scope;
            }
            caller != IntakeOther || !is_of_one
        }
    };
    if open { Door::Open } else { Door::Nothing }
}

/// `ACCESS.md`.
pub fn published() -> String {
    let mut text = String::from(
        "# Who may call what

Every call of the API with every kind of caller. `✓` is let in; **401** is told that a token is needed, **403** that
its scope is too small; **404** is the one answer for everything that is not there or not theirs, the same to the byte.

*Own* holds the token of the person or match whose id stands in the path, *other* that of somebody else of the same
kind; where the path says `self`, each meets only what is their own. Of *intake*, *own* has entered the neighbor whose
records stand in the path, and *other* has entered somebody else. *Garbage* is anything that is no token that works:
mistyped, unknown, expired, used up, or replaced by a newer one. *Revoked* is a coordinator whose access was ended.
The token of `/v1/unsubscribe/{token}` stands in its path.

The pages behind the links of letters take the same tokens in their forms, and open the same doors with them.

A coordinator who is limited to a part of the work meets 404 for every id outside of it, and 403 where a call is about
everything; the README says more, and a test calls all of these with ids from outside.

This file is made from `/openapi.json` and each of its cells is tried by a test; see `CONTRIBUTING.md`.

",
    );
    let names: Vec<&str> = CALLERS.iter().map(|(_, name)| *name).collect();
    writeln!(text, "| call | {} |", names.join(" | ")).unwrap();
    writeln!(text, "|---|{}", ":-:|".repeat(CALLERS.len())).unwrap();
    for operation in operations() {
        let cells: Vec<&str> = CALLERS
            .iter()
            .map(|(caller, _)| expected(&operation, *caller).text())
            .collect();
        writeln!(text, "| `{operation}` | {} |", cells.join(" | ")).unwrap();
    }
    text
}
