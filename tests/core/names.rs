//! Writing and reading back: names, bytes, records, and what tells the architecture.

use std::path::Path;

use clove::checkpoint::{Architecture, Checkpoint, CheckpointError, Naming, Options, Tower};
use clove::kernels::Activation;
use safetensors::SafeTensors;
use serde_json::{Value, json};

use super::models::{assert_same_tensors, open, random, save, small, try_save};

fn reopen(path: &Path) -> Checkpoint {
    Checkpoint::open(path, Options::default()).unwrap()
}

/// The header's own metadata.
fn metadata(path: &Path) -> std::collections::HashMap<String, String> {
    let bytes = std::fs::read(path).unwrap();
    SafeTensors::read_metadata(&bytes).unwrap().1.metadata().clone().unwrap()
}

#[test]
fn both_namings_there_and_back_change_no_bit() {
    let room = tempfile::tempdir().unwrap();
    for name in ["hf_quick_gelu", "hf_gelu", "hf_quick_gelu_f16", "open_clip_gelu", "open_clip_quick_gelu_bf16"] {
        let first = open(name);
        let as_folder = room.path().join(format!("{name}_open_clip"));
        save(&first, &as_folder, Naming::OpenClip);
        let second = reopen(&as_folder);
        let as_file = room.path().join(format!("{name}_hf.safetensors"));
        save(&second, &as_file, Naming::Hf);
        let third = reopen(&as_file);
        let last = room.path().join(format!("{name}_hf"));
        save(&third, &last, Naming::Hf);
        for (read, naming) in [(&second, Naming::OpenClip), (&third, Naming::Hf), (&reopen(&last), Naming::Hf)] {
            assert_same_tensors(&first.tensors().unwrap(), &read.tensors().unwrap());
            assert_eq!(first.architecture, read.architecture);
            assert_eq!(read.provenance.naming, naming);
        }
    }
}

/// The configuration written beside the weights says the same as the record inside them.
#[test]
fn a_folder_opens_by_its_configuration_alone() {
    let room = tempfile::tempdir().unwrap();
    for (naming, weights) in [(Naming::Hf, "model.safetensors"), (Naming::OpenClip, "open_clip_model.safetensors")] {
        for activation in [Activation::QuickGelu, Activation::Gelu] {
            let checkpoint = random(Architecture { activation, ..small() }, 3);
            let folder = room.path().join(format!("{naming}{activation}"));
            save(&checkpoint, &folder, naming);
            strip(&folder.join(weights));
            let read = reopen(&folder);
            assert_same_tensors(&checkpoint.tensors().unwrap(), &read.tensors().unwrap());
            assert_eq!(read.architecture, checkpoint.architecture);
            assert_eq!(read.tokenizer, checkpoint.tokenizer);
            assert!(read.provenance.activation_source.contains("config.json"), "{}", read.provenance.activation_source);
        }
    }
}

