//! Random histories of a till, delivered out of order, twice, in batches of any size: the books equal a plain recomputation of the final rows.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::collections::BTreeMap;

use adapter::{
    clock::Clock,
    ledger::verify,
    report::{Period, ReportError, report},
    sales,
    source::{Batch, Coordinates, Record},
    store::Store,
    till::Mapping,
};
use proptest::prelude::*;
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Value, json};
use support::stores;

const BUSINESSES: [&str; 2] = ["pub", "shop"];
const DAYS: [&str; 2] = ["2026-02-28", "2026-03-01"];

/// The new state of a row; `None` deletes it.
#[derive(Debug, Clone)]
enum Write {
    Transaction { key: u8, row: Option<(usize, usize)> },
    Sale { key: u8, row: Option<Line> },
}

#[derive(Debug, Clone)]
struct Line {
    transaction: u8,
    product: u8,
    /// In tenths of a cent, so that rounding is at work; `None`: not priced yet.
    price_mills: Option<i64>,
    rate_percent: u32,
    millilitres: Option<i64>,
}

fn write() -> impl Strategy<Value = Write> {
    let line = (
        0..4_u8,
        0..3_u8,
        prop::option::weighted(0.9, -3_000..20_000_i64),
        prop::sample::select(vec![0_u32, 9, 23]),
        prop::option::of(0..600_i64),
    )
        .prop_map(|(transaction, product, price_mills, rate_percent, millilitres)| Line {
            transaction,
            product,
            price_mills,
            rate_percent,
            millilitres,
        });
    prop_oneof![
        1 => (0..4_u8, prop::option::weighted(0.8, (0..2_usize, 0..2_usize))).prop_map(|(key, row)| Write::Transaction { key, row }),
        4 => (0..8_u8, prop::option::weighted(0.8, line)).prop_map(|(key, row)| Write::Sale { key, row }),
    ]
}

fn event(write: &Write, lsn: usize) -> (&'static str, Value, Value) {
    let (table, key, row) = match write {
        Write::Transaction { key, row } => {
            let row = row.map(|(business, day)| {
                json!({"transaction_id": format!("t{key}"), "user_id": BUSINESSES[business], "created_at": format!("{}T12:00:00Z", DAYS[day])})
            });
            ("transactions", json!({"transaction_id": format!("t{key}")}), row)
        }
        Write::Sale { key, row } => {
            let row = row.as_ref().map(|line| {
                json!({"product_id": format!("s{key}"), "transaction_id": format!("t{}", line.transaction), "beer_name": format!("beer {}", line.product),
                    "beer_price_per_unit": line.price_mills.map(|mills| Decimal::new(mills, 3).to_string()),
                    "beer_tax_rate": Decimal::new(line.rate_percent.into(), 2).to_string(), "millilitre": line.millilitres})
            });
            ("beers", json!({"product_id": format!("s{key}")}), row)
        }
    };
    let source = json!({"table": table, "sequence": format!("[\"{lsn}\",\"{lsn}\"]")});
    let value = json!({"op": if row.is_some() { "u" } else { "d" }, "before": null, "after": row, "source": source});
    (table, key, value)
}

