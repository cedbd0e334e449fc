//! `meta.mat` of ImageNet's devkit: which wnid each of its ids is. As much of MATLAB's level 5 format as that needs
//! (MathWorks, "MAT-File Format", 2019): elements of tag and data, compressed or not, and one array of structs.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use flate2::read::ZlibDecoder;

use super::ReadError;

/// Largest file and largest decompressed element; the published file has about 0.2 MB, and holds 1 MB.
const MAX_BYTES: u64 = 64 << 20;
const HEADER: usize = 128;

// Types of elements.
const MATRIX: u32 = 14;
const COMPRESSED: u32 = 15;
// Classes of arrays.
const STRUCT: u32 = 2;
const CHAR: u32 = 4;

/// The wnids of `synsets` by `ILSVRC2012_ID`, leaves only: ids from 1 to 1000.
pub(super) fn imagenet_ids(path: &Path) -> Result<BTreeMap<u32, String>, ReadError> {
    let io = |source| ReadError::Io { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    File::open(path).map_err(io)?.take(MAX_BYTES).read_to_end(&mut bytes).map_err(io)?;
    let ids = bytes.get(HEADER..).and_then(ids_of).filter(|ids| !ids.is_empty());
    ids.ok_or_else(|| ReadError::Unusable {
        path: path.to_owned(),
        reason: "no list `synsets` with ILSVRC2012_ID and WNID was found in it".to_owned(),
    })
}

fn ids_of(mut rest: &[u8]) -> Option<BTreeMap<u32, String>> {
    while !rest.is_empty() {
        let (kind, data) = element(&mut rest)?;
        let found = if kind == COMPRESSED {
            let mut inflated = Vec::new();
            ZlibDecoder::new(data).take(MAX_BYTES).read_to_end(&mut inflated).ok()?;
            let mut inner = inflated.as_slice();
            let (kind, data) = element(&mut inner)?;
            (kind == MATRIX).then(|| struct_ids(data)).flatten()
        } else {
            (kind == MATRIX).then(|| struct_ids(data)).flatten()
        };
        if found.is_some() {
            return found;
        }
    }
    None
}

/// The next element: type and data. A small element has both in eight bytes; others are padded to eight, but for
/// compressed ones.
fn element<'a>(rest: &mut &'a [u8]) -> Option<(u32, &'a [u8])> {
    let word = number(rest.get(..4)?)?;
    let (kind, data, end) = if word >> 16 != 0 {
        let length = (word >> 16) as usize;
        (word & 0xffff, rest.get(4..4_usize.checked_add(length).filter(|end| *end <= 8)?)?, 8)
    } else {
        let length = number(rest.get(4..8)?)? as usize;
        let data = rest.get(8..8_usize.checked_add(length)?)?;
        (word, data, if word == COMPRESSED { 8 + length } else { 8 + length.next_multiple_of(8) })
    };
    *rest = rest.get(end.min(rest.len())..)?;
    Some((kind, data))
}

fn number(bytes: &[u8]) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.try_into().ok()?))
}

/// Ids and wnids of an array of structs that has both.
fn struct_ids(mut rest: &[u8]) -> Option<BTreeMap<u32, String>> {
    let (class, n) = array_head(&mut rest)?;
    if class != STRUCT {
        return None;
    }
    let (_, width) = element(&mut rest)?;
    let width = number(width.get(..4)?)? as usize;
    let (_, names) = element(&mut rest)?;
    let names: Vec<&[u8]> = names.chunks(width.max(1)).collect();
    let field = |name: &str| names.iter().position(|bytes| bytes.split(|b| *b == 0).next() == Some(name.as_bytes()));
    let (id, wnid, children) = (field("ILSVRC2012_ID")?, field("WNID")?, field("num_children"));
    let mut ids = BTreeMap::new();
    for _ in 0..n {
        let mut fields = Vec::with_capacity(names.len());
        for _ in 0..names.len() {
            fields.push(element(&mut rest)?.1);
        }
        let leaf = children.is_none_or(|children| scalar(fields[children]) == Some(0.0));
        if let (true, Some(id), Some(wnid)) = (leaf, scalar(fields[id]), text(fields[wnid])) {
            ids.insert(id as u32, wnid);
        }
    }
    Some(ids)
}

/// The class of an array and its number of elements; `rest` then begins with its contents.
fn array_head(rest: &mut &[u8]) -> Option<(u32, usize)> {
    let (_, flags) = element(rest)?;
    let class = number(flags.get(..4)?)? & 0xff;
    let (_, sides) = element(rest)?;
    let (_, _name) = element(rest)?;
    let product = sides.chunks_exact(4).map(|side| number(side).map(|side| side as usize));
    let n = product.reduce(|a, b| a?.checked_mul(b?)).flatten()?;
    Some((class, n))
}

/// The one number of an array. Values are stored in the narrowest type that holds them.
fn scalar(mut rest: &[u8]) -> Option<f64> {
    let (_, n) = array_head(&mut rest)?;
    let (kind, data) = element(&mut rest)?;
    let value = match (n, kind) {
        (1, 1) => f64::from(i8::from_le_bytes(data.try_into().ok()?)),
        (1, 2) => f64::from(u8::from_le_bytes(data.try_into().ok()?)),
        (1, 3) => f64::from(i16::from_le_bytes(data.try_into().ok()?)),
        (1, 4) => f64::from(u16::from_le_bytes(data.try_into().ok()?)),
        (1, 5) => f64::from(i32::from_le_bytes(data.try_into().ok()?)),
        (1, 6) => f64::from(u32::from_le_bytes(data.try_into().ok()?)),
        (1, 7) => f64::from(f32::from_le_bytes(data.try_into().ok()?)),
        (1, 9) => f64::from_le_bytes(data.try_into().ok()?),
        _ => return None,
    };
    Some(value)
}

/// A text, in bytes or in 16-bit units.
fn text(mut rest: &[u8]) -> Option<String> {
    let (class, _) = array_head(&mut rest)?;
    let (kind, data) = element(&mut rest)?;
    match (class, kind) {
        (CHAR, 4 | 17) => {
            let units: Vec<u16> = data.as_chunks::<2>().0.iter().map(|unit| u16::from_le_bytes(*unit)).collect();
            String::from_utf16(&units).ok()
        }
        (CHAR, _) => String::from_utf8(data.to_vec()).ok(),
        _ => None,
    }
}
