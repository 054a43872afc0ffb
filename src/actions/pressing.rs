//! How urgent a request is now: as its neighbor has said, or more, because its deadline nears.

use super::Ctx;
use crate::domain::clock::Ts;
use crate::domain::need::Urgency;
use crate::settings::matching::Wave;
use crate::storage::requests::Request;

impl Ctx {
    /// How urgent the request is at `now`.
    #[must_use]
    pub fn urgency(&self, request: &Request, now: Ts) -> Urgency {
        let near = self.settings.matching.deadlines;
        request.urgency.at(request.deadline(), now, near)
    }

    /// When the request becomes more urgent by itself.
    #[must_use]
    pub fn rises_at(&self, request: &Request, now: Ts) -> Option<Ts> {
        let near = self.settings.matching.deadlines;
        request.urgency.rises_at(request.deadline(), now, near)
    }

    /// Who is asked together for the request at `now`, and how long is waited.
    #[must_use]
    pub fn wave(&self, request: &Request, now: Ts) -> Wave {
        let category = self.catalog.get(request.category.as_str());
        let urgency = self.urgency(request, now);
        self.settings.matching.wave(category, urgency)
    }
}
