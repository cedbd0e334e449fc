//! The thread behind the window, and trials.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use clove::device::DeviceChoice;
use clove::jobs::{self, JobState, JobView, JobsCommand, JobsEvent, Link, Verdict};
use clove_training::Recipe;
use clove_training::recipe::{NegativeSource, Precision};

use super::{PATIENCE, Yard, recipe};

struct Window {
    link: Link,
    woken: Arc<AtomicUsize>,
}

impl Window {
    fn open(yard: &Yard) -> Self {
        let woken = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&woken);
        let wake = Arc::new(move || {
            count.fetch_add(1, Ordering::Relaxed);
        });
        let link = jobs::start_with(Ok(yard.launcher()), DeviceChoice::Cpu, wake);
        link.send(JobsCommand::Watch(yard.runs.folder().to_owned()));
        Self { link, woken }
    }

    /// The first event that `fits`.
    fn wait<T>(&self, what: &str, fits: impl Fn(JobsEvent) -> Option<T>) -> T {
        let start = Instant::now();
        loop {
            if let Some(found) = self.link.events().find_map(&fits) {
                return found;
            }
            assert!(start.elapsed() < PATIENCE, "waited in vain for {what}");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn jobs(&self, what: &str, fits: impl Fn(&[JobView]) -> bool) -> Arc<Vec<JobView>> {
        self.wait(what, |event| match event {
            JobsEvent::Jobs(jobs) if fits(&jobs) => Some(jobs),
            JobsEvent::Failed { what, details } => panic!("{what}: {details}"),
            _ => None,
        })
    }

    fn failure(&self, words: &str) {
        self.wait(words, |event| match event {
            JobsEvent::Failed { what, details } => {
                assert!(format!("{what}: {details}").contains(words), "{what}: {details}");
                Some(())
            }
            _ => None,
        });
    }
}

#[test]
fn a_window_queues_watches_stops_and_leaves_its_workers_behind() {
    let yard = Yard::new();
    let window = Window::open(&yard);
    window.jobs("the empty folder", <[JobView]>::is_empty);
    window.link.send(JobsCommand::Queue(Box::new(recipe("one", 400))));
    window.link.send(JobsCommand::Queue(Box::new(recipe("two", 3))));
    let jobs = window.jobs("the first steps", |jobs| jobs.iter().any(|job| job.step > 2));
    assert_eq!(
        jobs.iter().map(|job| (job.state, job.place)).collect::<Vec<_>>(),
        [(JobState::Queued, Some(0)), (JobState::Running, None)]
    );
    let id = jobs[1].id.clone();
    window.link.send(JobsCommand::Remove(id.clone()));
    window.failure("stop it first");
    window.link.send(JobsCommand::Trial(Box::new(recipe("trial", 3))));
    window.failure("a job has the device");
    drop(window);

    // Another window finds the worker, which never noticed.
    let window = Window::open(&yard);
    let step = window.jobs("the worker", |jobs| jobs.iter().any(|job| job.state == JobState::Running))[1].step;
    window.jobs("more steps", |jobs| jobs[1].step > step + 2);
    window.link.send(JobsCommand::Stop(id.clone()));
    window
        .jobs("the end of the other one", |jobs| jobs[0].state == JobState::Done && jobs[1].state == JobState::Stopped);
    assert_eq!(yard.trace(), ["begin one", "end one", "begin two", "end two"]);
    std::thread::sleep(Duration::from_millis(600));
    let before = (window.link.events().count(), window.woken.load(Ordering::Relaxed)).1;
    std::thread::sleep(Duration::from_millis(800));
    assert_eq!((window.link.events().count(), window.woken.load(Ordering::Relaxed)), (0, before), "nothing changes");
    window.link.send(JobsCommand::Quit);
}

#[test]
fn a_trial_tells_time_and_memory_and_leaves_nothing() {
    let yard = Yard::new();
    let window = Window::open(&yard);
    let asked = Recipe { batch: 32, ..recipe("trial", 1_000) };
    window.link.send(JobsCommand::Trial(Box::new(asked.clone())));
    let report = window.wait("the trial", |event| match event {
        JobsEvent::TrialDone(report) => Some(report),
        JobsEvent::Failed { details, .. } => panic!("{details}"),
        _ => None,
    });
    assert_eq!((report.seconds_per_step, report.seconds_total), (0.5, 1_000.0));
    assert_eq!((report.pairs_per_s, report.peak_memory_bytes, &*report.recipe), (64.0, 1_000, &asked));
    window.link.send(JobsCommand::Trial(Box::new(recipe("fails", 10))));
    window.failure("the loss is not a number at step 1");
    let left: Vec<_> = std::fs::read_dir(yard.runs.folder()).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn a_cancelled_trial_ends_its_worker() {
    let yard = Yard::new();
    std::fs::write(yard.worker(), "#!/bin/sh\necho $$ > \"$(dirname \"$0\")/pid\"\nexec sleep 100\n").unwrap();
    let cancelled = AtomicBool::new(false);
    let pid = yard.room.path().join("pid");
    let outcome = std::thread::scope(|scope| {
        let trial = scope.spawn(|| jobs::trial(&yard.launcher(), yard.runs.folder(), &recipe("x", 3), &cancelled));
        super::wait_for("the worker", || std::fs::read_to_string(&pid).is_ok_and(|text| text.ends_with('\n')));
        cancelled.store(true, Ordering::Relaxed);
        trial.join().unwrap()
    });
    assert!(outcome.unwrap().is_none());
    let pid = std::fs::read_to_string(&pid).unwrap();
    assert!(!std::path::Path::new("/proc").join(pid.trim()).exists(), "the worker is left");
}

#[test]
fn checks_name_what_would_stop_a_recipe() {
    let yard = Yard::new();
    let verdicts = |recipe: &Recipe| {
        let report = jobs::check(recipe, yard.runs.folder(), DeviceChoice::Cpu);
        assert_eq!(&*report.recipe, recipe);
        let of = |what: &str| {
            report.items.iter().find(|item| item.what == what).map(|item| (item.verdict, item.says.clone()))
        };
        (report.can_start(), of("Base"), of("Data"), of("Memory"), of("Disk"), of("Evaluation"), of("Device"))
    };
    let fine = Recipe { evaluate_benchmarks: vec!["sugarcrepe".into()], ..recipe("fine", 10) };
    let (can_start, base, data, memory, disk, evaluation, device) = verdicts(&fine);
    assert!(can_start, "{base:?} {data:?} {memory:?} {disk:?} {evaluation:?} {device:?}");
    for (found, words) in [(base, "all trained"), (data, "scene world"), (evaluation, "scene world"), (device, "CPU")] {
        let (verdict, says) = found.unwrap();
        assert!(verdict == Verdict::Fine && says.contains(words), "{says}");
    }
    assert!(memory.unwrap().1.contains("activations") && disk.unwrap().1.contains("free"));

    let wrong = |change: &dyn Fn(&mut Recipe), words: &str| {
        let mut recipe = fine.clone();
        change(&mut recipe);
        let report = jobs::check(&recipe, yard.runs.folder(), DeviceChoice::Cpu);
        let blocks = report.items.iter().filter(|item| item.verdict == Verdict::Blocking);
        let says: Vec<&str> = blocks.map(|item| item.says.as_str()).collect();
        assert!(!report.can_start() && says.iter().any(|said| said.contains(words)), "{words}: {says:?}");
    };
    wrong(&|recipe| recipe.base = "/no/such/model".into(), "/no/such/model");
    wrong(&|recipe| recipe.data = Vec::new(), "name what to train on");
    wrong(&|recipe| recipe.negatives = NegativeSource::Replace, "brings its own negatives");
    wrong(&|recipe| recipe.data = vec!["/no/such/data.tar".into()], "/no/such/data.tar");
    wrong(&|recipe| recipe.evaluate_benchmarks = vec!["sugarcreep".into()], "no benchmark 'sugarcreep'");
    wrong(&|recipe| recipe.evaluate_benchmarks = vec!["winoground".into()], "winoground not found");
    wrong(&|recipe| recipe.evaluate_data = "/no/such/folder".into(), "/no/such/folder");
    wrong(&|recipe| recipe.frozen = vec![String::from("t"), "visual".into(), "p".into(), "l".into()], "0 trained");
    wrong(&|recipe| recipe.precision = Precision::Bf16, "no bf16");
    wrong(&|recipe| recipe.lr = -1.0, "lr");
    wrong(&|recipe| (recipe.checkpoint_every, recipe.steps, recipe.checkpoints_kept) = (1, 1 << 40, 0), "are free");
}
