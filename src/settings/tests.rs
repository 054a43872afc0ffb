use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

use jiff::civil::time;
use toml::{Table, Value};

use super::*;
use crate::domain::need::Urgency;

fn environment(variables: &[(&str, &str)]) -> Sources {
    let environment = variables
        .iter()
        .map(|(name, value)| (name.into(), value.into()))
        .collect();
    Sources {
        environment,
        ..Sources::default()
    }
}

fn keyed(settings: &[(&str, &str)]) -> Sources {
    let overrides = settings
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect();
    Sources {
        overrides,
        ..Sources::default()
    }
}

fn file(text: &str) -> (tempfile::NamedTempFile, Sources) {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), text).unwrap();
    let sources = Sources {
        file: SettingsFile::Named(file.path().to_owned()),
        ..Sources::default()
    };
    (file, sources)
}

fn faults(sources: Sources) -> Vec<Fault> {
    match Settings::load(sources) {
        Ok(_) => Vec::new(),
        Err(SettingsError::Faults(faults)) => faults,
        Err(other) => panic!("{other}"),
    }
}

fn faulty_keys(sources: Sources) -> Vec<String> {
    faults(sources).into_iter().map(|fault| fault.key).collect()
}

#[test]
fn the_defaults_are_those_of_the_contract() {
    let settings = Settings::load(Sources::default()).unwrap();
    let server = &settings.server;
    assert_eq!(server.bind.to_string(), "127.0.0.1:8080");
    assert_eq!(server.admin_bind.to_string(), "127.0.0.1:9090");
    assert_eq!(server.public_url.as_str(), "http://127.0.0.1:8080");
    assert_eq!((server.workers, server.body_limit_bytes), (0, 65_536));
    assert!(server.trusted_proxies.is_empty());
    assert_eq!(settings.database.url.expose(), "sqlite:data/manyhands.db");
    assert_eq!(settings.keys.path, PathBuf::from("keys/keyring.toml"));
    assert_eq!(settings.mail.transport, mail::TransportKind::File);
    assert_eq!(
        (settings.mail.smtp.host.as_ref(), settings.mail.smtp.port),
        (None, None)
    );
    assert_eq!(
        (settings.log.filter.as_str(), settings.log.format),
        ("info", log::LogFormat::Pretty)
    );
    assert_eq!(
        (settings.categories.path, settings.gazetteer.path),
        (None, None)
    );
    assert_eq!(settings.limits.mode, limits::LimitsMode::On);
    assert_eq!(settings.area.country.as_str(), "US");
    assert_eq!(settings.area.timezone.iana_name(), Some("UTC"));
    assert_eq!(u8::from(settings.area.cell_resolution), 8);
    assert_eq!(settings.outbox.give_up_after, Duration::from_hours(5 * 24));
    assert_eq!(settings.retention.offers, Duration::from_hours(90 * 24));
}

#[test]
fn the_waves_are_those_of_the_contract() {
    let matching = Settings::load(Sources::default()).unwrap().matching;
    let minutes = |urgency: Urgency| {
        let wave = matching.waves.of(urgency);
        let times = [
            wave.next_wave_after,
            wave.respond_within,
            wave.agree_within,
            wave.max_wait,
        ];
        (wave.size, times.map(|time| time.as_secs() / 60))
    };
    assert_eq!(minutes(Urgency::Now), (7, [5, 15, 15, 30]));
    assert_eq!(minutes(Urgency::Today), (5, [30, 120, 120, 240]));
    assert_eq!(minutes(Urgency::Soon), (3, [240, 1440, 1440, 2880]));
    assert_eq!(matching.waves.now.asking_hours(), None);
    assert_eq!(matching.waves.today.asking_hours(), None);
    let day = matching::AskingHours {
        from: time(8, 0, 0, 0),
        until: time(20, 0, 0, 0),
    };
    assert_eq!(matching.waves.soon.asking_hours(), Some(day));
    assert_eq!(
        (
            matching.open_asks,
            matching.weekly_asks,
            matching.open_releases
        ),
        (3, 3, 2)
    );
    assert!((matching.weights.proximity - 0.35).abs() < f64::EPSILON);
}

