//! The command line, driven as scripts drive it: fields, exit status, what goes to which stream.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use candle_core::Device;
use clove::checkpoint::{Checkpoint, Naming, Options};
use clove::clip::tokens::word_level_bpe;
use clove::patch::{Alpha, AlphaMap, Pair, Patch};
use safetensors::SafeTensors;
use serde_json::{Value, json};
use sha2::Digest as _;

use super::models::{Golden, assert_same_tensors, folder, golden_root, random, save, small};

/// What a run left.
pub struct Run {
    pub status: i32,
    pub out: String,
    pub err: String,
}

pub fn clove<S: AsRef<OsStr>>(args: &[S]) -> Run {
    let output = Command::new(env!("CARGO_BIN_EXE_clove")).args(args).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Run { status: output.status.code().unwrap(), out: text(output.stdout), err: text(output.stderr) }
}

impl Run {
    /// The one JSON document on standard output.
    pub fn json(&self) -> Value {
        assert_eq!(self.status, 0, "{}", self.err);
        serde_json::from_str(&self.out).unwrap_or_else(|e| panic!("{e}: {}", self.out))
    }

    /// The one sentence of a failure that holds all of `words`.
    pub fn fails(&self, status: i32, words: &[&str]) {
        assert_eq!(self.status, status, "{}", self.err);
        assert_eq!(self.out, "", "a failure prints nothing on standard output");
        if status == 1 {
            assert_eq!(self.err.lines().count(), 1, "not one sentence: {}", self.err);
            assert!(self.err.starts_with("clove: "), "{}", self.err);
        }
        for word in words {
            assert!(self.err.contains(word), "no '{word}' in: {}", self.err);
        }
    }
}

/// A folder with the pair `base` and `tuned`, as Hugging Face folders with their tokenizer.
pub struct Desk(tempfile::TempDir);

impl Desk {
    pub fn new() -> Self {
        let desk = Self(tempfile::tempdir().unwrap());
        save(&random(small(), 1), Path::new(&desk.path("base")), Naming::Hf);
        save(&random(small(), 2), Path::new(&desk.path("tuned")), Naming::OpenClip);
        desk
    }

    pub fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    /// Runs on the pair: `words` with `{name}` for paths on the desk.
    pub fn run(&self, words: &str) -> Run {
        let place = |word: &str| match word.strip_prefix('@') {
            Some(name) => self.path(name),
            None => word.to_owned(),
        };
        clove(&words.split_whitespace().map(place).collect::<Vec<_>>())
    }
}

pub fn keys(value: &Value) -> BTreeSet<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

