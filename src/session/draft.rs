//! A recipe on its way through a form: every field as text, every mistake beside its field. Pure.

use std::collections::BTreeMap;

use clove_training::recipe::{FIELDS, Field, Kind};
use clove_training::{Recipe, RecipeError};
use toml::Value;

/// A recipe that comes with clove.
#[derive(Clone, Copy, Debug)]
pub struct Preset {
    /// For people.
    pub label: &'static str,
    /// What it is for, in one sentence.
    pub about: &'static str,
    text: &'static str,
}

/// All presets; the first is the demo's.
pub const PRESETS: [Preset; 3] = [
    Preset {
        label: "Demo",
        about: "Fine-tunes the embedded base on the scene world: about 3 minutes on two cores",
        text: include_str!("../../training/recipes/demo.toml"),
    },
    Preset {
        label: "Small budget",
        about: "100,000 captions, for one graphics card or a patient processor",
        text: include_str!("../../training/recipes/small-budget.toml"),
    },
    Preset {
        label: "Paper",
        about: "Every value of the paper (arXiv 2402.15021); needs its data and a large graphics card",
        text: include_str!("../../training/recipes/clove-paper.toml"),
    },
];

impl Preset {
    /// The recipe itself.
    ///
    /// # Errors
    /// When the build embedded a text that is none.
    pub fn recipe(&self) -> Result<Recipe, RecipeError> {
        Recipe::from_toml(self.text)
    }
}

/// The form's contents.
#[derive(Clone, Debug, PartialEq)]
pub struct Draft {
    origin: Recipe,
    /// The origin as text.
    began: BTreeMap<&'static str, String>,
    texts: BTreeMap<&'static str, String>,
    errors: BTreeMap<&'static str, String>,
    recipe: Recipe,
}

impl Draft {
    /// A form that shows a recipe.
    pub fn new(origin: Recipe) -> Self {
        let text = |field: &Field| (field.key, text_of(field.kind, origin.get(field.key)));
        let texts: BTreeMap<_, _> = FIELDS.iter().map(text).collect();
        let (began, recipe) = (texts.clone(), origin.clone());
        let mut draft = Self { origin, began, texts, errors: BTreeMap::new(), recipe };
        draft.refresh();
        draft
    }

    /// What a field holds; lists one entry a line (paths) or apart by commas (words), flags "true" or "false".
    pub fn text(&self, key: &str) -> &str {
        self.texts.get(key).map_or("", String::as_str)
    }

    /// Writes into a field, and looks at the whole again.
    pub fn set(&mut self, key: &str, text: String) {
        if let Some(field) = Recipe::field(key) {
            self.texts.insert(field.key, text);
            self.refresh();
        }
    }

    /// What is wrong with a field, in one sentence.
    pub fn error(&self, key: &str) -> Option<&str> {
        self.errors.get(key).map(String::as_str)
    }

    /// How many fields are wrong.
    pub fn errors(&self) -> usize {
        self.errors.len()
    }

    /// Whether a field holds another text than the recipe that the form began with.
    pub fn is_changed(&self, key: &str) -> bool {
        self.began.get(key).is_some_and(|began| self.text(key) != began)
    }

    /// The recipe, once nothing is wrong.
    pub fn recipe(&self) -> Option<&Recipe> {
        self.errors.is_empty().then_some(&self.recipe)
    }

    fn refresh(&mut self) {
        self.errors.clear();
        self.recipe = self.origin.clone();
        for field in FIELDS {
            let set = value_of(field.kind, self.text(field.key))
                .and_then(|value| self.recipe.set(field.key, value).map_err(|error| sentence(&error)));
            if let Err(error) = set {
                self.errors.insert(field.key, error);
            }
        }
        // What is wrong gives way to the origin's value, until nothing is wrong: so every mistake is found at once.
        for _ in FIELDS {
            let Err(error) = self.recipe.check() else { return };
            let RecipeError::Value { field, .. } = &error else { return };
            self.errors.entry(field).or_insert_with(|| sentence(&error));
            let original = self.origin.get(field).unwrap_or_else(|| Value::String(String::new()));
            if self.recipe.set(field, original).is_err() {
                return;
            }
        }
    }
}

/// Beside its field an error need not name it again.
fn sentence(error: &RecipeError) -> String {
    match error {
        RecipeError::Value { wanted, .. } => format!("Must be {wanted}"),
        other => other.to_string(),
    }
}

fn text_of(kind: Kind, value: Option<Value>) -> String {
    match value {
        None => String::new(),
        Some(Value::String(text)) => text,
        Some(Value::Boolean(flag)) => flag.to_string(),
        Some(Value::Integer(number)) => number.to_string(),
        Some(Value::Float(number)) => number_text(number),
        Some(Value::Array(items)) => {
            let texts: Vec<String> = items.into_iter().map(|item| text_of(Kind::Text, Some(item))).collect();
            texts.join(if kind == Kind::Paths { "\n" } else { ", " })
        }
        Some(other) => other.to_string(),
    }
}

