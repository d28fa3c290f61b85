//! The till over HTTP; errors as problem details (RFC 9457).
#![allow(unused_qualifications, reason = "code that utoipa's macros write")]

use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Path, Query, State, rejection::JsonRejection},
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, OpenApi, ToSchema};

use super::{
    LARGEST_REQUEST, NewTransaction, Transaction, fake,
    tables::{Till, TillError, Written},
};
use crate::ledger::day;

const IDEMPOTENCY_KEY: &str = "idempotency-key";
/// Letters of an idempotency key.
const LONGEST_KEY: usize = 255;
/// Whom made-up transactions belong to where nobody is known.
const FAKE_USER: (&str, &str) = ("fake-pub", "The Made-up Arms");

#[derive(OpenApi)]
#[openapi(
    info(title = "Till", description = "Takes transactions of a pub's or shop's till.", license(name = "Apache-2.0")),
    paths(create, find, make_up, health),
    components(schemas(NewTransaction, Transaction, Problem))
)]
pub struct ApiDoc;

/// The routes of the till.
pub fn router(till: Till) -> Router {
    Router::new()
        .route("/transactions", post(create))
        .route("/transactions/fake/create", get(make_up).post(make_up))
        .route("/transactions/{id}", get(find))
        .route("/health", get(health))
        .route("/openapi.json", get(async || Json(ApiDoc::openapi())))
        .layer(DefaultBodyLimit::max(LARGEST_REQUEST))
        .with_state(till)
}

/// What went wrong (RFC 9457).
#[derive(Debug, Serialize, ToSchema)]
struct Problem {
    #[schema(example = 422)]
    status: u16,
    #[schema(example = "Unprocessable Entity")]
    title: String,
    #[schema(example = "lines[0].price: \"NaN\" is no amount such as \"5.80\"")]
    detail: String,
}

impl Problem {
    fn response(status: StatusCode, detail: String) -> Response {
        let title = status.canonical_reason().unwrap_or_default().to_owned();
        let problem = Self { status: status.as_u16(), title, detail };
        (status, [(CONTENT_TYPE, "application/problem+json")], Json(problem)).into_response()
    }
}

impl IntoResponse for TillError {
    fn into_response(self) -> Response {
        let status = match &self {
            Self::Invalid(_) | Self::KeyReused => StatusCode::UNPROCESSABLE_ENTITY,
            Self::NotFound(_) => StatusCode::NOT_FOUND,
            Self::Open(_) | Self::Database(_) => {
                tracing::error!("{:#}", anyhow::Error::from(self));
                return Problem::response(StatusCode::SERVICE_UNAVAILABLE, "the till's database does not answer: try again".to_owned());
            }
        };
        Problem::response(status, self.to_string())
    }
}

/// Writes a transaction.
#[utoipa::path(post, path = "/transactions", request_body = NewTransaction,
    params(("Idempotency-Key" = Option<String>, Header, description = "The same key and body are written once")),
    responses((status = 201, body = Transaction), (status = 200, body = Transaction, description = "It was written before"),
        (status = 400, body = Problem), (status = 413, body = Problem), (status = 422, body = Problem)))]
async fn create(State(till): State<Till>, headers: HeaderMap, body: Result<Json<NewTransaction>, JsonRejection>) -> Response {
    let Json(transaction) = match body {
        Ok(body) => body,
        Err(rejection) => return Problem::response(rejection.status(), rejection.body_text()),
    };
    let key = match headers.get(IDEMPOTENCY_KEY).map(|key| key.to_str()) {
        None => None,
        Some(Ok(key)) if (1..=LONGEST_KEY).contains(&key.len()) => Some(key),
        Some(_) => {
            return Problem::response(StatusCode::BAD_REQUEST, format!("Idempotency-Key: give 1 to {LONGEST_KEY} visible ASCII letters"));
        }
    };
    written(till.write(transaction, key).await)
}

fn written(result: Result<Written, TillError>) -> Response {
    match result {
        Ok(Written::New(transaction)) => (StatusCode::CREATED, Json(transaction)).into_response(),
        Ok(Written::Before(transaction)) => Json(transaction).into_response(),
        Err(error) => error.into_response(),
    }
}

/// A transaction by its id.
#[utoipa::path(get, path = "/transactions/{id}", params(("id" = String, Path)),
    responses((status = 200, body = Transaction), (status = 404, body = Problem)))]
async fn find(State(till): State<Till>, Path(id): Path<String>) -> Result<Json<Transaction>, TillError> {
    Ok(Json(till.find(&id).await?))
}

#[derive(Deserialize, IntoParams)]
struct Wish {
    /// Whose it shall be; without it, any user's.
    user_id: Option<String>,
    /// The same seed makes the same lines.
    seed: Option<u64>,
}

/// Makes a believable transaction up and writes it.
#[utoipa::path(post, path = "/transactions/fake/create", params(Wish), responses((status = 201, body = Transaction)))]
async fn make_up(State(till): State<Till>, Query(wish): Query<Wish>) -> Result<Response, TillError> {
    let user_id = match wish.user_id {
        Some(user_id) => user_id,
        None => match till.any_user().await? {
            Some(user_id) => user_id,
            None => {
                till.register(FAKE_USER.0, FAKE_USER.1).await?;
                FAKE_USER.0.to_owned()
            }
        },
    };
    let transaction = fake::transaction(user_id, day(till.clock().now()), wish.seed.unwrap_or_else(rand::random));
    Ok(written(till.write(transaction, None).await))
}

/// Whether the till and its database are there.
#[utoipa::path(get, path = "/health", responses((status = 200, description = "They are"), (status = 503, body = Problem)))]
async fn health(State(till): State<Till>) -> Result<&'static str, TillError> {
    till.is_watchable().await.map(|_| "ok")
}