/// Every table of the settings, by its dotted name.
fn tables(name: &str, table: &Table, found: &mut Vec<(String, BTreeSet<String>)>) {
    found.push((name.to_owned(), table.keys().cloned().collect()));
    for (key, value) in table {
        if let Value::Table(inner) = value {
            tables(
                format!("{name}.{key}").trim_start_matches('.'),
                inner,
                found,
            );
        }
    }
}

#[test]
fn every_field_has_its_key_in_the_file_and_every_key_its_field() {
    let defaults: Table = DEFAULTS.parse().unwrap();
    let mut found = Vec::new();
    tables("", &defaults, &mut found);
    assert!(found.len() > Settings::load(Sources::default()).unwrap().validate().len() + 12);
    for (name, keys) in found {
        // An unknown key makes serde say which it knows.
        let mut with_a_stranger = Layers::new(DEFAULTS).unwrap().tree_for_tests();
        let table = name
            .split('.')
            .filter(|part| !part.is_empty())
            .fold(&mut with_a_stranger, |table, part| {
                table.get_mut(part).and_then(Value::as_table_mut).unwrap()
            });
        table.insert("stranger".to_owned(), Value::Boolean(true));
        let message = with_a_stranger
            .try_into::<Settings>()
            .unwrap_err()
            .message()
            .to_owned();
        let (_, known) = message.split_once("expected ").unwrap();
        let fields: BTreeSet<_> = known
            .split('`')
            .skip(1)
            .step_by(2)
            .map(str::to_owned)
            .collect();
        assert_eq!(fields, keys, "[{name}]");
    }
}

#[test]
fn no_value_is_hidden_in_the_code() {
    let mut layers = Layers::new(DEFAULTS).unwrap();
    let here = layers.read::<Settings>().unwrap().mail;
    assert_eq!(
        format!("{here:?}"),
        format!("{:?}", mail::MailSettings::default())
    );
    let without = DEFAULTS
        .replace("workers = 0\n", "")
        .replace("\nlease = \"30s\"\n", "\n");
    let Err(SettingsError::Faults(faults)) = Settings::load_over(&without, Sources::default())
    else {
        panic!("a missing key was made up");
    };
    assert!(
        faults[0].to_string().contains("missing field `lease`"),
        "{faults:?}"
    );
}

#[test]
fn every_key_is_explained() {
    let mut explained = false;
    let mut like_now = false;
    for (number, line) in DEFAULTS.lines().enumerate() {
        if line.starts_with('[') {
            like_now = line == "[matching.waves.today]" || line == "[matching.waves.soon]";
        } else if let Some((key, _)) = line.split_once(" = ") {
            let with_the_one_before = ["password_file", "ask_until"].contains(&key);
            assert!(
                explained || like_now || with_the_one_before,
                "line {}: {key}",
                number + 1
            );
        }
        explained = line.starts_with('#');
    }
}

#[test]
fn each_layer_overrides_single_keys_of_those_below() {
    let (_kept, mut sources) =
        file("[server]\nbind = '127.0.0.1:1'\nworkers = 1\nbody_limit_bytes = 2048\n");
    sources.environment = environment(&[
        ("MANYHANDS__SERVER__BIND", "127.0.0.1:2"),
        ("MANYHANDS__SERVER__WORKERS", "2"),
        ("MANYHANDS__MATCHING__WAVES__NOW__SIZE", "9"),
        ("MANYHANDS__MATCHING__WEIGHTS__TIME", "2"),
    ])
    .environment;
    sources.overrides = vec![("server.bind".to_owned(), "127.0.0.1:3".to_owned())];
    let settings = Settings::load(sources).unwrap();
    assert_eq!(settings.server.bind.port(), 3);
    assert_eq!(
        (settings.server.workers, settings.server.body_limit_bytes),
        (2, 2048)
    );
    assert_eq!(settings.server.admin_bind.port(), 9090);
    assert_eq!(
        (
            settings.matching.waves.now.size,
            settings.matching.waves.today.size
        ),
        (9, 5)
    );
    assert!((settings.matching.weights.time - 2.0).abs() < f64::EPSILON);
}

#[test]
fn a_file_must_exist_only_if_it_is_named() {
    let missing = PathBuf::from("config/of/nobody.toml");
    let sources = Sources {
        file: SettingsFile::IfPresent(missing.clone()),
        ..Sources::default()
    };
    assert!(Settings::load(sources).is_ok());
    let error = Settings::load(Sources::new(Some(missing), [], Vec::new())).unwrap_err();
    assert!(
        matches!(&error, SettingsError::Unreadable { .. }),
        "{error:?}"
    );
    assert!(
        error.to_string().contains("config/of/nobody.toml"),
        "{error}"
    );
    assert_eq!(
        Sources::new(None, [], Vec::new()).file,
        SettingsFile::IfPresent(LOCAL_FILE.into())
    );
}

