use super::*;
use crate::domain::contact::EmailAddress;

const NOW: Ts = Ts::EPOCH;
const GRAVELY: Verdict = Verdict::Failed { gravely: true };

fn domain(name: &str) -> MailDomain {
    EmailAddress::parse(&format!("a@{name}.example"))
        .unwrap()
        .domain()
}

fn later(seconds: u64) -> Ts {
    NOW.after(Duration::from_secs(seconds))
}

#[test]
fn one_domain_never_has_all_connections_unless_there_is_one_only() {
    for (each, connections, expected) in [(2, 4, 2), (9, 4, 3), (2, 2, 1), (2, 1, 1)] {
        let mut domains = Domains::new(each, connections);
        let begun = (0..10).filter(|_| {
            let is_now = domains.turn(&domain("slow"), false, NOW) == Turn::Now;
            if is_now {
                domains.begin(domain("slow"), NOW);
            }
            is_now
        });
        assert_eq!(begun.count(), expected, "{each} of {connections}");
        assert_eq!(domains.turn(&domain("other"), false, NOW), Turn::Now);
    }
}

#[test]
fn those_that_failed_leave_one_connection_to_the_others() {
    let mut domains = Domains::new(2, 2);
    for name in ["a", "b", "c"] {
        let pass = domains.begin(domain(name), NOW);
        domains.end(pass, GRAVELY, NOW, 1.0);
        assert_eq!(
            domains.turn(&domain(name), false, NOW),
            Turn::NotBefore(later(10))
        );
    }
    assert_eq!(domains.how_many_rest(NOW), 3);
    // Their rests are over; one of them is tried, and the others wait.
    assert_eq!(domains.turn(&domain("a"), false, later(10)), Turn::Now);
    let probe = domains.begin(domain("a"), later(10));
    assert_eq!(
        domains.turn(&domain("b"), false, later(10)),
        Turn::NotBefore(later(20))
    );
    assert_eq!(domains.turn(&domain("good"), false, later(10)), Turn::Now);
    domains.end(probe, Verdict::Well, later(11), 1.0);
    assert_eq!(domains.turn(&domain("b"), false, later(20)), Turn::Now);
    assert_eq!(domains.how_many_rest(later(20)), 2);
}

#[test]
fn one_that_is_slow_rests_until_it_answers() {
    let mut domains = Domains::new(2, 4);
    let slow = domains.begin(domain("slow"), NOW);
    domains.note_slow(later(5), || 1.0);
    assert_eq!(domains.turn(&domain("slow"), false, later(5)), Turn::Now);
    domains.note_slow(later(6), || 1.0);
    domains.note_slow(later(7), || 1.0);
    assert_eq!(
        domains.turn(&domain("slow"), false, later(7)),
        Turn::NotBefore(later(16))
    );
    domains.end(slow, Verdict::Well, later(8), 1.0);
    assert_eq!(domains.turn(&domain("slow"), false, later(8)), Turn::Now);
    assert!(domains.known.is_empty(), "nothing is kept of who is well");
}

#[test]
fn the_claim_passes_over_those_that_rest_but_for_a_probe() {
    let mut domains = Domains::new(2, 4);
    let pass = domains.begin(domain("dead"), NOW);
    domains.end(pass, GRAVELY, NOW, 1.0);
    let mut rests = domains.rests(NOW);
    let due: Vec<_> = (0..400)
        .map(|_| rests.put_off(&domain("dead"), false).unwrap())
        .collect();
    assert_eq!(due[0], later(10));
    assert_eq!(due[399], later(20), "they come again a few at a time");
    domains.keep_lines(rests, NOW);
    let mut rests = domains.rests(later(10));
    assert_eq!(rests.put_off(&domain("dead"), false), None);
    assert_eq!(rests.put_off(&domain("dead"), false), Some(later(20)));
}

#[test]
fn a_flood_of_domains_is_forgotten_but_for_a_thousand() {
    let mut domains = Domains::new(2, 4);
    for n in 0..3 * KNOWN {
        let pass = domains.begin(domain(&format!("d{n}")), NOW);
        domains.end(pass, GRAVELY, NOW, 1.0);
    }
    assert_eq!(domains.known.len(), KNOWN);
    assert_eq!(domains.turn(&domain("good"), false, NOW), Turn::Now);
}

