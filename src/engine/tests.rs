//! The engine driven as the window drives it: commands in, events out, on the embedded pair and a small folder.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::*;
use crate::demo::captions::base_sample;
use crate::demo::render::render;
use crate::patch::{Alpha, AlphaMap};

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
