//! PyTorch files that are cut, flipped, swollen or made to harm: one sentence each, never a panic.
//! What they may allocate is held in `tests/allocation`.

use std::path::Path;

use clove::checkpoint::{Checkpoint, Options};
use clove::kernels::Activation;

use super::models::{Draw, golden_root};

const GELU: Options = Options { activation: Some(Activation::Gelu) };

fn golden(name: &str) -> Vec<u8> {
    std::fs::read(golden_root().join("checkpoints").join(name)).unwrap()
}

fn open(bytes: &[u8]) -> Result<Checkpoint, String> {
    let opened = Checkpoint::from_bytes(Path::new("hostile.pt"), bytes, GELU).map_err(|error| error.to_string());
    if let Err(said) = &opened {
        assert!(said.ends_with(": hostile.pt") && !said.contains('\n') && said.len() < 600, "not one sentence: {said}");
    }
    opened
}

fn said(bytes: &[u8]) -> String {
    open(bytes).unwrap_err()
}

/// An entry of a zip archive as its writer claims it to be.
struct Entry<'a> {
    name: &'a str,
    data: &'a [u8],
    method: u16,
    /// Compressed and uncompressed size, where they are not the data's.
    sizes: Option<(u32, u32)>,
}

fn stored<'a>(name: &'a str, data: &'a [u8]) -> Entry<'a> {
    Entry { name, data, method: 0, sizes: None }
}

/// A zip archive (PKWARE's APPNOTE 4.3) without checksums, which no reader of PyTorch's files asks for.
fn zip(entries: &[Entry<'_>]) -> Vec<u8> {
    let (mut file, mut directory) = (Vec::new(), Vec::new());
    for entry in entries {
        let length = entry.data.len() as u32;
        let (packed, unpacked) = entry.sizes.unwrap_or((length, length));
        let mut common = Vec::new();
        common.extend([20, 0, 0, 8]);
        common.extend(entry.method.to_le_bytes());
        common.extend([0; 8]);
        common.extend(packed.to_le_bytes());
        common.extend(unpacked.to_le_bytes());
        common.extend((entry.name.len() as u16).to_le_bytes());
        common.extend([0; 2]);
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&common);
        directory.extend([0; 10]);
        directory.extend((file.len() as u32).to_le_bytes());
        directory.extend(entry.name.bytes());
        file.extend(b"PK\x03\x04");
        file.extend(&common);
        file.extend(entry.name.bytes());
        file.extend(entry.data);
    }
    let (start, count) = (file.len() as u32, entries.len() as u16);
    file.extend(&directory);
    file.extend(b"PK\x05\x06\0\0\0\0");
    file.extend(count.to_le_bytes());
    file.extend(count.to_le_bytes());
    file.extend((directory.len() as u32).to_le_bytes());
    file.extend(start.to_le_bytes());
    file.extend([0; 2]);
    file
}

/// An archive with this pickle and one storage of 16 numbers.
fn pickled(pickle: &[u8]) -> Vec<u8> {
    zip(&[stored("a/data.pkl", pickle), stored("a/data/0", &[0; 64])])
}

fn text(out: &mut Vec<u8>, text: &str) {
    out.push(b'X');
    out.extend((text.len() as u32).to_le_bytes());
    out.extend(text.bytes());
}

fn tuple(out: &mut Vec<u8>, numbers: &[i32]) {
    out.push(b'(');
    for number in numbers {
        out.push(b'J');
        out.extend(number.to_le_bytes());
    }
    out.push(b't');
}

/// `{"logit_scale": tensor}` of this class, storage, offset, shape and strides.
fn tensor(class: &str, key: &str, offset: i32, shape: &[i32], strides: &[i32]) -> Vec<u8> {
    let mut out = b"\x80\x02}".to_vec();
    text(&mut out, "logit_scale");
    out.extend(b"ctorch._utils\n_rebuild_tensor_v2\n((");
    text(&mut out, "storage");
    out.extend(format!("ctorch\n{class}\n").bytes());
    text(&mut out, key);
    text(&mut out, "cpu");
    out.extend(b"K\x10tQJ");
    out.extend(offset.to_le_bytes());
    tuple(&mut out, shape);
    tuple(&mut out, strides);
    out.extend(b"\x89}tRs.");
    out
}

#[test]
fn a_file_cut_at_any_place_is_refused() {
    for name in ["open_clip/half.pt", "alone/openai.pt"] {
        let whole = golden(name);
        // Every place of the small file; of the larger one its directory, where a cut matters most, and odd places.
        let all = whole.len() < 32 << 10;
        let places = (0..whole.len()).filter(|place| all || *place > whole.len() - 4096 || place % 61 == 0);
        for place in places {
            let said = said(&whole[..place]);
            assert!(place < 64 || said.contains("truncated or damaged"), "{name} cut at {place}: {said}");
        }
    }
}

