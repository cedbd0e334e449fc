//! From a file's tensors to the model's: every one that the architecture lists, and nothing that it does not explain.

use std::collections::{BTreeMap, BTreeSet};

use candle_core::{Device, Tensor};
use rayon::prelude::*;

use super::architecture::{Architecture, Tower};
use super::names::{self, Naming, Origin};
use super::stored::Stored;
use crate::kernels::Activation;

type Tensors<'a> = BTreeMap<String, Stored<'a>>;

/// Reads every tensor of `architecture` as f32, in parallel.
///
/// # Errors
/// A clause that names the first tensor, in name order, that is missing, of another shape or type, or not finite.
pub(super) fn read_all(
    file: &Tensors<'_>,
    naming: Naming,
    architecture: &Architecture,
) -> Result<BTreeMap<String, Tensor>, String> {
    refuse_unknown(file, naming, architecture)?;
    let read = |(name, shape): (String, Vec<usize>)| {
        let tensor = read_one(file, &names::origin(&name, naming), &shape)?;
        Ok((name, tensor))
    };
    architecture.tensors().into_par_iter().map(read).collect::<Vec<_>>().into_iter().collect()
}

/// Shapes by open_clip name as far as the file's names can be translated.
pub(super) fn open_clip_shapes(file: &Tensors<'_>, naming: Naming) -> BTreeMap<String, Vec<usize>> {
    if naming == Naming::OpenClip {
        return file.iter().map(|(name, tensor)| (name.clone(), tensor.shape.clone())).collect();
    }
    // Hugging Face names of a model without configuration: ask for every name that a model of many layers could have.
    let layers = file.len().min(256);
    let probe = Tower { width: 1, layers, heads: 1, mlp_width: 1 };
    let mut shapes = BTreeMap::new();
    let named = Architecture {
        image_size: 1,
        patch_size: 1,
        vision: probe,
        text: probe,
        context_length: 1,
        vocab_size: 1,
        embed_dim: 1,
        activation: Activation::QuickGelu,
        layer_norm_eps: 1e-5,
        end_of_text: 0,
    };
    for (name, _) in named.tensors() {
        let shape_of = |n: &str| file.get(n).map(|tensor| tensor.shape.clone());
        let shape = match names::origin(&name, naming) {
            Origin::Same(n) => shape_of(&n),
            Origin::Transposed(n) => shape_of(&n).map(|s| s.into_iter().rev().collect()),
            Origin::Stacked([q, ..]) => shape_of(&q).map(|mut s| {
                if let Some(rows) = s.first_mut() {
                    *rows = rows.saturating_mul(3);
                }
                s
            }),
        };
        shapes.extend(shape.map(|shape| (name, shape)));
    }
    shapes
}

/// Transposes a row-major `[rows, columns]` matrix.
pub(super) fn transpose(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    (0..columns).flat_map(|c| (0..rows).map(move |r| values[r * columns + c])).collect()
}

/// Names of the file that the architecture does not explain are refused: silently dropping weights changes numbers.
fn refuse_unknown(file: &Tensors<'_>, naming: Naming, architecture: &Architecture) -> Result<(), String> {
    let mut expected = BTreeSet::new();
    for (name, _) in architecture.tensors() {
        match names::origin(&name, naming) {
            Origin::Same(n) | Origin::Transposed(n) => drop(expected.insert(n)),
            Origin::Stacked(all) => expected.extend(all),
        }
    }
    let unknown: Vec<_> = file.keys().filter(|n| !expected.contains(*n) && !names::is_ignored(n)).collect();
    match unknown.first() {
        None => Ok(()),
        Some(first) => Err(format!(
            "the file holds {} tensors that its configuration does not explain, the first is '{:.200}'",
            unknown.len(),
            first.escape_debug().to_string()
        )),
    }
}

fn read_one(file: &Tensors<'_>, origin: &Origin, shape: &[usize]) -> Result<Tensor, String> {
    let find = |name: &str, shape: &[usize]| {
        let tensor = file.get(name).ok_or_else(|| format!("the tensor '{name}' is missing"))?;
        // A logit scale may be stored as one number or as a list of one.
        let fits = tensor.shape == shape || (shape.is_empty() && tensor.shape == [1]);
        if !fits {
            return Err(format!("the tensor '{name}' has shape {:?} and should have {shape:?}", tensor.shape));
        }
        Ok(tensor)
    };
    let values = match origin {
        Origin::Same(name) => {
            let tensor = find(name, shape)?;
            let mut values = vec![0.0; tensor.len()];
            tensor.floats(name, &mut values)?;
            values
        }
        Origin::Transposed(name) => {
            let [rows, columns] = *shape else { return Err(format!("'{name}' should be a matrix")) };
            let tensor = find(name, &[columns, rows])?;
            let mut values = vec![0.0; tensor.len()];
            tensor.floats(name, &mut values)?;
            transpose(&values, columns, rows)
        }
        Origin::Stacked(all) => {
            let mut third = shape.to_vec();
            if let Some(rows) = third.first_mut() {
                *rows /= 3;
            }
            let mut parts = Vec::with_capacity(3);
            for name in all {
                parts.push((name, find(name, &third)?));
            }
            let mut values = vec![0.0; parts.iter().map(|(_, part)| part.len()).sum()];
            let mut rest = values.as_mut_slice();
            for (name, part) in parts {
                let (own, after) = rest.split_at_mut(part.len());
                part.floats(name, own)?;
                rest = after;
            }
            values
        }
    };
    Tensor::from_vec(values, shape, &Device::Cpu).map_err(|e| e.to_string())
}
