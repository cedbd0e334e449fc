//! A procedural, seeded world of coloured, textured shapes: pictures, captions, training streams and evaluation sets.
//!
//! Nothing is shipped as a file; every picture is drawn when asked for, and the same seed gives the same bytes on every
//! platform (only `+ - * /` and `sqrt` on floats, which IEEE 754 rounds exactly, and a pinned random stream).
//! A base model learns *which* things are in a picture from captions that never bind a colour to a shape nor say a
//! relation; a tuned model learns binding and relations from captions with hard negatives.

mod backdrop;
mod benchmarks;
pub mod captions;
mod draw;
mod families;
mod grammar;
mod layout;
mod model;
mod pair;
pub mod render;
pub mod scene;
mod scenes;
pub mod sets;
mod shapes;
mod shuffles;
mod sugarcrepe;
mod texture;
mod train;
mod way;
pub mod write;

pub use benchmarks::benchmarks;
pub use families::{FAMILY, tuned_mixture};
pub use pair::{BASE, TUNED, evaluation, open};
pub use scenes::{SCENE_COUNT, SCENES, training_scene};
pub use train::{Advance, DemoTrainError, Plan, Stage, train};
pub use way::Way;
