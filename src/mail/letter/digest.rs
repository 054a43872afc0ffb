//! What the morning's letter says: numbers, and nothing of anybody.

use std::time::Duration;

use crate::domain::digest::Digest;
use crate::domain::task::TaskKind;

/// Its paragraphs. A day on which there is nothing has one.
pub(super) fn paragraphs(digest: Option<&Digest>) -> Vec<String> {
    let Some(digest) = digest.filter(|digest| !digest.is_quiet()) else {
        return vec![
            "All is quiet: nothing waits for anybody this morning. Have a good day.".into(),
        ];
    };
    vec![
        tasks(digest),
        requests(digest),
        yesterday(digest),
        "GET /v1/tasks?state=open&sort=due and GET /v1/stats with your token.".into(),
    ]
}

fn tasks(digest: &Digest) -> String {
    let all: i64 = digest.tasks.values().sum();
    if all == 0 {
        return "Tasks: none is to be done.".into();
    }
    let kinds: Vec<String> = digest
        .tasks
        .iter()
        .map(|(kind, count)| format!("{} {count}", kind.to_string().replace('_', " ")))
        .collect();
    format!(
        "Tasks: {all} to be done ({}), {} late. Waiting for a decision: reviews {}, sites to check {}. Letters that \
         cannot be delivered: {}.",
        kinds.join(", "),
        digest.overdue,
        digest.of_kind(TaskKind::Review),
        digest.of_kind(TaskKind::SiteCheck),
        digest.of_kind(TaskKind::DeadLetter),
    )
}

fn requests(digest: &Digest) -> String {
    let Some(longest) = digest.longest.filter(|_| digest.open > 0) else {
        return "Requests: none is open.".into();
    };
    format!(
        "Requests: {} open, the oldest for {}. To be looked at by a person: {}. Ending unmet before midnight unless \
         somebody says yes: {}.",
        digest.open,
        age(longest),
        digest.attention,
        digest.ends_today,
    )
}

fn yesterday(digest: &Digest) -> String {
    let of = digest.yesterday;
    format!(
        "Yesterday: {} posted, {} covered, {} helped, {} ended unmet.",
        of.posted, of.covered, of.helped, of.unmet
    )
}

/// In hours, and from two days on in days.
fn age(time: Duration) -> String {
    match time.as_secs() / 3600 {
        0 => "less than an hour".into(),
        1 => "an hour".into(),
        hours @ 2..48 => format!("{hours} hours"),
        hours => format!("{} days", hours / 24),
    }
}
