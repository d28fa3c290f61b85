//! How far each log was read.

use sqlx::SqliteConnection;

use crate::source::Position;

pub async fn position(db: &mut SqliteConnection, topic: &str, partition: i64) -> sqlx::Result<Option<Position>> {
    let row: Option<(i64, Option<String>)> = sqlx::query_as("SELECT next_offset, fingerprint FROM inbox WHERE topic = ? AND partition = ?")
        .bind(topic)
        .bind(partition)
        .fetch_optional(db)
        .await?;
    Ok(row.map(|(next_offset, fingerprint)| Position { topic: topic.to_owned(), partition, next_offset, fingerprint }))
}

pub async fn keep(db: &mut SqliteConnection, position: &Position) -> sqlx::Result<()> {
    sqlx::query("INSERT OR REPLACE INTO inbox VALUES (?, ?, ?, ?)")
        .bind(&position.topic)
        .bind(position.partition)
        .bind(position.next_offset)
        .bind(&position.fingerprint)
        .execute(db)
        .await?;
    Ok(())
}
