//! Who of the candidates is asked: the best, one offer a volunteer.

use std::collections::HashSet;

use super::candidates::{Candidate, Facts};
use crate::domain::ids::{OfferId, VolunteerId};
use crate::matching::judge::{Asking, Choice};
use crate::matching::passed::{Passed, PassedOver};
use crate::matching::wave::Sight;

/// One who may be asked.
#[derive(Clone, Debug)]
pub(in crate::actions) struct Chosen {
    pub offer: OfferId,
    pub volunteer: VolunteerId,
    pub choice: Choice,
}

/// Those of the candidates who may be asked; the others are counted.
pub(super) fn judge(
    asking: &Asking<'_>,
    candidates: &[Candidate],
    facts: &Facts,
    sight: &mut Sight,
) -> Vec<Chosen> {
    let mut chosen = Vec::new();
    for Candidate { offer, fit } in candidates {
        let judged = match facts.person(offer.volunteer) {
            Some(person) => asking.may_ask(offer, fit.clone(), &person),
            None => Err(PassedOver::new(Passed::NotAskable)),
        };
        match judged {
            Ok(choice) => chosen.push(Chosen {
                offer: offer.id,
                volunteer: offer.volunteer,
                choice,
            }),
            Err(passed) => sight.pass(&passed),
        }
    }
    chosen
}

/// The best first; of a volunteer's offers only the best.
pub(in crate::actions) fn rank(mut chosen: Vec<Chosen>) -> Vec<Chosen> {
    chosen.sort_by(|a, b| {
        let by_score = b.choice.score.total_cmp(&a.choice.score);
        by_score.then(a.offer.cmp(&b.offer))
    });
    let mut seen = HashSet::new();
    chosen.retain(|c| seen.insert(c.volunteer));
    chosen
}
