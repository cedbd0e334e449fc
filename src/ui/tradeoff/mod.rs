//! What each alpha gains and costs: the plot, its controls, and what is derived from the sweep for them.

mod brush;
mod controls;
mod earlier;
mod empty;
mod export;
mod headline;
mod map;
mod multiples;
mod panel;
mod plot;
mod ranges;
mod state;

pub use panel::tradeoff_panel_ui;
pub use state::TradeoffState;
