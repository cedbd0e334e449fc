//! Two checkpoints proven compatible.

use crate::checkpoint::Checkpoint;
use crate::kernels::side_by_side;

/// Why two checkpoints cannot be blended.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the variant's own sentence says what its fields are")]
pub enum PairError {
    /// The first tensor, in name order, whose shape differs.
    #[error("the checkpoints do not fit: '{name}' has shape {base:?} in base and {tuned:?} in tuned")]
    Shape { name: String, base: Vec<usize>, tuned: Vec<usize> },
    /// A tensor that only one of them has.
    #[error("the checkpoints do not fit: '{name}' is only in {end}")]
    Missing { name: String, end: &'static str },
    /// Equal tensors in different models.
    #[error("the checkpoints do not fit: {what} is {base} in base and {tuned} in tuned")]
    Differs { what: &'static str, base: String, tuned: String },
}

/// A base and a tuned checkpoint with the same tensors. Blending them cannot fail for a reason of theirs.
#[derive(Clone, Debug)]
pub struct Pair {
    /// Alpha 0.
    pub base: Checkpoint,
    /// Alpha 1.
    pub tuned: Checkpoint,
    /// What was adapted to make them fit, for people.
    pub remarks: Vec<String>,
}

impl Pair {
    /// Proves that names, shapes, activation and sizes agree.
    ///
    /// Contexts of different length are cut to the shorter one, as CLoVe's authors cut OpenAI's 77 positions to their
    /// 64 before patching (`apply_wise_ft.py`), and a remark says so.
    pub fn new(mut base: Checkpoint, mut tuned: Checkpoint) -> Result<Self, PairError> {
        let mut remarks = Vec::new();
        let (long, short) = (base.architecture.context_length, tuned.architecture.context_length);
        if long != short {
            let context = long.min(short);
            let cut = if long > short { &mut base } else { &mut tuned };
            cut.cut_context(context);
            let end = if long > short { "base" } else { "tuned" };
            remarks.push(format!("{end}'s context was cut from {} to {context} tokens to fit", long.max(short)));
        }
        same_tensors(&base, &tuned)?;
        same_architecture(&base, &tuned)?;
        if are_equal(&base, &tuned) {
            remarks.push("both ends hold the same weights: every alpha gives the same model".into());
        }
        if base.tokenizer.is_some() && tuned.tokenizer.is_some() && base.tokenizer != tuned.tokenizer {
            remarks.push("the tokenizer files differ; base's is used".into());
        }
        Ok(Self { base, tuned, remarks })
    }

    /// The pair of a checkpoint with itself, for scoring one model alone.
    pub fn single(base: Checkpoint) -> Self {
        Self { tuned: base.clone(), base, remarks: Vec::new() }
    }
}

/// Whether every value is the same to the bit; of different models the first few tell.
fn are_equal(base: &Checkpoint, tuned: &Checkpoint) -> bool {
    let mut both = base.weights.values().zip(tuned.weights.values());
    both.all(|(base, tuned)| {
        let (base, tuned) = (base.pieces(), tuned.pieces());
        side_by_side(&base, &tuned).all(|(b, t)| b.iter().zip(t).all(|(b, t)| b.to_bits() == t.to_bits()))
    })
}

fn same_tensors(base: &Checkpoint, tuned: &Checkpoint) -> Result<(), PairError> {
    for (name, weight) in &base.weights {
        match tuned.weights.get(name) {
            None => return Err(PairError::Missing { name: name.clone(), end: "base" }),
            Some(other) if other.shape() != weight.shape() => {
                let (base, tuned) = (weight.shape().to_vec(), other.shape().to_vec());
                return Err(PairError::Shape { name: name.clone(), base, tuned });
            }
            Some(_) => {}
        }
    }
    match tuned.weights.keys().find(|name| !base.weights.contains_key(*name)) {
        Some(name) => Err(PairError::Missing { name: name.clone(), end: "tuned" }),
        None => Ok(()),
    }
}

fn same_architecture(base: &Checkpoint, tuned: &Checkpoint) -> Result<(), PairError> {
    let (b, t) = (&base.architecture, &tuned.architecture);
    let differs = |what, base: String, tuned: String| Err(PairError::Differs { what, base, tuned });
    if b.activation != t.activation {
        return differs("the activation", b.activation.to_string(), t.activation.to_string());
    }
    if (b.vision.heads, b.text.heads) != (t.vision.heads, t.text.heads) {
        let heads = |a: &crate::checkpoint::Architecture| format!("{} and {}", a.vision.heads, a.text.heads);
        return differs("the number of heads", heads(b), heads(t));
    }
    if b.image_size != t.image_size {
        return differs("the image size", b.image_size.to_string(), t.image_size.to_string());
    }
    if b.end_of_text != t.end_of_text {
        return differs("the end-of-text id", b.end_of_text.to_string(), t.end_of_text.to_string());
    }
    if b.layer_norm_eps.to_bits() != t.layer_norm_eps.to_bits() {
        return differs("the layer norm epsilon", b.layer_norm_eps.to_string(), t.layer_norm_eps.to_string());
    }
    Ok(())
}
