//! The engine's loop: commands first, then the focused example, then the probe set, then the sweep, a slice at a time.

mod export;
mod stored;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use candle_core::Device;

use super::event::{Event, Failure, Status};
use super::found::Found;
use super::inbox::{Inbox, Mail};
use super::negatives::Negatives;
use super::pictures::Pictures;
use super::pulse::{Rate, resident_memory};
use super::snapshot::{snapshot, warn_unreadable};
use super::sweep::Sweep;
use super::{Command, End, ExampleId, Outbox, describe, focus, open};
use crate::benchmark::Benchmark;
use crate::checkpoint::Options;
use crate::demo;
use crate::evaluate::{Corpus, Encoder, Order, Pixels, Scoring, Step};
use crate::kernels::Activation;
use crate::patch::AlphaMap;

/// Longest stretch of work between two looks at the inbox.
const SLICE: Duration = Duration::from_millis(25);
/// Least time between two partial answers or two pulses.
const PULSE: Duration = Duration::from_millis(100);

pub(super) struct Worker {
    pub device: Device,
    pub device_name: String,
    pub inbox: Arc<Inbox>,
    pub pictures: Arc<Pictures>,
    pub negatives: Arc<Negatives>,
    pub outbox: Outbox,
    pub options: Options,
    activations: [Option<Activation>; 2],
    generation: u64,
    pair: Option<stored::Opened>,
    encoder: Option<Encoder>,
    found: Option<Found>,
    data: Option<Data>,
    bench: Option<Bench>,
    wanted: AlphaMap,
    focus: Option<ExampleId>,
    focus_is_due: bool,
    /// Whether it needs class prompts that are being embedded.
    focus_waits: bool,
    sweep_runs: bool,
    /// Where scores of earlier runs are.
    results: Option<PathBuf>,
    exports: VecDeque<export::Exporting>,
    /// Images per slice, from the speed of the last one.
    images_per_slice: usize,
    rate: Rate,
    last_answer: Instant,
    last_pulse: Instant,
}

/// The benchmarks at hand.
struct Data {
    benchmarks: Arc<Vec<Benchmark>>,
}

/// A pair and data together: everything that scoring needs.
struct Bench {
    corpus: Corpus,
    pixels: Pixels,
    current: Scoring,
    announced: bool,
    warned: bool,
    sweep: Sweep,
}

impl Worker {
    pub fn new(
        (device, device_name): (Device, String),
        inbox: Arc<Inbox>,
        (pictures, negatives): (Arc<Pictures>, Arc<Negatives>),
        outbox: Outbox,
        options: Options,
    ) -> Self {
        let now = Instant::now();
        Self {
            device,
            device_name,
            inbox,
            pictures,
            negatives,
            outbox,
            options,
            activations: [None, None],
            generation: 0,
            pair: None,
            encoder: None,
            found: None,
            data: None,
            bench: None,
            wanted: AlphaMap::BASE,
            focus: None,
            focus_is_due: false,
            focus_waits: false,
            results: None,
            exports: VecDeque::new(),
            sweep_runs: true,
            images_per_slice: 8,
            rate: Rate::default(),
            last_answer: now,
            last_pulse: now,
        }
    }

    /// Serves until `Quit`.
    pub fn run(mut self) {
        self.pulse("", true);
        loop {
            let idle = !self.has_work();
            if idle {
                self.pulse("", true);
            }
            if self.serve(self.inbox.take(idle)) {
                return;
            }
            if let Err(error) = self.work() {
                // Weights and data are as they were; what cannot be computed would only fail again.
                self.bench = None;
                self.outbox.send(Event::Failed(Failure::of("scoring stopped", &error)));
            }
        }
    }

    fn has_secondary(&self, bench: &Bench) -> bool {
        !self.exports.is_empty() || (self.sweep_runs && !bench.sweep.ended)
    }

    fn has_work(&self) -> bool {
        self.bench.as_ref().is_some_and(|bench| self.focus_is_due || !bench.announced || self.has_secondary(bench))
    }

    /// Whether to quit.
    fn serve(&mut self, mail: Mail) -> bool {
        for command in mail.queue {
            match command {
                Command::OpenPair { base, tuned } => self.open_pair(&base, &tuned),
                Command::OpenData { folder } => self.open_data(folder.as_deref()),
                Command::ChooseData { chosen, limit } => {
                    if self.found.as_mut().is_some_and(|found| found.choose(chosen, limit)) {
                        self.take_found();
                    }
                }
                Command::RunSweep(run) => {
                    self.sweep_runs = run;
                    self.report_sweep();
                }
                Command::RunMap => self.run_map(),
                Command::UseResults(folder) => self.results = folder,
                Command::UseActivations(activations) => self.activations = activations,
                Command::Export(export) => self.export(*export),
                Command::Quit => return true,
                // The slots hold the first two, threads of their own serve the others.
                Command::Fetch { .. }
                | Command::StopFetch(_)
                | Command::SetAlpha(_)
                | Command::Focus(_)
                | Command::ShowThumbnails(_)
                | Command::ShowPicture(_)
                | Command::PreviewNegatives { .. } => {}
            }
        }
        if let Some(alpha) = mail.alpha {
            self.move_to(alpha);
        }
        if let Some(focus) = mail.focus {
            self.focus = focus;
            self.focus_is_due = focus.is_some();
        }
        false
    }

