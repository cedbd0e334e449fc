use serde_json::json;

use super::*;
use crate::benchmark::fixtures::{Data, skipped};
use crate::benchmark::{find, limit};

const NAMES: [&str; 5] = ["00000001", "00000002", "00000003", "00000004", "00000005"];
const LABELS: [usize; 5] = [65, 970, 230, 809, 516];
const FIRST_WNIDS: [&str; 5] = ["n01751748", "n09193705", "n02105855", "n04263257", "n03125729"];

/// The first validation images in one folder; the second is missing.
fn flat() -> Data {
    let data = Data::new();
    for name in NAMES.into_iter().filter(|name| *name != "00000002") {
        data.image(&format!("val/ILSVRC2012_val_{name}.jpeg"));
        let path = |ending| data.path().join(format!("val/ILSVRC2012_val_{name}.{ending}"));
        std::fs::rename(path("jpeg"), path("JPEG")).unwrap();
    }
    data
}

fn labels(benchmark: &Benchmark) -> Vec<usize> {
    match &benchmark.items {
        Items::Classes { labels, .. } => labels.clone(),
        _ => panic!("not classes"),
    }
}

fn check(data: &Data, source: &str) {
    let benchmark = read(data.path()).unwrap();
    assert_eq!(labels(&benchmark), [65, 230, 809, 516]);
    assert!(benchmark.protocol.contains(source), "{}", benchmark.protocol);
    assert!(benchmark.protocol.contains("mean of 80 prompts (from OpenAI)"), "{}", benchmark.protocol);
    let [(item, reason)] = skipped(&benchmark)[..] else { panic!("{:?}", benchmark.skipped) };
    assert!(item.contains("00000002") && reason == "there is no image file", "{item} {reason}");
    assert_eq!(benchmark.n_in_file, 5);
}

#[test]
fn layout_a_class_folders() {
    let data = Data::new();
    // Sorted as torchvision does it; a folder that is no wnid is no class.
    data.image("imagenet/val/n02123045/b.png").image("imagenet/val/n01440764/ILSVRC2012_val_1.jpg");
    data.image("imagenet/val/n02123045/a.png").image("imagenet/val/notes/x.png");
    let benchmark = read(data.path()).unwrap();
    assert_eq!(labels(&benchmark), [0, 281, 281]);
    assert_eq!(benchmark.images[1].name(), "a.png");
    assert!(benchmark.protocol.contains("998 of the classes without images"), "{}", benchmark.protocol);
    assert_eq!(find(data.path()), [IMAGENET], "not found again as class folders");
    assert_eq!(find(&data.path().join("imagenet")), [IMAGENET]);
}

#[test]
fn layout_b_caffe_list() {
    let data = flat();
    let list = |prefix: &str| -> String {
        let line = |(name, label): (&&str, _)| format!("{prefix}ILSVRC2012_val_{name}.JPEG {label}\n");
        NAMES.iter().zip(LABELS).map(line).collect::<Vec<_>>().concat()
    };
    data.text("val.txt", &list(""));
    check(&data, "labels from val.txt");
    data.text("val.txt", &list("val/"));
    check(&data, "labels from val.txt");
}

#[test]
fn layout_c_devkit_with_its_own_ids() {
    let data = flat();
    data.text("devkit/data/ILSVRC2012_validation_ground_truth.txt", "490\n361\n171\n822\n297\n");
    let error = read(data.path()).unwrap_err().to_string();
    assert!(error.contains("meta.mat") && error.contains("ground_truth.txt"), "{error}");
    let map = "n01751748 490 sea_snake\nn09193705 361 alp\nn02105855 171 x\nn04263257 822 y\nn03125729 297 cradle\n";
    data.text("devkit/data/map_clsloc.txt", map);
    check(&data, "ILSVRC2012_validation_ground_truth.txt with map_clsloc.txt");
}

#[test]
fn layout_c_devkit_with_matlabs_file() {
    for file in ["meta.mat", "meta_plain.mat"] {
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/benchmarks").join(file);
        let data = flat();
        data.text("ILSVRC2012_devkit_t12/data/ILSVRC2012_validation_ground_truth.txt", "490\n361\n171\n822\n");
        std::fs::copy(golden, data.path().join("ILSVRC2012_devkit_t12/data/meta.mat")).unwrap();
        let benchmark = read(data.path()).unwrap();
        assert_eq!(labels(&benchmark), [65, 230, 809]);
        // The file has four leaves and an inner node, whose id is no class.
        assert_eq!(skipped(&benchmark)[0], ("ILSVRC2012_val_00000005.JPEG", "it has no label"));
    }
}

#[test]
fn layout_d_wnid_lists() {
    let data = flat();
    let line = |(name, wnid): (&&str, &str)| format!("ILSVRC2012_val_{name},{wnid} 1 2 3 4 {wnid} 5 6 7 8 \n");
    let rows = NAMES.iter().zip(FIRST_WNIDS).map(line).collect::<Vec<_>>().concat();
    data.text("LOC_val_solution.csv", &format!("ImageId,PredictionString\n{rows}"));
    check(&data, "labels from LOC_val_solution.csv");
    let data = flat();
    data.text("imagenet_2012_validation_synset_labels.txt", &FIRST_WNIDS.join("\n"));
    check(&data, "labels from imagenet_2012");
}

#[test]
fn wrong_orders_are_noticed_and_lists_asked_for() {
    let data = flat();
    let error = read(data.path()).unwrap_err().to_string();
    assert!(error.contains("val.txt") && error.contains("LOC_val_solution.csv"), "{error}");
    // The devkit's numbers taken for labels: a mistake that has been published.
    let line = |(name, label): (&&str, i32)| format!("ILSVRC2012_val_{name}.JPEG {label}\n");
    let rows = NAMES.iter().zip([489, 360, 170, 821, 296]).map(line).collect::<Vec<_>>().concat();
    data.text("val.txt", &rows);
    let error = read(data.path()).unwrap_err().to_string();
    assert!(error.contains("n01751748") && error.ends_with("val.txt"), "{error}");
    data.text("val.txt", "no labels here\n");
    assert!(read(data.path()).unwrap_err().to_string().contains("no line"), "an unusable list is an error");
}

#[test]
fn v2_folders_are_numbers() {
    let data = Data::new();
    for (folder, file) in [("10", "a"), ("9", "b"), ("0", "c"), ("999", "d"), ("1000", "e")] {
        data.image(&format!("imagenetv2-matched-frequency-format-val/{folder}/{file}.jpeg"));
    }
    let mut benchmark = read_v2(data.path()).unwrap();
    assert_eq!(labels(&benchmark), [0, 9, 10, 999]);
    assert!(benchmark.protocol.contains("matched-frequency"), "{}", benchmark.protocol);
    assert_eq!(find(data.path()), [V2]);
    limit(&mut benchmark, 2);
    assert_eq!(benchmark.len(), 2);
    let nested = Data::new();
    nested.image("sets/imagenetv2-top-images-format-val/3/a.jpeg");
    assert_eq!(labels(&read_v2(nested.path()).unwrap()), [3]);
}

#[test]
fn own_names_and_prompts_are_said() {
    let data = Data::new();
    data.image("val/n01440764/a.png").json("templates.json", &json!(["a {c}"]));
    let benchmark = read(data.path()).unwrap();
    assert!(benchmark.protocol.contains("mean of 1 prompts (from templates.json)"), "{}", benchmark.protocol);
}
