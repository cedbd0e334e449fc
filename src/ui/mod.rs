//! The window: one file per panel. Panels read the session and push [`Ask`]s; nothing here reads files or waits.

mod alpha_panel;
mod alpha_slider;
mod app;
mod ask;
mod chooser;
mod data_panel;
mod example_detail;
mod example_filters;
mod example_list;
mod examples_panel;
mod frame_times;
mod jobs;
mod layout;
mod look;
mod model_steps;
mod models_panel;
mod negatives_panel;
mod notices;
mod screenshot;
mod shortcuts;
mod skipped;
mod slices_panel;
mod status_line;
mod tasks_panel;
mod thumbnails;
mod top_bar;
mod tradeoff;
mod typed_path;
mod window;

pub use app::{App, Start};
pub use ask::{Ask, JobAsk};
pub use frame_times::FrameTimes;
pub use window::{Theme, Wake, WindowOptions, run};
