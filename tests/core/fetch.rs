//! Downloads by the real binary from a server of this file's own: nothing here leaves the machine.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use serde_json::Value;
use sha2::Digest as _;

use super::models::folder;

/// What a client asked for.
#[derive(Clone, Debug, Default)]
struct Asked {
    path: String,
    headers: BTreeMap<String, String>,
}

impl Asked {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }
}

/// What a server says.
#[derive(Clone, Default)]
struct Said {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    /// Bytes of the body after which the connection ends.
    cut: Option<usize>,
    /// A length that is announced instead of the body's own.
    length: Option<u64>,
}

impl Said {
    fn file(body: &[u8]) -> Self {
        Self { status: 200, body: body.to_vec(), ..Self::default() }
    }

    fn only(status: u16) -> Self {
        Self { status, ..Self::default() }
    }

    fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.into(), value.into()));
        self
    }

    fn send(&self, stream: &mut TcpStream) -> std::io::Result<()> {
        let length = self.length.unwrap_or(self.body.len() as u64);
        write!(stream, "HTTP/1.1 {} x\r\nconnection: close\r\ncontent-length: {length}\r\n", self.status)?;
        for (name, value) in &self.headers {
            write!(stream, "{name}: {value}\r\n")?;
        }
        stream.write_all(b"\r\n")?;
        stream.write_all(&self.body[..self.cut.unwrap_or(self.body.len())])
    }
}

/// A server on this machine that answers as it is told.
struct Server {
    at: String,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Server {
    fn new(answer: impl Fn(&Asked, usize) -> Said + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let at = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&asked);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let Some(asked) = read(&stream) else { continue };
                let place = {
                    let mut seen: std::sync::MutexGuard<'_, Vec<Asked>> = seen.lock().unwrap();
                    seen.push(asked.clone());
                    seen.iter().filter(|other| other.path == asked.path).count()
                };
                // A client that has had enough may hang up.
                let _ = answer(&asked, place).send(&mut stream);
            }
        });
        Self { at, asked }
    }

    fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    fn asked_for(&self, end: &str) -> Vec<Asked> {
        self.asked().into_iter().filter(|asked| asked.path.ends_with(end)).collect()
    }
}

fn read(stream: &TcpStream) -> Option<Asked> {
    let mut lines = BufReader::new(stream).lines();
    let path = lines.next()?.ok()?.split(' ').nth(1)?.to_owned();
    let mut headers = BTreeMap::new();
    for line in lines {
        let line = line.ok()?;
        let Some((name, value)) = line.split_once(':') else { break };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    Some(Asked { path, headers })
}

/// A file as a server that knows ranges sends it.
fn ranged(asked: &Asked, body: &[u8], etag: &str) -> Said {
    let start = asked.header("range").strip_prefix("bytes=").and_then(|range| range.strip_suffix('-')?.parse().ok());
    let said = match start {
        Some(start) if asked.header("if-range") == etag && start < body.len() => {
            let range = format!("bytes {start}-{}/{}", body.len() - 1, body.len());
            Said { status: 206, ..Said::file(&body[start..]) }.with("content-range", range)
        }
        _ => Said::file(body),
    };
    said.with("etag", etag)
}

struct Room {
    folder: tempfile::TempDir,
    endpoint: String,
    token: Option<&'static str>,
}

struct Ran {
    status: i32,
    out: String,
    err: String,
}

impl Room {
    fn new(endpoint: &str) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), endpoint: endpoint.into(), token: None }
    }

    fn run(&self, args: &[&str]) -> Ran {
        let mut command = Command::new(env!("CARGO_BIN_EXE_clove"));
        command.args(args).env("CLOVE_CACHE", self.folder.path().join("cache")).env("HF_ENDPOINT", &self.endpoint);
        command.env_remove("HF_TOKEN").env("NO_PROXY", "*").env("no_proxy", "*");
        if let Some(token) = self.token {
            command.env("HF_TOKEN", token);
        }
        let output = command.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        Ran { status: output.status.code().unwrap(), out: text(&output.stdout), err: text(&output.stderr) }
    }

    /// Fetches an address into a folder of its own.
    fn fetch(&self, url: &str, more: &[&str]) -> Ran {
        let out = self.out();
        self.run(&[&["fetch", url, "--out", out.to_str().unwrap()], more].concat())
    }

    fn out(&self) -> PathBuf {
        self.folder.path().join("out")
    }

    fn names(&self) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.out()) else { return Vec::new() };
        let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }
}