    fn move_to(&mut self, alpha: AlphaMap) {
        self.wanted = alpha;
        self.focus_is_due = self.focus.is_some();
        if let Some(bench) = &mut self.bench {
            if bench.current.alpha() != alpha {
                bench.current.restart(alpha);
            }
            bench.announced = false;
        }
    }

    fn open_pair(&mut self, base: &Path, tuned: &Path) {
        self.outbox.send(Event::Opening { what: format!("{} and {}", base.display(), tuned.display()) });
        let read = |end: End, path| open::read_end(end, path, self.activations[end.place()], self.options);
        let (base, tuned) = rayon::join(|| read(End::Base, base), || read(End::Tuned, tuned));
        let (pair, encoder) = match base.and_then(|base| open::prove(base, tuned?, &self.device)) {
            Ok(opened) => opened,
            Err(failure) => return self.outbox.send(Event::Failed(failure)),
        };
        self.generation += 1;
        self.pictures.set_generation(self.generation);
        self.negatives.set_tokenizer(encoder.shared_tokenizer(), describe::name(&pair.base));
        self.encoder = Some(encoder);
        let opened = self.pair.insert(stored::Opened::new(&pair, self.results.is_some()));
        let info = Arc::clone(&opened.info);
        self.outbox.send(Event::PairOpened { generation: self.generation, pair: Arc::clone(&info) });
        open::hash(pair, info, &self.outbox);
        self.prepare();
    }

    fn open_data(&mut self, folder: Option<&Path>) {
        let (source, read) = match folder {
            None => ("scene world".to_owned(), Ok((demo::evaluation(), Vec::new()))),
            Some(folder) => (folder.display().to_string(), open::read_all(folder)),
        };
        let (benchmarks, failures) = match read {
            Ok(benchmarks) => benchmarks,
            Err(failure) => return self.outbox.send(Event::Failed(failure)),
        };
        for failure in failures {
            self.outbox.send(Event::Warned(failure));
        }
        self.found = Some(Found::all(source, benchmarks));
        self.take_found();
    }

    /// What was found and chosen becomes what is scored.
    fn take_found(&mut self) {
        let Some(found) = &self.found else { return };
        let benchmarks = found.scored();
        self.generation += 1;
        self.focus = None;
        let images = benchmarks.iter().map(|b| b.images.clone()).collect();
        self.pictures.set_images(self.generation, Arc::new(images));
        let data = Arc::new(describe::data(found, &benchmarks));
        self.data = Some(Data { benchmarks: Arc::new(benchmarks) });
        self.outbox.send(Event::DataOpened { generation: self.generation, data });
        self.prepare();
    }

    /// Once there are both a pair and data: what scoring needs, and the sweep from its start.
    fn prepare(&mut self) {
        self.bench = None;
        self.give_exports_up();
        let (Some(encoder), Some(data)) = (&self.encoder, &self.data) else { return };
        let corpus = Corpus::new(&data.benchmarks, encoder.tokenizer());
        let order = Arc::new(Order::new(&data.benchmarks, &corpus));
        let pixels = self.pixels(&corpus, encoder.architecture().image_size);
        let scoring = |alpha| Scoring::new(&data.benchmarks, &corpus, Arc::clone(&order), alpha);
        let sweep = Sweep::new(scoring);
        let current = scoring(self.wanted);
        self.bench = Some(Bench { current, announced: false, warned: false, sweep, pixels, corpus });
        self.take_stored();
        self.report_sweep();
    }

    /// One slice of whatever is most urgent.
    fn work(&mut self) -> candle_core::Result<()> {
        let (Some(bench), Some(encoder), Some(data)) = (&mut self.bench, &mut self.encoder, &self.data) else {
            return Ok(());
        };
        if std::mem::take(&mut self.focus_is_due) {
            if let Some(id) = self.focus {
                let (corpus, pixels, current) = (&bench.corpus, &mut bench.pixels, &mut bench.current);
                let scored = focus::score(current, encoder, &data.benchmarks, corpus, pixels, id)?;
                self.focus_waits = scored.is_none() && !current.has_all_classes();
                if let Some(focus) = scored {
                    self.outbox.send(Event::FocusScored { generation: self.generation, focus: Arc::new(focus) });
                }
            }
            return Ok(());
        }
        if !bench.announced {
            return self.score_current();
        }
        if !self.exports.is_empty() {
            return self.advance_export();
        }
        if self.sweep_runs && !bench.sweep.ended {
            return self.advance_sweep();
        }
        Ok(())
    }

