//! The JSON readers: Hugging Face's configuration, open_clip's, and the index of shards, chosen by the first byte.

#![no_main]

use std::path::Path;

use clove::checkpoint::{Naming, read_config, shard_names};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((which, text)) = data.split_first() else { return };
    match which {
        b'h' => drop(read_config(&String::from_utf8_lossy(text), Naming::Hf, Path::new("fuzz"))),
        b'o' => drop(read_config(&String::from_utf8_lossy(text), Naming::OpenClip, Path::new("fuzz"))),
        _ => {
            for name in shard_names(text).unwrap_or_default() {
                assert_eq!(Path::new(&name).components().count(), 1, "{name} leads out of the folder");
            }
        }
    }
});
