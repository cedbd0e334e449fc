//! Every kind of fault: counted, named, skipped.

use super::*;
use crate::recipe::Sampling;

/// Counts of the first epoch and the good samples in it.
fn counts(recipe: &Recipe, good: usize) -> (Vec<(FaultKind, u64)>, Vec<Fault>) {
    let mut source = source(recipe);
    for _ in 0..good {
        source.next_batch().unwrap_or_else(|error| panic!("{error}: {:?}", source.take_faults()));
    }
    // The faults after the last good sample belong to the next batch, the epoch's first again.
    source.next_batch().unwrap();
    let faults = source.take_faults();
    let mut first = std::collections::BTreeMap::new();
    let mut seen = std::collections::BTreeSet::new();
    for fault in faults.iter().filter(|fault| seen.insert((fault.kind, fault.place.clone()))) {
        *first.entry(fault.kind).or_insert(0) += 1;
    }
    (first.into_iter().collect(), faults)
}

fn member(name: &str, data: impl AsRef<[u8]>) -> (String, Vec<u8>) {
    (name.to_owned(), data.as_ref().to_vec())
}

#[test]
fn samples_of_a_tar() {
    use FaultKind::{BrokenImage, CaptionNotText, EmptyCaption, HugeImage, HugeMember, MissingCaption};

    let folder = Folder::new();
    let wide = RgbImage::new(5000, 2);
    let mut huge = std::io::Cursor::new(Vec::new());
    wide.write_to(&mut huge, image::ImageFormat::Png).unwrap();
    let mut members: Vec<(String, Vec<u8>)> = (0..3).flat_map(pair).collect();
    members.extend([
        member("1_broken.png", &png(9)[..60]),
        member("1_broken.txt", "x"),
        member("2_no_image.png", "<html>not found</html>"),
        member("2_no_image.txt", "x"),
        member("3_huge.png", huge.into_inner()),
        member("3_huge.txt", "x"),
        member("4_alone.txt", "x"),
        member("5_silent.png", png(1)),
        member("6_blank.png", png(1)),
        member("6_blank.txt", " \n\t"),
        member("7_latin.png", png(1)),
        member("7_latin.txt", b"caf\xe9"),
        member("8_twice.png", png(1)),
        member("8_twice.png", png(2)),
        member("8_twice.txt", "x"),
        member("../9_out.png", png(1)),
        member("../9_out.txt", "x"),
        member("10_long.png", png(1)),
        member("10_long.txt", vec![b'x'; (1 << 20) + 1]),
    ]);
    folder.write("a.tar", tar_of(&members));
    let (found, faults) = counts(&recipe(&folder.0), 3);
    let wanted = [
        (BrokenImage, 2),
        (HugeImage, 1),
        (FaultKind::MissingImage, 1),
        (MissingCaption, 1),
        (EmptyCaption, 1),
        (CaptionNotText, 1),
        (FaultKind::RepeatedMember, 1),
        (HugeMember, 1),
        (FaultKind::OutsidePath, 1),
    ];
    assert_eq!(found, wanted);
    let silent = faults.iter().find(|fault| fault.kind == MissingCaption).unwrap().to_string();
    assert!(silent.starts_with("There is no txt: ") && silent.ends_with("a.tar: 5_silent"), "{silent}");
    assert!(!folder.0.parent().unwrap().join("9_out.png").exists());
}

#[test]
fn captions_by_key() {
    let folder = Folder::new();
    let mut members: Vec<(String, Vec<u8>)> = (0..4).flat_map(pair).collect();
    members.extend([
        member("000000000.json", "{\"top\": \"good\"}"),
        member("000000001.json", "{\"other\": \"no\"}"),
        member("000000002.json", "{\"top\": "),
    ]);
    folder.write("a.tar", tar_of(&members));
    let (found, _) = counts(&Recipe { caption_key: "top".to_owned(), ..recipe(&folder.0) }, 1);
    assert_eq!(found, [(FaultKind::MissingCaption, 2), (FaultKind::BrokenRecord, 1)]);
}

#[test]
fn broken_shards() {
    let folder = Folder::new();
    folder.write("good.tar", tar_with(0..2));
    let mut cut = tar_with(2..4);
    cut.truncate(7 * 512 + 3);
    folder.write("cut.tar", cut);
    let mut damaged = tar_with(4..6);
    damaged[4 * 512 + 10] ^= 0xff;
    folder.write("damaged.tar", damaged);
    folder.write("empty.tar", "");
    folder.write("packed.tar", b"\x1f\x8b\x08\0rest");
    folder.write("zeros.tar", [0; 10_240]);
    folder.write("none.parquet", "PAR1 but no more");
    let mut recipe = recipe(folder.0.join("{good,cut,damaged,empty,packed,zeros,absent}.tar"));
    recipe.data.push(folder.0.join("none.parquet").display().to_string());
    // Of cut.tar and damaged.tar the first sample of two is whole.
    let (found, faults) = counts(&recipe, 4);
    let wanted = [
        (FaultKind::CutMember, 1),
        (FaultKind::UnreadableShard, 1),
        (FaultKind::UnknownShard, 3),
        (FaultKind::CutShard, 1),
        (FaultKind::BrokenShard, 2),
    ];
    assert_eq!(found, wanted, "{faults:#?}");
}

