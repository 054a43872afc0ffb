//! Letters on their way out: over real sockets to a real mail server with its good and bad days, into
//! files, and into memory.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "support/smtp.rs"]
mod smtp;

use std::collections::HashSet;
use std::fs;
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use manyhands::domain::clock::Ts;
use manyhands::domain::contact::EmailAddress;
use manyhands::mail::message::{Message, Subject, UnsubscribeUrl};
use manyhands::mail::transport::{About, SendError, Transport, Trouble};
use manyhands::settings::mail::{MailSettings, SmtpSettings, Tls, TransportKind};
use smtp::SmtpServer;
use tokio::task::JoinSet;
use uuid::Uuid;

const NEW_YEAR: i64 = 1_767_225_600_000_000;

fn now() -> Ts {
    Ts::from_micros(NEW_YEAR)
}

fn letter_to(recipient: &str) -> Message {
    Message {
        id: Uuid::from_u128(0xA11).into(),
        to: EmailAddress::parse(recipient).unwrap(),
        subject: Subject::new("Somebody near you needs food"),
        text: "Can you help?\n".to_owned(),
        html: "<p>Can you help?</p>\n".to_owned(),
        unsubscribe: None,
    }
}

fn numbered(recipient: &str, number: u128) -> Message {
    Message {
        id: Uuid::from_u128(number).into(),
        ..letter_to(recipient)
    }
}

/// What a test changes about a working configuration.
type Twist = fn(&mut MailSettings);

fn relay(server: &SmtpServer, tls: Tls, twist: Twist) -> Transport {
    let ports = server.ports();
    let mut settings = MailSettings {
        transport: TransportKind::Smtp,
        from: "Manyhands Ünited <help@example.org>".parse().unwrap(),
        smtp: SmtpSettings {
            host: Some("localhost".to_owned()),
            tls,
            ..SmtpSettings::default()
        },
        ..MailSettings::default()
    };
    let smtp = &mut settings.smtp;
    smtp.port = Some(match tls {
        Tls::None => ports.plain,
        Tls::Starttls => ports.starttls,
        Tls::Tls => ports.tls,
    });
    if tls != Tls::None {
        let (name, password) = SmtpServer::LOGIN;
        smtp.username = Some(name.to_owned());
        smtp.password = Some(password.into());
        smtp.ca_file = Some(server.ca_file());
    }
    twist(&mut settings);
    assert_eq!(settings.validate(), Ok(()));
    Transport::new(&settings).unwrap()
}

fn as_it_is(_: &mut MailSettings) {}

/// No letter would have been taken.
fn temporary(kind: Trouble, code: Option<u16>) -> SendError {
    SendError::Temporary {
        code,
        kind,
        about: About::Server,
        outcome_unknown: false,
    }
}

/// No letter to that domain would have been.
fn for_domain(kind: Trouble, code: Option<u16>) -> SendError {
    SendError::Temporary {
        code,
        kind,
        about: About::Domain,
        outcome_unknown: false,
    }
}

fn in_doubt(kind: Trouble) -> SendError {
    SendError::Temporary {
        code: None,
        kind,
        about: About::Domain,
        outcome_unknown: true,
    }
}

#[tokio::test]
async fn a_letter_arrives_encrypted_and_with_a_login() {
    let server = SmtpServer::start();
    for (number, tls) in [Tls::Starttls, Tls::Tls].into_iter().enumerate() {
        let sent = relay(&server, tls, as_it_is)
            .send(&letter_to("ana@example.net"), now())
            .await;
        let mails = server.wait_for(number + 1).await;
        let mail = &mails[number];
        assert!(mail.envelope.tls && mail.envelope.authenticated, "{tls:?}");
        assert_eq!(mail.envelope.from, "help@example.org");
        assert_eq!(mail.envelope.to, ["ana@example.net"]);
        assert_eq!(mail.header("Message-ID"), sent.unwrap().message_id);
        assert_eq!(
            mail.header("Message-ID"),
            "<00000000-0000-0000-0000-000000000a11@example.org>"
        );
        assert_eq!(mail.header("Date"), "Thu, 01 Jan 2026 00:00:00 +0000");
    }
}

#[tokio::test]
async fn a_relay_on_this_machine_needs_neither() {
    let server = SmtpServer::start();
    let relay = relay(&server, Tls::None, as_it_is);
    relay
        .send(&letter_to("ana@example.net"), now())
        .await
        .unwrap();
    let mails = server.wait_for(1).await;
    assert!(!mails[0].envelope.tls && !mails[0].envelope.authenticated);
}

