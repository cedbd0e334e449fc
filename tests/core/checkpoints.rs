//! Checkpoints as PyTorch, open_clip and transformers save them (`training/reference/checkpoints.py`).

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use clove::checkpoint::{Architecture, Checkpoint, CheckpointError, Naming, Options};
use clove::kernels::Activation;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::Deserialize;
use sha2::Digest as _;
use tempfile::TempDir;

use super::models::{assert_same_tensors, golden_root, random, save, values};

/// What the script found in a file: shape, sum, and sum weighted by the value's place, by the file's names.
#[derive(Deserialize)]
struct Golden {
    tensors: BTreeMap<String, (Vec<usize>, f64, f64)>,
    dtypes: BTreeMap<String, usize>,
    format: String,
}

fn path(name: &str) -> PathBuf {
    golden_root().join("checkpoints").join(name)
}

fn golden() -> BTreeMap<String, Golden> {
    serde_json::from_slice(&std::fs::read(path("golden.json")).unwrap()).unwrap()
}

const GELU: Options = Options { activation: Some(Activation::Gelu) };

fn open(name: &str) -> Checkpoint {
    Checkpoint::open(&path(name), Options::default()).unwrap()
}

fn said(name: &str) -> String {
    said_of(&path(name))
}

fn said_of(path: &Path) -> String {
    let said = Checkpoint::open(path, Options::default()).unwrap_err().to_string();
    assert!(said.contains(&path.display().to_string()) && !said.contains('\n') && said.len() < 600, "{said}");
    said
}

/// Shape and values by the names that the file had.
fn by_file_names(checkpoint: &Checkpoint) -> BTreeMap<String, (Vec<usize>, Vec<f32>)> {
    let room = tempfile::tempdir().unwrap();
    let path = room.path().join("again.safetensors");
    save(checkpoint, &path, checkpoint.provenance.naming);
    let bytes = std::fs::read(path).unwrap();
    let floats = |data: &[u8]| data.as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    file.iter().map(|(name, view)| (name.to_owned(), (view.shape().to_vec(), floats(view.data())))).collect()
}

fn is_near(found: f64, wanted: f64, scale: f64) -> bool {
    (found - wanted).abs() <= 1e-9 * scale.max(1.0)
}

#[test]
fn every_file_holds_what_its_library_put_there() {
    let golden = golden();
    assert_eq!(golden.len(), 17);
    for (name, golden) in golden {
        let told = name == "alone/state_dict.pt";
        let options = if told { GELU } else { Options::default() };
        let checkpoint = Checkpoint::open(&path(&name), options).unwrap();
        assert_eq!(checkpoint.provenance.format, golden.format, "{name}");
        let dtype = |kind: &str| match kind {
            "float32" => "F32",
            "float16" => "F16",
            "bfloat16" => "BF16",
            "int64" => "I64",
            other => panic!("{other}"),
        };
        for (kind, count) in &golden.dtypes {
            // A module saved whole has its text mask too.
            let found = checkpoint.provenance.dtypes[dtype(kind)];
            assert!(found == *count || found == count + 1, "{name}: {found} {kind}");
        }
        let tensors = by_file_names(&checkpoint);
        let buffers = ["input_resolution", "context_length", "vocab_size"];
        let weights =
            golden.tensors.iter().filter(|(n, _)| !buffers.contains(&n.as_str()) && !n.ends_with("position_ids"));
        let mut seen = 0;
        for (tensor, (shape, sum, ordered)) in weights {
            let (found_shape, values) = &tensors[tensor];
            assert_eq!(found_shape, shape, "{name}: {tensor}");
            let scale = 97.0 * values.iter().map(|v| f64::from(v.abs())).sum::<f64>();
            let found_sum = values.iter().map(|v| f64::from(*v)).sum();
            let weighted = values.iter().enumerate().map(|(i, v)| f64::from(*v) * (i % 97 + 1) as f64);
            assert!(is_near(found_sum, *sum, scale), "{name}: {tensor}: {found_sum} {sum}");
            assert!(is_near(weighted.sum(), *ordered, scale), "{name}: {tensor}");
            seen += 1;
        }
        assert_eq!(seen, tensors.len(), "{name}");
    }
}

