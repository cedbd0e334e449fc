//! The session without a window and without a model.
#![expect(clippy::float_cmp, reason = "these numbers are exact in binary")]

use super::*;
use crate::benchmark::{MetricName, Outcome};
use crate::engine::{BenchmarkInfo, CheckpointInfo, OptionScore};

fn pair() -> Arc<PairInfo> {
    let end = |name: &str| CheckpointInfo {
        path: name.into(),
        name: name.into(),
        format: String::new(),
        architecture: String::new(),
        activation: String::new(),
        activation_source: String::new(),
        context_length: 77,
        parameters: 1,
        sha256: String::new(),
    };
    Arc::new(PairInfo { base: end("base"), tuned: end("tuned"), verdict: String::new(), remarks: Vec::new() })
}

fn data(names: &[(&str, bool)]) -> Arc<DataInfo> {
    let examples = (0..4).map(|image| ExampleInfo {
        image,
        right: format!("right {image}"),
        negatives: vec!["wrong".into()],
        tags: Vec::new(),
    });
    let examples: Arc<Vec<ExampleInfo>> = Arc::new(examples.collect());
    let benchmarks = names.iter().map(|(name, recognition)| BenchmarkInfo {
        name: (*name).into(),
        task: None,
        title: (*name).into(),
        recognition: *recognition,
        chance: 50.0,
        protocol: String::new(),
        examples: examples.clone(),
        n_images: 4,
        skipped: Arc::default(),
    });
    Arc::new(DataInfo {
        source: "test".into(),
        benchmarks: Arc::new(benchmarks.collect()),
        found: Arc::default(),
        limit: None,
    })
}

/// Scores of `n` benchmarks of four examples; `right[i]` holds for every benchmark.
fn scores(alpha: f64, n: usize, right: [Option<bool>; 4]) -> Arc<Scores> {
    let outcome = |right: bool| {
        let margin = if right { 0.1 } else { -0.1 };
        Outcome { right, tied: false, margin, in_top5: right, rank: u32::from(!right), equal: 0 }
    };
    let outcomes: Vec<_> = right.iter().map(|r| r.map(outcome)).collect();
    let scored = outcomes.iter().flatten().count();
    let correct = right.iter().filter(|r| **r == Some(true)).count();
    let value = 100.0 * correct as f64 / scored.max(1) as f64;
    let score = (scored > 0).then(|| Score {
        metric: MetricName::Accuracy,
        value,
        correct,
        scored,
        skipped: 0,
        ties: 0,
        interval: [(value - 5.0).max(0.0), (value + 5.0).min(100.0)],
    });
    Arc::new(Scores {
        alpha: AlphaMap::one(Alpha::clamped(alpha)),
        benchmarks: vec![score; n],
        outcomes: Arc::new(vec![outcomes; n]),
        judged: scored * n,
        total: 4 * n,
    })
}

fn opened(names: &[(&str, bool)]) -> Session {
    let mut session = Session::default();
    session.apply(Event::PairOpened { generation: 1, pair: pair() });
    session.apply(Event::DataOpened { generation: 2, data: data(names) });
    session
}

fn sweep_point(alpha: f64, n: usize, right: [bool; 4]) -> Event {
    Event::SweepPointScored { generation: 2, scores: scores(alpha, n, right.map(Some)) }
}

const FIRST: ExampleId = ExampleId { benchmark: 0, example: 0 };

#[test]
fn hashes_reach_the_pair_they_were_computed_of() {
    let mut session = Session::default();
    let (first, second) = (pair(), pair());
    session.apply(Event::PairOpened { generation: 1, pair: first.clone() });
    session.apply(Event::PairOpened { generation: 2, pair: second.clone() });
    session.apply(Event::DataOpened { generation: 3, data: data(&[("folder", true)]) });
    session.apply(Event::Hashed { pair: first, base: "old".into(), tuned: "old".into() });
    assert_eq!(session.pair.as_ref().unwrap().base.sha256, "");
    session.apply(Event::Hashed { pair: second, base: "b".into(), tuned: "t".into() });
    let pair = session.pair.unwrap();
    assert_eq!((pair.base.sha256.as_str(), pair.tuned.sha256.as_str()), ("b", "t"));
}

