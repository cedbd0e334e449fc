//! A reader of Python pickles that executes nothing: calls stay as plain data, and only the opcodes that `torch.save`
//! and `torch.jit.save` write are known.
//!
//! Python's own reader imports and calls whatever the file names, so a checkpoint from elsewhere can run any program.
//! Here a name is text and a call is a [`Node::Call`] that nobody makes.

use super::opcodes;

/// A value; what can hold others lies in [`Pickle::nodes`], so that neither reading nor dropping a deeply nested file
/// needs a deep stack.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Value<'a> {
    /// `None`, floats, bytes, long integers: present in checkpoints, needed by nobody here.
    Other,
    Bool(bool),
    Int(i64),
    Text(&'a str),
    /// Index into [`Pickle::nodes`].
    Node(usize),
}

/// What a [`Value::Node`] stands for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node<'a> {
    /// Tuple, list or set.
    Sequence(Vec<Value<'a>>),
    /// Dictionary, in the file's order. `collections.OrderedDict` is one too.
    Dict(Vec<(Value<'a>, Value<'a>)>),
    /// A Python name: module and the name in it.
    Global(&'a str, &'a str),
    /// What Python would make by calling. Boxed, so that the many other nodes are small.
    Call(Box<Call<'a>>),
    /// A reference to storage outside the pickle.
    Persistent(Value<'a>),
}

/// A call that nobody makes, and the state that Python would then set.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Call<'a> {
    pub(super) function: Value<'a>,
    pub(super) arguments: Value<'a>,
    pub(super) state: Value<'a>,
}

/// A file's objects.
#[derive(Debug)]
pub(super) struct Pickle<'a> {
    pub(super) nodes: Vec<Node<'a>>,
    pub(super) root: Value<'a>,
}

impl<'a> Pickle<'a> {
    /// Reads one pickle. Of its opcodes at most `budget` may make or copy a value, so that memory stays below 200
    /// bytes for each.
    ///
    /// # Errors
    /// A clause that says what and at which byte.
    pub(super) fn read(bytes: &'a [u8], budget: usize) -> Result<Self, String> {
        let (nodes, root) = opcodes::read(bytes, budget)?;
        Ok(Self { nodes, root })
    }

    /// The call behind a value, where it is one.
    pub(super) fn call(&self, value: Value<'a>) -> Option<Call<'a>> {
        match self.node(value)? {
            Node::Call(call) => Some(**call),
            _ => None,
        }
    }

    /// The node behind a value, where it has one.
    pub(super) fn node(&self, value: Value<'a>) -> Option<&Node<'a>> {
        match value {
            Value::Node(index) => self.nodes.get(index),
            _ => None,
        }
    }

    /// The items of a tuple, list or set.
    pub(super) fn sequence(&self, value: Value<'a>) -> Option<&[Value<'a>]> {
        match self.node(value)? {
            Node::Sequence(items) => Some(items),
            _ => None,
        }
    }

    /// The entries of a dictionary.
    pub(super) fn dict(&self, value: Value<'a>) -> Option<&[(Value<'a>, Value<'a>)]> {
        match self.node(value)? {
            Node::Dict(items) => Some(items),
            _ => None,
        }
    }

    /// Module and name of a global.
    pub(super) fn global(&self, value: Value<'a>) -> Option<(&'a str, &'a str)> {
        match self.node(value)? {
            Node::Global(module, name) => Some((module, name)),
            _ => None,
        }
    }

    /// The last value that a dictionary holds under a text key, as Python would find it.
    pub(super) fn get(&self, dict: Value<'a>, key: &str) -> Option<Value<'a>> {
        self.dict(dict)?.iter().rev().find(|(k, _)| *k == Value::Text(key)).map(|(_, value)| *value)
    }
}
