//! A post that is entered for somebody who calls: through whom she is reached, and how far she is known.

use super::contact::ContactBody;
use super::faults::FieldErrors;
use crate::actions::Ctx;
use crate::domain::contact::Contact;
use crate::domain::ids::CoordinatorId;
use crate::domain::need::Verified;
use crate::domain::word::words;

words! {
    /// How far whoever enters a post knows the neighbor.
    Known {
        /// Not at all: a message on the machine, a list from somebody else.
        None = "none",
        /// They have spoken with her, or with who calls for her.
        Called = "called",
        /// They know her.
        Vouched = "vouched",
    }
}

impl From<Known> for Verified {
    fn from(known: Known) -> Self {
        match known {
            Known::None => Self::None,
            Known::Called => Self::Called,
            Known::Vouched => Self::Vouched,
        }
    }
}

/// Her contact; a name is enough, or nothing, where somebody calls for her. `None` also where it is wrong.
pub fn contact(
    hers: Option<ContactBody>,
    caller: Option<&ContactBody>,
    ctx: &Ctx,
    errors: &mut FieldErrors,
) -> Option<Contact> {
    match caller {
        Some(_) => hers?.parse_beside_caller("/contact", ctx, errors),
        None => errors
            .require("/contact", hers)?
            .parse("/contact", ctx, errors),
    }
}

/// How far her contact was checked already. Nobody can say that of themselves.
pub fn verified(
    said: Option<Known>,
    entered_by: Option<CoordinatorId>,
    errors: &mut FieldErrors,
) -> Verified {
    match (said, entered_by) {
        (Some(known), Some(_)) => known.into(),
        (None, Some(_)) => Verified::Called,
        (None, None) => Verified::None,
        (Some(_), None) => {
            errors.push(
                "/verified",
                "only a coordinator who enters it for somebody can say this: send their token",
            );
            Verified::None
        }
    }
}
