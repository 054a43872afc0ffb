//! A volunteer as she sees herself.

use serde::Serialize;
use utoipa::ToSchema;

use super::offer::OfferView;
use crate::actions::Ctx;
use crate::domain::clock::Ts;
use crate::domain::ids::VolunteerId;
use crate::domain::secret::VolunteerSecret;
use crate::http::bodies::contact::ContactBody;
use crate::http::bodies::offer::LimitsBody;
use crate::storage::{Conn, StorageError, offers, volunteers};

/// Everything that is known of a volunteer, to herself.
#[derive(Serialize, ToSchema)]
pub struct VolunteerView {
    /// Her id.
    #[schema(value_type = String, format = Uuid)]
    pub id: String,
    /// How she is reached.
    pub contact: ContactBody,
    /// What she speaks, best first.
    pub languages: Vec<String>,
    /// The language of her letters.
    pub locale: String,
    /// How often and when she may be asked.
    pub limits: LimitsBody,
    /// Until when she is vetted.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub vetted_until: Option<Ts>,
    /// Whether she has paused everything.
    pub paused: bool,
    /// Whether letters go to her; without them she is not asked.
    pub mail: bool,
    /// What she offers.
    pub offers: Vec<OfferView>,
}

/// The volunteer with everything; `None` once erased.
///
/// # Errors
/// A failed query, or a secret that does not open.
pub fn load(
    ctx: &Ctx,
    conn: &mut Conn,
    id: VolunteerId,
) -> Result<Option<VolunteerView>, StorageError> {
    let Some(row) = volunteers::find(conn, id)? else {
        return Ok(None);
    };
    let Some(sealed) = &row.sealed else {
        return Ok(None);
    };
    let secret: VolunteerSecret = ctx.vault.open(row.id, row.sealed_version, sealed)?;
    let offers = offers::of_volunteer(conn, id)?
        .iter()
        .map(|o| OfferView::of(ctx, o))
        .collect::<Result<_, _>>()?;
    Ok(Some(VolunteerView {
        id: row.id.to_string(),
        contact: (&secret.contact).into(),
        limits: (&row.limits.0).into(),
        vetted_until: row.vetted_until.filter(|until| *until > ctx.now()),
        paused: row.paused_at.is_some(),
        mail: row.mail_stopped_at.is_none(),
        languages: row.languages.0,
        locale: row.locale,
        offers,
    }))
}
