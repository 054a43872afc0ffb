use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use secrecy::ExposeSecret;

use super::*;

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
    let server = "[server] has admin_bind, bind, body_limit_bytes, import_limit_bytes, import_timeout, public_url, request_timeout, trusted_proxies, waiting_calls, workers";
    let sections = "the sections are area, categories, database, digest, gazetteer, keys, limits, log, mail, matching, outbox, \
                    retention, server, tasks, webhooks";
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
fn a_section_may_be_empty_and_must_be_known() {
    let (_kept, sources) = file("[server]\n# bind = 'x'\n[matching.waves]\n[mail.smtp]\n");
    assert_eq!(faults(sources), []);
    let (_kept, sources) = file("[sever]\n[matching.wave]\n[server.bind]\n[[log]]\n");
    let keys = ["log", "matching.wave", "server.bind", "sever"];
    assert_eq!(faulty_keys(sources), keys);
    let told = faults(environment(&[("MANYHANDS__MAIL__SMTP", "mx.example.org")]));
    assert_eq!(told[0].expected, "must be a section with keys");
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
