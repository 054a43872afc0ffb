//! Every query that runs by the clock, or for every letter, finds its rows by an index: none walks
//! through a table that grows.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use diesel::connection::{Connection, InstrumentationEvent};
use diesel::prelude::*;
use diesel::sql_types::Text;
use manyhands::crypto::lookup::KeyedHash;
use manyhands::domain::clock::Ts;
use manyhands::domain::entropy::SeededEntropy;
use manyhands::domain::ids::{
    CoordinatorId, LeaseId, NeighborId, OfferId, RecordId, RequestId, VolunteerId, WebhookId,
};
use manyhands::domain::letter::{Lane, LetterKind};
use manyhands::domain::lifecycle::CloseReason;
use manyhands::domain::need::Deadlines;
use manyhands::domain::part::Part;
use manyhands::domain::remit::Remit;
use manyhands::domain::task::{TaskKind, TaskOrder, TaskOutcome};
use manyhands::storage::digest::{Day, digest};
use manyhands::storage::facts::{self, Span, Which};
use manyhands::storage::matches::MatchFilter;
use manyhands::storage::page::Page;
use manyhands::storage::reports::ReportFilter;
use manyhands::storage::requests::RequestFilter;
use manyhands::storage::tasks::{Ending, TaskFilter};
use manyhands::storage::volunteers::VolunteerFilter;
use manyhands::storage::{
    Conn, TxError, activity, letters, matches, neighbors, notices, offers, reports, requests,
    sites, tasks, volunteers,
};

use crate::database::is_left_out;
use crate::open;

/// Runs a query and drops what it finds.
type Run = fn(&mut Conn, LeaseId) -> QueryResult<()>;

const NOW: Ts = Ts::EPOCH;
const NEAR: Deadlines = Deadlines {
    today: Duration::from_hours(24),
    now: Duration::from_hours(2),
};

