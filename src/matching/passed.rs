//! Why an offer in reach of a request is not asked, in one word.

use super::eligible::Ineligible;
use crate::domain::clock::Ts;
use crate::domain::word::words;

words! {
    /// Why an offer is passed over.
    Passed {
        /// Too far for whoever would have to travel.
        OutOfReach = "out_of_reach",
        /// The category asks for a vetted volunteer.
        NotVetted = "not_vetted",
        /// No common language, and one is a must.
        NoCommonLanguage = "no_common_language",
        /// An attribute is not met.
        AttributeUnmet = "attribute_unmet",
        /// They are never there at the same time.
        NoCommonTime = "no_common_time",
        /// Too little is free.
        NoCapacity = "no_capacity",
        /// It stands in an area in which nobody is asked for now.
        Frozen = "frozen",
        /// The volunteer is being asked for this request, waits for a review, or has said yes.
        Asked = "asked",
        /// The volunteer said no.
        Declined = "declined",
        /// A coordinator said no.
        Vetoed = "vetoed",
        /// They were brought together, and it came to nothing.
        CameToNothing = "came_to_nothing",
        /// The volunteer did not answer, and may be asked once more later.
        Lapsed = "lapsed",
        /// The two people are never to be brought together.
        Parted = "parted",
        /// The volunteer is paused, blocked, gone, or wants no letters.
        NotAskable = "not_askable",
        /// The volunteer has as many asks to answer as a volunteer may.
        OpenAsks = "open_asks",
        /// The volunteer was asked often enough this week for what is not urgent.
        WeeklyAsks = "weekly_asks",
        /// The volunteer was asked often enough within a day.
        DailyAsks = "daily_asks",
        /// The volunteer has as many promises to keep as a volunteer may.
        OpenReleases = "open_releases",
        /// It is not an hour at which the volunteer is asked.
        Hours = "hours",
        /// Another offer of the same volunteer suits better.
        OtherOffer = "other_offer",
        /// Others are asked first.
        LowerScore = "lower_score",
    }
}

impl Passed {
    /// Whether the offer fits and only its volunteer may not be asked just now.
    #[must_use]
    pub fn is_rest(self) -> bool {
        matches!(
            self,
            Self::Lapsed
                | Self::OpenAsks
                | Self::WeeklyAsks
                | Self::DailyAsks
                | Self::OpenReleases
                | Self::Hours
        )
    }

    /// Whether that rest ends by what somebody does, which makes the offer due, and not by the clock.
    #[must_use]
    pub fn ends_by_an_act(self) -> bool {
        matches!(self, Self::OpenAsks | Self::OpenReleases)
    }

    /// Whether the offer itself does not fit, whoever its volunteer is.
    #[must_use]
    pub fn is_unfit(self) -> bool {
        matches!(
            self,
            Self::NotVetted
                | Self::NoCommonLanguage
                | Self::AttributeUnmet
                | Self::NoCommonTime
                | Self::NoCapacity
                | Self::Frozen
        )
    }
}

impl From<Ineligible> for Passed {
    fn from(why: Ineligible) -> Self {
        match why {
            Ineligible::OutOfReach => Self::OutOfReach,
            Ineligible::NotVetted => Self::NotVetted,
            Ineligible::NoCommonLanguage => Self::NoCommonLanguage,
            Ineligible::AttributeUnmet => Self::AttributeUnmet,
            Ineligible::NoCommonTime => Self::NoCommonTime,
            Ineligible::NoCapacity => Self::NoCapacity,
        }
    }
}

/// That an offer is passed over, and what more is known of why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PassedOver {
    /// Why.
    pub why: Passed,
    /// Which attribute is not met.
    pub attribute: Option<String>,
    /// When that ends by itself, where it does and that is known.
    pub until: Option<Ts>,
}

impl PassedOver {
    /// For good, as far as time alone goes.
    #[must_use]
    pub fn new(why: Passed) -> Self {
        Self {
            why,
            attribute: None,
            until: None,
        }
    }

    /// Until then.
    #[must_use]
    pub fn until(why: Passed, until: Option<Ts>) -> Self {
        Self {
            until,
            ..Self::new(why)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_rests_fits_and_whatever_does_not_fit_does_not_rest() {
        let those = |is: fn(Passed) -> bool| -> Vec<&str> {
            let all = Passed::ALL.iter().filter(|why| is(**why));
            all.map(|why| why.as_str()).collect()
        };
        let rests = "lapsed open_asks weekly_asks daily_asks open_releases hours";
        assert_eq!(those(Passed::is_rest).join(" "), rests);
        let acts = ["open_asks", "open_releases"];
        assert_eq!(those(Passed::ends_by_an_act), acts);
        let unfit =
            "not_vetted no_common_language attribute_unmet no_common_time no_capacity frozen";
        assert_eq!(those(Passed::is_unfit).join(" "), unfit);
    }
}