/// One model, in wrappings that differ in everything but the values.
#[test]
fn wrappings_change_no_bit() {
    let plain = open("open_clip/training.pt");
    assert_eq!(plain.provenance.naming, Naming::OpenClip);
    assert_eq!(plain.provenance.activation_source, "open_clip_config.json (quick_gelu)");
    for name in ["compiled.pt", "lightning.pt", "strided.pt", "custom_text.pt", "scripted.pt"] {
        let other = open(&format!("open_clip/{name}"));
        assert_same_tensors(&plain.tensors().unwrap(), &other.tensors().unwrap());
        assert_eq!(plain.architecture, other.architecture);
    }
    let before = open("open_clip/state_dict.pt");
    assert_ne!(
        values(&before.tensors().unwrap()["visual.conv1.weight"]),
        values(&plain.tensors().unwrap()["visual.conv1.weight"])
    );
    for name in ["protocol_4.pt", "parameters.pt", "whole_module.pt"] {
        assert_same_tensors(&before.tensors().unwrap(), &open(&format!("open_clip/{name}")).tensors().unwrap());
    }
    let whole = open("hf_bin");
    for name in ["hf_sharded", "hf_bin_sharded", "hf_sharded/model.safetensors.index.json"] {
        let sharded = open(name);
        assert_same_tensors(&whole.tensors().unwrap(), &sharded.tensors().unwrap());
        assert_eq!((sharded.provenance.naming, sharded.architecture), (Naming::Hf, whole.architecture));
        assert_eq!(sharded.sha256().len(), 64);
    }
    assert_eq!(open("hf_bin").provenance.tensors, open("hf_sharded").provenance.tensors + 2);
}

#[test]
fn an_openai_archive_tells_its_activation_and_a_state_dict_does_not() {
    let archive = open("alone/openai.pt");
    let a = &archive.architecture;
    assert_eq!((a.activation, a.image_size, a.patch_size), (Activation::QuickGelu, 4, 2));
    assert_eq!((a.vision.heads, a.text.heads, a.context_length, a.embed_dim), (1, 1, 3, 4));
    assert_eq!(archive.provenance.activation_source, "the TorchScript archive of an OpenAI release");
    let dtypes: Vec<_> = archive.provenance.dtypes.keys().map(String::as_str).collect();
    assert_eq!(dtypes, ["F16", "F32", "I64"]);

    assert!(said("alone/state_dict.pt").contains("--activation quick-gelu"));
    let told = Checkpoint::open(&path("alone/state_dict.pt"), GELU).unwrap();
    assert_eq!(told.provenance.activation_source, "--activation");
    assert_eq!(told.architecture.activation, Activation::Gelu);
    assert_same_tensors(&archive.tensors().unwrap(), &told.tensors().unwrap());

    // Another scripted module is not OpenAI's.
    let room = tempfile::tempdir().unwrap();
    let scripted = room.path().join("scripted.pt");
    std::fs::copy(path("open_clip/scripted.pt"), &scripted).unwrap();
    assert!(said_of(&scripted).contains("without a configuration"));
}

/// timm's repositories of open_clip weights have a `config.json` of timm's own, which tells no activation.
#[test]
fn a_foreign_config_json_tells_nothing() {
    let room = tempfile::tempdir().unwrap();
    let weights = room.path().join("open_clip_pytorch_model.bin");
    std::fs::copy(path("alone/state_dict.pt"), &weights).unwrap();
    let config = room.path().join("config.json");
    std::fs::write(&config, r#"{"architecture": "vit_base_patch32_clip_224", "num_classes": 512}"#).unwrap();
    let error = Checkpoint::open(room.path(), Options::default()).unwrap_err();
    assert!(matches!(error, CheckpointError::UnknownActivation(_)), "{error}");
    let own = r#"{"model_cfg": {"embed_dim": 4, "vision_cfg": {"width": 64, "layers": 1, "patch_size": 2, "image_size": 4,
        "mlp_ratio": 0.125}, "text_cfg": {"context_length": 3, "vocab_size": 9, "width": 64, "heads": 2, "layers": 1,
        "mlp_ratio": 0.125}}}"#;
    std::fs::write(room.path().join("open_clip_config.json"), own).unwrap();
    let opened = Checkpoint::open(room.path(), Options::default()).unwrap();
    assert_eq!((opened.architecture.activation, opened.architecture.text.heads), (Activation::Gelu, 2));
    assert_eq!(opened.provenance.activation_source, "open_clip_config.json (no quick_gelu)");
}