#[test]
fn events_of_an_earlier_generation_are_dropped() {
    let mut session = opened(&[("relation", false)]);
    session.apply(Event::Scored { generation: 1, scores: scores(0.5, 1, [Some(true); 4]) });
    assert!(session.score(0).is_none());
    session.apply(Event::Scored { generation: 2, scores: scores(0.5, 1, [Some(true); 4]) });
    assert_eq!(session.score(0).unwrap().value.value, 100.0);
    session.apply(Event::PairOpened { generation: 1, pair: pair() });
    assert!(session.score(0).is_some(), "an old pair must not void new scores");
    session.apply(Event::PairOpened { generation: 3, pair: pair() });
    assert!(session.score(0).is_none() && session.data.is_some());
}

#[test]
fn the_last_answer_stays_dimmed_until_the_new_one_lands() {
    let mut session = opened(&[("relation", false)]);
    session.want(AlphaMap::one(Alpha::clamped(0.2)));
    session.apply(Event::Scored { generation: 2, scores: scores(0.2, 1, [Some(true); 4]) });
    assert!(!session.score(0).unwrap().stale);
    session.want(AlphaMap::one(Alpha::clamped(0.3)));
    assert!(session.score(0).unwrap().stale);
    let partial = scores(0.3, 1, [Some(false), None, None, None]);
    session.apply(Event::Scored { generation: 2, scores: partial });
    let first = session.outcome(FIRST).unwrap();
    assert!(!first.stale && !first.value.right);
    let second = session.outcome(ExampleId { example: 1, ..FIRST }).unwrap();
    assert!(second.stale && second.value.right, "not judged at 0.30 yet: the answer at 0.20 stays, dimmed");
}

#[test]
fn a_partial_answer_never_replaces_a_full_one_behind_the_newest() {
    let mut session = opened(&[("relation", false)]);
    let partial = |alpha| scores(alpha, 1, [Some(false), None, None, None]);
    session.apply(Event::Scored { generation: 2, scores: scores(0.1, 1, [Some(true); 4]) });
    session.apply(Event::Scored { generation: 2, scores: partial(0.2) });
    session.apply(Event::Scored { generation: 2, scores: partial(0.3) });
    assert!(session.outcome(ExampleId { example: 3, ..FIRST }).unwrap().value.right);
}

#[test]
fn fixed_and_broken_are_told_against_the_base_end_of_the_sweep() {
    let mut session = opened(&[("relation", false)]);
    let id = |example| ExampleId { benchmark: 0, example };
    session.apply(Event::Scored { generation: 2, scores: scores(0.5, 1, [true, false, true, false].map(Some)) });
    assert!(!session.is(id(0), Verdict::Fixed), "no base yet");
    session.apply(sweep_point(0.0, 1, [false, true, true, false]));
    let of = |verdict| (0..4).filter(|e| session.is(id(*e), verdict)).collect::<Vec<_>>();
    assert_eq!(of(Verdict::Fixed), [0]);
    assert_eq!(of(Verdict::Broken), [1]);
    assert_eq!(of(Verdict::Right), [0, 2]);
    assert_eq!(of(Verdict::Wrong), [1, 3]);
    assert_eq!(of(Verdict::All).len(), 4);
}

