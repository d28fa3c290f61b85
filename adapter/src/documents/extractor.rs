//! The engine as the adapter sees it: files of a document in, fields out.

use std::future::Future;
use std::sync::Arc;

use engine::engine::{Engine, ExtractError, LoadError};
use proto::{ExtractInvoiceRequest, Invoice, extraction_client::ExtractionClient};
use tonic::transport::{Channel, Endpoint};

/// Bytes of a reply: a long document's text lines are the most of it.
const LARGEST_REPLY: usize = 64 << 20;

#[derive(Debug, thiserror::Error)]
pub enum ExtractorError {
    #[error("{0:?} is no address of an engine, such as http://127.0.0.1:50051")]
    Address(String),
    #[error("the engine at {address} can't be reached")]
    Connect { address: String, source: tonic::transport::Error },
    #[error("the built-in engine can't be loaded")]
    Load(#[source] Box<LoadError>),
    #[error("the document can't be read")]
    Document(#[source] Box<ExtractError>),
    #[error("the engine broke off")]
    Panicked(#[source] tokio::task::JoinError),
    /// The engine's own words.
    #[error("{}", .0.message())]
    Refused(Box<tonic::Status>),
}

/// Reads documents.
pub trait Extractor {
    /// `files` are the pages of one document in order; `source` is its name.
    fn extract(&self, source: &str, files: Vec<Vec<u8>>) -> impl Future<Output = Result<Invoice, ExtractorError>> + Send;
}

/// An engine behind gRPC.
pub struct Remote {
    client: ExtractionClient<Channel>,
}

impl Remote {
    pub async fn connect(address: &str) -> Result<Self, ExtractorError> {
        let endpoint = Endpoint::from_shared(address.to_owned()).map_err(|_| ExtractorError::Address(address.to_owned()))?;
        let channel = endpoint.connect().await.map_err(|source| ExtractorError::Connect { address: address.to_owned(), source })?;
        Ok(Self { client: ExtractionClient::new(channel).max_decoding_message_size(LARGEST_REPLY) })
    }
}

impl Extractor for Remote {
    async fn extract(&self, source: &str, pages: Vec<Vec<u8>>) -> Result<Invoice, ExtractorError> {
        let request = ExtractInvoiceRequest { source: source.to_owned(), pages };
        let reply = self.client.clone().extract_invoice(request).await;
        reply.map(tonic::Response::into_inner).map_err(|status| ExtractorError::Refused(Box::new(status)))
    }
}

/// The engine in this process.
pub struct InProcess {
    engine: Arc<Engine>,
}

impl InProcess {
    /// With the weights that are part of the program; `suppliers` are those that are known, a JSON object a line.
    pub fn knowing(suppliers: &str) -> Result<Self, ExtractorError> {
        let engine =
            Engine::built_in().and_then(|engine| engine.knowing(suppliers)).map_err(|error| ExtractorError::Load(Box::new(error)))?;
        Ok(Self { engine: Arc::new(engine) })
    }
}

impl Extractor for InProcess {
    async fn extract(&self, source: &str, files: Vec<Vec<u8>>) -> Result<Invoice, ExtractorError> {
        let (engine, source) = (Arc::clone(&self.engine), source.to_owned());
        let read = tokio::task::spawn_blocking(move || engine.extract(&source, &files)).await;
        read.map_err(ExtractorError::Panicked)?.map_err(|error| ExtractorError::Document(Box::new(error)))
    }
}