#[test]
fn a_password_of_digits_stays_what_it_is() {
    use secrecy::ExposeSecret;
    let password = |sources| {
        Settings::load(sources)
            .unwrap()
            .mail
            .smtp
            .password
            .unwrap()
            .expose_secret()
            .to_owned()
    };
    for digits in ["0123", "12345", "1e3", "true", "0x10", " 7 ", "a,b"] {
        let variables = [("MANYHANDS__MAIL__SMTP__PASSWORD", digits)];
        assert_eq!(password(environment(&variables)), digits);
        assert_eq!(
            password(file(&format!("[mail.smtp]\npassword = '{digits}'\n")).1),
            digits
        );
    }
    let (_kept, sources) = file("[mail.smtp]\npassword = 1_000\n");
    assert_eq!(faults(sources)[0].expected, "must be a text in quotes");
}

#[test]
fn an_optional_number_is_a_number_or_empty() {
    let port = |sources| Settings::load(sources).unwrap().mail.smtp.port;
    assert_eq!(
        port(environment(&[("MANYHANDS__MAIL__SMTP__PORT", "2525")])),
        Some(2525)
    );
    assert_eq!(
        port(environment(&[("MANYHANDS__MAIL__SMTP__PORT", "")])),
        None
    );
    assert_eq!(port(file("[mail.smtp]\nport = 2525\n").1), Some(2525));
    for port in ["x", "65536", "-1"] {
        assert_eq!(
            faulty_keys(environment(&[("MANYHANDS__MAIL__SMTP__PORT", port)])),
            ["mail.smtp.port"]
        );
    }
}

#[test]
fn lists_are_written_with_commas_in_the_environment() {
    let proxies = |sources| {
        Settings::load(sources)
            .unwrap()
            .server
            .trusted_proxies
            .len()
    };
    assert_eq!(
        proxies(environment(&[(
            "MANYHANDS__SERVER__TRUSTED_PROXIES",
            "10.0.0.1, fd00::/8"
        )])),
        2
    );
    assert_eq!(
        proxies(environment(&[("MANYHANDS__SERVER__TRUSTED_PROXIES", "")])),
        0
    );
    assert_eq!(
        proxies(file("[server]\ntrusted_proxies = ['10.0.0.0/8']").1),
        1
    );
    for list in ["10.0.0.1,proxy", "0.0.0.0/0", "::/0"] {
        let variables = [("MANYHANDS__SERVER__TRUSTED_PROXIES", list)];
        assert_eq!(
            faulty_keys(environment(&variables)),
            ["server.trusted_proxies"],
            "{list}"
        );
    }
}

#[test]
fn unknown_keys_are_named_wherever_they_come_from() {
    let (kept, mut sources) = file(
        "[server]\nbnd = '127.0.0.1:1'\n[sever]\nbind = ''\n[matching.waves.later]\nsize = 1\n",
    );
    sources.environment = environment(&[
        ("MANYHANDS__SERVER__BND", "x"),
        ("MANYHANDS__BIND", "x"),
        ("MANYHANDS__SERVER", "x"),
        ("MANYHANDS__SERVER__BIND__PORT", "x"),
        ("MANYHANDS__", "x"),
    ])
    .environment;
    sources.overrides = vec![("log.colour".to_owned(), "x".to_owned())];
    let told: Vec<_> = faults(sources).iter().map(ToString::to_string).collect();
    let path = kept.path().display();
    let server = "[server] has admin_bind, bind, body_limit_bytes, public_url, request_timeout, trusted_proxies, workers";
    let sections = "the sections are area, categories, database, gazetteer, keys, limits, log, mail, matching, outbox, \
                    retention, server";
    let expected = [
        format!(" is unknown; {sections} (set by MANYHANDS__)"),
        format!("bind is unknown; {sections} (set by MANYHANDS__BIND)"),
        "log.colour is unknown; [log] has filter, format (set by the command line)".to_owned(),
        format!(
            "matching.waves.later.size is unknown; [matching.waves] has now, soon, today (set by {path})"
        ),
        "server must be a section with keys (set by MANYHANDS__SERVER)".to_owned(),
        format!("server.bind.port is unknown; {server} (set by MANYHANDS__SERVER__BIND__PORT)"),
        format!("server.bnd is unknown; {server} (set by {path})"),
        format!("server.bnd is unknown; {server} (set by MANYHANDS__SERVER__BND)"),
        format!("sever.bind is unknown; {sections} (set by {path})"),
    ];
    assert_eq!(told, expected);
}

