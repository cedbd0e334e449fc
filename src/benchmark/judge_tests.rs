use super::*;
use crate::benchmark::{Choice, Skipped, wilson};

fn verdict(similarities: &[f32], right: usize, ties: TieRule) -> (bool, bool) {
    let outcome = judge_choice(similarities, right, ties);
    (outcome.right, outcome.tied)
}

#[test]
fn ties_follow_the_rule_and_the_order_of_the_file() {
    // (right, tied)
    assert_eq!(verdict(&[0.5, 0.5], 0, TieRule::First), (true, true));
    assert_eq!(verdict(&[0.5, 0.5], 1, TieRule::First), (false, true));
    assert_eq!(verdict(&[0.5, 0.5], 0, TieRule::Strict), (false, true));
    assert_eq!(verdict(&[0.1, 0.5, 0.5], 1, TieRule::First), (true, true));
    // Two foils tie ahead of the right caption: no tie of the right one.
    assert_eq!(verdict(&[0.1, 0.5, 0.5], 0, TieRule::First), (false, false));
    assert_eq!(verdict(&[0.6, 0.5, 0.5], 0, TieRule::Strict), (true, false));
    assert_eq!(verdict(&[0.2, 0.6], 1, TieRule::First), (true, false));
}

#[test]
fn random_and_half_share_a_tie() {
    let half = |similarities: &[f32]| {
        let outcome = judge_choice(similarities, 0, TieRule::Half);
        (outcome.right, outcome.rank, outcome.equal, credit(&outcome, 1, TieRule::Half))
    };
    assert_eq!(half(&[0.5, 0.5, 0.1]), (false, 0, 1, 0.5));
    assert_eq!(half(&[0.5, 0.5, 0.5, 0.5]), (false, 0, 3, 0.25));
    assert_eq!(half(&[0.5, 0.6, 0.5]), (false, 1, 1, 0.0));
    assert_eq!(half(&[0.6, 0.5, 0.5]), (true, 0, 0, 1.0));
    // Among seven equal classes, five of seven places are in the top five.
    let class = judge_class_by(&[0.5; 7], 3, TieRule::Half);
    assert!(near(credit(&class, 5, TieRule::Half), 5.0 / 7.0));
    let drawn: Vec<bool> = (0..40).map(|seed| judge_choice(&[0.5, 0.5], 1, TieRule::Random { seed }).right).collect();
    assert!(drawn.contains(&true) && drawn.contains(&false));
    assert!(!judge_choice(&[0.5, 0.6], 0, TieRule::Random { seed: 1 }).right);

    let mut benchmark = benchmark(&["a", "a", "b"], Metric::Accuracy);
    benchmark.ties = TieRule::Half;
    let outcomes: Vec<_> = [[0.1, 0.2], [0.3, 0.3], [0.4, 0.1]].iter().map(|s| Some(benchmark.judge(0, s))).collect();
    let rows = scores(&benchmark, &outcomes, 0);
    assert_eq!((rows[0].correct, rows[0].scored, rows[0].ties), (1, 3, 1));
    assert!(near(rows[0].value, 50.0));
    benchmark.metric = Metric::MacroAccuracy { min_count: 1 };
    // a: 1.5 of 2, b: 0 of 1.
    assert!(near(scores(&benchmark, &outcomes, 0)[0].value, 37.5));
}

#[test]
fn recall_counts_the_first_k() {
    let mut benchmark = benchmark(&["a"; 4], Metric::Recall);
    let outcome =
        |rank| Some(Outcome { right: rank == 0, tied: false, margin: 0.0, in_top5: rank < 5, rank, equal: 0 });
    let outcomes = [outcome(0), outcome(4), outcome(5), outcome(10)];
    let rows = scores(&benchmark, &outcomes, 0);
    let found: Vec<_> = rows.iter().map(|row| (row.metric, row.correct)).collect();
    assert_eq!(found, [(MetricName::RecallAt1, 1), (MetricName::RecallAt5, 2), (MetricName::RecallAt10, 3)]);
    assert_eq!(serde_json::to_string(&rows[2].metric).unwrap(), "\"recall@10\"");
    benchmark.ties = TieRule::Half;
    let shared = [Some(Outcome { equal: 9, rank: 0, right: false, tied: true, margin: 0.0, in_top5: true })];
    let values: Vec<_> = scores(&benchmark, &shared, 0).iter().map(|row| row.value).collect();
    assert!(near(values[0], 10.0) && near(values[1], 50.0) && near(values[2], 100.0));
}

#[test]
fn nothing_that_cannot_be_compared_is_right() {
    for similarities in [&[f32::NAN, 0.1][..], &[0.9, f32::NAN], &[f32::NAN, f32::NAN], &[]] {
        assert_eq!(judge_choice(similarities, 0, TieRule::First), lost());
        assert_eq!(judge_choice(similarities, 0, TieRule::Strict), lost());
        assert_eq!(judge_class(similarities, 0), lost());
    }
    assert_eq!(judge_choice(&[0.1, 0.2], 2, TieRule::First), lost());
}

#[test]
fn margins_are_differences_to_the_best_wrong_option() {
    let margin = |similarities: &[f32]| judge_choice(similarities, 0, TieRule::First).margin;
    assert!((margin(&[0.5, 0.25, 0.375]) - 0.125).abs() < 1e-7);
    assert!((margin(&[0.25, 0.5, 0.375]) + 0.25).abs() < 1e-7);
    assert!((margin(&[0.5]) - 2.0).abs() < 1e-7);
    assert!(margin(&[0.5, 0.5]).abs() < 1e-7);
}

