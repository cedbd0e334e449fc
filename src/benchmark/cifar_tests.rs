use super::*;
use crate::benchmark::fixtures::{Data, skipped};

/// `n` records: label bytes, then planes in which red is the record, green the column and blue the row.
fn records(labels: &[&[u8]]) -> Vec<u8> {
    let plane = |value: &dyn Fn(usize) -> u8| (0..PLANE).map(value).collect::<Vec<_>>();
    let record = |(i, labels): (usize, &&[u8])| {
        [labels.to_vec(), plane(&|_| i as u8), plane(&|p| (p % SIDE) as u8), plane(&|p| (p / SIDE) as u8)].concat()
    };
    labels.iter().enumerate().flat_map(record).collect()
}

fn write(data: &Data, file: &str, bytes: &[u8]) {
    data.text(file, "");
    std::fs::write(data.path().join(file), bytes).unwrap();
}

fn labels(benchmark: &Benchmark) -> &[usize] {
    match &benchmark.items {
        Items::Classes { labels, .. } => labels,
        _ => panic!("not classes"),
    }
}

#[test]
fn cifar10_records_become_images() {
    let data = Data::new();
    write(&data, "cifar-10-batches-bin/test_batch.bin", &records(&[&[3], &[9], &[10], &[0]]));
    let benchmark = read(&CIFAR10, data.path()).unwrap();
    assert_eq!((labels(&benchmark), benchmark.n_in_file), (&[3, 9, 0][..], 4));
    assert_eq!(skipped(&benchmark)[0].0, "2", "there are ten classes");
    let ImageRef::Drawn { image, .. } = &benchmark.images[2] else { panic!("not drawn") };
    let image = image.render();
    assert_eq!((image.dimensions(), image.get_pixel(5, 7).0), ((32, 32), [3, 5, 7]));
    assert!(benchmark.protocol.contains("10 classes, mean of 18 prompts"), "{}", benchmark.protocol);
}

#[test]
fn cifar100_has_a_coarse_label_first_and_names_in_a_file() {
    let data = Data::new();
    write(&data, "cifar-100-binary/test.bin", &records(&[&[1, 99], &[2, 1]]));
    let benchmark = read(&CIFAR100, data.path()).unwrap();
    assert_eq!(labels(&benchmark), [99, 1]);
    let Items::Classes { classes, .. } = &benchmark.items else { panic!("not classes") };
    assert_eq!((classes.len(), classes[1].as_str(), classes[99].as_str()), (100, "aquarium fish", "worm"));
    data.text("cifar-100-binary/fine_label_names.txt", "one\ntwo\n");
    assert!(matches!(read(&CIFAR100, data.path()), Err(ReadError::ClassNames { lines: 2, folders: 100, .. })));
}

#[test]
fn a_cut_file_loses_its_last_image_only() {
    let data = Data::new();
    let whole = records(&[&[3], &[9]]);
    for cut in [1, 2, 3072, 3073, 3074, 6145] {
        write(&data, "test_batch.bin", &whole[..cut]);
        match read(&CIFAR10, data.path()) {
            Ok(benchmark) => assert!(cut >= 3073 && benchmark.len() == 1, "{cut}"),
            Err(error) => assert!(cut < 3073, "{cut}: {error}"),
        }
    }
}

#[test]
fn pickles_are_refused_with_what_to_do() {
    let data = Data::new();
    write(&data, "cifar-10-batches-py/test_batch", b"\x80\x02}q\x01(U\x0bbatch_labelq\x02U\x15");
    let error = read(&CIFAR10, data.path()).unwrap_err().to_string();
    assert!(error.contains("pickle") && error.contains("cifar-10-batches-bin/test_batch.bin"), "{error}");
    assert!(matches!(read(&CIFAR100, data.path()), Err(ReadError::NotFound { .. })));
}

#[test]
fn prompts_are_the_published_set() {
    let prompts = templates();
    assert_eq!(prompts.len(), 18);
    // CLIP_benchmark, en_zeroshot_classification_templates.json["cifar10"]
    for known in
        ["a photo of a {}.", "a low contrast photo of the {}.", "a photo of a small {}.", "a photo of the big {}."]
    {
        assert!(prompts.iter().any(|prompt| prompt == known), "{known}");
    }
    assert!(prompts.iter().all(|prompt| prompt.contains("{}") && !prompt.contains("{art}")));
}
