//! The benchmarks by name.

use std::path::Path;

use super::{
    Benchmark, Items, ReadError, Retrieval, Tagger, aro, aro_order, cifar, duels, folder, imagenet, karpathy, locate,
    pairs, sugarcrepe, sugarcrepe_pp, svo, webdataset, winoground,
};

/// What is known of a benchmark before it is read.
struct Entry {
    name: &'static str,
    title: &'static str,
    /// What people need and where they get it.
    from: &'static str,
}

const fn entry(name: &'static str, title: &'static str, from: &'static str) -> Entry {
    Entry { name, title, from }
}

/// Recognition first, then composition, then retrieval.
const ENTRIES: [Entry; 19] = [
    entry(
        imagenet::IMAGENET,
        "ImageNet",
        "the validation images, as class folders or flat with a label list; https://image-net.org, after registration",
    ),
    entry(
        imagenet::V2,
        "ImageNetV2",
        "imagenetv2-matched-frequency.tar.gz; https://huggingface.co/datasets/vaishaal/ImageNetV2",
    ),
    entry(
        cifar::CIFAR10.name,
        "CIFAR-10",
        "cifar-10-binary.tar.gz, unpacked; https://www.cs.toronto.edu/~kriz/cifar.html",
    ),
    entry(
        cifar::CIFAR100.name,
        "CIFAR-100",
        "cifar-100-binary.tar.gz, unpacked; https://www.cs.toronto.edu/~kriz/cifar.html",
    ),
    entry(folder::NAME, "Recognition (class folders)", "any two or more folders of images, named by their class"),
    entry(
        webdataset::NAME,
        "Webdataset",
        "folders of shards as clip_benchmark_export_wds writes; https://huggingface.co/clip-benchmark",
    ),
    entry(
        aro::RELATION,
        "ARO relation",
        "visual_genome_relation.json and images/; links in \
         https://github.com/mertyg/vision-language-models-are-bows, dataset_zoo/aro_datasets.py",
    ),
    entry(
        aro::ATTRIBUTION,
        "ARO attribution",
        "visual_genome_attribution.json and images/; links in \
         https://github.com/mertyg/vision-language-models-are-bows, dataset_zoo/aro_datasets.py",
    ),
    entry(
        aro_order::COCO,
        "ARO COCO order",
        "instances.json (pre-generated options), or coco_karpathy_test.json with coco_karpathy_test_tags.json, and \
         COCO's val2014; https://storage.googleapis.com/sfr-vision-language-research/datasets/coco_karpathy_test.json \
         and https://cocodataset.org",
    ),
    entry(
        aro_order::FLICKR,
        "ARO Flickr30k order",
        "instances.json (pre-generated options) in a folder named after Flickr, or flickr30k_test.json with \
         flickr30k_test_tags.json, and flickr30k-images; \
         https://storage.googleapis.com/sfr-vision-language-research/datasets/flickr30k_test.json and \
         https://forms.illinois.edu/sec/229675",
    ),
    entry(
        sugarcrepe::NAME,
        "SugarCrepe",
        "data/*.json of https://github.com/RAIVNLab/sugar-crepe and COCO's val2017; https://cocodataset.org",
    ),
    entry(
        sugarcrepe_pp::NAME,
        "SugarCrepe++",
        "data/*.json of https://github.com/Sri-Harsha/scpp and COCO's val2017; https://cocodataset.org",
    ),
    entry(
        svo::NAME,
        "SVO-Probes",
        "svo_probes.csv of https://github.com/deepmind/svo_probes, and its images, which must be fetched from their \
         addresses: images/<MD5 of the address>, or images/<id>.jpg",
    ),
    entry(
        winoground::WINOGROUND,
        "Winoground",
        "data/test-*.parquet, or data/examples.jsonl and data/images.zip, unpacked; \
         https://huggingface.co/datasets/facebook/winoground, after its terms",
    ),
    entry(
        winoground::COLA,
        "Cola",
        "COLA_multiobjects_matching_benchmark.json of https://github.com/arijitray1993/COLA and Visual Genome's images",
    ),
    entry(
        winoground::COLORSWAP,
        "ColorSwap",
        "data/test.json of https://github.com/Top34051/colorswap and the images of \
         https://huggingface.co/datasets/stanfordnlp/colorswap",
    ),
    entry(
        pairs::NAME,
        "Own pairs",
        "pairs.jsonl: {\"image\", \"caption\", \"negatives\": [...], \"tags\": [...]} per line",
    ),
    entry(
        karpathy::COCO,
        "COCO retrieval",
        "coco_karpathy_test.json, dataset_coco.json or coco_test_karpathy.json, and COCO's val2014; \
         https://storage.googleapis.com/sfr-vision-language-research/datasets/coco_karpathy_test.json and \
         https://cocodataset.org",
    ),
    entry(
        karpathy::FLICKR,
        "Flickr30k retrieval",
        "flickr30k_test.json, dataset_flickr30k.json or flickr30k_test_karpathy.txt, and flickr30k-images; \
         https://storage.googleapis.com/sfr-vision-language-research/datasets/flickr30k_test.json and \
         https://forms.illinois.edu/sec/229675",
    ),
];

const fn names() -> [&'static str; ENTRIES.len()] {
    let mut names = [""; ENTRIES.len()];
    let mut i = 0;
    while i < names.len() {
        names[i] = ENTRIES[i].name;
        i += 1;
    }
    names
}

/// Names accepted by `--benchmark`: recognition, then composition, then retrieval.
pub const NAMES: &[&str] = &names();

/// Reads one benchmark, one of [`NAMES`], from the folder `data`: the published files are looked for in it and one
/// folder below. One benchmark per task. Images are only looked up, not opened.
pub fn read(name: &str, data: &Path) -> Result<Vec<Benchmark>, ReadError> {
    read_tagged(name, data, None)
}

