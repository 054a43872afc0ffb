//! What can be answered: the codes in the letters that the service has written since the last look.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tokio::time::sleep;

/// A code out of a letter.
pub enum Answer {
    /// Confirms an offer.
    Confirm(String),
    /// Answers an ask.
    Ask(String),
}

/// The letters that nobody has answered, oldest first.
pub struct Letters {
    dir: Option<PathBuf>,
    waiting: RefCell<VecDeque<Answer>>,
}

impl Letters {
    pub fn of(dir: &Path) -> Self {
        Self {
            dir: Some(dir.to_owned()),
            waiting: RefCell::default(),
        }
    }

    /// Where none are written.
    pub fn none() -> Self {
        Self {
            dir: None,
            waiting: RefCell::default(),
        }
    }

    /// The next one that somebody answers.
    pub fn next(&self) -> Option<Answer> {
        self.waiting.borrow_mut().pop_front()
    }

    /// Reads letters as they come, and takes them away; never ends.
    pub async fn read(&self) {
        loop {
            self.look();
            sleep(Duration::from_millis(100)).await;
        }
    }

    fn look(&self) {
        let Some(Ok(files)) = self.dir.as_ref().map(std::fs::read_dir) else {
            return;
        };
        let mut found: Vec<(SystemTime, PathBuf)> = files
            .filter_map(Result::ok)
            .filter(|file| file.path().extension().is_some_and(|e| e == "eml"))
            .filter_map(|file| Some((file.metadata().ok()?.modified().ok()?, file.path())))
            .collect();
        found.sort();
        for (_, path) in found {
            let text = std::fs::read_to_string(&path).unwrap_or_default();
            self.waiting.borrow_mut().extend(answer(&text));
            // It is only this service's copy of it.
            let _ = std::fs::remove_file(path);
        }
    }
}

/// A code stands alone on a line.
fn answer(letter: &str) -> Option<Answer> {
    letter.lines().find_map(|line| {
        let code = || line.trim_end().to_owned();
        match line.get(..4)? {
            "mho_" => Some(Answer::Confirm(code())),
            "mha_" => Some(Answer::Ask(code())),
            _ => None,
        }
    })
}