#[test]
fn what_is_not_supported_is_called_by_its_name() {
    for (name, words) in [
        ("CLIPTextModel", "only the text tower"),
        ("CLIPTextModelWithProjection", "only the text tower"),
        ("CLIPVisionModel", "only the image tower"),
        ("CLIPVisionModelWithProjection", "only the image tower"),
    ] {
        let said = said(name);
        assert!(said.contains(words), "{name}: {said}");
    }
    let legacy = said("open_clip/legacy.pt");
    assert!(legacy.contains("before 1.6") && legacy.contains("torch.save"), "{legacy}");
    let room = tempfile::tempdir().unwrap();
    let foreign: BTreeMap<String, Vec<String>> =
        serde_json::from_slice(&std::fs::read(path("foreign.json")).unwrap()).unwrap();
    let words = [
        ("RN50", "a ResNet"),
        ("SiglipModel", "a SigLIP model"),
        ("ViT-B-16-SigLIP", "a SigLIP model"),
        ("ViT-M-16-alt", "layer scales"),
        ("ViTamin-S", "timm"),
        ("coca_ViT-B-32", "a CoCa model"),
        ("convnext_base", "timm"),
    ];
    assert_eq!(foreign.keys().map(String::as_str).collect::<Vec<_>>(), words.map(|(kind, _)| kind));
    for (kind, words) in words {
        let path = room.path().join(format!("{kind}.safetensors"));
        write(&path, foreign[kind].iter().map(String::as_str));
        let said = said_of(&path);
        assert!(said.contains(words) && said.contains("not supported"), "{kind}: {said}");
    }
}

/// A safetensors file of these names, each one number.
fn write<'a>(path: &Path, names: impl Iterator<Item = &'a str>) {
    let view = || TensorView::new(Dtype::F32, vec![1], &[0, 0, 0, 0]).unwrap();
    let tensors: BTreeMap<&str, TensorView<'_>> = names.map(|name| (name, view())).collect();
    std::fs::write(path, safetensors::serialize(tensors, None).unwrap()).unwrap();
}

fn copied(name: &str) -> TempDir {
    let room = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(path(name)).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), room.path().join(entry.file_name())).unwrap();
    }
    room
}

#[test]
fn an_index_names_files_beside_it_only() {
    for name in ["hf_sharded/model.safetensors", "hf_bin_sharded/pytorch_model.bin"] {
        let (folder, main) = name.split_once('/').unwrap();
        let room = copied(folder);
        let index = room.path().join(format!("{main}.index.json"));
        let whole = std::fs::read_to_string(&index).unwrap();
        let open = || Checkpoint::open(room.path(), Options::default()).unwrap_err().to_string();
        let shard = whole.split('"').find(|part| part.contains("00002")).unwrap().to_owned();
        for (other, words) in [
            ("../stolen.safetensors", "not beside it"),
            ("/etc/passwd", "not beside it"),
            ("..", "not beside it"),
            ("", "not beside it"),
            ("absent.safetensors", "absent.safetensors"),
        ] {
            std::fs::write(&index, whole.replace(&shard, other)).unwrap();
            assert!(open().contains(words), "{other}: {}", open());
        }
        for (text, words) in
            [("{}", "weight_map"), ("{\"weight_map\": {}}", "empty"), ("{\"weight_map\": {\"a\": 1}}", "no file")]
        {
            std::fs::write(&index, text).unwrap();
            assert!(open().contains(words), "{text}: {}", open());
        }
        std::fs::write(&index, &whole).unwrap();
        std::fs::copy(path("hf_bin/config.json"), room.path().join(&shard)).unwrap();
        assert!(open().contains(&shard) && open().contains("this is text"), "{}", open());
    }
}