#[tokio::test]
async fn both_parts_arrive_as_they_were_written() {
    let server = SmtpServer::start();
    let text = format!(
        ".\n..\n.leading dots\nнайдите рядом 🧣 — Ñandú\n\n{}\n  trailing space \n=3D=\nFrom here\n\ttab\n",
        "a long line ".repeat(300)
    );
    let html = format!(
        "<p>.</p>\n.\n<p>ثلج &amp; برد</p>\n<p>{}</p>\n",
        "x".repeat(5000)
    );
    let letter = Message {
        subject: Subject::new(
            "Zabezpieczenie przed mrozem: „żółć” 🧣 and a good deal more, so that the line must be folded",
        ),
        text: text.clone(),
        html: html.clone(),
        ..letter_to("ana@example.net")
    };
    for tls in [Tls::Starttls, Tls::Tls, Tls::None] {
        relay(&server, tls, as_it_is)
            .send(&letter, now())
            .await
            .unwrap();
    }
    for mail in server.wait_for(3).await {
        assert_eq!(mail.subject, letter.subject.as_str());
        assert_eq!(mail.text.replace("\r\n", "\n"), text);
        assert_eq!(mail.html.replace("\r\n", "\n"), html);
        assert!(mail.raw.is_ascii());
        assert!(
            mail.raw
                .split(|b| *b == b'\n')
                .all(|line| line.len() <= 999),
            "a line is too long"
        );
        assert!(
            mail.header("From").starts_with("=?utf-8?"),
            "a name beyond ASCII"
        );
        assert!(mail.header("From").ends_with("<help@example.org>"));
        assert_eq!(mail.header("To"), "ana@example.net");
    }
}

#[tokio::test]
async fn a_mail_program_can_unsubscribe_and_does_not_answer() {
    let server = SmtpServer::start();
    let relay = relay(&server, Tls::None, as_it_is);
    let url = "https://help.example.org/v1/unsubscribe/mhu_0123456789ABCDEFGHJKMNPQRST";
    let letter = Message {
        unsubscribe: Some(UnsubscribeUrl::parse(url).unwrap()),
        ..letter_to("ana@example.net")
    };
    relay.send(&letter, now()).await.unwrap();
    relay
        .send(&letter_to("ana@example.net"), now())
        .await
        .unwrap();
    let mails = server.wait_for(2).await;
    assert_eq!(mails[0].header("List-Unsubscribe"), format!("<{url}>"));
    assert_eq!(
        mails[0].header("List-Unsubscribe-Post"),
        "List-Unsubscribe=One-Click"
    );
    assert_eq!(mails[0].header("Auto-Submitted"), "auto-generated");
    assert_eq!(mails[0].header("X-Auto-Response-Suppress"), "All");
    assert!(
        mails[1]
            .headers
            .iter()
            .all(|(name, _)| !name.starts_with("List-"))
    );
}

#[tokio::test]
async fn only_a_refusal_of_the_letter_is_permanent() {
    let server = SmtpServer::start();
    let relay = relay(&server, Tls::Starttls, as_it_is);
    let cases = [
        ("permfail@example.net", SendError::Permanent { code: 550 }),
        ("datafail@example.net", SendError::Permanent { code: 554 }),
        (
            "tempfail@example.net",
            for_domain(Trouble::Deferred, Some(451)),
        ),
        (
            "datalater@example.net",
            for_domain(Trouble::Deferred, Some(451)),
        ),
        (
            "closing@example.net",
            for_domain(Trouble::Deferred, Some(421)),
        ),
        ("denied@example.net", for_domain(Trouble::Relay, Some(554))),
        ("drop@example.net", in_doubt(Trouble::Lost)),
    ];
    for (recipient, expected) in cases {
        let error = relay.send(&letter_to(recipient), now()).await.unwrap_err();
        assert_eq!(error, expected, "{recipient}");
        assert_eq!(
            error.is_permanent(),
            matches!(expected, SendError::Permanent { .. })
        );
        let shown = format!("{error} {error:?} {}", error.kind());
        assert!(
            !shown.contains('@') && !shown.contains("example"),
            "{shown}"
        );
    }
    assert!(server.mails().is_empty());
    // After all that the next letter goes out.
    relay
        .send(&letter_to("ana@example.net"), now())
        .await
        .unwrap();
    assert_eq!(server.wait_for(1).await.len(), 1);
}

