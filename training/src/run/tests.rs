use super::*;
use crate::batches::Sampler;
use crate::captions::{Fault, FaultCounts, FaultKind};
use crate::indexed::Indexed;
use crate::run_directory::{RunDirectory, RunState};
use crate::tiny::{self, Tiny, Twins, room};
use candle_core::{Device, safetensors};
use std::cell::Cell;
use std::collections::HashMap;
use std::path::PathBuf;

const STEPS: u64 = 7;

fn recipe() -> Recipe {
    Recipe { steps: STEPS, batch: 4, negatives_per_caption: 2, checkpoint_every: 2, ..tiny::recipe() }
}

/// A program around [`Tiny`], with switches for what can go wrong.
struct Program<'a> {
    model: &'a Tiny,
    is_disk_full: &'a Cell<bool>,
    evaluated: Vec<u64>,
    is_evaluation_broken: bool,
}

impl Host for Program<'_> {
    fn save(&self, folder: &Path) -> Result<(), HostError> {
        if self.is_disk_full.get() {
            std::fs::write(folder.join("model.safetensors"), "half")?;
            return Err(Box::new(io::Error::from(io::ErrorKind::StorageFull)));
        }
        let tensors: HashMap<_, _> =
            self.model.trainable().into_iter().map(|(name, var)| (name, var.as_detached_tensor())).collect();
        Ok(safetensors::save(&tensors, folder.join("model.safetensors"))?)
    }

    fn load(&self, folder: &Path) -> Result<(), HostError> {
        let tensors = safetensors::load(folder.join("model.safetensors"), &Device::Cpu)?;
        for (name, var) in self.model.trainable() {
            var.set(&tensors[&name])?;
        }
        Ok(())
    }

    fn evaluate(&mut self, step: u64, go_on: &mut dyn FnMut() -> bool) -> Result<Option<Vec<RunEvent>>, HostError> {
        if self.is_evaluation_broken {
            return Err("no such benchmark".into());
        }
        if !go_on() {
            return Ok(None);
        }
        self.evaluated.push(step);
        Ok(Some(vec![score(step)]))
    }

    fn finish(&mut self, writer: &Writer, summary: &Summary) -> Result<RunResult, HostError> {
        writer.folder("weights/hf", |folder| self.save(folder).map_err(io::Error::other))?;
        let weights = vec!["weights/hf".to_owned()];
        Ok(RunResult { weights, steps: summary.steps, seconds: summary.seconds, sha256: String::new() })
    }

    fn parameters(&self) -> u64 {
        1_000
    }

    fn memory(&self) -> Option<u64> {
        Some(1 << 20)
    }
}

fn score(step: u64) -> RunEvent {
    RunEvent::Evaluated {
        step,
        alpha: 0.6,
        benchmark: "aro-relation".into(),
        task: None,
        metric: "accuracy".into(),
        value: 50.0,
        interval: [40.0, 60.0],
        correct: 5.0,
        scored: 10,
        skipped: 0,
        ties: 0,
    }
}

/// Samples whose worker dies (so that nothing is saved) when it is asked for batch `end`.
struct Mortal {
    samples: Indexed<Twins>,
    end: u64,
    faults: usize,
}

impl Mortal {
    fn until(end: u64) -> Self {
        let Recipe { seed, batch, .. } = recipe();
        Self { samples: Indexed::new(Twins, seed, batch).unwrap(), end, faults: 0 }
    }
}

impl BatchSource for Mortal {
    fn next_batch(&mut self) -> Result<Vec<Sample>, SourceError> {
        let taken = self.samples.fault_counts().samples / recipe().batch as u64;
        if taken == self.end { Err(SourceError::Workers("killed".into())) } else { self.samples.next_batch() }
    }

    fn position(&self) -> serde_json::Value {
        self.samples.position()
    }

    fn seek(&mut self, position: &serde_json::Value) -> Result<(), SourceError> {
        self.samples.seek(position)
    }

    fn take_faults(&mut self) -> Vec<Fault> {
        let faults = std::mem::take(&mut self.faults);
        (0..faults).map(|i| Fault::new(FaultKind::BrokenImage, format!("a.tar/{i}"), "no image")).collect()
    }

    fn fault_counts(&self) -> FaultCounts {
        let mut counts = self.samples.fault_counts();
        counts.faults.insert(FaultKind::BrokenImage, 3);
        counts
    }

    fn samples(&self) -> Option<u64> {
        self.samples.samples()
    }
}

/// A run directory that is worked on again and again, each time with a new model.
struct Desk {
    _room: tiny::Room,
    run: RunDirectory,
    full: Cell<bool>,
    broken_evaluation: bool,
}

