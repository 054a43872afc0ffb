//! The texts of one row, taken out one by one, and what several fields make together: a contact, a place.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::Reader;
use crate::bodies::contact::{ChannelWord, ContactBody};
use crate::bodies::faults::FieldErrors;
use crate::bodies::location::LocationBody;
use crate::domain::category::Category;
use crate::domain::contact::PhoneNumber;
use crate::domain::import::CellNote;
use crate::sheets::fields::{self, plain};
use crate::sheets::mapping::TooLong;
use crate::sheets::{cells, phone};

/// The texts of one row, which are taken out one by one, with what is found on the way.
pub(super) struct Cells<'r> {
    pub(super) reader: &'r Reader,
    pub(super) texts: BTreeMap<String, String>,
    pub(super) errors: FieldErrors,
    pub(super) warnings: Vec<CellNote>,
}

impl Cells<'_> {
    pub(super) fn take(&mut self, field: &str) -> Option<String> {
        self.texts.remove(field)
    }

    /// Takes a text that is one line in our forms, whatever it was in theirs.
    pub(super) fn line(&mut self, field: &str) -> Option<String> {
        let text = self.take(field)?;
        Some(text.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    pub(super) fn parsed<T, E: std::fmt::Display>(
        &mut self,
        field: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.line(field)?;
        self.errors.check(format!("/{field}"), parse(&text))
    }

    pub(super) fn flag(&mut self, field: &str) -> Option<bool> {
        self.parsed(field, cells::flag)
    }

    pub(super) fn number(&mut self, field: &str) -> Option<i64> {
        self.parsed(field, cells::whole)
    }

    /// One of our words, in any case.
    pub(super) fn word<T: std::str::FromStr>(&mut self, field: &str) -> Option<T>
    where
        T::Err: std::fmt::Display,
    {
        self.parsed(field, |text| text.to_lowercase().parse::<T>())
    }

    pub(super) fn warn(&mut self, field: &str, reason: impl Into<String>) {
        self.warnings.push(CellNote {
            column: self.reader.plan.label(field),
            reason: reason.into(),
        });
    }

    /// Cuts what is too long, where the mapping says so.
    pub(super) fn shorten(&mut self) {
        if self.reader.plan.mapping.too_long != Some(TooLong::Cut) {
            return;
        }
        let kind = self.reader.plan.kind;
        let mut cut = Vec::new();
        for (name, text) in &mut self.texts {
            let Some(most) = fields::find(kind, name).and_then(|field| field.most) else {
                continue;
            };
            if let Some((end, _)) = text.char_indices().nth(most) {
                text.truncate(end);
                cut.push((name.clone(), most));
            }
        }
        for (name, most) in cut {
            self.warn(&name, format!("was cut to {most} characters"));
        }
    }

    pub(super) fn country(&self) -> String {
        let ctx = &self.reader.ctx;
        let said = self
            .texts
            .get("country")
            .or(self.reader.plan.mapping.country.as_ref());
        said.cloned()
            .unwrap_or_else(|| ctx.settings.area.country.as_str().to_owned())
    }

    /// The phone number in international form, and what else stood in the cell.
    pub(super) fn phone(&mut self, field: &str) -> (Option<String>, Option<String>) {
        let Some(text) = self.line(field) else {
            return (None, None);
        };
        let Some(read) = self.errors.check(format!("/{field}"), phone::read(&text)) else {
            return (None, None);
        };
        if read.by_keys {
            self.warn(field, "letters were read as the keys they stand on");
        }
        if read.remark.is_some() {
            self.warn(
                field,
                "what stands behind the number was added to the contact's note",
            );
        }
        let country = self.country();
        let known = PhoneNumber::parse(&read.number, &country);
        let number = known.map_or(read.number, |number| number.expose().to_owned());
        (Some(number), read.remark)
    }

    pub(super) fn contact(&mut self) -> ContactBody {
        let (phone, remark) = self.phone("phone");
        let note = [self.line("contact_note"), remark];
        let note = note.into_iter().flatten().collect::<Vec<_>>().join("; ");
        let email = self
            .line("email")
            .map(|text| match text.strip_prefix("mailto:") {
                Some(address) => address.to_owned(),
                None => text,
            });
        ContactBody {
            name: self.line("name"),
            email,
            phone,
            other: self.line("other"),
            channels: self.channels(),
            note: (!note.is_empty()).then_some(note),
        }
    }

    pub(super) fn channels(&mut self) -> Option<Vec<ChannelWord>> {
        let text = self.line("channels")?;
        let mut channels = Vec::new();
        for part in text.split([',', ';', '|', '/']) {
            channels.push(match plain(part).as_str() {
                "email" | "mail" | "correo" => ChannelWord::Email,
                "text" | "sms" | "textmessage" | "texto" => ChannelWord::Text,
                "call" | "phone" | "phonecall" | "llamada" => ChannelWord::Call,
                "other" | "otro" => ChannelWord::Other,
                _ => {
                    self.errors
                        .push("/channels", "must be some of email, text, call, other");
                    return None;
                }
            });
        }
        Some(channels)
    }

    pub(super) fn caller(&mut self) -> Option<ContactBody> {
        let (phone, _) = self.phone("caller_phone");
        let body = ContactBody {
            name: self.line("caller_name"),
            email: self.line("caller_email"),
            phone,
            ..ContactBody::default()
        };
        let is_there = body.name.is_some() || body.email.is_some() || body.phone.is_some();
        is_there.then_some(body)
    }

    pub(super) fn location(&mut self) -> Option<LocationBody> {
        let country = self.country();
        let mut location = LocationBody {
            lat: self.parsed("lat", cells::degrees),
            lon: self.parsed("lon", cells::degrees),
            postal_code: self.line("postal_code"),
            country: Some(country.clone()),
            address: self.line("address"),
        };
        if let Some((lat, lon)) = self.parsed("point", cells::point) {
            (location.lat, location.lon) = (Some(lat), Some(lon));
        }
        if let Some(full) = self.line("full_address") {
            let gazetteer = &self.reader.ctx.gazetteer;
            let is_known = |code: &str| gazetteer.locate(&country, code).is_some();
            location.postal_code = location.postal_code.or(cells::postal_code(&full, is_known));
            location.address = location.address.or(Some(full));
        }
        // A form may ask for both: the point is nearer.
        if location.lat.is_some() && location.lon.is_some() {
            location.postal_code = None;
        } else if let Some(code) = &mut location.postal_code {
            (location.lat, location.lon) = (None, None);
            // Spreadsheets take 02134 for a number, and ZIP+4 for a sum.
            let lost_zeros = country == "US" && code.len() < 5;
            if lost_zeros && code.bytes().all(|b| b.is_ascii_digit()) {
                *code = format!("{code:0>5}");
            }
        } else {
            let found =
                "no place: a postal code that is known here is needed, or latitude and longitude";
            self.errors.push("/postal_code", found);
            return None;
        }
        Some(location)
    }

    pub(super) fn languages(&mut self) -> Option<Vec<String>> {
        let text = self.line("languages")?;
        let tag = |part: &str| match plain(part).as_str() {
            "english" | "ingles" => "en".to_owned(),
            "spanish" | "espanol" => "es".to_owned(),
            "somali" => "so".to_owned(),
            "hmong" => "hmn".to_owned(),
            "french" | "francais" | "frances" => "fr".to_owned(),
            "arabic" | "arabe" => "ar".to_owned(),
            _ => part.trim().to_owned(),
        };
        let parts = text
            .split([',', ';', '|', '/'])
            .filter(|part| !part.trim().is_empty());
        Some(parts.map(tag).collect())
    }

    /// The category, by its key or its title.
    pub(super) fn category(&mut self) -> Option<String> {
        let text = self.line("category")?;
        let wanted = plain(&text);
        let is_it = |c: &&Category| plain(c.key.as_str()) == wanted || plain(&c.title) == wanted;
        let catalog = &self.reader.ctx.catalog;
        if let Some(category) = catalog.iter().find(is_it) {
            return Some(category.key.to_string());
        }
        let mut parts = text.split([',', ';', '|']).map(str::trim);
        let known = |part: &str| {
            let plain_part = plain(part);
            let of_file = self.reader.plan.ours("category", part).is_some();
            let is_it =
                |c: &Category| plain(c.key.as_str()) == plain_part || plain(&c.title) == plain_part;
            of_file || catalog.iter().any(is_it)
        };
        if text.contains([',', ';', '|']) && parts.all(known) {
            let several =
                "names several categories: one row is one post, so it needs a row for each";
            self.errors.push("/category", several);
            return None;
        }
        Some(text)
    }

    pub(super) fn attributes(
        &mut self,
        side: &str,
        category: Option<&String>,
    ) -> Option<Map<String, Value>> {
        let category = category.and_then(|key| self.reader.ctx.catalog.get(key));
        let mut map = Map::new();
        if let Some(text) = self.take(side) {
            match serde_json::from_str::<Map<String, Value>>(&text) {
                Ok(whole) => map = whole,
                Err(_) => self
                    .errors
                    .push(format!("/{side}"), "must be a JSON object"),
            }
        }
        let prefix = format!("{side}.");
        let names: Vec<String> = self
            .texts
            .keys()
            .filter(|k| k.starts_with(&prefix))
            .cloned()
            .collect();
        for field in names {
            let Some(text) = self.line(&field) else {
                continue;
            };
            let name = field[prefix.len()..].to_owned();
            let attribute = category.and_then(|c| c.attributes.iter().find(|a| a.name == name));
            map.insert(name, cells::attribute(attribute, &text));
        }
        (!map.is_empty()).then_some(map)
    }
}
