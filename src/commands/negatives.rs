//! `clove negatives`: hard negatives for the captions of a file or of standard input, as JSON lines.

use std::fs::File;
use std::io::{BufRead, BufReader, Read as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use clove_training::negatives::{Generator, LONGEST_CAPTION, Negative, Style};
use serde::Serialize;

use super::output;

/// Captions read, written about and printed at a time.
const CAPTIONS_AT_ONCE: usize = 8192;

/// Longest line, in bytes.
const LONGEST_LINE: u64 = 1 << 20;

#[derive(Debug, Args)]
pub struct NegativesArgs {
    /// A caption per line; - is standard input
    #[arg(value_name = "FILE|-", default_value = "-")]
    captions: PathBuf,
    /// replace (as the paper's release), negclip, swap, shuffle or relation
    #[arg(long, default_value = "replace")]
    style: Style,
    /// Most negatives per caption
    #[arg(long, value_name = "N", default_value_t = 1)]
    per_caption: usize,
    /// Of all chance; the same seed writes the same file
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,
}

/// A line of the output. `negatives` is empty where none was found.
#[derive(Serialize)]
struct Line<'a> {
    caption: &'a str,
    negatives: &'a [Negative],
}

pub fn run(args: &NegativesArgs) -> anyhow::Result<()> {
    let generator = Generator::new()?;
    let mut lines = Lines::open(&args.captions)?;
    let (mut captions, mut negatives, mut without, mut too_long) = (0, 0, 0, 0);
    loop {
        let batch = lines.next_batch()?;
        if batch.is_empty() {
            break;
        }
        let written = generator.batch(&batch, args.style, args.per_caption, args.seed, captions);
        let rows =
            batch.iter().zip(&written).map(|(caption, negatives)| serde_json::to_string(&Line { caption, negatives }));
        output::text(&rows.collect::<Result<Vec<_>, _>>()?.join("\n"))?;
        captions += batch.len() as u64;
        negatives += written.iter().map(Vec::len).sum::<usize>();
        without += written.iter().filter(|n| n.is_empty()).count();
        too_long += batch.iter().filter(|caption| caption.len() > LONGEST_CAPTION).count();
    }
    let long = if too_long > 0 { format!(" ({too_long} longer than {LONGEST_CAPTION} bytes)") } else { String::new() };
    output::note(&format!("{captions} captions, {negatives} negatives; {without} captions have none{long}"));
    Ok(())
}

struct Lines {
    input: Box<dyn BufRead>,
    path: PathBuf,
    read: u64,
}

impl Lines {
    fn open(path: &Path) -> anyhow::Result<Self> {
        let input: Box<dyn BufRead> = if path == Path::new("-") {
            Box::new(BufReader::new(std::io::stdin()))
        } else {
            let file = File::open(path).with_context(|| format!("cannot read the captions: {}", path.display()))?;
            Box::new(BufReader::new(file))
        };
        Ok(Self { input, path: path.to_owned(), read: 0 })
    }

    /// Up to [`CAPTIONS_AT_ONCE`] lines; none at the end.
    fn next_batch(&mut self) -> anyhow::Result<Vec<String>> {
        let mut batch = Vec::new();
        while batch.len() < CAPTIONS_AT_ONCE {
            let mut line = Vec::new();
            let path = self.path.display();
            let read = self.input.by_ref().take(LONGEST_LINE + 1).read_until(b'\n', &mut line);
            let read = read.with_context(|| format!("cannot read the captions: {path}"))?;
            if read == 0 {
                break;
            }
            self.read += 1;
            anyhow::ensure!(
                read as u64 <= LONGEST_LINE,
                "line {} is no caption, it is longer than {LONGEST_LINE} bytes: {path}",
                self.read
            );
            let text = String::from_utf8(line);
            let text =
                text.map_err(|_| anyhow::anyhow!("line {} is not UTF-8, please convert the file: {path}", self.read))?;
            batch.push(text.trim_end_matches(['\n', '\r']).to_owned());
        }
        Ok(batch)
    }
}
