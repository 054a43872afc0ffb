//! The forms of a page as a browser would send them if nobody touched anything.

use html5gum::{Token, Tokenizer};

/// A form and what it sends untouched.
#[derive(Debug, Default)]
pub struct Form {
    pub method: String,
    pub action: String,
    pub fields: Vec<(String, String)>,
    /// Every name and value that a person could choose in it.
    pub choices: Vec<(String, String)>,
}

impl Form {
    /// The body: the fields as they stand, some of them replaced or added.
    pub fn body(&self, changes: &[(&str, &str)]) -> String {
        let kept = self
            .fields
            .iter()
            .filter(|(n, _)| !changes.iter().any(|(name, _)| name == n));
        let all = kept
            .map(|(n, v)| (n.as_str(), v.as_str()))
            .chain(changes.iter().copied());
        encode(all)
    }

    /// Whether somebody could choose that.
    pub fn offers(&self, name: &str, value: &str) -> bool {
        self.choices.iter().any(|(n, v)| n == name && v == value)
    }
}

pub fn encode<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let escape = |text: &str| -> String {
        text.bytes()
            .map(|b| {
                if b.is_ascii_alphanumeric() {
                    char::from(b).to_string()
                } else {
                    format!("%{b:02X}")
                }
            })
            .collect()
    };
    fields
        .into_iter()
        .map(|(n, v)| format!("{}={}", escape(n), escape(v)))
        .collect::<Vec<_>>()
        .join("&")
}

/// Every form of a page.
pub fn forms(html: &str) -> Vec<Form> {
    let mut forms: Vec<Form> = Vec::new();
    let mut inside = false;
    let mut select: Option<String> = None;
    for Ok(token) in Tokenizer::new(html) {
        let tag = match token {
            Token::EndTag(tag) => {
                match &tag.name[..] {
                    b"form" => inside = false,
                    b"select" => select = None,
                    _ => {}
                }
                continue;
            }
            Token::StartTag(tag) => tag,
            _ => continue,
        };
        let get = |name: &str| {
            let value = tag.attributes.get(name.as_bytes());
            value.map(|v| String::from_utf8(v.to_vec()).unwrap())
        };
        if &tag.name[..] == b"form" {
            inside = true;
            forms.push(Form {
                method: get("method").unwrap_or_default(),
                action: get("action").unwrap_or_default(),
                ..Form::default()
            });
            continue;
        }
        let Some(form) = forms.last_mut().filter(|_| inside) else {
            continue;
        };
        match &tag.name[..] {
            b"input" => input(form, &get),
            b"button" => {
                if let Some(name) = get("name") {
                    form.fields.push((name, get("value").unwrap_or_default()));
                }
            }
            b"textarea" => form.fields.push((get("name").unwrap(), String::new())),
            b"select" => select = get("name"),
            b"option" => {
                let name = select.clone().unwrap();
                let value = get("value").unwrap();
                let is_first = !form.fields.iter().any(|(n, _)| *n == name);
                if is_first {
                    form.fields.push((name.clone(), value.clone()));
                } else if get("selected").is_some() {
                    form.fields
                        .iter_mut()
                        .filter(|(n, _)| *n == name)
                        .for_each(|f| f.1.clone_from(&value));
                }
                form.choices.push((name, value));
            }
            _ => {}
        }
    }
    forms
}

fn input(form: &mut Form, get: &impl Fn(&str) -> Option<String>) {
    let Some(name) = get("name") else { return };
    let value = get("value").unwrap_or_default();
    match get("type").as_deref() {
        Some("radio" | "checkbox") => {
            if get("checked").is_some() {
                form.fields.push((name.clone(), value.clone()));
            }
            form.choices.push((name, value));
        }
        _ => form.fields.push((name, value)),
    }
}