/// The queries, each with the indexes that it has to find its rows by.
const QUERIES: &[(&[&str], Run)] = &[
    (&["requests_due"], |c, lease| {
        requests::claim_due(c, NOW, NEAR, lease, NOW, 9).map(drop)
    }),
    (&["requests_due", "requests_leased"], |c, _| {
        requests::next_due(c).map(drop)
    }),
    (&["requests_untouched"], |c, _| {
        requests::sweep(c, NOW, NOW, 9).map(drop)
    }),
    (&["requests_live", "matches_request"], |c, _| {
        requests::past(c, NOW, NOW, 9).map(drop)
    }),
    (
        &["requests_live", "matches_request", "tasks_request"],
        |c, _| requests::silent(c, NOW, 9).map(drop),
    ),
    (&["requests_live", "matches_request"], |c, _| {
        matches::to_follow_up(c, NOW, 9).map(drop)
    }),
    (&["matches_said_done"], |c, _| {
        matches::believed(c, NOW, 9).map(drop)
    }),
    (&["matches_remind"], |c, _| {
        matches::to_remind(c, NOW, 9).map(drop)
    }),
    (&["matches_offer"], |c, _| {
        let volunteer = VolunteerId::new(&SeededEntropy::new(1));
        matches::no_shows_of(c, volunteer, NOW).map(drop)
    }),
    (&["tasks_volunteer"], |c, _| {
        let volunteer = VolunteerId::new(&SeededEntropy::new(1));
        tasks::has_open_of_volunteer(c, volunteer, TaskKind::VolunteerCheck).map(drop)
    }),
    (&["requests_series", "matches_request"], |c, _| {
        let (entropy, slot) = (
            SeededEntropy::new(3),
            RequestId::new(&SeededEntropy::new(4)),
        );
        matches::helpers_of_series(c, RecordId::new(&entropy), slot).map(drop)
    }),
    (&["requests_closed"], |c, _| {
        requests::closed_with_secrets(c, NOW, 9).map(drop)
    }),
    (&["requests_forget"], |c, _| {
        requests::to_forget(c, NOW, 9).map(drop)
    }),
    (&["offers_due"], |c, lease| {
        offers::claim_due(c, NOW, lease, NOW, 9).map(drop)
    }),
    (&["offers_due", "offers_leased"], |c, _| {
        offers::next_due(c).map(drop)
    }),
    (&["offers_expiring", "offers_ending"], |c, _| {
        offers::past(c, NOW, 9).map(drop)
    }),
    (&["offers_expiring", "letters_to"], |c, _| {
        offers::owners_to_ask(c, NOW, NOW, 9).map(drop)
    }),
    (&["offers_closed"], |c, _| {
        offers::closed_with_secrets(c, NOW, 9).map(drop)
    }),
    (&["offers_forget", "matches_offer"], |c, _| {
        offers::to_forget(c, NOW, 9).map(drop)
    }),
    (
        &["matches_respond", "matches_unasked", "matches_agree"],
        |c, _| matches::overdue(c, NOW, 9).map(drop),
    ),
    (
        &["matches_respond", "matches_unasked", "matches_agree"],
        |c, _| matches::next_overdue(c).map(drop),
    ),
    (&["letters_turn"], |c, lease| {
        letters::claim_due(c, Lane::Unconfirmed, NOW, lease, NOW, 9).map(drop)
    }),
    (&["letters_next"], |c, _| {
        letters::next_due(c, Lane::Unconfirmed).map(drop)
    }),
    (&["letters_waiting"], |c, _| letters::backlog(c).map(drop)),
    (&["letters_settled"], |c, _| {
        letters::settled_before(c, NOW, 9).map(drop)
    }),
    (&["letters_told"], |c, _| {
        notices::settled_before(c, NOW, 9).map(drop)
    }),
    (&["letters_events"], |c, lease| {
        let to = WebhookId::new(&SeededEntropy::new(1));
        notices::claim_due(c, to, NOW, lease, NOW, 9).map(drop)
    }),
    (&["letters_events"], |c, _| {
        let to = WebhookId::new(&SeededEntropy::new(1));
        notices::next_due(c, to).map(drop)
    }),
    (&["letters_events"], |c, _| {
        let to = WebhookId::new(&SeededEntropy::new(1));
        notices::waiting(c, to).map(drop)
    }),
    (&["tasks_neighbor"], |c, _| {
        tasks::open_call(c, NeighborId::new(&SeededEntropy::new(1))).map(drop)
    }),
    (&["tasks_request"], |c, _| {
        tasks::last_look(c, RequestId::new(&SeededEntropy::new(1))).map(drop)
    }),
    (&["requests_page"], |c, _| {
        activity::posted(c, NOW).map(drop)
    }),
    (&["requests_ended"], |c, _| {
        activity::closed(c, CloseReason::Unmet, NOW).map(drop)
    }),
    (&["requests_live"], |c, _| activity::open(c, NOW).map(drop)),
    (&["rounds_covered"], |c, _| {
        activity::covered(c, NOW).map(drop)
    }),
    (&["matches_asked"], |c, _| activity::asks(c, NOW).map(drop)),
    (&["offers_expiring"], |c, _| {
        activity::askable(c, NOW).map(drop)
    }),
    (&["tasks_done"], |c, _| {
        tasks::delete_old(c, NOW, 9).map(drop)
    }),
    (
        &[
            "neighbors_email",
            "neighbors_phone",
            "neighbors_caller_email",
            "neighbors_caller_phone",
        ],
        |c, _| {
            let hash = Some(KeyedHash::from([1; 32]));
            neighbors::known_by(c, Remit::All, hash, hash, 9).map(drop)
        },
    ),
    (&["neighbors_entered", "tasks_claimed"], |c, _| {
        let by = CoordinatorId::new(&SeededEntropy::new(1));
        let all = Page {
            after: None,
            limit: 9,
        };
        requests::page(c, Remit::EnteredBy(by), &RequestFilter::default(), all).map(drop)
    }),
    (&["tasks_late"], |c, _| {
        tasks::escalate(c, NOW, NOW, NOW, 9).map(drop)
    }),
    (&["tasks_escalated"], |c, _| tasks::escalated(c).map(drop)),
    (&["tasks_noted"], |c, _| {
        tasks::erase_notes_done_before(c, NOW, 9).map(drop)
    }),
    (
        &["sqlite_autoindex_neighbors_1", "tasks_claimed"],
        |c, _| {
            let by = CoordinatorId::new(&SeededEntropy::new(1));
            let of = NeighborId::new(&SeededEntropy::new(2));
            neighbors::is_within(c, Remit::EnteredBy(by), of).map(drop)
        },
    ),
    (&["tasks_about", "sqlite_autoindex_matches_1"], |c, _| {
        let ending = Ending {
            outcome: TaskOutcome::NotNeeded,
            by: None,
            at: NOW,
        };
        tasks::end_past_reminders(c, &ending, 9).map(drop)
    }),
    (&["tasks_claimed"], |c, _| {
        let by = CoordinatorId::new(&SeededEntropy::new(1));
        tasks::lock_held(c, by).map(drop)
    }),
    (&["tasks_request"], |c, _| {
        tasks::dead_letters_of(c, RequestId::new(&SeededEntropy::new(1))).map(drop)
    }),
    (&["tasks_offer"], |c, _| {
        let offer = OfferId::new(&SeededEntropy::new(1));
        tasks::has_open_of_offer(c, offer, TaskKind::SiteCheck).map(drop)
    }),
    (&["tasks_neighbor"], |c, _| {
        let neighbor = NeighborId::new(&SeededEntropy::new(1));
        tasks::told_since(c, neighbor, LetterKind::Changed, NOW).map(drop)
    }),
    (&["tasks_by_due"], |c, _| {
        let page = Page {
            after: None,
            limit: 9,
        };
        tasks::page(c, &TaskFilter::default(), TaskOrder::Due, page).map(drop)
    }),
    (&["matches_page", "sqlite_autoindex_requests_1"], |c, _| {
        let filter = MatchFilter {
            part: part(),
            ..MatchFilter::default()
        };
        matches::page(c, &filter, NINE).map(drop)
    }),
    (
        &[
            "tasks_by_due",
            "sqlite_autoindex_requests_1",
            "sqlite_autoindex_offers_1",
            "requests_neighbor",
            "offers_volunteer",
        ],
        |c, _| {
            let filter = TaskFilter {
                part: part(),
                ..TaskFilter::default()
            };
            tasks::page(c, &filter, TaskOrder::Due, NINE).map(drop)
        },
    ),
    (&["volunteers_page", "offers_volunteer"], |c, _| {
        let filter = VolunteerFilter {
            part: part(),
            ..VolunteerFilter::default()
        };
        volunteers::page(c, &filter, NOW, NINE).map(drop)
    }),
    (&["reports_page", "sqlite_autoindex_requests_1"], |c, _| {
        let filter = ReportFilter {
            part: part(),
            ..ReportFilter::default()
        };
        reports::page(c, &filter, NINE).map(drop)
    }),
    (
        &[
            "tasks_todo",
            "requests_live",
            "requests_page",
            "requests_ended",
            "rounds_covered",
        ],
        |c, _| {
            let day = Day {
                before: NOW,
                began: NOW,
                ends: NOW,
            };
            digest(c, &part(), day, NOW).map(drop)
        },
    ),
    (&["letters_to"], |c, _| {
        let to = RecordId::new(&SeededEntropy::new(1));
        letters::newest_to(c, to, LetterKind::TasksLate).map(drop)
    }),
    (&["letters_to"], |c, _| {
        let to = RecordId::new(&SeededEntropy::new(1));
        letters::lock_waiting(c, to).map(drop)
    }),
    (&["volunteers_by_email", "volunteers_by_phone"], |c, _| {
        let hash = Some(KeyedHash::from([1; 32]));
        volunteers::is_blocked(c, hash, hash).map(drop)
    }),
    (&["volunteers_unconfirmed"], |c, _| {
        volunteers::unconfirmed_before(c, NOW, NOW, 9).map(drop)
    }),
    (
        &["sqlite_autoindex_sites_1", "sqlite_autoindex_offers_1"],
        |c, _| {
            sites::shown(c, None)?;
            sites::shown(c, Some("food")).map(drop)
        },
    ),
    (
        &["requests_page", "sqlite_autoindex_neighbors_1"],
        |c, _| {
            let after = RequestId::new(&SeededEntropy::new(1));
            facts::requests(c, Which::ByAge(Span::all().after((NOW, after)), 9)).map(drop)
        },
    ),
    (
        &[
            "offers_page",
            "sqlite_autoindex_volunteers_1",
            "sqlite_autoindex_sites_1",
        ],
        |c, _| {
            let after = OfferId::new(&SeededEntropy::new(1));
            facts::offers(c, Which::ByAge(Span::all().after((NOW, after)), 9)).map(drop)
        },
    ),
    (&["volunteers_erased", "offers_volunteer"], |c, _| {
        volunteers::delete_forgotten(c, 9).map(drop)
    }),
];

