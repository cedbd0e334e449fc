//! The program around a run, as `clove-training` asks for it.

use std::io;
use std::path::Path;

use clove_training::run_directory::{RunResult, Writer, without_superseded};
use clove_training::{Host, HostError, Recipe, RunEvent, Summary};
use serde_json::{Value, json};

use super::card::card;
use super::curve::Curve;
use super::{memory, model};
use crate::checkpoint::{Checkpoint, Naming, Options};
use crate::clip::TrainableClip;

/// Folders of the final weights; the first is the one that the window opens.
const WEIGHTS: [(&str, Naming); 2] = [("weights/hf", Naming::Hf), ("weights/open_clip", Naming::OpenClip)];

pub(super) struct Program<'a> {
    pub base: &'a Checkpoint,
    pub model: &'a TrainableClip,
    pub recipe: &'a Recipe,
    pub curve: Option<Curve>,
    /// `job.json`.
    pub record: Value,
    pub hear: &'a mut dyn FnMut(&RunEvent),
}

impl Program<'_> {
    /// How the weights came to be, for their metadata. Nothing that differs between two runs of one recipe.
    fn origin(&self) -> Value {
        json!({
            "made_by": self.record["made_by"],
            "recipe": self.recipe,
            "base": self.record["base"]["sha256"],
            "data": self.record["data"],
        })
    }

    /// Fills an existing folder: the writer of models makes its own.
    fn write_into(&self, folder: &Path, naming: Naming) -> Result<(), HostError> {
        let whole = folder.join(".model");
        model::write(&whole, self.base, self.model, naming, &self.origin())?;
        for entry in std::fs::read_dir(&whole)? {
            let entry = entry?;
            std::fs::rename(entry.path(), folder.join(entry.file_name()))?;
        }
        Ok(std::fs::remove_dir(&whole)?)
    }
}

impl Host for Program<'_> {
    fn save(&self, folder: &Path) -> Result<(), HostError> {
        self.write_into(folder, Naming::Hf)
    }

    fn load(&self, folder: &Path) -> Result<(), HostError> {
        model::load(folder, self.base, self.model)
    }

    fn evaluate(&mut self, step: u64, go_on: &mut dyn FnMut() -> bool) -> Result<Option<Vec<RunEvent>>, HostError> {
        let tuned = model::current(self.base, self.model)?;
        match &mut self.curve {
            Some(curve) => Ok(curve.at(step, tuned, go_on)?),
            None => Ok(Some(Vec::new())),
        }
    }

    fn finish(&mut self, writer: &Writer, summary: &Summary) -> Result<RunResult, HostError> {
        for (folder, naming) in WEIGHTS {
            writer.folder(folder, |folder| self.write_into(folder, naming).map_err(io::Error::other))?;
        }
        // Read back, so that a result is only claimed for weights that open.
        let first = writer.run().path().join(WEIGHTS[0].0);
        let sha256 = Checkpoint::open(&first, Options::default())?.sha256().to_owned();
        let mut lines = Vec::new();
        let mut from = 0;
        loop {
            let (more, next) = writer.run().events(from)?;
            lines.extend(more);
            if next == from {
                break;
            }
            from = next;
        }
        let card = card(self.recipe, &self.record, summary, &sha256, &without_superseded(lines))?;
        writer.file("README.md", card.as_bytes())?;
        let weights = WEIGHTS.map(|(folder, _)| folder.to_owned()).to_vec();
        Ok(RunResult { weights, steps: summary.steps, seconds: summary.seconds, sha256 })
    }

    fn parameters(&self) -> u64 {
        self.base.architecture.parameters() as u64
    }

    fn memory(&self) -> Option<u64> {
        memory::resident()
    }

    fn hear(&mut self, event: &RunEvent) {
        (self.hear)(event);
    }
}
