//! The opcodes of a pickle, one by one, onto a stack of plain data.
//!
//! Their meaning: CPython's `pickletools.py`; what PyTorch writes of them: `torch/serialization.py` and
//! `torch/csrc/jit/serialization/pickler.cpp`.

use std::collections::HashMap;

use super::pickle::{Call, Node, Value};

/// As [`Pickle::read`](super::pickle::Pickle::read): the nodes and the root.
pub(super) fn read(bytes: &[u8], budget: usize) -> Result<(Vec<Node<'_>>, Value<'_>), String> {
    let (nodes, stack, marks) = (Vec::new(), Vec::new(), Vec::new());
    let mut reader = Reader { bytes, at: 0, budget, nodes, stack, marks, memo: HashMap::new() };
    loop {
        let at = reader.at;
        match reader.step() {
            Ok(None) => {}
            Ok(Some(root)) => return Ok((reader.nodes, root)),
            Err(reason) => return Err(format!("its pickle cannot be read: {reason} at byte {at}")),
        }
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    budget: usize,
    nodes: Vec<Node<'a>>,
    stack: Vec<Value<'a>>,
    /// Heights of the stack at its marks.
    marks: Vec<usize>,
    /// Lookups only; keyed by the file's own numbers, which may be any, so that a large one costs nothing.
    memo: HashMap<u32, Value<'a>>,
}

type Step<T> = Result<T, String>;

impl<'a> Reader<'a> {
    /// One opcode; the finished root at the last.
    fn step(&mut self) -> Step<Option<Value<'a>>> {
        match self.byte()? {
            0x80 => self.protocol()?,
            // A frame's length is advice for readers of streams.
            0x95 => drop(self.take(8)?),
            b'.' => return self.pop().map(Some),
            b'(' => {
                self.spend()?;
                self.marks.push(self.stack.len());
            }
            b'0' => drop(self.pop()?),
            b'1' => drop(self.pop_mark()?),
            b'2' => {
                let top = self.top()?;
                self.push(top)?;
            }
            opcode @ (b'q' | b'r' | 0x94 | b'h' | b'j') => self.memorise(opcode)?,
            opcode @ (b'N' | 0x88 | 0x89 | b'K' | b'M' | b'J' | 0x8a | 0x8b | b'G') => {
                let scalar = self.scalar(opcode)?;
                self.push(scalar)?;
            }
            opcode @ (b'X' | 0x8c | 0x8d | b'U' | b'T' | b'C' | b'B' | 0x8e) => {
                let text = self.text(opcode)?;
                self.push(text)?;
            }
            opcode @ (b')' | 0x85 | 0x86 | 0x87 | b't' | b']' | 0x8f | b'l' | 0x91) => self.sequence(opcode)?,
            opcode @ (b'a' | b'e' | 0x90) => self.append(opcode)?,
            opcode @ (b'}' | b'd' | b's' | b'u') => self.dictionary(opcode)?,
            opcode @ (b'c' | 0x93) => self.global(opcode)?,
            opcode @ (b'R' | 0x81 | 0x92 | b'Q' | b'b') => self.object(opcode)?,
            other => return Err(format!("opcode 0x{other:02x} is not one that PyTorch writes")),
        }
        Ok(None)
    }

    fn protocol(&mut self) -> Step<()> {
        match self.byte()? {
            2..=5 => Ok(()),
            other => Err(format!("protocol {other} is unknown")),
        }
    }

    fn memorise(&mut self, opcode: u8) -> Step<()> {
        let key = match opcode {
            b'q' | b'h' => u32::from(self.byte()?),
            0x94 => u32::try_from(self.memo.len()).map_err(|_| "the memo is too long")?,
            _ => self.u32()?,
        };
        if matches!(opcode, b'h' | b'j') {
            let value = self.memo.get(&key).copied().ok_or_else(|| format!("nothing was remembered as {key}"))?;
            return self.push(value);
        }
        self.spend()?;
        let top = self.top()?;
        self.memo.insert(key, top);
        Ok(())
    }

    fn scalar(&mut self, opcode: u8) -> Step<Value<'a>> {
        Ok(match opcode {
            b'N' => Value::Other,
            0x88 => Value::Bool(true),
            0x89 => Value::Bool(false),
            b'K' => Value::Int(i64::from(self.byte()?)),
            b'M' => Value::Int(i64::from(u16::from_le_bytes(self.array()?))),
            b'J' => Value::Int(i64::from(i32::from_le_bytes(self.array()?))),
            0x8a => {
                let length = usize::from(self.byte()?);
                long(self.take(length)?)
            }
            0x8b => {
                let length = self.u32()? as usize;
                long(self.take(length)?)
            }
            _ => {
                self.take(8)?;
                Value::Other
            }
        })
    }

    /// Text is UTF-8; Python 2's strings may be anything and, like bytes, are then no key of a model.
    fn text(&mut self, opcode: u8) -> Step<Value<'a>> {
        let length = match opcode {
            0x8c | b'U' | b'C' => usize::from(self.byte()?),
            0x8d | 0x8e => usize::try_from(u64::from_le_bytes(self.array()?)).map_err(|_| "a length is absurd")?,
            _ => self.u32()? as usize,
        };
        let bytes = self.take(length)?;
        match (opcode, std::str::from_utf8(bytes)) {
            (b'C' | b'B' | 0x8e, _) | (b'U' | b'T', Err(_)) => Ok(Value::Other),
            (_, Ok(text)) => Ok(Value::Text(text)),
            (_, Err(_)) => Err("a text is not UTF-8".into()),
        }
    }

    fn sequence(&mut self, opcode: u8) -> Step<()> {
        let items = match opcode {
            b')' | b']' | 0x8f => Vec::new(),
            0x85..=0x87 => {
                let start = self.stack.len().checked_sub(usize::from(opcode - 0x84)).ok_or("the stack is empty")?;
                self.split(start)?
            }
            _ => self.pop_mark()?,
        };
        self.push_node(Node::Sequence(items))
    }

    fn append(&mut self, opcode: u8) -> Step<()> {
        let added = if opcode == b'a' { vec![self.pop()?] } else { self.pop_mark()? };
        match self.top_node()? {
            Node::Sequence(items) => items.extend(added),
            // A call's result may be a list of a kind of its own; nobody here reads it.
            Node::Call(_) => {}
            _ => return Err("something is appended to what is no list".into()),
        }
        Ok(())
    }

    fn dictionary(&mut self, opcode: u8) -> Step<()> {
        let flat = match opcode {
            b'}' => Vec::new(),
            b's' => {
                let value = self.pop()?;
                vec![self.pop()?, value]
            }
            _ => self.pop_mark()?,
        };
        let (pairs, rest) = flat.as_chunks::<2>();
        if !rest.is_empty() {
            return Err("a key has no value".into());
        }
        let pairs = pairs.iter().map(|[key, value]| (*key, *value));
        if matches!(opcode, b'}' | b'd') {
            return self.push_node(Node::Dict(pairs.collect()));
        }
        match self.top_node()? {
            Node::Dict(items) => items.extend(pairs),
            Node::Call(_) => {}
            _ => return Err("a key is set in what is no dictionary".into()),
        }
        Ok(())
    }

    fn global(&mut self, opcode: u8) -> Step<()> {
        if opcode == b'c' {
            let (module, name) = (self.line()?, self.line()?);
            return self.push_node(Node::Global(module, name));
        }
        match (self.pop()?, self.pop()?) {
            (Value::Text(name), Value::Text(module)) => self.push_node(Node::Global(module, name)),
            _ => Err("a name is no text".into()),
        }
    }

    fn object(&mut self, opcode: u8) -> Step<()> {
        if opcode == b'Q' {
            let identity = self.pop()?;
            return self.push_node(Node::Persistent(identity));
        }
        if opcode == b'b' {
            let new = self.pop()?;
            // A dictionary's own attributes (a state dict's `_metadata`) are versions of modules.
            if let Node::Call(call) = self.top_node()? {
                call.state = new;
            }
            return Ok(());
        }
        if opcode == 0x92 {
            self.pop()?;
        }
        let (arguments, function) = (self.pop()?, self.pop()?);
        let is_dict = |node: &Node<'_>| matches!(node, Node::Global("collections", "OrderedDict"));
        let has_none = |node: &Node<'_>| matches!(node, Node::Sequence(items) if items.is_empty());
        let holds = |value: Value<'a>, test: &dyn Fn(&Node<'_>) -> bool| match value {
            Value::Node(index) => self.nodes.get(index).is_some_and(test),
            _ => false,
        };
        if holds(function, &is_dict) && holds(arguments, &has_none) {
            return self.push_node(Node::Dict(Vec::new()));
        }
        self.push_node(Node::Call(Box::new(Call { function, arguments, state: Value::Other })))
    }

    fn spend(&mut self) -> Step<()> {
        self.budget = self.budget.checked_sub(1).ok_or("it holds far more objects than a file of its size should")?;
        Ok(())
    }

    fn push(&mut self, value: Value<'a>) -> Step<()> {
        self.spend()?;
        self.stack.push(value);
        Ok(())
    }

    fn push_node(&mut self, node: Node<'a>) -> Step<()> {
        self.nodes.push(node);
        self.push(Value::Node(self.nodes.len() - 1))
    }

    /// Values below the last mark belong to whoever set it.
    fn floor(&self) -> usize {
        self.marks.last().copied().unwrap_or(0)
    }

    fn pop(&mut self) -> Step<Value<'a>> {
        let own = self.stack.len() > self.floor();
        own.then(|| self.stack.pop()).flatten().ok_or_else(|| "the stack is empty".into())
    }

    fn top(&self) -> Step<Value<'a>> {
        let value = self.stack.get(self.floor()..).and_then(|own| own.last());
        value.copied().ok_or_else(|| "the stack is empty".into())
    }

    fn top_node(&mut self) -> Step<&mut Node<'a>> {
        match self.top()? {
            Value::Node(index) => self.nodes.get_mut(index).ok_or_else(|| "a value is nowhere".into()),
            _ => Err("a plain value is changed".into()),
        }
    }

    fn pop_mark(&mut self) -> Step<Vec<Value<'a>>> {
        let mark = self.marks.pop().ok_or("there is no mark")?;
        self.split(mark)
    }

    fn split(&mut self, start: usize) -> Step<Vec<Value<'a>>> {
        if start < self.floor() || start > self.stack.len() {
            return Err("the stack is empty".into());
        }
        Ok(self.stack.split_off(start))
    }

    fn take(&mut self, length: usize) -> Step<&'a [u8]> {
        let end = self.at.checked_add(length).ok_or("a length is absurd")?;
        let taken = self.bytes.get(self.at..end).ok_or("it ends too early")?;
        self.at = end;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Step<[u8; N]> {
        self.take(N)?.try_into().map_err(|_| "it ends too early".into())
    }

    fn byte(&mut self) -> Step<u8> {
        Ok(u8::from_le_bytes(self.array()?))
    }

    fn u32(&mut self) -> Step<u32> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    fn line(&mut self) -> Step<&'a str> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let length = rest.iter().position(|b| *b == b'\n').ok_or("a name has no end")?;
        let line = self.take(length)?;
        self.at += 1;
        std::str::from_utf8(line).map_err(|_| "a name is not UTF-8".into())
    }
}

/// Little-endian two's complement of any length; what does not fit into 64 bits is nothing that a shape could hold.
fn long(bytes: &[u8]) -> Value<'static> {
    let Some(last) = bytes.last() else { return Value::Int(0) };
    if bytes.len() > 8 {
        return Value::Other;
    }
    let mut wide = [if last & 0x80 == 0 { 0 } else { 0xff }; 8];
    wide[..bytes.len()].copy_from_slice(bytes);
    Value::Int(i64::from_le_bytes(wide))
}
