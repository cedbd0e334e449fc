//! Holds the sources to the map in `src/lib.rs`: who imports whom, and what is absent on purpose.
//!
//! The scan knows comments, strings and test code, which no rule concerns, and nothing else of Rust: it looks for words.

mod scan;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Result;
use std::path::Path;

use scan::{Code, is_word, test_modules};

/// Longest file, in lines outside its tests.
const MAX_LINES: usize = 400;

/// The map's name for the crate `clove-training`.
const TRAINING: &str = "training";

/// Words that may stand only below some places (prefixes of paths), and why.
struct Rule {
    words: &'static [&'static str],
    only_in: &'static [&'static str],
    why: &'static str,
}

const RULES: &[Rule] = &[
    Rule {
        words: &["egui", "egui_extras", "egui_plot", "egui_tiles", "eframe", "rfd"],
        only_in: &["src/ui/"],
        why: "only the window draws",
    },
    Rule {
        words: &["candle_core", "candle_nn", "candle_transformers"],
        only_in: &[
            "src/device.rs",
            "src/kernels/",
            "src/checkpoint/",
            "src/clip/",
            "src/patch/",
            "src/evaluate/",
            "src/demo/",
            "src/fine_tune/",
            "src/engine/",
            "src/commands/bench.rs",
            "training/src/",
        ],
        why: "tensors stay below the engine",
    },
    Rule {
        words: &["unsafe"],
        only_in: &["src/kernels/", "src/checkpoint/mmap.rs"],
        why: "unsafe code has two rooms, each with safety notes",
    },
    Rule {
        words: &["feature = \"cuda\"", "feature = \"metal\""],
        only_in: &["src/device.rs", "src/kernels/"],
        why: "builds differ in one place",
    },
    Rule {
        words: &["thread::", "spawn_blocking"],
        only_in: &[
            "src/engine/",
            "src/jobs/",
            "src/commands/jobs/",
            "src/ui/chooser.rs",
            "src/ui/screenshot.rs",
            "training/src/captions/pipeline.rs",
            "training/src/run_directory/writer.rs",
        ],
        why: "engine and jobs own the threads; the window has one for a dialog and one for its picture; training loads data, \
              a lock is tried again, and whoever watches run directories looks a few times a second",
    },
    Rule {
        words: &["println!", "eprintln!", "print!", "eprint!", "io::stdout"],
        only_in: &["src/commands/output.rs"],
        why: "standard output belongs to --json",
    },
    Rule { words: &["io::stderr"], only_in: &["src/commands/output.rs", "src/main.rs"], why: "as standard output" },
    Rule {
        words: &[".unwrap()", ".expect(", "panic!", "todo!", "unimplemented!"],
        only_in: &[],
        why: "untrusted input and a live window: never panic",
    },
    Rule {
        words: &["std::net", "reqwest", "ureq", "hf_hub"],
        only_in: &["src/fetch/client.rs"],
        why: "the network is one file",
    },
];

/// Words that may not stand below `place`, but for `except`.
struct Ban {
    place: &'static str,
    words: &'static [&'static str],
    except: &'static [&'static str],
    why: &'static str,
}

const FILES: &[&str] = &["std::fs", "File::open", "File::create", "OpenOptions", "memmap2", "tempfile"];
const BANS: &[Ban] = &[
    Ban { place: "src/ui/", words: FILES, except: &["src/ui/screenshot.rs"], why: "the window never waits for a disk" },
    Ban { place: "src/session", words: FILES, except: &[], why: "the session is pure" },
    Ban { place: "src/report/", words: FILES, except: &[], why: "a report is text or bytes; its caller writes them" },
    Ban { place: "src/tradeoff", words: FILES, except: &[], why: "the trade-off is pure" },
    Ban { place: "training/", words: &["clove", "clap"], except: &[], why: "training imports nothing of ours" },
];

/// What a row of the map allows of one module.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Allowed {
    All,
    Types,
    Items(BTreeSet<String>),
}

type Map = BTreeMap<String, BTreeMap<String, Allowed>>;

