//! Which part of everything is exported: of a category, within an area, or what stands somewhere.

use std::str::FromStr;

use super::Exported;
use crate::actions::export_persons::Chosen;
use crate::domain::category::{Catalog, CategoryKey};
use crate::domain::fact::Fact;
use crate::domain::lifecycle::{MatchState, OfferState, RequestState};
use crate::domain::part::Part;
use crate::domain::place::Cell;
use crate::storage::matches::MatchFilter;
use crate::storage::offers::OfferFilter;
use crate::storage::requests::RequestFilter;

/// What is chosen; all of it where nothing is named.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    /// Only of this category.
    pub category: Option<CategoryKey>,
    /// Only what stands within this cell, of any size.
    pub area: Option<Cell>,
    /// Only what stands there.
    pub state: Standing,
}

/// Where a post or a match stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Standing {
    /// Anywhere.
    #[default]
    Any,
    /// Requests.
    Request(RequestState),
    /// Offers.
    Offer(OfferState),
    /// Matches.
    Match(MatchState),
}

/// What somebody typed, and what is wrong with each of it.
pub type Faults = Vec<(&'static str, String)>;

impl Choice {
    /// # Errors
    /// What is wrong with which of the three: `category`, `area`, `state`.
    pub fn parse(
        what: Exported,
        catalog: &Catalog,
        [category, area, state]: [Option<&str>; 3],
    ) -> Result<Self, Faults> {
        let mut faults = Faults::new();
        let mut chosen = Self::default();
        if let Some(text) = category {
            match catalog.get(text) {
                Some(category) => chosen.category = Some(category.key.clone()),
                None => faults.push(("category", format!("must be one of {}", catalog.keys()))),
            }
        }
        match area.map(str::parse::<Cell>).transpose() {
            Ok(cell) => chosen.area = cell,
            Err(why) => faults.push(("area", why.to_string())),
        }
        match state.map(|text| Standing::parse(what, text)).transpose() {
            Ok(state) => chosen.state = state.unwrap_or_default(),
            Err(why) => faults.push(("state", why)),
        }
        if faults.is_empty() {
            Ok(chosen)
        } else {
            Err(faults)
        }
    }

    /// The category and the area.
    #[must_use]
    pub fn part(&self) -> Part {
        Part {
            categories: self.category.as_ref().map(|key| vec![key.to_string()]),
            areas: self.area.map(|cell| vec![cell]),
        }
    }

    /// Whether nothing is chosen but everything.
    #[must_use]
    pub fn is_all(&self) -> bool {
        self.part().is_all() && self.state == Standing::Any
    }

    pub(super) fn requests(&self) -> RequestFilter {
        RequestFilter {
            state: match self.state {
                Standing::Request(state) => Some(state),
                _ => None,
            },
            part: self.part(),
            ..RequestFilter::default()
        }
    }

    pub(super) fn offers(&self) -> OfferFilter {
        OfferFilter {
            state: match self.state {
                Standing::Offer(state) => Some(state),
                _ => None,
            },
            part: self.part(),
            ..OfferFilter::default()
        }
    }

    pub(super) fn matches(&self) -> MatchFilter {
        MatchFilter {
            state: match self.state {
                Standing::Match(state) => Some(state),
                _ => None,
            },
            part: self.part(),
            ..MatchFilter::default()
        }
    }

    /// As the act asks for it that lets somebody export persons.
    #[must_use]
    pub fn of_persons(&self) -> Chosen {
        Chosen {
            requests: self.requests(),
            offers: self.offers(),
            facts: self.facts(),
        }
    }

    fn facts(&self) -> Vec<(&'static str, Fact)> {
        let state = match self.state {
            Standing::Any => None,
            Standing::Request(state) => Some(state.into()),
            Standing::Offer(state) => Some(state.into()),
            Standing::Match(state) => Some(state.into()),
        };
        let named = [
            ("category", self.category.clone().map(Fact::from)),
            ("area", self.area.map(Fact::from)),
            ("state", state),
        ];
        let is_named = |(name, fact): (_, Option<Fact>)| fact.map(|fact| (name, fact));
        named.into_iter().filter_map(is_named).collect()
    }
}

impl Standing {
    fn parse(what: Exported, text: &str) -> Result<Self, String> {
        match what {
            Exported::Requests => parsed(text).map(Self::Request),
            Exported::Offers => parsed(text).map(Self::Offer),
            Exported::Matches => parsed(text).map(Self::Match),
            Exported::Sites => {
                Err("has no meaning for sites: all that are exported are open".to_owned())
            }
        }
    }
}

fn parsed<T: FromStr<Err: ToString>>(text: &str) -> Result<T, String> {
    text.parse().map_err(|why: T::Err| why.to_string())
}
