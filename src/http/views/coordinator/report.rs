//! A report as coordinators see it: without who it is about, and without what was written.

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::clock::Ts;
use crate::domain::report::{Problem, Reporter, Side};
use crate::domain::secret::ReportSecret;
use crate::http::bodies::contact::ContactBody;
use crate::storage::reports::Report;

/// A report, to a coordinator.
#[derive(Debug, Serialize, ToSchema)]
pub struct ReportSheet {
    /// Its id.
    #[schema(value_type = String, format = Uuid)]
    pub id: String,
    /// Who reported it.
    pub by: Reporter,
    /// Whom it is about.
    pub about: Side,
    /// What happened.
    pub problem: Problem,
    /// The match.
    #[schema(value_type = String, format = Uuid)]
    pub r#match: String,
    /// Its request.
    #[schema(value_type = String, format = Uuid)]
    pub request: String,
    /// Who asked.
    #[schema(value_type = String, format = Uuid)]
    pub neighbor: String,
    /// Who offered.
    #[schema(value_type = String, format = Uuid)]
    pub volunteer: String,
    /// When it was made.
    #[schema(value_type = String, format = DateTime)]
    pub created_at: Ts,
    /// When it was closed.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub closed_at: Option<Ts>,
    /// By which coordinator.
    #[schema(value_type = Option<String>, format = Uuid)]
    pub closed_by: Option<String>,
    /// Until when its evidence can be revealed; null once it is destroyed.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub evidence_until: Option<Ts>,
}

/// The evidence of a report.
#[derive(Serialize, ToSchema)]
pub struct RevealedReportView {
    /// How to reach the person who is reported; null where they had been erased before.
    #[schema(example = json!({"name": "Ana", "email": "ana@example.org"}))]
    pub contact: Option<ContactBody>,
    /// What the reporter wrote; gone where she erased herself.
    #[schema(example = "She asked for 20 dollars at the door.")]
    pub statement: Option<String>,
}

impl From<&Report> for ReportSheet {
    fn from(row: &Report) -> Self {
        Self {
            id: row.id.to_string(),
            by: row.reported_by,
            about: row.about,
            problem: row.problem,
            r#match: row.match_id.to_string(),
            request: row.request_id.to_string(),
            neighbor: row.neighbor_id.to_string(),
            volunteer: row.volunteer_id.to_string(),
            created_at: row.created_at,
            closed_at: row.closed_at,
            closed_by: row.closed_by.map(|id| id.to_string()),
            evidence_until: row.sealed.as_ref().map(|_| row.erase_at),
        }
    }
}

impl From<ReportSecret> for RevealedReportView {
    fn from(secret: ReportSecret) -> Self {
        Self {
            contact: secret.reported.as_ref().map(Into::into),
            statement: secret.statement.map(|s| s.expose().to_owned()),
        }
    }
}
