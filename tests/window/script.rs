//! Plays an engine: answers every command at once with plausible, reproducible facts.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use clove::benchmark::{MetricName, Outcome, Score};
use clove::engine::{
    BenchmarkInfo, CheckpointInfo, Command, DataInfo, Draw, Element, End, Event, ExampleId, ExampleInfo, Failure,
    FetchProgress, FocusScore, FoundInfo, ImageId, Link, NegativeInfo, NegativesPreview, OptionScore, PairInfo,
    Picture, Remedy, Scores, Status, SweepProgress,
};
use clove::kernels::Activation;
use clove::patch::{Alpha, AlphaMap};

/// Name, task, title, recognition, examples, share right at base and at tuned.
type Task = (&'static str, Option<&'static str>, &'static str, bool, usize, f64, f64);

const TASKS: [Task; 11] = [
    ("scene-classes", None, "Scene classes", true, 600, 0.86, 0.66),
    ("aro-relation", None, "ARO relation", false, 520, 0.54, 0.88),
    ("aro-attribution", None, "ARO attribution", false, 520, 0.60, 0.90),
    ("coco-order", None, "COCO order", false, 500, 0.46, 0.92),
    ("flickr-order", None, "Flickr order", false, 420, 0.55, 0.91),
    ("sugarcrepe", Some("add_att"), "SugarCrepe add attribute", false, 400, 0.70, 0.86),
    ("sugarcrepe", Some("add_obj"), "SugarCrepe add object", false, 400, 0.77, 0.88),
    ("sugarcrepe", Some("replace_att"), "SugarCrepe replace attribute", false, 420, 0.79, 0.86),
    ("sugarcrepe", Some("replace_obj"), "SugarCrepe replace object", false, 420, 0.90, 0.92),
    ("sugarcrepe", Some("replace_rel"), "SugarCrepe replace relation", false, 420, 0.68, 0.80),
    ("sugarcrepe", Some("swap_obj"), "SugarCrepe swap object", false, 380, 0.61, 0.78),
];

const COLORS: [(&str, [u8; 3]); 5] = [
    ("red", [205, 70, 60]),
    ("green", [70, 150, 90]),
    ("blue", [60, 110, 190]),
    ("yellow", [225, 190, 70]),
    ("purple", [140, 90, 170]),
];
const SHAPES: [&str; 3] = ["ball", "cube", "cone"];

/// How far the scripted sweep goes by itself.
pub const ALPHAS: usize = 21;

/// What the script knows, shared with the test.
pub struct Script {
    /// Commands so far, oldest first.
    pub log: Arc<Mutex<Vec<Command>>>,
    /// To play further events.
    pub events: Sender<Event>,
}

struct Engine {
    data: DataInfo,
    events: Sender<Event>,
    log: Arc<Mutex<Vec<Command>>>,
    generation: u64,
    alpha: AlphaMap,
    focus: Option<ExampleId>,
    points: usize,
    reach: f64,
    activations: [Option<Activation>; 2],
    /// Whether a download was asked for; what it names can be opened then.
    fetched: bool,
}

/// A link whose sweep stops after `points` of [`ALPHAS`] alphas.
pub fn link(points: usize) -> (Link, Script) {
    let (events, receiver): (Sender<Event>, Receiver<Event>) = channel();
    let log = Arc::new(Mutex::new(Vec::new()));
    let script = Script { log: log.clone(), events: events.clone() };
    let engine = Engine {
        data: data(),
        events,
        log,
        generation: 0,
        alpha: AlphaMap::BASE,
        focus: None,
        points,
        reach: 1.0,
        activations: [None, None],
        fetched: false,
    };
    let engine = Mutex::new(engine);
    (Link::new(move |command| engine.lock().unwrap().answer(command), receiver), script)
}

impl Engine {
    fn tell(&self, event: Event) {
        let _ = self.events.send(event);
    }

    fn answer(&mut self, command: Command) {
        self.log.lock().unwrap().push(command.clone());
        let generation = self.generation;
        match command {
            Command::OpenPair { base, tuned } => self.open_pair(&base, &tuned),
            Command::OpenData { .. } => {
                self.generation += 1;
                self.tell(Event::DataOpened { generation: self.generation, data: Arc::new(self.data.clone()) });
            }
            Command::RunMap => self.map(),
            Command::SetAlpha(alpha) => {
                self.alpha = alpha;
                self.tell(Event::Scored { generation, scores: Arc::new(scores(&self.data, alpha)) });
                self.score_focus();
            }
            Command::Focus(id) => {
                self.focus = id;
                self.score_focus();
            }
            Command::ShowThumbnails(images) => {
                for image in images {
                    self.tell(Event::ThumbnailLoaded { generation, image, picture: picture(image, 64) });
                }
            }
            Command::ShowPicture(image) => {
                self.tell(Event::PictureLoaded { generation, image, picture: picture(image, 240) });
            }
            Command::RunSweep(true) => self.sweep(),
            Command::RunSweep(false) => self.advance(self.points, true),
            Command::PreviewNegatives { caption, seed } => {
                self.tell(Event::NegativesPreviewed(Arc::new(preview(caption, seed))));
            }
            Command::Export(export) => self.tell(Event::Exported { path: export.path }),
            // What becomes of a download is said by the test.
            Command::ChooseData { .. } | Command::UseResults(_) | Command::StopFetch(_) | Command::Quit => {}
            Command::UseActivations(activations) => self.activations = activations,
            Command::Fetch { end, name } => self.fetch(end, name),
        }
    }

    fn fetch(&mut self, end: End, name: String) {
        self.fetched = true;
        let progress = FetchProgress {
            name,
            file: "model.safetensors".into(),
            done: 123_400_000,
            total: Some(605_200_000),
            seconds_left: Some(97.0),
        };
        self.tell(Event::FetchAdvanced { end, progress });
    }

    /// Why a path cannot be opened, if it says so itself.
    fn failure(&self, path: &Path, end: End) -> Option<Failure> {
        let text = path.display();
        let (summary, details, remedy) = match text.to_string() {
            it if it.contains("broken") => {
                let details = format!("{text}: header of 0 bytes");
                (format!("{text} holds no tensors; choose a checkpoint of a CLIP model"), details, None)
            }
            it if it.contains("bare") && self.activations[end.place()].is_none() => (
                "the activation cannot be known from the weights alone".into(),
                String::new(),
                Some(Remedy::Activation),
            ),
            it if it.starts_with("hf:") && !self.fetched => {
                ("it was not fetched yet, and nothing is fetched unasked".into(), String::new(), Some(Remedy::Fetch))
            }
            _ => return None,
        };
        Some(Failure { details, end: Some(end), remedy, ..Failure::new(summary) })
    }

    fn open_pair(&mut self, base: &Path, tuned: &Path) {
        self.tell(Event::Opening { what: format!("{} and {}", base.display(), tuned.display()) });
        for (path, end) in [(base, End::Base), (tuned, End::Tuned)] {
            if let Some(failure) = self.failure(path, end) {
                return self.tell(Event::Failed(failure));
            }
        }
        self.generation += 1;
        self.reach = if tuned.starts_with("demo:tuned") { 1.0 } else { 0.7 };
        let pair = PairInfo {
            base: checkpoint(base, "demo base", self.activations[0]),
            tuned: checkpoint(tuned, "demo tuned", self.activations[1]),
            verdict: "74 tensors match".into(),
            remarks: vec!["Context cut from 77 to 64 tokens in both".into()],
        };
        self.tell(Event::PairOpened { generation: self.generation, pair: Arc::new(pair) });
        self.tell(Event::StatusChanged(Status {
            device: "CPU, 2 threads".into(),
            images_per_second: Some(1240.0),
            memory_bytes: Some(412_000_000),
            activity: "sweeping".into(),
        }));
    }

    fn score_focus(&self) {
        let Some(id) = self.focus else { return };
        let focus = Arc::new(focus(&self.data, id, self.alpha));
        self.tell(Event::FocusScored { generation: self.generation, focus });
    }

    fn sweep(&self) {
        for alpha in sweep_order().into_iter().take(self.points) {
            let linked = AlphaMap::one(Alpha::clamped(alpha));
            // Weights that are not the demo's have moved less far.
            let reached = AlphaMap::one(Alpha::clamped(self.reach * alpha));
            let scores = Arc::new(Scores { alpha: linked, ..scores(&self.data, reached) });
            self.tell(Event::SweepPointScored { generation: self.generation, scores });
        }
        self.advance(self.points, false);
    }

    /// Quarters of both towers' alphas.
    fn map(&self) {
        for place in 0..25 {
            let at = |i: i32| Alpha::clamped(f64::from(i) / 4.0);
            let scores = Arc::new(scores(&self.data, AlphaMap::towers(at(place / 5), at(place % 5))));
            self.tell(Event::SweepPointScored { generation: self.generation, scores });
        }
    }

    fn advance(&self, done: usize, paused: bool) {
        let left = ALPHAS - done;
        let progress = SweepProgress {
            done,
            total: ALPHAS,
            share: done as f64 / ALPHAS as f64,
            seconds_left: (left > 0).then_some(9.0 * left as f64),
            paused,
        };
        self.tell(Event::SweepAdvanced { generation: self.generation, progress });
    }
}

/// Ends, middle, then the rest.
fn sweep_order() -> Vec<f64> {
    let mut order = vec![0, 20, 10, 5, 15, 12, 7];
    order.extend((0..=20).filter(|i| ![0, 20, 10, 5, 15, 12, 7].contains(i)));
    order.into_iter().map(|i| f64::from(i) / 20.0).collect()
}

fn checkpoint(path: &Path, name: &str, activation: Option<Activation>) -> CheckpointInfo {
    let is_demo = path.starts_with("demo:base") || path.starts_with("demo:tuned");
    let file = || path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
    CheckpointInfo {
        path: PathBuf::from(path),
        name: if is_demo { name.into() } else { file() },
        format: "safetensors, Hugging Face names".into(),
        architecture: "ViT 48 px, patch 8, 128×4 | text 128×3 | embed 64".into(),
        activation: if activation == Some(Activation::Gelu) { "GELU" } else { "QuickGELU" }.into(),
        activation_source: if activation.is_some() { "your choice" } else { "metadata" }.into(),
        context_length: 64,
        parameters: 2_310_000,
        sha256: sha256_of(path),
    }
}

/// Every file has a hash of its own; the demo pair's is in the pictures.
fn sha256_of(path: &Path) -> String {
    let demo = "9f2c61d07a4be8851c6f0e3392ab74d5e0bb1f6a2d9943c7865de1f04a7b3c58";
    if path.starts_with("demo:base") || path.starts_with("demo:tuned") {
        return demo.into();
    }
    path.display().to_string().bytes().fold(String::new(), |hash, byte| format!("{hash}{byte:02x}"))
}

/// Eleven benchmarks with 5,000 examples.
pub fn data() -> DataInfo {
    let benchmarks = TASKS.iter().enumerate().map(|(place, (name, task, title, recognition, n, ..))| BenchmarkInfo {
        name: (*name).into(),
        task: task.map(Into::into),
        title: (*title).into(),
        recognition: *recognition,
        chance: if *recognition { 10.0 } else { 50.0 },
        protocol: "One caption against hard negatives; a tie is wrong".into(),
        examples: Arc::new((0..*n).map(|i| example(place, i, *recognition)).collect()),
        n_images: *n,
        skipped: Arc::new(if place == 2 {
            vec![("row 17".into(), "the image file is missing".into()), ("row 40".into(), "the box is empty".into())]
        } else {
            Vec::new()
        }),
    });
    let benchmarks: Vec<BenchmarkInfo> = benchmarks.collect();
    let found = benchmarks.iter().map(|b| FoundInfo {
        title: b.title.clone(),
        recognition: b.recognition,
        protocol: b.protocol.clone(),
        examples: b.examples.len(),
        skipped: b.skipped.clone(),
        chosen: true,
    });
    let found = Arc::new(found.collect());
    DataInfo { source: "scene world".into(), benchmarks: Arc::new(benchmarks), found, limit: None }
}

fn example(benchmark: usize, i: usize, recognition: bool) -> ExampleInfo {
    let [a, b] = things(ImageId { benchmark, image: i });
    if recognition {
        return ExampleInfo { image: i, right: a.0, negatives: Vec::new(), tags: vec!["classes".into()] };
    }
    let side = if i.is_multiple_of(2) { "left" } else { "right" };
    let other = if i.is_multiple_of(2) { "right" } else { "left" };
    let (a, b) = (a.0, b.0);
    ExampleInfo {
        image: i,
        right: format!("a {a} to the {side} of a {b}"),
        negatives: vec![format!("a {a} to the {other} of a {b}"), format!("a {b} to the {side} of a {a}")],
        tags: vec![side.to_string(), "two things".into()],
    }
}

/// Two things with their colours.
fn things(image: ImageId) -> [(String, usize, usize); 2] {
    let seed = noise(image.benchmark, image.image, 7);
    [0u64, 20].map(|shift| {
        let bits = (seed >> shift) as usize;
        let (color, shape) = (bits % 5, (bits / 5) % 3);
        (format!("{} {}", COLORS[color].0, SHAPES[shape]), color, shape)
    })
}

fn noise(a: usize, b: usize, c: u64) -> u64 {
    let mut x = (a as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (b as u64).wrapping_mul(0xD1B5_4A32_D192_ED03) ^ c;
    for _ in 0..3 {
        x ^= x >> 29;
        x = x.wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x ^= x >> 32;
    }
    x
}

fn unit(a: usize, b: usize, c: u64) -> f64 {
    (noise(a, b, c) >> 11) as f64 / (1u64 << 53) as f64
}

/// Gains come early (text tower first), losses late.
fn margin(benchmark: usize, example: usize, alpha: AlphaMap) -> f64 {
    let (.., recognition, _, base, tuned) = TASKS[benchmark];
    let (image, text) = (alpha.image().get(), alpha.text().get());
    let mixed = 0.4 * image + 0.6 * text;
    let moved = if recognition { mixed.powf(2.2) } else { 1.0 - (1.0 - mixed).powf(2.0) };
    let threshold = base + (tuned - base) * moved;
    let wobble = 0.06 * (unit(benchmark, example, 3) - 0.5) * (8.0 * mixed + 6.0 * unit(benchmark, example, 4)).sin();
    (threshold - unit(benchmark, example, 1)) * 0.12 + wobble * 0.2
}

/// Complete scores of everything.
pub fn scores(data: &DataInfo, alpha: AlphaMap) -> Scores {
    let judge = |(place, info): (usize, &BenchmarkInfo)| -> Vec<Option<Outcome>> {
        let outcome = |i| {
            let margin = margin(place, i, alpha) as f32;
            let right = margin > 0.0;
            Some(Outcome { right, tied: false, margin, in_top5: true, rank: u32::from(!right), equal: 0 })
        };
        (0..info.examples.len()).map(outcome).collect()
    };
    let outcomes: Vec<Vec<Option<Outcome>>> = data.benchmarks.iter().enumerate().map(judge).collect();
    let total = outcomes.iter().map(Vec::len).sum();
    let benchmarks = outcomes.iter().zip(&*data.benchmarks).map(|(o, info)| Some(score(o, info))).collect();
    Scores { alpha, benchmarks, outcomes: Arc::new(outcomes), judged: total, total }
}

fn score(outcomes: &[Option<Outcome>], info: &BenchmarkInfo) -> Score {
    let (n, correct) = (outcomes.len(), outcomes.iter().flatten().filter(|o| o.right).count());
    let p = correct as f64 / n as f64;
    let half = 196.0 * (p * (1.0 - p) / n as f64).sqrt();
    let value = 100.0 * p;
    Score {
        metric: if info.recognition { MetricName::Top1 } else { MetricName::Accuracy },
        value,
        correct,
        scored: n,
        skipped: info.skipped.len(),
        ties: 0,
        interval: [(value - half).max(0.0), (value + half).min(100.0)],
    }
}

fn focus(data: &DataInfo, id: ExampleId, alpha: AlphaMap) -> FocusScore {
    let info = &data.benchmarks[id.benchmark].examples[id.example];
    let margin = margin(id.benchmark, id.example, alpha);
    let mut texts = vec![(info.right.clone(), 0.31)];
    texts.extend(info.negatives.iter().enumerate().map(|(i, t)| (t.clone(), 0.31 - margin - 0.01 * i as f64)));
    let logits: Vec<f64> = texts.iter().map(|(_, s)| (s * 100.0).exp()).collect();
    let sum: f64 = logits.iter().sum();
    let options = texts.into_iter().enumerate().map(|(i, (text, similarity))| OptionScore {
        text,
        right: i == 0,
        similarity: similarity as f32,
        probability: (logits[i] / sum) as f32,
    });
    FocusScore { id, alpha, options: options.collect(), logit_scale: 100.0 }
}

/// Fixed negatives of any caption; its second candidate has the caption's own tokens, and one word has none.
fn preview(caption: String, seed: u64) -> NegativesPreview {
    let info = |text: &str, to: &str, what, weight, share, reason: &str, same_tokens| NegativeInfo {
        changed: text.find(to).map(|at| at..at + to.len()).into_iter().collect(),
        caption: text.into(),
        what,
        weight,
        share,
        reason: reason.into(),
        same_tokens,
    };
    if caption.split_whitespace().count() < 3 {
        let refusal = format!("Only “{caption}” is named; add a second thing, as in “a dog on a sofa”");
        let draws = ["replace", "negclip", "swap", "shuffle", "relation"];
        let draws = draws.map(|style| Draw { style, about: "", negative: None }).into();
        return NegativesPreview { caption, seed, draws, refusal: Some(refusal), ..NegativesPreview::default() };
    }
    let long = "a green ball to the left of a blue cone";
    let draw = |style, text: &str, to: &str, what| Draw {
        style,
        about: "What the style does",
        negative: Some(info(text, to, what, 1, 1.0, "", false)),
    };
    let entity = |to: &str, weight, share, same| {
        info(&long.replace("ball", to), to, "another entity", weight, share, "both are a kind of artifact", same)
    };
    NegativesPreview {
        draws: vec![
            draw("replace", "a green ball to the right of a blue cone", "right", "another relation"),
            draw("negclip", "a blue cone to the left of a green ball", "blue cone", "two noun phrases change places"),
            draw("swap", "a blue ball to the left of a green cone", "blue", "two modifiers change places"),
            draw("shuffle", "ball a green the to left a of cone blue", "ball a green the to left", "another order"),
            Draw { style: "relation", about: "", negative: None },
        ],
        elements: vec![
            Element {
                words: "ball".into(),
                kind: "entity",
                candidates: vec![entity("sphere", 31, 0.42, false), entity("globe", 4, 0.05, true)],
            },
            Element {
                words: "left of".into(),
                kind: "relation",
                candidates: vec![info(
                    "a green ball to the right of a blue cone",
                    "right of",
                    "another relation",
                    12,
                    0.5,
                    "antonym",
                    false,
                )],
            },
        ],
        refusal: None,
        tokenizer: "demo base".into(),
        caption,
        seed,
    }
}

/// Two coloured shapes on a pale ground.
fn picture(image: ImageId, side: u32) -> Picture {
    let [a, b] = things(image);
    let mut rgb = Vec::with_capacity((3 * side * side) as usize);
    for y in 0..side {
        for x in 0..side {
            let (u, v) = (f64::from(x) / f64::from(side), f64::from(y) / f64::from(side));
            let mut color = [226, 222, 214];
            for (thing, cx) in [(&a, 0.3), (&b, 0.7)] {
                let (dx, dy) = ((u - cx) / 0.17, (v - 0.55) / 0.17);
                let inside = match thing.2 {
                    0 => dx.hypot(dy) < 1.0,
                    1 => dx.abs() < 0.85 && dy.abs() < 0.85,
                    _ => dy < 0.9 && dy > -1.0 && dx.abs() < (dy + 1.0) * 0.5,
                };
                if inside {
                    color = COLORS[thing.1].1;
                }
            }
            rgb.extend(color);
        }
    }
    Picture { width: side, height: side, rgb: Arc::new(rgb) }
}
