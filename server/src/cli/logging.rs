//! Logs go to standard error: warnings only for a command that ends soon, more for a server.
//!
//! `LECTERN_LOG` (or `RUST_LOG`) sets another filter, such as `lectern=debug,warn`.

use tracing_subscriber::EnvFilter;

/// What a command tells. The engines warn of things that an operator can do nothing about.
const OF_A_COMMAND: &str = "error,lectern=warn,lectern_connectors=warn,lectern_ingest=warn,lectern_retrieval=warn,lectern_generation=warn";
/// What a server tells: what Lectern does, and what breaks in the engines.
const OF_A_SERVER: &str = "error,actix_server=warn,tracing_actix_web=warn,lectern=info,lectern_connectors=info,lectern_ingest=info,\
     lectern_retrieval=info,lectern_generation=info";

/// Starts logging, once.
pub fn start(is_server: bool) {
    let default = if is_server { OF_A_SERVER } else { OF_A_COMMAND };
    let wanted = ["LECTERN_LOG", "RUST_LOG"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok());
    let filter = match wanted {
        Some(text) => EnvFilter::try_new(&text).unwrap_or_else(|error| {
            super::output::note(format!(
                "warning: LECTERN_LOG is {text:?}, which is no filter: {error}"
            ));
            EnvFilter::new(default)
        }),
        None => EnvFilter::new(default),
    };
    let started = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr()))
        .try_init();
    if let Err(error) = started {
        super::output::note(format!("warning: no logs: {error}"));
    }
}
