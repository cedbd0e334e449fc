//! A whole weights file of any format: safetensors headers, zip directories, pickles.

#![no_main]

use std::path::Path;

use clove::checkpoint::{Checkpoint, Options};
use clove::kernels::Activation;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|file: &[u8]| {
    let _ = Checkpoint::from_bytes(Path::new("fuzz"), file, Options { activation: Some(Activation::Gelu) });
});