/// The prefix of every name goes; one that only some names have stays, and is refused as unknown.
#[test]
fn a_prefix_counts_only_when_all_names_have_it() {
    let room = tempfile::tempdir().unwrap();
    let bytes = std::fs::read(path("hf_sharded/model-00001-of-00009.safetensors")).unwrap();
    let shard = SafeTensors::deserialize(&bytes).unwrap();
    let name = shard.names().into_iter().min().unwrap().to_owned();
    let checkpoint = open("hf_bin");
    let file = room.path().join("a.safetensors");
    save(&checkpoint, &file, Naming::Hf);
    let bytes = std::fs::read(&file).unwrap();
    let whole = SafeTensors::deserialize(&bytes).unwrap();
    let write = |rename: &dyn Fn(&str) -> String| {
        let tensors: BTreeMap<String, TensorView<'_>> = whole.iter().map(|(n, view)| (rename(n), view)).collect();
        let path = room.path().join("model.safetensors");
        std::fs::write(&path, safetensors::serialize(tensors, None).unwrap()).unwrap();
        std::fs::copy(path_of_config(), room.path().join("config.json")).unwrap();
        Checkpoint::open(&path, Options::default())
    };
    assert_same_tensors(&checkpoint.tensors().unwrap(), &write(&|n| format!("module.{n}")).unwrap().tensors().unwrap());
    let some = write(&|n| if n == name { format!("module.{n}") } else { n.to_owned() });
    assert!(some.unwrap_err().to_string().contains(&format!("'module.{name}'")));
}

fn path_of_config() -> PathBuf {
    path("hf_bin/config.json")
}

/// Run by hand: `cargo nextest run -E 'test(a_pair_is_ready)' --run-ignored all --no-capture`, on an idle machine.
///
/// A checkpoint is its tensors and its SHA-256, and the hash is most of the time: with warm caches `cat` needs far less.
#[test]
#[ignore = "writes 1.2 GB and measures time"]
fn a_pair_is_ready_within_twice_the_time_of_hashing_it() {
    let room = tempfile::tempdir().unwrap();
    let paths = ["base.safetensors", "tuned.safetensors"].map(|name| room.path().join(name));
    for (seed, path) in paths.iter().enumerate() {
        let checkpoint = Checkpoint { tokenizer: None, ..random(Architecture::vit_b_32(), seed as u64) };
        save(&checkpoint, path, Naming::OpenClip);
    }
    let once = |work: &dyn Fn()| {
        let start = std::time::Instant::now();
        work();
        start.elapsed().as_secs_f64()
    };
    let fastest = |work: &dyn Fn()| (0..7).map(|_| once(work)).fold(f64::INFINITY, f64::min);
    let of_both = |work: &(dyn Fn(&PathBuf) + Sync)| {
        fastest(&|| {
            rayon::join(|| work(&paths[0]), || work(&paths[1]));
        })
    };
    let cat = fastest(&|| {
        let mut cat = std::process::Command::new("cat");
        assert!(cat.args(&paths).stdout(std::process::Stdio::null()).status().unwrap().success());
    });
    let hash = |path: &PathBuf| {
        let (mut hash, mut buffer) = (sha2::Sha256::new(), vec![0; 1 << 20]);
        let mut file = std::fs::File::open(path).unwrap();
        loop {
            match file.read(&mut buffer).unwrap() {
                0 => return assert_eq!(hash.finalize().len(), 32),
                n => hash.update(&buffer[..n]),
            }
        }
    };
    let hashed = of_both(&hash);
    let open = |path: &PathBuf| drop(Checkpoint::open(path, Options::default()).unwrap());
    let ready = of_both(&open);
    println!("cat {cat:.3} s, hashed {hashed:.3} s, ready {ready:.3} s");
    assert!(ready < 2.0 * hashed, "{ready:.3} s for what is hashed in {hashed:.3} s");
}
