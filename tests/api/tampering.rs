//! Whoever changes the audit after it was sealed is found out, whatever he changes.

use manyhands::actions::verify_audit::{Fault, FaultKind};

use super::audit::{seal, sealed, tamper, verify};
use crate::support::database::{on_postgres, sql};

const NIL_ACTOR: &str = "actor_id = '00000000-0000-0000-0000-000000000000'";
const NIL_SUBJECT: &str = "subject_id = '00000000-0000-0000-0000-000000000000'";

/// What is found after somebody did `sql`.
async fn fault_after(sql: &str) -> (FaultKind, i64, Option<i64>) {
    let app = sealed().await;
    tamper(&app, sql);
    let found = verify(&app, None).await;
    let Fault { kind, number, seq } = found.fault.expect(sql);
    assert_eq!(found.verified, number - 1, "{sql}");
    (kind, number, seq)
}

#[actix_web::test]
async fn the_edit_of_any_column_of_any_row_is_found() {
    for (number, seq) in [(1, 1), (3, 3), (5, 11), (8, 14)] {
        for edit in [
            sql("at = at + 1", "at = at + interval '1 microsecond'"),
            "actor = 'system'",
            "actor_id = NULL",
            sql("actor_id = zeroblob(16)", NIL_ACTOR),
            "action = 'Tested'",
            "subject = 'offer'",
            sql("subject_id = zeroblob(16)", NIL_SUBJECT),
            "detail = '{\"requests\": 99}'",
            "detail = '{\"requests\": 1, \"more\": true}'",
            "detail = '{}'",
            "subject = 'requesttested', action = ''",
        ] {
            let sql = format!("UPDATE audit SET {edit} WHERE seq = {seq}");
            let found = fault_after(&sql).await;
            assert_eq!(found, (FaultKind::Edited, number, Some(seq)), "{sql}");
        }
        // The others cannot be written where a column's type is more than advice.
        let nonsense = [
            "actor = 'nobody'",
            "detail = 'no JSON'",
            "subject_id = x'00'",
        ];
        let writable = if on_postgres() { 1 } else { 3 };
        for nonsense in &nonsense[..writable] {
            let sql = format!("UPDATE audit SET {nonsense} WHERE seq = {seq}");
            let found = fault_after(&sql).await;
            assert_eq!(found, (FaultKind::Unreadable, number, Some(seq)), "{sql}");
        }
        let sql = format!("UPDATE audit SET seq = 7 WHERE seq = {seq}");
        let (_, at, _) = fault_after(&sql).await;
        assert!(at == number || at == 5, "{sql}: {at}");
    }
}

#[actix_web::test]
async fn the_spelling_of_a_detail_is_the_databases_business() {
    let app = sealed().await;
    tamper(
        &app,
        sql(
            "UPDATE audit SET detail = replace(detail, ':', ' : ')",
            "UPDATE audit SET detail = replace(detail::text, ':', ' : ')::jsonb",
        ),
    );
    assert_eq!(verify(&app, None).await.fault, None);
}

#[actix_web::test]
async fn a_removed_row_is_found() {
    for (number, seq) in [(1, 1), (4, 4), (5, 11), (8, 14)] {
        let sql = format!("DELETE FROM audit WHERE seq = {seq}");
        let found = fault_after(&sql).await;
        assert_eq!(found, (FaultKind::Removed, number, Some(seq)));
    }
}

#[actix_web::test]
async fn swapped_rows_are_found() {
    let swap = "UPDATE audit SET seq = 99 WHERE seq = 2; UPDATE audit SET seq = 2 WHERE seq = 12;
                UPDATE audit SET seq = 12 WHERE seq = 99";
    assert_eq!(fault_after(swap).await, (FaultKind::Reordered, 2, Some(2)));
    let links = "UPDATE audit_chain SET seq = 99 WHERE number = 2; UPDATE audit_chain SET seq = 2 WHERE number = 3;
                 UPDATE audit_chain SET seq = 3 WHERE number = 2";
    assert_eq!(fault_after(links).await, (FaultKind::Relinked, 2, Some(2)));
    let numbers = "UPDATE audit_chain SET number = 99 WHERE number = 2; UPDATE audit_chain SET number = 2 WHERE number = 3;
                   UPDATE audit_chain SET number = 3 WHERE number = 99";
    assert_eq!(
        fault_after(numbers).await,
        (FaultKind::Reordered, 2, Some(2))
    );
}

