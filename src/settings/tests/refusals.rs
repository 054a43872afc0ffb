use super::*;

/// A key, a bad value for it, and what must be in the answer.
const BAD_VALUES: &str = r"
    server.bind | localhost:8080 | must be an IP address and a port
    server.bind |  | must be an IP address and a port
    server.admin_bind | 127.0.0.1:8080 | must differ from server.bind
    server.public_url | https://example.org/ | nothing behind them
    server.trusted_proxies | proxy | must be IP addresses or networks
    server.workers | many | must be a whole number
    server.workers | -1 | must be a whole number, 0 or more
    server.workers | 1025 | must be from 0 to 1024
    server.body_limit_bytes | 10 | must be from 1024 to 16777216
    server.import_limit_bytes | 10 | must be from 1024 to 67108864
    server.waiting_calls | 15 | must be from 16 to 4096
    server.request_timeout | 15 | must be a number and a unit, such as 30s
    server.request_timeout | soon | must be a number and a unit, such as 30s
    server.request_timeout | 6m | must be from 1s to 5m
    server.import_timeout | 31m | must be from 1s to 30m
    database.url | mysql://u:secret@h/d | must be sqlite:PATH
    database.url |  | must be sqlite:PATH
    database.url | postgres:manyhands | or postgres://USER@HOST/NAME
    database.url | postgres://u:secret@db.example/d?sslmode=prefer | the server is on another machine
    database.plaintext | maybe | must be true or false
    database.connections | 1 | must be from 2 to 200
    database.worker_connections | 1000 | must be from 2 to 200
    database.statement_timeout | 1m | must be from 100ms to 8s
    keys.path |  | must name a file
    mail.transport | pigeon | must be one of `smtp`, `file`, `memory`
    mail.from | nobody | an address such as
    mail.smtp.tls | ssl | must be one of `none`, `starttls`, `tls`
    mail.smtp.pool_size | x | must be a whole number
    log.filter | inof | must be levels
    log.format | xml | must be `pretty` or `json`
    categories.path | .. | must name a file
    gazetteer.path | / | must name a file
    limits.mode | maybe | must be `on` or `off`
    limits.reads.burst | 0 | must be from 1 to 1000000
    limits.posts.per_hour | 10000001 | must be from 1 to 10000000
    limits.guesses.burst | many | must be a whole number
    limits.contacts.per_hour | 0 | must be from 1 to 10000000
    limits.searches | 0 | must be from 1 to 100000
    limits.reveals | 100001 | must be from 1 to 100000
    mail.hourly_budget | 19 | must be 0, or from 20 to 1000000
    area.country | USA | must be the two capital letters
    area.timezone | Mars/Olympus | must be a time zone of the IANA database
    area.timezone |  | must be a time zone of the IANA database
    area.cell_resolution | 16 | must be an H3 resolution
    area.cell_resolution | 10 | must be from 4 to 9
    area.cell_resolution | 300 | must be a whole number from 0 to 255
    matching.open_asks | 0 | must be from 1 to 20
    matching.weekly_asks | 51 | must be from 1 to 50
    matching.daily_asks | 0 | must be from 1 to 100
    matching.open_releases | 0 | must be from 1 to 20
    matching.second_round_after | 1m | must be from 10m to 7d
    matching.done_wait | 0s | must be from 1m to 7d
    matching.remind_before | 2d | must be from 1m to 1d
    matching.candidates | 0 | must be from 1 to 1000
    matching.sweep_every | 1s | must be from 1m to 1d
    matching.index_check_every | 0s | must be from 1s to 1d
    matching.lease | 1h | must be from 5s to 10m
    matching.horizon | 1y | must be from 1d to 90d
    matching.weights.time | NaN | must be from 0 to 100
    matching.weights.time | -1 | must be from 0 to 100
    matching.weights.time | much | must be a number
    matching.waves.now.size | 0 | must be from 1 to 50
    matching.waves.now.widen_by | 21 | must be from 0 to 20
    matching.waves.today.next_wave_after | 1s | must be from 1m to 7d
    matching.waves.soon.respond_within | 40d | must be from 1m to 30d
    matching.waves.soon.agree_within | 1s | must be from 1m to 30d
    matching.deadlines.today | 8d | must be from 0s to 7d
    matching.deadlines.now | 25h | must be from 0s to 1d
    matching.waves.soon.max_wait | 0s | must be from 1m to 30d
    matching.waves.soon.ask_from | 8 | must be a time of day such as 08:00
    matching.waves.soon.ask_from | 24:00 | must be a time of day such as 08:00
    matching.waves.soon.ask_from |  | must be set as well
    matching.waves.soon.ask_until | 08:00 | must differ from ask_from
    outbox.lease | 1m | must be more than twice mail.smtp.timeout
    outbox.lease | 2h | must be from 10s to 1h
    outbox.batch | 0 | must be from 1 to 200
    outbox.parallel | 65 | must be from 1 to 64
    outbox.per_domain | 0 | must be from 1 to 64
    outbox.retry_first | 0s | must be from 1s to 1h
    outbox.retry_max | 2d | must be from 1m to 1d
    outbox.give_up_after | 1h | must be more than outbox.retry_max
    retention.unconfirmed | 1s | must be from 1h to 30d
    retention.imported | 61d | must be from 1h to 60d
    retention.imported_rows | 1h | must be from 1d to 3650d
    retention.sealed_after_close | 31d | must be from 0s to 30d
    retention.requests | 3651d | must be from 1d to 3650d
    retention.offers | 3651d | must be from 1d to 3650d
    retention.reports | 31d | must be from 1d to 30d
    retention.idempotency | 0s | must be from 1h to 30d
    retention.changes | 0s | must be from 1h to 30d
    tasks.claim_for | 1m | must be from 5m to 1d
    tasks.tell_within | 0s | must be from 1m to 7d
    tasks.call_again | 1m | must be from 5m to 1d
    tasks.site_check_within | 31d | must be from 1m to 30d
    tasks.report_within | 8d | must be from 1m to 7d
    tasks.follow_up_within | 8d | must be from 1m to 7d
    tasks.dead_letter_within | soon | must be a number and a unit, such as 30s
    tasks.escalate_after | 8d | must be from 0s to 7d
    tasks.escalate_every | 1m | must be from 10m to 1d
