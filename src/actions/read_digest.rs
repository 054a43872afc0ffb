//! How it stands in the morning, for the letter that leaves now.

use super::{Outcome, Tx};
use crate::domain::digest::Digest;
use crate::domain::ids::CoordinatorId;
use crate::storage::coordinators;
use crate::storage::digest::{Day, digest};

impl Tx<'_> {
    /// How it stands in what that coordinator reaches; `None` for nobody, and beyond the calendar.
    pub(super) fn digest(&mut self, to: CoordinatorId) -> Outcome<Option<Digest>> {
        let Some(to) = coordinators::find(self.conn, to)? else {
            return Ok(None);
        };
        let part = self.ctx.part_of(&to);
        let zone = &self.ctx.settings.area.timezone;
        let today = zone.date_at(self.now);
        let midnight = |date: jiff::civil::Date| zone.instant(date.at(0, 0, 0, 0));
        let yesterday = today.yesterday().ok().and_then(midnight);
        let tomorrow = today.tomorrow().ok().and_then(midnight);
        let (Some(before), Some(began), Some(ends)) = (yesterday, midnight(today), tomorrow) else {
            return Ok(None);
        };
        let day = Day {
            before,
            began,
            ends,
        };
        Ok(Some(digest(self.conn, &part, day, self.now)?))
    }
}
