//! What a round of matching saw: for coordinators, who must know why nobody comes.

use serde::{Deserialize, Serialize};

use super::clock::Ts;

/// What the last round for a request saw. Counts over offers at cells and sites, and instants; nothing
/// that tells of a person or of an exact point.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct RoundSeen {
    /// When it was.
    #[schema(value_type = String, format = DateTime)]
    pub at: Ts,
    /// Offers in reach, as far as the round looked: when enough were found, it stopped.
    #[schema(example = 12)]
    pub in_reach: u32,
    /// Volunteers asked so far, in all waves, for the request as it is now.
    #[schema(example = 9)]
    pub asked: u32,
    /// How many of them said no.
    #[schema(example = 2)]
    pub declined: u32,
    /// Offers that fit and may not be asked just now: at this hour, because their volunteers have
    /// enough to answer or to do, or because they did not answer a while ago.
    #[schema(example = 3)]
    pub resting: u32,
    /// Offers in reach that do not fit.
    #[schema(example = 0)]
    pub unfit: u32,
    /// Offers that fit and could be asked, but for others that were asked first.
    #[schema(example = 0)]
    pub left: u32,
    /// When the next are asked, as far as that is known.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub next_at: Option<Ts>,
}

impl RoundSeen {
    /// The same in one line, as in "12 in reach: 9 asked, 2 of them said no, 3 resting".
    #[must_use]
    pub fn sentence(&self) -> String {
        let said = format!("{} in reach: {} asked", self.in_reach, self.asked);
        let more = [
            (self.declined, "of them said no"),
            (self.resting, "resting"),
            (self.unfit, "do not fit"),
            (self.left, "still to be asked"),
        ];
        more.iter()
            .filter(|(count, _)| *count > 0)
            .fold(said, |said, (count, what)| {
                format!("{said}, {count} {what}")
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_there_is_none_of_is_not_said() {
        let seen = RoundSeen {
            in_reach: 12,
            asked: 9,
            resting: 3,
            at: Ts::EPOCH,
            declined: 0,
            unfit: 0,
            left: 0,
            next_at: None,
        };
        assert_eq!(seen.sentence(), "12 in reach: 9 asked, 3 resting");
    }
}
