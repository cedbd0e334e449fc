//! Timings, printed by hand: `cargo test -p clove --lib kernels::tests::speed -- --ignored --nocapture`.

use std::time::Instant;

use candle_core::{CustomOp1, CustomOp3, DType, Tensor, Var};

use super::input;
use crate::kernels::activation::Activate;
use crate::kernels::attention::Attention;
use crate::kernels::layer_norm::LayerNorm;
use crate::kernels::linear::Linear;
use crate::kernels::{Activation, AttentionShape, lerp_into};

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

#[test]
#[ignore = "a benchmark"]
fn figures() {
    for threads in [1, 2] {
        println!("{threads} threads");
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| {
            products();
            attentions();
            heads_by_gemm();
            elementwise();
        });
    }
}

fn values(seed: u64, shape: &[usize]) -> Tensor {
    input(seed, shape).tensor(DType::F32)
}

/// Times the op's own two passes; candle adds zeros and a sum for every gradient to the second.
fn unary<Op: CustomOp1>(name: &str, x: &Tensor, flops: f64, op: &Op) {
    let y = x.apply_op1_no_bwd(op).unwrap();
    let grad = values(5, y.dims());
    print(&format!("{name} forward"), "FLOP", flops, time(|| drop(x.apply_op1_no_bwd(op).unwrap())));
    print(&format!("{name} backward"), "FLOP", 2.0 * flops, time(|| drop(op.bwd(x, &y, &grad).unwrap())));
}

/// The same with two trained tensors beside x.
fn ternary<Op: CustomOp3>(name: &str, shapes: [&[usize]; 3], flops: f64, op: &Op) {
    let vars = shapes.map(|shape| Var::from_tensor(&values(1, shape)).unwrap());
    let [x, w, b] = vars.each_ref().map(Var::as_tensor);
    let y = x.apply_op3_no_bwd(w, b, op).unwrap();
    let grad = values(5, y.dims());
    print(&format!("{name} forward"), "FLOP", flops, time(|| drop(x.apply_op3_no_bwd(w, b, op).unwrap())));
    print(&format!("{name} backward"), "FLOP", 2.0 * flops, time(|| drop(op.bwd(x, w, b, &y, &grad).unwrap())));
}

fn products() {
    for (n, k, m) in [(1600, 768, 3072), (4736, 128, 512)] {
        let flops = 2.0 * (n * k * m) as f64;
        ternary(&format!("linear {n}x{k}x{m}"), [&[n, k], &[m, k], &[m]], flops, &Linear);
        let (x, transposed) = (values(1, &[n, k]), values(2, &[m, k]).t().unwrap());
        let name = format!("candle's matmul without bias {n}x{k}x{m}");
        print(&name, "FLOP", flops, time(|| drop(x.matmul(&transposed).unwrap())));
    }
}

fn attentions() {
    for (batch, length, heads, dim, causal) in
        [(32, 50, 12, 64, false), (32, 77, 8, 64, true), (128, 37, 4, 32, false), (128, 12, 4, 32, true)]
    {
        let shape = AttentionShape { batch, length, heads, causal };
        let flops = 4.0 * (batch * heads * length * length * dim) as f64 / if causal { 2.0 } else { 1.0 };
        let name = format!("attention {batch} x {length}, {heads} heads of {dim}, causal {causal}");
        let qkv = values(1, &[batch * length, 3 * heads * dim]);
        unary(&name, &qkv, flops, &Attention::new(shape, heads * dim, true));
    }
}

/// What attention's two forward products alone would cost by one `gemm` call each, for comparison.
#[expect(unsafe_code, reason = "gemm takes pointers")]
fn heads_by_gemm() {
    for (heads, length, dim) in [(32 * 12, 50, 64), (128 * 4, 37, 32), (128 * 4, 12, 32)] {
        let x = input(1, &[3 * length, heads * dim]).values.iter().map(|&v| v as f32).collect::<Vec<_>>();
        let (mut scores, mut out) = (vec![0.0f32; length * length], vec![0.0f32; length * dim]);
        let product = |(m, n, k): (usize, usize, usize), to: &mut [f32], a: &[f32], (ar, ac), b: &[f32], (br, bc)| {
            assert!(to.len() >= m * n && !a.is_empty() && !b.is_empty());
            // SAFETY: the callers below pass matrices of these sizes and strides.
            unsafe {
                let (to, rows) = (to.as_mut_ptr(), n.cast_signed());
                let none = gemm::Parallelism::None;
                let (a, b) = (a.as_ptr(), b.as_ptr());
                gemm::gemm(m, n, k, to, 1, rows, false, a, ac, ar, b, bc, br, 1.0, 1.0, false, false, false, none);
            }
        };
        let stride = (heads * dim).cast_signed();
        let run = || {
            for head in 0..heads {
                let [q, k, v] = [0, 1, 2].map(|part| &x[part * length * heads * dim + head * dim..]);
                product((length, length, dim), &mut scores, q, (stride, 1), k, (1, stride));
                let scores_stride = (length.cast_signed(), 1);
                product((length, dim, length), &mut out, &scores, scores_stride, v, (stride, 1));
            }
        };
        let flops = 4.0 * (heads * length * length * dim) as f64;
        print(&format!("gemm per head, {heads} heads {length} x {dim}, products alone"), "FLOP", flops, time(run));
    }
}

fn elementwise() {
    for kind in [Activation::QuickGelu, Activation::Gelu] {
        unary(&kind.to_string(), &values(1, &[1600, 3072]), (1600 * 3072) as f64, &Activate(kind));
    }
    let norm = LayerNorm::new(1e-5, true);
    ternary("layer norm 1600x768", [&[1600, 768], &[768], &[768]], (1600 * 768) as f64, &norm);
    let [base, tuned] = [1, 2].map(|seed| values(seed, &[4096, 4096]));
    let dst = base.zeros_like().unwrap();
    let bytes = 12.0 * 16.777_216e6;
    print("lerp of 16.8 M values", "B", bytes, time(|| lerp_into(&dst, &base, &tuned, 0.6).unwrap()));
}
