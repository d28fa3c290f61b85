//! The extraction service over gRPC.

use std::{
    fs, future,
    net::SocketAddr,
    num::NonZeroUsize,
    path::{Path, PathBuf},
    sync::Arc,
    thread,
    time::Duration,
};

use anyhow::{Context, Result};
use axum::{Router, routing::get};
use clap::Parser;
use engine::{
    arguments::EngineArgs,
    observe, page,
    service::{self, Limits},
};
use metrics_exporter_prometheus::PrometheusHandle;
use tokio::{
    net::TcpListener,
    runtime::Runtime,
    signal::unix::{SignalKind, signal},
    sync::watch,
    time,
};
use tonic::transport::Identity;
use tracing::{info, warn};
use tracing_subscriber::EnvFilter;

/// How long requests in progress may take after a signal to end.
const SHUTDOWN_GRACE: Duration = Duration::from_secs(30);
/// Old samples are folded into their histograms this often.
const METRICS_UPKEEP: Duration = Duration::from_secs(5);

/// Serves cellarbook.v1.Extraction over gRPC, with health and reflection. SIGTERM ends it when the requests in progress are done.
#[derive(Parser)]
#[command(name = "serve", version)]
struct Args {
    /// Address for gRPC
    #[arg(long, value_name = "ADDRESS", env = "CELLARBOOK_LISTEN", default_value = "127.0.0.1:50051")]
    listen: SocketAddr,
    /// Address for /metrics (Prometheus) and /health over HTTP [default: none]
    #[arg(long, value_name = "ADDRESS", env = "CELLARBOOK_METRICS_LISTEN")]
    metrics_listen: Option<SocketAddr>,
    /// Certificate chain in PEM form: serve over TLS
    #[arg(long, value_name = "FILE", env = "CELLARBOOK_TLS_CERT", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// Private key in PEM form
    #[arg(long, value_name = "FILE", env = "CELLARBOOK_TLS_KEY", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    #[command(flatten)]
    engine: EngineArgs,
    /// Documents to read at once [default: as many as there are cores]
    #[arg(long, value_name = "N", env = "CELLARBOOK_CONCURRENT")]
    concurrent: Option<NonZeroUsize>,
    /// Requests that may wait beyond those; more are refused with RESOURCE_EXHAUSTED
    #[arg(long, value_name = "N", env = "CELLARBOOK_WAITING", default_value_t = 16)]
    waiting: usize,
    /// Largest request, in MiB
    #[arg(long, value_name = "MIB", env = "CELLARBOOK_MESSAGE_MIB", default_value_t = 64)]
    message_mib: usize,
    /// Longest time for a request, waiting included
    #[arg(long, value_name = "SECONDS", env = "CELLARBOOK_TIMEOUT", default_value_t = 120)]
    timeout: u64,
}

fn main() -> Result<()> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_env_filter(filter).init();
    page::silence_panics();
    let args = Args::parse();
    let runtime = Runtime::new().context("starting the runtime")?;
    let result = runtime.block_on(serve(&args));
    // An extraction that outlives the grace period ends with the process.
    runtime.shutdown_timeout(Duration::ZERO);
    result
}

async fn serve(args: &Args) -> Result<()> {
    let engine = args.engine.engine()?;
    let tls = match (&args.tls_cert, &args.tls_key) {
        (Some(cert), Some(key)) => Some(Identity::from_pem(read(cert)?, read(key)?)),
        _ => None,
    };
    let listener = listen(args.listen).await?;
    let stop = on_signal()?;
    let metrics = observe::install_metrics().context("starting metrics")?;
    if let Some(address) = args.metrics_listen {
        let listener = listen(address).await?;
        info!(address = %listener.local_addr()?, "serving metrics");
        tokio::spawn(upkeep(metrics.clone()));
        tokio::spawn(axum::serve(listener, http(metrics)).into_future());
    }
    info!(address = %listener.local_addr()?, tls = tls.is_some(), model = engine.model().name, "serving");
    tokio::select! {
        served = service::serve(Arc::new(engine), limits(args), listener, tls, stopped(stop.clone())) => served?,
        () = grace(stop) => warn!(seconds = SHUTDOWN_GRACE.as_secs(), "requests were still in progress at the end"),
    }
    info!("stopped");
    Ok(())
}

fn limits(args: &Args) -> Limits {
    let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
    Limits {
        message_bytes: args.message_mib << 20,
        concurrent: args.concurrent.map_or(cores, NonZeroUsize::get),
        waiting: args.waiting,
        timeout: Duration::from_secs(args.timeout),
    }
}

async fn listen(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("listening on {address}"))
}

fn read(file: &Path) -> Result<Vec<u8>> {
    fs::read(file).with_context(|| format!("reading {}", file.display()))
}

fn http(metrics: PrometheusHandle) -> Router {
    let metrics = move || future::ready(metrics.render());
    Router::new().route("/metrics", get(metrics)).route("/health", get(|| async { "ok\n" }))
}

async fn upkeep(metrics: PrometheusHandle) {
    let mut ticks = time::interval(METRICS_UPKEEP);
    loop {
        ticks.tick().await;
        metrics.run_upkeep();
    }
}

/// Turns true at SIGTERM or SIGINT.
fn on_signal() -> Result<watch::Receiver<bool>> {
    let (stop, stopped) = watch::channel(false);
    let mut terminate = signal(SignalKind::terminate()).context("waiting for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("waiting for SIGINT")?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        info!("stopping: no new requests");
        stop.send_replace(true);
    });
    Ok(stopped)
}

async fn stopped(mut stop: watch::Receiver<bool>) {
    // An error would mean that nobody waits for signals any more: then there is no end to wait for.
    if stop.wait_for(|&stop| stop).await.is_err() {
        future::pending::<()>().await;
    }
}

async fn grace(stop: watch::Receiver<bool>) {
    stopped(stop).await;
    time::sleep(SHUTDOWN_GRACE).await;
}