#[test]
fn variables_of_others_are_left_alone() {
    let variables = [
        ("MANYHANDS_TEST_PYTHON", "python3"),
        ("MANYHANDS_SERVER__BIND", "nonsense"),
        ("MANYHANDS", "x"),
        ("XMANYHANDS__SERVER__BIND", "x"),
        ("PATH", "/bin"),
    ];
    assert_eq!(faults(environment(&variables)), []);
}

#[test]
fn a_value_that_is_not_utf8_is_named() {
    let variable = (
        "MANYHANDS__KEYS__PATH".into(),
        OsStr::from_bytes(b"\xff").to_owned(),
    );
    let sources = Sources {
        environment: vec![variable],
        ..Sources::default()
    };
    assert_eq!(faulty_keys(sources), ["keys.path"]);
}

#[test]
fn every_bad_value_is_named_with_what_was_expected() {
    let cases = [
        (
            "server.bind",
            "localhost:8080",
            "must be an IP address and a port",
        ),
        ("server.bind", "", "must be an IP address and a port"),
        (
            "server.admin_bind",
            "127.0.0.1:8080",
            "must differ from server.bind",
        ),
        (
            "server.public_url",
            "https://example.org/",
            "nothing behind them",
        ),
        (
            "server.trusted_proxies",
            "proxy",
            "must be IP addresses or networks",
        ),
        ("server.workers", "many", "must be a whole number"),
        ("server.workers", "-1", "must be a whole number, 0 or more"),
        ("server.workers", "1025", "must be from 0 to 1024"),
        (
            "server.body_limit_bytes",
            "10",
            "must be from 1024 to 16777216",
        ),
        (
            "server.request_timeout",
            "15",
            "must be a number and a unit, such as 30s",
        ),
        (
            "server.request_timeout",
            "soon",
            "must be a number and a unit, such as 30s",
        ),
        ("server.request_timeout", "6m", "must be from 1s to 5m"),
        (
            "database.url",
            "mysql://u:secret@h/d",
            "must be sqlite:PATH",
        ),
        ("database.url", "", "must be sqlite:PATH"),
        ("keys.path", "", "must name a file"),
        (
            "mail.transport",
            "pigeon",
            "must be one of `smtp`, `file`, `memory`",
        ),
        ("mail.from", "nobody", "an address such as"),
        (
            "mail.smtp.tls",
            "ssl",
            "must be one of `none`, `starttls`, `tls`",
        ),
        ("mail.smtp.pool_size", "x", "must be a whole number"),
        ("log.filter", "inof", "must be levels"),
        ("log.format", "xml", "must be `pretty` or `json`"),
        ("categories.path", "..", "must name a file"),
        ("gazetteer.path", "/", "must name a file"),
        ("limits.mode", "maybe", "must be `on` or `off`"),
        ("area.country", "USA", "must be the two capital letters"),
        (
            "area.timezone",
            "Mars/Olympus",
            "must be a time zone of the IANA database",
        ),
        (
            "area.timezone",
            "",
            "must be a time zone of the IANA database",
        ),
        ("area.cell_resolution", "16", "must be an H3 resolution"),
        ("area.cell_resolution", "10", "must be from 4 to 9"),
        (
            "area.cell_resolution",
            "300",
            "must be a whole number from 0 to 255",
        ),
        ("matching.open_asks", "0", "must be from 1 to 20"),
        ("matching.weekly_asks", "51", "must be from 1 to 50"),
        ("matching.open_releases", "0", "must be from 1 to 20"),
        (
            "matching.second_round_after",
            "1m",
            "must be from 10m to 7d",
        ),
        ("matching.candidates", "0", "must be from 1 to 1000"),
        ("matching.sweep_every", "1s", "must be from 1m to 1d"),
        ("matching.lease", "1h", "must be from 5s to 10m"),
        ("matching.horizon", "1y", "must be from 1d to 90d"),
        ("matching.weights.time", "NaN", "must be from 0 to 100"),
        ("matching.weights.time", "-1", "must be from 0 to 100"),
        ("matching.weights.time", "much", "must be a number"),
        ("matching.waves.now.size", "0", "must be from 1 to 50"),
        (
            "matching.waves.today.next_wave_after",
            "1s",
            "must be from 1m to 7d",
        ),
        (
            "matching.waves.soon.respond_within",
            "40d",
            "must be from 1m to 30d",
        ),
        (
            "matching.waves.soon.agree_within",
            "1s",
            "must be from 1m to 30d",
        ),
        (
            "matching.waves.soon.max_wait",
            "0s",
            "must be from 1m to 30d",
        ),
        (
            "matching.waves.soon.ask_from",
            "8",
            "must be a time of day such as 08:00",
        ),
        (
            "matching.waves.soon.ask_from",
            "24:00",
            "must be a time of day such as 08:00",
        ),
        ("matching.waves.soon.ask_from", "", "must be set as well"),
        ("matching.waves.now.ask_from", "08:00", ""),
        (
            "matching.waves.soon.ask_until",
            "08:00",
            "must differ from ask_from",
        ),
        (
            "outbox.lease",
            "1m",
            "must be more than twice mail.smtp.timeout",
        ),
        ("outbox.lease", "2h", "must be from 10s to 1h"),
        ("outbox.batch", "0", "must be from 1 to 200"),
        ("outbox.parallel", "65", "must be from 1 to 64"),
        ("outbox.retry_first", "2h", "must be from 1s to 1h"),
        ("outbox.retry_max", "2d", "must be from 1m to 1d"),
        (
            "outbox.give_up_after",
            "1h",
            "must be more than outbox.retry_max",
        ),
        ("retention.unconfirmed", "1s", "must be from 1h to 30d"),
        (
            "retention.sealed_after_close",
            "31d",
            "must be from 0s to 30d",
        ),
        ("retention.requests", "0s", "must be from 1d to 3650d"),
        ("retention.offers", "0s", "must be from 1d to 3650d"),
        ("retention.idempotency", "0s", "must be from 1h to 30d"),
        ("retention.changes", "0s", "must be from 1h to 30d"),
    ];
    for (key, value, expected) in cases {
        let faults = faults(keyed(&[(key, value)]));
        let fault = faults
            .first()
            .unwrap_or_else(|| panic!("{key} = {value:?} is taken"));
        let is_half = key == "matching.waves.now.ask_from";
        let named = if is_half {
            "matching.waves.now.ask_until"
        } else {
            key
        };
        assert_eq!((fault.key.as_str(), faults.len()), (named, 1), "{faults:?}");
        assert!(fault.expected.contains(expected), "{fault}");
    }
}

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