impl Desk {
    fn new(recipe: &Recipe) -> Self {
        let (room, path) = room();
        let run = RunDirectory::create_at(&path.join("run"), recipe).unwrap();
        Self { _room: room, run, full: Cell::new(false), broken_evaluation: false }
    }

    /// Ending and evaluated steps; `stop` is asked before every step.
    fn work(&self, source: &mut Mortal, stop: &dyn Fn() -> bool) -> (Result<Ending, RunFailure>, Vec<u64>) {
        let model = Tiny::new(1);
        let mut host = Program {
            model: &model,
            is_disk_full: &self.full,
            evaluated: Vec::new(),
            is_evaluation_broken: self.broken_evaluation,
        };
        let mut writer = Writer::open(self.run.clone()).unwrap();
        let worker = Worker { model: &model, source, host: &mut host, device: "CPU".into(), stop };
        let ending = run(worker, &mut writer);
        (ending, host.evaluated)
    }

    fn complete(&self) {
        assert_eq!(self.work(&mut Mortal::until(u64::MAX), &|| false).0.unwrap(), Ending::Done);
        assert_eq!(self.run.state().unwrap(), RunState::Done);
    }

    fn bytes(&self) -> Vec<u8> {
        std::fs::read(self.run.path().join("weights/hf/model.safetensors")).unwrap()
    }

    fn events(&self) -> Vec<RunEvent> {
        crate::run_directory::without_superseded(self.run.events(0).unwrap().0)
            .into_iter()
            .map(|line| line.event)
            .collect()
    }

    fn steps(&self) -> Vec<u64> {
        let step = |event: &RunEvent| if let RunEvent::Step { step, .. } = event { Some(*step) } else { None };
        self.events().iter().filter_map(step).collect()
    }

    fn checkpoints(&self) -> Vec<u64> {
        self.run.checkpoints().unwrap().iter().map(|checkpoint| checkpoint.step).collect()
    }

    fn warnings(&self) -> Vec<String> {
        let text = |event| if let RunEvent::Warning { message } = event { Some(message) } else { None };
        self.events().into_iter().filter_map(text).collect()
    }
}

fn whole() -> Vec<u8> {
    let desk = Desk::new(&recipe());
    desk.complete();
    desk.bytes()
}

#[test]
fn a_run_is_the_trainer_with_its_data() {
    let model = Tiny::new(1);
    let mut trainer = Trainer::new(&model, recipe()).unwrap();
    let mut sampler = Sampler::new(recipe().seed, 4, 6).unwrap();
    while !trainer.is_done() {
        trainer.step(&sampler.next_batch(&Twins)).unwrap();
    }
    let full = Cell::new(false);
    let host = Program { model: &model, is_disk_full: &full, evaluated: vec![], is_evaluation_broken: false };
    let (_room, path) = room();
    host.save(&path).unwrap();
    assert_eq!(std::fs::read(path.join("model.safetensors")).unwrap(), whole());
}

#[test]
fn killed_before_any_step_and_resumed_it_gives_the_same_bytes() {
    let whole = whole();
    for end in 0..STEPS {
        let desk = Desk::new(&recipe());
        let (ending, _) = desk.work(&mut Mortal::until(end), &|| false);
        assert!(matches!(ending, Err(RunFailure::Source(SourceError::Workers(_)))));
        assert_eq!(desk.run.state().unwrap(), RunState::Interrupted);
        assert_eq!(desk.checkpoints().last().copied().unwrap_or(0), end / 2 * 2, "the newest before step {end}");
        desk.complete();
        assert_eq!(desk.bytes(), whole, "killed at step {end}");
        assert_eq!(desk.steps(), (1..=STEPS).collect::<Vec<_>>(), "every step is told once");
    }
}

#[test]
fn killed_again_and_again_it_still_gives_the_same_bytes() {
    let desk = Desk::new(&Recipe { checkpoint_every: 1, ..recipe() });
    for end in 0..STEPS {
        desk.work(&mut Mortal::until(end), &|| false).0.unwrap_err();
    }
    desk.complete();
    assert_eq!(desk.bytes(), whole());
    assert_eq!(desk.checkpoints(), [5, 6, 7], "three are kept");
}