#[test]
fn sweep_points_stand_in_order_and_replace_their_equals() {
    let mut session = opened(&[("relation", false)]);
    for alpha in [0.0, 1.0, 0.5, 0.25, 0.5] {
        session.apply(sweep_point(alpha, 1, [alpha > 0.3, true, true, true]));
    }
    let alphas: Vec<f64> = session.sweep.iter().map(|s| s.alpha.mean().get()).collect();
    assert_eq!(alphas, [0.0, 0.25, 0.5, 1.0]);
    assert_eq!(session.margins(FIRST), [(0.0, -0.1), (0.25, -0.1), (0.5, 0.1), (1.0, 0.1)]);
}

#[test]
fn a_swept_alpha_answers_at_once() {
    let mut session = opened(&[("relation", false)]);
    session.apply(sweep_point(0.7, 1, [true; 4]));
    session.want(AlphaMap::one(Alpha::clamped(0.7)));
    assert!(!session.score(0).unwrap().stale);
}

#[test]
fn tasks_of_one_benchmark_are_averaged_before_the_mean() {
    let names =
        [("imagenet", true), ("aro", false), ("sugarcrepe", false), ("sugarcrepe", false), ("sugarcrepe", false)];
    let mut session = opened(&names);
    let mut mixed = (*scores(0.0, 5, [Some(true); 4])).clone();
    for (place, value) in [80.0, 40.0, 70.0, 80.0, 90.0].into_iter().enumerate() {
        mixed.benchmarks[place].as_mut().unwrap().value = value;
    }
    session.apply(Event::SweepPointScored { generation: 2, scores: Arc::new(mixed.clone()) });
    let curve = |session: &Session| session.curve(Series::Recognition, Series::Composition);
    let point = curve(&session)[0].point();
    assert_eq!((point.x, point.y), (80.0, 60.0));
    mixed.benchmarks[1] = None;
    session.apply(Event::SweepPointScored { generation: 2, scores: Arc::new(mixed) });
    assert!(curve(&session).is_empty(), "a mean over a subset is not shown");
}

#[test]
fn slices_count_what_changed_against_any_alpha() {
    let mut session = Session::default();
    session.apply(Event::PairOpened { generation: 1, pair: pair() });
    let mut tagged = (*data(&[("imagenet", true), ("relation", false)])).clone();
    let benchmarks = Arc::make_mut(&mut tagged.benchmarks);
    let examples = Arc::make_mut(&mut benchmarks[1].examples);
    for (place, example) in examples.iter_mut().enumerate() {
        example.tags = vec![if place < 3 { "left" } else { "right" }.into(), "all".into()];
    }
    session.apply(Event::DataOpened { generation: 2, data: Arc::new(tagged) });
    session.apply(sweep_point(0.0, 2, [false, false, true, true]));
    session.apply(sweep_point(0.5, 2, [true, false, false, true]));
    session.want(AlphaMap::one(Alpha::clamped(0.5)));
    let slices = SliceIndex::new(&session, Some(1)).scores(&session);
    let named: Vec<_> = slices.iter().map(|s| (s.name.as_str(), s.examples, s.now.unwrap().value)).collect();
    assert_eq!(named, [("all", 4, 50.0), ("left", 3, 100.0 / 3.0), ("right", 1, 100.0)]);
    assert_eq!(slices[0].paired, Paired { fixed: 1, broken: 1, both: 1, neither: 1 });
    assert_eq!(slices[0].paired.p_value(), 1.0);
    session.compare_with(AlphaMap::one(Alpha::clamped(0.5)));
    let slices = SliceIndex::new(&session, None).scores(&session);
    assert_eq!(slices.len(), 3 + 4, "every class of recognition is a slice");
    assert!(slices.iter().all(|s| s.paired.fixed + s.paired.broken == 0 && s.before == s.now));
    session.compare_with(AlphaMap::one(Alpha::clamped(0.3)));
    let slices = SliceIndex::new(&session, None).scores(&session);
    assert!(slices.iter().all(|s| s.before.is_none() && s.paired.compared() == 0), "not swept yet");
}

