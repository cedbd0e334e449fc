//! Architecture from a configuration file, or from the shapes of the weights where there is none.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Map, Value, json};

use super::architecture::{Architecture, Tower};
use super::{CheckpointError, Naming};
use crate::kernels::Activation;

/// An architecture, and where its activation was learnt from.
#[derive(Clone, Debug, PartialEq)]
pub struct Known {
    /// Sizes, checked for sanity.
    pub architecture: Architecture,
    /// For people, such as "config.json (hidden_act)".
    pub activation_source: String,
}

/// Reads the configuration file that belongs to this naming, as [`to_json`] writes it and the libraries do.
///
/// # Errors
/// One sentence with `path`: not JSON, not of a CLIP model, sizes that no model has, or a part that is not supported.
pub fn from_json(text: &str, naming: Naming, path: &Path) -> Result<Known, CheckpointError> {
    match naming {
        Naming::Hf => from_hf(text, path),
        Naming::OpenClip => from_open_clip(text, path),
    }
}

/// Reads Hugging Face's `config.json` of a `CLIPModel`. Absent fields take transformers' defaults, which are those of
/// OpenAI's ViT-B/32 (`configuration_clip.py`).
fn from_hf(text: &str, path: &Path) -> Result<Known, CheckpointError> {
    let root = object(text, path)?;
    let fail = |reason: String| CheckpointError::config(path, reason);
    if let Some(kind) = root.get("model_type").and_then(Value::as_str).filter(|k| *k != "clip") {
        return Err(fail(format!("model_type is {kind:?}, and only 'clip' is supported")));
    }
    if !is_clip(&root) {
        return Err(fail("it describes no CLIP model: model_type, vision_config and text_config are absent".into()));
    }
    let vision = section(&root, "vision_config", "vision_config_dict");
    let text_part = section(&root, "text_config", "text_config_dict");
    let act = |part: &Map<String, Value>| part.get("hidden_act").and_then(Value::as_str).map(str::to_owned);
    let (of_vision, of_text) = (act(&vision), act(&text_part));
    if of_vision.is_some() && of_text.is_some() && of_vision != of_text {
        return Err(fail("the two towers have different activations".into()));
    }
    let named = of_vision.or(of_text);
    let activation = match named.as_deref() {
        None | Some("quick_gelu") => Activation::QuickGelu,
        Some("gelu") => Activation::Gelu,
        Some(other) => return Err(fail(format!("hidden_act {other:?} is not supported, only quick_gelu and gelu"))),
    };
    let field = |part: &Map<String, Value>, name: &str, default| size(part, name, default).map_err(&fail);
    let vocab_size = field(&text_part, "vocab_size", 49_408)?;
    let architecture = Architecture {
        image_size: field(&vision, "image_size", 224)?,
        patch_size: field(&vision, "patch_size", 32)?,
        vision: hf_tower(&vision, [768, 12, 12, 3072]).map_err(&fail)?,
        text: hf_tower(&text_part, [512, 12, 8, 2048]).map_err(&fail)?,
        context_length: field(&text_part, "max_position_embeddings", 77)?,
        vocab_size,
        embed_dim: field(&root, "projection_dim", 512)?,
        activation,
        layer_norm_eps: vision.get("layer_norm_eps").and_then(Value::as_f64).unwrap_or(1e-5),
        end_of_text: hf_end_of_text(&text_part, vocab_size),
    };
    architecture.check().map_err(fail)?;
    let source =
        if named.is_some() { "config.json (hidden_act)" } else { "config.json (hidden_act absent: the default)" };
    Ok(Known { architecture, activation_source: source.into() })
}

/// Whether a `config.json` is of a `CLIPModel` at all: timm's models have a file of that name too.
fn is_clip(root: &Map<String, Value>) -> bool {
    ["model_type", "vision_config", "text_config", "vision_config_dict", "text_config_dict"]
        .iter()
        .any(|field| root.contains_key(*field))
}

/// Whether [`from_hf`] would find a model described in this text.
pub(super) fn describes_hf(text: &str) -> bool {
    matches!(serde_json::from_str(text), Ok(Value::Object(root)) if is_clip(&root))
}

/// Old OpenAI configurations say `eos_token_id` 2 and mean the largest id (transformers #24650).
fn hf_end_of_text(text: &Map<String, Value>, vocab_size: usize) -> u32 {
    let last = u32::try_from(vocab_size - 1).unwrap_or(u32::MAX);
    match text.get("eos_token_id").and_then(Value::as_u64) {
        None | Some(2) => last,
        Some(id) => u32::try_from(id).unwrap_or(last),
    }
}