#[test]
fn every_cut_and_every_flipped_byte_of_a_shard_is_survived() {
    let folder = Folder::new();
    let keys = Arc::new(record::Keys { caption: String::new(), negatives: true });
    let read = |name: &str, bytes: &[u8]| {
        let path = folder.write(name, bytes);
        if let Ok(opened) = plan::open(&listing::ShardSource::Archive(path), &keys) {
            assert!(opened.shard.len() <= 100);
            (0..opened.shard.len()).for_each(|sample| drop(opened.shard.read(sample)));
        }
    };
    for name in ["00000.parquet", "zstd.parquet", "pax.tar"] {
        let whole = std::fs::read(golden(name)).unwrap();
        let step = whole.len() / 150;
        for at in (0..whole.len()).step_by(step.max(1)) {
            read(name, &whole[..at]);
            let mut flipped = whole.clone();
            flipped[at] ^= 0xff;
            read(name, &flipped);
        }
        // The description at the end of a Parquet file is where a byte decides most.
        for back in 1..300.min(whole.len()) {
            let mut flipped = whole.clone();
            flipped[whole.len() - back] ^= 0x55;
            read(name, &flipped);
        }
    }
}

#[test]
fn rows_of_files() {
    let folder = Folder::new();
    folder.write("0.png", png(0));
    folder.write("3.png", "no image");
    let lines = [
        &b"{\"image\": \"0.png\", \"caption\": \"good\"}"[..],
        b"{\"image\": \"1.png\", \"caption\": \"absent\"}",
        b"{\"image\": \"../0.png\", \"caption\": \"outside\"}",
        b"{\"image\": \"/etc/hostname\", \"caption\": \"outside too\"}",
        b"{\"image\": \"0.png\"}",
        b"{\"image\": \"0.png\", \"caption\": \"caf\xe9\"}",
        b"not JSON",
        b"{\"image\": \"3.png\", \"caption\": \"broken\"}",
        b"{\"caption\": \"no image\"}",
        b"{\"image\": \".\", \"caption\": \"a folder\"}",
    ];
    folder.write("captions.jsonl", lines.join(&b'\n'));
    let (found, faults) = counts(&recipe(&folder.0), 1);
    let wanted = [
        (FaultKind::BrokenImage, 1),
        (FaultKind::MissingImage, 2),
        (FaultKind::MissingCaption, 1),
        (FaultKind::CaptionNotText, 1),
        (FaultKind::BrokenRecord, 1),
        (FaultKind::OutsidePath, 2),
        (FaultKind::UnreadableSample, 1),
    ];
    assert_eq!(found, wanted, "{faults:#?}");
    assert!(faults.iter().any(|fault| fault.place.ends_with("captions.jsonl: row 7")), "{faults:#?}");

    let table = folder.write("t.csv", b"title,filepath\ngood,0.png\nshort\n\xff,0.png\n\"open,0.png\n".as_slice());
    let long = [std::fs::read(&table).unwrap(), vec![b'x'; 2 << 20]].concat();
    std::fs::write(&table, long).unwrap();
    let (found, _) = counts(&recipe(&table), 1);
    let wanted = [(FaultKind::CaptionNotText, 1), (FaultKind::BrokenRecord, 1), (FaultKind::BrokenShard, 1)];
    assert_eq!(found, wanted);
}

#[test]
fn all_broken_ends_with_a_sentence() {
    let folder = Folder::new();
    folder.write("a.tar", "no tar");
    folder.write("b.tar", tar_of(&[member("1.txt", "alone")]));
    for sampling in [Sampling::Epochs, Sampling::Replacement] {
        let mut source = source(&Recipe { sampling, ..recipe(&folder.0) });
        let error = source.next_batch().unwrap_err().to_string();
        assert!(error.starts_with("All training data is broken: "), "{error}");
        assert!(!source.take_faults().is_empty());
        assert!(source.next_batch().is_err(), "and again");
    }
    folder.write("c.tar", tar_with(0..2));
    let error = source(&Recipe { batch: 5, ..recipe(&folder.0) }).next_batch().unwrap_err().to_string();
    assert_eq!(error, "A batch of 5 cannot be taken from 2 usable samples");
}