#[test]
fn a_failed_end_is_remembered_where_it_happened() {
    let mut session = Session::default();
    session.apply(Event::Opening { what: "tuned.safetensors".into() });
    let failure = Failure { end: Some(crate::engine::End::Tuned), ..Failure::new("no tensors") };
    session.apply(Event::Failed(failure.clone()));
    session.apply(Event::Failed(failure.clone()));
    assert_eq!(session.failed_ends[1].as_ref(), Some(&failure));
    assert!(session.failed_ends[0].is_none() && session.opening.is_none());
    assert_eq!((session.notices.list().len(), session.notices.list()[0].times), (1, 2));
    session.apply(Event::Opening { what: "another".into() });
    assert!(session.failed_ends[1].is_none(), "it is tried again");
}

#[test]
fn answers_about_another_example_are_not_the_focus() {
    let mut session = opened(&[("relation", false)]);
    session.follow(Some(FIRST));
    let focus = |example, alpha| {
        let option = OptionScore { text: "a".into(), right: true, similarity: 0.3, probability: 1.0 };
        let id = ExampleId { benchmark: 0, example };
        let alpha = AlphaMap::one(Alpha::clamped(alpha));
        let focus = FocusScore { id, alpha, options: vec![option], logit_scale: 100.0 };
        Event::FocusScored { generation: 2, focus: Arc::new(focus) }
    };
    session.apply(focus(1, 0.5));
    assert!(session.focus.is_none());
    session.apply(focus(0, 0.4));
    assert!(session.focus_is_stale());
    session.apply(focus(0, 0.5));
    assert!(!session.focus_is_stale());
}

#[test]
fn a_finished_curve_stays_beside_the_next_pairs_on_the_same_data() {
    let mut session = opened(&[("imagenet", true), ("relation", false)]);
    let named = |name: &str| {
        let mut named = (*pair()).clone();
        (named.tuned.name, named.tuned.path) = (name.into(), name.into());
        Arc::new(named)
    };
    let progress = |done| SweepProgress { done, total: 2, share: 0.0, seconds_left: None, paused: false };
    let sweep = |session: &mut Session, generation, done| {
        for alpha in [0.0, 1.0] {
            let scores = scores(alpha, 2, [alpha > 0.5, true, true, true].map(Some));
            session.apply(Event::SweepPointScored { generation, scores });
        }
        session.apply(Event::SweepAdvanced { generation, progress: progress(done) });
    };
    session.apply(Event::PairOpened { generation: 3, pair: named("first") });
    sweep(&mut session, 3, 1);
    session.apply(Event::PairOpened { generation: 4, pair: named("second") });
    assert!(session.earlier().is_empty(), "half a curve is not kept");
    sweep(&mut session, 4, 2);
    session.apply(Event::PairOpened { generation: 5, pair: named("third") });
    let [kept] = session.earlier() else { panic!("one curve: {:?}", session.earlier()) };
    assert_eq!((kept.name.as_str(), kept.shown), ("second", true));
    let curve = session.earlier_curve(kept, Series::Recognition, Series::Composition);
    assert_eq!(curve.iter().map(|mark| mark.y.value).collect::<Vec<_>>(), [75.0, 100.0]);
    sweep(&mut session, 5, 2);
    session.apply(Event::PairOpened { generation: 6, pair: named("second") });
    let names: Vec<&str> = session.earlier().iter().map(|earlier| earlier.name.as_str()).collect();
    assert_eq!(names, ["third"], "what comes back is not earlier");
    session.apply(Event::DataOpened { generation: 7, data: data(&[("relation", false)]) });
    assert!(session.earlier().is_empty(), "other data");
}

#[test]
fn a_finished_export_is_news() {
    let mut session = opened(&[("relation", false)]);
    session.apply(Event::Exported { path: "/x/report.html".into() });
    let last = session.notices.list().last().unwrap();
    assert_eq!((last.gravity, last.summary.as_str()), (Gravity::News, "Saved /x/report.html"));
}