";

#[test]
fn every_bad_value_is_named_with_what_was_expected() {
    for line in BAD_VALUES.lines().filter(|line| !line.is_empty()) {
        let [key, value, expected] = line.split('|').map(str::trim).collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        let faults = faults(keyed(&[(key, value)]));
        assert_eq!(faults.len(), 1, "{line}: {faults:?}");
        assert_eq!(faults[0].key, key, "{line}");
        assert!(
            faults[0].expected.contains(expected),
            "{line}: {}",
            faults[0]
        );
    }
}

const WEIGHTLESS: [(&str, &str); 7] = [
    ("matching.weights.proximity", "0"),
    ("matching.weights.time", "0"),
    ("matching.weights.capacity", "0"),
    ("matching.weights.language", "0"),
    ("matching.weights.responsiveness", "0"),
    ("matching.weights.rotation", "0"),
    ("matching.weights.same_helper", "0"),
];

#[test]
fn a_value_of_the_wrong_kind_in_a_file_is_named() {
    let cases = [
        ("[server]\nworkers = 'two'", "must be a whole number"),
        ("[server]\nworkers = '2'", "must be a whole number"),
        ("[server]\nrequest_timeout = 15", "must be a text in quotes"),
        (
            "[server]\ntrusted_proxies = '10.0.0.1'",
            "must be a list of texts",
        ),
        ("[server]\ntrusted_proxies = [1]", "must be a string"),
        ("server = 1", "must be a section with keys"),
        ("[matching.weights]\ntime = 'x'", "must be a number"),
    ];
    for (text, expected) in cases {
        let (_kept, sources) = file(text);
        let faults = faults(sources);
        assert_eq!(faults.len(), 1, "{text}: {faults:?}");
        assert_eq!(faults[0].expected, expected, "{text}");
    }
}

