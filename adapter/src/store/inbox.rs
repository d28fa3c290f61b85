//! How far each log was read.

use super::{Connection, StoreError};
use crate::source::{Position, Step};

pub async fn position(db: &mut Connection, topic: &str, partition: i64) -> sqlx::Result<Option<Position>> {
    let row: Option<(i64, Option<String>)> =
        sqlx::query_as("SELECT next_offset, fingerprint FROM inbox WHERE topic = $1 AND partition = $2")
            .bind(topic)
            .bind(partition)
            .fetch_optional(db)
            .await?;
    Ok(row.map(|(next_offset, fingerprint)| Position { topic: topic.to_owned(), partition, next_offset, fingerprint }))
}

/// Moves a position from where the batch began; an error where it is no longer there.
pub async fn advance(db: &mut Connection, step: &Step) -> Result<(), StoreError> {
    let Step { from, to } = step;
    let moved = match from {
        Some(from) => {
            let update = "UPDATE inbox SET next_offset = $3, fingerprint = $4 WHERE topic = $1 AND partition = $2 AND next_offset = $5";
            let query = sqlx::query(update).bind(&to.topic).bind(to.partition).bind(to.next_offset).bind(&to.fingerprint).bind(from);
            query.execute(db).await?
        }
        None => {
            let insert = "INSERT INTO inbox VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
            sqlx::query(insert).bind(&to.topic).bind(to.partition).bind(to.next_offset).bind(&to.fingerprint).execute(db).await?
        }
    };
    if moved.rows_affected() == 1 {
        return Ok(());
    }
    Err(StoreError::Fenced { topic: to.topic.clone(), partition: to.partition })
}
