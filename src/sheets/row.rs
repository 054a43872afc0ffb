//! One row becomes one post, or a list of what is wrong with it.
//!
//! The texts of a row are put into the bodies that calls have, and parsed as those are.

use std::collections::BTreeMap;

use csv::StringRecord;
use serde_json::{Map, Value};

use super::dates::{self, When};
use super::fields::{self, plain};
use super::mapping::{DateOrder, TooLong};
use super::plan::Plan;
use super::{cells, phone};
use crate::actions::Ctx;
use crate::actions::post_offers::PostOffers;
use crate::actions::post_requests::PostRequests;
use crate::bodies::contact::{ChannelWord, ContactBody};
use crate::bodies::faults::FieldErrors;
use crate::bodies::location::LocationBody;
use crate::bodies::need::NeedBody;
use crate::bodies::offer::{AvailableBody, LimitsBody, OfferBody, SiteBody};
use crate::bodies::text::{self, WindowBody};
use crate::domain::category::Category;
use crate::domain::clock::Ts;
use crate::domain::ids::CoordinatorId;
use crate::domain::import::{CellNote, ImportKind};

/// What a row posts.
#[derive(Debug)]
pub enum Post {
    /// A need.
    Request(Box<PostRequests>),
    /// An offer.
    Offer(Box<PostOffers>),
}

/// A row that was read.
#[derive(Debug)]
pub struct Read {
    /// What it posts; or what is wrong.
    pub post: Result<Post, Vec<CellNote>>,
    /// From when and until when, as far as it says so.
    pub times: (Option<Ts>, Option<Ts>),
    /// What was taken otherwise than it stands there.
    pub warnings: Vec<CellNote>,
}

/// Reads rows.
#[derive(Clone, Debug)]
pub struct Reader {
    /// Where everything stands.
    pub plan: Plan,
    /// In which order the numbers of dates stand.
    pub order: Option<DateOrder>,
    /// Who imports.
    pub by: Option<CoordinatorId>,
    /// The instance.
    pub ctx: Ctx,
}

/// The texts of one row, which are taken out one by one, with what is found on the way.
struct Cells<'r> {
    reader: &'r Reader,
    texts: BTreeMap<String, String>,
    errors: FieldErrors,
    warnings: Vec<CellNote>,
}

impl Reader {
    /// Reads a row.
    pub fn read(&self, record: &StringRecord) -> Read {
        if record.len() != self.plan.width {
            let expected = format!(
                "has {} cells, and there are {} heads: is a quotation mark or a delimiter missing?",
                record.len(),
                self.plan.width
            );
            return Read {
                post: Err(vec![CellNote {
                    column: "the row".to_owned(),
                    reason: expected,
                }]),
                times: (None, None),
                warnings: Vec::new(),
            };
        }
        let mut row = Cells {
            reader: self,
            texts: self.plan.texts(record),
            errors: FieldErrors::default(),
            warnings: Vec::new(),
        };
        row.shorten();
        let (post, times) = match self.plan.kind {
            ImportKind::Requests => row.request(),
            ImportKind::Offers => row.offer(),
        };
        let faults = self.faults(&row.errors);
        let post = match post {
            Some(post) if faults.is_empty() => Ok(post),
            _ => Err(faults),
        };
        Read {
            post,
            times,
            warnings: row.warnings,
        }
    }

    /// The faults of a row, one for each column: what follows from the first is not told.
    fn faults(&self, errors: &FieldErrors) -> Vec<CellNote> {
        let is_reached =
            |pointer: &str| matches!(field_of(pointer).as_str(), "email" | "phone" | "other");
        let mut faults: Vec<CellNote> = Vec::new();
        for (nth, error) in errors.all().iter().enumerate() {
            let earlier = &errors.all()[..nth];
            // Where a number cannot be read, it is not also said that there is none.
            if error.pointer == "/contact" && earlier.iter().any(|e| is_reached(&e.pointer)) {
                continue;
            }
            let fault = self.note(&error.pointer, &error.detail);
            if faults.iter().all(|known| known.column != fault.column) {
                faults.push(fault);
            }
        }
        faults
    }

    /// A fault of a field as a fault of a column.
    fn note(&self, pointer: &str, detail: &str) -> CellNote {
        let field = field_of(pointer);
        let most = fields::find(self.plan.kind, &field).and_then(|field| field.most);
        let reason = match (detail, most) {
            ("is too long", Some(most)) => {
                format!(
                    "is longer than {most} characters; too_long = \"cut\" in the mapping cuts it"
                )
            }
            _ => detail.to_owned(),
        };
        CellNote {
            column: self.plan.label(&field),
            reason,
        }
    }
}

