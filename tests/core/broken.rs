//! Checkpoints that are damaged, foreign or hostile: one sentence with the path, never a panic.

use std::collections::HashMap;
use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use clove::checkpoint::{Architecture, Checkpoint, Naming, Options, Tower};
use clove::kernels::Activation;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use tempfile::TempDir;

use super::models::{Draw, folder, random, save, small};

/// A model of a few kilobytes.
fn minute() -> Checkpoint {
    let tower = Tower { width: 4, layers: 1, heads: 1, mlp_width: 4 };
    let architecture = Architecture {
        image_size: 4,
        patch_size: 2,
        vision: tower,
        text: tower,
        context_length: 4,
        vocab_size: 4,
        embed_dim: 4,
        activation: Activation::QuickGelu,
        layer_norm_eps: 1e-5,
        end_of_text: 3,
    };
    Checkpoint { tokenizer: None, ..random(architecture, 1) }
}

fn bytes_of(checkpoint: &Checkpoint, naming: Naming) -> Vec<u8> {
    let room = tempfile::tempdir().unwrap();
    let path = room.path().join("whole.safetensors");
    save(checkpoint, &path, naming);
    std::fs::read(path).unwrap()
}

/// The failure's sentence, after checking its form.
fn sentence(path: &Path, options: Options) -> String {
    let said = Checkpoint::open(path, options).unwrap_err().to_string();
    check_form(&said, path);
    said
}

fn check_form(said: &str, path: &Path) {
    assert!(said.contains(&path.display().to_string()), "no path in: {said}");
    assert!(!said.contains('\n') && said.len() < 600, "not one sentence: {said}");
}

fn file(room: &TempDir, bytes: &[u8]) -> PathBuf {
    let path = room.path().join("model.safetensors");
    std::fs::write(&path, bytes).unwrap();
    path
}

/// Cuts one file shorter and shorter, at odd places.
#[test]
fn a_file_cut_anywhere_is_refused() {
    let room = tempfile::tempdir().unwrap();
    for naming in [Naming::Hf, Naming::OpenClip] {
        let whole = bytes_of(&minute(), naming);
        let path = file(&room, &whole);
        Checkpoint::open(&path, Options::default()).unwrap();
        let handle = OpenOptions::new().write(true).open(&path).unwrap();
        let mut length = whole.len() - 1;
        loop {
            handle.set_len(length as u64).unwrap();
            let said = sentence(&path, Options::default());
            if length > 8 {
                assert!(said.contains("truncated"), "{length}: {said}");
            }
            match length.checked_sub(if length > 64 { 13 } else { 1 }) {
                Some(shorter) => length = shorter,
                None => break,
            }
        }
    }
}

#[test]
fn flipped_header_bytes_never_panic() {
    let room = tempfile::tempdir().unwrap();
    let mut draw = Draw(11);
    let mut refused = 0;
    for naming in [Naming::Hf, Naming::OpenClip] {
        let whole = bytes_of(&minute(), naming);
        let header = 8 + SafeTensors::read_metadata(&whole).unwrap().0;
        for _ in 0..250 {
            let mut damaged = whole.clone();
            for _ in 0..=draw.below(3) {
                let place = if draw.below(8) == 0 { draw.below(8) } else { draw.below(header) };
                damaged[place] =
                    if draw.below(2) == 0 { draw.next() as u8 } else { b"0129-,\"[]{}\\n"[draw.below(13)] };
            }
            let path = file(&room, &damaged);
            // A flip inside a record or of a digit that is not used may well leave a model.
            if let Err(error) = Checkpoint::open(&path, Options { activation: Some(Activation::Gelu) }) {
                check_form(&error.to_string(), &path);
                refused += 1;
            }
        }
    }
    assert!(refused > 300, "only {refused} of 500 were refused");
}