#[tokio::test]
async fn a_deferred_letter_goes_out_at_the_third_attempt() {
    let server = SmtpServer::start();
    let relay = relay(&server, Tls::None, as_it_is);
    let letter = letter_to("defer2-ana@example.net");
    for _ in 0..2 {
        let error = relay.send(&letter, now()).await.unwrap_err();
        assert_eq!((error.kind(), error.code()), ("deferred", Some(451)));
        assert_eq!(error.about(), About::Letter, "greylisting is of one letter");
    }
    relay.send(&letter, now()).await.unwrap();
    assert_eq!(server.wait_for(1).await.len(), 1);
}

#[tokio::test]
async fn a_letter_repeated_in_doubt_keeps_its_message_id() {
    let server = SmtpServer::start();
    let relay = relay(&server, Tls::Tls, as_it_is);
    let letter = letter_to("drop-once-ana@example.net");
    let error = relay.send(&letter, now()).await.unwrap_err();
    assert_eq!(error, in_doubt(Trouble::Lost));
    relay
        .send(&letter, now().after(Duration::from_mins(1)))
        .await
        .unwrap();
    let mails = server.wait_for(2).await;
    assert_eq!(mails[0].header("Message-ID"), mails[1].header("Message-ID"));
}

#[tokio::test]
async fn what_is_wrong_with_us_ends_no_letter() {
    let server = SmtpServer::start();
    let cases: [(Tls, Twist, SendError); 5] = [
        (
            Tls::Starttls,
            |s| s.smtp.password = Some("wrong".into()),
            temporary(Trouble::Login, Some(535)),
        ),
        (
            Tls::Tls,
            |s| s.smtp.password = Some("wrong".into()),
            temporary(Trouble::Login, Some(535)),
        ),
        (
            Tls::Tls,
            |s| (s.smtp.username, s.smtp.password) = (None, None),
            temporary(Trouble::Relay, Some(530)),
        ),
        // No login is offered where there is no encryption.
        (
            Tls::None,
            |s| {
                (s.smtp.username, s.smtp.password) =
                    (Some("app".to_owned()), Some("s3cret".into()));
            },
            temporary(Trouble::Login, None),
        ),
        (
            Tls::None,
            |s| s.from = "stranger@example.org".parse().unwrap(),
            temporary(Trouble::Relay, Some(550)),
        ),
    ];
    for (tls, twist, expected) in cases {
        let relay = relay(&server, tls, twist);
        assert_eq!(
            relay.send(&letter_to("ana@example.net"), now()).await,
            Err(expected),
            "{tls:?}"
        );
    }
    assert!(server.mails().is_empty());
}

#[tokio::test]
async fn an_untrusted_certificate_gets_no_letter() {
    let server = SmtpServer::start();
    for tls in [Tls::Starttls, Tls::Tls] {
        let strangers: [Twist; 2] = [
            |s| s.smtp.ca_file = None,
            // Trusted, but made out to `localhost`.
            |s| s.smtp.host = Some("127.0.0.1".to_owned()),
        ];
        for twist in strangers {
            let relay = relay(&server, tls, twist);
            let answer = relay.send(&letter_to("ana@example.net"), now()).await;
            assert_eq!(answer, Err(temporary(Trouble::Tls, None)), "{tls:?}");
            assert_eq!(
                relay.check().await,
                Err(temporary(Trouble::Tls, None)),
                "{tls:?}"
            );
        }
    }
    assert!(server.mails().is_empty());
}

#[tokio::test]
async fn no_letter_goes_in_the_clear_where_encryption_is_wanted() {
    let server = SmtpServer::start();
    let mut settings = MailSettings {
        transport: TransportKind::Smtp,
        ..MailSettings::default()
    };
    settings.smtp.host = Some("localhost".to_owned());
    // This port never offers STARTTLS, as behind a box that cuts the offer out.
    settings.smtp.port = Some(server.ports().plain);
    let relay = Transport::new(&settings).unwrap();
    let answer = relay.send(&letter_to("ana@example.net"), now()).await;
    assert_eq!(answer, Err(temporary(Trouble::Tls, None)));
    settings.smtp.tls = Tls::Tls;
    let relay = Transport::new(&settings).unwrap();
    let answer = relay.send(&letter_to("ana@example.net"), now()).await;
    assert_eq!(answer, Err(temporary(Trouble::Tls, None)));
}

