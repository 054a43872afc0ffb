//! What stands in paths and queries, in settings and on the command line: ids, cells, networks, time zones, keys.

use std::net::IpAddr;

use crate::domain::availability::TimeZoneName;
use crate::domain::ids::RequestId;
use crate::domain::lifecycle::RequestState;
use crate::domain::place::Cell;
use crate::settings::server::Network;

pub fn run(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Ok(cell) = text.parse::<Cell>() {
        assert_eq!(cell.to_string().parse::<Cell>(), Ok(cell));
        assert_eq!(Cell::try_from(cell.to_i64()), Ok(cell));
        assert!(cell.is_within(cell) && cell.center().lat().abs() <= 90.0);
        assert!(cell.parent().is_none_or(|parent| cell.is_within(parent)));
    }
    if let Ok(id) = text.parse::<RequestId>() {
        assert_eq!(id.to_string().parse::<RequestId>().ok(), Some(id));
    }
    if let Ok(zone) = TimeZoneName::parse(&text) {
        assert_eq!(TimeZoneName::parse(zone.as_str()).unwrap().as_str(), zone.as_str());
    }
    if let Ok(state) = text.parse::<RequestState>() {
        assert_eq!(state.as_str(), text);
    }
    if let Ok(network) = text.parse::<Network>() {
        let address = text.split('/').next().unwrap();
        assert!(network.contains(address.parse::<IpAddr>().unwrap()), "{text}");
    }
}
