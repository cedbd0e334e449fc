use super::*;
use crate::schedule::{Schedule, learning_rate};
use crate::tiny::random;
use candle_core::DType;
use serde::Deserialize;
use std::collections::BTreeMap;

type Values = BTreeMap<String, Vec<f64>>;

/// Written by `training/reference/adamw.py`.
#[derive(Deserialize)]
struct Golden {
    settings: GoldenSettings,
    shapes: BTreeMap<String, Vec<usize>>,
    start: Values,
    steps: Vec<GoldenStep>,
}

#[derive(Deserialize)]
struct GoldenSettings {
    steps: u64,
    warmup: u64,
    peak: f64,
    weight_decay: f64,
    betas: [f64; 2],
    eps: f64,
    clip_norm: f64,
}

#[derive(Deserialize)]
struct GoldenStep {
    lr: f64,
    norm: f64,
    gradients: Values,
    values: Values,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("../../tests/golden/adamw.json")).unwrap()
}

fn tensor(values: &[f64], shape: &[usize], dtype: DType) -> Tensor {
    Tensor::from_slice(values, shape, &HOST).unwrap().to_dtype(dtype).unwrap()
}

fn flat(tensor: &Tensor) -> Vec<f64> {
    tensor.to_dtype(DType::F64).unwrap().flatten_all().unwrap().to_vec1().unwrap()
}

fn follow(golden: &Golden, dtype: DType, tolerance: f64) {
    let GoldenSettings { steps, warmup, peak, weight_decay, betas, eps, clip_norm } = golden.settings;
    let all = |values: &Values| -> Vec<(String, Tensor)> {
        golden.shapes.iter().map(|(name, shape)| (name.clone(), tensor(&values[name], shape, dtype))).collect()
    };
    let vars = all(&golden.start).into_iter().map(|(name, value)| (name, Var::from_tensor(&value).unwrap()));
    let mut adamw = AdamW::new(vars.rev().collect(), Settings { betas, eps, weight_decay }).unwrap();
    for (number, step) in golden.steps.iter().enumerate() {
        let lr = learning_rate(number as u64, &Schedule { peak, warmup, steps });
        assert!((lr - step.lr).abs() < 1e-15);
        let gradients: Vec<Tensor> = all(&step.gradients).into_iter().map(|(_, gradient)| gradient).collect();
        let norm = global_norm(&gradients).unwrap();
        assert!((norm - step.norm).abs() < tolerance * step.norm, "norm of step {number}: {norm} not {}", step.norm);
        adamw.step(&gradients, lr, clip_factor(norm, clip_norm)).unwrap();
        for (name, var) in adamw.parameters() {
            for (found, wanted) in flat(var).iter().zip(&step.values[name]) {
                assert!((found - wanted).abs() < tolerance, "step {number}, {name}: {found} not {wanted}");
            }
        }
    }
    assert_eq!(adamw.steps(), steps);
}

#[test]
fn the_fused_update_follows_pytorch() {
    follow(&golden(), DType::F32, 1e-6);
}

#[test]
fn the_composed_update_follows_pytorch() {
    follow(&golden(), DType::F64, 1e-13);
}

#[test]
fn the_golden_run_clips_some_steps_and_decays_some_parameters() {
    let golden = golden();
    let clipped = golden.steps.iter().filter(|step| step.norm > golden.settings.clip_norm).count();
    assert!((5..15).contains(&clipped));
    let decaying: Vec<&String> =
        golden.shapes.iter().filter(|(name, shape)| decays(name, shape.len())).map(|(name, _)| name).collect();
    assert_eq!(decaying, ["tower.weight"]);
}

#[test]
fn decay_spares_vectors_norms_biases_and_the_scale() {
    assert!(decays("visual.conv1.weight", 4));
    assert!(decays("token_embedding.weight", 2) && decays("positional_embedding", 2) && decays("text_projection", 2));
    assert!(!decays("visual.class_embedding", 1) && !decays("logit_scale", 0));
    assert!(!decays("ln_final.weight", 2) && !decays("tower.bn1.weight", 2) && !decays("x.bias", 2));
}

/// Larger than several chunks, and not a whole number of them.
const LARGE: usize = 50_001;
const SETTINGS: Settings = Settings { betas: [0.9, 0.98], eps: 1e-6, weight_decay: 0.1 };

fn large(steps: u64) -> (AdamW, f64) {
    let vars = vec![("a.weight".to_owned(), Var::from_tensor(&random(1, &[1, LARGE]).unwrap()).unwrap())];
    let mut adamw = AdamW::new(vars, SETTINGS).unwrap();
    let norm = advance(&mut adamw, steps);
    (adamw, norm)
}

fn advance(adamw: &mut AdamW, steps: u64) -> f64 {
    let mut norm = 0.0;
    for _ in 0..steps {
        let gradient = random(2 + adamw.steps(), &[1, LARGE]).unwrap();
        norm = global_norm(std::slice::from_ref(&gradient)).unwrap();
        adamw.step(&[gradient], 0.01, clip_factor(norm, 1.0)).unwrap();
    }
    norm
}

fn values(adamw: &AdamW) -> Vec<f32> {
    adamw.parameters().flat_map(|(_, var)| var.flatten_all().unwrap().to_vec1::<f32>().unwrap()).collect()
}

