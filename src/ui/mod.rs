//! (being written)
pub struct WindowOptions { pub start: Box<dyn FnOnce(std::sync::Arc<dyn Fn() + Send + Sync>) -> std::io::Result<crate::engine::Link> + Send>, pub base: std::path::PathBuf, pub tuned: std::path::PathBuf, pub data: Option<std::path::PathBuf>, pub screenshot: Option<std::path::PathBuf>, pub size: Option<[f32;2]>, pub theme: Option<String> }
pub fn run(_: WindowOptions) -> anyhow::Result<()> { anyhow::bail!("no window yet") }