fn hf_tower(part: &Map<String, Value>, [width, layers, heads, mlp]: [usize; 4]) -> Result<Tower, String> {
    Ok(Tower {
        width: size(part, "hidden_size", width)?,
        layers: size(part, "num_hidden_layers", layers)?,
        heads: size(part, "num_attention_heads", heads)?,
        mlp_width: size(part, "intermediate_size", mlp)?,
    })
}

/// Reads open_clip's `open_clip_config.json`, or the same object without its `model_cfg` wrapper.
fn from_open_clip(text: &str, path: &Path) -> Result<Known, CheckpointError> {
    let root = object(text, path)?;
    let fail = |reason: String| CheckpointError::config(path, reason);
    let model = root.get("model_cfg").and_then(Value::as_object).unwrap_or(&root);
    let vision = model.get("vision_cfg").and_then(Value::as_object).cloned().unwrap_or_default();
    let text_part = model.get("text_cfg").and_then(Value::as_object).cloned().unwrap_or_default();
    refuse_unsupported(&vision, &text_part).map_err(&fail)?;
    let quick = model.get("quick_gelu").and_then(Value::as_bool);
    let width = size(&vision, "width", 768).map_err(&fail)?;
    let head_width = size(&vision, "head_width", 64).map_err(&fail)?;
    let mlp = |part: &Map<String, Value>, width: usize| {
        (part.get("mlp_ratio").and_then(Value::as_f64).unwrap_or(4.0) * width as f64) as usize
    };
    let text_width = size(&text_part, "width", 512).map_err(&fail)?;
    let vocab_size = size(&text_part, "vocab_size", 49_408).map_err(&fail)?;
    let architecture = Architecture {
        image_size: size(&vision, "image_size", 224).map_err(&fail)?,
        patch_size: size(&vision, "patch_size", 16).map_err(&fail)?,
        vision: Tower {
            width,
            layers: size(&vision, "layers", 12).map_err(&fail)?,
            heads: width / head_width.max(1),
            mlp_width: mlp(&vision, width),
        },
        text: Tower {
            width: text_width,
            layers: size(&text_part, "layers", 12).map_err(&fail)?,
            heads: size(&text_part, "heads", 8).map_err(&fail)?,
            mlp_width: mlp(&text_part, text_width),
        },
        context_length: size(&text_part, "context_length", 77).map_err(&fail)?,
        vocab_size,
        embed_dim: size(model, "embed_dim", 512).map_err(&fail)?,
        activation: if quick == Some(true) { Activation::QuickGelu } else { Activation::Gelu },
        layer_norm_eps: 1e-5,
        end_of_text: u32::try_from(vocab_size.saturating_sub(1)).unwrap_or(u32::MAX),
    };
    architecture.check().map_err(fail)?;
    let source =
        if quick.is_some() { "open_clip_config.json (quick_gelu)" } else { "open_clip_config.json (no quick_gelu)" };
    Ok(Known { architecture, activation_source: source.into() })
}

fn refuse_unsupported(vision: &Map<String, Value>, text: &Map<String, Value>) -> Result<(), String> {
    if vision.contains_key("timm_model_name") {
        return Err("the image tower is a timm model, which is not supported".into());
    }
    let is_set = |part: &Map<String, Value>, field: &str| {
        part.get(field).is_some_and(|value| !matches!(value, Value::Null | Value::Bool(false)))
    };
    let of_vision = ["no_ln_pre", "ls_init_value", "attentional_pool", "final_ln_after_pool"].map(|f| (vision, f));
    let of_text = ["ls_init_value", "embed_cls", "proj_bias"].map(|f| (text, f));
    if let Some((_, field)) = of_vision.iter().chain(&of_text).find(|(part, field)| is_set(part, field)) {
        return Err(format!("{field} is set, which is not supported"));
    }
    if let Some(pool) = vision.get("pool_type").and_then(Value::as_str).filter(|p| *p != "tok") {
        return Err(format!("the image tower pools by {pool:?}, and only 'tok' is supported"));
    }
    if vision.get("layers").is_some_and(Value::is_array) {
        return Err("the image tower is a ResNet, which is not supported".into());
    }
    if text.contains_key("hf_model_name") {
        return Err("the text tower is a Hugging Face language model, which is not supported".into());
    }
    if text.get("no_causal_mask").and_then(Value::as_bool) == Some(true) {
        return Err("the text tower has no causal mask, which is not supported".into());
    }
    if let Some(pool) = text.get("pool_type").and_then(Value::as_str).filter(|p| *p != "argmax") {
        return Err(format!("the text tower pools by {pool:?}, and only 'argmax' is supported"));
    }
    Ok(())
}