#[test]
fn what_was_killed_before_it_removed_the_oldest_checkpoint_does_so_when_resumed() {
    let desk = Desk::new(&recipe());
    desk.work(&mut Mortal::until(6), &|| false).0.unwrap_err();
    assert_eq!(desk.checkpoints(), [2, 4, 6]);
    let folder = |step: u64| desk.run.path().join(format!("checkpoints/step_{step:06}"));
    std::fs::create_dir(folder(1)).unwrap();
    for file in std::fs::read_dir(folder(2)).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), folder(1).join(file.file_name())).unwrap();
    }
    assert_eq!(desk.checkpoints(), [1, 2, 4, 6]);
    desk.work(&mut Mortal::until(6), &|| false).0.unwrap_err();
    assert_eq!(desk.checkpoints(), [2, 4, 6]);
}

#[test]
fn stopped_at_any_step_it_is_saved_there() {
    let whole = whole();
    for at in 0..STEPS {
        let desk = Desk::new(&Recipe { checkpoint_every: 100, ..recipe() });
        let asked = Cell::new(0);
        let stop = || asked.replace(asked.get() + 1) == at;
        assert_eq!(desk.work(&mut Mortal::until(u64::MAX), &stop).0.unwrap(), Ending::Stopped);
        assert_eq!((desk.run.state().unwrap(), desk.checkpoints()), (RunState::Stopped, vec![at]));
        assert_eq!(desk.events().last(), Some(&RunEvent::Stopped { step: at }));
        desk.complete();
        assert_eq!(desk.bytes(), whole, "stopped at step {at}");
    }
}

#[test]
fn control_files_stop_and_save() {
    let desk = Desk::new(&Recipe { checkpoint_every: 100, ..recipe() });
    desk.run.request(Control::Save).unwrap();
    let asked = Cell::new(0);
    let stop = || {
        if asked.replace(asked.get() + 1) == 3 {
            desk.run.request(Control::Stop).unwrap();
        }
        false
    };
    assert_eq!(desk.work(&mut Mortal::until(u64::MAX), &stop).0.unwrap(), Ending::Stopped);
    assert_eq!(desk.checkpoints(), [0, 3]);
}

#[test]
fn evaluations_come_at_their_steps_once_whatever_happens() {
    let recipe = Recipe { evaluate_every: 3, evaluate_benchmarks: vec!["aro-relation".into()], ..recipe() };
    let desk = Desk::new(&recipe);
    assert_eq!(desk.work(&mut Mortal::until(u64::MAX), &|| false).1, [3, 6, STEPS]);
    // Asked to stop while it evaluates at step 3: what is asked before step 3 are three steps.
    let desk = Desk::new(&recipe);
    let asked = Cell::new(0);
    let stop = || asked.replace(asked.get() + 1) == 3;
    let (ending, evaluated) = desk.work(&mut Mortal::until(u64::MAX), &stop);
    assert_eq!((ending.unwrap(), evaluated), (Ending::Stopped, vec![]));
    assert_eq!(desk.work(&mut Mortal::until(u64::MAX), &|| false).1, [3, 6, STEPS], "made up for after the stop");
    let scores = desk.events().iter().filter(|event| matches!(event, RunEvent::Evaluated { .. })).count();
    assert_eq!(scores, 3);
}

#[test]
fn a_broken_evaluation_is_a_warning() {
    let benchmarks = vec!["aro-relation".into()];
    let mut desk = Desk::new(&Recipe { evaluate_benchmarks: benchmarks, ..recipe() });
    desk.broken_evaluation = true;
    desk.complete();
    assert_eq!(desk.bytes(), whole());
    assert!(desk.warnings().iter().any(|warning| warning.contains("no such benchmark")), "{:?}", desk.warnings());
}

#[test]
fn a_full_disk_costs_a_checkpoint_and_no_more() {
    let desk = Desk::new(&recipe());
    let asked = Cell::new(0);
    // Full from step 3 to step 5: the checkpoint of step 4 finds no room.
    let stop = || {
        asked.set(asked.get() + 1);
        desk.full.set((4..=5).contains(&asked.get()));
        false
    };
    assert_eq!(desk.work(&mut Mortal::until(u64::MAX), &stop).0.unwrap(), Ending::Done);
    assert_eq!(desk.checkpoints(), [2, 6, 7]);
    assert_eq!(desk.bytes(), whole());
    assert!(desk.warnings().iter().any(|warning| warning.contains("without this checkpoint")), "{:?}", desk.warnings());
    let left = std::fs::read_dir(desk.run.path().join("checkpoints")).unwrap().count();
    assert_eq!(left, 3, "nothing half written is left");
}

