//! The till's API on a real PostgreSQL.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use adapter::{
    clock::Clock,
    transactions::{Till, Transaction, router},
};
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, StatusCode},
};
use rust_decimal::Decimal;
use serde_json::{Value, json};
use support::postgres;
use tower::ServiceExt;

const CLOCK: &str = "2026-03-01T20:00:00Z";

/// The API, and its database's address; `None`, with a word on stderr, where there is no PostgreSQL.
async fn till() -> Option<(Router, String)> {
    let database = postgres::database()?;
    let till = Till::open(&database.parse().unwrap(), Clock::Fixed(CLOCK.parse().unwrap())).await.unwrap();
    assert!(till.is_watchable().await.unwrap());
    till.register("pub", "The Long Hall").await.unwrap();
    Some((router(till), database))
}

async fn ask(api: &Router, method: &str, path: &str, key: Option<&str>, body: &str) -> (StatusCode, Value) {
    let mut request = Request::builder().method(method).uri(path).header("content-type", "application/json");
    if let Some(key) = key {
        request = request.header("Idempotency-Key", key);
    }
    let answer = api.clone().oneshot(request.body(Body::from(body.to_owned())).unwrap()).await.unwrap();
    let status = answer.status();
    let problem = answer.headers()["content-type"] == "application/problem+json";
    assert_eq!(problem, !status.is_success(), "{path}: {status}");
    (status, serde_json::from_slice(&to_bytes(answer.into_body(), usize::MAX).await.unwrap()).unwrap())
}

fn round() -> Value {
    let pint = json!({"name": "Plain Stout", "price": "5.80", "tax_rate": "0.23", "millilitre": 568, "alcohol": "4.2%"});
    json!({"user_id": "pub", "created_at": "2026-03-01T19:30:00+00:00", "lines": [pint, {"name": "Crisps", "price": "1.9", "tax_rate": "0.23"}]})
}

#[tokio::test]
async fn a_transaction_is_written_once_and_read_again() {
    let Some((api, database)) = till().await else { return };
    let (status, written) = ask(&api, "POST", "/transactions", Some("a"), &round().to_string()).await;
    assert_eq!(status, StatusCode::CREATED);
    assert_eq!(
        (&written["total"], &written["tax"], &written["created_at"]),
        (&json!("7.70"), &json!("1.44"), &json!("2026-03-01T19:30:00Z"))
    );
    assert_eq!(written["lines"][1]["price"], "1.90");
    assert_eq!(ask(&api, "POST", "/transactions", Some("a"), &round().to_string()).await, (StatusCode::OK, written.clone()));
    let path = format!("/transactions/{}", written["transaction_id"].as_str().unwrap());
    assert_eq!(ask(&api, "GET", &path, None, "").await, (StatusCode::OK, written));
    let mut other = round();
    other["lines"][0]["price"] = json!("6.00");
    let (status, problem) = ask(&api, "POST", "/transactions", Some("a"), &other.to_string()).await;
    assert_eq!((status, &problem["detail"]), (StatusCode::UNPROCESSABLE_ENTITY, &json!("the key was used for another transaction")));
    assert_eq!(postgres::ask(&database, "SELECT count(*), sum(beer_price_per_unit) FROM beers").trim(), "2|7.70");
}

#[tokio::test]
async fn bad_requests_are_told_what_is_wrong_and_write_nothing() {
    let Some((api, database)) = till().await else { return };
    let with = |pointer: &str, value: Value| {
        let mut body = round();
        *body.pointer_mut(pointer).unwrap() = value;
        body.to_string()
    };
    for (body, status, detail) in [
        ("{".to_owned(), 400, "EOF while parsing"),
        (with("/lines/0/price", json!(5.8)), 422, "lines[0].price: invalid type: floating point `5.8`, expected a string"),
        (with("/lines/0/price", json!("NaN")), 422, "lines[0].price: \"NaN\" is no amount"),
        (with("/lines/1/tax_rate", json!("23")), 422, "lines[1].tax_rate: the VAT rate 23 is no fraction"),
        (with("/user_id", json!("nobody")), 422, "user_id: there is no user \"nobody\""),
        (with("/created_at", json!("2036-01-01T00:00:00Z")), 422, "created_at: 2036-01-01T00:00:00Z lies in the future"),
        (with("/lines", json!([])), 422, "lines: there are none"),
        (with("/user_id", json!("x".repeat(300_000))), 413, "length limit exceeded"),
    ] {
        let (answered, problem) = ask(&api, "POST", "/transactions", None, &body).await;
        assert_eq!(answered.as_u16(), status, "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains(detail), "{problem} instead of {detail}");
    }
    assert_eq!(ask(&api, "GET", "/transactions/none", None, "").await.0, StatusCode::NOT_FOUND);
    assert_eq!(postgres::ask(&database, "SELECT count(*) FROM transactions").trim(), "0");
}

#[tokio::test]
async fn made_up_transactions_add_up() {
    let Some((api, _)) = till().await else { return };
    for seed in 0..20 {
        let method = if seed % 2 == 0 { "GET" } else { "POST" };
        let (status, made) = ask(&api, method, &format!("/transactions/fake/create?seed={seed}"), None, "").await;
        assert_eq!(status, StatusCode::CREATED);
        let made: Transaction = serde_json::from_value(made).unwrap();
        let total: Decimal = made.lines.iter().map(|line| line.line.price.parse::<Decimal>().unwrap()).sum();
        assert_eq!((made.user_id.as_str(), made.total), ("pub", total.to_string()));
    }
}

#[tokio::test]
async fn the_api_describes_itself() {
    let Some((api, _)) = till().await else { return };
    let (_, described) = ask(&api, "GET", "/openapi.json", None, "").await;
    let paths: Vec<&String> = described["paths"].as_object().unwrap().keys().collect();
    assert_eq!(paths, ["/health", "/transactions", "/transactions/fake/create", "/transactions/{id}"]);
    assert_eq!(described["components"]["schemas"]["NewLine"]["properties"]["price"]["example"], "5.80");
}