/// Widths of image towers whose heads are not 64 wide, with their heads: open_clip's ViT-H, ViT-g, ViT-bigG, ViT-e.
const WIDE_HEADS: [(usize, usize); 4] = [(1280, 16), (1408, 16), (1664, 16), (1792, 16)];

/// Sizes read off the tensors themselves, by OpenAI's rule (`build_model`): heads are 64 wide, but for the image towers
/// of [`WIDE_HEADS`].
///
/// `shapes` holds open_clip names. The activation cannot be read and must be given.
pub fn from_shapes(shapes: &BTreeMap<String, Vec<usize>>, activation: Activation) -> Result<Architecture, String> {
    let shape = |name: &str, rank: usize| match shapes.get(name) {
        Some(shape) if shape.len() == rank => Ok(shape.clone()),
        Some(shape) => Err(format!("'{name}' has shape {shape:?}, which no CLIP model has")),
        None => Err(format!("'{name}' is missing")),
    };
    let layers =
        |prefix: &str| shapes.keys().filter(|k| k.starts_with(prefix) && k.ends_with(".attn.in_proj_weight")).count();
    let tower = |prefix: &str, width: usize| -> Result<Tower, String> {
        let mlp_width = shape(&format!("{prefix}0.mlp.c_fc.weight"), 2)?[0];
        let wide = WIDE_HEADS.iter().find(|(w, _)| *w == width && prefix.starts_with("visual."));
        let heads = wide.map(|(_, heads)| *heads).or(width.is_multiple_of(64).then_some(width / 64));
        let unknown =
            || format!("the heads of a tower of width {width} cannot be known without a configuration beside it");
        Ok(Tower { width, layers: layers(prefix), heads: heads.ok_or_else(unknown)?, mlp_width })
    };
    let conv = shape("visual.conv1.weight", 4)?;
    let positions = shape("visual.positional_embedding", 2)?[0];
    let grid = (positions.saturating_sub(1) as f64).sqrt().round() as usize;
    let (tokens, context) = (shape("token_embedding.weight", 2)?, shape("positional_embedding", 2)?);
    let architecture = Architecture {
        image_size: conv[3].saturating_mul(grid),
        patch_size: conv[3],
        vision: tower("visual.transformer.resblocks.", conv[0])?,
        text: tower("transformer.resblocks.", tokens[1])?,
        context_length: context[0],
        vocab_size: tokens[0],
        embed_dim: shape("text_projection", 2)?[1],
        activation,
        layer_norm_eps: 1e-5,
        end_of_text: u32::try_from(tokens[0].saturating_sub(1)).unwrap_or(u32::MAX),
    };
    architecture.check()?;
    Ok(architecture)
}

