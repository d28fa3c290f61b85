//! Records that no code here can make sense of: kept whole with their coordinates and the reason, so that the stream can go on.

use jiff::Timestamp;
use sha2::{Digest, Sha256};
use sqlx::SqliteConnection;

use crate::source::{Coordinates, Record, Unreadable, hexadecimal};

/// The text of a record as its line in a file would be.
pub fn payload(record: &Record) -> String {
    serde_json::json!({"topic": record.topic, "key": record.key, "value": record.value}).to_string()
}

/// Of what was sent, not of where it lay: the same record is the same wherever it comes from.
pub fn digest(payload: &str) -> String {
    hexadecimal(&Sha256::digest(payload))
}

/// Keeps a dead letter; `false` where it was there already.
pub async fn keep(db: &mut SqliteConnection, letter: &Unreadable, now: Timestamp) -> sqlx::Result<bool> {
    let Coordinates { topic, partition, offset } = &letter.coordinates;
    let written = sqlx::query(
        "INSERT OR IGNORE INTO dead_letters (topic, partition, position, reason, payload, digest, recorded_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
    )
    .bind(topic)
    .bind(partition)
    .bind(offset)
    .bind(&letter.reason)
    .bind(&letter.payload)
    .bind(digest(&letter.payload))
    .bind(now.as_microsecond())
    .execute(db)
    .await?;
    Ok(written.rows_affected() > 0)
}
