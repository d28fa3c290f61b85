//! The engine behind gRPC: `Extraction.ExtractInvoice` with health, reflection and limits.
//!
//! Extraction runs on blocking threads, never on the async runtime. As many run at once as there are turns; as many more as
//! there are places may wait; whoever comes then is told so at once, and may come again later.

use std::{error::Error, future::Future, net::SocketAddr, sync::Arc, time::Duration};

use proto::{
    ExtractInvoiceRequest, Invoice,
    extraction_server::{Extraction, ExtractionServer},
};
use tokio::{
    net::TcpListener,
    sync::{OwnedSemaphorePermit, Semaphore},
    task,
};
use tonic::{
    Code, Request, Response, Status,
    transport::{Identity, Server, ServerTlsConfig, server::TcpIncoming},
};

use crate::{
    engine::{Cancel, Engine, ExtractError, Extraction as Extracted},
    observe::Observed,
};

/// What a server takes on.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Of one request, all its files together.
    pub message_bytes: usize,
    /// Extractions at once.
    pub concurrent: usize,
    /// Requests that may wait for a turn beyond those.
    pub waiting: usize,
    /// Of one request, waiting included; a client's own deadline may be shorter.
    pub timeout: Duration,
}

/// Why a server ends before its time.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("the TLS certificate or key cannot be used")]
    Tls(#[source] tonic::transport::Error),
    #[error("the description of the services is broken")]
    Reflection(#[source] tonic_reflection::server::Error),
    #[error("serving on {address} failed")]
    Serve { address: SocketAddr, source: tonic::transport::Error },
    #[error("the address of the listener is unknown")]
    Address(#[source] std::io::Error),
}

/// Serves on `listener` until `shutdown` resolves and the requests in progress are done.
pub async fn serve(
    engine: Arc<Engine>,
    limits: Limits,
    listener: TcpListener,
    tls: Option<Identity>,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), ServeError> {
    let address = listener.local_addr().map_err(ServeError::Address)?;
    let extraction = ExtractionServer::new(Service::new(engine, limits)).max_decoding_message_size(limits.message_bytes);
    let (health, health_service) = tonic_health::server::health_reporter();
    health.set_serving::<ExtractionServer<Service>>().await;
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(proto::DESCRIPTORS)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .build_v1()
        .map_err(ServeError::Reflection)?;

    let mut server = Server::builder().timeout(limits.timeout);
    if let Some(identity) = tls {
        server = server.tls_config(ServerTlsConfig::new().identity(identity)).map_err(ServeError::Tls)?;
    }
    let stop = async {
        shutdown.await;
        health.set_not_serving::<ExtractionServer<Service>>().await;
    };
    server
        .add_service(health_service)
        .add_service(reflection)
        .add_service(extraction)
        .serve_with_incoming_shutdown(TcpIncoming::from(listener), stop)
        .await
        .map_err(|source| ServeError::Serve { address, source })
}

struct Service {
    engine: Arc<Engine>,
    /// Requests that run or wait.
    places: Arc<Semaphore>,
    /// Requests that run.
    turns: Arc<Semaphore>,
}

impl Service {
    fn new(engine: Arc<Engine>, limits: Limits) -> Self {
        let places = Arc::new(Semaphore::new(limits.concurrent + limits.waiting));
        Self { engine, places, turns: Arc::new(Semaphore::new(limits.concurrent)) }
    }

    async fn extract(&self, request: ExtractInvoiceRequest) -> Result<Extracted, Status> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| busy())?;
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(|_| busy())?;
        let cancel = CancelOnDrop(Cancel::default());
        let work = {
            let (engine, cancel) = (Arc::clone(&self.engine), cancel.0.clone());
            move || run(&engine, &request, &cancel, (place, turn))
        };
        let result = task::spawn_blocking(work).await;
        result.map_err(|_| Status::internal("the extraction broke off"))?.map_err(|error| status(&error))
    }
}

/// The permits are given back when the work is done, not when the client stops waiting for it.
fn run(
    engine: &Engine,
    request: &ExtractInvoiceRequest,
    cancel: &Cancel,
    _permits: (OwnedSemaphorePermit, OwnedSemaphorePermit),
) -> Result<Extracted, ExtractError> {
    engine.extract_with_pages(&request.source, &request.pages, cancel)
}

#[tonic::async_trait]
impl Extraction for Service {
    async fn extract_invoice(&self, request: Request<ExtractInvoiceRequest>) -> Result<Response<Invoice>, Status> {
        let request = request.into_inner();
        let observed = Observed::new(&request);
        let result = self.extract(request).await;
        observed.finish(&result);
        result.map(|extracted| Response::new(extracted.invoice))
    }
}

/// A client that goes away or whose deadline passes drops its request's future, and this with it.
struct CancelOnDrop(Cancel);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

fn busy() -> Status {
    Status::resource_exhausted("too many documents are waiting; try again later")
}

/// What went wrong, for the client: its document's faults with the page and the reason.
fn status(error: &ExtractError) -> Status {
    let code = match error {
        ExtractError::Document(_) | ExtractError::NoFiles => Code::InvalidArgument,
        ExtractError::Cancelled => Code::Cancelled,
        ExtractError::Localise { .. } | ExtractError::Recognise { .. } | ExtractError::Understand(_) => Code::Internal,
    };
    Status::new(code, with_causes(error))
}

/// An error and what caused it, in one line.
pub fn with_causes(error: &dyn Error) -> String {
    let mut message = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        message = format!("{message}: {error}");
        cause = error.source();
    }
    message
}