/// The configuration file that belongs to this naming.
pub fn to_json(architecture: &Architecture, naming: Naming) -> Value {
    let (v, t) = (&architecture.vision, &architecture.text);
    match naming {
        Naming::Hf => {
            let act = match architecture.activation {
                Activation::QuickGelu => "quick_gelu",
                Activation::Gelu => "gelu",
            };
            let tower = |tower: &Tower| {
                json!({
                    "hidden_size": tower.width, "intermediate_size": tower.mlp_width, "num_hidden_layers": tower.layers,
                    "num_attention_heads": tower.heads, "hidden_act": act, "layer_norm_eps": architecture.layer_norm_eps,
                    "projection_dim": architecture.embed_dim,
                })
            };
            let (mut vision, mut text) = (tower(v), tower(t));
            vision["model_type"] = "clip_vision_model".into();
            vision["image_size"] = architecture.image_size.into();
            vision["patch_size"] = architecture.patch_size.into();
            text["model_type"] = "clip_text_model".into();
            text["max_position_embeddings"] = architecture.context_length.into();
            text["vocab_size"] = architecture.vocab_size.into();
            text["eos_token_id"] = architecture.end_of_text.into();
            text["bos_token_id"] = architecture.end_of_text.saturating_sub(1).into();
            text["pad_token_id"] = architecture.end_of_text.into();
            json!({
                "architectures": ["CLIPModel"], "model_type": "clip", "projection_dim": architecture.embed_dim,
                "torch_dtype": "float32", "vision_config": vision, "text_config": text,
            })
        }
        Naming::OpenClip => json!({
            "model_cfg": {
                "embed_dim": architecture.embed_dim,
                "quick_gelu": architecture.activation == Activation::QuickGelu,
                "vision_cfg": {
                    "image_size": architecture.image_size, "patch_size": architecture.patch_size, "layers": v.layers,
                    "width": v.width, "head_width": v.width / v.heads, "mlp_ratio": v.mlp_width as f64 / v.width as f64,
                },
                "text_cfg": {
                    "context_length": architecture.context_length, "vocab_size": architecture.vocab_size,
                    "width": t.width, "heads": t.heads, "layers": t.layers,
                    "mlp_ratio": t.mlp_width as f64 / t.width as f64,
                },
            },
            "preprocess_cfg": {
                "mean": [0.481_454_66, 0.457_827_5, 0.408_210_73], "std": [0.268_629_54, 0.261_302_58, 0.275_777_11],
                "interpolation": "bicubic", "resize_mode": "shortest", "size": [architecture.image_size, architecture.image_size],
            },
        }),
    }
}

fn object(text: &str, path: &Path) -> Result<Map<String, Value>, CheckpointError> {
    match serde_json::from_str(text) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(_) => Err(CheckpointError::config(path, "it is not a JSON object")),
        Err(error) => Err(CheckpointError::config(path, format!("it is not JSON ({error})"))),
    }
}

/// The legacy `*_dict` duplicates override their twin, as transformers reads them.
fn section(root: &Map<String, Value>, name: &str, legacy: &str) -> Map<String, Value> {
    let mut section = root.get(name).and_then(Value::as_object).cloned().unwrap_or_default();
    if let Some(over) = root.get(legacy).and_then(Value::as_object) {
        section.extend(over.clone());
    }
    section
}

fn size(part: &Map<String, Value>, name: &str, default: usize) -> Result<usize, String> {
    match part.get(name) {
        None | Some(Value::Null) => Ok(default),
        Some(value) => value
            .as_u64()
            .and_then(|v| usize::try_from(v).ok())
            .filter(|v| *v > 0)
            .ok_or_else(|| format!("{name} is {:.40}, not a positive number", value.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sizes and parameters of open_clip's `model_configs`, in the words of their own weights.
    #[test]
    fn published_models_are_known_by_their_shapes() {
        let tower = |width, layers, heads, mlp_width| Tower { width, layers, heads, mlp_width };
        let (small, large) = (tower(512, 12, 8, 2048), tower(768, 12, 12, 3072));
        let (huge, giant) = (tower(1024, 24, 16, 4096), tower(1280, 32, 20, 5120));
        for (image_size, patch_size, vision, text, embed_dim, parameters) in [
            (224, 32, tower(768, 12, 12, 3072), small, 512, 151_277_313),
            (224, 16, tower(768, 12, 12, 3072), small, 512, 149_620_737),
            (224, 14, tower(1024, 24, 16, 4096), large, 768, 427_616_513),
            (336, 14, tower(1024, 24, 16, 4096), large, 768, 427_944_193),
            (224, 14, tower(1280, 32, 16, 5120), huge, 1024, 986_109_441),
            (224, 14, tower(1408, 40, 16, 6144), huge, 1024, 1_366_678_273),
            (224, 14, tower(1664, 48, 16, 8192), giant, 1280, 2_539_567_105),
        ] {
            let known = Architecture { image_size, patch_size, vision, text, embed_dim, ..Architecture::vit_b_32() };
            assert_eq!(known.parameters(), parameters);
            let shapes = known.tensors().into_iter().collect();
            assert_eq!(from_shapes(&shapes, Activation::QuickGelu), Ok(known));
        }
    }

    /// CLoVe's text tower has 64 positions, and every other size is that of ViT-B/32.
    #[test]
    fn a_shorter_context_is_read_off_too() {
        let clove = Architecture { context_length: 64, ..Architecture::vit_b_32() };
        let shapes = clove.tensors().into_iter().collect();
        assert_eq!(from_shapes(&shapes, Activation::QuickGelu), Ok(clove));
    }
}