#[test]
fn a_disk_that_stays_full_fails_the_end_which_can_be_resumed() {
    let desk = Desk::new(&recipe());
    let asked = Cell::new(0);
    let stop = || {
        asked.set(asked.get() + 1);
        desk.full.set(asked.get() >= 7);
        false
    };
    let failure = desk.work(&mut Mortal::until(u64::MAX), &stop).0.unwrap_err();
    assert!(matches!(failure, RunFailure::Finish(_)), "{failure}");
    assert!(failure.to_string().contains("make room and resume"), "{failure}");
    assert_eq!(desk.checkpoints(), [2, 4, 6], "what was saved is there");
    desk.full.set(false);
    desk.complete();
    assert_eq!(desk.bytes(), whole());
}

#[test]
fn a_stop_that_cannot_be_saved_fails_and_says_so() {
    let desk = Desk::new(&recipe());
    desk.full.set(true);
    let failure = desk.work(&mut Mortal::until(u64::MAX), &|| true).0.unwrap_err();
    assert!(failure.to_string().contains("write the checkpoint"), "{failure}");
}

#[test]
fn a_broken_checkpoint_gives_way_to_the_one_before() {
    let desk = Desk::new(&recipe());
    desk.work(&mut Mortal::until(5), &|| false).0.unwrap_err();
    let file = |step: u64, name: &str| desk.run.path().join(format!("checkpoints/step_{step:06}")).join(name);
    let cut = |path: PathBuf| {
        let bytes = std::fs::read(&path).unwrap();
        std::fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
    };
    cut(file(4, "training.safetensors"));
    desk.work(&mut Mortal::until(6), &|| false).0.unwrap_err();
    assert!(desk.warnings().iter().any(|warning| warning.contains("step_000004")), "{:?}", desk.warnings());
    for step in desk.checkpoints() {
        cut(file(step, "model.safetensors"));
    }
    let failure = desk.work(&mut Mortal::until(6), &|| false).0.unwrap_err();
    assert!(matches!(failure, RunFailure::NoCheckpoint { .. }), "{failure}");
}

#[test]
fn what_is_not_a_number_names_step_data_and_checkpoint() {
    // A rate that throws the weights beyond what f32 holds.
    let desk = Desk::new(&Recipe { lr: 1e38, warmup: 0, clip_norm: None, checkpoint_every: 1, ..recipe() });
    let failure = desk.work(&mut Mortal::until(u64::MAX), &|| false).0.unwrap_err();
    let RunFailure::NotFinite { step, .. } = failure else { panic!("{failure}") };
    let said = failure.to_string();
    let last = desk.checkpoints().pop().unwrap();
    assert_eq!(last, step - 1);
    for part in [&format!("step {step} "), "\"batches\":", &format!("step_{last:06}")] {
        assert!(said.contains(part), "no {part} in {said}");
    }
}

#[test]
fn faults_are_named_up_to_a_number_and_counted() {
    let desk = Desk::new(&recipe());
    let mut source = Mortal::until(u64::MAX);
    source.faults = 150;
    desk.work(&mut source, &|| false).0.unwrap();
    let warnings = desk.warnings();
    assert_eq!(warnings.iter().filter(|warning| warning.contains("no image: a.tar/")).count(), NAMED_FAULTS);
    assert_eq!(warnings.iter().filter(|warning| warning.contains("3 of")).count(), 1, "{warnings:?}");
}

#[test]
fn steps_tell_all_that_is_drawn() {
    let desk = Desk::new(&recipe());
    desk.complete();
    let events = desk.events();
    let RunEvent::Started { step, steps, samples, parameters, trained, .. } = &events[0] else { panic!("{events:?}") };
    assert_eq!((*step, *steps, *samples, *parameters), (0, STEPS, Some(6), 1_000));
    assert_eq!(*trained, 12 * 8 + 8 + 12 * 8 + 1);
    let RunEvent::Step { step, loss, negatives_share, memory_bytes, seconds_left, pairs_per_s, .. } = &events[1] else {
        panic!("{events:?}")
    };
    assert_eq!((*step, *negatives_share, *memory_bytes), (1, 1.0, Some(1 << 20)));
    assert!(*loss > 0.5 && *seconds_left > 0.0 && *pairs_per_s > 0.0);
    assert!(matches!(events.last(), Some(RunEvent::Done { step: STEPS, .. })));
}

#[test]
fn a_trial_writes_nothing() {
    let model = Tiny::new(1);
    let mut losses = Vec::new();
    let trial = trial(&model, &mut Mortal::until(3), &recipe(), 3, &mut |step| losses.push(step.loss)).unwrap();
    assert_eq!(losses.len(), 3);
    assert!(trial.seconds_per_step > 0.0 && (trial.pairs_per_s * trial.seconds_per_step / 4.0 - 1.0).abs() < 1e-9);
}
