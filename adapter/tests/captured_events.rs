//! Real Debezium events through the books. They are no part of the repository: see `shared`.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

use std::{
    collections::BTreeMap,
    env, fs,
    path::{Path, PathBuf},
};

use adapter::{
    clock::Clock,
    report::{Period, Report, report},
    sales::{self, Tally},
    source::{FileSource, Source},
    store::Store,
    till::Mapping,
};
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Map, Value};

const EXACT_VARIANTS: [&str; 7] = [
    "string-noschema",
    "string-schema",
    "string-noschema-timeconnect",
    "string-noschema-unwrap",
    "precise-noschema",
    "precise-schema",
    "precise-noschema-txmeta",
];

/// The captured events; `None`, with a word, where they are not at hand.
fn captured() -> Option<PathBuf> {
    let shared = env::var_os("CELLARBOOK_SHARED").map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"), PathBuf::from);
    let events = shared.join("debezium-events");
    if events.is_dir() {
        return Some(events);
    }
    eprintln!("skipped: no captured events in {} (CELLARBOOK_SHARED says where)", events.display());
    None
}

/// Lines of a variant whose phase comes before `end`.
fn lines(events: &Path, variant: &str, end: &str) -> Vec<String> {
    let text = fs::read_to_string(events.join(variant).with_extension("ndjson")).unwrap();
    let before_end = |line: &&str| serde_json::from_str::<Value>(line).unwrap()["phase"].as_str().unwrap() < end;
    text.lines().filter(before_end).map(str::to_owned).collect()
}

async fn store(folder: &Path, name: &str) -> Store {
    Store::open(&format!("sqlite:{}", folder.join(name).display()).parse().unwrap()).await.unwrap()
}

async fn post(store: &Store, folder: &Path, name: &str, lines: &[String]) -> Tally {
    let path = folder.join(name);
    fs::write(&path, lines.join("\n")).unwrap();
    let mut source = FileSource::open(&path, false).unwrap();
    let clock = Clock::Fixed("2027-01-01T00:00:00Z".parse().unwrap());
    let mut tally = Tally::default();
    loop {
        let batch = source.next().await.unwrap();
        if batch.is_empty() {
            return tally;
        }
        tally.add(sales::post(store, &Mapping::default(), clock, &batch).await.unwrap());
    }
}

async fn reports(store: &Store) -> [Report; 2] {
    let of = async |business| report(store, business, Period::default(), Clock::System).await.unwrap();
    [of("u-1").await, of("u-2").await]
}

/// Gross and VAT in cents by business, straight from the strings of the events: no code of the adapter's.
fn naive(lines: &[String]) -> BTreeMap<String, (i64, i64)> {
    let mut tables: BTreeMap<String, BTreeMap<String, Map<String, Value>>> = BTreeMap::new();
    for line in lines {
        let line: Value = serde_json::from_str(line).unwrap();
        let (Some(key), Some(value)) = (line["key"].as_str(), line["value"].as_str()) else { continue };
        let value: Value = serde_json::from_str(value).unwrap();
        let table = tables.entry(value["source"]["table"].as_str().unwrap_or_default().to_owned()).or_default();
        match value["after"].as_object() {
            Some(after) => drop(table.insert(key.to_owned(), after.clone())),
            None => drop(table.remove(key)),
        }
    }
    let cents = |amount: Decimal| (amount * Decimal::ONE_HUNDRED).round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero);
    let mut books = BTreeMap::<String, (i64, i64)>::new();
    for row in tables["beers"].values() {
        let number = |column: &str| row[column].as_str().map(|text| text.parse::<Decimal>().unwrap());
        let (Some(price), Some(rate), Some(_)) = (number("beer_price_per_unit"), number("beer_tax_rate"), row["beer_name"].as_str()) else {
            continue;
        };
        let transaction = tables["transactions"].values().find(|transaction| transaction["transaction_id"] == row["transaction_id"]);
        let Some(business) = transaction.and_then(|transaction| transaction["user_id"].as_str()) else { continue };
        let gross = cents(price);
        let vat = cents(gross / Decimal::ONE_HUNDRED * rate / (Decimal::ONE + rate));
        let sums = books.entry(business.to_owned()).or_default();
        *sums = (sums.0 + i64::try_from(gross).unwrap(), sums.1 + i64::try_from(vat).unwrap());
    }
    books
}

#[tokio::test]
async fn every_exact_variant_gives_the_same_books() {
    let Some(events) = captured() else { return };
    let folder = tempfile::tempdir().unwrap();
    let expected = naive(&lines(&events, "string-noschema", "24"));
    let mut first = None;
    for variant in EXACT_VARIANTS {
        let store = store(folder.path(), variant).await;
        let tally = post(&store, folder.path(), "events.ndjson", &lines(&events, variant, "24")).await;
        assert!(tally.dead_letters.is_empty(), "{variant}: {:?}", tally.dead_letters);
        let reports = reports(&store).await;
        for report in &reports {
            let sums = (report.sales.gross.minor, report.sales.vat.minor);
            assert_eq!(Some(&sums), expected.get(&report.business), "{variant}");
        }
        assert_eq!(first.get_or_insert_with(|| reports.clone()), &reports, "{variant}");
    }
}

#[tokio::test]
async fn a_replay_changes_nothing_and_a_reversed_file_ends_the_same() {
    let Some(events) = captured() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut lines = lines(&events, "precise-noschema", "24");
    let store_forward = store(folder.path(), "forward").await;
    post(&store_forward, folder.path(), "events.ndjson", &lines).await;
    let before = reports(&store_forward).await;
    let again = post(&store_forward, folder.path(), "copy.ndjson", &lines).await;
    assert_eq!((again.journals, again.reversals), (0, 0));
    assert_eq!(reports(&store_forward).await, before);

    lines.reverse();
    let store_backward = store(folder.path(), "backward").await;
    post(&store_backward, folder.path(), "backward.ndjson", &lines).await;
    assert_eq!(reports(&store_backward).await, before);
}

#[tokio::test]
async fn doubles_are_refused_for_money() {
    let Some(events) = captured() else { return };
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path(), "double").await;
    let tally = post(&store, folder.path(), "events.ndjson", &lines(&events, "double-noschema", "24")).await;
    assert_eq!(tally.journals, 0);
    assert!(!tally.dead_letters.is_empty());
    assert!(tally.dead_letters.iter().all(|letter| letter.reason.contains("decimal.handling.mode")), "{:?}", tally.dead_letters);
}

#[tokio::test]
async fn a_truncation_stops_its_table_and_keeps_the_books() {
    let Some(events) = captured() else { return };
    let folder = tempfile::tempdir().unwrap();
    let store = store(folder.path(), "truncated").await;
    let until_truncation = lines(&events, "string-noschema", "24");
    post(&store, folder.path(), "before.ndjson", &until_truncation).await;
    let before = reports(&store).await;
    let all = lines(&events, "string-noschema", "99");
    let tally = post(&store, folder.path(), "all.ndjson", &all).await;
    assert_eq!((tally.journals, tally.reversals, tally.held), (0, 0, 25));
    assert_eq!(tally.truncated, ["moneykey-t-api-postgres.public.beers"]);
    let after = reports(&store).await;
    assert_eq!(after.each_ref().map(|report| &report.sales), before.each_ref().map(|report| &report.sales));
    assert_eq!(after[0].pending, before[0].pending + 25);
    let again = post(&store, folder.path(), "again.ndjson", &all).await;
    assert_eq!((again.journals, again.held, again.truncated.len()), (0, 0, 0));
}
