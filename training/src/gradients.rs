//! The gradients of one step, summed from as many backward passes as it takes.

use candle_core::backprop::GradStore;
use candle_core::{Result, Tensor, Var};

/// One gradient per parameter, sorted by name. Memory is kept from step to step.
#[derive(Debug)]
pub struct Gradients {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    name: String,
    var: Var,
    gradient: Option<Tensor>,
    /// Whether `gradient` holds this step's values and not what an earlier step left.
    is_current: bool,
}

/// A parameter's gradient, to be written in place.
#[derive(Debug)]
pub struct Slot {
    /// Contiguous, in the parameter's shape, type and device.
    pub tensor: Tensor,
    /// Whether it holds a sum to add to; otherwise every value is to be overwritten.
    pub is_sum: bool,
}

impl Gradients {
    /// No gradients yet of these parameters.
    pub fn new(mut parameters: Vec<(String, Var)>) -> Self {
        parameters.sort_by(|(a, _), (b, _)| a.cmp(b));
        let entry = |(name, var)| Entry { name, var, gradient: None, is_current: false };
        Self { entries: parameters.into_iter().map(entry).collect() }
    }

    /// Begins a new sum.
    pub fn clear(&mut self) {
        self.entries.iter_mut().for_each(|entry| entry.is_current = false);
    }

    /// Adds `gradient` to that of parameter `name`; nothing happens for a name that is not trained.
    ///
    /// # Errors
    /// Another shape or type than the parameter's.
    pub fn add(&mut self, name: &str, gradient: &Tensor) -> Result<()> {
        match self.entry(name) {
            Some(entry) => entry.add(gradient),
            None => Ok(()),
        }
    }

    /// Memory for the gradient of parameter `name`, which the caller must write; `None` for a name that is not trained.
    ///
    /// # Errors
    /// No memory.
    pub fn slot(&mut self, name: &str) -> Result<Option<Slot>> {
        let Some(entry) = self.entry(name) else { return Ok(None) };
        let tensor = match &entry.gradient {
            Some(tensor) => tensor.clone(),
            // Safe code cannot ask for memory that is not zeroed; this happens once per run.
            None => entry.var.zeros_like()?,
        };
        entry.gradient = Some(tensor.clone());
        let is_sum = std::mem::replace(&mut entry.is_current, true);
        Ok(Some(Slot { tensor, is_sum }))
    }

    /// Adds what a backward pass of candle's found, by variable.
    ///
    /// # Errors
    /// A failing device.
    pub fn collect(&mut self, store: &mut GradStore) -> Result<()> {
        for entry in &mut self.entries {
            if let Some(gradient) = store.remove(&entry.var) {
                // A variable's gradient still refers to the graph.
                entry.add(&gradient.detach())?;
            }
        }
        Ok(())
    }

    /// The sums, in the order of the names.
    ///
    /// # Errors
    /// The name of the first parameter that no backward pass has reached.
    pub fn sums(&self) -> std::result::Result<Vec<Tensor>, &str> {
        let mut sums = Vec::with_capacity(self.entries.len());
        for Entry { name, gradient, is_current, .. } in &self.entries {
            match gradient {
                Some(gradient) if *is_current => sums.push(gradient.clone()),
                _ => return Err(name),
            }
        }
        Ok(sums)
    }

    fn entry(&mut self, name: &str) -> Option<&mut Entry> {
        let place = self.entries.binary_search_by(|entry| entry.name.as_str().cmp(name)).ok()?;
        self.entries.get_mut(place)
    }
}

impl Entry {
    fn add(&mut self, gradient: &Tensor) -> Result<()> {
        if gradient.shape() != self.var.shape() || gradient.dtype() != self.var.dtype() {
            candle_core::bail!("gradient {gradient:?} of parameter `{}` {:?}", self.name, self.var);
        }
        let sum = match &self.gradient {
            Some(sum) if self.is_current => (sum + gradient)?,
            _ => gradient.contiguous()?,
        };
        self.gradient = Some(sum);
        self.is_current = true;
        Ok(())
    }
}

/// Adds the gradients of `sum(output * upstream)` with respect to every parameter that `output` depends on.
///
/// # Errors
/// Shapes that differ, a failing device.
pub fn backward(output: &Tensor, upstream: &Tensor, gradients: &mut Gradients) -> Result<()> {
    if let Some(mut store) = seeded(output, upstream)? {
        gradients.collect(&mut store)?;
    }
    Ok(())
}

/// The gradients of `sum(output * upstream)`; `None` where `output` depends on no variable.
///
/// # Errors
/// Shapes that differ, a failing device.
pub fn seeded(output: &Tensor, upstream: &Tensor) -> Result<Option<GradStore>> {
    if upstream.shape() != output.shape() {
        candle_core::bail!("a gradient of {:?} for {:?}", upstream.shape(), output.shape());
    }
    if !output.track_op() {
        return Ok(None);
    }
    // candle's backward pass begins with ones only.
    (output * upstream.detach())?.sum_all()?.backward().map(Some)
}
