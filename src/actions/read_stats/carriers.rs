//! Who carries how much: so that a coordinator sees who needs a rest, and who could be asked for more.

use std::cmp::Reverse;
use std::collections::HashMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::ids::VolunteerId;
use crate::domain::lifecycle::MatchState;
use crate::storage::activity::Ask;

/// Volunteers that are shown.
const SHOWN: usize = 20;

/// What one volunteer has done.
#[derive(Debug, Serialize, ToSchema)]
pub struct CarrierView {
    /// The volunteer's id.
    #[schema(value_type = String, format = Uuid)]
    pub volunteer: VolunteerId,
    /// Asks whose letters left.
    #[schema(example = 14)]
    pub asks: u32,
    /// How many of them were answered with yes, whatever came of it.
    #[schema(example = 9)]
    pub acceptances: u32,
    /// How many came to help that was given.
    #[schema(example = 7)]
    pub fulfilled: u32,
}

/// Whether the volunteer said yes, whatever came of it.
pub(super) fn is_yes(ask: &Ask) -> bool {
    matches!(
        ask.state,
        MatchState::Accepted | MatchState::Fulfilled | MatchState::FellThrough
    )
}

/// What each volunteer was asked and did.
#[derive(Debug, Default)]
pub(super) struct Carriers(HashMap<VolunteerId, CarrierView>);

impl Carriers {
    pub(super) fn ask(&mut self, ask: &Ask) {
        let carrier = self.0.entry(ask.volunteer).or_insert(CarrierView {
            volunteer: ask.volunteer,
            asks: 0,
            acceptances: 0,
            fulfilled: 0,
        });
        carrier.asks += 1;
        carrier.acceptances += u32::from(is_yes(ask));
        carrier.fulfilled += u32::from(ask.state == MatchState::Fulfilled);
    }

    /// Those who said yes, most often first.
    pub(super) fn view(self) -> Vec<CarrierView> {
        let mut all: Vec<CarrierView> = self.0.into_values().collect();
        all.retain(|c| c.acceptances > 0);
        all.sort_by_key(|c| (Reverse(c.acceptances), Reverse(c.asks), c.volunteer));
        all.truncate(SHOWN);
        all
    }
}
