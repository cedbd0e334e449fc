//! The model card beside the weights: what they are, how they came to be, what they score.

use std::fmt::Write as _;

use clove_training::run_directory::Line;
use clove_training::{Recipe, RecipeError, RunEvent, Summary};
use serde_json::Value;

/// The text of `README.md`. The scores are those of the last step.
pub(super) fn card(
    recipe: &Recipe,
    record: &Value,
    summary: &Summary,
    sha256: &str,
    lines: &[Line],
) -> Result<String, RecipeError> {
    let text = |part: &str| record.pointer(part).map_or_else(|| "unknown".to_owned(), shown);
    let (counts, minutes) = (&summary.counts, summary.seconds / 60.0);
    let mut card = format!(
        "# {name}\n\n\
         A CLIP model, fine-tuned with hard negatives (CLoVe, arXiv 2402.15021). To be patched with its base: \
         `clove patch --base {base} --tuned weights/hf --alpha {alpha} --out FILE.safetensors`.\n\n\
         | | |\n|---|---|\n\
         | weights, Hugging Face layout | `weights/hf`, SHA-256 `{sha256}` |\n\
         | weights, open_clip layout | `weights/open_clip` |\n\
         | base | `{base}`, SHA-256 `{base_sha256}` |\n\
         | data | {data} |\n\
         | samples seen | {seen}, of which {with_negative} had a hard negative; {skipped} skipped, {shards} faults of \
         shards |\n\
         | steps | {steps} of {batch} pairs, {minutes:.1} min |\n\
         | made by | {made_by}, on {device} |\n",
        name = recipe.name.trim(),
        base = text("/base/path"),
        alpha = recipe.alpha,
        base_sha256 = text("/base/sha256"),
        data = data(record, recipe),
        seen = counts.samples,
        with_negative = counts.with_negative,
        skipped = counts.skipped(),
        shards = counts.shards(),
        steps = summary.steps,
        batch = recipe.batch,
        made_by = text("/made_by"),
        device = text("/device"),
    );
    let curve = curve(summary.steps, lines);
    if !curve.is_empty() {
        let limit = recipe.evaluate_limit.map_or(String::new(), |n| format!(" (at most {n} examples per task)"));
        let source = if recipe.evaluate_data.is_empty() { "the scene world" } else { recipe.evaluate_data.as_str() };
        // Writing to a string cannot fail.
        let _ = write!(
            card,
            "\n## Patched with base\n\n{source}{limit}; alpha 0 is base, 1 these weights; percent with 95 % interval\n\n\
             {curve}"
        );
    }
    let _ = write!(card, "\n## Recipe\n\n```toml\n{}```\n", recipe.to_toml()?);
    Ok(card)
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn data(record: &Value, recipe: &Recipe) -> String {
    let names = recipe.data.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    match record.pointer("/data/sha256").and_then(Value::as_str) {
        Some(sha256) => {
            let number = |part| record.pointer(part).map_or_else(String::new, shown);
            let (files, bytes) = (number("/data/files"), number("/data/bytes"));
            format!("{names}: {files} files, {bytes} bytes, SHA-256 of names, sizes and beginnings `{sha256}`")
        }
        None => names,
    }
}

/// A table row for each score of the last step.
fn curve(last: u64, lines: &[Line]) -> String {
    let mut rows = String::new();
    for line in lines {
        let RunEvent::Evaluated {
            step,
            alpha,
            benchmark,
            task,
            metric,
            value,
            interval,
            correct,
            scored,
            skipped,
            ties,
        } = &line.event
        else {
            continue;
        };
        if *step == last {
            let task = task.as_ref().map_or(String::new(), |task| format!(" {task}"));
            let [low, high] = interval;
            let _ = writeln!(
                rows,
                "| {benchmark}{task} | {metric} | {alpha} | {value:.2} ({low:.2}–{high:.2}) | {correct}/{scored} | \
                 {ties} | {skipped} |"
            );
        }
    }
    let head = "| benchmark | metric | alpha | value | correct | ties | skipped |\n|---|---|---|---|---|---|---|\n";
    if rows.is_empty() { rows } else { format!("{head}{rows}") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clove_training::FaultCounts;
    use serde_json::json;

    #[test]
    fn the_card_holds_recipe_hashes_and_the_last_curve() {
        let text = include_str!("../../training/recipes/demo-base.toml");
        let mut recipe = Recipe::from_toml(text).unwrap();
        recipe.data = vec!["shards/{00..01}.tar".into()];
        let record = json!({
            "made_by": "clove 1", "device": "CPU", "base": { "path": "vit.pt", "sha256": "ba5e" },
            "data": { "files": 2, "bytes": 99, "sha256": "da7a" },
        });
        let evaluated = |step, value| Line {
            time: 0.0,
            event: RunEvent::Evaluated {
                step,
                alpha: 0.6,
                benchmark: "sugarcrepe".into(),
                task: Some("swap_att".into()),
                metric: "accuracy".into(),
                value,
                interval: [60.0, 70.0],
                correct: 65.0,
                scored: 100,
                skipped: 1,
                ties: 2,
            },
        };
        let counts = FaultCounts { samples: 640, with_negative: 512, ..FaultCounts::default() };
        let summary = Summary { steps: 10, seconds: 90.0, counts };
        let lines = [evaluated(5, 33.0), evaluated(10, 65.0)];
        let card = card(&recipe, &record, &summary, "5a5a", &lines).unwrap();
        for part in [
            "# demo-base",
            "SHA-256 `5a5a`",
            "`vit.pt`, SHA-256 `ba5e`",
            "2 files, 99 bytes",
            "`da7a`",
            "640, of which 512",
            "10 of 128 pairs, 1.5 min",
            "| sugarcrepe swap_att | accuracy | 0.6 | 65.00 (60.00–70.00) | 65/100 | 2 | 1 |",
            "weight_decay = 0.1",
        ] {
            assert!(card.contains(part), "no {part} in {card}");
        }
        assert!(!card.contains("33.00"), "an earlier step");
    }
}
