//! What there was of kills and acts, as a table.

use std::collections::BTreeMap;

use super::check::Doubt;

/// What is killed, and while it does what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kill {
    /// The service, while everybody acts.
    Acting,
    /// The service, at some moment after it was started.
    Starting,
    /// The service, while a backup is taken.
    ServiceInBackup,
    /// The backup, and the service afterward.
    Backup,
    /// The service, while it wraps everything under a new key.
    Rewrapping,
    /// The command that brings the new key, and the service afterward.
    Rotating,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct Figures {
    pub kills: BTreeMap<Kill, u64>,
    pub acknowledged: u64,
    pub refused: u64,
    pub doubt: Doubt,
    pub towns: u64,
    /// What was acknowledged, by what it was.
    pub tally: BTreeMap<String, u64>,
}

impl Figures {
    pub fn all(&self) -> u64 {
        self.kills.values().sum()
    }

    pub fn count(&mut self, kill: Kill) {
        *self.kills.entry(kill).or_default() += 1;
    }

    pub fn add(&mut self, doubt: Doubt) {
        self.doubt.done += doubt.done;
        self.doubt.not_done += doubt.not_done;
    }

    pub fn tell(&self) {
        println!("kills {} in {} towns:", self.all(), self.towns);
        for (kill, times) in &self.kills {
            println!("  {times:5}  {kill:?}");
        }
        println!(
            "acts: {} acknowledged, {} refused",
            self.acknowledged, self.refused
        );
        println!(
            "      {} without an answer: {} found done, {} not done (those that are known again by a key not counted)",
            self.doubt.done + self.doubt.not_done,
            self.doubt.done,
            self.doubt.not_done
        );
        let tally: Vec<String> = self
            .tally
            .iter()
            .map(|(act, times)| format!("{act} {times}"))
            .collect();
        println!("      {}", tally.join(", "));
        println!("lost: 0, half done: 0");
    }
}
