//! Every fused operation against three witnesses: plain f64 loops written here, the composed candle operations in
//! f64, and finite differences of the loops.

use candle_core::{DType, Device, Result, Tensor, Var};

mod activation;
mod attention;
mod finite;
mod layer_norm;
mod lerp;
mod linear;
mod speed;
mod tile;

/// A test tensor: values in -1..1 that f32 represents exactly.
#[derive(Clone)]
struct Input {
    values: Vec<f64>,
    shape: Vec<usize>,
}

/// Uniform values by splitmix64, the same on every machine.
fn input(seed: u64, shape: &[usize]) -> Input {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        f64::from(((z ^ (z >> 31)) >> 40) as f32 / (1u32 << 23) as f32 - 1.0)
    };
    Input { values: (0..shape.iter().product()).map(|_| next()).collect(), shape: shape.to_vec() }
}

impl Input {
    fn scaled(mut self, scale: f64) -> Self {
        self.values.iter_mut().for_each(|v| *v = f64::from((*v * scale) as f32));
        self
    }

    fn tensor(&self, dtype: DType) -> Tensor {
        Tensor::from_slice(&self.values, self.shape.as_slice(), &Device::Cpu).unwrap().to_dtype(dtype).unwrap()
    }

    fn var(&self, dtype: DType) -> Var {
        Var::from_tensor(&self.tensor(dtype)).unwrap()
    }
}

fn floats(tensor: &Tensor) -> Vec<f64> {
    tensor.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

fn bits(tensor: &Tensor) -> Vec<u32> {
    tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap().into_iter().map(f32::to_bits).collect()
}

type Op<'a> = &'a dyn Fn(&[Tensor]) -> Result<Tensor>;

/// The weights of the test loss, sum(output * weights).
fn loss_weights(len: usize) -> Input {
    input(99, &[len])
}

/// Output, then the gradient of the loss for each input. Every input is tracked without being a variable itself,
/// the case in which candle panics when a backward pass forgets one.
fn run(inputs: &[Input], dtype: DType, op: Op<'_>) -> Vec<Tensor> {
    let vars: Vec<Var> = inputs.iter().map(|input| input.var(dtype)).collect();
    let tracked: Vec<Tensor> = vars.iter().map(|var| var.affine(1.0, 0.0).unwrap()).collect();
    let y = op(&tracked).unwrap();
    let weights = loss_weights(y.elem_count()).tensor(dtype).reshape(y.shape()).unwrap();
    let grads = (&y * weights).unwrap().sum_all().unwrap().backward().unwrap();
    let mut all = vec![y.detach()];
    all.extend(vars.iter().map(|var| grads.get(var).expect("every input has a gradient").detach()));
    all
}

#[track_caller]
fn assert_close(actual: &[f64], expected: &[f64], tolerance: f64, what: &str) {
    assert_eq!(actual.len(), expected.len(), "{what}");
    for (i, (a, e)) in actual.iter().zip(expected).enumerate() {
        assert!((a - e).abs() <= tolerance * e.abs().max(1.0), "{what}, element {i}: {a} instead of {e}");
    }
}

/// Checks `op` in f32 (fused) and f64 (composed) against `plain`: outputs, then gradients against central
/// differences. `tolerance` is that of the fused operation, relative to the larger of 1 and the value.
#[track_caller]
fn check(inputs: &[Input], tolerance: f64, op: Op<'_>, plain: &dyn Fn(&[Vec<f64>]) -> Vec<f64>) {
    let mut values: Vec<Vec<f64>> = inputs.iter().map(|input| input.values.clone()).collect();
    let expected = plain(&values);
    let (fused, composed) = (run(inputs, DType::F32, op), run(inputs, DType::F64, op));
    assert_close(&floats(&composed[0]), &expected, 1e-9, "composed output");
    assert_close(&floats(&fused[0]), &expected, tolerance, "fused output");
    let weights = loss_weights(expected.len()).values;
    let loss = |values: &[Vec<f64>]| plain(values).iter().zip(&weights).map(|(y, w)| y * w).sum::<f64>();
    for which in 0..inputs.len() {
        let (fused, composed) = (floats(&fused[which + 1]), floats(&composed[which + 1]));
        assert_close(&fused, &composed, tolerance, &format!("fused gradient of input {which}"));
        let step = (composed.len() / 40).max(1);
        for i in (0..composed.len()).step_by(step) {
            let (kept, h) = (values[which][i], 1e-5);
            values[which][i] = kept + h;
            let above = loss(&values);
            values[which][i] = kept - h;
            let difference = (above - loss(&values)) / (2.0 * h);
            values[which][i] = kept;
            assert_close(&[composed[i]], &[difference], 2e-6, &format!("gradient {i} of input {which}"));
        }
    }
}

/// Output and gradients must be the same bytes under pools of one and of three threads.
#[track_caller]
fn check_threads(inputs: &[Input], op: impl Fn(&[Tensor]) -> Result<Tensor> + Sync) {
    let under = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| run(inputs, DType::F32, &op).iter().map(bits).collect::<Vec<_>>())
    };
    assert!(under(1) == under(3), "results depend on the number of threads");
}