#[tokio::test]
async fn a_server_that_is_down_is_worth_another_try() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = nobody.local_addr().unwrap().port();
    drop(nobody);
    let mut settings = MailSettings {
        transport: TransportKind::Smtp,
        ..MailSettings::default()
    };
    settings.smtp.port = Some(port);
    for host in ["127.0.0.1", "no-such-host.invalid"] {
        settings.smtp.host = Some(host.to_owned());
        let relay = Transport::new(&settings).unwrap();
        let answer = relay.send(&letter_to("ana@example.net"), now()).await;
        assert_eq!(answer, Err(temporary(Trouble::Connect, None)), "{host}");
    }
}

#[tokio::test]
async fn a_server_that_hangs_up_is_worth_another_try() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut settings = MailSettings {
        transport: TransportKind::Smtp,
        ..MailSettings::default()
    };
    settings.smtp.host = Some("127.0.0.1".to_owned());
    settings.smtp.port = Some(listener.local_addr().unwrap().port());
    let greetings = [
        "",
        "nonsense\r\n",
        "554 5.3.2 not today\r\n",
        "421 too busy\r\n",
    ];
    let server = std::thread::spawn(move || {
        for greeting in greetings {
            let (mut connection, _) = listener.accept().unwrap();
            connection.write_all(greeting.as_bytes()).unwrap();
        }
    });
    let expected = [
        temporary(Trouble::Lost, None),
        temporary(Trouble::Lost, None),
        temporary(Trouble::Relay, Some(554)),
        temporary(Trouble::Deferred, Some(421)),
    ];
    let relay = Transport::new(&settings).unwrap();
    for (greeting, expected) in greetings.into_iter().zip(expected) {
        let answer = relay.send(&letter_to("ana@example.net"), now()).await;
        assert_eq!(answer, Err(expected), "{greeting:?}");
    }
    server.join().unwrap();
}

#[tokio::test]
async fn a_silent_server_is_given_up() {
    // The system takes the connection, and nobody ever says a word.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut settings = MailSettings {
        transport: TransportKind::Smtp,
        ..MailSettings::default()
    };
    settings.smtp.host = Some("127.0.0.1".to_owned());
    settings.smtp.port = Some(silent.local_addr().unwrap().port());
    settings.smtp.timeout = Duration::from_millis(100);
    for tls in [Tls::None, Tls::Starttls, Tls::Tls] {
        settings.smtp.tls = tls;
        let relay = Transport::new(&settings).unwrap();
        let answer = relay.send(&letter_to("ana@example.net"), now()).await;
        assert_eq!(answer, Err(temporary(Trouble::TimedOut, None)), "{tls:?}");
        assert_eq!(
            relay.check().await,
            Err(temporary(Trouble::TimedOut, None)),
            "{tls:?}"
        );
    }
}

#[tokio::test]
async fn only_silence_after_the_body_leaves_doubt() {
    let server = SmtpServer::start();
    let relay = relay(&server, Tls::None, |s| {
        s.smtp.timeout = Duration::from_secs(2);
    });
    assert_eq!(relay.longest_send(), Duration::from_secs(4));
    let (slow, mute) = (letter_to("slow@example.net"), letter_to("mute@example.net"));
    let (slow, mute) = tokio::join!(relay.send(&slow, now()), relay.send(&mute, now()));
    assert_eq!(slow, Err(for_domain(Trouble::TimedOut, None)));
    assert_eq!(mute, Err(in_doubt(Trouble::TimedOut)));
    assert_eq!(server.wait_for(1).await.len(), 1);
}

/// lettre's own pool fails this one: it takes back a connection that still owes an answer.
#[tokio::test]
async fn a_letter_cut_off_midway_leaves_no_answer_to_the_next() {
    let server = SmtpServer::start();
    let relay = relay(&server, Tls::None, |s| s.smtp.pool_size = 1);
    relay
        .send(&letter_to("first@example.net"), now())
        .await
        .unwrap();
    {
        let slow = letter_to("mute@example.net");
        let sending = relay.send(&slow, now());
        tokio::pin!(sending);
        // Dropped as soon as the server has the letter and owes the answer.
        tokio::select! {
            _ = &mut sending => panic!("there was an answer"),
            _ = server.wait_for(2) => {}
        }
    }
    let error = relay
        .send(&letter_to("datafail@example.net"), now())
        .await
        .unwrap_err();
    assert_eq!(error, SendError::Permanent { code: 554 });
    relay
        .send(&letter_to("last@example.net"), now())
        .await
        .unwrap();
    let mails = server.wait_for(3).await;
    assert_eq!(mails[2].envelope.to, ["last@example.net"]);
    assert_eq!(mails[0].envelope.connection, mails[1].envelope.connection);
    assert_ne!(
        mails[1].envelope.connection, mails[2].envelope.connection,
        "a cut connection was used again"
    );
}

