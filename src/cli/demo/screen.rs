//! Where the story is told: a terminal with a table that stays below, or plain lines.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::print;

/// Where lines go.
#[derive(Debug)]
pub(super) enum Screen {
    /// Nowhere: only the summary is wanted.
    Silent,
    /// One after the other.
    Plain,
    /// Above a table that is drawn again and again.
    Terminal(ProgressBar),
}

impl Screen {
    /// The screen that standard output is.
    pub fn open(silent: bool) -> Self {
        if silent {
            return Self::Silent;
        }
        if !std::io::stdout().is_terminal() {
            return Self::Plain;
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stdout_with_hz(4));
        bar.set_style(
            ProgressStyle::with_template("{msg}")
                .unwrap_or_else(|_| ProgressStyle::default_spinner()),
        );
        Self::Terminal(bar)
    }

    /// One line, or several.
    pub fn line(&self, text: &str) {
        match self {
            Self::Silent => {}
            Self::Plain => print::line(text),
            Self::Terminal(bar) => bar.println(text),
        }
    }

    /// The table as it is now; on a terminal in the place of the one before.
    pub fn table(&self, text: &str) {
        match self {
            Self::Silent => {}
            Self::Plain => print::line(text),
            Self::Terminal(bar) => bar.set_message(text.to_owned()),
        }
    }

    /// Whether the table is drawn in one place.
    pub fn redraws(&self) -> bool {
        matches!(self, Self::Terminal(_))
    }

    /// Leaves the last lines where they are.
    pub fn close(&self) {
        if let Self::Terminal(bar) = self {
            bar.finish_and_clear();
        }
    }
}
