//! The benchmarks that a folder holds, and which of them are scored.

use crate::benchmark::{Benchmark, limit};

/// Everything found, kept whole so that another choice reads nothing again.
pub(super) struct Found {
    /// The folder, or "scene world".
    pub source: String,
    /// Whole.
    pub benchmarks: Vec<Benchmark>,
    /// Whether each is scored.
    pub chosen: Vec<bool>,
    /// Most examples of each.
    pub limit: Option<usize>,
}

impl Found {
    /// All of them, whole.
    pub fn all(source: String, benchmarks: Vec<Benchmark>) -> Self {
        let chosen = vec![true; benchmarks.len()];
        Self { source, benchmarks, chosen, limit: None }
    }

    /// Another choice; false, and nothing changes, where it is the same or would leave nothing to score.
    pub fn choose(&mut self, chosen: Vec<bool>, limit: Option<usize>) -> bool {
        let same = (&self.chosen, self.limit) == (&chosen, limit);
        let fits = chosen.len() == self.benchmarks.len() && chosen.contains(&true);
        if fits && !same {
            (self.chosen, self.limit) = (chosen, limit);
        }
        fits && !same
    }

    /// What is scored.
    pub fn scored(&self) -> Vec<Benchmark> {
        let chosen = self.benchmarks.iter().zip(&self.chosen).filter(|(_, chosen)| **chosen);
        let mut benchmarks: Vec<Benchmark> = chosen.map(|(benchmark, _)| benchmark.clone()).collect();
        if let Some(n) = self.limit {
            for benchmark in &mut benchmarks {
                limit(benchmark, n);
            }
        }
        benchmarks
    }
}
