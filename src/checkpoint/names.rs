//! Hugging Face ↔ open_clip parameter names. Inside the program names are open_clip's.
//!
//! The table is that of transformers' `convert_clip_original_pytorch_to_hf.py`: Hugging Face splits the fused
//! `in_proj` into q, k, v, stores both projections transposed, and writes `pre_layrnorm` (sic).

use std::collections::BTreeMap;

use serde::Serialize;

/// Who named the tensors of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Naming {
    /// transformers' `CLIPModel`.
    Hf,
    /// open_clip and OpenAI.
    OpenClip,
}

impl std::fmt::Display for Naming {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Hf => "Hugging Face names",
            Self::OpenClip => "open_clip names",
        })
    }
}

/// How one open_clip tensor is made from tensors of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The same values under this name.
    Same(String),
    /// A matrix stored transposed under this name.
    Transposed(String),
    /// Rows (or entries) of q, k and v, stacked.
    Stacked([String; 3]),
}

/// Where the open_clip tensor `name` lies in a file of this naming.
pub fn origin(name: &str, naming: Naming) -> Origin {
    if naming == Naming::OpenClip {
        return Origin::Same(name.to_owned());
    }
    match name {
        "visual.proj" => return Origin::Transposed("visual_projection.weight".into()),
        "text_projection" => return Origin::Transposed("text_projection.weight".into()),
        _ => {}
    }
    if let Some(whole) = outside_blocks(name) {
        return Origin::Same(whole.into());
    }
    let Some((tower, block, rest)) = in_block(name) else { return Origin::Same(name.to_owned()) };
    let layer = format!("{tower}.encoder.layers.{block}");
    match rest.split_once("in_proj_") {
        Some((_, kind)) => Origin::Stacked(["q", "k", "v"].map(|p| format!("{layer}.self_attn.{p}_proj.{kind}"))),
        None => Origin::Same(format!("{layer}.{}", block_rest(rest))),
    }
}

/// Splits `visual.transformer.resblocks.3.mlp.c_fc.bias` into Hugging Face's tower, block and rest.
fn in_block(name: &str) -> Option<(&'static str, usize, &str)> {
    let (tower, rest) = match name.strip_prefix("visual.transformer.resblocks.") {
        Some(rest) => ("vision_model", rest),
        None => ("text_model", name.strip_prefix("transformer.resblocks.")?),
    };
    let (block, rest) = rest.split_once('.')?;
    Some((tower, block.parse().ok()?, rest))
}

fn block_rest(rest: &str) -> String {
    let renamed = [
        ("ln_1.", "layer_norm1."),
        ("ln_2.", "layer_norm2."),
        ("attn.out_proj.", "self_attn.out_proj."),
        ("mlp.c_fc.", "mlp.fc1."),
        ("mlp.c_proj.", "mlp.fc2."),
    ];
    for (ours, theirs) in renamed {
        if let Some(kind) = rest.strip_prefix(ours) {
            return format!("{theirs}{kind}");
        }
    }
    rest.to_owned()
}

fn outside_blocks(name: &str) -> Option<&'static str> {
    Some(match name {
        "visual.conv1.weight" => "vision_model.embeddings.patch_embedding.weight",
        "visual.class_embedding" => "vision_model.embeddings.class_embedding",
        "visual.positional_embedding" => "vision_model.embeddings.position_embedding.weight",
        "visual.ln_pre.weight" => "vision_model.pre_layrnorm.weight",
        "visual.ln_pre.bias" => "vision_model.pre_layrnorm.bias",
        "visual.ln_post.weight" => "vision_model.post_layernorm.weight",
        "visual.ln_post.bias" => "vision_model.post_layernorm.bias",
        "token_embedding.weight" => "text_model.embeddings.token_embedding.weight",
        "positional_embedding" => "text_model.embeddings.position_embedding.weight",
        "ln_final.weight" => "text_model.final_layer_norm.weight",
        "ln_final.bias" => "text_model.final_layer_norm.bias",
        "logit_scale" => "logit_scale",
        _ => return None,
    })
}

/// What wrappers of a model put before its names: DistributedDataParallel, torch.compile, training classes.
const WRAPPERS: [&str; 3] = ["module.", "_orig_mod.", "model."];

