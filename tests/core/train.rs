//! `clove train` on the scene world: from a recipe to weights, stopped and taken up again.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use clove::checkpoint::{Checkpoint, Naming, Options};
use clove_training::run_directory::{Control, RunDirectory, RunEvent, RunState, without_superseded};
use serde_json::Value;

use super::cli::{Run, clove};
use super::models::assert_same_tensors;

/// A fine-tune of the embedded base that is over in a second.
const RECIPE: &str = r#"
name = "Scenes for a test"
seed = 3
steps = 9
batch = 8
lr = 1e-4
betas = [0.9, 0.98]
eps = 1e-6
weight_decay = 0.1
warmup = 2
clip_norm = 1.0
negatives_per_caption = 2
logit_scale_max = 4.605170185988092
data = ["demo:scenes"]
negatives = "given"
checkpoint_every = 2
checkpoints_kept = 2
"#;

/// What is evaluated in the middle and at the end.
const EVALUATED: &str = r#"
evaluate_every = 5
evaluate_benchmarks = ["aro-relation"]
evaluate_limit = 20
"#;

/// A folder with a recipe and any number of run directories.
pub struct Room {
    room: tempfile::TempDir,
}

impl Room {
    pub fn new(recipe: &str) -> Self {
        let room = tempfile::tempdir().unwrap();
        std::fs::write(room.path().join("recipe.toml"), recipe).unwrap();
        Self { room }
    }

    pub fn small() -> Self {
        Self::new(&format!("{RECIPE}{EVALUATED}"))
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.room.path().join(name)
    }

    pub fn run(&self, name: &str) -> RunDirectory {
        RunDirectory::open(self.path(name)).unwrap()
    }

    fn arguments(&self, name: &str, more: &[&str]) -> Vec<String> {
        let text = |path: PathBuf| path.to_str().unwrap().to_owned();
        let (recipe, folder) = (text(self.path("recipe.toml")), text(self.path(name)));
        let words = ["train", &recipe, "--run-dir", &folder, "--device", "cpu"];
        words.iter().chain(more).map(|word| (*word).to_owned()).collect()
    }

    /// `clove train`, to its end.
    pub fn train(&self, name: &str, more: &[&str]) -> Run {
        clove(&self.arguments(name, more))
    }

    /// `clove train`, meanwhile.
    pub fn start(&self, name: &str, more: &[&str]) -> Child {
        let mut command = Command::new(env!("CARGO_BIN_EXE_clove"));
        command.args(self.arguments(name, more)).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    /// The final weights, byte for byte.
    pub fn weights(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path(name).join("weights/hf/model.safetensors")).unwrap()
    }
}

pub fn events(run: &RunDirectory) -> Vec<RunEvent> {
    let (lines, _) = run.events(0).unwrap();
    without_superseded(lines).into_iter().map(|line| line.event).collect()
}

fn steps(run: &RunDirectory) -> Vec<u64> {
    let step = |event: RunEvent| if let RunEvent::Step { step, .. } = event { Some(step) } else { None };
    events(run).into_iter().filter_map(step).collect()
}

