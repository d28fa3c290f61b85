//! The newest image of each row of the till, so that books follow from states and never from the order in which events come.

use sqlx::{Row as _, SqliteConnection, sqlite::SqliteRow};

use crate::{
    debezium::{Row, Sequence, UNCHANGED_COLUMN},
    store::StoreError,
    till::Sale,
};

/// A row of a table, in the stream (the topics' common beginning) of one source database.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowId {
    pub stream: String,
    pub table: String,
    pub key: String,
}

/// A row as last seen.
#[derive(Debug, Clone)]
pub struct SourceRow {
    pub image: Row,
    pub deleted: bool,
    /// What the books hold for it.
    pub posted: Option<Posted>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    pub sale: Sale,
    pub journal_id: i64,
}

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// The image is as the change says.
    Newest,
    /// A newer state was known already.
    Stale,
}

/// Puts the new state of a row (`after`: `None` deletes) unless a newer one is known.
pub async fn apply(
    db: &mut SqliteConnection,
    id: &RowId,
    after: Option<Row>,
    parent: Option<String>,
    sequence: Option<Sequence>,
) -> Result<Applied, StoreError> {
    let known: Option<(String, Option<i64>, Option<i64>)> =
        sqlx::query_as("SELECT image, sequence_major, sequence_minor FROM source_rows WHERE stream = ? AND table_name = ? AND row_key = ?")
            .bind(&id.stream)
            .bind(&id.table)
            .bind(&id.key)
            .fetch_optional(&mut *db)
            .await?;
    let known_sequence = known.as_ref().and_then(|(_, major, minor)| Some(Sequence { major: (*major)?, minor: (*minor)? }));
    if let (Some(known), Some(new)) = (known_sequence, sequence)
        && new < known
    {
        return Ok(Applied::Stale);
    }
    let before = known.map(|(image, ..)| image_from(&image)).transpose()?;
    let deleted = after.is_none();
    // A deletion keeps the last image: it says what is taken back, and a default replica identity sends nothing but the key.
    let image = match after {
        Some(after) => Some(with_unchanged_columns(after, before.as_ref())),
        None => before,
    };
    let image = serde_json::to_string(&image.unwrap_or_default()).expect("a map of JSON values");
    let sequence = sequence.or(known_sequence);
    sqlx::query(
        "INSERT INTO source_rows (stream, table_name, row_key, parent_key, image, sequence_major, sequence_minor, deleted) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) \
         ON CONFLICT DO UPDATE SET parent_key = iif(?8, parent_key, ?4), image = ?5, sequence_major = ?6, sequence_minor = ?7, deleted = ?8",
    )
    .bind(&id.stream)
    .bind(&id.table)
    .bind(&id.key)
    .bind(parent)
    .bind(image)
    .bind(sequence.map(|sequence| sequence.major))
    .bind(sequence.map(|sequence| sequence.minor))
    .bind(deleted)
    .execute(db)
    .await?;
    Ok(Applied::Newest)
}

pub async fn find(db: &mut SqliteConnection, id: &RowId) -> Result<Option<SourceRow>, StoreError> {
    let row = sqlx::query("SELECT image, deleted, posted, journal_id FROM source_rows WHERE stream = ? AND table_name = ? AND row_key = ?")
        .bind(&id.stream)
        .bind(&id.table)
        .bind(&id.key)
        .fetch_optional(db)
        .await?;
    row.as_ref().map(source_row).transpose()
}

/// Keys of the rows that hang on `parent`.
pub async fn children(db: &mut SqliteConnection, stream: &str, table: &str, parent: &str) -> sqlx::Result<Vec<RowId>> {
    let keys: Vec<String> = sqlx::query_scalar("SELECT row_key FROM source_rows WHERE stream = ? AND table_name = ? AND parent_key = ?")
        .bind(stream)
        .bind(table)
        .bind(parent)
        .fetch_all(db)
        .await?;
    Ok(keys.into_iter().map(|key| RowId { stream: stream.to_owned(), table: table.to_owned(), key }).collect())
}

/// Writes what the books now hold for a row, or whose it is and why it waits.
pub async fn settle(
    db: &mut SqliteConnection,
    id: &RowId,
    posted: Option<&Posted>,
    business: Option<&str>,
    pending_reason: Option<&str>,
) -> sqlx::Result<()> {
    let sale = posted.map(|posted| serde_json::to_string(&posted.sale).expect("plain fields"));
    sqlx::query(
        "UPDATE source_rows SET posted = ?, journal_id = ?, business_id = ?, pending_reason = ? WHERE stream = ? AND table_name = ? AND row_key = ?",
    )
    .bind(sale)
    .bind(posted.map(|posted| posted.journal_id))
    .bind(business)
    .bind(pending_reason)
    .bind(&id.stream)
    .bind(&id.table)
    .bind(&id.key)
    .execute(db)
    .await?;
    Ok(())
}

fn source_row(row: &SqliteRow) -> Result<SourceRow, StoreError> {
    let posted = match (row.try_get::<Option<String>, _>("posted")?, row.try_get::<Option<i64>, _>("journal_id")?) {
        (Some(sale), Some(journal_id)) => {
            let sale = serde_json::from_str(&sale).map_err(|error| StoreError::Corrupt { what: "posted sale", source: error.into() })?;
            Some(Posted { sale, journal_id })
        }
        _ => None,
    };
    Ok(SourceRow { image: image_from(row.try_get("image")?)?, deleted: row.try_get("deleted")?, posted })
}

fn image_from(text: &str) -> Result<Row, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Corrupt { what: "row image", source: error.into() })
}

/// Large columns that an update did not touch come as a placeholder: they are as they were.
fn with_unchanged_columns(mut after: Row, before: Option<&Row>) -> Row {
    for (column, value) in &mut after {
        if value == UNCHANGED_COLUMN
            && let Some(known) = before.and_then(|before| before.get(column))
        {
            *value = known.clone();
        }
    }
    after
}
