//! The blend: weights of a pair at an alpha map, in place.

use std::collections::BTreeMap;

use candle_core::{Device, Tensor};

use super::{Alpha, AlphaMap, Pair, Part};
use crate::checkpoint::{Architecture, block_of};
use crate::kernels;

/// A pair's weights on a device, and their blend, which is one model at a time.
///
/// The blended tensors keep their storage: whoever holds clones of them (the towers) sees every new alpha.
pub struct Patch {
    parameters: Vec<Parameter>,
    architecture: Architecture,
    alpha: AlphaMap,
}

struct Parameter {
    name: String,
    part: Part,
    base: Tensor,
    tuned: Tensor,
    blended: Tensor,
    at: Alpha,
}

impl Patch {
    /// Copies the pair to `device` and stands at base.
    pub fn new(pair: &Pair, device: &Device) -> candle_core::Result<Self> {
        let mut parameters = Vec::with_capacity(pair.base.tensors.len());
        for (name, base) in &pair.base.tensors {
            let Some(tuned) = pair.tuned.tensors.get(name) else {
                candle_core::bail!("'{name}' is only in base");
            };
            let base = base.to_device(device)?;
            parameters.push(Parameter {
                name: name.clone(),
                part: part_of(name),
                tuned: tuned.to_device(device)?,
                blended: base.copy()?,
                base,
                at: Alpha::BASE,
            });
        }
        Ok(Self { parameters, architecture: pair.base.architecture, alpha: AlphaMap::BASE })
    }

    /// Blends what changed: `(1-a)·base + a·tuned` in f32 for every parameter, exactly base at 0 and tuned at 1.
    /// Says whether anything changed.
    pub fn set(&mut self, alpha: AlphaMap) -> candle_core::Result<bool> {
        let mut changed = false;
        for parameter in &mut self.parameters {
            let wanted = alpha.of(parameter.part);
            if wanted != parameter.at {
                kernels::lerp_into(&parameter.blended, &parameter.base, &parameter.tuned, wanted.get())?;
                parameter.at = wanted;
                changed = true;
            }
        }
        self.alpha = alpha;
        Ok(changed)
    }

    /// Where the blend stands.
    pub fn alpha(&self) -> AlphaMap {
        self.alpha
    }

    /// What the towers are.
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// The blended weights by open_clip name. Clones share storage with the blend.
    pub fn tensors(&self) -> BTreeMap<String, Tensor> {
        self.parameters.iter().map(|p| (p.name.clone(), p.blended.clone())).collect()
    }
}

/// The part of the model that an open_clip parameter belongs to.
fn part_of(name: &str) -> Part {
    let block = block_of(name).map(|(_, block)| block);
    if name == "logit_scale" {
        Part::Shared
    } else if name.starts_with("visual.") {
        Part::Image { block }
    } else {
        Part::Text { block }
    }
}
