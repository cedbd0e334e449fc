//! The settings of a fine-tune: one struct that is the TOML file, the job's record and the trainer's input.

use crate::optimizer;
use crate::schedule::Schedule;
use serde::{Deserialize, Serialize};
use std::fmt::Write as _;

/// Settings of a fine-tune. Every field but `clip_norm` must be written: a recipe holds no hidden default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recipe {
    /// Name of the run; free text that is not blank.
    pub name: String,
    /// Seed of all chance in the run: order of samples, captions and negatives drawn. At most 2^63 - 1.
    pub seed: u64,
    /// Optimizer steps of the whole run, warm-up included. One step takes one batch.
    pub steps: u64,
    /// Image–caption pairs per step; negatives come on top.
    pub batch: usize,
    /// Peak learning rate, per step, reached at the end of the warm-up; then a cosine to zero.
    pub lr: f64,
    /// Decay per step of the running means of the gradient and of its square, each in 0..1.
    pub betas: [f64; 2],
    /// Added to the root of the mean square, after bias correction; in units of the gradient.
    pub eps: f64,
    /// Share of a weight taken off per step, times the learning rate. Vectors, norms, biases and the scale are spared.
    pub weight_decay: f64,
    /// Steps of linear warm-up.
    pub warmup: u64,
    /// Longest global gradient norm (L2, all parameters together); longer gradients are shortened to it. Absent: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clip_norm: Option<f64>,
    /// Most hard negatives taken per caption; a sample that has fewer gives what it has.
    pub negatives_per_caption: usize,
    /// Upper bound of the logarithm of the logit scale (natural logarithm; the lower bound is 0). CLIP: ln 100.
    pub logit_scale_max: f64,
}

/// Names of all fields, as written in a file; a test holds it to the struct.
const FIELDS: [&str; 12] = [
    "name",
    "seed",
    "steps",
    "batch",
    "lr",
    "betas",
    "eps",
    "weight_decay",
    "warmup",
    "clip_norm",
    "negatives_per_caption",
    "logit_scale_max",
];

/// A recipe that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RecipeError {
    /// The text is not TOML, lacks a field or gives one the wrong type; the message holds line and column.
    #[error("The recipe cannot be read: {0}")]
    Toml(#[from] toml::de::Error),
    /// The recipe cannot be written as TOML.
    #[error("The recipe cannot be written: {0}")]
    Write(#[from] toml::ser::Error),
    /// A key that no field has, with the nearest one that exists, if any is near.
    #[error("Unknown recipe key `{key}`{}", hint(*.nearest))]
    UnknownKey {
        /// The key as written.
        key: String,
        /// The most similar field, when a slip of the pen explains the difference.
        nearest: Option<&'static str>,
    },
    /// A value outside its range.
    #[error("Recipe field `{field}` must be {wanted}")]
    Value {
        /// The field.
        field: &'static str,
        /// The values it takes.
        wanted: &'static str,
    },
}

impl Recipe {
    /// Reads a TOML file's text and checks every value.
    ///
    /// # Errors
    /// Each case of [`RecipeError`] but `Write`.
    pub fn from_toml(text: &str) -> Result<Self, RecipeError> {
        let table: toml::Table = toml::from_str(text)?;
        if let Some(key) = table.keys().find(|key| !FIELDS.contains(&key.as_str())) {
            return Err(RecipeError::UnknownKey { key: key.clone(), nearest: nearest(key) });
        }
        // From the text again, not from the table: its errors then name line and column.
        let recipe: Self = toml::from_str(text)?;
        recipe.check()?;
        Ok(recipe)
    }

    /// The recipe as the text of a TOML file, from which [`from_toml`](Self::from_toml) reads the same recipe.
    ///
    /// # Errors
    /// [`RecipeError::Value`] for a recipe that could not be read back.
    pub fn to_toml(&self) -> Result<String, RecipeError> {
        self.check()?;
        Ok(toml::to_string(self)?)
    }

    /// Checks that every value is in its range.
    ///
    /// # Errors
    /// [`RecipeError::Value`] for the first one that is not.
    pub fn check(&self) -> Result<(), RecipeError> {
        let positive = |value: f64| value.is_finite() && value > 0.0;
        let not_negative = |value: f64| value.is_finite() && value >= 0.0;
        let whole = |value: u64| i64::try_from(value).is_ok();
        let rules = [
            (!self.name.trim().is_empty(), "name", "text that is not blank"),
            (whole(self.seed), "seed", "below 2^63"),
            (self.steps > 0 && whole(self.steps), "steps", "at least 1 and below 2^63"),
            (self.batch > 0 && whole(self.batch as u64), "batch", "at least 1 and below 2^63"),
            (positive(self.lr), "lr", "a positive number"),
            (self.betas.iter().all(|beta| (0.0..1.0).contains(beta)), "betas", "two numbers from 0 to below 1"),
            (positive(self.eps), "eps", "a positive number"),
            (not_negative(self.weight_decay), "weight_decay", "a number from 0 up"),
            (whole(self.warmup), "warmup", "below 2^63"),
            (self.clip_norm.is_none_or(positive), "clip_norm", "a positive number, or absent"),
            (whole(self.negatives_per_caption as u64), "negatives_per_caption", "below 2^63"),
            (positive(self.logit_scale_max), "logit_scale_max", "a positive number"),
        ];
        match rules.into_iter().find(|(holds, ..)| !holds) {
            Some((_, field, wanted)) => Err(RecipeError::Value { field, wanted }),
            None => Ok(()),
        }
    }

    /// The learning rate's shape.
    pub fn schedule(&self) -> Schedule {
        Schedule { peak: self.lr, warmup: self.warmup, steps: self.steps }
    }

    /// The optimizer's settings.
    pub fn optimizer(&self) -> optimizer::Settings {
        optimizer::Settings { betas: self.betas, eps: self.eps, weight_decay: self.weight_decay }
    }
}

fn hint(nearest: Option<&str>) -> String {
    let mut hint = String::new();
    // Writing to a string cannot fail.
    let _ = match nearest {
        Some(nearest) => write!(hint, ", did you mean `{nearest}`?"),
        None => write!(hint, "; known are {}", FIELDS.join(", ")),
    };
    hint
}

/// The field with the smallest edit distance, if at most a third of the key (and one letter) is wrong.
fn nearest(key: &str) -> Option<&'static str> {
    let key: Vec<char> = key.chars().collect();
    let (distance, field) = FIELDS.iter().map(|field| (edit_distance(&key, field), *field)).min()?;
    (distance <= 1 + key.len() / 3).then_some(field)
}

