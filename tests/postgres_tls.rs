//! What travels between the service and a PostgreSQL on another machine is encrypted, and only for the
//! server that it is meant for.
//!
//! The server of the tests is on this machine. It counts as another one under a name that the program
//! does not know for its own: the number of its address, which every resolver reads.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

mod postgres_tls {
    use diesel::prelude::*;
    use diesel::sql_types::Bool;
    use manyhands::storage::db::OpenError;
    use manyhands::storage::postgres::{HAS_TLS, ServerError, ServerOptions};
    use manyhands::storage::{Conn, DatabaseUrl, Db, StorageError};

    /// 127.0.0.1, as its certificate names it.
    const ELSEWHERE: &str = "2130706433";
    /// The same, as no certificate names it.
    const OTHER_NAME: &str = "0x7f000001";

    fn from_environment(name: &str) -> String {
        std::env::var(name).unwrap_or_else(|_| panic!("{name} is not set; tests/run sets it"))
    }

    /// The server's own database by another name for this machine.
    fn url(host: &str, parameters: &str) -> DatabaseUrl {
        let url = from_environment("MANYHANDS_TEST_POSTGRES");
        let (url, _) = url.split_once('?').unwrap_or((&url, ""));
        let (who, rest) = url.rsplit_once('@').unwrap();
        let (_, port_and_name) = rest.split_once(':').unwrap();
        let url = format!("{who}@{host}:{port_and_name}?{parameters}");
        url.parse().unwrap()
    }

    fn authority(file: &str) -> String {
        let dir = from_environment("MANYHANDS_TEST_POSTGRES_TLS");
        format!("sslrootcert={dir}/{file}")
    }

    fn refusal(url: &DatabaseUrl) -> String {
        match Db::is_up_to_date(url) {
            Ok(_) => panic!("it was spoken to"),
            Err(OpenError::Connect(error)) => error.to_string(),
            Err(error) => error.to_string(),
        }
    }

    /// Whether the connection of a call is encrypted, as the server sees it.
    async fn is_encrypted(db: &Db) -> bool {
        #[derive(QueryableByName)]
        struct Row {
            #[diesel(sql_type = Bool)]
            ssl: bool,
        }
        let ask = |conn: &mut Conn| {
            let Conn::Postgres(session) = conn else {
                panic!("another database")
            };
            let row: Row =
                diesel::sql_query("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
                    .get_result(&mut **session)?;
            Ok::<_, StorageError>(row.ssl)
        };
        db.read(ask).await.unwrap()
    }

    #[tokio::test]
    async fn a_server_elsewhere_is_spoken_to_by_tls() {
        const { assert!(HAS_TLS) };
        let db = Db::open(&url(ELSEWHERE, &authority("ca.pem"))).unwrap();
        assert!(is_encrypted(&db).await);
    }

    #[test]
    fn whoever_cannot_prove_its_name_is_not_spoken_to() {
        let stranger = refusal(&url(ELSEWHERE, &authority("stranger.pem")));
        assert!(stranger.contains("certificate verify failed"), "{stranger}");
        let misnamed = refusal(&url(OTHER_NAME, &authority("ca.pem")));
        assert!(misnamed.contains("does not match host name"), "{misnamed}");
        // Without an authority of its own, those that the machine trusts count.
        let unknown = refusal(&url(ELSEWHERE, "connect_timeout=5"));
        assert!(unknown.contains("certificate"), "{unknown}");
    }

    #[tokio::test]
    async fn no_tls_is_used_only_where_it_was_asked_for() {
        for mode in ["disable", "allow", "prefer", "require", "verify-ca"] {
            let weak = url(ELSEWHERE, &format!("sslmode={mode}"));
            assert!(
                matches!(Db::open(&weak), Err(OpenError::Server(ServerError::WeakMode(named))) if named == mode)
            );
        }
        let DatabaseUrl::Postgres(server) = url(ELSEWHERE, "sslmode=disable") else {
            panic!("another database")
        };
        let plaintext = ServerOptions {
            plaintext: true,
            ..ServerOptions::default()
        };
        let db = Db::open(&DatabaseUrl::Postgres(server.with(plaintext))).unwrap();
        assert!(!is_encrypted(&db).await);
    }
}
