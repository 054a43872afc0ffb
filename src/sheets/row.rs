//! One row becomes one post, or a list of what is wrong with it.
//!
//! The texts of a row are put into the bodies that calls have, and parsed as those are.

mod posts;
mod texts;

use csv::StringRecord;

use self::texts::Cells;
use super::fields;
use super::mapping::DateOrder;
use super::plan::Plan;
use crate::actions::Ctx;
use crate::actions::post_offers::PostOffers;
use crate::actions::post_requests::PostRequests;
use crate::bodies::faults::FieldErrors;
use crate::domain::clock::Ts;
use crate::domain::ids::CoordinatorId;
use crate::domain::import::{CellNote, ImportKind};

/// What a row posts.
#[derive(Debug)]
pub enum Post {
    /// A need.
    Request(Box<PostRequests>),
    /// An offer.
    Offer(Box<PostOffers>),
}

/// From when and until when, as far as a row says so.
pub type Times = (Option<Ts>, Option<Ts>);

/// A row that was read.
#[derive(Debug)]
pub struct Read {
    /// What it posts; or what is wrong.
    pub post: Result<Post, Vec<CellNote>>,
    /// From when and until when, as far as it says so.
    pub times: Times,
    /// What was taken otherwise than it stands there.
    pub warnings: Vec<CellNote>,
}

/// Reads rows.
#[derive(Clone, Debug)]
pub struct Reader {
    /// Where everything stands.
    pub plan: Plan,
    /// In which order the numbers of dates stand.
    pub order: Option<DateOrder>,
    /// Who imports.
    pub by: Option<CoordinatorId>,
    /// The instance.
    pub ctx: Ctx,
}

impl Reader {
    /// Reads a row.
    pub fn read(&self, record: &StringRecord) -> Read {
        if record.len() != self.plan.width {
            let expected = format!(
                "has {} cells, and there are {} heads: is a quotation mark or a delimiter missing?",
                record.len(),
                self.plan.width
            );
            return Read {
                post: Err(vec![CellNote {
                    column: "the row".to_owned(),
                    reason: expected,
                }]),
                times: (None, None),
                warnings: Vec::new(),
            };
        }
        let mut row = Cells {
            reader: self,
            texts: self.plan.texts(record),
            errors: FieldErrors::default(),
            warnings: Vec::new(),
        };
        row.shorten();
        let (post, times) = match self.plan.kind {
            ImportKind::Requests => row.request(),
            ImportKind::Offers => row.offer(),
        };
        let faults = self.faults(&row.errors);
        let post = match post {
            Some(post) if faults.is_empty() => Ok(post),
            _ => Err(faults),
        };
        Read {
            post,
            times,
            warnings: row.warnings,
        }
    }

    /// The faults of a row, one for each column: what follows from the first is not told.
    fn faults(&self, errors: &FieldErrors) -> Vec<CellNote> {
        let is_reached =
            |pointer: &str| matches!(field_of(pointer).as_str(), "email" | "phone" | "other");
        let mut faults: Vec<CellNote> = Vec::new();
        for (nth, error) in errors.all().iter().enumerate() {
            let earlier = &errors.all()[..nth];
            // Where a number cannot be read, it is not also said that there is none.
            if error.pointer == "/contact" && earlier.iter().any(|e| is_reached(&e.pointer)) {
                continue;
            }
            let fault = self.note(&error.pointer, &error.detail);
            if faults.iter().all(|known| known.column != fault.column) {
                faults.push(fault);
            }
        }
        faults
    }

    /// A fault of a field as a fault of a column.
    fn note(&self, pointer: &str, detail: &str) -> CellNote {
        let field = field_of(pointer);
        let most = fields::find(self.plan.kind, &field).and_then(|field| field.most);
        let reason = match (detail, most) {
            ("is too long", Some(most)) => {
                format!(
                    "is longer than {most} characters; too_long = \"cut\" in the mapping cuts it"
                )
            }
            _ => detail.to_owned(),
        };
        CellNote {
            column: self.plan.label(&field),
            reason,
        }
    }
}

/// The field that a fault is in: `/contact/email` is `email`.
fn field_of(pointer: &str) -> String {
    let parts: Vec<&str> = pointer.split('/').filter(|part| !part.is_empty()).collect();
    match parts.as_slice() {
        ["caller", part, ..] => format!("caller_{part}"),
        ["contact", "note"] => "contact_note".to_owned(),
        ["contact"] => "email".to_owned(),
        ["need", "requires", name, ..] => format!("requires.{name}"),
        ["offer", "provides", name, ..] => format!("provides.{name}"),
        ["offer", "site", part] if *part != "walk_in" => format!("site_{part}"),
        ["need", "needed", _, part] => (*part).to_owned(),
        ["languages" | "locale", ..] => parts[0].to_owned(),
        [.., last] => (*last).to_owned(),
        [] => String::new(),
    }
}
