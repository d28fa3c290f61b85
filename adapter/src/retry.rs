//! Dead letters once more, when what made them unreadable is mended: a mapping, a version of this program.

use serde_json::Value;

use crate::{
    clock::Clock,
    extractions, sales,
    source::{Batch, Coordinates, Record},
    store::{
        Store, StoreError,
        dead_letters::{self, DeadLetter},
    },
    till::Mapping,
};

/// What became of a dead letter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Retried {
    /// It is read now, and no dead letter any more.
    Read,
    /// It stays one, for this reason.
    Dead { reason: String },
}

/// Reads a dead letter again and posts it, in one transaction.
pub async fn retry(store: &Store, mapping: &Mapping, clock: Clock, letter: &DeadLetter) -> Result<Retried, StoreError> {
    let Some(record) = record(letter) else {
        return Ok(Retried::Dead { reason: format!("{}: it must be sent again by its source", letter.reason) });
    };
    let is_till_s = record.topic.rsplit('.').next().is_some_and(|table| mapping.table(table).is_some());
    let batch = Batch { records: vec![Ok(record)], steps: Vec::new() };
    let dead = store
        .transact(async |db| {
            // First, so that the same record is a new dead letter where it can't be read still.
            dead_letters::remove(db, letter.dead_letter_id).await?;
            if is_till_s {
                Ok(sales::post_in(db, mapping, clock.now(), &batch).await?.dead_letters)
            } else {
                Ok::<_, StoreError>(extractions::post_in(db, clock, &batch).await?.dead_letters)
            }
        })
        .await?;
    Ok(dead.into_iter().next().map_or(Retried::Read, |letter| Retried::Dead { reason: letter.reason }))
}

/// The record that was kept; `None` where what came was no record at all.
fn record(letter: &DeadLetter) -> Option<Record> {
    let Ok(Value::Object(mut fields)) = serde_json::from_str(&letter.payload) else { return None };
    let Some(Value::String(topic)) = fields.remove("topic") else { return None };
    let mut part = |name| fields.remove(name).filter(|value| !value.is_null());
    let coordinates = Coordinates { topic: letter.topic.clone(), partition: letter.partition, offset: letter.position };
    Some(Record { coordinates, topic, key: part("key"), value: part("value") })
}
