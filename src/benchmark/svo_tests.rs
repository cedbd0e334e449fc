use super::*;
use crate::benchmark::fixtures::{Data, skipped};
use crate::benchmark::{Items, chance};

/// As Python's csv module writes it: quotes, commas and a line break in sentences, a list literal, a dead address.
const CSV: &str = include_str!("../../tests/golden/benchmarks/svo_probes.csv");

fn duels(benchmark: &Benchmark) -> &[Duel] {
    match &benchmark.items {
        Items::Duels(duels) => duels,
        _ => panic!("not duels"),
    }
}

/// Images by MD5 of the address, by id, and with an ending.
fn data() -> Data {
    let data = Data::new();
    data.text("svo/svo_probes.csv", CSV);
    data.image("svo/images/11.png").image("svo/images/12.jpg");
    let hash = hex(&Md5::digest(b"https://example.org/c.jpg"));
    data.image(&format!("svo/images/{hash}.png"));
    std::fs::rename(data.path().join(format!("svo/images/{hash}.png")), data.path().join("svo/images").join(hash))
        .unwrap();
    data
}

#[test]
fn kinds_are_tasks_and_quoting_is_understood() {
    let data = data();
    let tasks = read(data.path()).unwrap();
    let named: Vec<_> = tasks.iter().map(|task| (task.task.as_deref().unwrap(), task.len(), task.n_in_file)).collect();
    assert_eq!(named, [("subject", 1, 1), ("verb", 1, 1), ("object", 1, 3)]);
    assert_eq!(duels(&tasks[0])[0].captions, ["A \"big\" dog, running"]);
    assert_eq!(duels(&tasks[2])[0].captions, ["A line\nbreak"]);
    assert_eq!(duels(&tasks[1])[0].tags, ["dog", "run", "beach"]);
    let reasons = skipped(&tasks[2]);
    assert_eq!(reasons[0], ("row 3", "it has no sentence"));
    assert!(reasons[1].0 == "row 5" && reasons[1].1.contains("99.jpg"), "{reasons:?}");
    assert!(tasks[2].protocol.contains("1 of 3 rows"), "{}", tasks[2].protocol);
    assert!((chance(&tasks[0]) - 50.0).abs() < 1e-9);
}

#[test]
fn the_right_image_must_win() {
    let data = data();
    let verb = &read(data.path()).unwrap()[1];
    assert_eq!(verb.images_of(0), [0, 1]);
    assert!(verb.judge(0, &[0.3, 0.2]).right && !verb.judge(0, &[0.2, 0.3]).right);
    assert!(verb.judge(0, &[0.2, 0.2]).tied);
    assert!(matches!(verb.ties, TieRule::Random { .. }), "as in Netflix/clove");
}

#[test]
fn without_images_nothing_is_usable_and_hashes_are_md5() {
    let data = Data::new();
    data.text("svo_probes.csv", CSV).folder("images");
    let error = read(data.path()).unwrap_err().to_string();
    assert!(error.contains("there is no image file") && error.contains("images"), "{error}");
    // echo -n https://example.org/a.jpg | md5sum
    assert!(names("https://example.org/a.jpg", "").contains(&"14959baaa98af1141f91775766c5008d".to_owned()));
}
