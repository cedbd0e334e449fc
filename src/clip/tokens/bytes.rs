//! The characters that stand for bytes in a CLIP vocabulary (`bytes_to_unicode` of OpenAI's tokenizer).

/// Bytes that stand for themselves; the others are white space, control characters and holes of Latin-1.
fn is_visible(byte: u8) -> bool {
    matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff)
}

/// The character of each byte, by byte: itself where visible, else the next one from U+0100 on.
pub(super) fn byte_characters() -> [char; 256] {
    let mut hidden = (0x100..=0x1ff_u32).filter_map(char::from_u32);
    std::array::from_fn(|byte| {
        let byte = byte as u8;
        if is_visible(byte) { char::from(byte) } else { hidden.next().unwrap_or(char::from(byte)) }
    })
}

/// The first 512 entries of every CLIP vocabulary: the bytes' characters, visible ones first, then the same with `</w>`.
pub(super) fn byte_vocabulary() -> Vec<String> {
    let characters = byte_characters();
    let bytes = |visible: bool| (0..=255_u8).filter(move |&byte| is_visible(byte) == visible);
    let order: Vec<char> = bytes(true).chain(bytes(false)).map(|byte| characters[usize::from(byte)]).collect();
    let inner = order.iter().map(char::to_string);
    inner.chain(order.iter().map(|character| format!("{character}</w>"))).collect()
}
