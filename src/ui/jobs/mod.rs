//! The Jobs panel: fine-tunes that wait, run and have run, and the form that starts one.

mod buttons;
mod checkpoints;
mod checks;
mod curves;
mod details;
mod field;
mod form;
mod list;
mod log;
mod panel;
mod scores;
mod state;

pub use form::{FormState, form_window_ui};
pub use list::status_ui;
pub use panel::jobs_panel_ui;
pub use state::JobsState;