#[test]
fn a_claim_past_a_domain_that_has_all_it_may_leaves_it_as_many_as_come_next() {
    let mut domains = Domains::new(2, 4);
    for _ in 0..2 {
        domains.begin(domain("large"), NOW);
    }
    assert_eq!(domains.turn(&domain("large"), false, NOW), Turn::Soon);
    let mut rests = domains.rests(NOW);
    assert_eq!(rests.put_off(&domain("large"), false), None, "it rests not");
    let mut rests = domains.rests_and_busy([domain("large")].into_iter(), NOW);
    assert_eq!(rests.put_off(&domain("small"), false), None);
    assert_eq!(rests.put_off(&domain("large"), false), None);
    let due = rests.put_off(&domain("large"), false);
    assert_eq!(due, Some(NOW.after(PASSED_OVER)));
    domains.keep_lines(rests, NOW);
    assert_eq!(domains.turn(&domain("large"), false, NOW), Turn::Soon);
}

#[test]
fn what_is_urgent_is_due_when_the_rest_is_over_and_the_others_after_it() {
    let mut domains = Domains::new(2, 4);
    let pass = domains.begin(domain("dead"), NOW);
    domains.end(pass, GRAVELY, NOW, 1.0);
    for _ in 0..400 {
        domains.turn(&domain("dead"), false, NOW);
    }
    let ordinary = domains.turn(&domain("dead"), false, NOW);
    assert_eq!(ordinary, Turn::NotBefore(later(20)));
    let urgent = domains.turn(&domain("dead"), true, NOW);
    assert_eq!(urgent, Turn::NotBefore(later(10)));
}

#[test]
fn the_connection_for_those_that_failed_goes_to_the_one_that_waited_longest() {
    let mut domains = Domains::new(1, 2);
    for name in ["dead", "back", "other"] {
        let pass = domains.begin(domain(name), NOW);
        domains.end(pass, GRAVELY, NOW, 1.0);
    }
    let is_now = |domains: &mut Domains, name, at| {
        domains.turn(&domain(name), false, later(at)) == Turn::Now
    };
    assert!(is_now(&mut domains, "dead", 10));
    let probe = domains.begin(domain("dead"), later(10));
    assert!(!is_now(&mut domains, "back", 11));
    assert!(!is_now(&mut domains, "other", 12));
    // It fails, rests, and is looked at first again.
    domains.end(probe, GRAVELY, later(13), 1.0);
    assert!(!is_now(&mut domains, "dead", 33));
    assert!(!is_now(&mut domains, "other", 33));
    let mut rests = domains.rests(later(34));
    assert!(rests.put_off(&domain("dead"), false).is_some());
    assert!(rests.put_off(&domain("back"), false).is_none());
    assert!(is_now(&mut domains, "back", 34));
    let probe = domains.begin(domain("back"), later(34));
    domains.end(probe, Verdict::Well, later(35), 1.0);
    assert!(is_now(&mut domains, "other", 36));
    // One of which nothing more comes up keeps nobody waiting.
    assert!(is_now(&mut domains, "dead", 80));
}

#[test]
fn slowness_that_was_the_mail_servers_is_not_held_against_a_domain() {
    let mut domains = Domains::new(2, 4);
    let pass = domains.begin(domain("good"), NOW);
    domains.note_slow(later(6), || 1.0);
    assert_eq!(domains.how_many_rest(later(6)), 1);
    domains.end(pass, Verdict::Unasked, later(30), 1.0);
    assert_eq!(domains.turn(&domain("good"), false, later(30)), Turn::Now);
    assert!(domains.known.is_empty());
    // One that has failed by itself has done so.
    let pass = domains.begin(domain("dead"), NOW);
    domains.end(pass, GRAVELY, NOW, 1.0);
    let pass = domains.begin(domain("dead"), later(10));
    domains.note_slow(later(16), || 1.0);
    domains.end(pass, Verdict::Unasked, later(40), 1.0);
    assert!(domains.running_to_doubted() == 0 && domains.how_many_rest(later(40)) == 1);
}