/// The rows of the table in `page` in their order: module and what it may import.
fn rows(page: &str) -> Vec<(String, BTreeMap<String, Allowed>)> {
    let cells = |line: &str| -> Option<(String, BTreeMap<String, Allowed>)> {
        let cells: Vec<&str> = line.strip_prefix("//! |")?.split('|').map(str::trim).collect();
        let name = cells.first()?.trim_matches(['[', ']', '`']).to_owned();
        (cells[0].contains('`')).then(|| (name, allowed(cells.get(2).unwrap_or(&""))))
    };
    page.lines().filter_map(cells).collect()
}

/// `kernels, patch (Alpha, AlphaMap), engine (types)`.
fn allowed(cell: &str) -> BTreeMap<String, Allowed> {
    let mut allowed = BTreeMap::new();
    let mut rest = cell;
    while !rest.is_empty() {
        let name: String = rest.chars().take_while(|c| is_word(*c)).collect();
        rest = rest[name.len()..].trim_start();
        let mut what = Allowed::All;
        if let Some((inside, after)) = rest.strip_prefix('(').and_then(|open| open.split_once(')')) {
            let items = || inside.split(',').map(|item| item.trim().to_owned()).collect();
            what = if inside == "types" { Allowed::Types } else { Allowed::Items(items()) };
            rest = after;
        }
        if !["", "nothing"].contains(&name.as_str()) {
            allowed.insert(name, what);
        }
        rest = rest.trim_start_matches(|c| !is_word(c));
    }
    allowed
}

/// What breaks the map or a rule in one file; `path` is relative to the repository, with `/`.
fn violations(path: &str, source: &str, map: &Map) -> Vec<String> {
    let code = Code::of(source);
    let mut found = Vec::new();
    let within = |places: &[&str]| places.iter().any(|place| path.starts_with(place));
    let mut refuse = |words: &[&str], why: &str| {
        for word in words {
            found.extend(code.lines_with(word).iter().map(|line| format!("{path}:{line}: `{word}`: {why}")));
        }
    };
    RULES.iter().filter(|rule| !within(rule.only_in)).for_each(|rule| refuse(rule.words, rule.why));
    let bans = BANS.iter().filter(|ban| path.starts_with(ban.place) && !within(ban.except));
    bans.for_each(|ban| refuse(ban.words, ban.why));
    if code.lines() > MAX_LINES {
        found.push(format!("{path}: {} lines outside tests, more than {MAX_LINES}", code.lines()));
    }
    let own: Vec<&str> = path.strip_prefix("src/").unwrap_or_default().trim_end_matches(".rs").split('/').collect();
    if let Some(row) = map.get(own[0]) {
        let depth = own.iter().filter(|part| **part != "mod").count();
        let foreign = code.imports(depth).into_iter().filter(|(name, _)| name != own[0]);
        let ours = foreign.filter(|(name, _)| map.contains_key(name) || name == TRAINING);
        let refused = ours.filter(|(name, item)| !is_allowed(row.get(name), item));
        found.extend(refused.map(|(name, item)| format!("{path}: the map does not let it import {name}::{item}")));
    }
    found
}

fn is_allowed(allowed: Option<&Allowed>, item: &str) -> bool {
    match allowed {
        None => false,
        Some(Allowed::All) => true,
        Some(Allowed::Types) => item.starts_with(char::is_uppercase),
        Some(Allowed::Items(items)) => items.contains(item),
    }
}

/// Every Rust file below `folder` that is not a test's, as (path relative to the repository, text).
fn sources(folder: &str) -> Result<Vec<(String, String)>> {
    let (mut folders, mut files) = (vec![folder.to_owned()], BTreeMap::new());
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(&folder))? {
            let entry = entry?;
            let path = format!("{folder}/{}", entry.file_name().to_string_lossy());
            if entry.file_type()?.is_dir() {
                folders.push(path);
            } else if entry.path().extension().is_some_and(|extension| extension == "rs") {
                files.insert(path, fs::read_to_string(entry.path())?);
            }
        }
    }
    let tests: Vec<String> = files.iter().flat_map(|(path, text)| test_modules(path, text)).collect();
    let is_test = |path: &str| tests.iter().any(|t| path == format!("{t}.rs") || path.starts_with(&format!("{t}/")));
    Ok(files.into_iter().filter(|(path, _)| !is_test(path)).collect())
}