    fn score_current(&mut self) -> candle_core::Result<()> {
        let (Some(bench), Some(encoder), Some(data)) = (&mut self.bench, &mut self.encoder, &self.data) else {
            return Ok(());
        };
        let generation = self.generation;
        if let Some(scores) = bench.sweep.found(self.wanted) {
            bench.announced = true;
            self.outbox.send(Event::Scored { generation, scores });
            return Ok(());
        }
        let start = Instant::now();
        let n = self.images_per_slice;
        let step = bench.current.step(encoder, &data.benchmarks, &bench.corpus, &mut bench.pixels, n)?;
        if self.focus_waits && bench.current.has_all_classes() {
            (self.focus_waits, self.focus_is_due) = (false, true);
        }
        let done = bench.current.is_done();
        if done || self.last_answer.elapsed() >= PULSE {
            self.last_answer = Instant::now();
            let scores = Arc::new(snapshot(&bench.current, &data.benchmarks));
            if done {
                bench.pixels.flush();
                bench.announced = true;
                bench.sweep.finish(&scores, generation, &self.outbox);
                if !std::mem::replace(&mut bench.warned, true) {
                    warn_unreadable(&bench.current, &self.outbox);
                }
            }
            self.outbox.send(Event::Scored { generation, scores });
        }
        self.measure(n, step, start);
        self.pulse("scoring", false);
        Ok(())
    }

    fn advance_sweep(&mut self) -> candle_core::Result<()> {
        let (Some(bench), Some(encoder), Some(data)) = (&mut self.bench, &mut self.encoder, &self.data) else {
            return Ok(());
        };
        let sweep = &mut bench.sweep;
        let Some(next) = sweep.next() else {
            sweep.ended = true;
            self.report_sweep();
            return Ok(());
        };
        if sweep.scoring.alpha() != next {
            sweep.scoring.restart(next);
        }
        let start = Instant::now();
        let n = self.images_per_slice;
        let step = sweep.scoring.step(encoder, &data.benchmarks, &bench.corpus, &mut bench.pixels, n)?;
        sweep.seconds += start.elapsed().as_secs_f64();
        let done = sweep.scoring.is_done();
        if done {
            bench.pixels.flush();
            let scores = Arc::new(snapshot(&sweep.scoring, &data.benchmarks));
            sweep.finish(&scores, self.generation, &self.outbox);
        }
        self.measure(n, step, start);
        if done || self.last_answer.elapsed() >= PULSE {
            self.last_answer = Instant::now();
            self.report_sweep();
        }
        self.pulse("sweeping", false);
        Ok(())
    }

    fn run_map(&mut self) {
        if let (Some(bench), Some(encoder)) = (&mut self.bench, &self.encoder) {
            let per_text = encoder.architecture().embed_dim * size_of::<f32>();
            bench.sweep.add_map(bench.corpus.texts.len() * per_text);
            self.report_sweep();
        }
    }

    fn report_sweep(&self) {
        let Some(bench) = &self.bench else { return };
        let progress = bench.sweep.progress(!self.sweep_runs);
        self.outbox.send(Event::SweepAdvanced { generation: self.generation, progress });
    }

    /// Sizes the next slice so that it takes about [`SLICE`]. One that found most of its work done before says nothing
    /// about the next: after a run of such slices a whole one would stop the slider for half a second.
    fn measure(&mut self, n: usize, step: Step, start: Instant) {
        if 2.0 * step.work < n as f64 {
            return;
        }
        let seconds = start.elapsed().as_secs_f64();
        if step.images > 0 {
            self.rate.add(step.images, seconds);
        }
        let fitting = step.work * SLICE.as_secs_f64() / seconds.max(1e-4);
        // Grow gently: prompts say little about images.
        self.images_per_slice = (fitting as usize).clamp(1, (2 * n).clamp(8, 256));
    }

    fn pulse(&mut self, activity: &str, now: bool) {
        if now || self.last_pulse.elapsed() >= PULSE {
            self.last_pulse = Instant::now();
            self.outbox.send(Event::StatusChanged(Status {
                device: self.device_name.clone(),
                images_per_second: self.rate.per_second,
                memory_bytes: resident_memory(),
                activity: activity.to_owned(),
            }));
        }
    }
}
