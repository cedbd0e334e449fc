//! The patch: exact ends, exact middles, and the proof that two checkpoints fit.

use std::io::Write as _;
use std::path::Path;

use candle_core::Device;
use clove::checkpoint::{Architecture, Checkpoint, Naming, Options, Tower};
use clove::clip::Clip;
use clove::kernels::Activation;
use clove::patch::{Alpha, AlphaMap, Pair, PairError, Patch};

use super::models::{Golden, assert_same_tensors, open, random, rows, save, small, values};

fn pair() -> Pair {
    Pair::new(open("hf_quick_gelu"), open("hf_quick_gelu_tuned")).unwrap()
}

fn at(value: f64) -> AlphaMap {
    AlphaMap::one(Alpha::new(value).unwrap())
}

#[test]
fn the_ends_are_the_checkpoints_to_the_bit() {
    let pair = pair();
    let mut patch = Patch::new(&pair, &Device::Cpu).unwrap();
    let blended = patch.tensors();
    assert_same_tensors(&blended, &pair.base.tensors().unwrap());
    for (alpha, end) in
        [(1.0, &pair.tuned), (0.37, &pair.base), (0.0, &pair.base), (1.0, &pair.tuned), (0.0, &pair.base)]
    {
        assert!(patch.set(at(alpha)).unwrap(), "moving to {alpha} changes something");
        assert_eq!(patch.alpha(), at(alpha));
        if alpha != 0.37 {
            assert_same_tensors(&blended, &end.tensors().unwrap());
        }
    }
    assert!(!patch.set(at(0.0)).unwrap(), "staying changes nothing");
}

/// The reference's rounding: two products and a sum, each in f32.
#[test]
fn between_the_ends_it_is_the_formula_exactly() {
    let pair = pair();
    let mut patch = Patch::new(&pair, &Device::Cpu).unwrap();
    for alpha in [0.05, 0.1, 0.37, 0.5, 0.9, 1e-9, 1.0 - 1e-9] {
        patch.set(at(alpha)).unwrap();
        let (of_base, of_tuned) = ((1.0 - alpha) as f32, alpha as f32);
        for (name, tensor) in patch.tensors() {
            let (base, tuned) =
                (values(&pair.base.tensors().unwrap()[&name]), values(&pair.tuned.tensors().unwrap()[&name]));
            let wanted: Vec<f32> = base.iter().zip(&tuned).map(|(b, t)| of_base * b + of_tuned * t).collect();
            assert!(values(&tensor) == wanted, "{name} at {alpha}");
        }
    }
}

#[test]
fn towers_move_apart_and_the_logit_scale_with_their_mean() {
    let pair = pair();
    let mut patch = Patch::new(&pair, &Device::Cpu).unwrap();
    let alpha = AlphaMap::towers(Alpha::new(0.75).unwrap(), Alpha::new(0.25).unwrap());
    patch.set(alpha).unwrap();
    let of_part = |value: f64| {
        let mut linked = Patch::new(&pair, &Device::Cpu).unwrap();
        linked.set(at(value)).unwrap();
        linked.tensors()
    };
    let (image, text, mean) = (of_part(0.75), of_part(0.25), of_part(0.5));
    for (name, tensor) in patch.tensors() {
        let wanted = match name.as_str() {
            "logit_scale" => &mean[&name],
            n if n.starts_with("visual.") => &image[&name],
            _ => &text[&name],
        };
        assert!(values(&tensor) == values(wanted), "{name}");
    }
    // One tower at an end is that end's tower, whatever the other does.
    patch.set(AlphaMap::towers(Alpha::TUNED, Alpha::BASE)).unwrap();
    for (name, tensor) in patch.tensors().into_iter().filter(|(name, _)| name != "logit_scale") {
        let end = if name.starts_with("visual.") { &pair.tuned } else { &pair.base };
        assert!(values(&tensor) == values(&end.tensors().unwrap()[&name]), "{name}");
    }
}

