//! Sale lines a second into the books, beside a plain COPY of the rows that they leave there.
//!
//! `cargo bench -p adapter --bench ledger [-- LINES]`; on SQLite, and on PostgreSQL where it is installed (a throwaway cluster, without fsync as
//! far as both are measured). The lines lie in memory as Debezium sends them: reading them is part of the time, a broker is not.
#![allow(clippy::unwrap_used, reason = "a measurement that fails is no measurement")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::time::Instant;

use adapter::{clock::Clock, ledger::verify, sales::Decoded, source::Batch, store::Store, till::Mapping};
use support::{
    postgres, stores,
    traffic::{self, BATCH, BUSINESSES, LINES_A_TRANSACTION},
};
use tokio::task::spawn_blocking;

/// As in the adapter.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const LINES: usize = 60_000;
/// Tables that a sale line leaves rows in.
const TABLES: [&str; 4] = ["source_rows", "journals", "postings", "stock_movements"];

/// Seconds for all, and of each batch; the next one is decoded meanwhile, as by the adapter.
async fn post(store: &Store, batches: Vec<Batch>) -> (f64, Vec<f64>) {
    let mut batches = batches.into_iter();
    let mut next = async || match batches.next() {
        Some(batch) => Some(spawn_blocking(|| Decoded::new(batch, &Mapping::default())).await.unwrap()),
        None => None,
    };
    let mapping = Mapping::default();
    let begun = Instant::now();
    let (mut each, mut decoded) = (Vec::new(), next().await);
    while let Some(batch) = decoded {
        let begun = Instant::now();
        let (tally, ahead) = tokio::join!(batch.post(store, &mapping, Clock::System), next());
        assert!(tally.unwrap().dead_letters.is_empty());
        each.push(begun.elapsed().as_secs_f64());
        decoded = ahead;
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
    // Journals before their postings, in one transaction, as the adapter writes them.
    let script = ["source_rows", "journals", "postings", "stock_movements"].map(|table| format!("\\copy {table} FROM '{}'\n", file(table)));
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
    let batches = || traffic::batches(traffic::users().chain(traffic::lines(0..lines))).collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    println!("{lines} sale lines in transactions of {LINES_A_TRANSACTION}, {BATCH} records a batch");
    for books in runtime.block_on(stores::all()) {
        let (seconds, mut each) = runtime.block_on(post(&books.store, batches()));
        each.sort_by(f64::total_cmp);
        let kind = if books.database.starts_with("sqlite") { "SQLite    " } else { "PostgreSQL" };
        let (median, slowest) = (1e3 * quantile(&each, 0.5), 1e3 * quantile(&each, 0.99));
        println!("{kind}  {:8.0} lines/s, a batch {median:.0} ms, p99 {slowest:.0} ms", lines as f64 / seconds);
        for business in 0..BUSINESSES {
            runtime.block_on(verify(&books.store, &traffic::business(business))).unwrap();
        }
        if let Some(empty) = (kind == "PostgreSQL").then(|| runtime.block_on(stores::postgres()).unwrap()) {
            let copied = copy(&books.database, &empty.database);
            println!("COPY        {:8.0} lines/s, the same rows: {:.2} of its speed is ours", lines as f64 / copied, copied / seconds);
        }
    }
}
