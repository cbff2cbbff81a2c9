//! `lectern serve`: the chat page and the API.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use clap::Args;
use lectern_domain::error::chain;
use lectern_domain::ports::Embedder;
use lectern_domain::{ErrorKind, PortError};

use super::context::Context;
use super::exit::Exit;
use super::output;
use crate::auth::ApiToken;
use crate::compose::Lectern;
use crate::http::{self, ServeSettings};

/// Serves the chat page and the API.
#[derive(Debug, Args)]
#[command(after_help = "\
Without a token the server listens on this machine only, and whoever uses this machine is its operator.
To listen elsewhere, set LECTERN_API_TOKEN or `token_file` in [server] of lectern.toml; every API call
must then carry it. Ctrl-C lets running requests end; a second one doesn't.

The page is at /, the API at /api/v1, its description at /api/docs, health at /healthz and /readyz.

Examples:
  lectern serve
  lectern serve --port 0                        on a free port
  LECTERN_API_TOKEN=... lectern serve --address 0.0.0.0")]
pub struct ServeArguments {
    /// The address to listen on [default: 127.0.0.1, or what is configured]
    #[arg(long, value_name = "IP")]
    address: Option<IpAddr>,
    /// The port to listen on; 0 takes a free one [default: 8080, or what is configured]
    #[arg(long, value_name = "PORT")]
    port: Option<u16>,
    /// A file whose first line is the token that API calls must carry
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
}

/// Serves until it is stopped.
pub async fn run(context: &Context, arguments: ServeArguments) -> Result<Exit> {
    let mut context = context.clone();
    if arguments.token_file.is_some() {
        context.config.server.token_file = arguments.token_file;
        context.config.server.api_token = None;
    }
    let configured = &context.config.server;
    let address = SocketAddr::new(
        arguments.address.unwrap_or(configured.address),
        arguments.port.unwrap_or(configured.port),
    );
    require_free(address)?;
    let lectern = context.open_with_sources().await?;
    until_stopped(lectern, &context, address).await
}

/// Serves on `address`, says so, and returns when the server has been stopped.
pub async fn until_stopped(lectern: Arc<Lectern>, context: &Context, address: SocketAddr) -> Result<Exit> {
    let configured = &context.config.server;
    let token = match configured.token()? {
        Some(token) => Some(ApiToken::from_text(token.reveal()).context("the server's token can't be used")?),
        None => None,
    };
    let settings = ServeSettings {
        token,
        host_names: configured.host_names.clone(),
        ..ServeSettings::on(address)
    };
    if let Err(error) = lectern.models_present().await {
        output::note(format!(
            "warning: {}; until `lectern models pull` was run, only words can be searched",
            chain(&error)
        ));
    }
    let warming = tokio::spawn(warm_up(Arc::clone(&lectern)));
    let analytics = Arc::clone(&lectern.analytics);
    let (server, address) = http::serve(lectern, settings).map_err(|error| cannot_listen(address, error))?;
    output::line(format!("\nLectern serves http://{address} (Ctrl-C stops it)"))?;
    let ended = server.await.context("the server ended");
    warming.abort();
    analytics.close().await;
    ended?;
    output::note("Stopped.");
    Ok(Exit::Done)
}

/// Fails with `port_taken` where something else listens on `address`.
pub fn require_free(address: SocketAddr) -> Result<(), PortError> {
    TcpListener::bind(address)
        .map(drop)
        .map_err(|error| cannot_listen(address, error))
}

fn cannot_listen(address: SocketAddr, error: io::Error) -> PortError {
    match error.kind() {
        io::ErrorKind::AddrInUse => PortError::new(
            ErrorKind::Conflict,
            "port_taken",
            format!(
                "the port {} of {} is taken by another program",
                address.port(),
                address.ip()
            ),
        ),
        io::ErrorKind::InvalidInput => {
            PortError::new(ErrorKind::Invalid, "listen_refused", error.to_string())
        }
        _ => PortError::new(
            ErrorKind::Invalid,
            "listen_failed",
            format!("can't listen on {address}"),
        )
        .caused_by(error),
    }
}

/// Loads the models beside the first requests, so that the first question doesn't wait for all of it.
async fn warm_up(lectern: Arc<Lectern>) {
    if lectern.models_present().await.is_err() {
        return;
    }
    let Ok(in_use) = lectern.embedders_in_use().await else {
        return;
    };
    for embedder in in_use {
        if let Err(error) = lectern.prepare_ingestion(embedder.model()).await {
            tracing::error!(
                code = error.code,
                error = chain(&error),
                "the embedder can't be loaded"
            );
        }
    }
    if let Err(error) = lectern.generator.load().await {
        tracing::error!(
            code = error.code,
            error = chain(&error),
            "the generator can't be loaded"
        );
    }
}
