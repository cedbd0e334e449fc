//! Scores that an earlier sweep left in a folder of results: what is there is shown, not computed again.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use super::super::describe;
use super::super::event::{Event, Failure, PairInfo, Scores};
use super::Worker;
use crate::evaluate::{self, Corpus, Pixels, benchmark_scores};
use crate::patch::{AlphaMap, Pair};
use crate::store::StoreError;
use crate::store::pixels::PixelCache;
use crate::store::results::{Identity, PerExample, Results};

/// Memory for preprocessed images.
const PIXELS_IN_MEMORY: usize = 4 << 30;
/// Disk that they may take beside results.
const PIXELS_ON_DISK: u64 = 32 << 30;

/// The pair at hand.
pub(super) struct Opened {
    pub info: Arc<PairInfo>,
    /// Its content, where results are stored by it.
    model: Option<String>,
}

impl Opened {
    pub fn new(pair: &Pair, by_content: bool) -> Self {
        Self { info: Arc::new(describe::pair(pair)), model: by_content.then(|| evaluate::model_hash(pair)) }
    }
}

impl Worker {
    /// Images in memory; beside results, where there are any, because those know images by content.
    pub(super) fn pixels(&self, corpus: &Corpus, size: usize) -> Pixels {
        match self.results.as_ref().map(|folder| PixelCache::open(folder, size, PIXELS_ON_DISK)) {
            Some(Ok(store)) => return Pixels::cached(corpus, size, store),
            Some(Err(error)) => self.warn_of_results(&error),
            None => {}
        }
        Pixels::new(corpus.images.len(), size, PIXELS_IN_MEMORY)
    }

    /// Takes over what is stored of this pair and these data.
    pub(super) fn take_stored(&mut self) {
        let Some(folder) = self.results.clone() else { return };
        match self.read_stored(&folder) {
            Ok(stored) => {
                if let Some(bench) = &mut self.bench {
                    bench.sweep.take(stored, self.generation, &self.outbox);
                }
            }
            Err(error) => self.warn_of_results(&error),
        }
    }

    /// Alphas at which every benchmark at hand has a whole result.
    fn read_stored(&self, folder: &Path) -> Result<Vec<Scores>, StoreError> {
        let model = self.pair.as_ref().and_then(|pair| pair.model.as_ref());
        let (Some(model), Some(data), Some(bench)) = (model, &self.data, &self.bench) else { return Ok(Vec::new()) };
        let hashes = data.benchmarks.iter().enumerate();
        let hashes = hashes.map(|(b, of)| evaluate::benchmark_hash(of, b, &bench.corpus, &bench.pixels));
        let Some(hashes) = hashes.collect::<Option<Vec<String>>>() else { return Ok(Vec::new()) };
        let results = Results::of(folder);
        let keys = results.keys()?;
        let alphas: BTreeSet<AlphaMap> = results.lines()?.into_iter().map(|line| line.row.alpha).collect();
        let mut stored = Vec::new();
        for alpha in alphas {
            let of_alpha: Vec<String> = hashes.iter().map(|data| Identity { model, alpha, data }.key()).collect();
            if of_alpha.iter().all(|key| keys.contains(key)) {
                let read =
                    of_alpha.iter().map(|key| results.per_example(key)).collect::<Result<Option<Vec<_>>, _>>()?;
                stored.extend(read.and_then(|read| self.scores(alpha, &read)));
            }
        }
        Ok(stored)
    }

    /// `None` where a result is not whole.
    fn scores(&self, alpha: AlphaMap, read: &[PerExample]) -> Option<Scores> {
        let benchmarks = &self.data.as_ref()?.benchmarks;
        let is_whole =
            |(benchmark, read): (&crate::benchmark::Benchmark, &PerExample)| benchmark.len() == read.outcomes.len();
        if !benchmarks.iter().zip(read).all(is_whole) {
            return None;
        }
        let first = benchmarks.iter().zip(read).map(|(of, read)| benchmark_scores(of, read).into_iter().next());
        let total = benchmarks.iter().map(crate::benchmark::Benchmark::len).sum();
        let outcomes = Arc::new(read.iter().map(|read| read.outcomes.clone()).collect());
        let benchmarks = first.map(|score| score.filter(|score| score.scored > 0)).collect();
        Some(Scores { alpha, benchmarks, outcomes, judged: total, total })
    }

    fn warn_of_results(&self, error: &StoreError) {
        let summary = format!("the stored results are not used: {error}");
        self.outbox.send(Event::Warned(Failure::new(summary)));
    }
}
