//! Counters and the delivery of what they say: once a crossing, to whoever should hear it, also where they are away at first.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::{
    cell::Cell,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use adapter::{
    alerts::{
        counter,
        delivery::{Channel, deliver},
        topic::Topic,
        webhook::Webhook,
    },
    stock::product,
    store::Store,
};
use axum::{Router, body::Bytes, extract::State, http::HeaderMap, http::StatusCode, routing::post as at_post};
use jiff::{SignedDuration, Timestamp};
use rdkafka::{
    ClientConfig, Message, Offset, TopicPartitionList,
    consumer::{BaseConsumer, Consumer},
};
use serde_json::{Value, json};
use support::{broker, business, post, sale, stores, transaction};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A pub that has sold a pint, and a counter of two pints an hour.
async fn counting(store: &Store) -> i64 {
    post(store, &[business("pub", "The Long Hall"), transaction("t0", "pub", "2026-03-01T12:00:00Z"), pint("p0", "t0")]).await;
    let products = product::all(&mut store.read().await.unwrap(), "pub").await.unwrap();
    let stout = product::named(&products, "Plain Stout").unwrap();
    let mut db = store.write().await.unwrap();
    let number = counter::add(&mut db, "pub", stout, 2 * 568, SignedDuration::from_hours(1), NOW).await.unwrap();
    db.commit().await.unwrap();
    number
}

fn pint(id: &str, transaction: &str) -> String {
    sale(id, transaction, "Plain Stout", "5.80", Some(568), 10)
}

async fn outbox(store: &Store) -> Vec<Value> {
    let select = "SELECT detail FROM outbox WHERE kind = 'counter' ORDER BY alert_id";
    let details: Vec<String> = sqlx::query_scalar(select).fetch_all(&mut *store.read().await.unwrap()).await.unwrap();
    details.iter().map(|detail| serde_json::from_str(detail).unwrap()).collect()
}

#[tokio::test]
async fn a_window_raises_one_alert_whatever_is_repeated() {
    for books in stores::all().await {
        let store = &books.store;
        let number = counting(store).await;
        let evening = [transaction("t1", "pub", "2026-03-01T19:05:00Z"), transaction("t2", "pub", "2026-03-01T20:00:00Z")];
        post(store, &evening).await;
        post(store, &[pint("a", "t1"), pint("b", "t2")]).await;
        assert!(outbox(store).await.is_empty(), "a pint in each of three hours");
        post(store, &[pint("c", "t1")]).await;
        let expected = json!({"business": "pub", "counter": number, "product": "Plain Stout", "unit": "ml", "sold": 1136, "threshold": 1136,
            "from": "2026-03-01T19:00:00Z", "until": "2026-03-01T20:00:00Z"});
        assert_eq!(outbox(store).await, [expected]);
        // More of the same hour, a refund below the threshold and across it again, a repetition: known already. Another hour is not.
        post(store, &[pint("d", "t1"), sale("c", "t1", "Plain Stout", "-5.80", Some(568), 20), pint("c", "t1")]).await;
        post(store, &[sale("c", "t1", "Plain Stout", "5.80", Some(568), 30)]).await;
        assert_eq!(outbox(store).await.len(), 1);
        post(store, &[pint("e", "t2")]).await;
        assert_eq!(
            outbox(store).await.iter().map(|alert| &alert["from"]).collect::<Vec<_>>(),
            ["2026-03-01T19:00:00Z", "2026-03-01T20:00:00Z"]
        );
        let mut db = store.write().await.unwrap();
        assert!(!counter::remove(&mut db, "another pub", number).await.unwrap());
        assert!(counter::remove(&mut db, "pub", number).await.unwrap());
        db.commit().await.unwrap();
        post(store, &[pint("f", "t0")]).await;
        assert_eq!(outbox(store).await.len(), 2);
    }
}

type Heard = Arc<Mutex<Vec<(String, Value)>>>;