#[test]
fn towers_over_a_patch_follow_it() {
    let pair = pair();
    let mut patch = Patch::new(&pair, &Device::Cpu).unwrap();
    let clip = Clip::new(patch.architecture(), &patch.tensors()).unwrap();
    let golden = Golden::of("hf_quick_gelu");
    let pixels = golden.pixels(32);
    let features = |clip: &Clip| {
        let images: Vec<Vec<f32>> = clip.image_features(&rows(&pixels)).unwrap().to_vec2().unwrap();
        let texts: Vec<Vec<f32>> = clip.text_features(&rows(&golden.tokens)).unwrap().to_vec2().unwrap();
        (images, texts)
    };
    for (alpha, end) in [(0.0, &pair.base), (1.0, &pair.tuned), (0.0, &pair.base)] {
        patch.set(at(alpha)).unwrap();
        let fresh = Clip::new(&end.architecture, &end.tensors().unwrap()).unwrap();
        assert!(features(&clip) == features(&fresh), "alpha {alpha} is not its checkpoint");
    }
    patch.set(at(0.4)).unwrap();
    let fresh = Clip::new(patch.architecture(), &patch.tensors()).unwrap();
    assert!(features(&clip) == features(&fresh));
    assert!(features(&clip) != features(&Clip::new(&pair.base.architecture, &pair.base.tensors().unwrap()).unwrap()));
}

fn refusal(base: Checkpoint, tuned: Checkpoint) -> PairError {
    Pair::new(base, tuned).unwrap_err()
}

