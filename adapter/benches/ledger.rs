//! Sale lines a second into the books, beside a plain COPY of the rows that they leave there.
//!
//! `cargo bench -p adapter --bench ledger [-- LINES]`; on SQLite, and on PostgreSQL where it is installed (a throwaway cluster, without fsync as
//! far as both are measured). The lines lie in memory as Debezium sends them: reading them is part of the time, a broker is not.
#![allow(clippy::unwrap_used, reason = "a measurement that fails is no measurement")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::time::Instant;

use adapter::{
    clock::Clock,
    ledger::verify,
    sales,
    source::{Batch, Coordinates, Position, Record, Step},
    store::Store,
    till::Mapping,
};
use serde_json::{Value, json};
use support::{postgres, stores};

/// As in the adapter.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const LINES: usize = 60_000;
const LINES_A_TRANSACTION: usize = 3;
const BATCH: usize = 2_000;
const BUSINESSES: usize = 3;
/// Tables that a sale line leaves rows in.
const TABLES: [&str; 4] = ["source_rows", "journals", "postings", "stock_movements"];

fn record(table: &str, id: &str, lsn: usize, row: Value) -> Record {
    let topic = format!("till.public.{table}");
    let coordinates = Coordinates { topic: topic.clone(), partition: 0, offset: i64::try_from(lsn).unwrap() };
    let key = json!({id: row[id]}).to_string();
    let source = json!({"version": "3.6.3.Final", "connector": "postgresql", "name": "till", "ts_ms": 1_772_700_000_000_u64, "db": "till",
        "schema": "public", "table": table, "txId": lsn, "lsn": lsn, "sequence": format!("[\"{lsn}\",\"{lsn}\"]")});
    let value = json!({"before": null, "after": row, "source": source, "op": "c", "ts_ms": 1_772_700_000_100_u64}).to_string();
    Record { coordinates, topic, key: Some(Value::String(key)), value: Some(Value::String(value)) }
}

fn records(lines: usize) -> Vec<Record> {
    let business = |index: usize| format!("u-{}", index % BUSINESSES);
    let users =
        (0..BUSINESSES).map(|index| record("users", "id", index + 1, json!({"id": business(index), "name": "A pub", "email": null})));
    let sold = (0..lines).flat_map(|line| {
        let (transaction, lsn) = (line / LINES_A_TRANSACTION, 10 + 2 * line);
        let head = (line % LINES_A_TRANSACTION == 0).then(|| {
            let time = format!("2026-{:02}-{:02}T20:{:02}:00Z", 1 + line % 12, 1 + line % 28, line % 60);
            let row = json!({"transaction_id": format!("t-{transaction}"), "user_id": business(transaction), "total": "0", "tax": "0",
                "created_at": time});
            record("transactions", "transaction_id", lsn, row)
        });
        let row = json!({"product_id": format!("p-{line}"), "transaction_id": format!("t-{transaction}"),
            "beer_name": format!("Ale {}", line % 40), "beer_price_per_unit": format!("{}.{:02}", 4 + line % 5, line % 100),
            "beer_alcohol": "4.2%", "beer_tax_rate": "0.23", "millilitre": 568, "price_per_ml": null});
        head.into_iter().chain([record("beers", "product_id", lsn + 1, row)])
    });
    users.chain(sold).collect()
}

fn batches(records: &[Record]) -> Vec<Batch> {
    let mut posted = None;
    let batch = |records: &[Record]| {
        let next_offset = posted.unwrap_or(0) + i64::try_from(records.len()).unwrap();
        let to = Position { topic: "till".into(), partition: 0, next_offset, fingerprint: None };
        let step = Step { from: posted.replace(next_offset), to };
        Batch { records: records.iter().cloned().map(Ok).collect(), steps: vec![step] }
    };
    records.chunks(BATCH).map(batch).collect()
}

/// Seconds for all, and of each batch.
async fn post(store: &Store, batches: &[Batch]) -> (f64, Vec<f64>) {
    let begun = Instant::now();
    let mut each = Vec::new();
    for batch in batches {
        let begun = Instant::now();
        let tally = sales::post(store, &Mapping::default(), Clock::System, batch).await.unwrap();
        assert!(tally.dead_letters.is_empty());
        each.push(begun.elapsed().as_secs_f64());
    }
    (begun.elapsed().as_secs_f64(), each)
}

/// Seconds that COPY takes to put the rows of `database` into the tables of an empty one: all constraints and triggers are there as well.
fn copy(database: &str, empty: &str) -> f64 {
    let folder = tempfile::tempdir().unwrap();
    let file = |table: &str| folder.path().join(table).display().to_string();
    for table in TABLES {
        postgres::ask(database, &format!(r"\copy {table} TO '{}'", file(table)));
    }
    for table in ["businesses", "products"] {
        postgres::ask(database, &format!(r"\copy {table} TO '{}'", file(table)));
        postgres::ask(empty, &format!(r"\copy {table} FROM '{}'", file(table)));
    }
    // Postings before their journals, in one transaction, as the adapter writes them.
    let script = ["source_rows", "postings", "stock_movements", "journals"].map(|table| format!("\\copy {table} FROM '{}'\n", file(table)));
    let begun = Instant::now();
    postgres::script(empty, &format!("BEGIN;\n{}COMMIT;\n", script.concat()));
    begun.elapsed().as_secs_f64()
}

fn quantile(sorted: &[f64], share: f64) -> f64 {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "an index within the list")]
    sorted[((sorted.len() - 1) as f64 * share) as usize]
}

#[expect(clippy::cast_precision_loss, reason = "counts of lines")]
fn main() {
    let lines = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(LINES);
    let batches = batches(&records(lines));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    println!("{lines} sale lines in transactions of {LINES_A_TRANSACTION}, {BATCH} records a batch");
    for books in runtime.block_on(stores::all()) {
        let (seconds, mut each) = runtime.block_on(post(&books.store, &batches));
        each.sort_by(f64::total_cmp);
        let kind = if books.database.starts_with("sqlite") { "SQLite    " } else { "PostgreSQL" };
        let (median, slowest) = (1e3 * quantile(&each, 0.5), 1e3 * quantile(&each, 0.99));
        println!("{kind}  {:8.0} lines/s, a batch {median:.0} ms, p99 {slowest:.0} ms", lines as f64 / seconds);
        for business in 0..BUSINESSES {
            runtime.block_on(verify(&books.store, &format!("u-{business}"))).unwrap();
        }
        if let Some(empty) = (kind == "PostgreSQL").then(|| runtime.block_on(stores::postgres()).unwrap()) {
            let copied = copy(&books.database, &empty.database);
            println!("COPY        {:8.0} lines/s, the same rows: {:.2} of its speed is ours", lines as f64 / copied, copied / seconds);
        }
    }
}
