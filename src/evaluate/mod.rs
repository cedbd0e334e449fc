//! (being written)

pub mod statistics;
