//! The till's API: takes transactions over HTTP and writes them into the database that Debezium watches.

use std::{net::SocketAddr, process::ExitCode};

use adapter::{
    clock::Clock,
    transactions::{Till, router},
};
use anyhow::Context;
use clap::Parser;
use tokio::signal::unix::{SignalKind, signal};
use url::Url;

/// Takes transactions over HTTP (POST /transactions, /openapi.json describes it) and writes them into the database that Debezium watches.
#[derive(Parser)]
#[command(version)]
struct Command {
    /// Where to listen.
    #[arg(long, env = "CELLARBOOK_TILL_LISTEN", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// The till's own database, not the books': postgres://USER:PASSWORD@HOST/DATABASE.
    #[arg(long, env = "CELLARBOOK_TILL_DATABASE")]
    database: Url,
    /// A user to make known first: ID=NAME.
    #[arg(long, value_parser = user)]
    user: Vec<(String, String)>,
}

fn user(text: &str) -> Result<(String, String), String> {
    let (id, name) = text.split_once('=').ok_or_else(|| format!("{text:?} is no ID=NAME"))?;
    Ok((id.to_owned(), name.to_owned()))
}

#[tokio::main]
async fn main() -> ExitCode {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info".into());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).init();
    match run(Command::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("till: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> anyhow::Result<()> {
    let till = Till::open(&command.database, Clock::System).await?;
    if !till.is_watchable().await? {
        tracing::warn!("the server's wal_level is not logical: Debezium can't watch these tables");
    }
    for (id, name) in &command.user {
        till.register(id, name).await?;
    }
    let listener = tokio::net::TcpListener::bind(command.listen).await.with_context(|| format!("can't listen on {}", command.listen))?;
    tracing::info!("listening on http://{}", listener.local_addr()?);
    let mut terminate = signal(SignalKind::terminate())?;
    let stop = async move {
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            _ = terminate.recv() => {}
        }
    };
    axum::serve(listener, router(till)).with_graceful_shutdown(stop).await?;
    Ok(())
}
