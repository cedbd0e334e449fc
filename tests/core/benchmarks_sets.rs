//! Small data in exactly the published formats, every set in a folder of its own.

use std::path::{Path, PathBuf};

use image::{Rgb, RgbImage};
use serde_json::{Value, json};

use super::models::{Draw, golden_root};

/// A picture whose colours depend on its seed.
pub fn picture(path: &Path, seed: u64) {
    let mut draw = Draw(seed * 7 + 1);
    let tint = [0; 3].map(|_: u8| draw.below(200) as u8);
    let step = 1 + draw.below(6) as u32;
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let image = RgbImage::from_fn(21, 18, |x, y| Rgb(tint.map(|t| t.wrapping_add((x * step + y * 3) as u8 % 56))));
    image.save(path).unwrap();
}

pub fn text(path: &Path, text: &str) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

fn json_file(path: &Path, value: &Value) {
    text(path, &value.to_string());
}

/// Words that the small models' tokenizer has, in some order.
pub fn caption(seed: usize) -> String {
    const WORDS: [&str; 8] = ["dog", "man", "sea", "red", "house", "tree", "car", "left"];
    format!("a {} {} of the {}", WORDS[seed % 8], WORDS[(seed / 2 + 3) % 8], WORDS[(seed / 3 + 5) % 8])
}

/// The annotation files of a set, relative to the data folder: what a damaged download would change.
pub struct Set {
    pub name: &'static str,
    pub files: Vec<PathBuf>,
}

/// Writes every published set into `data` (but for class folders, which ImageNet's would hide).
pub fn write_all(data: &Path) -> Vec<Set> {
    let set = |name, files: &[&str]| Set { name, files: files.iter().map(PathBuf::from).collect() };
    imagenet(data);
    cifar(data);
    let shards = "wds/colours/test/0.tar";
    copy(&golden_root().join("benchmarks/wds/colours"), &data.join("wds/colours"));
    copy(&golden_root().join("benchmarks/wds/captions"), &data.join("wds/captions"));
    aro(data);
    orders(data);
    sugarcrepes(data);
    svo(data);
    pairs_of_pairs(data);
    retrieval(data);
    vec![
        set("imagenet", &["imagenet/val.txt"]),
        set("imagenet-v2", &["imagenet_templates.json"]),
        set("cifar10", &["cifar-10-batches-bin/test_batch.bin", "cifar-10-batches-bin/batches.meta.txt"]),
        set("cifar100", &["cifar-100-binary/test.bin"]),
        set("webdataset", &[shards, "wds/captions/test/0.tar", "wds/colours/classnames.txt"]),
        set("aro-relation", &["aro/visual_genome_relation.json"]),
        set("aro-attribution", &["aro/visual_genome_attribution.json"]),
        set("aro-coco-order", &["coco/coco_karpathy_test_tags.json", "coco/coco_karpathy_test.json"]),
        set("aro-flickr-order", &["flickr_order/instances.json"]),
        set("sugarcrepe", &["sugarcrepe/swap_obj.json"]),
        set("sugarcrepe-pp", &["pp/swap_obj.json"]),
        set("svo-probes", &["svo/svo_probes.csv"]),
        set("winoground", &["winoground/examples.jsonl"]),
        set("cola", &["cola/COLA_multiobjects_matching_benchmark.json"]),
        set("colorswap", &["colorswap/test.json"]),
        set("pairs", &["mine/pairs.jsonl"]),
        set("retrieval-coco", &["coco/coco_karpathy_test.json"]),
        set("retrieval-flickr", &["flickr/flickr30k_test_karpathy.txt"]),
    ]
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in from.read_dir().unwrap() {
        let path = entry.unwrap().path();
        let to = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &to);
        } else {
            std::fs::write(&to, std::fs::read(&path).unwrap()).unwrap();
        }
    }
}