/// A flip in the weights is another model, and a flip anywhere else is a sentence or harmless.
#[test]
fn flipped_bytes_never_panic() {
    let mut draw = Draw(7);
    for name in ["open_clip/half.pt", "open_clip/training.pt", "open_clip/scripted.pt", "alone/openai.pt"] {
        let whole = golden(name);
        let pickle = whole.windows(9).position(|w| w.ends_with(b"data.pkl")).unwrap();
        let mut refused = 0;
        for round in 0..400 {
            let mut damaged = whole.clone();
            for _ in 0..=draw.below(3) {
                // The pickle, the directory at the end, or anywhere.
                let place = match round % 3 {
                    0 => pickle + draw.below(4000),
                    1 => whole.len() - 1 - draw.below(3000),
                    _ => draw.below(whole.len()),
                };
                damaged[place] =
                    if draw.below(2) == 0 { draw.next() as u8 } else { damaged[place] ^ (1 << draw.below(8)) };
            }
            refused += usize::from(open(&damaged).is_err());
        }
        assert!(refused > 100, "{name}: only {refused} of 400 were refused");
    }
}

#[test]
fn archives_do_not_claim_what_they_do_not_hold() {
    let bomb = |method, sizes| {
        zip(&[stored("a/data.pkl", b"\x80\x02}."), Entry { name: "a/data/0", data: &[0; 16], method, sizes }])
    };
    for (file, words) in [
        (zip(&[]), "without PyTorch's data.pkl"),
        (zip(&[stored("a/other", b"x"), stored("adata.pkl", b"x")]), "without PyTorch's data.pkl"),
        (
            zip(&[Entry { name: "a/data.pkl", data: b"\x03\0", method: 8, sizes: Some((2, u32::MAX - 1)) }]),
            "compressed",
        ),
        (bomb(0, Some((u32::MAX - 1, u32::MAX - 1))), "lies outside"),
        (bomb(0, Some((16, 1 << 30))), "lies outside"),
        (zip(&[stored("a/data.pkl", b"\x80\x02}."), stored("a/byteorder", b"big")]), "big-endian"),
        (zip(&[stored("a/data.pkl", &tensor("FloatStorage", "0", 0, &[4], &[1]))]), "'a/data/0' is missing"),
        (
            zip(&[
                stored("a/data.pkl", &tensor("FloatStorage", "0", 0, &[4], &[1])),
                Entry { name: "a/data/0", data: b"\x03\0", method: 8, sizes: Some((2, 1 << 30)) },
            ]),
            "'a/data/0' is compressed",
        ),
        // A storage elsewhere in the archive, or outside it, is no storage.
        (pickled(&tensor("FloatStorage", "../data.pkl", 0, &[4], &[1])), "is missing"),
    ] {
        let said = said(&file);
        assert!(said.contains(words), "{words}: {said}");
    }
    // The unread entry harms nobody: the archive's model is what is missing.
    assert!(said(&bomb(8, Some((16, u32::MAX - 1)))).contains("not a CLIP model"));
    // The directory may claim 65,535 entries and hold two.
    let mut many = pickled(b"\x80\x02}.");
    let end = many.len() - 14;
    many[end..end + 4].fill(0xff);
    assert!(said(&many).contains("zip directory"));
}

#[test]
fn tensors_stay_inside_their_storage() {
    let one = |class, offset, shape: &[i32], strides: &[i32]| pickled(&tensor(class, "0", offset, shape, strides));
    for (file, words) in [
        (one("FloatStorage", 0, &[17], &[1]), "reaches beyond"),
        (one("FloatStorage", 13, &[4], &[1]), "reaches beyond"),
        (one("FloatStorage", 16, &[], &[]), "reaches beyond"),
        (one("FloatStorage", i32::MAX, &[1], &[1]), "reaches beyond"),
        (one("FloatStorage", 0, &[4, 4], &[5, 1]), "reaches beyond"),
        (one("FloatStorage", 0, &[i32::MAX; 4], &[1; 4]), "reaches beyond"),
        (one("FloatStorage", 0, &[2; 4], &[i32::MAX; 4]), "reaches beyond"),
        (one("FloatStorage", 0, &[1 << 20], &[0]), "reaches beyond"),
        (one("FloatStorage", 0, &[2], &[1, 1]), "reaches beyond"),
        (one("DoubleStorage", 0, &[9], &[1]), "reaches beyond"),
        (one("FloatStorage", -1, &[1], &[1]), "not described"),
        (one("FloatStorage", 0, &[-4], &[1]), "not described"),
        (one("FloatStorage", 0, &[4], &[-1]), "not described"),
        (one("QUInt8Storage", 0, &[4], &[1]), "QUInt8Storage"),
        (one("system", 0, &[4], &[1]), "not supported"),
        // Whole and inside: what is wrong is that a model is missing.
        (one("FloatStorage", 12, &[4], &[1]), "not a CLIP model"),
        (one("FloatStorage", 0, &[0, i32::MAX, i32::MAX], &[0, 1, 1]), "not a CLIP model"),
    ] {
        let said = said(&file);
        assert!(said.contains(words), "{words}: {said}");
    }
}

