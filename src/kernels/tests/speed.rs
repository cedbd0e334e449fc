//! Timings, printed by hand: `cargo test -p clove --lib kernels::tests::speed -- --ignored --nocapture`.

use std::time::Instant;

use candle_core::{DType, Result, Tensor, Var};

use super::input;
use crate::kernels::{Activation, AttentionShape, activate, attention, layer_norm, lerp_into, linear};

/// Seconds this thread has spent computing, untouched by what else the machine does; wall time where unknown.
fn own_seconds(start: Instant) -> f64 {
    let schedule = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let computing = schedule.split_whitespace().next().and_then(|ns| ns.parse::<f64>().ok());
    computing.map_or_else(|| start.elapsed().as_secs_f64(), |ns| ns * 1e-9)
}

/// Mean seconds of one run by [`own_seconds`], over half a second; then the best wall time.
fn time(mut run: impl FnMut()) -> [f64; 2] {
    run();
    let start = Instant::now();
    let (begin, mut runs, mut best) = (own_seconds(start), 0, f64::INFINITY);
    while runs < 3 || start.elapsed().as_secs_f64() < 0.7 {
        let run_start = Instant::now();
        run();
        best = best.min(run_start.elapsed().as_secs_f64());
        runs += 1;
    }
    [(own_seconds(start) - begin) / f64::from(runs), best]
}

fn print(name: &str, unit: &str, work: f64, [mean, best]: [f64; 2]) {
    println!(
        "{name}: {:.0} us of this thread, {:.1} G{unit}/s; best wall {:.0} us, {:.1} G{unit}/s",
        mean * 1e6,
        work / mean / 1e9,
        best * 1e6,
        work / best / 1e9
    );
}

/// Forward of untracked inputs, then backward less what candle adds to any operation: the first gradient of ones,
/// and zeros plus an addition for every argument.
fn report(name: &str, shapes: &[&[usize]], flops: f64, op: &dyn Fn(&[Tensor]) -> Result<Tensor>) {
    let vars: Vec<Var> = (0..shapes.len()).map(|i| input(i as u64, shapes[i]).var(DType::F32)).collect();
    let plain: Vec<Tensor> = vars.iter().map(Var::as_detached_tensor).collect();
    let tracked: Vec<Tensor> = vars.iter().map(|var| var.as_tensor().clone()).collect();
    print(&format!("{name} forward"), "FLOP", flops, time(|| drop(op(&plain).unwrap())));
    let y = op(&tracked).unwrap();
    let whole = time(|| drop(y.backward().unwrap()));
    let overhead = time(|| {
        drop(y.ones_like().unwrap());
        plain.iter().for_each(|x| drop((x.zeros_like().unwrap() + x).unwrap()));
    });
    let own = [whole[0] - overhead[0], whole[1] - overhead[1]];
    print(&format!("{name} backward"), "FLOP", 2.0 * flops, own);
}

#[test]
#[ignore = "a benchmark"]
fn figures() {
    for threads in [1, 2] {
        println!("{threads} threads");
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(all);
    }
}

fn all() {
    for (n, k, m) in [(1600, 768, 3072), (4736, 128, 512)] {
        let flops = 2.0 * (n * k * m) as f64;
        report(&format!("linear {n}x{k}x{m}"), &[&[n, k], &[m, k], &[m]], flops, &|t| linear(&t[0], &t[1], t.get(2)));
    }
    for (batch, length, heads, dim, causal) in
        [(32, 50, 12, 64, false), (32, 77, 8, 64, true), (128, 37, 4, 32, false), (128, 12, 4, 32, true)]
    {
        let shape = AttentionShape { batch, length, heads, causal };
        let flops = 4.0 * (batch * heads * length * length * dim) as f64 / if causal { 2.0 } else { 1.0 };
        report(&format!("{shape:?} dim {dim}"), &[&[batch * length, 3 * heads * dim]], flops, &|t| {
            attention(&t[0], shape)
        });
    }
    for kind in [Activation::QuickGelu, Activation::Gelu] {
        report(&kind.to_string(), &[&[1600, 3072]], (1600 * 3072) as f64, &|t| activate(&t[0], kind));
    }
    report("layer norm 1600x768", &[&[1600, 768], &[768], &[768]], (1600 * 768) as f64, &|t| {
        layer_norm(&t[0], &t[1], &t[2], 1e-5)
    });
    let [base, tuned] = [1, 2].map(|seed| input(seed, &[4096, 4096]).tensor(DType::F32));
    let dst = base.zeros_like().unwrap();
    print("lerp of 16.8 M values", "B", 12.0 * 16.777_216e6, time(|| lerp_into(&dst, &base, &tuned, 0.6).unwrap()));
}
