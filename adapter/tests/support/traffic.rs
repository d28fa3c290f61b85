//! A till's traffic as Debezium sends it, as much as is wanted.

use std::ops::Range;

use adapter::source::{Batch, Coordinates, Position, Record, Step};
use serde_json::{Value, json};

pub const LINES_A_TRANSACTION: usize = 3;
pub const BUSINESSES: usize = 3;
/// Records in a batch.
pub const BATCH: usize = 2_000;

pub fn business(index: usize) -> String {
    format!("u-{}", index % BUSINESSES)
}

fn record(table: &str, id: &str, lsn: usize, row: Value) -> Record {
    let topic = format!("till.public.{table}");
    let coordinates = Coordinates { topic: topic.clone(), partition: 0, offset: i64::try_from(lsn).unwrap() };
    let key = json!({id: row[id]}).to_string();
    let source = json!({"version": "3.6.3.Final", "connector": "postgresql", "name": "till", "ts_ms": 1_772_700_000_000_u64, "db": "till",
        "schema": "public", "table": table, "txId": lsn, "lsn": lsn, "sequence": format!("[\"{lsn}\",\"{lsn}\"]")});
    let value = json!({"before": null, "after": row, "source": source, "op": "c", "ts_ms": 1_772_700_000_100_u64}).to_string();
    Record { coordinates, topic, key: Some(Value::String(key)), value: Some(Value::String(value)) }
}

pub fn users() -> impl Iterator<Item = Record> {
    (0..BUSINESSES).map(|index| record("users", "id", index + 1, json!({"id": business(index), "name": "A pub", "email": null})))
}

/// Sale lines by their numbers, each third with its transaction before it.
pub fn lines(numbers: Range<usize>) -> impl Iterator<Item = Record> {
    numbers.flat_map(|line| {
        let (transaction, lsn) = (line / LINES_A_TRANSACTION, 10 + 2 * line);
        let head = line.is_multiple_of(LINES_A_TRANSACTION).then(|| {
            let time = format!("2026-{:02}-{:02}T20:{:02}:00Z", 1 + line % 10, 1 + line % 28, line % 60);
            let row = json!({"transaction_id": format!("t-{transaction}"), "user_id": business(transaction), "total": "0", "tax": "0",
                "created_at": time});
            record("transactions", "transaction_id", lsn, row)
        });
        let row = json!({"product_id": format!("p-{line}"), "transaction_id": format!("t-{transaction}"),
            "beer_name": format!("Ale {}", line % 40), "beer_price_per_unit": format!("{}.{:02}", 4 + line % 5, line % 100),
            "beer_alcohol": "4.2%", "beer_tax_rate": "0.23", "millilitre": 568, "price_per_ml": null});
        head.into_iter().chain([record("beers", "product_id", lsn + 1, row)])
    })
}

/// The records as one log, batch by batch.
pub fn batches(records: impl Iterator<Item = Record>) -> impl Iterator<Item = Batch> {
    let mut records = records.peekable();
    let mut posted = None;
    std::iter::from_fn(move || {
        records.peek()?;
        let records: Vec<_> = records.by_ref().take(BATCH).map(Ok).collect();
        let next_offset = posted.unwrap_or(0) + i64::try_from(records.len()).unwrap();
        let to = Position { topic: "till".into(), partition: 0, next_offset, fingerprint: None };
        Some(Batch { records, steps: vec![Step { from: posted.replace(next_offset), to }] })
    })
}
