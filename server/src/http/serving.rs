//! Starting the server, and ending it well.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use actix_web::body::MessageBody;
use actix_web::dev::{Server, ServerHandle, ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::middleware::from_fn;
use actix_web::{App, HttpServer, web};
use tracing_actix_web::TracingLogger;
use utoipa_actix_web::AppExt;

use crate::auth::{AccessRules, ApiToken};
use crate::compose::Lectern;

use super::limits::Limits;
use super::state::AppState;
use super::{guard, headers, health, metrics, openapi, page, routes, unmatched};

/// Where and for whom to serve.
#[derive(Clone, Debug)]
pub struct ServeSettings {
    /// The address to listen on; port 0 takes a free one.
    pub bind: SocketAddr,
    /// What every API call must show, if anything.
    pub token: Option<ApiToken>,
    /// Names that this server is reached under, besides the loopback ones and its address.
    pub host_names: Vec<String>,
    /// How long accepted requests may go on after the first signal to stop.
    pub shutdown_grace: Duration,
    /// The bounds on what callers send.
    pub limits: Limits,
}

impl ServeSettings {
    /// Serves the operator of this machine on `bind`, with the default bounds.
    pub fn on(bind: SocketAddr) -> Self {
        Self {
            bind,
            token: None,
            host_names: Vec::new(),
            shutdown_grace: Duration::from_secs(20),
            limits: Limits::default(),
        }
    }
}

/// Starts to serve, and says on which address. The server runs while its future is awaited; it
/// ends, with all accepted answers finished, after SIGTERM or SIGINT, and at once after a second one.
///
/// Fails where the address can't be had, or where it would let the whole network in without a token.
/// Must be called within the process's multi-threaded runtime, which also gets the background work.
pub fn serve(lectern: Arc<Lectern>, settings: ServeSettings) -> io::Result<(Server, SocketAddr)> {
    let rules = AccessRules::new(settings.bind, settings.token, &settings.host_names)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    let limits = settings.limits;
    let listener = TcpListener::bind(settings.bind)?;
    let address = listener.local_addr()?;
    let state = web::Data::new(AppState::new(
        lectern,
        rules,
        limits.clone(),
        metrics::recorder()?,
    ));
    state.start_background_work();

    let app_state = state.clone();
    let server = HttpServer::new(move || app(app_state.clone()))
        .client_request_timeout(limits.head_timeout)
        .client_disconnect_timeout(Duration::from_secs(2))
        // A client that hangs up ends its handler and its stream, and so its place in the queue.
        .h1_allow_half_closed(false)
        .max_connections(limits.connections_per_worker)
        .shutdown_timeout(settings.shutdown_grace.as_secs())
        .disable_signals()
        .listen(listener)?
        .run();
    tokio::spawn(end_on_signal(state, server.handle()));
    Ok((server, address))
}

/// The whole application, for the server and for tests.
pub fn app(
    state: web::Data<AppState>,
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<impl MessageBody>,
        Error = actix_web::Error,
        InitError = (),
    >,
> {
    let (app, document) = App::new()
        .into_utoipa_app()
        .openapi(openapi::document())
        .service(routes::all())
        .service(health::alive)
        .service(health::ready)
        .service(metrics::scrape)
        .split_for_parts();
    let known_paths = unmatched::KnownPaths::of(&document);
    app.app_data(state)
        .app_data(web::Data::new(known_paths))
        .app_data(web::PathConfig::default().error_handler(unmatched::bad_path))
        .app_data(web::QueryConfig::default().error_handler(unmatched::bad_query))
        .configure(|config| openapi::register(config, &document))
        .configure(page::register)
        .default_service(web::to(unmatched::answer))
        .wrap(from_fn(guard::admit))
        .wrap(from_fn(headers::add))
        .wrap(TracingLogger::default())
}

/// The first signal lets accepted requests end, the second doesn't.
async fn end_on_signal(state: web::Data<AppState>, server: ServerHandle) {
    if let Err(error) = next_signal().await {
        tracing::error!(%error, "signals can't be received; the server ends only when it is killed");
        return;
    }
    tracing::info!("shutting down: accepted requests may end, new ones are refused");
    state.begin_shutdown();
    let graceful = server.stop(true);
    tokio::spawn(graceful);
    if next_signal().await.is_ok() {
        tracing::warn!("shutting down at once");
        server.stop(false).await;
        std::process::exit(130);
    }
}

#[cfg(unix)]
async fn next_signal() -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        _ = terminate.recv() => Ok(()),
        result = tokio::signal::ctrl_c() => result,
    }
}

#[cfg(not(unix))]
async fn next_signal() -> io::Result<()> {
    tokio::signal::ctrl_c().await
}