fn imagenet(data: &Path) {
    let mut list = Vec::new();
    for (i, label) in [65, 970, 230, 809, 516].into_iter().enumerate() {
        let name = format!("ILSVRC2012_val_{:08}.JPEG", i + 1);
        let png = data.join(format!("imagenet/val/{i}.png"));
        picture(&png, i as u64);
        // Endings lie, as some of the published ones do.
        std::fs::rename(png, data.join("imagenet/val").join(&name)).unwrap();
        list.push(format!("{name} {label}"));
    }
    text(&data.join("imagenet/val.txt"), &list.join("\n"));
    for (folder, seed) in [("0", 3), ("10", 4), ("9", 5)] {
        picture(&data.join("imagenetv2-matched-frequency-format-val").join(folder).join("a.jpeg"), seed);
    }
    json_file(&data.join("imagenet_templates.json"), &json!({"imagenet1k": ["a red {c}", "the {c}"]}));
}

fn cifar(data: &Path) {
    let mut draw = Draw(5);
    for (file, labels) in [("cifar-10-batches-bin/test_batch.bin", 1), ("cifar-100-binary/test.bin", 2)] {
        let mut bytes = Vec::new();
        for i in 0..4_u8 {
            bytes.extend(vec![i; labels]);
            bytes.extend((0..3072).map(|_| draw.below(256) as u8));
        }
        let path = data.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    let names = "airplane\nautomobile\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck\n\n";
    text(&data.join("cifar-10-batches-bin/batches.meta.txt"), names);
}

fn aro(data: &Path) {
    let row = |i: usize| {
        let relation = ["on", "under", "near"][i % 3];
        json!({
            "image_id": i.to_string(), "image_path": format!("{}.jpg", i % 3), "bbox_x": i, "bbox_y": 0.5, "bbox_w": 9,
            "bbox_h": 30, "relation_name": relation, "attributes": ["red", "wet"],
            "true_caption": caption(i), "false_caption": caption(i + 1), "obj1_name": "x",
        })
    };
    let rows: Vec<_> = (0..30).map(row).collect();
    for file in ["visual_genome_relation.json", "visual_genome_attribution.json"] {
        json_file(&data.join("aro").join(file), &json!(rows));
    }
    (0..3).for_each(|i| picture(&data.join(format!("aro/images/{i}.jpg")), 20 + i));
}

fn orders(data: &Path) {
    let options: Vec<_> = (0..5).map(caption).collect();
    let rows: Vec<_> = (0..4)
        .map(|i| json!({"image_path": format!("flickr30k-images/{i}.jpg"), "caption_options": options}))
        .collect();
    json_file(&data.join("flickr_order/instances.json"), &json!(rows));
    (0..4).for_each(|i| picture(&data.join(format!("flickr_order/flickr30k-images/{i}.jpg")), 30 + i));
}

fn sugarcrepes(data: &Path) {
    // A gap in the keys, as swap_obj has one.
    let row = |i: usize| {
        json!({"filename": format!("{:012}.jpg", i % 4), "caption": format!("{} ", caption(i)),
               "negative_caption": caption(i + 1)})
    };
    let rows: serde_json::Map<String, Value> = [0, 1, 2, 4, 5].map(|i| (i.to_string(), row(i))).into_iter().collect();
    json_file(&data.join("sugarcrepe/swap_obj.json"), &Value::Object(rows));
    let row = |i: usize| {
        json!({"id": i, "filename": format!("{:012}.jpg", i % 4), "caption": caption(i), "caption2": caption(i + 9),
               "negative_caption": caption(i + 1)})
    };
    json_file(&data.join("pp/swap_obj.json"), &json!((0..8).map(row).collect::<Vec<_>>()));
    (0..4).for_each(|i| picture(&data.join(format!("sugarcrepe/val2017/{i:012}.jpg")), 40 + i));
}

fn svo(data: &Path) {
    let header = "sentence,pos_triplet,neg_triplet,subj_neg,verb_neg,obj_neg,pos_image_id,neg_image_id,pos_url,neg_url";
    let mut rows = vec![header.to_owned()];
    for i in 0..9 {
        let flags = [0, 1, 2].map(|kind| if i % 3 == kind { "True" } else { "False" }).join(",");
        let url = "https://example.org/a,b.jpg";
        let sentence = format!("\"{}, \"\"{i}\"\"\"", caption(i));
        rows.push(format!("{sentence},\"a,b,c\",\"a,d,c\",{flags},{i},{},\"{url}\",\"{url}\"", i + 1));
    }
    text(&data.join("svo/svo_probes.csv"), &rows.join("\n"));
    (0..10).for_each(|i| picture(&data.join(format!("svo/images/{i}.png")), 50 + i));
}

fn pairs_of_pairs(data: &Path) {
    let mut lines = Vec::new();
    let (mut colorswap, mut cola) = (Vec::new(), Vec::new());
    for i in 0..6_usize {
        let captions = [caption(i), caption(i + 3)];
        let row = json!({
            "id": i, "image_0": format!("ex_{i}_img_0"), "image_1": format!("ex_{i}_img_1"), "caption_0": captions[0],
            "caption_1": captions[1], "tag": "Object", "secondary_tag": "", "num_main_preds": 1, "collapsed_tag": "Both",
        });
        lines.push(row.to_string());
        colorswap.push(json!({"id": i, "caption_1": captions[0], "caption_2": captions[1],
            "image_1": format!("images/img_{i}_1.png"), "image_2": format!("images/img_{i}_2.png")}));
        let url = |j: usize| format!("https://example.org/vg_gqa_images/{}.jpg", 2 * i + j);
        cola.push(json!([url(0), captions[0], url(1), captions[1]]));
        for j in 0..2_usize {
            let seed = (60 + 2 * i + j) as u64;
            picture(&data.join(format!("winoground/images/ex_{i}_img_{j}.png")), seed);
            picture(&data.join(format!("colorswap/images/img_{i}_{}.png", j + 1)), seed + 20);
            picture(&data.join(format!("cola/VG_100K/{}.jpg", 2 * i + j)), seed + 40);
        }
    }
    text(&data.join("winoground/examples.jsonl"), &lines.join("\n"));
    json_file(&data.join("colorswap/test.json"), &json!(colorswap));
    json_file(&data.join("cola/COLA_multiobjects_matching_benchmark.json"), &json!(cola));
    let line = |i: usize| {
        let negatives = [caption(i + 1), caption(i + 2)];
        json!({"image": format!("{i}.png"), "caption": caption(i), "negatives": negatives, "tags": ["t"]}).to_string()
    };
    text(&data.join("mine/pairs.jsonl"), &(0..5).map(line).collect::<Vec<_>>().join("\n"));
    (0..5).for_each(|i| picture(&data.join(format!("mine/images/{i}.png")), 120 + i));
}

fn retrieval(data: &Path) {
    let captions = |i: usize| (0..5).map(|j| caption(5 * i + j)).collect::<Vec<_>>();
    let image = |i: usize| format!("val2014/COCO_val2014_{i:012}.jpg");
    let rows: Vec<_> = (0..6).map(|i| json!({"image": image(i), "caption": captions(i)})).collect();
    json_file(&data.join("coco/coco_karpathy_test.json"), &json!(rows));
    let tag = |word: &str| json!([word, if word == "a" || word == "the" || word == "of" { "DT" } else { "NN" }]);
    let tags: Vec<Vec<Value>> =
        (0..6).flat_map(captions).map(|caption| caption.split(' ').map(tag).collect()).collect();
    json_file(&data.join("coco/coco_karpathy_test_tags.json"), &json!(tags));
    let mut lines = vec!["image,caption".to_owned()];
    for i in 0..6 {
        picture(&data.join("coco").join(image(i)), 130 + i as u64);
        picture(&data.join(format!("flickr/flickr30k-images/{i}.jpg")), 140 + i as u64);
        lines.extend(captions(i).iter().map(|caption| format!("{i}.jpg,{caption}, again")));
    }
    text(&data.join("flickr/flickr30k_test_karpathy.txt"), &lines.join("\n"));
}