#[test]
fn pickles_are_data_and_nothing_runs() {
    let room = tempfile::tempdir().unwrap();
    let witness = room.path().join("witness");
    let command = format!("touch {}", witness.display());
    let call = |module: &str, name: &str| {
        let mut out = format!("\x02c{module}\n{name}\n").into_bytes();
        out.insert(0, 0x80);
        text(&mut out, &command);
        out.extend(b"\x85R.");
        out
    };
    for (module, name) in [("posix", "system"), ("builtins", "exec"), ("os", "system"), ("torch._utils", "_rebuild_x")]
    {
        assert!(said(&pickled(&call(module, name))).contains("neither a state dict nor a module"));
    }
    assert!(!witness.exists());
    for (pickle, words) in [
        (b"".as_slice(), "ends too early at byte 0"),
        (b"\x80\x02", "ends too early"),
        (b"\x80\x07.", "protocol 7"),
        (b"\x80\x02ios\nsystem\n.", "opcode 0x69"),
        (b"\x80\x02Pid\n.", "opcode 0x50"),
        (b"\x80\x02\x82\x01.", "opcode 0x82"),
        (b"\x80\x02.", "stack is empty"),
        (b"\x80\x02t.", "no mark"),
        (b"\x80\x02(}\x85.", "neither a state dict"),
        (b"\x80\x02}(\x85.", "stack is empty"),
        (b"\x80\x02}(K\x01u.", "a key has no value"),
        (b"\x80\x02K\x01K\x02K\x03s.", "a plain value is changed"),
        (b"\x80\x02)K\x01K\x02s.", "what is no dictionary"),
        (b"\x80\x02}K\x01a.", "what is no list"),
        (b"\x80\x02h\x05.", "nothing was remembered as 5"),
        (b"\x80\x02j\xff\xff\xff\xff.", "nothing was remembered"),
        (b"\x80\x02X\xff\xff\xff\xffabc", "ends too early"),
        (b"\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\xffabc", "absurd"),
        (b"\x80\x02X\x02\x00\x00\x00\xff\xfe.", "not UTF-8"),
        (b"\x80\x02\x8b\xff\xff\xff\x7f.", "ends too early"),
        (b"\x80\x02ctorch", "no end"),
        (b"\x80\x02K\x01K\x02\x93.", "no text"),
        (b"\x80\x02K\x01.", "neither a state dict"),
        (b"\x80\x02].", "neither a state dict"),
        (b"\x80\x02}q\x00X\x05\x00\x00\x00modelh\x00s.", "not a CLIP model"),
    ] {
        let said = said(&pickled(pickle));
        assert!(said.contains(words), "{words}: {said}");
    }
}

/// Lists in lists, tuples in tuples, modules in modules, a module in itself, and a memo that doubles.
#[test]
fn depth_and_sharing_cost_nothing() {
    let mut lists = b"\x80\x02".to_vec();
    lists.extend(vec![b']'; 30_000]);
    lists.extend(vec![b'a'; 29_999]);
    lists.push(b'.');
    assert!(said(&pickled(&lists)).contains("neither a state dict"));
    let mut tuples = b"\x80\x02)".to_vec();
    tuples.extend(vec![0x85; 60_000]);
    tuples.push(b'.');
    assert!(said(&pickled(&tuples)).contains("neither a state dict"));
    assert!(said(&pickled(&vec![b'('; 100_000])).contains("far more objects"));

    let class = b"c__torch__\nM\n)\x81}(";
    let nested = |times: usize| {
        let mut out = b"\x80\x02".to_vec();
        for _ in 0..times {
            out.extend(class);
            text(&mut out, "m");
        }
        out.extend(b"K\x01");
        out.extend(b"ub".repeat(times));
        out.push(b'.');
        out
    };
    assert!(said(&pickled(&nested(1000))).contains("nested far deeper"));
    assert!(said(&pickled(&nested(20))).contains("not a CLIP model"));

    let mut itself = b"\x80\x02c__torch__\nM\n)\x81q\x00}(".to_vec();
    text(&mut itself, "m");
    itself.extend(b"h\x00ub.");
    assert!(said(&pickled(&itself)).contains("not a CLIP model"));

    // Each module holds the one before twice: 2^25 paths lead to the innermost.
    let mut doubling = b"\x80\x02c__torch__\nM\n)\x81}bq\x00".to_vec();
    for _ in 0..25 {
        doubling.extend(b"0");
        doubling.extend(class);
        for name in ["a", "b"] {
            text(&mut doubling, name);
            doubling.extend(b"h\x00");
        }
        doubling.extend(b"ubq\x00");
    }
    doubling.push(b'.');
    assert!(said(&pickled(&doubling)).contains("not a CLIP model"));

    let mut remembered = b"\x80\x04}".to_vec();
    remembered.extend(vec![0x94; 100_000]);
    remembered.push(b'.');
    assert!(said(&pickled(&remembered)).contains("far more objects"));
    let mut repeated = b"\x80\x02}q\x00(".to_vec();
    repeated.extend(b"h\x00".repeat(100_000));
    repeated.extend(b"t.");
    assert!(said(&pickled(&repeated)).contains("far more objects"));
    assert!(said(&pickled(b"\x80\x02}r\xff\xff\xff\xffj\xff\xff\xff\xff0.")).contains("not a CLIP model"));
}
