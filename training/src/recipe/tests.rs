use super::*;
use crate::tiny;

const BASE: &str = include_str!("../../recipes/demo-base.toml");
const TUNED: &str = include_str!("../../recipes/demo-tuned-3.toml");

#[test]
fn the_shipped_recipes_say_what_they_should() {
    let base = Recipe::from_toml(BASE).unwrap();
    assert_eq!((base.steps, base.batch, base.lr, base.warmup), (2_400, 128, 1e-3, 100));
    assert_eq!((base.weight_decay, base.clip_norm, base.negatives_per_caption), (0.1, Some(1.0), 0));
    assert_eq!(base.logit_scale_max, 100f64.ln());
    let tuned = Recipe::from_toml(TUNED).unwrap();
    assert_eq!((tuned.steps, tuned.batch, tuned.lr, tuned.negatives_per_caption), (2_800, 64, 6e-4, 4));
}

/// Of clove-paper.toml; sources in the file.
#[test]
fn the_papers_recipe_holds_the_papers_values() {
    let paper = Recipe::from_toml(include_str!("../../recipes/clove-paper.toml")).unwrap();
    assert_eq!((paper.steps, paper.batch, paper.warmup, paper.seed), (489_600, 8 * 256, 2_000, 0));
    assert_eq!((paper.lr, paper.betas, paper.eps, paper.weight_decay), (1e-6, [0.9, 0.98], 1e-6, 0.1));
    assert_eq!((paper.clip_norm, paper.logit_scale_max, paper.alpha), (None, 100f64.ln(), 0.6));
    assert_eq!((paper.context_length, paper.activation.as_deref()), (Some(64), Some("quick-gelu")));
    assert_eq!((paper.negatives, paper.negatives_per_caption), (NegativeSource::Replace, 1));
    assert_eq!((paper.sampling, paper.shuffle_buffer), (Sampling::Replacement, 5_000));
    assert_eq!((paper.caption_key.as_str(), paper.crop), ("top_caption", [0.9, 1.0]));
    assert!(paper.frozen.is_empty());
}

/// Every field is written in the files that people start from, but for those that stand for "none".
#[test]
fn the_recipes_to_start_from_hide_nothing() {
    for text in [include_str!("../../recipes/clove-paper.toml"), include_str!("../../recipes/small-budget.toml")] {
        let (recipe, written) = (Recipe::from_toml(text).unwrap(), toml::from_str::<toml::Table>(text).unwrap());
        for field in FIELDS {
            assert_eq!(recipe.get(field.key).as_ref(), written.get(field.key), "{} of {}", field.key, recipe.name);
        }
    }
    let small = Recipe::from_toml(include_str!("../../recipes/small-budget.toml")).unwrap();
    assert_eq!(small.steps * small.batch as u64 / 5, 99_840, "100,000 samples in full batches, five times");
}

#[test]
fn every_shipped_recipe_is_one() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/recipes");
    let mut count = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let recipe = Recipe::from_toml(&std::fs::read_to_string(&path).unwrap());
        let recipe = recipe.unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(Recipe::from_toml(&recipe.to_toml().unwrap()).unwrap(), recipe);
        count += 1;
    }
    assert!(count >= 8, "{count}");
}

#[test]
fn writing_and_reading_give_the_same_recipe() {
    for clip_norm in [Some(0.1), None] {
        let recipe = Recipe { clip_norm, ..tiny::recipe() };
        assert_eq!(Recipe::from_toml(&recipe.to_toml().unwrap()).unwrap(), recipe);
    }
}

#[test]
fn every_field_is_documented_and_can_be_read_and_set() {
    let mut recipe = tiny::recipe();
    for field in FIELDS {
        assert!(field.doc.ends_with('.') && !field.doc.contains("  ") && !field.label.ends_with('.'), "{field:?}");
        let Some(value) = recipe.get(field.key) else {
            assert!(field.kind.may_lack(), "{} is lacking", field.key);
            continue;
        };
        let copy = recipe.clone();
        recipe.set(field.key, value).unwrap();
        assert_eq!(recipe, copy);
        let error = recipe.set(field.key, toml::Value::Array(vec![toml::Value::Boolean(true)])).unwrap_err();
        assert!(matches!(error, RecipeError::Value { field: found, .. } if found == field.key), "{error}");
        assert_eq!(recipe, copy, "nothing changed");
    }
    assert_eq!(recipe.get("no_such"), None);
    assert!(matches!(recipe.set("no_such", "x".into()), Err(RecipeError::UnknownKey { .. })));
}

#[test]
fn what_may_be_absent_is_taken_away_by_an_empty_text() {
    let mut recipe = tiny::recipe();
    for (key, value) in [("clip_norm", 2.into()), ("activation", "gelu".into()), ("context_length", 64.into())] {
        recipe.set(key, value).unwrap();
        assert!(recipe.get(key).is_some());
        recipe.set(key, "".into()).unwrap();
        assert_eq!(recipe.get(key), None);
    }
    assert_eq!((recipe.clip_norm, recipe.activation.clone(), recipe.context_length), (None, None, None));
    recipe.set("caption_key", "".into()).unwrap();
    assert_eq!(recipe.get("caption_key"), Some("".into()), "an empty text is a value of a text");
}

#[test]
fn every_choice_is_taken_and_no_other() {
    for field in FIELDS {
        let Kind::Choice(choices) = field.kind else { continue };
        let mut recipe = tiny::recipe();
        for choice in choices {
            recipe.set(field.key, (*choice).into()).unwrap();
            recipe.check().unwrap();
            let written = recipe.get(field.key);
            assert_eq!(written.as_ref().and_then(toml::Value::as_str).unwrap_or(""), *choice);
        }
        let refused = recipe.set(field.key, "guess".into()).and_then(|()| recipe.check());
        assert!(refused.unwrap_err().to_string().contains(field.key));
    }
}

#[test]
fn a_frozen_recipe_hides_no_default() {
    let frozen: toml::Table = toml::from_str(&Recipe::from_toml(BASE).unwrap().to_toml().unwrap()).unwrap();
    let lacking: Vec<&str> = FIELDS.iter().map(|field| field.key).filter(|key| !frozen.contains_key(*key)).collect();
    assert_eq!(lacking, ["activation", "context_length", "evaluate_limit"]);
}

#[test]
fn an_unknown_key_is_refused_with_the_nearest_known_one() {
    let message = |key: &str| Recipe::from_toml(&format!("{BASE}\n{key} = 1")).unwrap_err().to_string();
    assert_eq!(message("weigth_decay"), "Unknown recipe key `weigth_decay`, did you mean `weight_decay`?");
    for (key, nearest) in [
        ("batch_size", "batch"),
        ("warm_up", "warmup"),
        ("negative_per_captions", "negatives_per_caption"),
        ("sampeling", "sampling"),
        ("evaluate_benchmark", "evaluate_benchmarks"),
        ("checkpoints_every", "checkpoint_every"),
    ] {
        assert!(message(key).ends_with(&format!("did you mean `{nearest}`?")), "{}", message(key));
    }
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
        ("seed = 0", "seed = 0\naccumulate = 129", "accumulate"),
        ("seed = 0", "seed = 0\ncrop = [1.0, 0.9]", "crop"),
        ("seed = 0", "seed = 0\nalpha = 1.5", "alpha"),
        ("seed = 0", "seed = 0\ncheckpoint_every = 0", "checkpoint_every"),
        ("seed = 0", "seed = 0\nactivation = \"relu\"", "activation"),
        ("seed = 0", "seed = 0\ndata = [\"\"]", "data"),
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
