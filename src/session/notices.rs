//! Failures and warnings, kept to be read again.

use crate::engine::Failure;

/// How many notices are kept; the oldest leave first.
const KEPT: usize = 200;

/// How grave a notice is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gravity {
    /// Something was not done.
    Failure,
    /// Something worth knowing that stopped nothing.
    Warning,
    /// Something came to its end.
    News,
}

/// One thing worth reading.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Grows by one with every notice, so that the window can tell which it has shown.
    pub id: u64,
    /// How grave.
    pub gravity: Gravity,
    /// One sentence.
    pub summary: String,
    /// The chain of causes, to copy.
    pub details: String,
    /// How often it came in a row.
    pub times: usize,
}

/// All notices of this session, oldest first.
#[derive(Clone, Debug, Default)]
pub struct Notices {
    list: Vec<Notice>,
    next: u64,
    /// Notices that arrived since the list was last looked at.
    pub unread: usize,
}

impl Notices {
    /// Oldest first.
    pub fn list(&self) -> &[Notice] {
        &self.list
    }

    /// Adds one; an equal one right before it is counted up instead and shown again.
    pub fn push(&mut self, gravity: Gravity, failure: Failure) {
        let id = self.next;
        self.next += 1;
        self.unread += 1;
        let Failure { summary, details, .. } = failure;
        match self.list.last_mut() {
            Some(last) if last.summary == summary && last.details == details && last.gravity == gravity => {
                last.times += 1;
                last.id = id;
            }
            _ => self.list.push(Notice { id, gravity, summary, details, times: 1 }),
        }
        if self.list.len() > KEPT {
            self.list.remove(0);
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        self.list.clear();
        self.unread = 0;
    }
}