fn sha256(bytes: &[u8]) -> String {
    sha2::Sha256::digest(bytes).iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}

/// A file of 900 kB in which no two places look alike.
fn body() -> Vec<u8> {
    (0..225_000u32).flat_map(|i| i.wrapping_mul(2_654_435_761).to_le_bytes()).collect()
}

const COMMIT: &str = "3d74acf9a28c67741b2f4f2ea7635f0aaf6f0268";

/// The hub, with one model: small files come at once, the weights from a store elsewhere.
fn hub(model: &Path, store: String) -> impl Fn(&Asked, usize) -> Said + Send + 'static {
    let files: BTreeMap<String, Vec<u8>> = ["config.json", "model.safetensors"]
        .map(|name| (name.to_owned(), std::fs::read(model.join(name)).unwrap()))
        .into();
    move |asked, _| {
        let Some((at, name)) = asked.path.strip_prefix("/some/clip/resolve/").and_then(|rest| rest.split_once('/'))
        else {
            return Said::only(404);
        };
        assert!(["main", COMMIT].contains(&at), "{at}");
        match (name, files.get(name)) {
            ("model.safetensors", Some(bytes)) => Said::only(302)
                .with("location", format!("{store}/blob"))
                .with("x-repo-commit", COMMIT)
                .with("x-linked-etag", format!("\"{}\"", sha256(bytes))),
            (_, Some(bytes)) => Said::file(bytes).with("x-repo-commit", COMMIT),
            _ => Said::only(404),
        }
    }
}

#[test]
fn a_model_of_the_hub_is_fetched_once_and_then_a_checkpoint() {
    let model = folder("hf_gelu");
    let weights = std::fs::read(model.join("model.safetensors")).unwrap();
    let store = Server::new({
        let weights = weights.clone();
        move |asked, _| ranged(asked, &weights, "\"blob\"")
    });
    let server = Server::new(hub(&model, store.at.clone()));
    let room = Room { token: Some("secret"), ..Room::new(&server.at) };

    let before = room.run(&["inspect", "hf:some/clip"]);
    assert_eq!(before.status, 1);
    assert!(before.err.contains("clove fetch hf:some/clip"), "{}", before.err);
    assert!(server.asked().is_empty(), "nothing is fetched unasked");

    let fetched = room.run(&["fetch", "hf:some/clip", "--json"]);
    assert_eq!(fetched.status, 0, "{}", fetched.err);
    let report: Value = serde_json::from_str(&fetched.out).unwrap();
    assert_eq!((report["commit"].as_str(), report["was_there"].as_bool()), (Some(COMMIT), Some(false)));
    let file = report["files"].as_array().unwrap().iter().find(|f| f["name"] == "model.safetensors").unwrap();
    assert_eq!((file["sha256"].as_str(), file["compared"].as_bool()), (Some(&*sha256(&weights)), Some(true)));
    // The first file told the commit; the others are asked for by it, so that a branch may move meanwhile.
    assert!(server.asked_for("config.json")[0].path.contains("/main/"));
    assert!(server.asked_for("/model.safetensors")[0].path.contains(COMMIT));
    assert_eq!(server.asked_for("config.json")[0].header("authorization"), "Bearer secret");
    assert_eq!(store.asked().len(), 1);
    assert_eq!(store.asked()[0].header("authorization"), "", "a token is for the hub alone");

    let inspected = room.run(&["inspect", "hf:some/clip", "--json"]);
    assert_eq!(inspected.status, 0, "{}", inspected.err);
    let inspected: Value = serde_json::from_str(&inspected.out).unwrap();
    assert_eq!(inspected["sha256"].as_str(), Some(&*sha256(&weights)));

    let asked = server.asked().len();
    let again = room.run(&["fetch", "hf:some/clip"]);
    assert!(again.status == 0 && again.err.contains("was there already"), "{}", again.err);
    assert_eq!(server.asked().len(), asked);
}

