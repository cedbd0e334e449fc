//! Tensors of PyTorch's files: state dicts and training checkpoints of `torch.save`, archives of `torch.jit.save`.
//!
//! Layout: `torch/serialization.py`, `torch/_utils.py` (`_rebuild_tensor_v2`), and for TorchScript
//! `torch/csrc/jit/serialization/pickler.cpp`: every module is an object whose state holds its attributes.

use std::collections::{BTreeMap, BTreeSet};

use safetensors::tensor::Dtype;

use super::archive::Archive;
use super::pickle::{Node, Pickle, Value};
use super::stored::{Stored, Weights};

/// Where training scripts keep the model among epoch, optimizer and the rest, in the order in which it is looked for.
const WRAPPERS: [&str; 4] = ["state_dict", "model_state_dict", "model", "module"];

/// Modules inside modules; CLIP's deepest parameter lies at 6.
const MAX_DEPTH: usize = 32;

/// Whether a file is a zip archive, by the first signature in it, which may be that of an empty one's end. Read as the
/// length of a safetensors header these bytes would be 67 MB or more, which no model's has.
pub(super) fn is_zip(bytes: &[u8]) -> bool {
    bytes.starts_with(b"PK\x03\x04") || bytes.starts_with(b"PK\x05\x06")
}

/// Finds the tensors of an archive. `bytes` is the whole file.
pub(super) fn read(bytes: &[u8]) -> Result<Weights<'_>, String> {
    let archive = Archive::open(bytes)?;
    if archive.has("byteorder") && archive.entry("byteorder")? != b"little" {
        return Err("the file was saved on a big-endian machine, which is not supported".into());
    }
    // A tensor costs about 30 values. The largest CLIP model with its optimizer has 3,000 of them.
    let pickle = Pickle::read(archive.entry("data.pkl")?, (1 << 16) + bytes.len() / 32)?;
    let mut walk = Walk { archive: &archive, pickle: &pickle, tensors: BTreeMap::new(), seen: BTreeSet::new() };
    let root = model(&pickle)?;
    let is_script = walk.is_script(root);
    match pickle.call(root) {
        Some(_) => walk.module(root, "", 0)?,
        None => walk.state_dict(root)?,
    }
    let held: usize = walk.tensors.values().map(|t| t.len().saturating_mul(t.dtype.bitsize() / 8)).sum();
    if held > bytes.len() {
        return Err(format!("the file is damaged: its tensors hold {held} bytes and the file only {}", bytes.len()));
    }
    let is_openai = is_script && walk.is_openai(root);
    let format = if is_script { "torchscript" } else { "pytorch" };
    Ok(Weights { format, tensors: walk.tensors, own: None, is_openai })
}

/// The state dict or module, from under the wrappings of training scripts.
fn model<'a>(pickle: &Pickle<'a>) -> Result<Value<'a>, String> {
    let mut value = pickle.root;
    for _ in 0..WRAPPERS.len() {
        let inner = WRAPPERS.iter().find_map(|key| {
            let inner = pickle.get(value, key)?;
            let is_model = pickle.dict(inner).is_some() || state(pickle, inner).is_some();
            is_model.then_some(inner)
        });
        match inner {
            Some(inner) => value = inner,
            None => break,
        }
    }
    let is_model = pickle.dict(value).is_some() || state(pickle, value).is_some();
    is_model.then_some(value).ok_or_else(|| "the file holds neither a state dict nor a module".into())
}

/// The state of an object that has one.
fn state<'a>(pickle: &Pickle<'a>, value: Value<'a>) -> Option<Value<'a>> {
    let state = pickle.call(value)?.state;
    pickle.dict(state).map(|_| state)
}

struct Walk<'p, 'a> {
    archive: &'p Archive<'a>,
    pickle: &'p Pickle<'a>,
    tensors: BTreeMap<String, Stored<'a>>,
    /// Modules on the way here or done: a file may well hold one inside itself.
    seen: BTreeSet<usize>,
}

