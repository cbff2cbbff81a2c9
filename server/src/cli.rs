//! The command line: what can be typed, and which file answers it.
//!
//! A command is parsed here, gets its [`context`] (data folder, settings, whether JSON is wanted) and
//! does its work in the file of its name. What it finds goes to standard output; progress, logs and
//! errors go to standard error. How it ended is the exit code ([`exit`]).

mod exit;
mod failure;
mod logging;
mod output;
mod context;
mod progress;
mod interrupt;
mod snippet;
mod serve;
mod demo;
mod kb;
pub(crate) mod ingest;
mod source;
mod preview;
mod search;
pub(crate) mod ask;
mod models;
mod eval;
mod bench;
mod analytics;
mod fsck;
mod extract_worker;

use std::time::Duration;

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};

use context::{Context, GlobalOptions};
use exit::Exit;

const EXAMPLES: &str = "\
Examples:
  lectern demo                                  try it on a small company handbook
  lectern kb create papers                      make a knowledge base
  lectern ingest --kb papers ~/papers           take a folder in; again later for what changed
  lectern source add --kb papers --name p ~/p   keep a folder in step; then `lectern source sync`
  lectern search --kb papers \"late chunking\"    find passages
  lectern ask --kb papers \"What is HyDE?\"       get an answer with citations
  lectern serve                                 chat page and API on http://127.0.0.1:8080

Everything is kept in one data folder: --data, or LECTERN_DATA, or the user's own.
`lectern help COMMAND` explains a command, `lectern help exit-codes` what scripts can rely on.";

/// Answers questions from your own documents, with citations, on your own machine.
#[derive(Debug, Parser)]
#[command(name = "lectern", version, after_help = EXAMPLES, arg_required_else_help = true)]
struct Cli {
    #[command(flatten)]
    global: GlobalOptions,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::DemoArguments),
    Serve(serve::ServeArguments),
    Kb(kb::KbArguments),
    Ingest(ingest::IngestArguments),
    Source(Box<source::SourceArguments>),
    Preview(preview::PreviewArguments),
    Search(search::SearchArguments),
    Ask(ask::AskArguments),
    Models(models::ModelsArguments),
    Eval(eval::EvalArguments),
    Bench(bench::BenchArguments),
    Analytics(analytics::AnalyticsArguments),
    Fsck(fsck::FsckArguments),
    /// Lists what the exit codes mean.
    #[command(name = "exit-codes", long_about = exit::TABLE)]
    ExitCodes,
    /// Reads files for a parent process.
    #[command(name = "extract-worker", hide = true)]
    ExtractWorker,
    /// Measures bare ONNX Runtime for a parent process.
    #[command(name = crate::bench::bare::COMMAND, hide = true)]
    BenchBare,
}

impl Command {
    /// A server tells what it does; a command that ends soon only what goes wrong.
    fn is_server(&self) -> bool {
        matches!(self, Self::Serve(_))
    }
}

/// Parses the command line, runs the command, prints its error if it has one.
pub fn run() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return exit::of_usage_error(&error),
    };
    // The worker speaks frames on its standard streams and is confined before it reads a file, so it
    // starts nothing else.
    if matches!(cli.command, Command::ExtractWorker) {
        return extract_worker::run();
    }
    logging::start(cli.command.is_server());
    let json = cli.global.json;
    if let Err(error) = lectern_ingest::failpoints::arm_from_environment() {
        return failure::report(&error.into(), json);
    }
    match start(cli) {
        Ok(exit) => exit.into(),
        Err(error) => failure::report(&error, json),
    }
}

/// How long what is at work on a blocking thread may hold up the end.
const LONGEST_END: Duration = Duration::from_secs(3);

fn start(cli: Cli) -> Result<Exit> {
    if matches!(cli.command, Command::BenchBare) {
        crate::bench::bare::run_child()?;
        return Ok(Exit::Done);
    }
    // Two TLS back ends are linked; whoever opens a connection first must not have to choose.
    if rustls::crypto::aws_lc_rs::default_provider()
        .install_default()
        .is_err()
    {
        tracing::debug!("a TLS provider was installed before");
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("can't start the threads that the program runs on")?;
    let exit = runtime.block_on(dispatch(cli));
    // ONNX Runtime crashes a process that ends while it loads a model. A large model may take longer, and is Rust's own.
    runtime.shutdown_timeout(LONGEST_END);
    exit
}

async fn dispatch(cli: Cli) -> Result<Exit> {
    let context = Context::new(cli.global)?;
    match cli.command {
        Command::Demo(arguments) => demo::run(&context, arguments).await,
        Command::Serve(arguments) => serve::run(&context, arguments).await,
        Command::Kb(arguments) => kb::run(&context, arguments).await,
        Command::Ingest(arguments) => ingest::run(&context, arguments).await,
        Command::Source(arguments) => source::run(&context, *arguments).await,
        Command::Preview(arguments) => preview::run(&context, arguments).await,
        Command::Search(arguments) => search::run(&context, arguments).await,
        Command::Ask(arguments) => ask::run(&context, arguments).await,
        Command::Models(arguments) => models::run(&context, arguments).await,
        Command::Eval(arguments) => eval::run(&context, arguments).await,
        Command::Bench(arguments) => bench::run(&context, arguments).await,
        Command::Analytics(arguments) => analytics::run(&context, arguments).await,
        Command::Fsck(arguments) => fsck::run(&context, arguments).await,
        Command::ExitCodes => exit::print_table(),
        Command::ExtractWorker | Command::BenchBare => Ok(Exit::Done),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_that_is_shown_explains_itself() {
        for command in Cli::command()
            .get_subcommands()
            .filter(|command| !command.is_hide_set())
        {
            let about = command.get_about().map(ToString::to_string).unwrap_or_default();
            assert!(about.len() > 10, "`{}` has no help", command.get_name());
        }
    }

    #[test]
    fn what_is_typed_after_a_command_counts_as_much_as_before_it() {
        let cli = Cli::try_parse_from(["lectern", "kb", "list", "--data", "/tmp/x", "--json"]).unwrap();
        assert!(cli.global.json);
        assert_eq!(cli.global.data.unwrap(), std::path::Path::new("/tmp/x"));
    }
}