#[test]
fn a_cut_download_goes_on_where_it_stopped() {
    let bytes = body();
    let server = Server::new({
        let bytes = bytes.clone();
        move |asked, place| {
            let said = ranged(asked, &bytes, "\"v1\"");
            let cut = if place == 1 { Some(400_000) } else { None };
            Said { cut, ..said }
        }
    });
    let room = Room::new("http://127.0.0.1:9");
    let url = format!("{}/models/m.safetensors", server.at);
    let ran = room.fetch(&url, &[]);
    assert_eq!(ran.status, 0, "{}", ran.err);
    assert_eq!(std::fs::read(room.out().join("m.safetensors")).unwrap(), bytes);
    let asked = server.asked();
    assert_eq!((asked.len(), asked[0].header("range")), (2, ""));
    let start: usize =
        asked[1].header("range").strip_prefix("bytes=").unwrap().strip_suffix('-').unwrap().parse().unwrap();
    assert!(start > 0 && start <= 400_000, "{start}");
    assert_eq!(asked[1].header("if-range"), "\"v1\"");
    assert_eq!(room.names(), ["fetched.json", "m.safetensors"]);
}

#[test]
fn another_command_goes_on_where_one_gave_up() {
    let bytes = body();
    let server = Server::new({
        let bytes = bytes.clone();
        // The first command gets 300,000 bytes and then nothing, however often it asks.
        move |asked, place| Said {
            cut: match place {
                1 => Some(300_000),
                2..=8 => Some(0),
                _ => None,
            },
            ..ranged(asked, &bytes, "\"v1\"")
        }
    });
    let room = Room::new("http://127.0.0.1:9");
    let url = format!("{}/m.safetensors", server.at);
    let first = room.fetch(&url, &[]);
    assert_eq!(first.status, 1);
    assert!(first.err.contains("goes on where it stopped"), "{}", first.err);
    assert_eq!(room.names(), ["m.safetensors.part", "m.safetensors.part.json"]);
    let second = room.fetch(&url, &["--sha256", &sha256(&bytes)[..16]]);
    assert_eq!(second.status, 0, "{}", second.err);
    assert!(server.asked()[8].header("range").starts_with("bytes=") && server.asked().len() == 9);
    assert_eq!(std::fs::read(room.out().join("m.safetensors")).unwrap(), bytes);
}

/// A server that knows no ranges, and one whose file became another, both send the whole: from the start, then.
#[test]
fn what_is_not_the_rest_begins_anew() {
    let (old, new) = (body(), body().into_iter().rev().collect::<Vec<u8>>());
    for (second, etag) in [(old.clone(), "\"v1\""), (new, "\"v2\"")] {
        let expected = second.clone();
        let old = old.clone();
        let server = Server::new(move |_, place| match place {
            1 => Said { cut: Some(500_000), ..Said::file(&old).with("etag", "\"v1\"") },
            _ => Said::file(&second).with("etag", etag),
        });
        let room = Room::new("http://127.0.0.1:9");
        let ran = room.fetch(&format!("{}/m.pt", server.at), &[]);
        assert_eq!(ran.status, 0, "{}", ran.err);
        assert!(server.asked()[1].header("range").starts_with("bytes="));
        assert!(std::fs::read(room.out().join("m.pt")).unwrap() == expected);
    }
}

