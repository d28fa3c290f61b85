//! Documents that were extracted elsewhere and come as records: the key is the business, the value the JSON form of `cellarbook.v1.Invoice`.

use proto::Invoice;
use serde_json::Value;

use crate::{
    clock::Clock,
    documents::{self, Incoming, Received},
    source::{Batch, Record, Unreadable},
    store::{Connection, Store, StoreError, dead_letters, inbox},
};

/// What a batch of extractions did.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Tally {
    pub records: u64,
    /// What became of each document, by its source's name; those that came before are not named again.
    pub received: Vec<(String, Received)>,
    pub dead_letters: Vec<Unreadable>,
}

impl Tally {
    pub fn add(&mut self, other: Self) {
        self.records += other.records;
        self.received.extend(other.received);
        self.dead_letters.extend(other.dead_letters);
    }
}

#[derive(Debug, thiserror::Error)]
enum Poison {
    #[error("the key names no business")]
    Business,
    #[error("the record has no document")]
    Absent,
    #[error("the document is no Invoice: {0}")]
    Unreadable(serde_json::Error),
}

/// Keeps and posts a batch in one transaction, with its position.
pub async fn post(store: &Store, clock: Clock, batch: &Batch) -> Result<Tally, StoreError> {
    store.transact(async |db| post_in(db, clock, batch).await).await
}

pub(crate) async fn post_in(db: &mut Connection, clock: Clock, batch: &Batch) -> Result<Tally, StoreError> {
    for step in &batch.steps {
        inbox::advance(db, step).await?;
    }
    let mut tally = Tally::default();
    for record in &batch.records {
        tally.records += 1;
        let letter = match record {
            Ok(record) => match incoming(record) {
                Ok(incoming) => {
                    receive(db, &incoming, clock, &mut tally).await?;
                    continue;
                }
                Err(poison) => {
                    let payload = dead_letters::payload(record);
                    Unreadable { coordinates: record.coordinates.clone(), reason: poison.to_string(), payload }
                }
            },
            Err(unreadable) => unreadable.clone(),
        };
        if dead_letters::keep(db, &letter, clock.now()).await? {
            tally.dead_letters.push(letter);
        }
    }
    Ok(tally)
}

async fn receive(db: &mut Connection, incoming: &Incoming, clock: Clock, tally: &mut Tally) -> Result<(), StoreError> {
    let source = incoming.source.clone();
    match documents::receive(db, incoming, clock.now()).await? {
        Received::Known { .. } => {}
        received => tally.received.push((source, received)),
    }
    Ok(())
}

fn incoming(record: &Record) -> Result<Incoming, Poison> {
    let business = record.key.as_ref().and_then(business).ok_or(Poison::Business)?;
    let invoice: Invoice = match record.value.as_ref().ok_or(Poison::Absent)? {
        Value::String(text) => serde_json::from_str(text).map_err(Poison::Unreadable)?,
        value => serde_json::from_value(value.clone()).map_err(Poison::Unreadable)?,
    };
    let digest = documents::digest([documents::json(&invoice).as_bytes()]);
    Ok(Incoming { business, source: invoice.source.clone(), digest, files: Vec::new(), invoice })
}

/// A business as plain text or as JSON text.
fn business(key: &Value) -> Option<String> {
    let id = match key {
        Value::String(text) => serde_json::from_str::<String>(text).unwrap_or_else(|_| text.clone()),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    (!id.trim().is_empty()).then_some(id)
}