#[tokio::test]
async fn connections_are_used_again_also_after_refusals() {
    let server = SmtpServer::start();
    let relay = relay(&server, Tls::Starttls, as_it_is);
    for recipient in [
        "a@example.net",
        "permfail@example.net",
        "tempfail@example.net",
        "datafail@example.net",
        "b@example.net",
    ] {
        let _ = relay.send(&letter_to(recipient), now()).await;
    }
    let mails = server.wait_for(2).await;
    assert_eq!(
        mails
            .iter()
            .map(|m| m.envelope.connection)
            .collect::<Vec<_>>(),
        [1, 1]
    );
    assert_eq!(mails[1].envelope.to, ["b@example.net"]);
}

#[tokio::test]
async fn many_letters_share_few_connections() {
    let server = SmtpServer::start();
    let relay = relay(&server, Tls::Tls, |s| s.smtp.pool_size = 3);
    assert_eq!(relay.parallel(), 3);
    let relay = Arc::new(relay);
    let sending: JoinSet<_> = (0..40)
        .map(|n| {
            (
                Arc::clone(&relay),
                numbered(&format!("n{n}@example.net"), n),
            )
        })
        .map(|(relay, letter)| async move { relay.send(&letter, now()).await })
        .collect();
    for sent in sending.join_all().await {
        sent.unwrap();
    }
    let mails = server.wait_for(40).await;
    let ids: HashSet<_> = mails
        .iter()
        .map(|m| m.header("Message-ID").to_owned())
        .collect();
    let connections: HashSet<_> = mails.iter().map(|m| m.envelope.connection).collect();
    assert_eq!(ids.len(), 40);
    assert!(connections.len() <= 3, "{connections:?}");
}

#[tokio::test]
async fn a_check_finds_what_would_stop_a_letter() {
    let server = SmtpServer::start();
    for tls in [Tls::Starttls, Tls::Tls, Tls::None] {
        assert_eq!(
            relay(&server, tls, as_it_is).check().await,
            Ok(()),
            "{tls:?}"
        );
    }
    let locked_out = relay(&server, Tls::Tls, |s| {
        s.smtp.password = Some("wrong".into());
    });
    assert_eq!(
        locked_out.check().await,
        Err(temporary(Trouble::Login, Some(535)))
    );
    assert!(server.mails().is_empty());
}

#[tokio::test]
async fn a_closed_transport_sends_nothing_more() {
    let server = SmtpServer::start();
    let relay = relay(&server, Tls::Tls, as_it_is);
    relay
        .send(&letter_to("ana@example.net"), now())
        .await
        .unwrap();
    relay.close().await;
    let answer = relay.send(&letter_to("ana@example.net"), now()).await;
    assert_eq!(answer, Err(temporary(Trouble::Closed, None)));
    assert_eq!(server.mails().len(), 1);
}

#[tokio::test]
async fn a_password_and_an_authority_are_read_from_files() {
    let server = SmtpServer::start();
    let dir = tempfile::tempdir().unwrap();
    let secret = dir.path().join("password");
    fs::write(&secret, "s3cret\n").unwrap();
    let mut settings = MailSettings {
        transport: TransportKind::Smtp,
        ..MailSettings::default()
    };
    settings.smtp.host = Some("localhost".to_owned());
    settings.smtp.port = Some(server.ports().starttls);
    settings.smtp.username = Some("app".to_owned());
    settings.smtp.password_file = Some(secret.clone());
    settings.smtp.ca_file = Some(server.ca_file());
    Transport::new(&settings).unwrap().check().await.unwrap();

    let error = |settings: &MailSettings| Transport::new(settings).unwrap_err().to_string();
    settings.smtp.ca_file = Some(secret);
    assert!(error(&settings).starts_with("mail.smtp.ca_file:"));
    settings.smtp.ca_file = Some(dir.path().join("missing"));
    assert!(error(&settings).starts_with("mail.smtp.ca_file:"));
    settings.smtp.password_file = Some(dir.path().join("missing"));
    settings.smtp.ca_file = None;
    assert!(error(&settings).starts_with("mail.smtp.password_file:"));
}

