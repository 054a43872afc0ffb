//! What holds of all rows whatever was done, in plain SQL.

use super::database::Raw;
use crate::support::promises::PROMISES;

/// Beside what is promised: each query gives the rows for which something does not hold.
const WRONG: &[(&str, &str)] = &[
    (
        "an acceptance is told once: in the audit, to the volunteer and to the neighbor",
        "SELECT m.id::text AS line FROM matches m
            JOIN requests r ON r.id = m.request_id JOIN neighbors n ON n.id = r.neighbor_id
            WHERE (SELECT count(*) FROM audit a WHERE a.subject_id = m.id AND a.action = 'match_accepted')
                    <> (m.answered_at IS NOT NULL AND m.state IN ('accepted', 'fulfilled', 'fell_through'))::int
                OR (SELECT count(*) FROM letters l WHERE l.match_id = m.id AND l.to_kind = 'volunteer' AND l.kind = 'accepted')
                    <> (m.state IN ('accepted', 'fulfilled', 'fell_through'))::int
                OR (n.mail_stopped_at IS NULL
                    AND (SELECT count(*) FROM letters l WHERE l.match_id = m.id AND l.to_kind = 'neighbor' AND l.kind IN ('accepted', 'agree'))
                        <> (m.state IN ('accepted', 'fulfilled', 'fell_through'))::int)",
    ),
    (
        "an end is audited once, and each time that it is taken back",
        "SELECT m.id::text AS line FROM matches m WHERE
            (m.state = 'fell_through')::int
                <> (SELECT count(*) FROM audit a WHERE a.subject_id = m.id AND a.action = 'match_fell_through')
            OR (m.state = 'fulfilled')::int
                + (SELECT count(*) FROM audit a WHERE a.subject_id = m.id AND a.action = 'match_done_undone')
                <> (SELECT count(*) FROM audit a WHERE a.subject_id = m.id AND a.action = 'match_fulfilled')",
    ),
    (
        "a volunteer's word is asked about once, and both sides are reminded and asked once",
        "SELECT m.id::text AS line FROM matches m WHERE
            (m.done_at IS NOT NULL)::int
                + (SELECT count(*) FROM audit a WHERE a.subject_id = m.id AND a.action = 'match_done_undone'
                    AND (a.detail ->> 'said')::boolean)
                <> (SELECT count(*) FROM audit a WHERE a.subject_id = m.id AND a.action = 'match_said_done')
            OR (SELECT count(*) FROM letters l WHERE l.match_id = m.id AND l.to_kind = 'volunteer' AND l.kind = 'did_it_work')
                <> (m.followed_up_at IS NOT NULL)::int
            OR (SELECT count(*) FROM letters l WHERE l.match_id = m.id AND l.to_kind = 'volunteer' AND l.kind = 'reminder') > 1",
    ),
    (
        "what is said of who did not come is said of a match that fell through by it, or was taken back once",
        "SELECT m.id::text AS line FROM matches m WHERE
            (m.no_show_by IS NOT NULL AND (m.fall_reason IS DISTINCT FROM 'no_show' OR m.no_show_undone_at IS NOT NULL))
            OR (m.no_show_undone_at IS NOT NULL)::int
                <> (SELECT count(*) FROM audit a WHERE a.subject_id = m.id AND a.action = 'no_show_undone')",
    ),
    (
        "a request has one follow-up, and an open one only while nothing is known of a promise",
        "SELECT t.request_id::text AS line FROM tasks t WHERE t.kind = 'follow_up'
            GROUP BY t.request_id HAVING count(*) > 1
            UNION ALL
            SELECT t.request_id::text FROM tasks t WHERE t.kind = 'follow_up' AND t.done_at IS NULL
                AND NOT EXISTS (SELECT FROM matches m WHERE m.request_id = t.request_id
                    AND m.state = 'accepted' AND m.done_at IS NULL)",
    ),
    (
        "nobody is told twice that it was called off",
        "SELECT match_id::text AS line FROM letters WHERE kind IN ('called_off', 'changed', 'covered', 'asked')
            GROUP BY match_id, to_id, kind HAVING count(*) > 1",
    ),
    (
        "nothing is active of what is closed, hidden, or of people who are gone or blocked",
        "SELECT m.id::text || ' ' || m.state || ' request ' || r.state || ' offer ' || o.state AS line FROM matches m
            JOIN requests r ON r.id = m.request_id JOIN offers o ON o.id = m.offer_id
            JOIN neighbors n ON n.id = r.neighbor_id JOIN volunteers v ON v.id = o.volunteer_id
            WHERE (m.state IN ('proposed', 'notified', 'accepted')
                    AND (r.state = 'closed' OR n.erased_at IS NOT NULL OR n.blocked_at IS NOT NULL
                        OR (m.done_at IS NULL
                            AND (o.state = 'closed' OR v.erased_at IS NOT NULL OR v.blocked_at IS NOT NULL))))
                OR (m.state IN ('proposed', 'notified')
                    AND (r.state <> 'open' OR o.state = 'paused' OR v.paused_at IS NOT NULL))",
    ),
    (
        "nobody is asked for somebody they were parted from",
        "SELECT m.id::text AS line FROM matches m JOIN requests r ON r.id = m.request_id
            JOIN offers o ON o.id = m.offer_id WHERE m.state IN ('proposed', 'notified') AND EXISTS (
                SELECT FROM matches p JOIN requests q ON q.id = p.request_id JOIN offers s ON s.id = p.offer_id
                WHERE q.neighbor_id = r.neighbor_id AND s.volunteer_id = o.volunteer_id
                    AND (p.decline_reason = 'not_this_person'
                        OR EXISTS (SELECT FROM reports t WHERE t.match_id = p.id)))",
    ),
    (
        "nothing of what the erased had is left",
        "SELECT n.id::text AS line FROM neighbors n WHERE erased_at IS NOT NULL AND (
                EXISTS (SELECT FROM requests r WHERE r.neighbor_id = n.id AND (r.state <> 'closed' OR r.sealed IS NOT NULL))
                OR EXISTS (SELECT FROM tokens t WHERE t.subject_id = n.id))
            UNION ALL
            SELECT v.id::text FROM volunteers v WHERE erased_at IS NOT NULL AND (
                EXISTS (SELECT FROM offers o WHERE o.volunteer_id = v.id AND (o.state <> 'closed' OR o.sealed IS NOT NULL))
                OR EXISTS (SELECT FROM tokens t WHERE t.subject_id = v.id))",
    ),
    (
        "whatever waits for a coordinator has one open review, and nothing else has one",
        "SELECT m.id::text AS line FROM matches m WHERE (m.state = 'proposed')::int
            <> (SELECT count(*) FROM tasks t WHERE t.match_id = m.id AND t.kind = 'review' AND t.done_at IS NULL)",
    ),
    (
        "of whoever is not written to, what waits for her answer has one open ask, and nothing else has one",
        "SELECT m.id::text AS line FROM matches m JOIN requests r ON r.id = m.request_id
            JOIN neighbors n ON n.id = r.neighbor_id
            WHERE (m.state = 'accepted' AND m.agreement = 'pending' AND n.mail_stopped_at IS NOT NULL
                    AND NOT EXISTS (SELECT FROM letters l WHERE l.match_id = m.id AND l.kind = 'agree' AND l.state = 'sent'))::int
                <> (SELECT count(*) FROM tasks t WHERE t.match_id = m.id AND t.kind = 'ask' AND t.done_at IS NULL)",
    ),
    (
        "nobody is to call whoever is gone",
        "SELECT t.id::text AS line FROM tasks t JOIN neighbors n ON n.id = t.neighbor_id
            WHERE n.erased_at IS NOT NULL AND t.kind IN ('call', 'tell', 'ask')
                AND (t.done_at IS NULL OR t.sealed IS NOT NULL)",
    ),
    (
        "every report has been looked into, or is to be",
        "SELECT p.id::text AS line FROM reports p WHERE (p.closed_at IS NULL)::int
            <> (SELECT count(*) FROM tasks t WHERE t.report_id = p.id AND t.done_at IS NULL)",
    ),
    (
        "nobody has promised more than they may",
        "SELECT o.volunteer_id::text AS line FROM matches m JOIN offers o ON o.id = m.offer_id
            WHERE m.state = 'accepted' AND m.done_at IS NULL GROUP BY o.volunteer_id HAVING count(*) > 2",
    ),
];

/// Fails with the first that does not hold; `after` says after what.
#[track_caller]
pub fn everything(raw: &mut Raw, after: &str) {
    for (holds, wrong) in PROMISES.iter().chain(WRONG) {
        let rows = raw.lines(wrong);
        assert!(rows.is_empty(), "{holds}, but not of {rows:?} {after}");
    }
}