/// Rewrites a file without any metadata, as other programs write it.
fn strip(path: &Path) {
    let bytes = std::fs::read(path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let plain = safetensors::serialize(file.tensors(), None).unwrap();
    std::fs::write(path, plain).unwrap();
}

#[test]
fn a_file_alone_opens_because_of_its_record() {
    let room = tempfile::tempdir().unwrap();
    let checkpoint = random(Architecture { activation: Activation::Gelu, ..small() }, 5);
    let record = json!({ "operation": "patch", "alpha": { "image": 0.25, "text": 0.5 } });
    let path = room.path().join("patch.safetensors");
    try_save(&checkpoint, &path, Naming::Hf, &record).unwrap();
    assert_eq!(std::fs::read_dir(room.path()).unwrap().count(), 1, "nothing is left beside it");
    let read = reopen(&path);
    assert_eq!(read.architecture, checkpoint.architecture);
    assert!(read.provenance.activation_source.contains("metadata"), "{}", read.provenance.activation_source);
    let metadata = metadata(&path);
    assert_eq!(metadata["format"], "pt", "transformers refuses a file without it");
    let stored: Value = serde_json::from_str(&metadata["clove"]).unwrap();
    assert_eq!(stored["alpha"], record["alpha"]);
    let architecture: Architecture = serde_json::from_value(stored["architecture"].clone()).unwrap();
    assert_eq!(architecture, checkpoint.architecture);
}

#[test]
fn a_plain_file_opens_by_shapes_and_the_users_word() {
    let room = tempfile::tempdir().unwrap();
    // Heads are not in the shapes: OpenAI's rule takes them to be 64 wide.
    let wide = Architecture {
        vision: Tower { width: 128, layers: 1, heads: 2, mlp_width: 96 },
        text: Tower { width: 64, layers: 3, heads: 1, mlp_width: 80 },
        image_size: 24,
        ..small()
    };
    for naming in [Naming::Hf, Naming::OpenClip] {
        let checkpoint = random(wide, 6);
        let path = room.path().join(format!("{naming}.safetensors"));
        save(&checkpoint, &path, naming);
        strip(&path);
        let refused = Checkpoint::open(&path, Options::default()).unwrap_err();
        assert!(matches!(refused, CheckpointError::UnknownActivation(_)), "{refused}");
        assert!(refused.to_string().contains("--activation quick-gelu"), "{refused}");
        for activation in [Activation::QuickGelu, Activation::Gelu] {
            let read = Checkpoint::open(&path, Options { activation: Some(activation) }).unwrap();
            assert_eq!(read.architecture, Architecture { activation, ..wide });
            assert_eq!(read.provenance.activation_source, "--activation");
            assert_same_tensors(&checkpoint.tensors().unwrap(), &read.tensors().unwrap());
        }
    }
}

#[test]
fn equal_models_are_equal_files() {
    let room = tempfile::tempdir().unwrap();
    for naming in [Naming::Hf, Naming::OpenClip] {
        let bytes = [0, 1].map(|i| {
            let path = room.path().join(format!("{naming}{i}.safetensors"));
            save(&random(small(), 7), &path, naming);
            std::fs::read(path).unwrap()
        });
        assert!(bytes[0] == bytes[1], "two writes differ");
        assert_eq!(SafeTensors::read_metadata(&bytes[0]).unwrap().0 % 8, 0, "data must start aligned");
    }
    let sha = |i: usize, naming| reopen(&room.path().join(format!("{naming}{i}.safetensors"))).sha256().to_owned();
    assert_eq!(sha(0, Naming::Hf), sha(1, Naming::Hf));
    assert_ne!(sha(0, Naming::Hf), sha(0, Naming::OpenClip));
}

#[test]
fn nothing_is_overwritten() {
    let room = tempfile::tempdir().unwrap();
    let (file, folder) = (room.path().join("a.safetensors"), room.path().join("a"));
    std::fs::write(&file, "mine").unwrap();
    std::fs::create_dir(&folder).unwrap();
    let checkpoint = random(small(), 8);
    for path in [&file, &folder] {
        let error = try_save(&checkpoint, path, Naming::Hf, &json!({})).unwrap_err();
        assert!(matches!(error, CheckpointError::Exists(_)), "{error}");
        assert!(error.to_string().contains(&path.display().to_string()), "{error}");
    }
    assert_eq!(std::fs::read(&file).unwrap(), b"mine");
    let nowhere = room.path().join("absent/b.safetensors");
    let error = try_save(&checkpoint, &nowhere, Naming::Hf, &json!({})).unwrap_err();
    assert!(matches!(error, CheckpointError::Io { .. }), "{error}");
    assert_eq!(std::fs::read_dir(room.path()).unwrap().count(), 2, "a refused write leaves nothing behind");
}

/// Buffers that old files carry do not stop a file from opening.
#[test]
fn position_ids_are_passed_over() {
    let room = tempfile::tempdir().unwrap();
    let path = room.path().join("old.safetensors");
    let checkpoint = random(small(), 9);
    save(&checkpoint, &path, Naming::Hf);
    let bytes = std::fs::read(&path).unwrap();
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let ids: Vec<u8> = (0..24i64).flat_map(i64::to_le_bytes).collect();
    let view = safetensors::tensor::TensorView::new(safetensors::Dtype::I64, vec![1, 24], &ids).unwrap();
    let mut tensors = file.tensors();
    tensors.push(("text_model.embeddings.position_ids".into(), view));
    let metadata = metadata(&path);
    std::fs::write(&path, safetensors::serialize(tensors, Some(metadata)).unwrap()).unwrap();
    let read = reopen(&path);
    assert_same_tensors(&checkpoint.tensors().unwrap(), &read.tensors().unwrap());
    assert_eq!(read.provenance.dtypes["I64"], 1);
}
