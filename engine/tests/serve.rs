//! The gRPC service on a port of its own: a document, bad documents, health, reflection, limits.

#![allow(clippy::unwrap_used, reason = "in a test the place of the panic says what is wrong")]

mod documents;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use engine::{
    engine::Engine,
    service::{self, Limits, ServeError},
};
use proto::{ExtractInvoiceRequest, extraction_client::ExtractionClient};
use tokio::{net::TcpListener, sync::oneshot, task::JoinHandle};
use tonic::{Code, Request, transport::Channel};
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient, server_reflection_request::MessageRequest,
    server_reflection_response::MessageResponse,
};

const LIMITS: Limits = Limits { message_bytes: 1 << 20, concurrent: 1, waiting: 1, timeout: Duration::from_secs(60) };

struct Server {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    ended: JoinHandle<Result<(), ServeError>>,
}

impl Server {
    async fn start(limits: Limits) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let stopped = async { stopped.await.unwrap_or(()) };
        let engine = Arc::new(Engine::built_in().unwrap());
        let ended = tokio::spawn(service::serve(engine, limits, listener, None, stopped));
        Self { address, stop, ended }
    }

    async fn channel(&self) -> Channel {
        Channel::from_shared(format!("http://{}", self.address)).unwrap().connect().await.unwrap()
    }

    async fn client(&self) -> ExtractionClient<Channel> {
        ExtractionClient::new(self.channel().await)
    }

    async fn stop(self) {
        self.stop.send(()).unwrap();
        self.ended.await.unwrap().unwrap();
    }
}

fn request(pages: Vec<Vec<u8>>) -> ExtractInvoiceRequest {
    ExtractInvoiceRequest { source: "receipt-7".into(), pages }
}

#[tokio::test]
async fn a_document_of_several_files_comes_back_as_one() {
    let server = Server::start(LIMITS).await;
    let pages = vec![documents::receipt_pdf(), documents::receipt_pdf()];
    let invoice = server.client().await.extract_invoice(request(pages)).await.unwrap().into_inner();
    assert_eq!(invoice.source, "receipt-7");
    assert_eq!(invoice.pages.len(), 2);
    let first_lines: Vec<_> = invoice.text.iter().filter(|line| line.text == "THE CROSS KEYS").map(|line| line.page).collect();
    assert_eq!(first_lines, [0, 1]);
    server.stop().await;
}

#[tokio::test]
async fn bad_documents_are_the_clients_fault() {
    let server = Server::start(LIMITS).await;
    let mut client = server.client().await;
    let cases = [
        (vec![documents::receipt_pdf(), b"not a page".to_vec()], "file 2 of the document: this is a text file"),
        (vec![vec![]], "file 1 of the document: the file is empty"),
        (vec![documents::encrypted_pdf()], "file 1 of the document: the PDF is encrypted"),
        (vec![], "the document has no files"),
    ];
    for (pages, reason) in cases {
        let status = client.extract_invoice(request(pages)).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument);
        assert!(status.message().contains(reason), "{}", status.message());
    }
    server.stop().await;
}

#[tokio::test]
async fn too_large_messages_and_passed_deadlines_are_refused() {
    let server = Server::start(LIMITS).await;
    let mut client = server.client().await;
    let status = client.extract_invoice(request(vec![vec![0; LIMITS.message_bytes + 1]])).await.unwrap_err();
    assert_eq!(status.code(), Code::OutOfRange);

    let mut hurried = Request::new(request(vec![documents::receipt_pdf()]));
    hurried.set_timeout(Duration::from_micros(1));
    let code = client.extract_invoice(hurried).await.unwrap_err().code();
    assert!(matches!(code, Code::Cancelled | Code::DeadlineExceeded), "{code:?}");
    server.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn more_requests_than_may_wait_are_told_at_once() {
    // Nobody may run or wait: the answer doesn't depend on how fast the others are.
    let server = Server::start(Limits { concurrent: 0, waiting: 0, ..LIMITS }).await;
    let status = server.client().await.extract_invoice(request(vec![documents::receipt_pdf()])).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    server.stop().await;

    let server = Server::start(Limits { concurrent: 2, waiting: 8, ..LIMITS }).await;
    let client = server.client().await;
    let requests = (0..10).map(|_| {
        let mut client = client.clone();
        tokio::spawn(async move { client.extract_invoice(request(vec![documents::receipt_pdf()])).await })
    });
    for answer in requests.collect::<Vec<_>>() {
        assert_eq!(answer.await.unwrap().unwrap().into_inner().pages.len(), 1);
    }
    server.stop().await;
}

#[tokio::test]
async fn health_and_reflection_know_the_service() {
    let server = Server::start(LIMITS).await;
    let health = HealthCheckRequest { service: "cellarbook.v1.Extraction".into() };
    let status = HealthClient::new(server.channel().await).check(health).await.unwrap().into_inner();
    assert_eq!(status.status(), ServingStatus::Serving);

    let list = ServerReflectionRequest { host: String::new(), message_request: Some(MessageRequest::ListServices(String::new())) };
    let mut answers = ServerReflectionClient::new(server.channel().await)
        .server_reflection_info(tonic::codegen::tokio_stream::once(list))
        .await
        .unwrap()
        .into_inner();
    let Some(MessageResponse::ListServicesResponse(list)) = answers.message().await.unwrap().unwrap().message_response else {
        panic!("no list of services");
    };
    let names: Vec<_> = list.service.iter().map(|service| service.name.as_str()).collect();
    for name in ["cellarbook.v1.Extraction", "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection"] {
        assert!(names.contains(&name), "{names:?}");
    }
    drop(answers);
    server.stop().await;
}
