//! Records that no code here can make sense of: kept whole with their coordinates and the reason, so that the stream can go on.

use super::Connection;
use crate::alerts;
use crate::source::{Coordinates, Record, Unreadable, hexadecimal};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::json;
use sha2::{Digest, Sha256};

/// The text of a record as its line in a file would be.
pub fn payload(record: &Record) -> String {
    json!({"topic": record.topic, "key": record.key, "value": record.value}).to_string()
}

/// Of what was sent, not of where it lay: the same record is the same wherever it comes from.
pub fn digest(payload: &str) -> String {
    hexadecimal(&Sha256::digest(payload))
}

/// Keeps a dead letter and tells of it; `false` where it was there already.
pub async fn keep(db: &mut Connection, letter: &Unreadable, now: Timestamp) -> sqlx::Result<bool> {
    let Coordinates { topic, partition, offset } = &letter.coordinates;
    let (digest, reason) = (digest(&letter.payload), without_nul(&letter.reason));
    let written = sqlx::query(
        "INSERT INTO dead_letters (topic, partition, position, reason, payload, digest, recorded_at) VALUES ($1, $2, $3, $4, $5, $6, $7) \
         ON CONFLICT DO NOTHING",
    )
    .bind(topic)
    .bind(partition)
    .bind(offset)
    .bind(&reason)
    .bind(without_nul(&letter.payload))
    .bind(&digest)
    .bind(now.as_microsecond())
    .execute(&mut *db)
    .await?;
    let is_new = written.rows_affected() > 0;
    if is_new {
        let detail = json!({"topic": topic, "partition": partition, "offset": offset, "reason": reason});
        alerts::raise(db, alerts::Kind::DeadLetter, &digest, &detail.to_string(), now).await?;
    }
    Ok(is_new)
}

/// A dead letter as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, sqlx::FromRow)]
pub struct DeadLetter {
    pub dead_letter_id: i64,
    pub topic: String,
    pub partition: i64,
    pub position: i64,
    pub reason: String,
    pub payload: String,
    /// Microseconds since 1970 UTC.
    pub recorded_at: i64,
}

/// All of them, in the order in which they came.
pub async fn list(db: &mut Connection) -> sqlx::Result<Vec<DeadLetter>> {
    let select =
        "SELECT dead_letter_id, topic, partition, position, reason, payload, recorded_at FROM dead_letters ORDER BY dead_letter_id";
    sqlx::query_as(select).fetch_all(db).await
}

/// Takes a dead letter out.
pub async fn remove(db: &mut Connection, dead_letter_id: i64) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM dead_letters WHERE dead_letter_id = $1").bind(dead_letter_id).execute(db).await?;
    Ok(())
}

/// PostgreSQL keeps every character but this one.
fn without_nul(text: &str) -> String {
    text.replace('\0', "\u{FFFD}")
}
