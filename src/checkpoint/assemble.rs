//! From a file's tensors to the model's: every one that the architecture lists, and nothing that it does not explain.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use rayon::prelude::*;

use super::architecture::{Architecture, Tower};
use super::mmap::Mapped;
use super::names::{self, Naming, Origin};
use super::stored::Stored;
use super::weight::Weight;
use crate::kernels::Activation;

type Tensors<'a> = BTreeMap<String, Stored<'a>>;

/// Reads every tensor of `architecture` as f32, in parallel. What lies in one of `maps` in the form that is needed stays
/// there.
///
/// # Errors
/// A clause that names the first tensor, in name order, that is missing, of another shape or type, or not finite.
pub(super) fn read_all(
    (file, maps): (&Tensors<'_>, &[Arc<Mapped>]),
    naming: Naming,
    architecture: &Architecture,
) -> Result<BTreeMap<String, Weight>, String> {
    refuse_unknown(file, naming, architecture)?;
    let read = |(name, shape): (String, Vec<usize>)| {
        let weight = read_one((file, maps), &names::origin(&name, naming), shape)?;
        Ok((name, weight))
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

fn read_one(
    (file, maps): (&Tensors<'_>, &[Arc<Mapped>]),
    origin: &Origin,
    shape: Vec<usize>,
) -> Result<Weight, String> {
    let parts = match origin {
        Origin::Transposed(name) => {
            let [rows, columns] = *shape else { return Err(format!("'{name}' should be a matrix")) };
            let tensor = find(file, name, &[columns, rows])?;
            let mut values = vec![0.0; tensor.len()];
            tensor.floats(name, &mut values)?;
            return Ok(Weight::own(shape, transpose(&values, columns, rows)));
        }
        Origin::Same(name) => vec![(name, find(file, name, &shape)?)],
        Origin::Stacked(all) => {
            let mut third = shape.clone();
            if let Some(rows) = third.first_mut() {
                *rows /= 3;
            }
            all.iter().map(|name| Ok((name, find(file, name, &third)?))).collect::<Result<_, String>>()?
        }
    };
    if let Some(places) = parts.iter().map(|(_, part)| place(part, maps)).collect::<Option<Vec<_>>>() {
        parts.iter().try_for_each(|(name, part)| part.check_finite(name))?;
        return Ok(Weight::mapped(shape, places));
    }
    let mut values = vec![0.0; parts.iter().map(|(_, part)| part.len()).sum()];
    let mut rest = values.as_mut_slice();
    for (name, part) in parts {
        let (own, after) = rest.split_at_mut(part.len());
        part.floats(name, own)?;
        rest = after;
    }
    Ok(Weight::own(shape, values))
}

fn find<'f, 'a>(file: &'f Tensors<'a>, name: &str, shape: &[usize]) -> Result<&'f Stored<'a>, String> {
    let tensor = file.get(name).ok_or_else(|| format!("the tensor '{name}' is missing"))?;
    // A logit scale may be stored as one number or as a list of one.
    let fits = tensor.shape == shape || (shape.is_empty() && tensor.shape == [1]);
    if !fits {
        return Err(format!("the tensor '{name}' has shape {:?} and should have {shape:?}", tensor.shape));
    }
    Ok(tensor)
}

/// Where a tensor lies as f32 values that can be read there.
fn place(tensor: &Stored<'_>, maps: &[Arc<Mapped>]) -> Option<(Arc<Mapped>, Range<usize>)> {
    let bytes = tensor.as_bytes_of_floats()?;
    maps.iter().find_map(|map| Some((Arc::clone(map), map.place_of(bytes)?)))
}
