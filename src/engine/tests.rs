//! The engine driven as the window drives it: commands in, events out, on the embedded pair and a small folder.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::*;
use crate::demo::captions::base_sample;
use crate::demo::render::render;
use crate::patch::{Alpha, AlphaMap};
use crate::report::{Kind, View};

struct Driven {
    link: Link,
    woken: Arc<AtomicUsize>,
}

impl Driven {
    fn start() -> Self {
        let woken = Arc::new(AtomicUsize::new(0));
        let wake = Arc::clone(&woken);
        let wake = Arc::new(move || {
            wake.fetch_add(1, Ordering::Relaxed);
        });
        Self { link: start(DeviceChoice::Cpu, Options::default(), wake), woken }
    }

    /// Collects events until one answers, which is the last of the list.
    fn until(&self, is_answer: impl Fn(&Event) -> bool) -> Vec<Event> {
        let (mut seen, start) = (Vec::new(), Instant::now());
        while start.elapsed() < Duration::from_mins(2) {
            for event in self.link.events() {
                let done = is_answer(&event);
                seen.push(event);
                if done {
                    return seen;
                }
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        panic!("no answer; the last events: {:?}", seen.iter().rev().take(3).collect::<Vec<_>>());
    }

    fn open(&self, base: &Path, tuned: &Path) {
        self.link.send(Command::OpenPair { base: base.into(), tuned: tuned.into() });
    }

    fn open_demo_with(&self, folder: &Path) {
        self.open(Path::new("demo:base"), Path::new("demo:tuned"));
        self.link.send(Command::OpenData { folder: Some(folder.into()) });
    }
}

impl Drop for Driven {
    fn drop(&mut self) {
        self.link.send(Command::Quit);
    }
}

/// Three classes of four scenes; one file is no image.
fn small_data() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for index in 0..12 {
        let class = folder.path().join(["plain_star", "plain_moon", "striped_ball"][index % 3]);
        std::fs::create_dir_all(&class).unwrap();
        render(&base_sample(9, index as u64).0, 64).save(class.join(format!("{index}.png"))).unwrap();
    }
    std::fs::write(folder.path().join("plain_star/broken.png"), b"no image").unwrap();
    folder
}

fn scored(event: &Event) -> Option<&Scores> {
    match event {
        Event::Scored { scores, .. } => Some(scores),
        _ => None,
    }
}

#[test]
fn a_pair_and_data_are_scored_and_swept_to_the_end() {
    let (data, engine) = (small_data(), Driven::start());
    engine.open_demo_with(data.path());
    let ended =
        |event: &Event| matches!(event, Event::SweepAdvanced { progress, .. } if progress.done == progress.total);
    let events = engine.until(ended);
    let points: Vec<&Arc<Scores>> = events
        .iter()
        .filter_map(|e| if let Event::SweepPointScored { scores, .. } = e { Some(scores) } else { None })
        .collect();
    assert_eq!(points.len(), 21);
    assert!(points.iter().all(|scores| scores.is_complete() && scores.total == 13));
    let score = points[0].benchmarks[0].as_ref().unwrap();
    assert_eq!((score.scored, score.skipped), (12, 1), "the broken file is counted");
    let warned = events.iter().any(|e| matches!(e, Event::Warned(f) if f.details.contains("broken.png")));
    assert!(warned, "and named");
    assert!(engine.woken.load(Ordering::Relaxed) >= events.len());
}

#[test]
fn the_newest_alpha_wins_and_the_focused_example_comes_first() {
    let (data, engine) = (small_data(), Driven::start());
    engine.link.send(Command::RunSweep(false));
    engine.open_demo_with(data.path());
    engine.until(|e| scored(e).is_some_and(Scores::is_complete));
    let id = ExampleId { benchmark: 0, example: 1 };
    engine.link.send(Command::Focus(Some(id)));
    for step in 1..=40 {
        engine.link.send(Command::SetAlpha(AlphaMap::one(Alpha::clamped(f64::from(step) / 40.0))));
    }
    let events = engine.until(|e| scored(e).is_some_and(|s| s.alpha == AlphaMap::TUNED && s.is_complete()));
    let focused: Vec<&Arc<FocusScore>> = events
        .iter()
        .filter_map(|e| if let Event::FocusScored { focus, .. } = e { Some(focus) } else { None })
        .collect();
    let last = focused.last().unwrap();
    assert_eq!((last.id, last.alpha), (id, AlphaMap::TUNED));
    assert!(last.options[0].right && last.options.len() == 3);
    assert!((last.options.iter().map(|o| o.probability).sum::<f32>() - 1.0).abs() < 1e-5);
    let (focus_at, scores_at) = (
        events.iter().rposition(|e| matches!(e, Event::FocusScored { .. })),
        events.iter().position(|e| scored(e).is_some_and(|s| s.alpha == AlphaMap::TUNED)),
    );
    assert!(focus_at < scores_at, "the example is scored before the set");
    assert!(focused.len() < 20, "40 alphas in a burst are not 40 answers");
}

#[test]
fn failures_name_the_end_and_leave_the_pair_in_place() {
    let (data, engine) = (small_data(), Driven::start());
    engine.open_demo_with(data.path());
    engine.until(|e| scored(e).is_some_and(Scores::is_complete));
    engine.open(Path::new("demo:base"), Path::new("/nowhere/model.safetensors"));
    let events = engine.until(|e| matches!(e, Event::Failed(_)));
    let Some(Event::Failed(failure)) = events.last() else { panic!() };
    assert_eq!(failure.end, Some(End::Tuned));
    assert!(failure.summary.contains("/nowhere/model.safetensors"), "{}", failure.summary);
    engine.link.send(Command::OpenData { folder: Some("/nowhere".into()) });
    engine.until(|e| matches!(e, Event::Failed(f) if f.summary.contains("no benchmark")));
    engine.link.send(Command::SetAlpha(AlphaMap::one(Alpha::clamped(0.33))));
    engine.until(|e| scored(e).is_some_and(|s| s.alpha.image().get() == 0.33 && s.is_complete()));
}

#[test]
fn pictures_come_from_their_own_thread() {
    let (data, engine) = (small_data(), Driven::start());
    engine.link.send(Command::OpenData { folder: Some(data.path().into()) });
    engine.until(|e| matches!(e, Event::DataOpened { .. }));
    let image = |image| ImageId { benchmark: 0, image };
    engine.link.send(Command::ShowThumbnails(vec![image(0), image(99), image(1)]));
    engine.until(|e| matches!(e, Event::ThumbnailLoaded { image: i, picture, .. } if *i == image(1) && picture.rgb.len() == 64 * 64 * 3));
    let broken = (0..13).find(|i| {
        engine.link.send(Command::ShowPicture(image(*i)));
        let answer = engine.until(|e| matches!(e, Event::PictureLoaded { image: j, .. } | Event::PictureFailed { image: j, .. } if *j == image(*i)));
        matches!(answer.last(), Some(Event::PictureFailed { reason, .. }) if reason.contains("broken.png"))
    });
    assert!(broken.is_some());
}

#[test]
fn a_choice_of_data_is_scored_alone_and_can_be_taken_back() {
    let (data, engine) = (small_data(), Driven::start());
    engine.open_demo_with(data.path());
    let opened = |event: &Event| matches!(event, Event::DataOpened { .. });
    engine.until(opened);
    let choose = |chosen: Vec<bool>, limit| {
        engine.link.send(Command::ChooseData { chosen, limit });
    };
    choose(vec![false], None);
    choose(vec![true], Some(3));
    let Some(Event::DataOpened { data: limited, .. }) = engine.until(opened).pop() else { panic!("no data") };
    assert_eq!((limited.benchmarks[0].examples.len(), limited.limit), (3, Some(3)), "nothing chosen is no choice");
    assert_eq!((limited.found[0].examples, limited.found[0].chosen), (13, true));
    choose(vec![true], None);
    let Some(Event::DataOpened { data: whole, .. }) = engine.until(opened).pop() else { panic!("no data") };
    assert_eq!(whole.benchmarks[0].examples.len(), 13);
}

fn export(folder: &Path, name: &str, kind: Kind, replace: bool) -> Command {
    let view = View { alpha: Some(AlphaMap::one(Alpha::clamped(0.5))), ..View::default() };
    Command::Export(Box::new(Export { path: folder.join(name), kind, view, replace }))
}

#[test]
fn what_was_swept_is_exported_and_nothing_is_replaced_unasked() {
    let (data, room, engine) = (small_data(), tempfile::tempdir().unwrap(), Driven::start());
    let answered = |event: &Event| matches!(event, Event::Exported { .. } | Event::Failed(_));
    engine.link.send(export(room.path(), "early.svg", Kind::Svg, false));
    let early = engine.until(answered);
    assert!(matches!(early.last(), Some(Event::Failed(f)) if f.summary.contains("nothing to export yet")));
    engine.link.send(Command::SetAlpha(AlphaMap::one(Alpha::clamped(0.5))));
    engine.open_demo_with(data.path());
    engine.until(|e| matches!(e, Event::SweepAdvanced { progress, .. } if progress.done == progress.total));
    for (name, kind) in [("r.html", Kind::Html), ("f.png", Kind::Png), ("s.csv", Kind::Csv)] {
        engine.link.send(export(room.path(), name, kind, false));
    }
    for _ in 0..3 {
        let told = engine.until(answered);
        assert!(matches!(told.last(), Some(Event::Exported { .. })), "{:?}", told.last());
    }
    let read = |name: &str| std::fs::read_to_string(room.path().join(name)).unwrap();
    let page = read("r.html");
    assert!(page.contains("demo base patched with demo tuned") && page.contains("broken.png"), "{page}");
    let cards = page.matches("class=\"example\"").count();
    assert_eq!((cards, page.matches("data:image/jpeg").count()), (page.matches("class=\"cross\"").count(), cards));
    // Top-1 and top-5 of 21 alphas below the head.
    let csv = read("s.csv");
    assert_eq!(csv.lines().count(), 1 + 2 * 21);
    assert!(csv.lines().nth(1).unwrap().starts_with("folder,,0,0,top1,"), "{csv}");
    assert!(image::open(room.path().join("f.png")).unwrap().width() > 1000);
    std::fs::write(room.path().join("f.svg"), "mine").unwrap();
    engine.link.send(export(room.path(), "f.svg", Kind::Svg, false));
    let refused = engine.until(answered);
    assert!(matches!(refused.last(), Some(Event::Failed(f)) if f.summary.contains("not overwritten")));
    assert_eq!(read("f.svg"), "mine");
    engine.link.send(export(room.path(), "f.svg", Kind::Svg, true));
    assert!(matches!(engine.until(answered).last(), Some(Event::Exported { .. })));
    assert!(read("f.svg").starts_with("<svg"), "when it was asked for");
}

/// What `clove sweep` would leave of the small folder at three alphas, with the whole verdicts turned around so that
/// they cannot be mistaken for computed ones.
fn stored_results(data: &Path, results: &Path) -> Vec<f64> {
    let open = |name: &str| crate::demo::open(Path::new(name), Options::default()).unwrap();
    let pair = crate::patch::Pair::new(open("demo:base"), open("demo:tuned")).unwrap();
    let benchmarks = crate::evaluate::read("folder", data).unwrap();
    let places = crate::evaluate::Places { pixels: Some((results, 1 << 30)), embeddings: None };
    let device = candle_core::Device::Cpu;
    let mut workload = crate::evaluate::Workload::new(benchmarks, &pair, &device, places).unwrap();
    let mut writer = crate::store::results::Writer::open(results).unwrap();
    let mut values = Vec::new();
    for alpha in [0.0, 0.3, 1.0].map(|a| AlphaMap::one(Alpha::clamped(a))) {
        let mut found = workload.score(alpha, &[true], &mut |_| true).unwrap().unwrap().remove(0).unwrap();
        found.per_example.outcomes.iter_mut().flatten().for_each(|outcome| outcome.right = !outcome.right);
        let score = &crate::evaluate::benchmark_scores(&workload.benchmarks()[0], &found.per_example)[0];
        let standing = crate::evaluate::Standing::of(&workload.benchmarks()[0], &[]);
        let end = crate::store::results::End::default();
        let line = crate::store::results::Line {
            row: standing.row(&workload.benchmarks()[0], alpha, score, None),
            key: workload.identity(0, alpha).key(),
            base: end.clone(),
            tuned: end,
            data: workload.identity(0, alpha).data.to_owned(),
            device: "CPU".into(),
            version: "0".into(),
        };
        writer.put(&line.key, std::slice::from_ref(&line), &found.per_example).unwrap();
        values.push(score.value);
    }
    values
}

#[test]
fn a_stored_sweep_is_shown_and_not_computed_again() {
    let (data, results) = (small_data(), tempfile::tempdir().unwrap());
    let values = stored_results(data.path(), results.path());
    let ended = |e: &Event| matches!(e, Event::SweepAdvanced { progress, .. } if progress.done == progress.total);
    let shown = |engine: &Driven| -> Vec<(f64, f64)> {
        let point = |e: Event| match e {
            Event::SweepPointScored { scores, .. } => {
                Some((scores.alpha.mean().get(), scores.benchmarks[0].as_ref()?.value))
            }
            _ => None,
        };
        engine.until(ended).into_iter().filter_map(point).collect()
    };
    let engine = Driven::start();
    engine.link.send(Command::UseResults(Some(results.path().into())));
    engine.open_demo_with(data.path());
    let points = shown(&engine);
    assert_eq!(points, [(0.0, values[0]), (0.3, values[1]), (1.0, values[2])], "exactly what is stored");
    // Other data, and nothing that is stored fits.
    std::fs::remove_file(data.path().join("plain_star/broken.png")).unwrap();
    engine.link.send(Command::OpenData { folder: Some(data.path().into()) });
    engine.until(|e| matches!(e, Event::DataOpened { .. }));
    assert_eq!(shown(&engine).len(), 21);
}
