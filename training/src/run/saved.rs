//! What a checkpoint holds beside the weights.

use std::collections::HashMap;
use std::io;
use std::path::Path;

use candle_core::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::HostError;
use crate::optimizer::{AdamW, Moment, State};

const STATE: &str = "state.json";
const MOMENTS: &str = "training.safetensors";

/// Where the run is.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Saved {
    /// Steps done.
    pub step: u64,
    /// Of the data, after the last batch used.
    pub position: serde_json::Value,
    /// Time of work so far, over all workers.
    pub seconds: f64,
    /// Whether an evaluation that is due at this step is done.
    pub evaluated: bool,
}

impl Saved {
    /// Writes `state.json`, and the optimizer's moments as `training.safetensors`.
    pub fn write(&self, folder: &Path, optimizer: &AdamW) -> io::Result<()> {
        let state = optimizer.export().map_err(io::Error::other)?;
        let mut tensors = HashMap::new();
        for Moment { name, first, second } in state.moments {
            tensors.insert(first_name(&name), first);
            tensors.insert(second_name(&name), second);
        }
        candle_core::safetensors::save(&tensors, folder.join(MOMENTS)).map_err(io::Error::other)?;
        std::fs::write(folder.join(STATE), format!("{:#}\n", serde_json::to_value(self)?))
    }

    /// Reads both back, in the order of the optimizer's parameters.
    pub fn read(folder: &Path, optimizer: &AdamW) -> Result<(Self, State), HostError> {
        let saved: Self = serde_json::from_slice(&std::fs::read(folder.join(STATE))?)?;
        let mut tensors = candle_core::safetensors::load(folder.join(MOMENTS), &Device::Cpu)?;
        let mut take = |name: String| tensors.remove(&name).ok_or_else(|| format!("{MOMENTS} lacks `{name}`"));
        let moment = |(name, _): (&str, _)| {
            let (first, second): (Tensor, Tensor) = (take(first_name(name))?, take(second_name(name))?);
            Ok::<_, HostError>(Moment { name: name.to_owned(), first, second })
        };
        let moments = optimizer.parameters().map(moment).collect::<Result<_, _>>()?;
        let state = State { steps: saved.step, moments };
        Ok((saved, state))
    }
}

fn first_name(parameter: &str) -> String {
    format!("first.{parameter}")
}

fn second_name(parameter: &str) -> String {
    format!("second.{parameter}")
}