#[test]
fn a_file_that_is_not_what_its_checksum_says_is_removed() {
    let bytes = body();
    let wrong = "0".repeat(64);
    let server = Server::new({
        let wrong = wrong.clone();
        move |_, _| Said::file(&bytes).with("x-linked-etag", format!("\"{wrong}\"")).with("etag", "\"e\"")
    });
    let room = Room::new("http://127.0.0.1:9");
    let ran = room.fetch(&format!("{}/m.pt", server.at), &[]);
    assert_eq!(ran.status, 1);
    assert!(ran.err.contains("SHA-256") && ran.err.contains(&wrong), "{}", ran.err);
    assert!(room.names().is_empty(), "{:?}", room.names());
    // So is one whose address tells the hash, as OpenAI's do.
    let ran = room.fetch(&format!("{}/models/{}/ViT-B-32.pt", server.at, "1".repeat(64)), &[]);
    assert!(ran.status == 1 && room.names().is_empty(), "{}", ran.err);
}

#[test]
fn refusals_are_sentences_and_leave_nothing_behind() {
    let server = Server::new(|asked, _| match asked.path.as_str() {
        "/gated.pt" => Said::only(401),
        "/broken.pt" => Said::only(503),
        "/nowhere.pt" => Said::only(302),
        "/elsewhere.pt" => Said::only(302).with("location", "http://example.org/m.pt"),
        "/circle.pt" => Said::only(302).with("location", "/circle.pt"),
        "/huge.pt" => Said { length: Some(30 << 30), ..Said::file(b"x") },
        _ => Said::only(404),
    });
    let room = Room::new(&server.at);
    for (name, words) in [
        ("gated", "HF_TOKEN"),
        ("broken", "503"),
        ("nowhere", "redirect to nowhere"),
        ("elsewhere", "only https"),
        ("circle", "too many redirects"),
        ("huge", "at most"),
        ("absent", "no such file"),
    ] {
        let ran = room.fetch(&format!("{}/{name}.pt", server.at), &[]);
        assert_eq!((ran.status, ran.out.as_str()), (1, ""), "{name}: {}", ran.err);
        assert!(ran.err.contains(words) && ran.err.lines().count() == 1, "{name}: {}", ran.err);
        assert!(room.names().is_empty(), "{name}: {:?}", room.names());
    }
    let ran = room.run(&["fetch", "hf:no/model"]);
    assert!(ran.status == 1 && ran.err.contains("no weights file"), "{}", ran.err);
    for name in ["hf:../../etc", "https://example.org/", "http://example.org/m.pt"] {
        assert_eq!(room.run(&["fetch", name]).status, 2, "{name}");
    }
}

#[test]
fn without_a_connection_one_sentence_says_so() {
    // A port that was free a moment ago and that nobody listens on.
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let ran = Room::new(&format!("http://{closed}")).run(&["fetch", "hf:some/clip"]);
    assert_eq!(ran.status, 1);
    let said = ran.err.trim();
    assert!(said.contains("cannot be reached") && said.contains("check the network"), "{said}");
    assert!(said.contains(&closed.to_string()) && said.lines().count() == 1, "{said}");
}

/// What the user put there is not what a download left.
#[test]
fn nothing_is_overwritten() {
    let server = Server::new(|_, _| Said::file(b"new"));
    let room = Room::new(&server.at);
    std::fs::create_dir(room.out()).unwrap();
    std::fs::write(room.out().join("m.pt"), "mine").unwrap();
    let ran = room.fetch(&format!("{}/m.pt", server.at), &[]);
    assert!(ran.status == 1 && ran.err.contains("not overwritten"), "{}", ran.err);
    assert_eq!(std::fs::read_to_string(room.out().join("m.pt")).unwrap(), "mine");
    assert!(server.asked().is_empty());
}