fn wait_for_step(run: impl Fn() -> Option<RunDirectory>, wanted: u64) {
    let start = Instant::now();
    while run().is_none_or(|run| steps(&run).last().is_none_or(|step| *step < wanted)) {
        assert!(start.elapsed() < Duration::from_mins(1), "no step {wanted} came");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_recipe_becomes_weights_a_card_and_a_curve() {
    let room = Room::small();
    let ended = room.train("run", &[]);
    assert_eq!((ended.status, ended.out.as_str()), (0, ""), "{}", ended.err);
    let run = room.run("run");
    assert_eq!(run.state().unwrap(), RunState::Done);
    assert_eq!(steps(&run), (1..=9).collect::<Vec<_>>());
    let result = run.result().unwrap().unwrap();
    assert_eq!(
        (result.steps, result.weights.as_slice()),
        (9, ["weights/hf", "weights/open_clip"].map(String::from).as_slice())
    );

    let open = |folder: &str| Checkpoint::open(&run.path().join(folder), Options::default()).unwrap();
    let (hf, open_clip) = (open("weights/hf"), open("weights/open_clip"));
    assert_eq!((hf.provenance.naming, open_clip.provenance.naming), (Naming::Hf, Naming::OpenClip));
    assert_eq!(hf.sha256(), result.sha256);
    assert_same_tensors(&hf.tensors().unwrap(), &open_clip.tensors().unwrap());
    assert_same_tensors(&hf.tensors().unwrap(), &open("checkpoints/step_000009").tensors().unwrap());
    let base = clove::demo::open(Path::new(clove::demo::BASE), Options::default()).unwrap();
    assert_ne!(
        super::models::values(&hf.tensors().unwrap()["visual.proj"]),
        super::models::values(&base.tensors().unwrap()["visual.proj"])
    );
    assert_eq!(run.checkpoints().unwrap().iter().map(|found| found.step).collect::<Vec<_>>(), [8, 9]);

    let evaluated: Vec<(u64, f64, f64)> = events(&run)
        .into_iter()
        .filter_map(|event| match event {
            RunEvent::Evaluated { step, alpha, value, scored, .. } => {
                assert!(scored > 0);
                Some((step, alpha, value))
            }
            _ => None,
        })
        .collect();
    let points: Vec<(u64, f64)> = evaluated.iter().map(|(step, alpha, _)| (*step, *alpha)).collect();
    let metrics = points.len() / 6;
    assert_eq!(points.len(), metrics * 6);
    let expected = [5, 9].into_iter().flat_map(|step| [0.0, 0.6, 1.0].map(|alpha| (step, alpha)));
    assert_eq!(points, expected.flat_map(|point| vec![point; metrics]).collect::<Vec<_>>());
    assert_eq!(evaluated[0].2, evaluated[3 * metrics].2, "base does not move");

    let card = std::fs::read_to_string(run.path().join("README.md")).unwrap();
    for part in ["# Scenes for a test", &result.sha256, base.sha256(), "| aro-relation |", "demo:scenes", "lr = 0.0001"]
    {
        assert!(card.contains(part), "no {part} in {card}");
    }
    let job = run.job().unwrap().unwrap();
    assert_eq!(job["base"]["sha256"], *base.sha256());
    assert_eq!(job["seed"], 3);
    assert!(job["device"].as_str().unwrap().starts_with("CPU"), "{job}");
}

#[test]
fn the_curve_is_what_evaluate_says_of_the_checkpoint() {
    let room = Room::new(&format!("{RECIPE}evaluate_benchmarks = [\"aro-relation\"]\n"));
    assert_eq!(room.train("run", &["--set", "steps=3", "--set", "alpha=1.0"]).status, 0);
    let run = room.run("run");
    assert_eq!(run.recipe().unwrap().steps, 3);
    let data = room.path("data");
    let text = |path: &Path| path.to_str().unwrap().to_owned();
    assert_eq!(clove(&["demo", "data", "--out", &text(&data)]).status, 0);
    let weights = text(&run.path().join("weights/hf"));
    let arguments = ["evaluate", "--base", &weights, "--benchmark", "aro-relation", "--data", &text(&data), "--json"];
    let json = clove(&arguments).json();
    let wanted: Vec<f64> =
        json["results"].as_array().unwrap().iter().map(|row| row["value"].as_f64().unwrap()).collect();
    let found: Vec<f64> = events(&run)
        .into_iter()
        .filter_map(|event| match event {
            RunEvent::Evaluated { alpha: 1.0, value, .. } => Some(value),
            _ => None,
        })
        .collect();
    assert_eq!(found, wanted);
}

#[test]
fn a_stopped_run_goes_on_to_the_same_bytes() {
    let room = Room::small();
    assert_eq!(room.train("whole", &[]).status, 0);
    let (name, at) = ("stopped", 2);
    let mut worker = room.start(name, &[]);
    wait_for_step(|| RunDirectory::open(room.path(name)).ok(), at);
    room.run(name).request(Control::Stop).unwrap();
    assert_eq!(worker.wait().unwrap().code(), Some(85));
    assert_eq!(room.run(name).state().unwrap(), RunState::Stopped);
    let saved = room.run(name).checkpoints().unwrap().pop().unwrap().step;
    assert_eq!(events(&room.run(name)).last(), Some(&RunEvent::Stopped { step: saved }));
    room.train(name, &[]).fails(1, &["--resume"]);

    let mut worker = room.start(name, &["--resume"]);
    wait_for_step(|| Some(room.run(name)), saved + 1);
    let pid = worker.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    let status = worker.wait().unwrap().code();
    assert!(matches!(status, Some(85 | 0)), "{status:?}");
    assert_eq!(room.train(name, &["--resume"]).status, 0);
    assert!(room.weights(name) == room.weights("whole"), "the weights differ");
    assert_eq!(steps(&room.run(name)), (1..=9).collect::<Vec<_>>());
    let again = room.train(name, &["--resume"]);
    assert!(again.status == 0 && again.err.contains("complete already"), "{}", again.err);
}

#[test]
fn one_worker_per_run() {
    let room = Room::new(RECIPE);
    let mut worker = room.start("run", &["--set", "steps=100000"]);
    wait_for_step(|| RunDirectory::open(room.path("run")).ok(), 1);
    std::fs::copy(room.path("run/recipe.toml"), room.path("recipe.toml")).unwrap();
    room.train("run", &["--resume"]).fails(1, &["another process is training", "run"]);
    assert_eq!(room.run("run").state().unwrap(), RunState::Running);
    worker.kill().unwrap();
    worker.wait().unwrap();
    assert_eq!(room.run("run").state().unwrap(), RunState::Interrupted);
}

#[test]
fn a_queued_run_is_begun_with_its_own_recipe_only() {
    let room = Room::new(RECIPE);
    let recipe = clove_training::Recipe::from_toml(&RECIPE.replace("steps = 9", "steps = 1")).unwrap();
    RunDirectory::create_at(&room.path("run"), &recipe).unwrap();
    room.train("run", &[]).fails(1, &["another `steps`"]);
    std::fs::copy(room.path("run/recipe.toml"), room.path("recipe.toml")).unwrap();
    assert_eq!(room.train("run", &[]).status, 0);
}

#[test]
fn a_trial_keeps_nothing_and_says_what_a_step_costs() {
    let room = Room::new(RECIPE);
    let json = room.train("run", &["--trial", "2"]).json();
    for key in ["seconds_per_step", "seconds_total", "pairs_per_s", "seconds_to_start"] {
        assert!(json[key].as_f64().unwrap() > 0.0, "{key} in {json}");
    }
    let total: f64 = json["seconds_per_step"].as_f64().unwrap() * 9.0;
    assert!((json["seconds_total"].as_f64().unwrap() / total - 1.0).abs() < 1e-9);
    if cfg!(target_os = "linux") {
        assert!(json["peak_memory_bytes"].as_u64().unwrap() > 10 << 20, "{json}");
    }
    assert!(!room.path("run").exists());
}

#[test]
fn what_cannot_be_trained_is_said_in_a_sentence() {
    let fails = |change: (&str, &str), words: &[&str]| {
        assert!(RECIPE.contains(change.0), "{change:?}");
        let room = Room::new(&RECIPE.replace(change.0, change.1));
        room.train("run", &[]).fails(1, words);
        if let Ok(run) = RunDirectory::open(room.path("run")) {
            let last = events(&run).pop();
            let Some(RunEvent::Failed { message }) = last else { panic!("{last:?}") };
            assert!(words.iter().all(|word| message.contains(word)), "{message}");
            assert_eq!(run.state().unwrap(), RunState::Failed);
        }
    };
    fails(("steps =", "stepz ="), &["Unknown recipe key `stepz`", "did you mean `steps`", "recipe.toml"]);
    fails(("\"given\"", "\"replace\""), &["demo:scenes brings its own hard negatives"]);
    fails(("[\"demo:scenes\"]", "[]"), &["names no data"]);
    fails(("seed = 3", "seed = 3\nbase = \"none.safetensors\""), &["base cannot be opened", "none.safetensors"]);
    fails(("seed = 3", "seed = 3\ncontext_length = 25"), &["context_length is 25", "only 24"]);
    fails(("seed = 3", "seed = 3\nevaluate_benchmarks = [\"imagenet\"]"), &["no benchmark 'imagenet'", "aro-relation"]);
    let room = Room::new(&RECIPE.replace("lr = 1e-4", "lr = 1e30"));
    let ended = room.train("run", &[]);
    let last = ended.err.lines().last().unwrap();
    assert!(ended.status == 1 && last.contains("of step") && last.contains("data position"), "{}", ended.err);
    assert_eq!(room.run("run").state().unwrap(), RunState::Failed);
    let room = Room::new(RECIPE);
    room.train("run", &["--set", "steps"]).fails(2, &["KEY=VALUE"]);
    room.train("run", &["--set", "steps=many"]).fails(1, &["`steps`", "whole number"]);
}

#[test]
fn the_help_documents_the_recipe() {
    let help = clove(&["train", "--help"]);
    assert_eq!(help.status, 0);
    for field in clove_training::recipe::FIELDS {
        assert!(help.out.contains(field.key), "{}", field.key);
    }
}

#[test]
fn a_context_that_is_cut_stays_cut() {
    let room = Room::new(&RECIPE.replace("steps = 9", "steps = 1\ncontext_length = 16"));
    assert_eq!(room.train("run", &[]).status, 0);
    let config: Value =
        serde_json::from_slice(&std::fs::read(room.path("run/weights/hf/config.json")).unwrap()).unwrap();
    assert_eq!(config["text_config"]["max_position_embeddings"], 16);
    let weights = Checkpoint::open(&room.path("run/weights/hf"), Options::default()).unwrap();
    assert_eq!(weights.tensors().unwrap()["positional_embedding"].dims()[0], 16);
}

/// Twelve pictures, one of them broken, with their captions and a negative each.
fn pictures(folder: &Path) {
    std::fs::create_dir(folder).unwrap();
    let mut lines = String::new();
    for n in 0..12u8 {
        let name = format!("{n}.png");
        image::RgbImage::from_fn(60, 50, |x, y| image::Rgb([20 * n, 4 * x as u8, 5 * y as u8]))
            .save(folder.join(&name))
            .unwrap();
        let (right, wrong) = if n % 2 == 0 { ("star", "moon") } else { ("moon", "star") };
        let line = serde_json::json!({ "image": name, "caption": format!("a red {right}"), "negatives": [format!("a red {wrong}")] });
        lines.push_str(&format!("{line}\n"));
    }
    std::fs::write(folder.join("captions.jsonl"), lines).unwrap();
    std::fs::write(folder.join("5.png"), "no picture").unwrap();
}

#[test]
fn pictures_on_disk_are_trained_on_and_a_broken_one_is_named() {
    let room = Room::new(&RECIPE.replace("demo:scenes", "pictures"));
    let folder = room.path("pictures");
    pictures(&folder);
    let data = format!("data={}", folder.to_str().unwrap());
    assert_eq!(room.train("whole", &["--set", &data]).status, 0);
    let run = room.run("whole");
    let named = |event: &RunEvent| matches!(event, RunEvent::Warning { message } if message.contains("5.png"));
    assert!(events(&run).iter().any(named), "{:?}", events(&run));
    let job = run.job().unwrap().unwrap();
    assert_eq!((&job["data"]["files"], job["data"]["sha256"].as_str().unwrap().len()), (&13.into(), 64));

    let mut worker = room.start("killed", &["--set", &data]);
    wait_for_step(|| RunDirectory::open(room.path("killed")).ok(), 4);
    worker.kill().unwrap();
    worker.wait().unwrap();
    std::fs::copy(room.path("killed/recipe.toml"), room.path("recipe.toml")).unwrap();
    assert_eq!(room.train("killed", &["--resume"]).status, 0);
    assert!(room.weights("killed") == room.weights("whole"), "the weights differ");
}
