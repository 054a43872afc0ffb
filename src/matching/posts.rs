//! One side of the index: every open offer, or every open request, by id and by place.

use std::collections::HashMap;
use std::hash::Hash;

use super::card::{OfferCard, RequestCard};
use super::shared::Shared;
use super::spatial::SpatialIndex;
use crate::domain::category::{Catalog, CategoryKey, Travels};
use crate::domain::ids::{OfferId, RequestId};
use crate::domain::need::Reach;
use crate::domain::place::GeoPoint;

/// What both kinds of cards have.
pub trait Card {
    /// Which post it is.
    type Id: Copy + Ord + Hash;
    /// Who travels to let this post's own reach count.
    const TRAVELER: Travels;

    /// Which post.
    fn id(&self) -> Self::Id;
    /// Of which category.
    fn category(&self) -> &CategoryKey;
    /// Where.
    fn at(&self) -> GeoPoint;
    /// How far it goes, where its side is the one that travels.
    fn reach(&self) -> Reach;
    /// Puts what other cards say as well in the place of what is its own.
    fn share(&mut self, catalog: &Catalog, shared: &mut Shared);
}

/// The key as the catalog has it, of which there is one.
fn share_category(catalog: &Catalog, own: &mut CategoryKey) {
    if let Some(category) = catalog.get(own.as_str()) {
        own.clone_from(&category.key);
    }
}

impl Card for OfferCard {
    type Id = OfferId;
    const TRAVELER: Travels = Travels::Volunteer;

    fn id(&self) -> OfferId {
        self.id
    }
    fn category(&self) -> &CategoryKey {
        &self.category
    }
    fn at(&self) -> GeoPoint {
        self.at
    }
    fn reach(&self) -> Reach {
        self.reach
    }
    fn share(&mut self, catalog: &Catalog, shared: &mut Shared) {
        share_category(catalog, &mut self.category);
        shared.attributes(&mut self.provides);
        shared.languages(&mut self.languages);
        shared.windows(&mut self.windows);
    }
}

impl Card for RequestCard {
    type Id = RequestId;
    const TRAVELER: Travels = Travels::Neighbor;

    fn id(&self) -> RequestId {
        self.id
    }
    fn category(&self) -> &CategoryKey {
        &self.category
    }
    fn at(&self) -> GeoPoint {
        self.at
    }
    fn reach(&self) -> Reach {
        self.travel
    }
    fn share(&mut self, catalog: &Catalog, shared: &mut Shared) {
        share_category(catalog, &mut self.category);
        shared.attributes(&mut self.requires);
        shared.languages(&mut self.languages);
    }
}

/// The radius to search on behalf of one side, given who travels in the category.
pub(super) fn radius(travels: Travels, traveler: Travels, limit: Reach) -> u32 {
    let counts = travels == Travels::Either || travels == traveler;
    if counts {
        limit.meters().unsigned_abs()
    } else {
        0
    }
}

fn own_reach<C: Card>(catalog: &Catalog, card: &C) -> u32 {
    catalog
        .get(card.category().as_str())
        .map_or(0, |c| radius(c.policy.travels, C::TRAVELER, card.reach()))
}

/// Cards by id and by place.
pub struct Posts<C: Card> {
    /// Boxed, because a table that has grown is half empty.
    cards: HashMap<C::Id, Box<C>>,
    near: HashMap<CategoryKey, SpatialIndex<C::Id>>,
    shared: Shared,
}

impl<C: Card> Default for Posts<C> {
    fn default() -> Self {
        Self {
            cards: HashMap::new(),
            near: HashMap::new(),
            shared: Shared::default(),
        }
    }
}

impl<C: Card> std::fmt::Debug for Posts<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Posts")
            .field("len", &self.cards.len())
            .finish_non_exhaustive()
    }
}

impl<C: Card> Posts<C> {
    /// Many cards at once: call it as often as there are pages, and [`Self::plant`] after the last.
    pub fn hold(&mut self, catalog: &Catalog, cards: impl IntoIterator<Item = C>) {
        for mut card in cards {
            card.share(catalog, &mut self.shared);
            self.cards.insert(card.id(), Box::new(card));
        }
    }

    /// Gives everything that is held its place.
    pub fn plant(&mut self, catalog: &Catalog) {
        let mut near: HashMap<&CategoryKey, Vec<_>> = HashMap::new();
        for card in self.cards.values() {
            let place = (card.id(), card.at(), own_reach(catalog, &**card));
            near.entry(card.category()).or_default().push(place);
        }
        self.near = near
            .into_iter()
            .map(|(category, places)| (category.clone(), SpatialIndex::bulk_load(places)))
            .collect();
        self.cards.shrink_to_fit();
    }

    /// Adds a card, or puts what it says now in the place of what it said.
    pub(super) fn put(&mut self, catalog: &Catalog, mut card: C) {
        self.remove(catalog, card.id());
        let reach = own_reach(catalog, &card);
        card.share(catalog, &mut self.shared);
        self.near
            .entry(card.category().clone())
            .or_default()
            .insert(card.id(), card.at(), reach);
        self.cards.insert(card.id(), Box::new(card));
    }

    /// Takes a card out.
    pub(super) fn remove(&mut self, catalog: &Catalog, id: C::Id) {
        if let Some(card) = self.cards.remove(&id)
            && let Some(near) = self.near.get_mut(card.category())
        {
            near.remove(id, card.at(), own_reach(catalog, &*card));
        }
    }

    /// Changes a card in what neither its place nor its category depends on.
    pub(super) fn change(&mut self, catalog: &Catalog, id: C::Id, change: impl FnOnce(&mut C)) {
        if let Some(card) = self.cards.get_mut(&id) {
            change(card);
            card.share(catalog, &mut self.shared);
        }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.cards.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cards.is_empty()
    }

    /// A post as it is known.
    pub(super) fn get(&self, id: C::Id) -> Option<&C> {
        self.cards.get(&id).map(|card| &**card)
    }

    /// Every post, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = &C> {
        self.cards.values().map(|card| &**card)
    }

    /// Every post, by id.
    pub(super) fn ids(&self) -> Vec<C::Id> {
        let mut ids: Vec<_> = self.cards.keys().copied().collect();
        ids.sort_unstable();
        ids
    }

    /// The places of a category.
    pub(super) fn near(&self, category: &CategoryKey) -> Option<&SpatialIndex<C::Id>> {
        self.near.get(category)
    }
}
