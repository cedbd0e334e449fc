//! Base as a recipe wants it, and the weights of the model that is trained.

use std::path::Path;

use candle_core::Device;
use clove_training::{HostError, Recipe, TwoTower as _};
use serde_json::Value;

use super::FineTuneError;
use crate::checkpoint::{self, Checkpoint, CheckpointError, Naming, Options, Output};
use crate::clip::{TrainableClip, TrainingOptions};
use crate::demo;
use crate::evaluate::tokenizer_of;
use crate::kernels::Activation;

/// Opens the recipe's base, with its activation and with the text positions that the recipe keeps.
pub(super) fn base(recipe: &Recipe) -> Result<Checkpoint, FineTuneError> {
    let activation = recipe.activation.as_deref().and_then(|name| name.parse::<Activation>().ok());
    let mut base = demo::open(Path::new(&recipe.base), Options { activation }).map_err(FineTuneError::Base)?;
    let has = base.architecture.context_length;
    if let Some(asked) = recipe.context_length.filter(|asked| *asked != has) {
        if asked > has {
            return Err(FineTuneError::Context { asked, has });
        }
        base.cut_context(asked)?;
    }
    Ok(base)
}

/// The model that is trained, on the device, at base.
pub(super) fn trainable(base: &Checkpoint, recipe: &Recipe, device: &Device) -> Result<TrainableClip, FineTuneError> {
    let options = TrainingOptions::of(recipe, device)?;
    Ok(TrainableClip::with(&options, &base.architecture, &base.tensors()?, tokenizer_of(base)?, device)?)
}

/// The current weights in base's frame: its architecture and tokenizer.
pub(super) fn current(base: &Checkpoint, model: &TrainableClip) -> candle_core::Result<Checkpoint> {
    let on_cpu = |(name, tensor): (String, candle_core::Tensor)| Ok((name, tensor.to_device(&Device::Cpu)?));
    let tensors = model.tensors().into_iter().map(on_cpu).collect::<candle_core::Result<_>>()?;
    Ok(Checkpoint { tensors, ..base.clone() })
}

/// Writes the current weights as the folder `path`, which is missing.
pub(super) fn write(
    path: &Path,
    base: &Checkpoint,
    model: &TrainableClip,
    naming: Naming,
    record: &Value,
) -> Result<(), CheckpointError> {
    let Checkpoint { tensors, architecture, tokenizer, .. } = &current(base, model)?;
    checkpoint::write(path, Output { tensors, architecture, naming, record, tokenizer: tokenizer.as_deref() })
}

/// Sets the trained parameters to those in `folder`.
pub(super) fn load(folder: &Path, base: &Checkpoint, model: &TrainableClip) -> Result<(), HostError> {
    let saved = Checkpoint::open(folder, Options::default())?;
    if saved.architecture != base.architecture {
        return Err(format!("it is another model than base ({})", saved.architecture.summary()).into());
    }
    for (name, var) in model.trainable() {
        // Both hold every tensor of the architecture.
        if let Some(tensor) = saved.tensors.get(&name) {
            var.set(&tensor.to_device(var.device())?)?;
        }
    }
    Ok(())
}
