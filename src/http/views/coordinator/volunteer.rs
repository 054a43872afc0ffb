//! A volunteer as coordinators see her: without name and contact.

use serde::Serialize;
use utoipa::ToSchema;

use super::offer::{self, OfferSheet};
use crate::actions::{Ctx, NO_SHOWS_WITHIN};
use crate::domain::clock::Ts;
use crate::domain::ids::VolunteerId;
use crate::domain::part::Part;
use crate::http::bodies::offer::LimitsBody;
use crate::http::views::undo::{self, UndoView};
use crate::storage::volunteers::Volunteer;
use crate::storage::{Conn, StorageError, matches, offers, reports, volunteers};

/// A volunteer, to a coordinator.
#[derive(Serialize, ToSchema)]
pub struct VolunteerSheet {
    /// Her id.
    #[schema(value_type = String, format = Uuid)]
    pub id: String,
    /// When she confirmed her address.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub confirmed_at: Option<Ts>,
    /// Until when she is, or was, vetted.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub vetted_until: Option<Ts>,
    /// Since when she is blocked.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub blocked_at: Option<Ts>,
    /// Since when she has paused everything.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub paused_at: Option<Ts>,
    /// Whether letters go to her; without them she is not asked.
    pub mail: bool,
    /// What she speaks, best first.
    #[schema(example = json!(["en", "es"]))]
    pub languages: Vec<String>,
    /// The language of her letters.
    #[schema(example = "en")]
    pub locale: String,
    /// How often and when she may be asked.
    pub limits: LimitsBody,
    /// When she was last asked.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub last_asked_at: Option<Ts>,
    /// When she first posted.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Ts,
    /// When something of her last changed.
    #[schema(value_type = String, format = DateTime)]
    pub updated_at: Ts,
}

/// A volunteer with everything that she offers.
#[derive(Serialize, ToSchema)]
pub struct VolunteerFile {
    /// The volunteer.
    #[serde(flatten)]
    pub volunteer: VolunteerSheet,
    /// How often neighbors said within 30 days that she did not come.
    #[schema(example = 0)]
    pub no_shows: i64,
    /// How often she was reported, of what is kept.
    #[schema(example = 0)]
    pub reports: i64,
    /// What can be undone now.
    pub undo: Vec<UndoView>,
    /// What she offers, oldest first.
    pub offers: Vec<OfferSheet>,
}

impl From<&Volunteer> for VolunteerSheet {
    fn from(row: &Volunteer) -> Self {
        Self {
            id: row.id.to_string(),
            confirmed_at: row.confirmed_at,
            vetted_until: row.vetted_until,
            blocked_at: row.blocked_at,
            paused_at: row.paused_at,
            mail: row.mail_stopped_at.is_none(),
            languages: row.languages.0.clone(),
            locale: row.locale.clone(),
            limits: (&row.limits.0).into(),
            last_asked_at: row.last_asked_at,
            created_at: row.created_at,
            updated_at: row.updated_at,
        }
    }
}

/// The volunteer with her offers of that part; `None` once erased.
///
/// # Errors
/// A failed query.
pub fn file(
    ctx: &Ctx,
    conn: &mut Conn,
    part: &Part,
    id: VolunteerId,
) -> Result<Option<VolunteerFile>, StorageError> {
    let row = volunteers::find(conn, id)?.filter(|v| v.erased_at.is_none());
    let Some(row) = row else {
        return Ok(None);
    };
    let mut all = offers::of_volunteer(conn, id)?;
    all.retain(|o| part.holds(o.category.as_str(), o.cell));
    Ok(Some(VolunteerFile {
        volunteer: (&row).into(),
        no_shows: matches::no_shows_of(conn, id, ctx.now().before(NO_SHOWS_WITHIN))?,
        reports: reports::count_about(conn, id)?,
        undo: undo::of_volunteer(&row, ctx.now()),
        offers: offer::sheets(ctx, conn, &all)?,
    }))
}