#[test]
fn all_faults_are_told_at_once_and_say_who_set_them() {
    let (kept, mut sources) =
        file("[server]\nbind = 'here'\n[retention]\noffers = '1y 1s'\nrequests = 'never'\n");
    sources.environment = environment(&[
        ("MANYHANDS__LOG__FORMAT", "xml"),
        ("MANYHANDS__LOG__COLOR", "red"),
        ("MANYHANDS__OUTBOX__BATCH", "0"),
    ])
    .environment;
    let error = Settings::load(sources).unwrap_err().to_string();
    let path = kept.path().display();
    let expected = format!(
        "log.color is unknown; [log] has filter, format (set by MANYHANDS__LOG__COLOR)\n\
         log.format must be `pretty` or `json` (set by MANYHANDS__LOG__FORMAT)\n\
         outbox.batch must be from 1 to 200 (set by MANYHANDS__OUTBOX__BATCH)\n\
         retention.requests must be a number and a unit, such as 30s, 15m or 2h (set by {path})\n\
         server.bind must be an IP address and a port, such as 127.0.0.1:8080 or [::1]:8080 (set by {path})"
    );
    assert_eq!(error, expected);
}

#[test]
fn limits_are_off_only_where_nobody_else_can_connect() {
    let off = ("limits.mode", "off");
    for bind in [
        "127.0.0.1:0",
        "127.8.8.8:80",
        "[::1]:8080",
        "[::ffff:127.0.0.1]:8080",
    ] {
        assert_eq!(
            faulty_keys(keyed(&[off, ("server.bind", bind)])),
            [""; 0],
            "{bind}"
        );
    }
    for key in ["server.bind", "server.admin_bind"] {
        for bind in [
            "0.0.0.0:80",
            "[::]:80",
            "192.0.2.7:80",
            "[::ffff:10.0.0.1]:80",
        ] {
            assert_eq!(
                faulty_keys(keyed(&[off, (key, bind)])),
                ["limits.mode"],
                "{bind}"
            );
            assert_eq!(faulty_keys(keyed(&[(key, bind)])), [""; 0], "{bind}");
        }
    }
}

#[test]
fn combinations_that_contradict_are_refused() {
    let cases: [(&[(&str, &str)], &str); 6] = [
        (&[("mail.smtp.timeout", "5m")], "outbox.lease"),
        (
            &[("outbox.retry_first", "10m"), ("outbox.retry_max", "5m")],
            "outbox.retry_max",
        ),
        (
            &[
                ("retention.sealed_after_close", "2d"),
                ("retention.requests", "1d"),
            ],
            "retention.sealed_after_close",
        ),
        (&[("mail.transport", "smtp")], "mail.smtp.host"),
        (
            &[("matching.waves.today.ask_until", "20:00")],
            "matching.waves.today.ask_from",
        ),
        (&WEIGHTLESS, "matching.weights.proximity"),
    ];
    for (settings, key) in cases {
        assert_eq!(faulty_keys(keyed(settings)), [key], "{settings:?}");
    }
}

#[test]
fn no_error_repeats_a_value() {
    const SECRET: &str = "hunter2, expected nobody";
    let defaults: Table = DEFAULTS.parse().unwrap();
    let mut found = Vec::new();
    tables("", &defaults, &mut found);
    for (name, keys) in found {
        for key in keys {
            let key = format!("{name}.{key}");
            if let Err(error) = Settings::load(keyed(&[(key.trim_start_matches('.'), SECRET)])) {
                assert!(
                    !format!("{error} {error:?}").contains("hunter2"),
                    "{error:?}"
                );
            }
        }
    }
    for text in [
        "[mail.smtp]\npassword = hunter2",
        "[mail.smtp]\npassword = \"hunter2",
        "password = 'hunter2' x",
        "hunter2",
    ] {
        let (_kept, sources) = file(text);
        let error = Settings::load(sources).unwrap_err();
        assert!(matches!(error, SettingsError::Syntax { .. }), "{error}");
        assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
    }
    let (_kept, sources) = file("[mail.smtp]\n\npassword = hunter2");
    assert!(
        Settings::load(sources)
            .unwrap_err()
            .to_string()
            .contains(", line 3, column 12: ")
    );
}

#[test]
fn settings_hide_their_secrets() {
    let secret = [
        ("mail.smtp.password", "hunter2"),
        ("mail.smtp.username", "u"),
        ("database.url", "postgres://u:hunter2@localhost/d"),
    ];
    let settings = Settings::load(keyed(&secret)).unwrap();
    assert!(!format!("{settings:?}").contains("hunter2"));
    assert!(!format!("{:?}", settings.database.url()).contains("hunter2"));
}
