//! The blend: weights of a pair at an alpha map, in place.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use candle_core::{DType, Device, Result, Tensor};

use super::{Alpha, AlphaMap, Pair, Part};
use crate::checkpoint::{Architecture, Weight, block_of};
use crate::kernels;

/// A pair's weights on a device, and their blend, which is one model at a time.
///
/// The blended tensors keep their storage: whoever holds clones of them (the towers) sees every new alpha.
pub struct Patch {
    parameters: Vec<Parameter>,
    architecture: Architecture,
    alpha: AlphaMap,
    /// Set once the blended tensors hold what they stand for.
    filled: OnceLock<()>,
}

struct Parameter {
    name: String,
    part: Part,
    sides: Sides,
    blended: Tensor,
    at: Alpha,
}

enum Sides {
    /// Where the checkpoints have them.
    Host {
        base: Weight,
        tuned: Weight,
    },
    Device {
        base: Tensor,
        tuned: Tensor,
    },
}

impl Patch {
    /// Makes room for the blend and stands at base; copies the pair to a `device` other than the CPU.
    pub fn new(pair: &Pair, device: &Device) -> Result<Self> {
        let patch = Self::unfilled(pair, device)?;
        patch.fill()?;
        Ok(patch)
    }

    /// As [`Patch::new`], but the blended tensors hold their values only after the first [`Patch::fill`] or
    /// [`Patch::set`]: what is blended at another alpha next need not be copied from base first.
    pub(crate) fn unfilled(pair: &Pair, device: &Device) -> Result<Self> {
        let mut parameters = Vec::with_capacity(pair.base.weights.len());
        for (name, base) in &pair.base.weights {
            let Some(tuned) = pair.tuned.weights.get(name) else {
                candle_core::bail!("'{name}' is only in base");
            };
            parameters.push(Parameter {
                name: name.clone(),
                part: part_of(name),
                sides: Sides::new(base, tuned, device)?,
                blended: Tensor::zeros(base.shape(), DType::F32, device)?,
                at: Alpha::BASE,
            });
        }
        let (architecture, alpha) = (pair.base.architecture, AlphaMap::BASE);
        Ok(Self { parameters, architecture, alpha, filled: OnceLock::new() })
    }

    /// Makes the blended tensors hold what they stand for, where nothing did yet.
    pub(crate) fn fill(&self) -> Result<()> {
        if self.filled.get().is_none() {
            self.check_unchanged()?;
            self.parameters.iter().try_for_each(|parameter| parameter.blend(parameter.at))?;
            let _ = self.filled.set(());
        }
        Ok(())
    }

    /// Blends what changed: `(1-a)·base + a·tuned` in f32 for every parameter, exactly base at 0 and tuned at 1.
    /// Says whether anything changed.
    pub fn set(&mut self, alpha: AlphaMap) -> Result<bool> {
        let is_first = self.filled.get().is_none();
        let is_new = |parameter: &Parameter| is_first || alpha.of(parameter.part) != parameter.at;
        let changed = self.parameters.iter().any(is_new);
        if changed {
            self.check_unchanged()?;
        }
        for parameter in &mut self.parameters {
            if is_new(parameter) {
                parameter.at = alpha.of(parameter.part);
                parameter.blend(parameter.at)?;
            }
        }
        let _ = self.filled.set(());
        self.alpha = alpha;
        Ok(changed)
    }

    fn check_unchanged(&self) -> Result<()> {
        self.parameters.iter().try_for_each(|parameter| match &parameter.sides {
            Sides::Host { base, tuned } => {
                base.check_unchanged().and_then(|()| tuned.check_unchanged()).map_err(candle_core::Error::wrap)
            }
            Sides::Device { .. } => Ok(()),
        })
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

impl Sides {
    fn new(base: &Weight, tuned: &Weight, device: &Device) -> Result<Self> {
        Ok(if device.is_cpu() {
            Self::Host { base: base.clone(), tuned: tuned.clone() }
        } else {
            Self::Device { base: base.to_tensor(device)?, tuned: tuned.to_tensor(device)? }
        })
    }
}

impl Parameter {
    fn blend(&self, alpha: Alpha) -> Result<()> {
        match &self.sides {
            Sides::Host { base, tuned } => {
                kernels::blend_into(&self.blended, &base.pieces(), &tuned.pieces(), alpha.get())
            }
            Sides::Device { base, tuned } => kernels::lerp_into(&self.blended, base, tuned, alpha.get()),
        }
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