/// Letters to insert, delete or replace (Levenshtein), one row of the table at a time.
fn edit_distance(key: &[char], field: &str) -> usize {
    let mut row: Vec<usize> = (0..=key.len()).collect();
    for (i, wanted) in field.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, found) in key.iter().enumerate() {
            let replaced = diagonal + usize::from(*found != wanted);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[key.len()]
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "exact values are meant")]
mod tests {
    use super::*;
    use crate::tiny;

    const BASE: &str = include_str!("../recipes/demo-base.toml");
    const TUNED: &str = include_str!("../recipes/demo-tuned-3.toml");

    #[test]
    fn the_shipped_recipes_say_what_they_should() {
        let base = Recipe::from_toml(BASE).unwrap();
        assert_eq!((base.steps, base.batch, base.lr, base.warmup), (2_400, 128, 1e-3, 100));
        assert_eq!((base.weight_decay, base.clip_norm, base.negatives_per_caption), (0.1, Some(1.0), 0));
        assert_eq!(base.logit_scale_max, 100f64.ln());
        let tuned = Recipe::from_toml(TUNED).unwrap();
        assert_eq!((tuned.steps, tuned.batch, tuned.lr, tuned.negatives_per_caption), (2_800, 64, 6e-4, 4));
    }

    #[test]
    fn writing_and_reading_give_the_same_recipe() {
        for clip_norm in [Some(0.1), None] {
            let recipe = Recipe { clip_norm, ..tiny::recipe() };
            assert_eq!(Recipe::from_toml(&recipe.to_toml().unwrap()).unwrap(), recipe);
        }
    }

    #[test]
    fn the_list_of_fields_is_the_struct() {
        let written: toml::Table = toml::from_str(&tiny::recipe().to_toml().unwrap()).unwrap();
        let mut fields = FIELDS.to_vec();
        fields.sort_unstable();
        let mut keys: Vec<&str> = written.keys().map(String::as_str).collect();
        keys.sort_unstable();
        assert_eq!(keys, fields);
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_nearest_known_one() {
        let message = |key: &str| Recipe::from_toml(&format!("{BASE}\n{key} = 1")).unwrap_err().to_string();
        assert_eq!(message("weigth_decay"), "Unknown recipe key `weigth_decay`, did you mean `weight_decay`?");
        assert_eq!(
            message("batch_size"),
            "Unknown recipe key `batch_size`; known are name, seed, steps, batch, lr, \
            betas, eps, weight_decay, warmup, clip_norm, negatives_per_caption, logit_scale_max"
        );
        assert!(message("warm_up").ends_with("did you mean `warmup`?"));
        assert!(message("negative_per_captions").ends_with("did you mean `negatives_per_caption`?"));
    }

    #[test]
    fn edit_distance_counts_letters() {
        let distance = |a: &str, b| edit_distance(&a.chars().collect::<Vec<_>>(), b);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!((distance("", "lr"), distance("lr", "lr"), distance("lr", "")), (2, 0, 2));
    }

    #[test]
    fn values_out_of_range_name_their_field() {
        for (from, to, field) in [
            ("steps = 2400", "steps = 0", "steps"),
            ("batch = 128", "batch = 0", "batch"),
            ("lr = 1e-3", "lr = nan", "lr"),
            ("betas = [0.9, 0.98]", "betas = [0.9, 1.0]", "betas"),
            ("clip_norm = 1.0", "clip_norm = -1.0", "clip_norm"),
            ("weight_decay = 0.1", "weight_decay = inf", "weight_decay"),
            ("name = \"demo-base\"", "name = \" \"", "name"),
        ] {
            assert!(BASE.contains(from));
            let error = Recipe::from_toml(&BASE.replace(from, to)).unwrap_err();
            assert!(matches!(error, RecipeError::Value { field: found, .. } if found == field), "{error}");
        }
    }

    #[test]
    fn text_that_is_no_recipe_is_an_error() {
        for text in ["", "name = ", "steps = \"many\"", &BASE.replace("batch = 128", "batch = -1")] {
            assert!(matches!(Recipe::from_toml(text), Err(RecipeError::Toml(_))), "{text}");
        }
        let error = Recipe::from_toml(&BASE.replace("seed = 0\n", "")).unwrap_err().to_string();
        assert!(error.contains("missing field `seed`"), "{error}");
    }
}
