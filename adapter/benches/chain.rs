//! The real chain: sale lines a second from a broker into PostgreSQL by one adapter and by three, and how long a sale takes from the till's commit
//! through Debezium and the broker into the books.
//!
//! `cargo bench -p adapter --bench chain [-- LINES]`, where the stack of the tests is installed. Everything shares this machine's processors.
#![allow(clippy::unwrap_used, reason = "a measurement that fails is no measurement")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use adapter::store::Store;
use sqlx::Connection;
use support::{
    broker,
    chain::{self, Chain},
    postgres, stores,
    traffic::{self, BATCH},
};

const LINES: usize = 60_000;
const SALES: usize = 300;
/// Between two looks at the books.
const LOOK: Duration = Duration::from_millis(1);
/// From a sale in the books to the next one at the till.
const PAUSE: Duration = Duration::from_millis(30);

async fn journals(store: &Store) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM journals").fetch_one(&mut *store.read().await.unwrap()).await.unwrap()
}

/// Seconds that so many adapters take for lines that lie in as many partitions.
async fn catch_up(partitions: usize, lines: usize) -> Option<f64> {
    let (books, _) = (stores::postgres().await?, broker::address()?);
    let prefix = format!("bench{partitions}");
    let topics = ["users", "transactions", "beers"].map(|table| format!("{prefix}.public.{table}"));
    let text = |value: Option<serde_json::Value>| value.map(|value| value.as_str().unwrap().to_owned());
    let records: Vec<broker::Sent> = traffic::users()
        .chain(traffic::lines(0..lines))
        .map(|record| (record.topic.replacen("till", &prefix, 1), text(record.key), text(record.value)))
        .collect();
    broker::produce(&topics, i32::try_from(partitions).unwrap(), &records).await;
    let begun = Instant::now();
    let mut adapters: Vec<_> = (0..partitions).map(|_| chain::adapter(&prefix, &topics, &books.database)).collect();
    while journals(&books.store).await < i64::try_from(lines).unwrap() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let seconds = begun.elapsed().as_secs_f64();
    for adapter in &mut adapters {
        adapter.kill().unwrap();
        adapter.wait().unwrap();
    }
    Some(seconds)
}

/// Milliseconds from the commit of each sale at the till to its journal in the books, one sale after the other.
async fn delays() -> Option<Vec<f64>> {
    let mut chain = Chain::start("delay", &[]).await?;
    postgres::ask(&chain.till, "INSERT INTO users VALUES ('pub', 'The Long Hall', NULL)");
    postgres::ask(&chain.till, "INSERT INTO transactions VALUES ('t', 'pub', 0, 0, '2026-03-01 19:30+00')");
    postgres::ask(&chain.till, "INSERT INTO beers VALUES ('first', 't', 'Plain Stout', 5.80, NULL, 0.23, 568, NULL)");
    chain.agrees("the first sale").await;
    let mut till = sqlx::PgConnection::connect(&chain.till).await.unwrap();
    let mut delays = Vec::new();
    for number in 0..SALES {
        let expected = journals(chain.books()).await + 1;
        let sell = "INSERT INTO beers VALUES ($1, 't', 'Plain Stout', 5.80, NULL, 0.23, 568, NULL)";
        sqlx::query(sell).bind(number.to_string()).execute(&mut till).await.unwrap();
        let committed = Instant::now();
        while journals(chain.books()).await < expected {
            tokio::time::sleep(LOOK).await;
        }
        delays.push(1e3 * committed.elapsed().as_secs_f64());
        tokio::time::sleep(PAUSE).await;
    }
    chain.end().await;
    delays.sort_by(f64::total_cmp);
    Some(delays)
}

#[expect(clippy::cast_precision_loss, reason = "counts of lines")]
fn main() {
    let lines = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(LINES);
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap().block_on(async {
        println!("{lines} sale lines from a broker into PostgreSQL, {BATCH} records a batch");
        for partitions in [1, 3] {
            let Some(seconds) = catch_up(partitions, lines).await else { return };
            println!("{partitions} partitions, {partitions} adapters: {:6.0} lines/s", lines as f64 / seconds);
        }
        let Some(delays) = delays().await else { return };
        let at = |percent: usize| delays[(delays.len() - 1) * percent / 100];
        println!("from the till's commit into the books, {SALES} sales: median {:.0} ms, p99 {:.0} ms", at(50), at(99));
    });
}