/// Takes off what stands before every name, and open_clip's `text.` of a `CustomTextCLIP`.
///
/// # Errors
/// A clause, where two names would become one.
pub(super) fn unwrap<T>(mut tensors: BTreeMap<String, T>) -> Result<BTreeMap<String, T>, String> {
    while let Some(wrapper) =
        WRAPPERS.iter().find(|w| !tensors.is_empty() && tensors.keys().all(|n| n.starts_with(**w)))
    {
        tensors = tensors.into_iter().map(|(name, tensor)| (name[wrapper.len()..].to_owned(), tensor)).collect();
    }
    if !tensors.contains_key("text.token_embedding.weight") {
        return Ok(tensors);
    }
    let mut unwrapped = BTreeMap::new();
    for (name, tensor) in tensors {
        let bare = name.strip_prefix("text.").unwrap_or(&name).to_owned();
        if unwrapped.insert(bare, tensor).is_some() {
            return Err(format!("the file holds '{0}' both with and without 'text.' before it", name.escape_debug()));
        }
    }
    Ok(unwrapped)
}

/// Names that show a model of another kind, and what it then is.
const FOREIGN: [(&str, &str); 10] = [
    ("text_decoder.", "a CoCa model"),
    ("logit_bias", "a SigLIP model"),
    ("visual.trunk.", "a CLIP model whose image tower is a timm model"),
    ("visual.layer1.", "a CLIP model whose image tower is a ResNet"),
    ("visual.blocks.", "an EVA model"),
    ("visual.attn_pool.", "a CLIP model that pools images by attention"),
    ("ls_1.gamma", "a CLIP model with layer scales"),
    ("text.transformer.e", "a CLIP model whose text tower is a Hugging Face language model"),
    ("text_projection.bias", "a CLIP model whose text projection has a bias"),
    ("text_model.encoder.layer.", "a CLIP model whose text tower is a BERT"),
];

/// The naming of a file, once [`unwrap`] has been there.
///
/// # Errors
/// A sentence that says what the file holds instead of a supported CLIP model.
pub(super) fn naming_of<T>(tensors: &BTreeMap<String, T>) -> Result<Naming, String> {
    let any = |part: &str| tensors.keys().any(|name| name.contains(part));
    if let Some((_, kind)) = FOREIGN.iter().find(|(part, _)| any(part)) {
        return Err(format!("this is {kind}, which is not supported; only CLIP with two plain transformers is"));
    }
    let has = |name: &str| tensors.contains_key(name);
    let hf = ["vision_model.embeddings.class_embedding", "text_model.embeddings.token_embedding.weight"].map(has);
    let open_clip = ["visual.class_embedding", "token_embedding.weight"].map(has);
    if hf == [true; 2] {
        return Ok(Naming::Hf);
    }
    if open_clip == [true; 2] {
        return Ok(Naming::OpenClip);
    }
    // One tower saved by itself has no name of its own before its tensors.
    let vision = hf[0] || open_clip[0] || has("embeddings.class_embedding") || has("class_embedding");
    let text = hf[1] || open_clip[1] || has("embeddings.token_embedding.weight");
    if vision || text {
        let found = if vision { "image" } else { "text" };
        return Err(format!("the file holds only the {found} tower; both towers are needed"));
    }
    Err(format!("this is not a CLIP model: none of its {} tensors is a CLIP tower's", tensors.len()))
}

/// The block that an open_clip name lies in, with its tower (`true` for the image tower).
pub fn block_of(name: &str) -> Option<(bool, usize)> {
    in_block(name).map(|(tower, block, _)| (tower == "vision_model", block))
}

/// Buffers that old files carry and no model needs.
pub fn is_ignored(name: &str) -> bool {
    name.ends_with(".position_ids")
        || matches!(name, "attn_mask" | "input_resolution" | "context_length" | "vocab_size")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_table() {
        let same = |n: &str| match origin(n, Naming::Hf) {
            Origin::Same(s) => s,
            other => panic!("{other:?}"),
        };
        assert_eq!(same("visual.ln_pre.bias"), "vision_model.pre_layrnorm.bias");
        assert_eq!(
            same("visual.transformer.resblocks.11.mlp.c_fc.weight"),
            "vision_model.encoder.layers.11.mlp.fc1.weight"
        );
        assert_eq!(
            same("transformer.resblocks.0.attn.out_proj.bias"),
            "text_model.encoder.layers.0.self_attn.out_proj.bias"
        );
        assert_eq!(
            origin("transformer.resblocks.2.attn.in_proj_bias", Naming::Hf),
            Origin::Stacked(["q", "k", "v"].map(|p| format!("text_model.encoder.layers.2.self_attn.{p}_proj.bias")))
        );
        assert_eq!(origin("text_projection", Naming::Hf), Origin::Transposed("text_projection.weight".into()));
        assert_eq!(origin("text_projection", Naming::OpenClip), Origin::Same("text_projection".into()));
        assert_eq!(block_of("visual.transformer.resblocks.7.ln_1.weight"), Some((true, 7)));
        assert_eq!(block_of("ln_final.bias"), None);
    }
}
