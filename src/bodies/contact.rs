//! How a person is reached.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::faults::FieldErrors;
use crate::actions::Ctx;
use crate::domain::contact::{
    Channel, Contact, ContactLine, EmailAddress, PersonName, PhoneNumber,
};

/// A person's name and ways of being reached. One way is a must.
#[derive(Clone, Default, Deserialize, Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"name": "Mo", "phone": "+1 612 555 0123", "channels": ["text"], "note": "text only"}))]
pub struct ContactBody {
    /// What they want to be called; only the first word is ever released.
    #[schema(required = true, nullable = false, min_length = 1, max_length = 80)]
    pub name: Option<String>,
    /// E-mail.
    #[schema(format = Email, max_length = 254)]
    pub email: Option<String>,
    /// Phone.
    pub phone: Option<String>,
    /// Any other way.
    #[schema(min_length = 1, max_length = 200)]
    pub other: Option<String>,
    /// The ways that are released to the other side; all that are given where this is empty.
    #[schema(example = json!(["text"]))]
    pub channels: Option<Vec<ChannelWord>>,
    /// How to use them.
    #[schema(min_length = 1, max_length = 200)]
    pub note: Option<String>,
}

/// A way of reaching somebody.
#[derive(Clone, Copy, Debug, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ChannelWord {
    /// By e-mail.
    Email,
    /// By text message.
    Text,
    /// By phone call.
    Call,
    /// As `other` says.
    Other,
}

impl ContactBody {
    /// The contact, if nothing is wrong with it.
    pub fn parse(self, at: &str, ctx: &Ctx, errors: &mut FieldErrors) -> Option<Contact> {
        if self.email.is_none() && self.phone.is_none() && self.other.is_none() {
            errors.push(at, "needs one way to be reached: email, phone or other");
        }
        self.parse_beside_caller(at, ctx, errors)
    }

    /// As [`ContactBody::parse`] of somebody who can be reached through who calls for her: a name is enough.
    pub fn parse_beside_caller(
        self,
        at: &str,
        ctx: &Ctx,
        errors: &mut FieldErrors,
    ) -> Option<Contact> {
        let country = ctx.settings.area.country.as_str();
        let name = errors.require(&format!("{at}/name"), self.name);
        let name = name.and_then(|n| errors.check(format!("{at}/name"), PersonName::parse(&n)));
        Some(Contact {
            email: errors.optional(format!("{at}/email"), self.email, |t| {
                EmailAddress::parse(&t)
            }),
            phone: errors.optional(format!("{at}/phone"), self.phone, |t| {
                PhoneNumber::parse(&t, country)
            }),
            other: errors.optional(format!("{at}/other"), self.other, |t| {
                ContactLine::parse(&t)
            }),
            channels: self
                .channels
                .unwrap_or_default()
                .into_iter()
                .map(Channel::from)
                .collect(),
            note: errors.optional(format!("{at}/note"), self.note, |t| ContactLine::parse(&t)),
            name: name?,
        })
    }
}

impl From<ChannelWord> for Channel {
    fn from(word: ChannelWord) -> Self {
        match word {
            ChannelWord::Email => Self::Email,
            ChannelWord::Text => Self::Text,
            ChannelWord::Call => Self::Call,
            ChannelWord::Other => Self::Other,
        }
    }
}

impl From<&Contact> for ContactBody {
    fn from(contact: &Contact) -> Self {
        Self {
            name: Some(contact.name.expose().to_owned()),
            email: contact.email.as_ref().map(|e| e.expose().to_owned()),
            phone: contact.phone.as_ref().map(|p| p.expose().to_owned()),
            other: contact.other.as_ref().map(|o| o.expose().to_owned()),
            channels: Some(
                contact
                    .channels
                    .iter()
                    .map(|c| ChannelWord::from(*c))
                    .collect(),
            ),
            note: contact.note.as_ref().map(|n| n.expose().to_owned()),
        }
    }
}

impl From<Channel> for ChannelWord {
    fn from(channel: Channel) -> Self {
        match channel {
            Channel::Email => Self::Email,
            Channel::Text => Self::Text,
            Channel::Call => Self::Call,
            Channel::Other => Self::Other,
        }
    }
}
