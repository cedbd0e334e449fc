use super::*;
use crate::batches::Sampler;
use crate::tiny::{Tiny, Twins, recipe};

fn train(model: &Tiny, recipe: &Recipe) -> Vec<StepReport> {
    let mut trainer = Trainer::new(model, recipe.clone()).unwrap();
    let mut sampler = Sampler::new(recipe.seed, recipe.batch, 6).unwrap();
    let mut reports = Vec::new();
    while !trainer.is_done() {
        reports.push(trainer.step(&sampler.next_batch(&Twins)).unwrap());
    }
    reports
}

/// Every image with all captions that get one half wrong.
fn judged() -> Vec<Sample> {
    let mut sampler = Sampler::new(0, 6, 6).unwrap();
    let visits: Vec<Sample> = (0..40).flat_map(|_| sampler.next_batch(&Twins)).collect();
    assert!(visits.iter().any(|sample| sample.negatives != visits[0].negatives));
    visits
}

#[test]
fn memorises_a_tiny_set() {
    let model = Tiny::new(1);
    let reports = train(&model, &recipe());
    let (first, last) = (&reports[0], &reports[199]);
    assert!(first.loss > 1.0, "{first:?}");
    assert!(last.loss < 0.01, "{last:?}");
    assert_eq!(reports.iter().map(|report| report.step).collect::<Vec<_>>(), (0..200).collect::<Vec<_>>());
    assert!((first.lr - 0.005).abs() < 1e-12 && last.lr < 1e-5);
    assert!(reports.iter().all(|report| report.grad_norm.is_finite() && report.seconds > 0.0));
}

#[test]
fn learns_to_reject_hard_negatives() {
    let least = |model: &Tiny| model.margins(&judged()).into_iter().fold(f32::MAX, f32::min);
    let (without, with) = (Tiny::new(1), Tiny::new(1));
    assert!(least(&with) < 0.0, "untrained, some negative wins: {}", least(&with));
    train(&without, &recipe());
    let reports = train(&with, &Recipe { negatives_per_caption: 2, ..recipe() });
    assert!(reports[0].loss > 2.0 && reports[199].loss < 0.01, "{:?}", reports[199]);
    // Measured: 0.45 with negatives, 0.10 without.
    assert!(least(&with) > 0.3 && least(&without) < 0.2, "{} against {}", least(&with), least(&without));
}

#[test]
fn negatives_beyond_the_recipe_are_left_out() {
    let batch = Sampler::new(0, 6, 6).unwrap().next_batch(&Twins);
    let loss = |negatives_per_caption| {
        let model = Tiny::new(1);
        Trainer::new(&model, Recipe { negatives_per_caption, ..recipe() }).unwrap().step(&batch).unwrap().loss
    };
    assert!(loss(0) < loss(1) && loss(1) < loss(2));
    assert_eq!(loss(2), loss(100));
}

#[test]
fn long_gradients_are_clipped() {
    let batch = Sampler::new(0, 6, 6).unwrap().next_batch(&Twins);
    for clip_norm in [Some(0.01), None] {
        let model = Tiny::new(1);
        let mut trainer = Trainer::new(&model, Recipe { clip_norm, ..recipe() }).unwrap();
        let report = trainer.step(&batch).unwrap();
        assert!(report.grad_norm > 0.1);
        // After one step the mean gradient is a tenth of the gradient that was followed.
        let state = trainer.optimizer().export().unwrap();
        let followed: Vec<Tensor> = state.moments.into_iter().map(|moment| moment.first).collect();
        let followed = 10.0 * global_norm(&followed).unwrap();
        let wanted = clip_norm.unwrap_or(report.grad_norm);
        assert!((followed / wanted - 1.0).abs() < 1e-3, "{followed} not {wanted}");
    }
}

#[test]
fn steps_after_the_last_change_nothing() {
    let model = Tiny::new(1);
    let batch = Sampler::new(0, 6, 6).unwrap().next_batch(&Twins);
    let mut trainer = Trainer::new(&model, Recipe { steps: 1, warmup: 0, ..recipe() }).unwrap();
    let untrained = model.bytes();
    trainer.step(&batch).unwrap();
    let trained = model.bytes();
    assert!(trainer.is_done() && trained != untrained);
    assert_eq!(trainer.step(&batch).unwrap().lr, 0.0);
    assert_eq!(model.bytes(), trained);
}