const WEIGHTLESS: [(&str, &str); 6] = [
    ("matching.weights.proximity", "0"),
    ("matching.weights.time", "0"),
    ("matching.weights.capacity", "0"),
    ("matching.weights.language", "0"),
    ("matching.weights.responsiveness", "0"),
    ("matching.weights.rotation", "0"),
];

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
        ("database.url", "sqlite:hunter2"),
    ];
    let settings = Settings::load(keyed(&secret)).unwrap();
    assert!(!format!("{settings:?}").contains("hunter2"));
}

#[test]
fn what_may_be_meant_is_told() {
    let warned = |settings: &[(&str, &str)]| -> Vec<_> {
        Settings::load(keyed(settings))
            .unwrap()
            .warnings()
            .into_iter()
            .map(|warning| warning.key)
            .collect()
    };
    assert_eq!(warned(&[]), ["mail.transport"]);
    let served = [
        ("mail.transport", "smtp"),
        ("mail.from", "help@example.org"),
        ("mail.smtp.host", "mx.example.org"),
        ("server.public_url", "https://help.example.org"),
    ];
    assert_eq!(warned(&served), [""; 0]);
    assert_eq!(warned(&served[..3]), ["server.public_url"]);
    assert_eq!(
        warned(&[
            ("server.public_url", "http://a.org"),
            ("server.admin_bind", "0.0.0.0:1")
        ])[..2],
        ["server.public_url", "server.admin_bind"]
    );
}