impl<'a> Walk<'_, 'a> {
    fn state_dict(&mut self, dict: Value<'a>) -> Result<(), String> {
        for (key, value) in self.pickle.dict(dict).unwrap_or_default() {
            if let Value::Text(key) = key {
                self.tensor((*key).to_owned(), *value)?;
            }
        }
        Ok(())
    }

    /// Attributes of a scripted module; parameters, buffers and children of one that was saved whole.
    fn module(&mut self, module: Value<'a>, prefix: &str, depth: usize) -> Result<(), String> {
        let (Value::Node(index), Some(state)) = (module, state(self.pickle, module)) else { return Ok(()) };
        if depth > MAX_DEPTH {
            return Err("the file is damaged: its modules are nested far deeper than any model's".into());
        }
        if !self.seen.insert(index) {
            return Ok(());
        }
        let mut attributes = self.pickle.dict(state).unwrap_or_default().to_vec();
        for part in ["_parameters", "_buffers", "_modules"] {
            let of_part = self.pickle.get(state, part).and_then(|part| self.pickle.dict(part));
            attributes.extend_from_slice(of_part.unwrap_or_default());
        }
        for (name, value) in attributes {
            let Value::Text(name) = name else { continue };
            let name = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") };
            if self.rebuilt(value).is_some() {
                self.tensor(name, value)?;
            } else {
                self.module(value, &name, depth + 1)?;
            }
        }
        Ok(())
    }

    fn tensor(&mut self, name: String, value: Value<'a>) -> Result<(), String> {
        if let Some((function, arguments)) = self.rebuilt(value) {
            let shown = || name.escape_debug();
            if !matches!(function, "_rebuild_tensor" | "_rebuild_tensor_v2" | "_rebuild_tensor_v3") {
                return Err(format!("the tensor '{}' is of a kind that is not supported ({function})", shown()));
            }
            let tensor = self.stored(arguments).map_err(|reason| format!("the tensor '{}' {reason}", shown()))?;
            self.tensors.insert(name, tensor);
        }
        Ok(())
    }

    /// The function that makes a tensor and its arguments, where `value` is one. A parameter is a tensor in a tensor.
    fn rebuilt(&self, value: Value<'a>) -> Option<(&'a str, Value<'a>)> {
        let of_torch = |value| {
            let call = self.pickle.call(value)?;
            let (module, name) = self.pickle.global(call.function)?;
            (module == "torch._utils" && name.starts_with("_rebuild_")).then_some((name, call.arguments))
        };
        match of_torch(value)? {
            (name, arguments) if name.starts_with("_rebuild_parameter") => {
                of_torch(*self.pickle.sequence(arguments)?.first()?)
            }
            tensor => Some(tensor),
        }
    }

    /// `(storage, offset, size, stride, …)` as a checked tensor; the error ends "the tensor 'x' …".
    fn stored(&self, arguments: Value<'a>) -> Result<Stored<'a>, String> {
        let damaged = || "is not described as PyTorch describes tensors".to_owned();
        let [storage, offset, size, stride, ..] = self.pickle.sequence(arguments).ok_or_else(damaged)? else {
            return Err(damaged());
        };
        let (dtype, data) = self.storage(*storage)?;
        let numbers = |value: &Value<'a>| -> Option<Vec<usize>> {
            self.pickle.sequence(*value)?.iter().map(|v| whole(*v)).collect()
        };
        let (shape, strides) = numbers(size).zip(numbers(stride)).ok_or_else(damaged)?;
        let offset = whole(*offset).ok_or_else(damaged)?;
        let outside = || "reaches beyond its storage".to_owned();
        let width = dtype.bitsize() / 8;
        let data = offset.checked_mul(width).and_then(|start| data.get(start..)).ok_or_else(outside)?;
        let (length, last) = extent(&shape, &strides).ok_or_else(outside)?;
        // A stride of 0 would make many elements of one; nothing that a file of weights does.
        let room = data.len() / width;
        if length > room || (length > 0 && last >= room) {
            return Err(outside());
        }
        let strides = (length > 0 && !is_row_major(&shape, &strides)).then_some(strides);
        Ok(Stored { dtype, shape, strides, data })
    }

    /// Element type and bytes of a storage, which the pickle names by a persistent identity.
    fn storage(&self, value: Value<'a>) -> Result<(Dtype, &'a [u8]), String> {
        let damaged = || "names no storage".to_owned();
        let Some(Node::Persistent(identity)) = self.pickle.node(value) else { return Err(damaged()) };
        let Some([Value::Text("storage"), class, Value::Text(key), ..]) = self.pickle.sequence(*identity) else {
            return Err(damaged());
        };
        let (_, class) = self.pickle.global(*class).ok_or_else(damaged)?;
        let dtype =
            dtype(class).ok_or_else(|| format!("is stored as {}, which is not supported", class.escape_debug()))?;
        Ok((dtype, self.archive.entry(&format!("data/{key}"))?))
    }

    /// The class of an object that a scripted module is.
    fn class(&self, value: Value<'a>) -> Option<(&'a str, &'a str)> {
        self.pickle.global(self.pickle.call(value)?.function)
    }

    fn is_script(&self, root: Value<'a>) -> bool {
        self.class(root).is_some_and(|(module, _)| module == "__torch__" || module.starts_with("__torch__."))
    }

    /// OpenAI's archives are of a class `Multimodal`, in a module of that name, and carry three sizes as buffers.
    fn is_openai(&self, root: Value<'a>) -> bool {
        let class = self.class(root);
        class.is_some_and(|(module, name)| name == "Multimodal" && module.starts_with("__torch__.multimodal"))
            && ["input_resolution", "context_length", "vocab_size"].iter().all(|name| self.tensors.contains_key(*name))
    }
}

fn whole(value: Value<'_>) -> Option<usize> {
    match value {
        Value::Int(number) => usize::try_from(number).ok(),
        _ => None,
    }
}

/// Number of elements, and the largest offset of one.
fn extent(shape: &[usize], strides: &[usize]) -> Option<(usize, usize)> {
    if shape.len() != strides.len() {
        return None;
    }
    let length = shape.iter().try_fold(1usize, |product, side| product.checked_mul(*side))?;
    let last = shape
        .iter()
        .zip(strides)
        .try_fold(0usize, |sum, (side, stride)| sum.checked_add(side.saturating_sub(1).checked_mul(*stride)?))?;
    Some((length, last))
}

/// For shapes with elements, whose products cannot overflow.
fn is_row_major(shape: &[usize], strides: &[usize]) -> bool {
    let mut wanted = 1;
    shape.iter().zip(strides).rev().all(|(side, stride)| {
        let fits = *side <= 1 || *stride == wanted;
        wanted *= side;
        fits
    })
}

/// Element type of a storage class of `torch/storage.py`.
fn dtype(class: &str) -> Option<Dtype> {
    Some(match class {
        "DoubleStorage" => Dtype::F64,
        "FloatStorage" => Dtype::F32,
        "HalfStorage" => Dtype::F16,
        "BFloat16Storage" => Dtype::BF16,
        "LongStorage" => Dtype::I64,
        "IntStorage" => Dtype::I32,
        "ShortStorage" => Dtype::I16,
        "CharStorage" => Dtype::I8,
        "ByteStorage" => Dtype::U8,
        "BoolStorage" => Dtype::BOOL,
        _ => return None,
    })
}
