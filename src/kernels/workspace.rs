//! Memory for intermediate results that is used again instead of being given back.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};

/// Buffers that live from step to step. Clones share them.
///
/// A step's intermediate results take gigabytes; asked of the system each time, their pages are cleared and mapped each
/// time. A workspace never holds more than was in use at once since [`release`](Self::release).
#[derive(Clone, Debug, Default)]
pub struct Workspace(Arc<Mutex<Shelf>>);

#[derive(Debug, Default)]
struct Shelf {
    /// Not in use, by ascending length.
    free: Vec<Vec<f32>>,
    free_values: usize,
    used_values: usize,
    most_used: usize,
}

impl Workspace {
    /// Frees what is not in use.
    pub fn release(&self) {
        self.with(|shelf| {
            shelf.free = Vec::new();
            (shelf.free_values, shelf.most_used) = (0, shelf.used_values);
        });
    }

    /// Values held, in use or not.
    pub fn values(&self) -> usize {
        self.with(|shelf| shelf.used_values + shelf.free_values)
    }

    /// `len` values, any numbers.
    pub(super) fn take(&self, len: usize) -> Buffer {
        let values = self.with(|shelf| shelf.take(len));
        Buffer { values: values.unwrap_or_else(|| vec![0.0; len]), len, home: self.clone() }
    }

    fn with<T>(&self, work: impl FnOnce(&mut Shelf) -> T) -> T {
        // A shelf is in order after every method, so one that a panic left behind is too.
        work(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Shelf {
    /// The shortest that is long enough and no more than a quarter too long; else room is made for a new one.
    fn take(&mut self, len: usize) -> Option<Vec<f32>> {
        let place = self.free.partition_point(|values| values.len() < len);
        if self.free.get(place).is_some_and(|values| values.len() <= len + len / 4) {
            let values = self.free.remove(place);
            self.free_values -= values.len();
            self.count(values.len());
            return Some(values);
        }
        self.count(len);
        while self.used_values + self.free_values > self.most_used {
            let Some(longest) = self.free.pop() else { break };
            self.free_values -= longest.len();
        }
        None
    }

    fn count(&mut self, taken: usize) {
        self.used_values += taken;
        self.most_used = self.most_used.max(self.used_values);
    }

    fn give(&mut self, values: Vec<f32>) {
        self.used_values = self.used_values.saturating_sub(values.len());
        self.free_values += values.len();
        let place = self.free.partition_point(|other| other.len() < values.len());
        self.free.insert(place, values);
    }
}

/// Values on loan from a workspace.
#[derive(Debug)]
pub(super) struct Buffer {
    values: Vec<f32>,
    len: usize,
    home: Workspace,
}

impl Deref for Buffer {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        &self.values[..self.len]
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [f32] {
        &mut self.values[..self.len]
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let values = std::mem::take(&mut self.values);
        self.home.with(|shelf| shelf.give(values));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_used_again_and_never_more_than_was_in_use() {
        let workspace = Workspace::default();
        let start = |buffer: &Buffer| buffer.as_ptr();
        let (first, second) = (workspace.take(1000), workspace.take(500));
        let places = [start(&first), start(&second)];
        drop((first, second));
        assert_eq!(workspace.values(), 1500);
        let (again, shorter) = (workspace.take(990), workspace.take(420));
        assert_eq!([start(&again), start(&shorter)], places);
        assert_eq!((again.len(), shorter.len()), (990, 420));
        drop((again, shorter));
        // Nothing fits: the old ones make room.
        let long = workspace.take(1400);
        assert_eq!(workspace.values(), 1400);
        drop(long);
        workspace.release();
        assert_eq!(workspace.values(), 0);
    }
}