fn batches(writes: &[Write], order: &[prop::sample::Index], batch_size: usize) -> Vec<Batch> {
    let events: Vec<_> = writes.iter().enumerate().map(|(lsn, write)| event(write, lsn + 1)).collect();
    // Some come early or twice, then all of them in order but from the back: every event comes at least once.
    let delivery = order.iter().map(|index| index.get(&events)).chain(events.iter().rev());
    let records: Vec<_> = delivery
        .zip(1..)
        .map(|((table, key, value), offset)| {
            let coordinates = Coordinates { topic: format!("shop.public.{table}"), partition: 0, offset };
            Ok(Record { topic: coordinates.topic.clone(), coordinates, key: Some(key.clone()), value: Some(value.clone()) })
        })
        .collect();
    records.chunks(batch_size).map(|chunk| Batch { records: chunk.to_vec(), steps: Vec::new() }).collect()
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Books {
    gross: i64,
    vat: i64,
    lines: i64,
    /// Product and unit -> on hand.
    stock: BTreeMap<(String, String), i64>,
}

/// The books of a business in plain arithmetic from the rows' final states; and how many lines wait.
fn recomputed(writes: &[Write], business: usize) -> (Books, i64) {
    let mut transactions = BTreeMap::new();
    let mut lines = BTreeMap::new();
    for write in writes {
        match write {
            Write::Transaction { key, row } => drop(transactions.insert(*key, *row)),
            Write::Sale { key, row } => drop(lines.insert(*key, row.clone())),
        }
    }
    let mut books = Books::default();
    let mut pending = 0;
    for line in lines.into_values().flatten() {
        let transaction = transactions.get(&line.transaction).copied().flatten();
        let (owner, mills) = match (transaction, line.price_mills) {
            (Some((owner, _)), Some(mills)) => (owner, mills),
            (owner, _) => {
                pending += i64::from(owner.is_none_or(|(owner, _)| owner == business));
                continue;
            }
        };
        if owner != business {
            continue;
        }
        let round = |amount: Decimal| i64::try_from(amount.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero)).unwrap();
        let gross = round(Decimal::new(mills, 1));
        let rate = Decimal::new(line.rate_percent.into(), 2);
        let (unit, quantity) = line.millilitres.filter(|ml| *ml > 0).map_or(("each", 1), |ml| ("ml", ml));
        books.gross += gross;
        books.vat += round(Decimal::from(gross) * rate / (Decimal::ONE + rate));
        books.lines += 1;
        *books.stock.entry((format!("beer {}", line.product), unit.to_owned())).or_default() -= quantity * if gross < 0 { -1 } else { 1 };
    }
    books.stock.retain(|_, quantity| *quantity != 0);
    (books, pending)
}

async fn kept(store: &Store, business: &str) -> (Books, i64) {
    let report = match report(store, business, Period::default(), Clock::System).await {
        Err(ReportError::UnknownBusiness { .. }) => return (Books::default(), 0),
        report => report.unwrap(),
    };
    assert_eq!(report.sales.gross.minor, report.sales.net.minor + report.sales.vat.minor);
    assert_eq!(report.cash.closing, report.sales.gross);
    let stock =
        report.inventory.into_iter().filter(|item| item.on_hand != 0).map(|item| ((item.product, item.unit), item.on_hand)).collect();
    let books = Books { gross: report.sales.gross.minor, vat: report.sales.vat.minor, lines: report.sales.lines, stock };
    (books, report.pending)
}

async fn check(writes: Vec<Write>, order: Vec<prop::sample::Index>, batch_size: usize, businesses_first: bool) {
    for books in stores::all().await {
        check_in(&books.store, &writes, &order, batch_size, businesses_first).await;
    }
}

async fn check_in(store: &Store, writes: &[Write], order: &[prop::sample::Index], batch_size: usize, businesses_first: bool) {
    let known = BUSINESSES.map(|id| {
        let coordinates = Coordinates { topic: "shop.public.users".into(), partition: 0, offset: 1 };
        let value = json!({"op": "r", "after": {"id": id, "name": id}, "source": {"table": "users", "sequence": "[null,\"1\"]"}});
        Ok(Record { topic: coordinates.topic.clone(), coordinates, key: Some(json!({"id": id})), value: Some(value) })
    });
    let mut batches = batches(writes, order, batch_size);
    let users = Batch { records: known.to_vec(), steps: Vec::new() };
    if businesses_first {
        batches.insert(0, users)
    } else {
        batches.push(users)
    }
    for batch in batches {
        sales::post(store, &Mapping::default(), Clock::System, &batch).await.unwrap();
    }
    for (index, business) in BUSINESSES.into_iter().enumerate() {
        assert_eq!(kept(store, business).await, recomputed(writes, index), "{business}");
    }
    let mut db = store.read().await.unwrap();
    let sums = "SELECT CAST(coalesce(max(abs(total)), 0) AS BIGINT) FROM \
        (SELECT sum(amount_minor) AS total FROM postings GROUP BY business_id, journal_id, currency) AS sums";
    assert_eq!(sqlx::query_scalar::<_, i64>(sums).fetch_one(&mut *db).await.unwrap(), 0, "each journal sums to zero");
    drop(db);
    for business in BUSINESSES {
        verify(store, business).await.unwrap();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn books_follow_from_the_final_rows(
        writes in prop::collection::vec(write(), 1..40),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..40),
        batch_size in 1..20_usize,
        businesses_first in any::<bool>(),
    ) {
        tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(check(writes, order, batch_size, businesses_first));
    }
}
