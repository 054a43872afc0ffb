//! The inputs of a form that posts something. Each is named by the JSON pointer of its place in the API's
//! body: so a form becomes that body, is parsed by the same code, and every fault stands at its input.

use serde_json::{Value, json};

use super::words::{capital, read_local};
use crate::domain::availability::TimeZoneName;
use crate::domain::clock::Ts;
use crate::http::problem::FieldError;

/// What a person does with an input.
pub(super) enum Kind {
    /// Writes a line; with the input's type and what browsers fill in by themselves.
    Line(&'static str, &'static str),
    /// Writes some lines.
    Area,
    /// Gives a number.
    Number,
    /// Gives two numbers, from and to.
    Range,
    /// Gives a local time.
    Time,
    /// Ticks it, or not.
    Tick,
    /// Ticks some of these: values and names.
    Ticks(Vec<(String, String)>),
    /// Picks one of these, or none.
    Pick(Vec<(String, String)>),
}

/// One input, with what was sent and what is wrong with that.
pub(super) struct Input {
    /// The JSON pointer of its place.
    pub at: String,
    pub label: String,
    pub hint: &'static str,
    pub kind: Kind,
    pub is_must: bool,
    pub values: Vec<String>,
    pub fault: Option<String>,
}

/// Inputs that belong together.
pub(super) struct Section {
    pub title: &'static str,
    pub inputs: Vec<Input>,
}

/// An input that may be left out.
pub(super) fn input(at: impl Into<String>, label: impl Into<String>, kind: Kind) -> Input {
    Input {
        at: at.into(),
        label: label.into(),
        hint: "",
        kind,
        is_must: false,
        values: Vec::new(),
        fault: None,
    }
}

impl Input {
    pub(super) fn must(self) -> Self {
        Self {
            is_must: true,
            ..self
        }
    }

    pub(super) fn hint(self, hint: &'static str) -> Self {
        Self { hint, ..self }
    }

    /// What was sent as the `n`-th value; read by the template.
    pub fn value(&self, n: usize) -> &str {
        self.values.get(n).map_or("", String::as_str)
    }

    /// Whether that was sent; read by the template.
    pub fn has(&self, value: &str) -> bool {
        self.values.iter().any(|v| v == value)
    }

    /// Takes what was sent for it, and gives it as the API wants it. What has the wrong form is given as
    /// it is, for the API's parser to name.
    fn read(&mut self, sent: &[(String, String)], zone: &TimeZoneName, now: Ts) -> Option<Value> {
        let own = sent
            .iter()
            .filter(|(name, text)| *name == self.at && !text.trim().is_empty());
        self.values = own
            .map(|(_, text)| text.trim().replace("\r\n", "\n"))
            .collect();
        let first = self.values.first()?;
        Some(match self.kind {
            Kind::Line(..) | Kind::Area | Kind::Pick(_) => json!(first),
            Kind::Number => number(first),
            Kind::Range => json!([number(first), number(self.values.get(1).unwrap_or(first))]),
            Kind::Time => match read_local(first, zone, now) {
                Ok(Some(at)) => json!(at.to_string()),
                _ => json!(first),
            },
            Kind::Tick => json!(true),
            Kind::Ticks(_) => json!(self.values),
        })
    }

    fn say(&mut self, detail: &str) {
        self.fault = Some(match (detail, &self.kind) {
            ("is required", _) => "Please fill this in.".to_owned(),
            (_, Kind::Number | Kind::Range)
                if !self.values.iter().all(|v| v.parse::<f64>().is_ok()) =>
            {
                "Please give a number.".to_owned()
            }
            (_, Kind::Time) => {
                "Please give a time in the future, like this: 2026-01-31 18:30.".to_owned()
            }
            _ => sentence(detail),
        });
    }
}

/// A number, or the text where it is none.
pub(super) fn number(text: &str) -> Value {
    text.parse::<i64>()
        .map(Value::from)
        .or_else(|_| text.parse::<f64>().map(Value::from))
        .unwrap_or_else(|_| json!(text))
}

/// What the API says of a field, for people.
fn sentence(detail: &str) -> String {
    capital(
        &detail
            .replace("private_note", "the note for the other side")
            .replace("`other`", "another way"),
    ) + "."
}

/// The API's body out of a form.
pub(super) fn body(
    sections: &mut [Section],
    sent: &[(String, String)],
    zone: &TimeZoneName,
    now: Ts,
) -> Value {
    // A part that is there but empty is told of by its missing fields.
    let mut body = json!({ "contact": {}, "location": {} });
    for input in sections.iter_mut().flat_map(|s| &mut s.inputs) {
        if let Some(value) = input.read(sent, zone, now) {
            put(&mut body, &input.at, value);
        }
    }
    if let Some(Value::Array(languages)) = body.get_mut("languages") {
        languages.retain(|tag| !tag.is_null());
    }
    body
}

