//! Published scores of other models, to be set beside a curve.

use std::collections::BTreeMap;

/// A benchmark by the name of `--benchmark`, and its task where it has several.
pub type Key<'a> = (&'a str, Option<&'a str>);

/// One published model with a score on both axes.
#[derive(Clone, Debug, PartialEq)]
pub struct Published {
    /// For example "NegCLIP".
    pub method: String,
    /// What it was fine-tuned from.
    pub base_model: String,
    /// Where the score of the y axis stands.
    pub source: String,
    /// Percent.
    pub x: f64,
    /// Percent.
    pub y: f64,
}

/// What `assets/published.csv` holds: a row per model, benchmark and task, each with its source.
#[derive(serde::Deserialize)]
struct Row {
    method: String,
    base_model: String,
    benchmark: String,
    task: String,
    value: f64,
    source: String,
}

/// Every model with published scores for all of `x` and all of `y`, by method. An axis is a mean over families of
/// benchmarks, each the mean of its tasks, as our own means are.
pub fn published(x: &[Vec<Key>], y: &[Vec<Key>]) -> Vec<Published> {
    let mut models: BTreeMap<(String, String), Vec<Row>> = BTreeMap::new();
    let table: &[u8] = include_bytes!("../../assets/published.csv");
    // A row without a number (a range, a footnote) is no point.
    for row in csv::Reader::from_reader(table).deserialize::<Row>().flatten() {
        models.entry((row.method.clone(), row.base_model.clone())).or_default().push(row);
    }
    let place = |((method, base_model), rows): ((String, String), Vec<Row>)| {
        let (x, _) = mean(&rows, x)?;
        let (y, source) = mean(&rows, y)?;
        Some(Published { method, base_model, source, x, y })
    };
    models.into_iter().filter_map(place).collect()
}

/// The mean over families and the source of the last score in it; `None` where a score is missing.
fn mean(rows: &[Row], families: &[Vec<Key>]) -> Option<(f64, String)> {
    let mut source = None;
    let mut total = 0.0;
    for family in families {
        let mut sum = 0.0;
        for key in family {
            let (benchmark, task) = name(*key)?;
            let row = rows.iter().find(|row| row.benchmark == benchmark && row.task == task)?;
            sum += row.value;
            source = Some(&row.source);
        }
        total += sum / family.len() as f64;
    }
    Some((total / families.len() as f64, source?.clone()))
}

/// What the table calls a benchmark. Class folders stand where ImageNet stands.
fn name((benchmark, task): Key) -> Option<(&'static str, String)> {
    let classes = |task: &str| Some(("Zero-shot classification", task.to_owned()));
    let aro = |task: &str| Some(("ARO", task.to_owned()));
    match benchmark {
        "imagenet" | "folder" => classes("ImageNet"),
        "cifar10" => classes("CIFAR-10"),
        "cifar100" => classes("CIFAR-100"),
        "aro-relation" => aro("VG-Relation"),
        "aro-attribution" => aro("VG-Attribution"),
        "aro-coco-order" => aro("COCO-Order"),
        "aro-flickr-order" => aro("Flickr30k-Order"),
        "sugarcrepe" => Some(("SugarCrepe", task?.to_owned())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_papers_models_stand_where_its_tables_say() {
        let points = published(&[vec![("imagenet", None)]], &[vec![("aro-relation", None)]]);
        let methods: Vec<_> = points.iter().map(|p| (p.method.as_str(), p.x, p.y)).collect();
        assert!(methods.contains(&("CLIP (pre-trained)", 63.4, 59.8)), "{methods:?}");
        assert_eq!(methods.len(), 5, "{methods:?}");
        assert!(points.iter().all(|p| p.source.contains("Table 1")));
    }

    #[test]
    fn means_are_over_families_and_never_over_a_part() {
        let sugarcrepe = |tasks: &[&'static str]| tasks.iter().map(|t| ("sugarcrepe", Some(*t))).collect::<Vec<_>>();
        let tasks = ["add_att", "add_obj", "replace_att", "replace_obj", "replace_rel", "swap_att", "swap_obj"];
        let x = [vec![("imagenet", None)]];
        let clip = |points: Vec<Published>| points.into_iter().find(|p| p.method == "CLIP (pre-trained)").unwrap().y;
        let seven = clip(published(&x, &[sugarcrepe(&tasks)]));
        assert!((seven - 72.9).abs() < 0.06, "{seven}: the paper's average of seven tasks");
        let two = clip(published(&x, &[sugarcrepe(&tasks), vec![("aro-relation", None)]]));
        assert!((two - f64::midpoint(seven, 59.8)).abs() < 1e-9);
        assert!(published(&x, &[vec![("pairs", None)]]).is_empty());
        assert!(published(&x, &[]).is_empty());
    }
}
