//! Which call comes next.

use manyhands::domain::entropy::Entropy;

use super::people::below;

/// A kind of call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    Request,
    Offer,
    Answer,
    /// A neighbor looks how her request stands: in the place of an answer where no letter waits for one.
    Own,
    Sites,
    Desk,
}

impl Kind {
    pub const ALL: [Self; 6] = [
        Self::Request,
        Self::Offer,
        Self::Answer,
        Self::Own,
        Self::Sites,
        Self::Desk,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Request => "post request",
            Self::Offer => "post offer",
            Self::Answer => "answer",
            Self::Own => "own request",
            Self::Sites => "read sites",
            Self::Desk => "coordinator",
        }
    }

    /// Of a hundred calls.
    const fn share(self) -> usize {
        match self {
            Self::Request | Self::Sites => 30,
            Self::Answer => 20,
            Self::Offer | Self::Desk => 10,
            Self::Own => 0,
        }
    }

    pub fn next(entropy: &dyn Entropy) -> Self {
        let mut drawn = below(100, entropy);
        for kind in Self::ALL {
            match drawn.checked_sub(kind.share()) {
                Some(left) => drawn = left,
                None => return kind,
            }
        }
        Self::Desk
    }
}
