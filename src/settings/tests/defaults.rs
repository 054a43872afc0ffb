use std::time::Duration;

use jiff::civil::time;

use super::*;
use crate::domain::need::Urgency;

#[test]
fn the_defaults_are_those_of_the_contract() {
    let settings = Settings::load(Sources::default()).unwrap();
    let server = &settings.server;
    assert_eq!(server.bind.to_string(), "127.0.0.1:8080");
    assert_eq!(server.admin_bind.to_string(), "127.0.0.1:9090");
    assert_eq!(server.public_url.as_str(), "http://127.0.0.1:8080");
    assert_eq!((server.workers, server.body_limit_bytes), (0, 65_536));
    assert!(server.trusted_proxies.is_empty());
    assert_eq!(
        settings.database.url(),
        "sqlite:data/manyhands.db".parse().unwrap()
    );
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
    assert_eq!(settings.mail.hourly_budget, 10_000);
    assert_eq!(settings.area.country.as_str(), "US");
    assert_eq!(settings.area.timezone.as_str(), "UTC");
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
    let wider = |urgency| matching.waves.of(urgency).widen_by;
    let wider = [Urgency::Now, Urgency::Today, Urgency::Soon].map(wider);
    assert_eq!(wider, [2, 1, 1]);
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
            matching.daily_asks,
            matching.open_releases
        ),
        (3, 3, 8, 2)
    );
    assert!((matching.weights.proximity - 0.35).abs() < f64::EPSILON);
}

#[test]
fn every_field_has_its_key_in_the_file_and_every_key_its_field() {
    let defaults: Table = DEFAULTS.parse().unwrap();
    let mut found = Vec::new();
    tables("", &defaults, &mut found);
    assert!(found.len() > 12, "{found:?}");
    for (name, keys) in found {
        // An unknown key makes serde say which it knows.
        let mut with_a_stranger = Layers::new(DEFAULTS).unwrap().tree(&BTreeSet::new());
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
