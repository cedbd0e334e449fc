//! Command line → window or headless command.

use std::process::ExitCode;

use clap::Parser as _;
use clove::commands::{self, Cli};

/// Fresh buffers of many megabytes at every layer are slow with glibc's allocator, which maps and faults them each time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = Cli::parse();
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_max_level(tracing::Level::WARN).init();
    match commands::run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            commands::report(&error);
            ExitCode::from(commands::exit_status(&error))
        }
    }
}
