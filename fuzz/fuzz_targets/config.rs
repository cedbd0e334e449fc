#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let parts = clove::checkpoint::Parts { name: "fuzz", weights: data, config: "{}", tokenizer: b"" };
    let _ = clove::checkpoint::Checkpoint::from_parts(parts);
});