/// A receiver that is out of order for its first request.
async fn receiver() -> (String, Heard) {
    async fn hear(State(heard): State<Heard>, headers: HeaderMap, body: Bytes) -> StatusCode {
        let header = |name: &str| headers[name].to_str().unwrap().to_owned();
        assert!(header("webhook-signature").starts_with("v1,") && header("webhook-timestamp").parse::<i64>().is_ok());
        let mut heard = heard.lock().unwrap();
        heard.push((header("webhook-id"), serde_json::from_slice(&body).unwrap()));
        if heard.len() == 1 { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::NO_CONTENT }
    }
    let heard = Heard::default();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/alerts", listener.local_addr().unwrap());
    let app = Router::new().route("/alerts", at_post(hear)).with_state(heard.clone());
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    (url, heard)
}

#[tokio::test]
async fn an_alert_is_tried_until_it_is_taken_and_then_left_alone() {
    for books in stores::all().await {
        let store = &books.store;
        counting(store).await;
        post(store, &[pint("p1", "t0"), "no record".into()]).await;
        let (url, heard) = receiver().await;
        let channel = Channel::Webhook(Webhook::new(url.parse().unwrap(), SECRET.parse().unwrap()));
        let clock = Cell::new(NOW);
        let round = async || deliver(store, &channel, || clock.get()).await.unwrap();

        let first = round().await;
        assert_eq!(first.delivered, 0);
        assert!(first.failed[0].contains("answered 503, not 2xx"), "{first:?}");
        assert_eq!(round().await.failed.len(), 0, "not yet due again");
        clock.set(NOW + SignedDuration::from_secs(2));
        assert_eq!(round().await.delivered, 1);
        clock.set(NOW + SignedDuration::from_hours(9));
        assert_eq!(round().await.delivered, 0);
        let heard = heard.lock().unwrap();
        assert_eq!(heard.len(), 2, "the dead letter is not for people");
        assert_eq!(heard[0].0, heard[1].0, "the same alert by its id");
        assert_eq!((&heard[1].1["type"], &heard[1].1["data"]["sold"]), (&json!("counter"), &json!(1136)));
    }
}

#[tokio::test]
async fn alerts_and_dead_letters_have_topics() {
    let Some(address) = broker::address() else { return };
    let books = stores::sqlite().await;
    counting(&books.store).await;
    post(&books.store, &[pint("p1", "t0"), sale("dear", "t0", "Plain Stout", "dear", Some(568), 10)]).await;
    let topics = ["alerts-test-alerts".to_owned(), "alerts-test-dead-letters".to_owned()];
    broker::create(&topics, 1).await;
    let topic = |name: &str| Topic::open(&format!("kafka://{address}?topics={name}").parse().unwrap()).unwrap();
    for channel in [Channel::Alerts(topic(&topics[0])), Channel::DeadLetters(topic(&topics[1]))] {
        let round = deliver(&books.store, &channel, Timestamp::now).await.unwrap();
        assert_eq!((round.delivered, round.failed.len()), (1, 0), "{round:?}");
    }
    let [alert, letter] = topics.map(|topic| first_of(address, &topic));
    assert_eq!((&alert["type"], &alert["subject"]), (&json!("counter"), &json!("pub")));
    assert_eq!((&letter["type"], &letter["data"]["offset"]), (&json!("dead_letter"), &json!(2)));
    assert_eq!(letter["data"]["payload"]["value"]["after"]["beer_price_per_unit"], json!("dear"));
    assert!(letter["data"]["reason"].as_str().unwrap().contains("\"dear\" is no decimal"), "{letter}");
}

/// The value of a topic's first record.
fn first_of(address: &str, topic: &str) -> Value {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", address).set("group.id", topic);
    let consumer: BaseConsumer = config.create().unwrap();
    let mut partitions = TopicPartitionList::new();
    partitions.add_partition_offset(topic, 0, Offset::Beginning).unwrap();
    consumer.assign(&partitions).unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        assert!(Instant::now() < deadline, "nothing in {topic}");
        if let Some(Ok(message)) = consumer.poll(Duration::from_millis(200)) {
            return serde_json::from_slice(message.payload().unwrap()).unwrap();
        }
    }
}
