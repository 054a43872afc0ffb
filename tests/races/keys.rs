//! Processes that start at the same instant, and keys that several bring into use.

use manyhands::actions::activate_key::{Activation, activate_key};
use manyhands::actions::add_key::add_key;
use manyhands::actions::register_keys::{WrongRing, register_keys};
use manyhands::crypto::keyring::KeyRing;
use manyhands::domain::clock::Ts;
use manyhands::domain::entropy::SeededEntropy;
use manyhands::storage::audit::Actor;
use manyhands::storage::{Db, TxError};

use super::database::Database;
use super::world::{World, won};

#[actix_web::test]
async fn of_two_that_start_first_with_rings_of_their_own_one_does_and_the_other_is_told() {
    for seed in 0..5 {
        let database = Database::new();
        let url = database.url().parse().unwrap();
        let starts: Vec<_> = (0..3)
            .map(|number| {
                let ring = KeyRing::generate(&SeededEntropy::new(seed * 3 + number), Ts::EPOCH);
                let db = Db::open(&url).unwrap();
                async move { register_keys(&db, ring, Ts::EPOCH).await.map(drop) }
            })
            .collect();
        let outcomes = database.at_once(starts).await;
        assert_eq!(outcomes.iter().filter(|o| o.is_ok()).count(), 1);
        for outcome in outcomes.iter().filter(|o| o.is_err()) {
            let told = matches!(outcome, Err(TxError::Refused(WrongRing::Other)));
            assert!(told, "{outcome:?}");
        }
        let keys = "SELECT count(*) FROM key_epochs WHERE retired_at IS NULL";
        assert_eq!(database.connect().number(keys), 1);
    }
}

#[actix_web::test]
async fn a_key_that_several_add_and_activate_at_once_is_one_key() {
    let mut world = World::new();
    let add = world
        .turns()
        .take(3)
        .map(|ctx| async move { add_key(&ctx, Actor::SYSTEM).await });
    for added in futures_util::future::join_all(add).await {
        assert_eq!(added.unwrap(), 2);
    }
    let activate = world
        .turns()
        .take(3)
        .map(|ctx| async move { activate_key(&ctx, 2, Actor::SYSTEM).await });
    let outcomes = world.at_once(activate.collect()).await;
    assert_eq!(won(&outcomes), 3);
    for outcome in outcomes {
        assert_eq!(outcome.unwrap(), Activation::Active);
    }
    for action in ["key_added", "key_activated"] {
        let audited = format!("SELECT count(*) FROM audit WHERE action = '{action}'");
        assert_eq!(world.raw.number(&audited), 1, "{action}");
    }
}