#[test]
fn top5_counts_classes_ahead_and_earlier_equals() {
    let top = |similarities: &[f32], label| {
        let outcome = judge_class(similarities, label);
        (outcome.right, outcome.in_top5)
    };
    let falling = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4];
    assert_eq!(top(&falling, 0), (true, true));
    assert_eq!(top(&falling, 4), (false, true));
    assert_eq!(top(&falling, 5), (false, false));
    let equal = [0.5; 6];
    assert_eq!(top(&equal, 0), (true, true));
    assert_eq!(top(&equal, 4), (false, true));
    assert_eq!(top(&equal, 5), (false, false));
    assert!(judge_class(&equal, 5).tied);
    assert!(!judge_class(&falling, 1).tied);
}

fn benchmark(groups: &[&str], metric: Metric) -> Benchmark {
    let choice = |group: &&str| Choice {
        image: 0,
        captions: vec!["a".to_owned(), "b".to_owned()],
        right: 1,
        group: Some((*group).to_owned()),
        tags: Vec::new(),
    };
    Benchmark {
        name: "test".to_owned(),
        task: None,
        metric,
        ties: TieRule::First,
        images: Vec::new(),
        items: Items::Choices(groups.iter().map(choice).collect()),
        skipped: vec![Skipped { item: "7".to_owned(), reason: "gone".to_owned() }],
        protocol: String::new(),
        n_in_file: groups.len() + 1,
    }
}

/// `r` right, `w` wrong, `t` tied and wrong, `5` wrong but in the top five, `.` not judged.
fn outcomes(marks: &str) -> Vec<Option<Outcome>> {
    let outcome = |mark| {
        let right = mark == 'r';
        let rank = if right {
            0
        } else if mark == '5' {
            4
        } else {
            5
        };
        let outcome = Outcome { right, tied: mark == 't', margin: 0.0, in_top5: right || mark == '5', rank, equal: 0 };
        (mark != '.').then_some(outcome)
    };
    marks.chars().map(outcome).collect()
}

fn near(got: f64, expected: f64) -> bool {
    (got - expected).abs() < 1e-9
}

#[test]
fn macro_accuracy_averages_groups_and_comes_with_plain_accuracy() {
    let benchmark = benchmark(&["on", "in", "on", "on", "in", "on"], Metric::MacroAccuracy { min_count: 1 });
    let scores = scores(&benchmark, &outcomes("rrrtwr"), 2);
    let [macro_row, plain] = &scores[..] else { panic!("{scores:?}") };
    // on: 3 of 4, in: 1 of 2.
    assert_eq!((macro_row.metric, plain.metric), (MetricName::MacroAccuracy, MetricName::Accuracy));
    assert!(near(macro_row.value, 62.5) && near(plain.value, 400.0 / 6.0));
    for row in [macro_row, plain] {
        assert_eq!((row.correct, row.scored, row.skipped, row.ties), (4, 6, 3, 1));
        assert!(row.interval[0] < row.value && row.value < row.interval[1]);
    }
    let wilson = wilson(4, 6).map(|bound| 100.0 * bound);
    assert!(near(plain.interval[0], wilson[0]) && near(plain.interval[1], wilson[1]));
}

#[test]
fn small_groups_stay_out_of_the_mean_but_not_of_the_counts() {
    let groups = [vec!["a"; 25], vec!["b"; 24]].concat();
    let benchmark = benchmark(&groups, Metric::MacroAccuracy { min_count: 25 });
    let marks = ["r".repeat(20), "w".repeat(5), "w".repeat(24)].concat();
    let complete = scores(&benchmark, &outcomes(&marks), 0);
    assert!(near(complete[0].value, 80.0));
    assert_eq!((complete[0].correct, complete[0].scored), (20, 49));
    assert!(near(complete[1].value, 2000.0 / 49.0));
    // A partial score keeps the group although fewer than 25 of it are judged yet.
    let partial = scores(&benchmark, &outcomes(&["rr.w", &".".repeat(45)].concat()), 0);
    assert!(near(partial[0].value, 200.0 / 3.0));
    assert_eq!(partial[0].scored, 3);
    // The published metric is never replaced by another while its groups have no verdict yet.
    let only_small = outcomes(&[".".repeat(25), "r".repeat(24)].concat());
    assert_eq!(scores(&benchmark, &only_small, 0), Vec::new());
}

#[test]
fn accuracy_is_over_the_judged_only() {
    let benchmark = benchmark(&["a", "a", "a", "a"], Metric::Accuracy);
    let rows = scores(&benchmark, &outcomes("r.tr"), 1);
    assert_eq!(rows.len(), 1);
    assert!(near(rows[0].value, 200.0 / 3.0));
    assert_eq!((rows[0].correct, rows[0].scored, rows[0].skipped, rows[0].ties), (2, 3, 2, 1));
    assert_eq!(scores(&benchmark, &outcomes("...."), 4), Vec::new());
}

#[test]
fn classes_have_top1_and_top5() {
    let mut benchmark = benchmark(&[], Metric::TopK);
    let classes = vec!["a".to_owned(), "b".to_owned()];
    benchmark.items = Items::Classes { classes, templates: vec!["{}".to_owned()], labels: vec![0, 1, 1, 0] };
    let rows = scores(&benchmark, &outcomes("r5w5"), 0);
    assert_eq!((rows[0].metric, rows[1].metric), (MetricName::Top1, MetricName::Top5));
    assert!(near(rows[0].value, 25.0) && near(rows[1].value, 75.0));
    assert_eq!((rows[0].correct, rows[1].correct, rows[1].scored), (1, 3, 4));
}
