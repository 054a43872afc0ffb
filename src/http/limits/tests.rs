use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use actix_web::test::TestRequest;

use super::*;
use crate::domain::clock::ManualClock;
use crate::domain::entropy::OsEntropy;
use crate::settings::{Settings, Sources};

const HOUR: Duration = Duration::from_hours(1);

/// Three posts at once, then one in ten minutes.
fn limits(mode: &str) -> (Limits, Arc<ManualClock>) {
    let keys = [
        ("limits.mode", mode),
        ("limits.posts.burst", "3"),
        ("limits.posts.per_hour", "6"),
    ];
    let keys = keys.map(|(k, v)| (k.to_owned(), v.to_owned()));
    let settings = Settings::load(Sources {
        overrides: keys.to_vec(),
        ..Sources::default()
    })
    .unwrap();
    let clock = Arc::new(ManualClock::at(Ts::from_micros(1_780_000_000_000_000)));
    let limits = Limits {
        clock: clock.clone(),
        entropy: Arc::new(OsEntropy),
        settings: settings.limits,
        trusted: Vec::new(),
        today: RwLock::default(),
    };
    (limits, clock)
}

fn source(address: impl Into<IpAddr>) -> Source {
    let request = TestRequest::get().peer_addr(SocketAddr::new(address.into(), 1));
    Source::of(&request.to_http_request(), &[])
}

fn posts(limits: &Limits, last: u8) -> Result<(), u32> {
    let result = limits.source(Class::Post, source([203, 0, 113, last]));
    result.map_err(|refused| refused.wait_s)
}

#[test]
fn who_is_over_the_limit_waits_as_long_as_is_said_and_no_longer() {
    let (limits, clock) = limits("on");
    for _ in 0..3 {
        assert_eq!(posts(&limits, 1), Ok(()));
    }
    assert_eq!(posts(&limits, 1), Err(600));
    assert_eq!(posts(&limits, 2), Ok(()), "others are not touched");
    clock.advance(Duration::from_millis(599_500));
    assert_eq!(posts(&limits, 1), Err(1), "rounded up");
    clock.advance(Duration::from_millis(500));
    assert_eq!(posts(&limits, 1), Ok(()));
    assert_eq!(posts(&limits, 1), Err(600), "a refusal costs nothing");
    clock.advance(HOUR);
    for _ in 0..3 {
        assert_eq!(
            posts(&limits, 1),
            Ok(()),
            "and silence gives all of it back"
        );
    }
    assert!(posts(&limits, 1).is_err());
}

#[test]
fn the_classes_are_counted_apart_and_off_is_off() {
    let (on, _) = limits("on");
    while posts(&on, 1).is_ok() {}
    let here = source([203, 0, 113, 1]);
    assert_eq!(on.source(Class::Read, here), Ok(()));
    assert_eq!(on.source(Class::Guess, here), Ok(()));
    let (off, _) = limits("off");
    for _ in 0..100 {
        assert_eq!(posts(&off, 1), Ok(()));
    }
    assert!(off.today.read().unwrap().is_none(), "nothing is counted");
}

#[test]
fn after_a_day_nothing_of_the_day_before_is_left() {
    let (limits, clock) = limits("on");
    while posts(&limits, 1).is_ok() {}
    let before = limits.today();
    clock.advance(Duration::from_secs(DAY.as_secs() - 1));
    assert_eq!(before.salt, limits.today().salt);
    while posts(&limits, 1).is_ok() {}
    clock.advance(Duration::from_secs(1));
    assert_eq!(posts(&limits, 1), Ok(()));
    let after = limits.today();
    assert_ne!(before.salt, after.salt);
    assert_eq!(after.post.cells.len(), 1);
}

#[test]
fn a_clock_that_goes_back_keeps_nobody_out() {
    let (limits, clock) = limits("on");
    clock.advance(2 * HOUR);
    while posts(&limits, 1).is_ok() {}
    clock.set(clock.now().before(Duration::from_secs(30)));
    assert!(posts(&limits, 1).is_err(), "a little is nothing");
    clock.set(clock.now().before(HOUR));
    assert_eq!(posts(&limits, 1), Ok(()));
}

#[test]
fn who_is_silent_is_forgotten_and_a_flood_of_sources_has_a_bound() {
    let (limits, clock) = limits("on");
    let posts_of = |n: u64| {
        let address = Ipv6Addr::from_bits(u128::from(n) << 64);
        limits.source(Class::Post, source(address)).is_ok()
    };
    let many = 3 << SOURCES;
    assert!((0..many).filter(|n| posts_of(*n)).count() > 2 << SOURCES);
    let day = limits.today();
    assert!(day.post.cells.len() <= 1 << SOURCES);
    clock.advance(HOUR);
    assert!(posts_of(1));
    assert_eq!(day.post.cells.len(), 1);
}

#[test]
fn no_source_can_be_read_out_of_what_is_counted() {
    let ((one, _), (other, _)) = (limits("on"), limits("on"));
    assert_ne!(one.today().salt, other.today().salt);
    assert_eq!(format!("{one:?}"), "Limits");
}
