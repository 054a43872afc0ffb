//! Posts from spreadsheets: what becomes of a row, and of all of them. Nothing here holds what a cell
//! says: columns are named by their heads, and reasons by what was expected.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::ids::RecordId;
use super::word::words;

words! {
    /// What the rows of a sheet become.
    ImportKind {
        /// Needs of neighbors.
        Requests = "requests",
        /// Offers of volunteers.
        Offers = "offers",
    }
    /// How far an import is.
    ImportState {
        /// It goes on.
        Running = "running",
        /// Every row was looked at.
        Done = "done",
        /// The process ended meanwhile: what was taken is there; send the file again.
        BrokenOff = "broken_off",
    }
    /// What becomes of a row.
    RowOutcome {
        /// It is a new post.
        New = "new",
        /// The same person has the same post already.
        Duplicate = "duplicate",
        /// It was imported before.
        Unchanged = "unchanged",
        /// It was imported before and says something else now: change the post itself.
        Differs = "differs",
        /// Something is wrong with it, and it was left out.
        Faulty = "faulty",
    }
}

/// Something to know of one cell.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CellNote {
    /// The head of its column; or the field that no column gives.
    #[schema(example = "Phone number")]
    pub column: String,
    /// What is wrong, or what was done. Never what the cell says.
    #[schema(example = "must be a phone number such as +1 612 555 0123")]
    pub reason: String,
}

/// What became of one row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct RowReport {
    /// The line in the file on which it begins; the heads are line 1.
    #[schema(example = 2)]
    pub line: u64,
    /// What became of it.
    pub outcome: RowOutcome,
    /// The posts that were made of it, or the one that was there; left out where there is none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(value_type = Vec<String>, example = json!(["3f1f8b7f-2a10-4b8e-9d5f-9b2f0c6e5d0a"]))]
    pub posts: Vec<RecordId>,
    /// Of a duplicate: the line that has the same; left out where the post was there before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub same_as_line: Option<u64>,
    /// What is wrong.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub faults: Vec<CellNote>,
    /// What was taken otherwise than it stands there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<CellNote>,
}

/// How many rows there are, and what became of how many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Tally {
    /// In the file.
    #[schema(example = 3000)]
    pub rows: u64,
    /// New posts.
    #[schema(example = 2871)]
    pub new: u64,
    /// Posts that are there already.
    #[schema(example = 98)]
    pub duplicate: u64,
    /// Imported before.
    #[schema(example = 0)]
    pub unchanged: u64,
    /// Imported before, and changed in the sheet since.
    #[schema(example = 0)]
    pub differs: u64,
    /// Left out.
    #[schema(example = 31)]
    pub faulty: u64,
}

/// What became of the posts of an import that is taken back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct UndoTally {
    /// Closed.
    #[schema(example = 2868)]
    pub closed: u64,
    /// They stay: somebody has said yes, or has helped.
    #[schema(example = 2)]
    pub accepted: u64,
    /// They stay: somebody has changed or confirmed them since.
    #[schema(example = 1)]
    pub changed: u64,
}

impl UndoTally {
    /// Posts that were looked at.
    #[must_use]
    pub fn done(&self) -> u64 {
        self.closed + self.accepted + self.changed
    }
}

impl Tally {
    /// Counts one more.
    pub fn count(&mut self, outcome: RowOutcome) {
        *match outcome {
            RowOutcome::New => &mut self.new,
            RowOutcome::Duplicate => &mut self.duplicate,
            RowOutcome::Unchanged => &mut self.unchanged,
            RowOutcome::Differs => &mut self.differs,
            RowOutcome::Faulty => &mut self.faulty,
        } += 1;
    }

    /// Rows that were looked at.
    #[must_use]
    pub fn done(&self) -> u64 {
        self.new + self.duplicate + self.unchanged + self.differs + self.faulty
    }
}