/// As [`read`]; `tagger` makes ARO's word orders where only captions are at hand.
pub fn read_tagged(name: &str, data: &Path, tagger: Option<&dyn Tagger>) -> Result<Vec<Benchmark>, ReadError> {
    match name {
        imagenet::IMAGENET => Ok(vec![imagenet::read(data)?]),
        imagenet::V2 => Ok(vec![imagenet::read_v2(data)?]),
        "cifar10" => Ok(vec![cifar::read(&cifar::CIFAR10, data)?]),
        "cifar100" => Ok(vec![cifar::read(&cifar::CIFAR100, data)?]),
        folder::NAME => Ok(vec![folder::read(data)?]),
        webdataset::NAME => webdataset::read(data),
        aro::RELATION => Ok(vec![aro::read_relation(data)?]),
        aro::ATTRIBUTION => Ok(vec![aro::read_attribution(data)?]),
        aro_order::COCO => Ok(vec![aro_order::read(aro_order::COCO, data, tagger)?]),
        aro_order::FLICKR => Ok(vec![aro_order::read(aro_order::FLICKR, data, tagger)?]),
        sugarcrepe::NAME => sugarcrepe::read(data),
        sugarcrepe_pp::NAME => sugarcrepe_pp::read(data),
        svo::NAME => svo::read(data),
        winoground::WINOGROUND => winoground::read_winoground(data),
        winoground::COLA => winoground::read_cola(data),
        winoground::COLORSWAP => winoground::read_colorswap(data),
        pairs::NAME => Ok(vec![pairs::read(data)?]),
        karpathy::COCO => karpathy::read(karpathy::COCO, data),
        karpathy::FLICKR => karpathy::read(karpathy::FLICKR, data),
        _ => Err(ReadError::UnknownName { name: name.to_owned() }),
    }
}

/// Which of [`NAMES`] have their files in `data`. Whether these can be used is only known after [`read`]. Class folders
/// that are ImageNet's are not found again as `folder`.
pub fn find(data: &Path) -> Vec<&'static str> {
    let is_imagenet = imagenet::exists(data) || imagenet::v2_exists(data);
    let any = |files: &[&str]| locate::file_where(data, files, |_| true).is_some();
    let is_there = |name: &str| match name {
        imagenet::IMAGENET => imagenet::exists(data),
        imagenet::V2 => imagenet::v2_exists(data),
        "cifar10" => cifar::file(&cifar::CIFAR10, data).is_some(),
        "cifar100" => cifar::file(&cifar::CIFAR100, data).is_some(),
        folder::NAME => !is_imagenet && folder::exists(data),
        webdataset::NAME => webdataset::exists(data),
        aro::RELATION => any(&[aro::RELATION_FILE]),
        aro::ATTRIBUTION => any(&[aro::ATTRIBUTION_FILE]),
        aro_order::COCO => aro_order::exists(aro_order::COCO, data),
        aro_order::FLICKR => aro_order::exists(aro_order::FLICKR, data),
        sugarcrepe::NAME => sugarcrepe::exists(data),
        sugarcrepe_pp::NAME => sugarcrepe_pp::exists(data),
        svo::NAME => any(&[svo::FILE]),
        winoground::WINOGROUND => winoground::winoground_exists(data),
        winoground::COLA => any(&[winoground::COLA_FILE]),
        winoground::COLORSWAP => winoground::colorswap_file(data).is_some(),
        pairs::NAME => any(&[pairs::FILE]),
        karpathy::COCO => any(&karpathy::files(karpathy::COCO)),
        _ => any(&karpathy::files(karpathy::FLICKR)),
    };
    NAMES.iter().copied().filter(|name| is_there(name)).collect()
}

/// What a benchmark needs and where people get it; empty for an unknown name.
pub fn where_from(name: &str) -> &'static str {
    ENTRIES.iter().find(|entry| entry.name == name).map_or("", |entry| entry.from)
}

/// The name of a benchmark's task for people, such as "SugarCrepe replace relation".
pub fn title(name: &str, task: Option<&str>) -> String {
    let known = ENTRIES.iter().find(|entry| entry.name == name);
    let name = known.map_or_else(|| sentence_case(name), |entry| entry.title.to_owned());
    match task {
        Some(task) => format!("{name} {}", task_words(task)),
        None => name,
    }
}

/// Percent right for a model that guesses, under the published metric: the mean over examples of one over the number of
/// options, or the share of orders of the compared similarities that are right. For recall, at 1.
pub fn chance(benchmark: &Benchmark) -> f64 {
    match &benchmark.items {
        Items::Choices(choices) => {
            let guesses: f64 = choices.iter().map(|choice| 1.0 / choice.captions.len().max(1) as f64).sum();
            100.0 * guesses / choices.len().max(1) as f64
        }
        Items::Classes { classes, .. } => 100.0 / classes.len().max(1) as f64,
        // All examples of a task have the same comparisons.
        Items::Duels(duels) => duels.first().map_or(0.0, |duel| duels::chance(&duel.wins)),
        Items::Retrieval(_) => Retrieval::chance(benchmark.images.len()),
    }
}

fn task_words(task: &str) -> String {
    let word = |word| match word {
        "obj" => "object",
        "att" => "attribute",
        "rel" => "relation",
        "itt" => "by image",
        "tot" => "by text alone",
        other => other,
    };
    task.split(['_', '-']).map(word).collect::<Vec<_>>().join(" ")
}

fn sentence_case(name: &str) -> String {
    let words = name.replace(['-', '_'], " ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

#[cfg(test)]
#[path = "catalogue_tests.rs"]
mod tests;