const NINE: Page = Page {
    after: None,
    limit: 9,
};

/// Two categories within one cell.
fn part() -> Part {
    Part {
        categories: Some(vec!["food".into(), "towing".into()]),
        areas: Some(vec!["862649b2fffffff".parse().unwrap()]),
    }
}

/// The plans of everything that `run` reads.
fn plans_of(conn: &mut Conn, run: Run, lease: LeaseId) -> Vec<String> {
    #[derive(QueryableByName)]
    struct Step {
        #[diesel(sql_type = Text)]
        detail: String,
    }
    let texts: Arc<Mutex<Vec<String>>> = Arc::default();
    let notes = Arc::clone(&texts);
    let note = move |event: InstrumentationEvent<'_>| {
        if let InstrumentationEvent::StartQuery { query, .. } = event {
            notes.lock().unwrap().push(query.to_string());
        }
    };
    let Conn::Sqlite(c) = conn else {
        panic!("on SQLite only");
    };
    c.set_instrumentation(note);
    run(conn, lease).unwrap();
    let Conn::Sqlite(c) = conn else {
        panic!("on SQLite only");
    };
    c.set_instrumentation(None::<fn(InstrumentationEvent<'_>)>);
    let texts = std::mem::take(&mut *texts.lock().unwrap());
    let mut steps = Vec::new();
    // What is to be loaded by no id at all is not looked for.
    let is_read = |text: &&String| text.starts_with("SELECT") && !text.contains("1=0");
    for text in texts.iter().filter(is_read) {
        // The values come after the text, and count for nothing in a plan.
        let text = text.split(" -- binds").next().unwrap_or_default();
        let plan: Vec<Step> = diesel::sql_query(format!("EXPLAIN QUERY PLAN {text}"))
            .load(&mut **c)
            .unwrap();
        steps.extend(plan.into_iter().map(|step| step.detail));
    }
    steps
}

#[tokio::test]
async fn what_runs_by_the_clock_finds_its_rows_by_an_index() {
    if is_left_out() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let db = open(dir.path());
    let explained = db.write(|conn| {
        let lease = LeaseId::new(&SeededEntropy::new(2));
        let plans = QUERIES.iter().map(|(_, run)| plans_of(conn, *run, lease));
        Ok::<_, TxError<()>>(plans.collect::<Vec<_>>())
    });
    for ((expected, _), plan) in QUERIES.iter().zip(explained.await.unwrap()) {
        for index in *expected {
            let by = format!("INDEX {index}");
            let is_used = |step: &String| step.split(" (").next().unwrap().ends_with(&by);
            assert!(plan.iter().any(is_used), "not by {index}: {plan:?}");
        }
        let whole = |step: &String| step.starts_with("SCAN ") && !step.contains(" INDEX ");
        let whole = plan
            .iter()
            .find(|step| whole(step) && *step != "SCAN CONSTANT ROW");
        assert_eq!(whole, None, "{plan:?}");
    }
}

/// As `.cargo/config.toml` asks: else SQLite plans every statement that has a LIMIT anew each time, and takes locks that
/// nobody needs.
#[tokio::test]
async fn sqlite_is_built_as_the_project_asks() {
    #[derive(QueryableByName)]
    struct Compiled {
        #[diesel(sql_type = Text)]
        compile_options: String,
    }
    if is_left_out() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let db = open(dir.path());
    let options = db.write(|conn| {
        let Conn::Sqlite(c) = conn else {
            panic!("on SQLite only");
        };
        let options: Vec<Compiled> = diesel::sql_query("PRAGMA compile_options").load(&mut **c)?;
        Ok::<_, TxError<()>>(options)
    });
    let options = options.await.unwrap();
    let has = |option: &str| options.iter().any(|known| known.compile_options == option);
    assert!(has("ENABLE_QPSG") && has("THREADSAFE=2") && has("DEFAULT_MEMSTATUS=0"));
    assert!(!has("ENABLE_MEMORY_MANAGEMENT"));
}
