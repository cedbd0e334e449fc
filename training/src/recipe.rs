//! The settings of a fine-tune: one struct that is the TOML file, the form, the help text, the job's record and the
//! trainer's input.

mod fields;

pub use fields::{FIELDS, Field, Group, Kind, NegativeSource, Precision, Recipe, Sampling};

use crate::optimizer;
use crate::schedule::Schedule;

/// A recipe that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RecipeError {
    /// The text is not TOML, lacks a field or gives one the wrong type; the message holds line and column.
    #[error("The recipe cannot be read: {0}")]
    Toml(#[from] toml::de::Error),
    /// The recipe cannot be written as TOML.
    #[error("The recipe cannot be written: {0}")]
    Write(#[from] toml::ser::Error),
    /// A key that no field has, with the nearest one that exists.
    #[error("Unknown recipe key `{key}`, did you mean `{nearest}`?")]
    UnknownKey {
        /// The key as written.
        key: String,
        /// The most similar field.
        nearest: &'static str,
    },
    /// A value outside its range, or of another type.
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
        if let Some(key) = table.keys().find(|key| Self::field(key).is_none()) {
            return Err(unknown(key));
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

    /// What is known of the field `key`.
    pub fn field(key: &str) -> Option<&'static Field> {
        FIELDS.iter().find(|field| field.key == key)
    }

    /// The value of the field `key`, for a form; `None` when it is absent or there is no such field.
    pub fn get(&self, key: &str) -> Option<toml::Value> {
        toml::Table::try_from(self).ok()?.remove(key)
    }

    /// Sets the field `key`; an empty text takes a value away that may be absent. The range is for
    /// [`check`](Self::check) to judge, so that a form can hold what is half typed.
    ///
    /// # Errors
    /// An unknown key, or a value of another type; nothing has changed then.
    pub fn set(&mut self, key: &str, value: toml::Value) -> Result<(), RecipeError> {
        let field = Self::field(key).ok_or_else(|| unknown(key))?;
        let mut table = toml::Table::try_from(&*self)?;
        if field.kind.may_lack() && value.as_str() == Some("") {
            table.remove(key);
        } else {
            table.insert(key.to_owned(), value);
        }
        let wrong = |_| RecipeError::Value { field: field.key, wanted: field.kind.wanted() };
        *self = table.try_into().map_err(wrong)?;
        Ok(())
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
        first_broken(&rules)?;
        self.check_later_fields()
    }

    fn check_later_fields(&self) -> Result<(), RecipeError> {
        let at_least_one = |value: u64| value > 0 && i64::try_from(value).is_ok();
        let [least, most] = self.crop;
        let named = |words: &[String]| words.iter().all(|word| !word.trim().is_empty());
        let activations = ["quick-gelu", "gelu"];
        let is_activation = self.activation.as_deref().is_none_or(|name| activations.contains(&name));
        // Two marks and one word.
        let holds_text = self.context_length.is_none_or(|length| (3..=1 << 20).contains(&length));
        first_broken(&[
            (!self.base.trim().is_empty(), "base", "a checkpoint"),
            (is_activation, "activation", "quick-gelu or gelu, or absent"),
            (holds_text, "context_length", "at least 3, or absent"),
            ((1..=self.batch).contains(&self.accumulate), "accumulate", "at least 1 and at most batch"),
            (named(&self.frozen), "frozen", "a list of texts that are not blank"),
            (named(&self.data), "data", "a list of texts that are not blank"),
            ((1..=1 << 24).contains(&self.shuffle_buffer), "shuffle_buffer", "from 1 to 16777216"),
            ((1..=1024).contains(&self.workers), "workers", "from 1 to 1024"),
            (0.0 < least && least <= most && most <= 1.0, "crop", "two numbers above 0, the larger second, at most 1"),
            (i64::try_from(self.evaluate_every).is_ok(), "evaluate_every", "below 2^63"),
            (named(&self.evaluate_benchmarks), "evaluate_benchmarks", "a list of texts that are not blank"),
            (self.evaluate_limit.is_none_or(|n| at_least_one(n as u64)), "evaluate_limit", "at least 1, or absent"),
            ((0.0..=1.0).contains(&self.alpha), "alpha", "a number from 0 to 1"),
            (at_least_one(self.checkpoint_every), "checkpoint_every", "at least 1 and below 2^63"),
            (i64::try_from(self.checkpoints_kept).is_ok(), "checkpoints_kept", "below 2^63"),
        ])
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

fn first_broken(rules: &[(bool, &'static str, &'static str)]) -> Result<(), RecipeError> {
    match rules.iter().find(|(holds, ..)| !holds) {
        Some((_, field, wanted)) => Err(RecipeError::Value { field, wanted }),
        None => Ok(()),
    }
}

/// The error of an unknown key, with the nearest one; the measure favours keys that begin alike.
fn unknown(key: &str) -> RecipeError {
    let near = |field: &&Field| strsim::jaro_winkler(key, field.key);
    let nearest = FIELDS.iter().max_by(|a, b| near(a).total_cmp(&near(b))).map_or("name", |field| field.key);
    RecipeError::UnknownKey { key: key.to_owned(), nearest }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "exact values are meant")]
mod tests;
