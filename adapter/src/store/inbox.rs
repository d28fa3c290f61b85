//! How far each log was read.

use super::Connection;
use crate::source::Position;

pub async fn position(db: &mut Connection, topic: &str, partition: i64) -> sqlx::Result<Option<Position>> {
    let row: Option<(i64, Option<String>)> =
        sqlx::query_as("SELECT next_offset, fingerprint FROM inbox WHERE topic = $1 AND partition = $2")
            .bind(topic)
            .bind(partition)
            .fetch_optional(db)
            .await?;
    Ok(row.map(|(next_offset, fingerprint)| Position { topic: topic.to_owned(), partition, next_offset, fingerprint }))
}

pub async fn keep(db: &mut Connection, position: &Position) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO inbox VALUES ($1, $2, $3, $4) \
         ON CONFLICT (topic, partition) DO UPDATE SET next_offset = excluded.next_offset, fingerprint = excluded.fingerprint",
    )
    .bind(&position.topic)
    .bind(position.partition)
    .bind(position.next_offset)
    .bind(&position.fingerprint)
    .execute(db)
    .await?;
    Ok(())
}