#[test]
fn the_same_seed_gives_the_same_bytes() {
    let bytes = |seed, threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let model = Tiny::new(1);
        let recipe = Recipe { seed, steps: 30, batch: 4, negatives_per_caption: 2, ..recipe() };
        pool.install(|| train(&model, &recipe));
        model.bytes()
    };
    assert_eq!(bytes(1, 1), bytes(1, 1));
    assert_eq!(bytes(1, 1), bytes(1, 3));
    assert_ne!(bytes(1, 1), bytes(2, 1));
}

#[test]
fn the_scale_stays_in_its_bounds() {
    let highest = 1.2;
    let model = Tiny::new(1);
    let reports = train(&model, &Recipe { logit_scale_max: highest, ..recipe() });
    assert!(reports.iter().all(|report| (0.0..=highest).contains(&report.logit_scale)));
    assert_eq!(reports[199].logit_scale, highest);
    let stored: f32 = model.logit_scale().unwrap().to_scalar().unwrap();
    assert!((f64::from(stored) - highest).abs() < 1e-6);
}

/// The tiny model with one thing wrong.
#[derive(Debug)]
struct Broken {
    inner: Tiny,
    fault: Fault,
}

#[derive(Debug, PartialEq)]
enum Fault {
    /// The loss is not a number.
    Loss,
    /// The loss is a number, its gradient is not: the root of zero.
    Gradient,
    /// The text tower is cut off from its parameters.
    Cut,
    /// No parameters.
    Empty,
}

impl TwoTower for Broken {
    fn preprocess(&self, image: &image::RgbImage) -> Vec<u8> {
        self.inner.preprocess(image)
    }

    fn tokenize(&self, text: &str) -> Vec<u32> {
        self.inner.tokenize(text)
    }

    fn encode_images(&self, images: &[&[u8]]) -> candle_core::Result<Tensor> {
        let encoded = self.inner.encode_images(images)?;
        match self.fault {
            Fault::Loss => encoded * f64::NAN,
            Fault::Gradient => &encoded + (&encoded - encoded.detach())?.sqr()?.sqrt()?,
            Fault::Cut | Fault::Empty => Ok(encoded),
        }
    }

    fn encode_texts(&self, texts: &[&[u32]]) -> candle_core::Result<Tensor> {
        let encoded = self.inner.encode_texts(texts)?;
        Ok(if self.fault == Fault::Cut { encoded.detach() } else { encoded })
    }

    fn logit_scale(&self) -> candle_core::Result<Tensor> {
        self.inner.logit_scale()
    }

    fn trainable(&self) -> Vec<(String, Var)> {
        if self.fault == Fault::Empty { vec![] } else { self.inner.trainable() }
    }
}

fn refused(fault: Fault) -> TrainError {
    let model = Broken { inner: Tiny::new(1), fault };
    let before = model.inner.bytes();
    let mut trainer = Trainer::new(&model, recipe()).unwrap();
    let error = trainer.step(&Sampler::new(0, 6, 6).unwrap().next_batch(&Twins)).unwrap_err();
    assert_eq!(trainer.next_step(), 0);
    assert!(
        trainer
            .optimizer()
            .export()
            .unwrap()
            .moments
            .iter()
            .all(|moment| { moment.first.abs().unwrap().sum_all().unwrap().to_scalar::<f32>().unwrap() == 0.0 })
    );
    assert_eq!(model.inner.bytes(), before);
    error
}

#[test]
fn what_is_not_finite_is_refused_before_the_weights_are_touched() {
    let error = refused(Fault::Loss);
    assert!(matches!(error, TrainError::NotFinite { step: 0, quantity: "loss", value } if value.is_nan()), "{error}");
    assert_eq!(error.to_string(), "The loss of step 0 is NaN");
    let error = refused(Fault::Gradient);
    assert!(matches!(error, TrainError::NotFinite { step: 0, quantity: "gradient norm", .. }), "{error}");
}

#[test]
fn a_cut_gradient_is_named() {
    let error = refused(Fault::Cut);
    assert!(matches!(&error, TrainError::NoGradient { name } if name == "text.embedding"), "{error}");
}

#[test]
fn what_cannot_be_trained_is_refused() {
    let model = Broken { inner: Tiny::new(1), fault: Fault::Empty };
    assert!(matches!(Trainer::new(&model, recipe()).unwrap_err(), TrainError::Parameter(ParameterError::None)));
    let model = Tiny::new(1);
    let wrong = Recipe { lr: f64::NAN, ..recipe() };
    assert!(matches!(Trainer::new(&model, wrong).unwrap_err(), TrainError::Recipe(_)));
    let mut trainer = Trainer::new(&model, recipe()).unwrap();
    assert!(matches!(trainer.step(&[]).unwrap_err(), TrainError::EmptyBatch { step: 0 }));
}
