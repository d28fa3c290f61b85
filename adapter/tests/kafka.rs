//! The till's events from a broker: the same books as from a file, whoever reads them and whatever is killed.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use adapter::{
    clock::Clock,
    report::{Period, Report, report},
    sales,
    source::{AnySource, FileSource, Source},
    store::{Store, StoreError},
    till::Mapping,
};
use serde_json::Value;
use support::{broker, business, sale, stores, transaction};

const LINES: u32 = 600;
const PARTITIONS: i32 = 3;
const DEADLINE: Duration = Duration::from_secs(120);

/// Sales of two businesses, some changed and some deleted later, as lines of an event file.
fn events() -> Vec<String> {
    let mut events = vec![business("pub", "The Long Hall"), business("bar", "The Stag's Head")];
    for number in 0..LINES {
        let (key, transaction_key) = (format!("p{number}"), format!("t{}", number / 3));
        if number % 3 == 0 {
            let owner = if number % 2 == 0 { "pub" } else { "bar" };
            events.push(transaction(&transaction_key, owner, "2026-03-01T19:30:00Z"));
        }
        events.push(sale(&key, &transaction_key, "Plain Stout", "5.80", Some(568), 10));
        if number % 5 == 0 {
            events.push(sale(&key, &transaction_key, "Plain Stout", "6.20", Some(568), 20));
        }
    }
    events
}

/// Of a name of its own, so that tests share the broker.
fn records(prefix: &str) -> (Vec<String>, Vec<broker::Sent>) {
    let topic = |table: &str| format!("{prefix}.public.{table}");
    let record = |line: String| {
        let line: Value = serde_json::from_str(&line).unwrap();
        let table = line["topic"].as_str().unwrap().rsplit('.').next().unwrap().to_owned();
        (topic(&table), Some(line["key"].to_string()), Some(line["value"].to_string()))
    };
    (["users", "transactions", "beers"].map(topic).into(), events().into_iter().map(record).collect())
}

/// What the books are of a file with the same events.
async fn expected() -> [Report; 2] {
    let books = stores::sqlite().await;
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), events().join("\n") + "\n").unwrap();
    let mut source = FileSource::open(file.path(), false).unwrap();
    loop {
        let batch = source.next().await.unwrap();
        if batch.is_empty() {
            return reports(&books.store).await.unwrap();
        }
        sales::post(&books.store, &Mapping::default(), Clock::System, &batch).await.unwrap();
    }
}

/// `None` while one of the businesses is not known.
async fn reports(store: &Store) -> Option<[Report; 2]> {
    let pub_ = report(store, "pub", Period::default(), Clock::System).await.ok()?;
    Some([pub_, report(store, "bar", Period::default(), Clock::System).await.ok()?])
}

fn adapter(events: &str, database: &str, more: &[&str]) -> Child {
    let program = env!("CARGO_BIN_EXE_adapter");
    let mut command = Command::new(program);
    command.args(["run", "--events", events, "--database", database]).args(more).stderr(Stdio::null()).spawn().unwrap()
}

#[tokio::test]
async fn a_broker_s_events_make_the_books_of_a_file() {
    if broker::address().is_none() {
        return;
    }
    let (topics, records) = records("whole");
    broker::produce(&topics, PARTITIONS, &records).await;
    let expected = expected().await;
    for books in stores::all().await {
        let group = if books.database.starts_with("sqlite") { "whole-embedded" } else { "whole-server" };
        for again in [false, true] {
            let done = adapter(&broker::source(group, &topics, broker::SESSION), &books.database, &["--until-end"]).wait().unwrap();
            assert!(done.success());
            assert_eq!(reports(&books.store).await.unwrap(), expected, "{}, again: {again}", books.database);
        }
    }
}

#[tokio::test]
async fn nothing_is_lost_or_doubled_where_two_adapters_share_the_work_and_are_killed() {
    let (Some(_), Some(books)) = (broker::address(), stores::postgres().await) else { return };
    let (topics, records) = records("shared");
    broker::produce(&topics, PARTITIONS, &records).await;
    let expected = expected().await;
    let source = broker::source("shared", &topics, broker::SESSION);
    let mut running: Vec<Child> = Vec::new();
    let deadline = Instant::now() + DEADLINE;
    for kills in 0_u64.. {
        running.extend((running.len()..2).map(|_| adapter(&source, &books.database, &[])));
        let now = reports(&books.store).await;
        if now.as_ref() == Some(&expected) {
            break;
        }
        assert!(Instant::now() < deadline, "{now:?} instead of {expected:?}");
        tokio::time::sleep(Duration::from_millis(500 + 300 * kills % 1700)).await;
        // Later kills leave the group the time that it needs to form.
        if kills < 4 {
            let mut killed = running.remove(0);
            killed.kill().unwrap();
            killed.wait().unwrap();
        }
    }
    for mut adapter in running {
        adapter.kill().unwrap();
        adapter.wait().unwrap();
    }
    assert_eq!(reports(&books.store).await.unwrap(), expected);
}

#[tokio::test]
async fn the_second_of_two_adapters_is_fenced_off() {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), events().join("\n") + "\n").unwrap();
    let expected = expected().await;
    for books in stores::all().await {
        let (mut first, mut second) = (open(file.path(), &books.store).await, open(file.path(), &books.store).await);
        let (mine, theirs) = (first.next().await.unwrap(), second.next().await.unwrap());
        let post = async |batch| sales::post(&books.store, &Mapping::default(), Clock::System, batch).await;
        assert!(post(&mine).await.unwrap().journals > 0);
        assert!(matches!(post(&theirs).await, Err(StoreError::Fenced { .. })), "{}", books.database);
        second.resume(&books.store).await.unwrap();
        assert!(second.next().await.unwrap().is_empty(), "it goes on where the first left off");
        assert_eq!(reports(&books.store).await.unwrap(), expected);
    }
}

async fn open(path: &Path, store: &Store) -> AnySource {
    AnySource::open(&format!("file:{}", path.display()).parse().unwrap(), false, &[], store).await.unwrap()
}
