//! The embedded pair tells the paper's story, and the scores recorded beside it are those it has.

use std::sync::Arc;

use candle_core::Device;
use clove::benchmark::{Benchmark, Score};
use clove::checkpoint::Options;
use clove::demo;
use clove::evaluate::{Corpus, Encoder, Order, Pixels, Scoring};
use clove::patch::{Alpha, AlphaMap, Pair};
use serde_json::Value;

/// Points by which a score may differ on another processor: matrix products round differently there.
const TOLERANCE: f64 = 0.5;

/// Scores of the published metric at one alpha: recognition, relation, attribution, order, then the SugarCrepe tasks.
fn scores_at(alphas: &[f64]) -> (Vec<Benchmark>, Vec<Vec<Score>>) {
    let open = |name: &str| demo::open(name.as_ref(), Options::default()).unwrap();
    let pair = Pair::new(open(demo::BASE), open(demo::TUNED)).unwrap();
    let mut encoder = Encoder::new(&pair, &Device::Cpu).unwrap();
    let benchmarks = demo::evaluation();
    let corpus = Corpus::new(&benchmarks, encoder.tokenizer());
    let mut pixels = Pixels::new(corpus.images.len(), 48, 1 << 30);
    let order = Arc::new(Order::new(&benchmarks, &corpus));
    let mut scoring = Scoring::new(&benchmarks, &corpus, order, AlphaMap::BASE);
    let at = alphas.iter().map(|alpha| {
        scoring.restart(AlphaMap::one(Alpha::new(*alpha).unwrap()));
        while !scoring.is_done() {
            scoring.step(&mut encoder, &benchmarks, &corpus, &mut pixels, 256).unwrap();
        }
        scoring.scores(&benchmarks).into_iter().map(|rows| rows[0].clone()).collect()
    });
    let at = at.collect();
    (benchmarks, at)
}

fn recorded() -> Value {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/demo/scores.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

#[test]
fn the_recorded_scores_are_the_pairs_own_and_tell_the_story() {
    let recorded = recorded();
    let best = recorded["best_alpha"].as_f64().unwrap();
    let (benchmarks, at) = scores_at(&[0.0, best, 1.0]);
    for (alpha, scores) in [0.0, best, 1.0].into_iter().zip(&at) {
        for (benchmark, score) in benchmarks.iter().zip(scores) {
            let row = recorded["results"]
                .as_array()
                .unwrap()
                .iter()
                .find(|row| row["alpha"].as_f64() == Some(alpha) && row["label"] == benchmark.label());
            let value = row.unwrap()["value"].as_f64().unwrap();
            let label = benchmark.label();
            assert!((score.value - value).abs() <= TOLERANCE, "{label} at {alpha}: {} and not {value}", score.value);
        }
    }
    let composition = |scores: &[Score]| (scores[1].value + scores[2].value + scores[3].value) / 3.0;
    let [base, patch, tuned] = [&at[0], &at[1], &at[2]];
    assert!(base[0].value >= 75.0 && base[1].value <= 60.0 && base[2].value <= 60.0, "base knows things, not binding");
    assert!(tuned[1].value >= 85.0 && tuned[2].value >= 85.0, "tuned knows binding");
    assert!(tuned[0].value <= base[0].value - 10.0, "and has forgotten things");
    let gained = (composition(patch) - composition(base)) / (composition(tuned) - composition(base));
    let lost = (base[0].value - patch[0].value) / (base[0].value - tuned[0].value);
    assert!(
        (0.3..=0.7).contains(&best) && gained >= 0.6 && lost <= 1.0 / 3.0,
        "alpha {best}: {gained:.2} for {lost:.2}"
    );
}