pub fn floats(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

fn image(name: &str) -> String {
    golden_root().join("images").join(name).display().to_string()
}

#[test]
fn inspect_tells_the_contract() {
    for (name, file, naming, activation, dtype, tensors) in [
        ("hf_gelu", "model.safetensors", "hf", "gelu", "F32", 94),
        ("open_clip_quick_gelu_bf16", "open_clip_model.safetensors", "open-clip", "quick-gelu", "BF16", 74),
    ] {
        let path = folder(name).display().to_string();
        let run = clove(&["inspect", &path, "--json"]);
        assert_eq!(run.err, "");
        let found = run.json();
        let bytes = std::fs::read(folder(name).join(file)).unwrap();
        let sha256 = sha2::Sha256::digest(&bytes).iter().fold(String::new(), |hex, b| format!("{hex}{b:02x}"));
        let parameters: usize =
            SafeTensors::deserialize(&bytes).unwrap().iter().map(|(_, v)| v.shape().iter().product::<usize>()).sum();
        let mut wanted = json!({
            "format": "safetensors", "naming": naming, "activation": activation, "image_size": 32, "patch_size": 8,
            "context_length": 77, "embed_dim": 20, "vision": { "width": 24, "layers": 3, "heads": 3 },
            "text": { "width": 16, "layers": 2, "heads": 2 }, "parameters": parameters, "tensors": tensors,
            "dtypes": { dtype: tensors }, "sha256": sha256,
        });
        wanted["activation_source"] = found["activation_source"].clone();
        assert_eq!(found, wanted);
        assert!(found["activation_source"].as_str().unwrap().contains("config.json"));
        let plain = clove(&["inspect", &path]);
        assert!(plain.status == 0 && plain.out.contains(&sha256) && plain.out.contains(activation), "{}", plain.out);
        let overruled = clove(&["inspect", &path, "--activation", "gelu", "--json"]).json();
        assert_eq!(
            (&overruled["activation"], &overruled["activation_source"]),
            (&json!("gelu"), &json!("--activation"))
        );
    }
}

#[test]
fn score_tells_the_contract() {
    let desk = Desk::new();
    let (first, second) = (image("37x53.png"), image("10x7.png"));
    let texts = ["a red dog", "the sea"];
    let base = desk.path("base");
    let run = clove(&["score", "--base", &base, "--image", &first, &second, "--text", texts[0], texts[1], "--json"]);
    assert_eq!(run.err, "");
    let found = run.json();
    assert_eq!(keys(&found), BTreeSet::from(["alpha", "images", "logit_scale"]));
    assert_eq!(found["alpha"], json!({ "image": 0.0, "text": 0.0 }));
    let scale = found["logit_scale"].as_f64().unwrap();
    let stored = random(small(), 1).tensors().unwrap()["logit_scale"].to_scalar::<f32>().unwrap();
    assert!((scale - f64::from(stored.exp())).abs() < 1e-4, "after exp");
    let images = found["images"].as_array().unwrap();
    assert_eq!(images.iter().map(|i| i["path"].as_str().unwrap()).collect::<Vec<_>>(), [&first, &second]);
    for image in images {
        assert_eq!(keys(image), BTreeSet::from(["path", "probabilities", "similarities"]));
        let (s, p) = (floats(&image["similarities"]), floats(&image["probabilities"]));
        assert!(s.len() == 2 && s.iter().all(|s| s.abs() <= 1.0 + 1e-6));
        let first = 1.0 / (1.0 + (scale * (s[1] - s[0])).exp());
        assert!((p[0] - first).abs() < 1e-5 && (p[0] + p[1] - 1.0).abs() < 1e-6, "{p:?}");
    }
    // Texts the other way round: the same numbers the other way round.
    let turned =
        clove(&["score", "--base", &base, "--image", &first, "--text", texts[1], "--text", texts[0], "--json"]).json();
    let (s, t) = (floats(&images[0]["similarities"]), floats(&turned["images"][0]["similarities"]));
    assert!((s[0] - t[1]).abs() < 1e-6 && (s[1] - t[0]).abs() < 1e-6);
    let plain = clove(&["score", "--base", &base, "--image", &first, "--text", texts[0]]);
    assert!(plain.status == 0 && plain.out.contains("100.00 %") && plain.out.contains(texts[0]), "{}", plain.out);
}

fn embeddings(path: &str, name: &str) -> Vec<Vec<f32>> {
    let bytes = std::fs::read(path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let view = file.tensor(name).unwrap();
    assert_eq!(view.dtype(), safetensors::Dtype::F32);
    let values: Vec<f32> = view.data().as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
    let [n, d] = view.shape() else { panic!("{name} is no matrix") };
    assert_eq!(values.len(), n * d);
    values.chunks(*d).map(<[f32]>::to_vec).collect()
}

/// From the file to the file, the numbers of the reference.
#[test]
fn embed_writes_the_reference_embeddings() {
    let desk = tempfile::tempdir().unwrap();
    let at = |name: &str| desk.path().join(name).display().to_string();
    for name in ["hf_gelu", "hf_quick_gelu_f16"] {
        let (model, golden) = (at(name), Golden::of(name));
        std::fs::create_dir(&model).unwrap();
        for file in ["config.json", "model.safetensors"] {
            std::fs::copy(folder(name).join(file), Path::new(&model).join(file)).unwrap();
        }
        std::fs::write(Path::new(&model).join("tokenizer.json"), word_level_bpe(&["red", "dog"])).unwrap();
        let out = at(&format!("{name}.safetensors"));
        let paths: Vec<String> = golden.image_paths().iter().map(|p| p.display().to_string()).collect();
        let mut args = vec!["embed", "--base", &model, "--out", &out, "--images"];
        args.extend(paths.iter().map(String::as_str));
        let run = clove(&args);
        assert!(run.status == 0 && run.out.is_empty(), "{}", run.err);
        let found = embeddings(&out, "image_embeddings");
        assert_eq!(found.len(), golden.image_embeddings.len());
        for (found, wanted) in found.iter().flatten().zip(golden.image_embeddings.iter().flatten()) {
            assert!((found - wanted).abs() <= 1e-4, "{name}: {found} and {wanted}");
        }
    }
}

#[test]
fn embed_keeps_the_order_and_the_names() {
    let desk = Desk::new();
    let texts = ["the sea", "a red dog", "", "the sea"];
    std::fs::write(desk.path("texts.txt"), texts.join("\n") + "\n").unwrap();
    let folder = golden_root().join("images").display().to_string();
    let (base, tuned, out) = (desk.path("base"), desk.path("tuned"), desk.path("e.safetensors"));
    let list = desk.path("texts.txt");
    let args = [
        "embed",
        "--base",
        &base,
        "--tuned",
        &tuned,
        "--alpha-image",
        "0.25",
        "--alpha-text",
        "1",
        "--images",
        &folder,
        "--texts",
        &list,
        "--out",
        &out,
    ];
    let run = clove(&args);
    assert_eq!(run.status, 0, "{}", run.err);
    let (of_images, of_texts) = (embeddings(&out, "image_embeddings"), embeddings(&out, "text_embeddings"));
    assert_eq!((of_images.len(), of_texts.len()), (5, 4));
    for row in of_images.iter().chain(&of_texts) {
        assert!((row.iter().map(|v| v * v).sum::<f32>() - 1.0).abs() < 1e-5);
    }
    assert_eq!(of_texts[0], of_texts[3]);
    let bytes = std::fs::read(&out).unwrap();
    let metadata = SafeTensors::read_metadata(&bytes).unwrap().1.metadata().clone().unwrap();
    let listed = |key: &str| serde_json::from_str::<Vec<String>>(&metadata[key]).unwrap();
    assert_eq!(listed("texts"), texts);
    let names = ["101x64.png", "10x7.png", "32x32.png", "37x53.png", "53x37.png"].map(image);
    assert_eq!(listed("images"), names);
    // `score` tells the same similarities.
    let towers = ["--tuned", &tuned, "--alpha-image", "0.25", "--alpha-text", "1"];
    let mut args =
        vec!["score", "--base", &base, "--json", "--image", &names[1], "--text", texts[0], "--text", texts[1]];
    args.extend(towers);
    let scored = clove(&args).json();
    assert_eq!(scored["alpha"], json!({ "image": 0.25, "text": 1.0 }));
    for (similarity, text) in floats(&scored["images"][0]["similarities"]).iter().zip(&of_texts) {
        let dot: f32 = text.iter().zip(&of_images[1]).map(|(a, b)| a * b).sum();
        assert!((similarity - f64::from(dot)).abs() < 1e-5);
    }
    clove(&["embed", "--base", &base, "--texts", &list, "--out", &out]).fails(1, &["not overwritten", &out]);
}

#[test]
fn patch_writes_the_blend_and_never_over_a_file() {
    let desk = Desk::new();
    let open = |name: &str| Checkpoint::open(Path::new(&desk.path(name)), Options::default()).unwrap();
    let pair = Pair::new(open("base"), open("tuned")).unwrap();
    let mut patch = Patch::new(&pair, &Device::Cpu).unwrap();
    for (out, alpha, naming, wanted, map) in [
        ("p1.safetensors", "--alpha 0.37", "", Naming::Hf, AlphaMap::one(Alpha::clamped(0.37))),
        ("p2.safetensors", "--alpha 1", "--naming open-clip", Naming::OpenClip, AlphaMap::TUNED),
        (
            "p3",
            "--alpha 0.5 --alpha-text 0",
            "--naming hf",
            Naming::Hf,
            AlphaMap::towers(Alpha::clamped(0.5), Alpha::BASE),
        ),
    ] {
        let line = format!("patch --base @base --tuned @tuned {alpha} --out @{out} {naming}");
        let run = desk.run(&line);
        assert!(run.status == 0 && run.out.is_empty() && run.err.contains(out), "{}", run.err);
        let written = open(out);
        assert_eq!(written.provenance.naming, wanted);
        patch.set(map).unwrap();
        assert_same_tensors(&written.tensors().unwrap(), &patch.tensors());
        desk.run(&line).fails(1, &["not overwritten", &desk.path(out)]);
    }
    assert!(open("p3").tokenizer.is_some(), "a folder is complete");
    assert_same_tensors(&open("p2.safetensors").tensors().unwrap(), &pair.tuned.tensors().unwrap());
    let bytes = std::fs::read(desk.path("p1.safetensors")).unwrap();
    let metadata = SafeTensors::read_metadata(&bytes).unwrap().1.metadata().clone().unwrap();
    let record: Value = serde_json::from_str(&metadata["clove"]).unwrap();
    assert_eq!(record["alpha"], json!({ "image": 0.37, "text": 0.37 }));
    assert_eq!(record["base"]["sha256"], pair.base.sha256());
    assert_eq!(record["tuned"]["sha256"], pair.tuned.sha256());
}

#[test]
fn alphas_have_rules() {
    let desk = Desk::new();
    let image = image("32x32.png");
    let score = |alphas: &str| desk.run(&format!("score --base @base {alphas} --image {image} --text sea --json"));
    // Which of 1 and 2 these are is the command's to say; that they fail with the reason is the rule.
    for (alphas, words) in [
        ("--alpha 0.5", "--tuned"),
        ("--alpha-text 0.5", "--tuned"),
        ("--tuned @tuned", "--alpha"),
        ("--tuned @tuned --alpha-image 0.5", "--alpha-text"),
    ] {
        let run = score(alphas);
        run.fails(2, &[words]);
    }
    for bad in ["1.5", "-0.1", "nan", "half", ""] {
        let run = clove(&[
            "score",
            "--base",
            "x",
            "--tuned",
            "y",
            &format!("--alpha={bad}"),
            "--image",
            &image,
            "--text",
            "sea",
        ]);
        run.fails(2, &["alpha"]);
    }
    let map = |run: Run| run.json()["alpha"].clone();
    assert_eq!(map(score("--tuned @tuned --alpha 0.5")), json!({ "image": 0.5, "text": 0.5 }));
    assert_eq!(map(score("--tuned @tuned --alpha 0.5 --alpha-image 1")), json!({ "image": 1.0, "text": 0.5 }));
    assert_eq!(map(score("--tuned @tuned --alpha-image 1 --alpha-text 0")), json!({ "image": 1.0, "text": 0.0 }));
    // The ends of the pair are its checkpoints.
    let similarities = |run: Run| floats(&run.json()["images"][0]["similarities"]);
    assert_eq!(similarities(score("--tuned @tuned --alpha 0")), similarities(score("")));
    let tuned = desk.run(&format!("score --base @tuned --image {image} --text sea --json"));
    assert_eq!(similarities(score("--tuned @tuned --alpha 1")), similarities(tuned));
}

#[test]
fn wrong_usage_is_2() {
    for line in [
        "fly",
        "inspect",
        "score --base x",
        "score --image x --text y",
        "embed --base x --out y",
        "patch --base x --tuned y --alpha 0",
        "patch --base x --tuned y --alpha 0 --out z --naming jax",
        "evaluate --base x --data y",
        "evaluate --base x --data y --benchmark folder --limit 0",
        "sweep --base x --tuned y --data z --benchmark folder --alphas 0:2:0.1",
        "score --base x --image y --text z --device tpu",
        "inspect x --activation relu",
    ] {
        clove(&line.split(' ').collect::<Vec<_>>()).fails(2, &["--help"]);
    }
    assert_eq!(clove(&["--help"]).status, 0);
    assert_eq!(clove(&["--version"]).out.trim(), concat!("clove ", env!("CARGO_PKG_VERSION")));
}

#[test]
fn failures_are_1_and_name_the_file() {
    let desk = Desk::new();
    let image = image("32x32.png");
    let text = PathBuf::from(desk.path("text.safetensors"));
    std::fs::write(&text, "not weights").unwrap();
    desk.run("inspect @absent").fails(1, &["absent", "cannot open"]);
    desk.run("inspect @text.safetensors --json").fails(1, &["text.safetensors", "this is text"]);
    desk.run("inspect demo:other").fails(1, &["demo:other", "demo:base"]);
    let score = |rest: &str| desk.run(&format!("score --text sea {rest}"));
    score(&format!("--base @text.safetensors --image {image}")).fails(1, &["base", "text.safetensors"]);
    score("--base @base --image @absent.png").fails(1, &["absent.png"]);
    score("--base @base --image @text.safetensors").fails(1, &["text.safetensors"]);
    let golden = folder("hf_gelu").display().to_string();
    score(&format!("--base {golden} --image {image}")).fails(1, &["tokenizer.json", &golden]);
    let gelu = score(&format!("--base @base --tuned {golden} --alpha 0 --image {image}"));
    gelu.fails(1, &["do not fit", "'text_projection' has shape"]);
    desk.run("embed --base @base --texts @absent.txt --out @o.safetensors").fails(1, &["absent.txt"]);
    desk.run("patch --base @base --alpha 0.5 --out @o.safetensors").fails(2, &["--tuned"]);
    desk.run("patch --base @base --tuned @tuned --alpha 0.5 --out @none/o.safetensors")
        .fails(1, &["none/o.safetensors"]);
    assert!(!Path::new(&desk.path("o.safetensors")).exists());
    if cfg!(not(feature = "cuda")) {
        score(&format!("--base @base --image {image} --device cuda")).fails(1, &["CUDA", "--features cuda"]);
    }
}
