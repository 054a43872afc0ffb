//! A volunteer corrects what she said of herself, or a coordinator for her, by phone. The e-mail address stays: another one is another
//! post, to be confirmed.

use super::{Ctx, Outcome, Refusal, refuse};
use crate::domain::ids::{OfferId, VolunteerId};
use crate::domain::limits::AskLimits;
use crate::domain::secret::VolunteerSecret;
use crate::storage::audit::Actor;
use crate::storage::sql_types::Json;
use crate::storage::volunteers::{Volunteer, VolunteerEdit};
use crate::storage::{offers, volunteers};

/// What she may change.
#[derive(Clone, Debug)]
pub struct NewVolunteer {
    /// The contact as it is from now on.
    pub secret: VolunteerSecret,
    /// What she speaks, best first.
    pub languages: Vec<String>,
    /// The language of her letters.
    pub locale: String,
    /// How often and when she may be asked.
    pub limits: AskLimits,
    /// Whether mail may go again after she had stopped it.
    pub mail: bool,
}

/// Changes a volunteer.
///
/// # Errors
/// Somebody changed her meanwhile.
pub async fn update_volunteer(
    ctx: &Ctx,
    id: VolunteerId,
    read_version: i32,
    new: NewVolunteer,
    actor: Actor,
) -> Outcome<Volunteer> {
    ctx.write(actor, move |tx| {
        let old = tx.lock_volunteer(id)?;
        let version = read_version + 1;
        let edit = VolunteerEdit {
            phone_hash: new
                .secret
                .contact
                .phone
                .as_ref()
                .map(|p| tx.keys.hasher.phone(p)),
            languages: Json(new.languages.clone()),
            locale: new.locale.clone(),
            limits: Json(new.limits.clone()),
            updated_at: tx.now,
            sealed: Some(tx.seal(id, version, &new.secret)?),
            sealed_version: version,
            sealed_epoch: Some(tx.epoch()),
        };
        if !volunteers::edit(tx.conn, id, read_version, &edit)? {
            return refuse(Refusal::ChangedMeanwhile);
        }
        match (new.mail, old.mail_stopped_at) {
            (true, Some(_)) => volunteers::allow_mail(tx.conn, id)?,
            (false, None) => volunteers::stop_mail(tx.conn, id, tx.now)?,
            _ => {}
        }
        let ids: Vec<OfferId> = offers::of_volunteer(tx.conn, id)?
            .iter()
            .map(|o| o.id)
            .collect();
        offers::make_due(tx.conn, &ids, tx.now)?;
        tx.offers_changed(&ids)?;
        tx.audit("volunteer_updated", ("volunteer", id), &[])?;
        tx.volunteer(id)
    })
    .await
}