/// The rule in f64, one number at a time.
#[test]
fn a_parameter_of_many_chunks_follows_the_rule() {
    let (adamw, _) = large(3);
    let mut wanted: Vec<[f64; 3]> = flat(&random(1, &[LARGE]).unwrap()).into_iter().map(|x| [x, 0.0, 0.0]).collect();
    for step in 1..=3 {
        let gradient = flat(&random(1 + step as u64, &[LARGE]).unwrap());
        let norm = gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
        for ([x, m, v], g) in wanted.iter_mut().zip(gradient) {
            let g = g / (norm + 1e-6);
            *x *= 1.0 - 0.01 * 0.1;
            *m = 0.9 * *m + 0.1 * g;
            *v = 0.98 * *v + 0.02 * g * g;
            *x -= 0.01 * (*m / (1.0 - 0.9f64.powi(step))) / ((*v / (1.0 - 0.98f64.powi(step))).sqrt() + 1e-6);
        }
    }
    for (found, [wanted, ..]) in values(&adamw).iter().zip(wanted) {
        assert!((f64::from(*found) - wanted).abs() < 1e-6, "{found} not {wanted}");
    }
}

#[test]
fn the_number_of_threads_does_not_show() {
    let with_threads = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let (adamw, norm) = pool.install(|| large(3));
        (values(&adamw).iter().map(|value| value.to_bits()).collect::<Vec<_>>(), norm.to_bits())
    };
    assert!(with_threads(1) == with_threads(3));
}

#[test]
fn the_norm_covers_all_gradients_in_any_type_and_layout() {
    let numbers = [random(1, &[100, 30]).unwrap(), random(2, &[7]).unwrap()];
    let wanted = numbers.iter().flat_map(flat).map(|g| g * g).sum::<f64>().sqrt();
    let near = |gradients: &[Tensor], tolerance: f64| {
        let found = global_norm(gradients).unwrap();
        assert!((found - wanted).abs() < tolerance * wanted, "{found} not {wanted}");
    };
    near(&numbers, 1e-12);
    near(&[numbers[0].t().unwrap(), numbers[1].clone()], 1e-6);
    near(&numbers.each_ref().map(|t| t.to_dtype(DType::F64).unwrap()), 1e-12);
    near(&numbers.each_ref().map(|t| t.to_dtype(DType::BF16).unwrap()), 1e-2);
    assert_eq!(clip_factor(0.5, 1.0), 1.0);
    assert!((clip_factor(4.0, 1.0) * 4.0 - 1.0).abs() < 1e-6);
    let largest = Tensor::new(&[f32::MAX, f32::MAX], &HOST).unwrap();
    assert!(global_norm(&[largest]).unwrap().is_finite());
}

#[test]
fn a_restored_state_continues_to_the_bit() {
    let (mut whole, _) = large(3);
    let state = whole.export().unwrap();
    let copied = Var::from_tensor(&whole.parameters().next().unwrap().1.copy().unwrap()).unwrap();
    advance(&mut whole, 3);
    let mut resumed = AdamW::new(vec![("a.weight".to_owned(), copied)], SETTINGS).unwrap();
    resumed.import(&state).unwrap();
    assert_eq!(resumed.steps(), 3);
    advance(&mut resumed, 3);
    assert!(values(&whole) == values(&resumed));
}

#[test]
fn a_state_of_other_parameters_is_refused() {
    let make = |name: &str, shape: &[usize]| {
        let var = Var::from_tensor(&random(1, shape).unwrap()).unwrap();
        let mut adamw = AdamW::new(vec![(name.to_owned(), var.clone())], SETTINGS).unwrap();
        adamw.step(&[random(2, shape).unwrap()], 0.1, 1.0).unwrap();
        adamw
    };
    let mut adamw = make("a", &[2, 3]);
    for (name, shape) in [("b", &[2, 3][..]), ("a", &[3, 2])] {
        let error = adamw.import(&make(name, shape).export().unwrap()).unwrap_err();
        assert!(matches!(error, ParameterError::State(_)), "{error}");
    }
    let none = State { steps: 9, moments: vec![] };
    assert!(adamw.import(&none).is_err());
    assert_eq!(adamw.steps(), 1);
}

#[test]
fn a_copied_state_is_not_shared_with_the_running_optimizer() {
    let var = Var::from_tensor(&random(1, &[4]).unwrap().to_dtype(DType::F64).unwrap()).unwrap();
    let gradient = random(2, &[4]).unwrap().to_dtype(DType::F64).unwrap();
    let mut adamw = AdamW::new(vec![("a".to_owned(), var)], SETTINGS).unwrap();
    adamw.step(std::slice::from_ref(&gradient), 0.1, 1.0).unwrap();
    let state = adamw.export().unwrap();
    let before = flat(&state.moments[0].first);
    adamw.step(&[gradient], 0.1, 1.0).unwrap();
    assert_eq!(flat(&state.moments[0].first), before);
    assert_ne!(flat(&adamw.export().unwrap().moments[0].first), before);
    adamw.import(&state).unwrap();
    assert_eq!((flat(&adamw.export().unwrap().moments[0].first), adamw.steps()), (before, 1));
}

#[test]
fn what_does_not_fit_changes_nothing() {
    let (mut adamw, _) = large(1);
    let before = values(&adamw);
    let wrong = [
        vec![],
        vec![random(1, &[LARGE]).unwrap()],
        vec![random(1, &[1, LARGE]).unwrap().to_dtype(DType::F64).unwrap()],
    ];
    for gradients in wrong {
        assert!(adamw.step(&gradients, 0.1, 1.0).is_err());
    }
    assert!(values(&adamw) == before && adamw.steps() == 1);
    let var = || Var::from_tensor(&random(1, &[1]).unwrap()).unwrap();
    assert!(matches!(AdamW::new(vec![], SETTINGS), Err(ParameterError::None)));
    let twice = vec![("a".to_owned(), var()), ("b".to_owned(), var()), ("a".to_owned(), var())];
    assert!(matches!(AdamW::new(twice, SETTINGS), Err(ParameterError::Repeated(name)) if name == "a"));
}