/// Puts a value in its place. The pointer is one of our own: its numbers are small.
pub(super) fn put(body: &mut Value, pointer: &str, value: Value) {
    let mut place = body;
    for step in pointer.split('/').skip(1) {
        place = if let Ok(n) = step.parse::<usize>() {
            if !place.is_array() {
                *place = json!([]);
            }
            let Value::Array(list) = place else { return };
            list.resize(list.len().max(n + 1), Value::Null);
            &mut list[n]
        } else {
            if !place.is_object() {
                *place = json!({});
            }
            let Value::Object(members) = place else {
                return;
            };
            members.entry(step).or_insert(Value::Null)
        };
    }
    *place = value;
}

/// Puts every fault at its input. Gives those that belong to none.
pub(super) fn tell(sections: &mut [Section], faults: &[FieldError]) -> Vec<String> {
    let mut rest = Vec::new();
    let needs_email = sections
        .iter()
        .flat_map(|s| &s.inputs)
        .any(|i| i.is_must && i.at == "/contact/email");
    for fault in faults {
        let at = match fault.pointer.as_str() {
            "/contact" if needs_email => "/contact/email",
            "/contact" => "/contact/phone",
            "/location" | "/location/lat" | "/location/lon" => "/location/postal_code",
            at => at,
        };
        let is_its = |input: &&mut Input| {
            at.strip_prefix(&input.at)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        match sections.iter_mut().flat_map(|s| &mut s.inputs).find(is_its) {
            Some(input) if input.fault.is_none() => input.say(&fault.detail),
            Some(_) => {}
            None => rest.push(sentence(&fault.detail)),
        }
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs
            .iter()
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect()
    }

    fn sections() -> Vec<Section> {
        let inputs = vec![
            input("/contact/name", "Name", Kind::Line("text", "name")).must(),
            input("/contact/phone", "Phone", Kind::Line("tel", "tel")),
            input("/needs/0/quantity", "How many?", Kind::Number).must(),
            input("/needs/0/requires/ages", "Ages", Kind::Range),
            input("/needs/0/requires/diet", "Diet", Kind::Ticks(vec![])),
            input("/needs/0/requires/delivery", "Delivered", Kind::Tick),
            input("/needs/0/needed/0/from", "From", Kind::Time),
            input("/languages/0", "First", Kind::Pick(vec![])),
            input("/languages/1", "Second", Kind::Pick(vec![])),
            input("/needs/0/note", "Note", Kind::Area),
        ];
        vec![Section { title: "", inputs }]
    }

    fn read(pairs: &[(&str, &str)]) -> Value {
        body(&mut sections(), &sent(pairs), &TimeZoneName::UTC, Ts::EPOCH)
    }

    #[test]
    fn a_form_becomes_the_body_of_the_api() {
        let made = read(&[
            ("/contact/name", " Mo "),
            ("/contact/phone", ""),
            ("/needs/0/quantity", "4"),
            ("/needs/0/requires/ages", "2"),
            ("/needs/0/requires/ages", "11"),
            ("/needs/0/requires/diet", "halal"),
            ("/needs/0/requires/diet", "vegan"),
            ("/needs/0/requires/delivery", "yes"),
            ("/needs/0/needed/0/from", "2026-01-31T18:30"),
            ("/languages/1", "so"),
            ("/needs/0/note", "a\r\nb"),
            ("/agree_first", "not an input of this form"),
        ]);
        assert_eq!(
            made,
            json!({
                "contact": {"name": "Mo"},
                "location": {},
                "languages": ["so"],
                "needs": [{
                    "quantity": 4,
                    "requires": {"ages": [2, 11], "diet": ["halal", "vegan"], "delivery": true},
                    "needed": [{"from": "2026-01-31T18:30:00Z"}],
                    "note": "a\nb",
                }],
            })
        );
        assert_eq!(
            read(&[("/needs/0/quantity", "four")]),
            json!({"contact": {}, "location": {}, "needs": [{"quantity": "four"}]})
        );
        assert_eq!(read(&[]), json!({"contact": {}, "location": {}}));
    }

    #[test]
    fn a_fault_stands_at_its_input() {
        let mut form = sections();
        let fault = |pointer: &str, detail: &str| FieldError {
            pointer: pointer.into(),
            detail: detail.into(),
        };
        let rest = tell(
            &mut form,
            &[
                fault("/contact", "needs one way to be reached"),
                fault("/needs/0/requires/diet/1", "must be one of a, b"),
                fault("/contact/name", "is required"),
                fault("/needs", "must be 1 to 20 needs"),
            ],
        );
        let said = |n: usize| form[0].inputs[n].fault.clone().unwrap_or_default();
        assert_eq!(said(0), "Please fill this in.");
        assert_eq!(said(1), "Needs one way to be reached.");
        assert_eq!(said(4), "Must be one of a, b.");
        assert_eq!(rest, ["Must be 1 to 20 needs."]);
    }
}
