//! The readers of benchmarks, chosen by the first byte: JSON, JSON lines, CSV, MATLAB, CIFAR and tar.
//! Not Parquet: its crate panics on damaged metadata, which the reader turns into an error, and a fuzzer does not.
//! Set TMPDIR to a folder in memory.

#![no_main]

use std::path::Path;

use clove::benchmark::read;
use libfuzzer_sys::fuzz_target;

/// A benchmark, the file that gets the bytes, and files that must lie beside it.
const FILES: [(&str, &str, &[&str]); 16] = [
    ("aro-relation", "visual_genome_relation.json", &[]),
    ("aro-attribution", "visual_genome_attribution.json", &[]),
    ("aro-coco-order", "coco_order/instances.json", &[]),
    ("aro-flickr-order", "flickr30k_test.json", &[]),
    ("sugarcrepe", "add_obj.json", &[]),
    ("sugarcrepe-pp", "swap_obj.json", &[]),
    ("svo-probes", "svo_probes.csv", &[]),
    ("winoground", "examples.jsonl", &[]),
    ("colorswap", "test.json", &[]),
    ("cola", "COLA_multiobjects_matching_benchmark.json", &[]),
    ("pairs", "pairs.jsonl", &[]),
    ("retrieval-coco", "dataset_coco.json", &[]),
    ("imagenet", "meta.mat", &["ILSVRC2012_val_00000001.JPEG", "ILSVRC2012_validation_ground_truth.txt"]),
    ("imagenet", "imagenet_classnames.json", &["n01440764/ILSVRC2012_val_00000001.JPEG"]),
    ("cifar10", "test_batch.bin", &[]),
    ("webdataset", "0.tar", &[]),
];

fn put(folder: &Path, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap_or(folder))?;
    std::fs::write(path, bytes)
}

fuzz_target!(|data: &[u8]| {
    let Some((which, bytes)) = data.split_first() else { return };
    let (benchmark, file, beside) = FILES[usize::from(*which) % FILES.len()];
    let folder = std::env::temp_dir().join(format!("clove-fuzz-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    put(&folder, file, bytes).expect("the folder can be written");
    for name in beside {
        put(&folder, name, b"1").expect("the folder can be written");
    }
    let _ = read(benchmark, &folder);
});