fn into_files(dir: &Path) -> Transport {
    Transport::new(&MailSettings {
        file_dir: dir.to_owned(),
        ..MailSettings::default()
    })
    .unwrap()
}

fn names_in(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(dir)
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_file_is_private_and_named_by_time_and_letter() {
    let scratch = tempfile::tempdir().unwrap();
    let dir = scratch.path().join("data/mail");
    let transport = into_files(&dir);
    transport.check().await.unwrap();
    let later = now().after(Duration::from_millis(1500));
    transport
        .send(&numbered("b@example.net", 2), later)
        .await
        .unwrap();
    transport
        .send(&numbered("a@example.net", 1), now())
        .await
        .unwrap();
    assert_eq!(
        names_in(&dir),
        [
            "20260101T000000.000000Z-00000000-0000-0000-0000-000000000001.eml",
            "20260101T000001.500000Z-00000000-0000-0000-0000-000000000002.eml",
        ]
    );
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&dir), 0o700);
    let file = dir.join(&names_in(&dir)[0]);
    assert_eq!(mode(&file), 0o600);
    let eml = fs::read_to_string(file).unwrap();
    assert!(
        eml.contains("To: a@example.net\r\n") && eml.contains("\r\nCan you help?\r\n"),
        "{eml}"
    );
}

#[tokio::test]
async fn a_repeated_letter_replaces_its_file_also_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    into_files(dir.path())
        .send(&letter_to("a@example.net"), now())
        .await
        .unwrap();
    let again = Message {
        text: "Once more".to_owned(),
        ..letter_to("a@example.net")
    };
    let restarted = into_files(dir.path());
    for minutes in 1..=2 {
        let later = now().after(Duration::from_mins(minutes));
        restarted.send(&again, later).await.unwrap();
    }
    let names = names_in(dir.path());
    assert_eq!(names.len(), 1, "{names:?}");
    assert!(
        fs::read_to_string(dir.path().join(&names[0]))
            .unwrap()
            .contains("Once more")
    );
}

#[tokio::test]
async fn a_file_that_cannot_be_written_is_worth_another_try() {
    let dir = tempfile::tempdir().unwrap();
    let in_the_way = dir.path().join("mail");
    fs::write(&in_the_way, "").unwrap();
    let transport = into_files(&in_the_way);
    let answer = transport.send(&letter_to("a@example.net"), now()).await;
    assert_eq!(answer, Err(temporary(Trouble::File, None)));
    assert_eq!(transport.check().await, Err(temporary(Trouble::File, None)));
}

#[tokio::test]
async fn memory_shows_and_announces_what_was_sent() {
    let transport = Transport::new(&MailSettings {
        transport: TransportKind::Memory,
        ..MailSettings::default()
    })
    .unwrap();
    let memory = transport.memory().unwrap();
    let mut feed = memory.subscribe();
    let patience = Duration::from_secs(20);

    let (first, second) = (numbered("a@example.net", 1), numbered("b@example.net", 2));
    let waiting = memory.wait_for(patience, |mails| mails.len() == 2);
    let sending = async {
        tokio::task::yield_now().await;
        transport.send(&first, now()).await.unwrap();
        tokio::task::yield_now().await;
        transport.send(&second, now()).await.unwrap();
    };
    let (mails, ()) = tokio::join!(waiting, sending);
    let mails = mails.unwrap();
    assert_eq!(mails[0].message, first);
    assert_eq!(mails[1].message.text, "Can you help?\n");
    assert!(mails[1].eml.starts_with(b"From: "));
    assert!(!format!("{mails:?}").contains("example.net"));

    assert_eq!(feed.recv().await.unwrap().message, first);
    assert_eq!(feed.recv().await.unwrap().message, second);

    assert_eq!(memory.take().len(), 2);
    assert!(memory.mails().is_empty());
    assert!(
        memory
            .wait_for(Duration::ZERO, |mails| !mails.is_empty())
            .await
            .is_none()
    );
    assert!(transport.check().await.is_ok());
}