/// The field that a fault is in: `/contact/email` is `email`.
fn field_of(pointer: &str) -> String {
    let parts: Vec<&str> = pointer.split('/').filter(|part| !part.is_empty()).collect();
    match parts.as_slice() {
        ["caller", part, ..] => format!("caller_{part}"),
        ["contact", "note"] => "contact_note".to_owned(),
        ["contact"] => "email".to_owned(),
        ["need", "requires", name, ..] => format!("requires.{name}"),
        ["offer", "provides", name, ..] => format!("provides.{name}"),
        ["offer", "site", part] if *part != "walk_in" => format!("site_{part}"),
        ["need", "needed", _, part] => (*part).to_owned(),
        ["languages" | "locale", ..] => parts[0].to_owned(),
        [.., last] => (*last).to_owned(),
        [] => String::new(),
    }
}

impl Cells<'_> {
    fn take(&mut self, field: &str) -> Option<String> {
        self.texts.remove(field)
    }

    /// Takes a text that is one line in our forms, whatever it was in theirs.
    fn line(&mut self, field: &str) -> Option<String> {
        let text = self.take(field)?;
        Some(text.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    fn parsed<T, E: std::fmt::Display>(
        &mut self,
        field: &str,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<T> {
        let text = self.line(field)?;
        self.errors.check(format!("/{field}"), parse(&text))
    }

    fn flag(&mut self, field: &str) -> Option<bool> {
        self.parsed(field, cells::flag)
    }

    fn number(&mut self, field: &str) -> Option<i64> {
        self.parsed(field, cells::whole)
    }

    /// One of our words, in any case.
    fn word<T: std::str::FromStr>(&mut self, field: &str) -> Option<T>
    where
        T::Err: std::fmt::Display,
    {
        self.parsed(field, |text| text.to_lowercase().parse::<T>())
    }

    fn warn(&mut self, field: &str, reason: impl Into<String>) {
        self.warnings.push(CellNote {
            column: self.reader.plan.label(field),
            reason: reason.into(),
        });
    }

    /// Cuts what is too long, where the mapping says so.
    fn shorten(&mut self) {
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

    fn country(&self) -> String {
        let ctx = &self.reader.ctx;
        let said = self
            .texts
            .get("country")
            .or(self.reader.plan.mapping.country.as_ref());
        said.cloned()
            .unwrap_or_else(|| ctx.settings.area.country.as_str().to_owned())
    }

    /// The phone number in international form, and what else stood in the cell.
    fn phone(&mut self, field: &str) -> (Option<String>, Option<String>) {
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
        let known = crate::domain::contact::PhoneNumber::parse(&read.number, &country);
        let number = known.map_or(read.number, |number| number.expose().to_owned());
        (Some(number), read.remark)
    }

    fn contact(&mut self) -> ContactBody {
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

    fn channels(&mut self) -> Option<Vec<ChannelWord>> {
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

    fn caller(&mut self) -> Option<ContactBody> {
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

    fn location(&mut self) -> Option<LocationBody> {
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

    fn languages(&mut self) -> Option<Vec<String>> {
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
    fn category(&mut self) -> Option<String> {
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

    fn attributes(&mut self, side: &str, category: Option<&String>) -> Option<Map<String, Value>> {
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

    fn when(&mut self, field: &str) -> Option<When> {
        let zone = self.reader.plan.zone.clone();
        let zone = zone.unwrap_or_else(|| self.reader.ctx.settings.area.timezone.clone());
        let order = self.reader.order;
        self.parsed(field, |text| dates::read(text, order, &zone))
    }

    /// From when, and until when. Whoever names a day means all of it.
    fn times(&mut self) -> (Option<Ts>, Option<Ts>) {
        let (from, until) = (self.when("from"), self.when("until"));
        let begins = from.map(|when| match when {
            When::At(at) | When::Day(at, _) => at,
        });
        let ends = match (from, until) {
            (_, Some(When::At(at) | When::Day(_, at))) => Some(at),
            (Some(When::Day(_, end)), None) => Some(end),
            _ => None,
        };
        (begins, ends)
    }

    fn request(&mut self) -> (Option<Post>, (Option<Ts>, Option<Ts>)) {
        let ctx = &self.reader.ctx;
        let (contact, caller) = (self.contact(), self.caller());
        let location = self.location();
        let languages = self.languages();
        let category = self.category();
        let (from, until) = self.times();
        let usual = || {
            let category = ctx.catalog.get(category.as_ref()?)?;
            Some(from?.after(category.policy.default_duration))
        };
        let until = until.or_else(usual);
        let needed = match (from, until) {
            (None, None) => None,
            (from, until) => Some(vec![WindowBody {
                from: Some(from.unwrap_or_else(|| ctx.now())),
                until,
            }]),
        };
        let need = NeedBody {
            quantity: self.number("quantity"),
            splittable: self.flag("splittable"),
            max_helpers: self
                .number("max_helpers")
                .and_then(|n| i32::try_from(n).ok()),
            urgency: self.urgency(),
            travel_m: self.number("travel_m"),
            handover: self.word("handover"),
            needed,
            repeats: None,
            throughout: self.flag("throughout"),
            requires: self.attributes("requires", category.as_ref()),
            language_must: self.flag("language_must"),
            note: self.take("note"),
            private_note: self.take("private_note"),
            category,
        };
        let agree_first = self.flag("agree_first").unwrap_or(false);
        let locale = self.line("locale");
        let by = self.reader.by;
        let errors = &mut self.errors;
        let contact = contact.parse("/contact", ctx, errors);
        let caller = caller.map(|caller| caller.parse("/caller", ctx, errors));
        let place = location
            .as_ref()
            .and_then(|l| l.parse("/location", ctx, errors));
        let address = location
            .as_ref()
            .and_then(|l| l.address("/location", errors));
        let languages = text::languages(languages, "/languages", errors);
        let locale = text::locale(locale, "/locale", errors);
        let need = need.parse("/need", ctx, errors);
        let post = || {
            Some(Post::Request(Box::new(PostRequests {
                contact: contact?,
                caller: caller.flatten(),
                place: place?,
                address,
                languages,
                locale,
                agree_first,
                needs: vec![need?],
                entered_by: by,
            })))
        };
        (post(), (from, until))
    }

    fn urgency(&mut self) -> Option<crate::domain::need::Urgency> {
        use crate::domain::need::Urgency;
        self.parsed("urgency", |text| match plain(text).as_str() {
            "asap" | "urgent" | "immediately" | "rightnow" | "emergency" | "high" | "ahora"
            | "urgente" => Ok(Urgency::Now),
            "within24hours" | "medium" | "hoy" => Ok(Urgency::Today),
            "thisweek" | "nexttime" | "nexfewdays" | "low" | "whenever" | "pronto" => {
                Ok(Urgency::Soon)
            }
            word => word.parse::<Urgency>(),
        })
    }

    fn offer(&mut self) -> (Option<Post>, (Option<Ts>, Option<Ts>)) {
        let ctx = &self.reader.ctx;
        let contact = self.contact();
        let site_address = self.line("site_address");
        let location = self.location();
        let languages = self.languages();
        let category = self.category();
        let (from, until) = self.times();
        let site = self.line("site_title").map(|title| SiteBody {
            title: Some(title),
            address: site_address.or_else(|| location.as_ref().and_then(|l| l.address.clone())),
            walk_in: None,
        });
        let walk_in = self.flag("walk_in");
        let offer = OfferBody {
            capacity: self.number("capacity"),
            renews: self.word("renews"),
            reach_m: self.number("reach_m"),
            lead_minutes: self.number("lead_minutes"),
            available: Some(AvailableBody {
                from,
                until,
                opening_hours: self.line("opening_hours"),
                timezone: self
                    .line("timezone")
                    .or_else(|| self.reader.plan.mapping.timezone.clone()),
            }),
            provides: self.attributes("provides", category.as_ref()),
            note: self.take("note"),
            private_note: self.take("private_note"),
            site: site.map(|site| SiteBody { walk_in, ..site }),
            category,
        };
        let locale = self.line("locale");
        let errors = &mut self.errors;
        errors.require("/contact/email", contact.email.as_ref());
        let contact = contact.parse("/contact", ctx, errors);
        let place = location
            .as_ref()
            .and_then(|l| l.parse("/location", ctx, errors));
        let languages = text::languages(languages, "/languages", errors);
        let locale = text::locale(locale, "/locale", errors);
        let limits = LimitsBody::default().parse("/limits", ctx, errors);
        let offer = offer.parse("/offer", ctx, errors);
        let post = || {
            Some(Post::Offer(Box::new(PostOffers {
                contact: contact?,
                place: place?,
                languages,
                locale,
                limits: limits?,
                offers: vec![offer?],
            })))
        };
        (post(), (from, until))
    }
}
