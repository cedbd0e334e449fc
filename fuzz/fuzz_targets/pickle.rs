//! The pickle inside a PyTorch archive whose zip is whole: the opcode walker and the search for tensors.

#![no_main]

use std::io::{Cursor, Write as _};
use std::path::Path;

use clove::checkpoint::{Checkpoint, Options};
use clove::kernels::Activation;
use libfuzzer_sys::fuzz_target;
use zip::{ZipWriter, write::SimpleFileOptions};

fn archive(pickle: &[u8]) -> zip::result::ZipResult<Vec<u8>> {
    let mut writer = ZipWriter::new(Cursor::new(Vec::new()));
    let mut add = |name: &str, bytes: &[u8]| {
        writer.start_file(name, SimpleFileOptions::default())?;
        writer.write_all(bytes).map_err(zip::result::ZipError::from)
    };
    add("a/data.pkl", pickle)?;
    for storage in 0..4 {
        add(&format!("a/data/{storage}"), &[storage; 256])?;
    }
    Ok(writer.finish()?.into_inner())
}

fuzz_target!(|pickle: &[u8]| {
    let file = archive(pickle).expect("an archive in memory is written");
    let _ = Checkpoint::from_bytes(Path::new("fuzz"), &file, Options { activation: Some(Activation::Gelu) });
});