#[test]
fn other_files_are_called_what_they_are() {
    let room = tempfile::tempdir().unwrap();
    for (bytes, words) in [
        (b"".as_slice(), "empty"),
        (b"x", "text"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 605157884\n", "this is text"),
        (b"PK\x03\x04\x00\x00\x08\x08\x00\x00\x00\x00\x00\x00archive/data.pkl", "zip directory"),
        (b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.", "PyTorch before 1.6"),
        (b"\x02\0\0\0\0\0\0\0{}", "not a CLIP model"),
        (b"\x02\0\0\0\0\0\0\0[]", "not a valid safetensors file"),
        (b"\xff\xff\xff\xff\xff\xff\xff\xff{}", "not a safetensors or PyTorch file"),
    ] {
        let said = sentence(&file(&room, bytes), Options::default());
        assert!(said.contains(words), "{words}: {said}");
    }
    let empty = tempfile::tempdir().unwrap();
    assert!(sentence(empty.path(), Options::default()).contains("no weights found"));
    assert!(sentence(&empty.path().join("absent.safetensors"), Options::default()).contains("cannot open"));
}

/// A file's tensors, to be changed and written again without any metadata, beside the golden configuration.
struct Edited {
    room: TempDir,
    weights: &'static str,
    tensors: Vec<(String, Dtype, Vec<usize>, Vec<u8>)>,
}

impl Edited {
    fn of(name: &str) -> Self {
        let (weights, config) = if name.starts_with("hf") {
            ("model.safetensors", "config.json")
        } else {
            ("open_clip_model.safetensors", "open_clip_config.json")
        };
        let room = tempfile::tempdir().unwrap();
        std::fs::copy(folder(name).join(config), room.path().join(config)).unwrap();
        let bytes = std::fs::read(folder(name).join(weights)).unwrap();
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let copy =
            |(name, view): (String, TensorView<'_>)| (name, view.dtype(), view.shape().to_vec(), view.data().to_vec());
        Self { room, weights, tensors: file.tensors().into_iter().map(copy).collect() }
    }

    fn tensor(&mut self, name: &str) -> &mut (String, Dtype, Vec<usize>, Vec<u8>) {
        self.tensors.iter_mut().find(|t| t.0 == name).unwrap()
    }

    fn write(&self) -> PathBuf {
        let view = |(name, dtype, shape, bytes): &(String, Dtype, Vec<usize>, Vec<u8>)| {
            // Leaked for the views' sake: a few kilobytes per test.
            (name.clone(), TensorView::new(*dtype, shape.clone(), bytes.clone().leak()).unwrap())
        };
        let tensors: HashMap<String, TensorView<'_>> = self.tensors.iter().map(view).collect();
        let path = self.room.path().join(self.weights);
        std::fs::write(&path, safetensors::serialize(tensors, None).unwrap()).unwrap();
        path
    }

    fn said(&self) -> String {
        let path = self.write();
        let of_file = sentence(&path, Options::default());
        let of_folder = Checkpoint::open(self.room.path(), Options::default()).unwrap_err().to_string();
        assert_eq!(of_file, of_folder, "file and folder tell the same");
        of_file
    }
}

#[test]
fn tensors_that_do_not_fit_are_named() {
    for (model, name) in [
        ("hf_gelu", "vision_model.encoder.layers.1.self_attn.k_proj.weight"),
        ("hf_gelu", "text_projection.weight"),
        ("hf_quick_gelu_f16", "visual_projection.weight"),
        ("open_clip_gelu", "transformer.resblocks.1.attn.in_proj_bias"),
        ("open_clip_quick_gelu_bf16", "visual.conv1.weight"),
    ] {
        assert!(Checkpoint::open(&Edited::of(model).write(), Options::default()).is_ok(), "{model} unchanged");
        let mut nan = Edited::of(model);
        let tensor = nan.tensor(name);
        let width = if tensor.1 == Dtype::F32 { 4 } else { 2 };
        tensor.3[width..2 * width].fill(0xff);
        let said = nan.said();
        assert!(said.contains(name) && said.contains("1 values that are not finite"), "{said}");

        let mut missing = Edited::of(model);
        missing.tensors.retain(|t| t.0 != name);
        let said = missing.said();
        assert!(said.contains(name) && said.contains("missing"), "{said}");

        let mut shape = Edited::of(model);
        shape.tensor(name).2.push(1);
        let said = shape.said();
        assert!(said.contains(name) && said.contains("shape"), "{said}");

        let mut whole_numbers = Edited::of(model);
        let tensor = whole_numbers.tensor(name);
        *tensor = (tensor.0.clone(), Dtype::I64, tensor.2.clone(), vec![0; 8 * tensor.2.iter().product::<usize>()]);
        let said = whole_numbers.said();
        assert!(said.contains(name) && said.contains("I64"), "{said}");

        let mut extra = Edited::of(model);
        extra.tensors.push(("adapter\n.lora".into(), Dtype::F32, vec![1], vec![0; 4]));
        let said = extra.said();
        assert!(said.contains(r"adapter\n.lora") && said.contains("1 tensors"), "{said}");
    }
}

#[test]
fn one_tower_alone_is_called_so() {
    for (kept, words) in [("vision_model.", "only the image tower"), ("text_model.", "only the text tower")] {
        let mut edited = Edited::of("hf_gelu");
        edited.tensors.retain(|t| t.0.starts_with(kept));
        assert!(edited.said().contains(words));
    }
    let mut edited = Edited::of("open_clip_gelu");
    edited.tensors.retain(|t| t.0.starts_with("visual."));
    edited.said();
    let mut nothing = Edited::of("hf_gelu");
    nothing.tensors.retain(|t| t.0 == "logit_scale");
    assert!(nothing.said().contains("not a CLIP model"));
}

/// The sentence about `config` beside the weights of `name`.
fn with_config(name: &str, config: &[u8]) -> String {
    let edited = Edited::of(name);
    let file = if name.starts_with("hf") { "config.json" } else { "open_clip_config.json" };
    std::fs::write(edited.room.path().join(file), config).unwrap();
    let weights = edited.write();
    let said = Checkpoint::open(&weights, Options::default()).unwrap_err().to_string();
    assert!(said.contains(&edited.room.path().display().to_string()), "no path in: {said}");
    assert!(!said.contains('\n') && said.len() < 600, "not one sentence: {said}");
    said
}

#[test]
fn configurations_are_not_trusted() {
    for name in ["hf_gelu", "open_clip_gelu"] {
        for (config, words) in [
            (b"".as_slice(), "not JSON"),
            (b"{\"a\": ", "not JSON"),
            (b"[1]", "not a JSON object"),
            (b"\xff\xfe\x00", "not JSON"),
        ] {
            let said = with_config(name, config);
            assert!(said.contains(words) && said.contains("config.json"), "{said}");
        }
    }
    for (name, key) in [
        ("hf_gelu", "vocab_size"),
        ("hf_gelu", "hidden_size"),
        ("open_clip_gelu", "width"),
        ("open_clip_gelu", "layers"),
    ] {
        let file = if name.starts_with("hf") { "config.json" } else { "open_clip_config.json" };
        let text = std::fs::read_to_string(folder(name).join(file)).unwrap();
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let line = lines.iter().position(|line| line.trim().starts_with(&format!("\"{key}\""))).unwrap();
        let last = if lines[line].ends_with(',') { "," } else { "" };
        for value in
            ["0", "-1", "1.5", "\"24\"", "true", "{}", "99999999999", "18446744073709551615", "1e300", "16384", "256"]
        {
            lines[line] = format!("\"{key}\": {value}{last}");
            with_config(name, lines.join("\n").as_bytes());
        }
    }
    for (config, words) in [
        (r#"{"model_type": "siglip"}"#, "siglip"),
        (r#"{"architecture": "vit_base_patch32_clip_224"}"#, "describes no CLIP model"),
        (r#"{"vision_config": {"hidden_act": "relu"}}"#, "relu"),
        (
            r#"{"vision_config": {"hidden_act": "gelu"}, "text_config": {"hidden_act": "quick_gelu"}}"#,
            "different activations",
        ),
        (r#"{"vision_config": {"patch_size": 4096, "image_size": 4096}, "projection_dim": 1}"#, "should have"),
    ] {
        let said = with_config("hf_gelu", config.as_bytes());
        assert!(said.contains(words), "{said}");
    }
    for (config, words) in [
        (r#"{"vision_cfg": {"timm_model_name": "vit"}}"#, "timm"),
        (r#"{"vision_cfg": {"layers": [3, 4, 6, 3]}}"#, "ResNet"),
        (r#"{"text_cfg": {"hf_model_name": "roberta"}}"#, "language model"),
        (r#"{"vision_cfg": {"no_ln_pre": true}}"#, "no_ln_pre"),
        (r#"{"vision_cfg": {"pool_type": "avg"}}"#, "\"avg\""),
        (r#"{"text_cfg": {"embed_cls": true}}"#, "embed_cls"),
        (r#"{"text_cfg": {"mlp_ratio": -4}}"#, "MLP"),
        (r#"{"vision_cfg": {"head_width": 5000}}"#, "0 heads"),
    ] {
        let said = with_config("open_clip_gelu", config.as_bytes());
        assert!(said.contains(words), "{said}");
    }
}

#[test]
fn without_a_configuration_the_activation_is_asked_for() {
    let tower = Tower { width: 64, layers: 1, heads: 1, mlp_width: 4 };
    let architecture = Architecture { vision: tower, text: tower, ..minute().architecture };
    let mut plain = Edited::of("open_clip_gelu");
    let checkpoint = Checkpoint { tokenizer: None, ..random(architecture, 1) };
    let bytes = bytes_of(&checkpoint, Naming::OpenClip);
    let copy =
        |(name, view): (String, TensorView<'_>)| (name, view.dtype(), view.shape().to_vec(), view.data().to_vec());
    plain.tensors = SafeTensors::deserialize(&bytes).unwrap().tensors().into_iter().map(copy).collect();
    std::fs::remove_file(plain.room.path().join("open_clip_config.json")).unwrap();
    let path = plain.write();
    let said = sentence(&path, Options::default());
    assert!(said.contains("--activation quick-gelu") && said.contains("--activation gelu"), "{said}");
    let told = Checkpoint::open(&path, Options { activation: Some(Activation::Gelu) }).unwrap();
    assert_eq!(told.architecture, Architecture { activation: Activation::Gelu, ..architecture });
    for name in ["hf_gelu", "open_clip_gelu"] {
        let edited = Edited::of(name);
        let path = edited.write();
        for file in ["config.json", "open_clip_config.json"] {
            let _ = std::fs::remove_file(path.with_file_name(file));
        }
        // Towers of 24 and 16 have no head of 64: told, not guessed.
        let said = sentence(&path, Options { activation: Some(Activation::Gelu) });
        assert!(said.contains("width 24") && said.contains("configuration"), "{said}");
    }
}

/// A hole of 64 MiB costs no memory to make, and is not read into any.
#[test]
fn side_files_have_a_limit() {
    let edited = Edited::of("hf_gelu");
    let path = edited.write();
    let tokenizer = path.with_file_name("tokenizer.json");
    File::create(&tokenizer).unwrap().set_len((64 << 20) + 1).unwrap();
    let said = Checkpoint::open(&path, Options::default()).unwrap_err().to_string();
    check_form(&said, &tokenizer);
}

/// Our own record is not trusted either.
#[test]
fn a_false_record_is_refused() {
    let room = tempfile::tempdir().unwrap();
    let mut checkpoint = random(small(), 4);
    checkpoint.tokenizer = None;
    for (i, change) in [
        (|a: &mut Architecture| a.vision.heads = 0) as fn(&mut Architecture),
        |a| a.patch_size = 0,
        |a| a.vision.layers = usize::MAX,
        |a| a.vocab_size = 1515,
        |a| a.text.width = 17,
        |a| a.layer_norm_eps = -1.0,
    ]
    .into_iter()
    .enumerate()
    {
        let mut told = checkpoint.clone();
        change(&mut told.architecture);
        let path = room.path().join(format!("{i}.safetensors"));
        save(&told, &path, Naming::OpenClip);
        sentence(&path, Options::default());
    }
}
