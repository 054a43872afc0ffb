//! How the connections to the mail server are shared out between the lanes.

use crate::domain::letter::Lane;

/// One connection in so many is for the lane of unconfirmed addresses,
const UNCONFIRMED_SHARE: usize = 4;
/// and so many where the other lane has as many: with one, a single slow recipient would keep all others.
const UNCONFIRMED_LEAST: usize = 2;

/// What a lane may use of so many connections.
pub(super) fn connections(lane: Lane, all: usize) -> usize {
    let half = UNCONFIRMED_LEAST.min(all / 2);
    let unconfirmed = (all / UNCONFIRMED_SHARE).max(half).max(1);
    match lane {
        Lane::Confirmed => all.saturating_sub(unconfirmed).max(1),
        Lane::Unconfirmed => unconfirmed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strangers_never_have_all_connections_unless_there_is_one_only() {
        let shares = |all| Lane::ALL.map(|lane| connections(lane, all));
        assert_eq!(shares(1), [1, 1]);
        assert_eq!(shares(2), [1, 1]);
        assert_eq!(shares(3), [2, 1]);
        assert_eq!(shares(4), [2, 2]);
        assert_eq!(shares(8), [6, 2]);
        assert_eq!(shares(16), [12, 4]);
    }
}