#[test]
fn what_differs_is_named() {
    let base = || random(small(), 1);
    let other = |architecture| random(architecture, 2);
    let narrow_text = Architecture { text: Tower { width: 8, ..small().text }, ..small() };
    let narrow_image = Architecture { vision: Tower { width: 12, ..small().vision }, ..small() };
    for (tuned, first) in [(narrow_text, "'ln_final.bias'"), (narrow_image, "'visual.class_embedding'")] {
        let error = refusal(base(), other(tuned));
        assert!(matches!(error, PairError::Shape { .. }) && error.to_string().contains(first), "{error}");
    }
    let shallow = Architecture { text: Tower { layers: 1, ..small().text }, ..small() };
    for (error, end) in
        [(refusal(base(), other(shallow)), "only in base"), (refusal(other(shallow), base()), "only in tuned")]
    {
        let said = error.to_string();
        assert!(said.contains("'transformer.resblocks.1.attn.in_proj_bias'") && said.contains(end), "{said}");
    }
    let mut cut = other(small());
    cut.weights.remove("visual.proj");
    assert!(refusal(base(), cut).to_string().contains("'visual.proj' is only in base"));
    let heads = Tower { heads: 4, ..small().text };
    for (tuned, words) in [
        (
            Architecture { activation: Activation::Gelu, ..small() },
            "activation is quick-gelu in base and gelu in tuned",
        ),
        (Architecture { text: heads, ..small() }, "heads is 3 and 2 in base and 3 and 4 in tuned"),
        (Architecture { end_of_text: 7, ..small() }, "end-of-text id is 1513 in base and 7 in tuned"),
        (
            Architecture { layer_norm_eps: 1e-6, ..small() },
            "layer norm epsilon is 0.00001 in base and 0.000001 in tuned",
        ),
    ] {
        let error = refusal(base(), other(tuned)).to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[test]
fn a_longer_context_is_cut_and_said() {
    let (long, short) = ("open_clip_quick_gelu", "open_clip_quick_gelu_context16");
    for (base, tuned, end) in [(long, short, "base"), (short, long, "tuned")] {
        let pair = Pair::new(open(base), open(tuned)).unwrap();
        assert_eq!(pair.remarks.len(), 1, "{:?}", pair.remarks);
        let remark = &pair.remarks[0];
        assert!(remark.contains(end) && remark.contains("77") && remark.contains("16"), "{remark}");
        for checkpoint in [&pair.base, &pair.tuned] {
            assert_eq!(checkpoint.architecture.context_length, 16);
            assert_eq!(checkpoint.tensors().unwrap()["positional_embedding"].dims(), [16, 16]);
        }
        let cut = if end == "base" { &pair.base } else { &pair.tuned };
        let whole = open(long);
        assert_eq!(
            values(&cut.tensors().unwrap()["positional_embedding"]),
            values(&whole.tensors().unwrap()["positional_embedding"])[..256]
        );
        // Texts that fit the short context are read as before the cut.
        let golden = Golden::of(long);
        let texts: Vec<Vec<u32>> = golden.tokens.iter().filter(|row| row.len() <= 16).cloned().collect();
        let features = |c: &Checkpoint| -> Vec<Vec<f32>> {
            Clip::new(&c.architecture, &c.tensors().unwrap())
                .unwrap()
                .text_features(&rows(&texts))
                .unwrap()
                .to_vec2()
                .unwrap()
        };
        assert!(features(cut) == features(&whole));
        let mut patch = Patch::new(&pair, &Device::Cpu).unwrap();
        patch.set(AlphaMap::TUNED).unwrap();
        assert_same_tensors(&patch.tensors(), &pair.tuned.tensors().unwrap());
    }
}

#[test]
fn the_same_weights_twice_are_remarked() {
    let pair = Pair::new(open("hf_gelu"), open("hf_gelu")).unwrap();
    assert_eq!(pair.remarks.len(), 1);
    assert!(pair.remarks[0].contains("same weights"), "{:?}", pair.remarks);
    let mut tuned = random(small(), 2);
    tuned.tokenizer = Some(b"another".to_vec());
    let pair = Pair::new(random(small(), 1), tuned).unwrap();
    assert!(pair.remarks[0].contains("tokenizer"), "{:?}", pair.remarks);
}

/// The pair reads from the mapped files, so what is written into them later must not slip into a blend.
#[test]
fn weights_that_change_on_disk_are_refused() {
    let room = tempfile::tempdir().unwrap();
    let path = room.path().join("m.safetensors");
    save(&random(small(), 1), &path, Naming::OpenClip);
    let pair = Pair::new(open_path(&path), random(small(), 2)).unwrap();
    let mut patch = Patch::new(&pair, &Device::Cpu).unwrap();
    patch.set(AlphaMap::one(Alpha::new(0.5).unwrap())).unwrap();
    std::fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"more").unwrap();
    let error = patch.set(AlphaMap::TUNED).unwrap_err().to_string();
    assert!(error.contains("changed on disk") && error.contains("m.safetensors"), "{error}");
    assert!(!patch.set(AlphaMap::one(Alpha::new(0.5).unwrap())).unwrap(), "nothing to read, nothing to refuse");
}

/// A file that is replaced by another of its name is not changed: the pair goes on with the one it opened.
#[cfg(unix)]
#[test]
fn weights_may_be_replaced_by_a_rename() {
    let room = tempfile::tempdir().unwrap();
    let (path, next) = (room.path().join("m.safetensors"), room.path().join("next.safetensors"));
    save(&random(small(), 1), &path, Naming::OpenClip);
    save(&random(small(), 3), &next, Naming::OpenClip);
    let pair = Pair::new(random(small(), 2), open_path(&path)).unwrap();
    std::fs::rename(&next, &path).unwrap();
    let mut patch = Patch::new(&pair, &Device::Cpu).unwrap();
    patch.set(AlphaMap::TUNED).unwrap();
    assert_same_tensors(&patch.tensors(), &random(small(), 1).tensors().unwrap());
}

fn open_path(path: &Path) -> Checkpoint {
    Checkpoint::open(path, Options { activation: Some(Activation::QuickGelu) }).unwrap()
}