/// As short as it can be read back: 0.1, 6e-4.
fn number_text(number: f64) -> String {
    let (plain, short) = (format!("{number}"), format!("{number:e}"));
    if number != 0.0 && !(1e-3..1e6).contains(&number.abs()) && short.len() < plain.len() { short } else { plain }
}

fn value_of(kind: Kind, text: &str) -> Result<Value, String> {
    let trimmed = text.trim();
    let number = |text: &str| text.trim().parse::<f64>().map_err(|_| format!("“{}” is no number", text.trim()));
    let whole = || {
        let digits: String = trimmed.chars().filter(|c| !matches!(c, '_' | ',' | ' ')).collect();
        digits.parse::<i64>().map(Value::Integer).map_err(|_| format!("“{trimmed}” is no whole number"))
    };
    let list = |apart: char| {
        text.split(apart).map(str::trim).filter(|t| !t.is_empty()).map(|t| Value::String(t.to_owned())).collect()
    };
    match kind {
        Kind::OptionalWhole | Kind::OptionalNumber if trimmed.is_empty() => Ok(Value::String(String::new())),
        Kind::Whole | Kind::Number | Kind::NumberPair if trimmed.is_empty() => Err("Needs a value".to_owned()),
        Kind::Text | Kind::Path | Kind::Choice(_) => Ok(Value::String(trimmed.to_owned())),
        Kind::Whole | Kind::OptionalWhole => whole(),
        Kind::Number | Kind::OptionalNumber => number(trimmed).map(Value::Float),
        Kind::NumberPair => {
            let parts: Vec<&str> = trimmed.split([',', ';']).collect();
            let [a, b] = parts[..] else { return Err("Needs two numbers, as in 0.9, 0.98".to_owned()) };
            Ok(Value::Array(vec![Value::Float(number(a)?), Value::Float(number(b)?)]))
        }
        Kind::Flag => Ok(Value::Boolean(trimmed == "true")),
        Kind::Paths => Ok(Value::Array(list('\n'))),
        Kind::Words => Ok(Value::Array(list(','))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft() -> Draft {
        Draft::new(PRESETS[0].recipe().unwrap())
    }

    #[test]
    fn presets_are_recipes_and_survive_the_form_unchanged() {
        for preset in PRESETS {
            let recipe = preset.recipe().unwrap();
            let draft = Draft::new(recipe.clone());
            assert_eq!(draft.recipe(), Some(&recipe), "{}: {:?}", preset.label, draft.errors);
            assert!(FIELDS.iter().all(|field| !draft.is_changed(field.key)));
        }
    }

    #[test]
    fn every_mistake_stands_beside_its_field() {
        let mut draft = draft();
        for (key, text) in [("steps", "many"), ("lr", "-1"), ("betas", "0.9"), ("alpha", "2"), ("name", " ")] {
            draft.set(key, text.into());
        }
        assert_eq!(draft.errors(), 5, "{:?}", draft.errors);
        assert_eq!(draft.error("steps"), Some("“many” is no whole number"));
        assert_eq!(draft.error("lr"), Some("Must be a positive number"));
        assert_eq!(draft.error("betas"), Some("Needs two numbers, as in 0.9, 0.98"));
        assert!(draft.error("alpha").is_some() && draft.error("name").is_some() && draft.recipe().is_none());
        for (key, text) in [("steps", "1,200"), ("lr", "3e-4"), ("betas", "0.9; 0.95"), ("alpha", "0.5"), ("name", "x")]
        {
            draft.set(key, text.into());
        }
        let recipe = draft.recipe().unwrap();
        assert_eq!((recipe.steps, recipe.lr, recipe.betas, recipe.alpha), (1200, 3e-4, [0.9, 0.95], 0.5));
        assert!(draft.is_changed("steps") && !draft.is_changed("seed"));
    }

    #[test]
    fn lists_flags_and_absent_values_are_read() {
        let mut draft = draft();
        for (key, text) in [
            ("data", "shards/{00000..00009}.tar\n\n more.tar "),
            ("frozen", "visual., transformer.resblocks.0."),
            ("recompute", "true"),
            ("clip_norm", ""),
            ("context_length", "64"),
            ("activation", "gelu"),
        ] {
            draft.set(key, text.into());
        }
        let recipe = draft.recipe().unwrap();
        assert_eq!(recipe.data, ["shards/{00000..00009}.tar", "more.tar"]);
        assert_eq!(recipe.frozen, ["visual.", "transformer.resblocks.0."]);
        assert!(recipe.recompute && recipe.clip_norm.is_none());
        assert_eq!((recipe.context_length, recipe.activation.as_deref()), (Some(64), Some("gelu")));
    }

    #[test]
    fn numbers_are_written_short() {
        let written = [0.1, 6e-4, 1e-6, 0.0, 4.605_170_185_988_092, 1000.0].map(number_text);
        assert_eq!(written, ["0.1", "6e-4", "1e-6", "0", "4.605170185988092", "1000"]);
    }
}
