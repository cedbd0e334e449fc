use super::*;
use crate::benchmark::fixtures::{Data, skipped};

/// Shards that webdataset's own writer made.
fn golden() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/benchmarks/wds")
}

fn copy(set: &str) -> Data {
    let data = Data::new();
    for file in [
        "dataset_type.txt",
        "classnames.txt",
        "zeroshot_classification_templates.txt",
        "test/nshards.txt",
        "test/0.tar",
        "test/1.tar",
    ] {
        let from = golden().join(set).join(file);
        if from.is_file() {
            data.text(&format!("{set}/{file}"), "");
            std::fs::copy(from, data.path().join(set).join(file)).unwrap();
        }
    }
    data
}

#[test]
fn classification_and_retrieval_sets_are_read_side_by_side() {
    let found = read(&golden()).unwrap();
    let named: Vec<_> = found.iter().map(|b| (b.label(), b.len(), b.images.len())).collect();
    let expected = [("captions-image-to-text", 3, 3), ("captions-text-to-image", 4, 3), ("colours", 6, 6)];
    assert_eq!(named, expected.map(|(task, n, images)| (format!("webdataset/{task}"), n, images)));
    let Items::Classes { classes, templates, labels } = &found[2].items else { panic!("not classes") };
    assert_eq!(
        (classes.as_slice(), labels.as_slice()),
        (&["red", "blue"].map(String::from)[..], &[0, 1, 0, 1, 0, 1][..])
    );
    assert_eq!(templates, &["a {} image.", "the {} one."]);
    let Items::Retrieval(retrieval) = &found[1].items else { panic!("not retrieval") };
    assert_eq!(retrieval.captions, ["caption 0", "caption 1", "two\nlines 1", "caption 2"]);
    assert_eq!(retrieval.image_of, [0, 1, 1, 2]);
}

#[test]
fn images_lie_where_they_are_said_to() {
    let found = read(&golden()).unwrap();
    for image in found[2].images.iter().chain(&found[0].images) {
        let ImageRef::Stored { archive, offset, length, name } = image else { panic!("{image:?}") };
        let bytes = std::fs::read(archive).unwrap();
        let stored = &bytes[*offset as usize..(*offset + *length) as usize];
        let start: &[u8] =
            if std::path::Path::new(name).extension().is_some_and(|e| e == "png") { b"\x89PNG" } else { b"RIFF" };
        assert!(stored.starts_with(start), "{name}");
    }
    let keys: std::collections::BTreeSet<_> = found[2].images.iter().map(ImageRef::key).collect();
    assert_eq!(keys.len(), 6, "every image has its own key");
}

#[test]
fn a_cut_shard_gives_what_comes_before() {
    let data = copy("colours");
    let shard = data.path().join("colours/test/1.tar");
    let whole = std::fs::read(&shard).unwrap();
    let mut counts = Vec::new();
    for cut in (0..whole.len()).step_by(256) {
        std::fs::write(&shard, &whole[..cut]).unwrap();
        counts.push(read(data.path()).map_or(0, |found| found[0].len()));
    }
    assert!(counts.windows(2).all(|pair| pair[0] <= pair[1]), "{counts:?}");
    assert_eq!((counts[0], counts.last()), (3, Some(&6)));
}

#[test]
fn missing_shards_and_other_kinds_are_said() {
    let data = copy("colours");
    std::fs::remove_file(data.path().join("colours/test/1.tar")).unwrap();
    let error = read(data.path()).unwrap_err().to_string();
    assert!(error.contains("says 2 shards, but 1.tar is not there"), "{error}");
    data.text("colours/test/nshards.txt", "1").text("colours/classnames.txt", "red\n");
    let found = read(data.path()).unwrap();
    assert_eq!(skipped(&found[0])[0].1, "its label is none of the classes");
    data.text("colours/dataset_type.txt", "multilabel");
    assert!(read(data.path()).unwrap_err().to_string().contains("multi-label"));
    data.text("colours/dataset_type.txt", "").text("colours/zeroshot_classification_templates.txt", "no place");
    assert!(matches!(read(data.path()), Err(ReadError::Template { .. })));
}