fn page() -> Result<String> {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs"))
}

/// The map of `page`; the binary knows the command line only.
fn map(page: &str) -> Map {
    let main = ("main".to_owned(), allowed("commands"));
    rows(page).into_iter().chain([main]).collect()
}

#[test]
fn the_sources_keep_to_the_map() -> Result<()> {
    let map = map(&page()?);
    let mut files = sources("src")?;
    files.extend(sources("training/src")?);
    assert!(files.len() > 50, "only {} files were found", files.len());
    let found: Vec<String> = files.iter().flat_map(|(path, text)| violations(path, text, &map)).collect();
    assert!(found.is_empty(), "{} violations:\n{}", found.len(), found.join("\n"));
    Ok(())
}

#[test]
fn the_map_names_every_module_and_has_no_circle() -> Result<()> {
    let page = page()?;
    let rows = rows(&page);
    let modules: BTreeSet<&str> = page.lines().filter_map(|l| l.strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    assert_eq!(rows.iter().map(|(name, _)| name.as_str()).collect::<BTreeSet<_>>(), modules);
    for (place, (name, row)) in rows.iter().enumerate() {
        for other in row.keys().filter(|other| *other != TRAINING) {
            assert!(
                rows[..place].iter().any(|(above, _)| above == other),
                "{name} imports {other}, which is not above"
            );
        }
    }
    Ok(())
}

#[test]
fn a_violation_is_found() {
    let map = map(
        "//! | [`a`] | x | nothing |\n//! | `b` | y | a (Plain, Data), training |\n//! | [`c`] | z | a, b (types) |",
    );
    let count = |path: &str, source: &str| violations(path, source, &map).len();
    for (path, source, expected) in [
        ("src/b/x.rs", "use crate::a::{Plain, Data}; use clove_training::Recipe;", 0),
        ("src/b/x.rs", "use crate::a::{Plain, Other};", 1),
        ("src/b/x.rs", "use super::super::a::Other;", 1),
        ("src/b/mod.rs", "use super::a;", 1),
        ("src/b/x.rs", "use super::y::a;", 0),
        ("src/a.rs", "use crate::b;", 1),
        ("src/a.rs", "use clove_training::Recipe;", 1),
        ("src/c/x.rs", "crate::b::Type::new(); crate::a::anything()", 0),
        ("src/c/x.rs", "crate::b::function()", 1),
        ("src/main.rs", "use clove::commands::Cli; use clove::a::Plain;", 1),
        ("src/a.rs", "use egui::Ui; use candle_core::Tensor; // unsafe egui", 2),
        ("src/ui/x.rs", "use egui::Ui; std::fs::read(p)", 1),
        ("src/ui/x.rs", "#[cfg(test)]\nmod tests { use std::fs; fn f() { x.unwrap() } }", 0),
        ("src/a.rs", "#[cfg(feature = \"cuda\")]\nunsafe fn f() { x.unwrap(); println!(); }", 4),
        ("src/kernels/x.rs", "#[cfg(feature = \"cuda\")] unsafe fn f() {}", 0),
        ("training/src/x.rs", "use clove::device; use candle_core::Tensor;", 1),
    ] {
        assert_eq!(count(path, source), expected, "{path}: {source}: {:?}", violations(path, source, &map));
    }
    let long = "//\n".repeat(MAX_LINES - 1);
    assert_eq!((count("src/a.rs", &format!("{long}x")), count("src/a.rs", &format!("{long}\nx"))), (0, 1));
    assert_eq!(count("src/a.rs", &format!("{long}#[cfg(test)]\nmod t {{\n\n\n}}")), 0);
}