#[actix_web::test]
async fn a_forged_row_is_found() {
    let forged = |seq: i64| {
        format!(
            "INSERT INTO audit SELECT {seq}, at, actor, actor_id, action, subject, subject_id, detail FROM audit WHERE seq = 1"
        )
    };
    for (number, seq) in [(1, -5), (1, 0), (5, 5), (5, 10)] {
        let found = fault_after(&forged(seq)).await;
        assert_eq!(found, (FaultKind::Inserted, number, Some(seq)));
    }
    // Where there is no gap, the others have to move.
    let shift = "UPDATE audit SET seq = -seq - 1 WHERE seq >= 3; UPDATE audit SET seq = -seq WHERE seq < 0;";
    let found = fault_after(&format!("{shift} {}", forged(3))).await;
    assert_eq!(found, (FaultKind::Reordered, 3, Some(3)));
    // Time does not make it right: it is never sealed, because its place is behind the end of the chain.
    let app = sealed().await;
    tamper(&app, &forged(7));
    seal(&app).await;
    let fault = verify(&app, None).await.fault.expect("found");
    assert_eq!((fault.kind, fault.seq), (FaultKind::Inserted, Some(7)));
}

#[actix_web::test]
async fn links_that_are_removed_renumbered_or_edited_are_found() {
    for (sql, expected) in [
        (
            "DELETE FROM audit_chain WHERE number = 1",
            (FaultKind::LinkRemoved, 1, Some(1)),
        ),
        (
            "DELETE FROM audit_chain WHERE number = 5",
            (FaultKind::LinkRemoved, 5, Some(11)),
        ),
        (
            "UPDATE audit_chain SET number = 50 WHERE number = 5",
            (FaultKind::LinkRemoved, 5, Some(11)),
        ),
        (
            "UPDATE audit_chain SET number = number + 100 WHERE number > 2; UPDATE audit_chain SET number = number - 99 WHERE number > 2",
            (FaultKind::LinkRemoved, 3, Some(3)),
        ),
        // The entry goes with its link, and the others close the gap.
        (
            "DELETE FROM audit WHERE seq = 3; DELETE FROM audit_chain WHERE seq = 3; UPDATE audit_chain SET number = number - 1 WHERE number > 3",
            (FaultKind::Edited, 3, Some(4)),
        ),
        (
            sql(
                "UPDATE audit_chain SET hash = zeroblob(32) WHERE number = 4",
                "UPDATE audit_chain SET hash = decode(repeat('00', 32), 'hex') WHERE number = 4",
            ),
            (FaultKind::Edited, 4, Some(4)),
        ),
        (
            sql(
                "UPDATE audit_chain SET hash = x'00' WHERE number = 4",
                "UPDATE audit_chain SET hash = '\\x00' WHERE number = 4",
            ),
            (FaultKind::Unreadable, 4, Some(4)),
        ),
        (
            "UPDATE audit_chain SET seq = 900 WHERE number = 4",
            (FaultKind::Relinked, 4, Some(4)),
        ),
    ] {
        assert_eq!(fault_after(sql).await, expected, "{sql}");
    }
}

#[actix_web::test]
async fn a_chain_that_was_cut_off_is_found_by_a_head_that_was_noted() {
    let app = sealed().await;
    let head = verify(&app, None).await.head;
    tamper(
        &app,
        "DELETE FROM audit WHERE seq > 11; DELETE FROM audit_chain WHERE seq > 11",
    );
    let alone = verify(&app, None).await;
    assert_eq!(
        (alone.fault, alone.verified),
        (None, 5),
        "the chain alone cannot tell"
    );
    let fault = verify(&app, head).await.fault.expect("found");
    assert_eq!((fault.kind, fault.number), (FaultKind::Cut, 8));
}

#[actix_web::test]
async fn a_chain_that_was_made_anew_is_found_by_a_head_that_was_noted() {
    let app = sealed().await;
    let head = verify(&app, None).await.head;
    // The service itself seals what it finds.
    tamper(
        &app,
        "DELETE FROM audit_chain; UPDATE audit SET actor = 'system' WHERE seq = 3",
    );
    seal(&app).await;
    assert_eq!(verify(&app, None).await.verified, 8);
    let fault = verify(&app, head).await.fault.expect("found");
    assert_eq!((fault.kind, fault.number), (FaultKind::Rewritten, 8));
}
