//! The businesses whose books are kept: those that the till names, and those that a person names when handing in documents.

use jiff::Timestamp;

use crate::{
    money::Currency,
    store::{Connection, StoreError},
};

/// What a business wants of its books.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    pub currency: Currency,
    /// Least confidence, in parts per million, of each figure of a document that posts by itself.
    pub posting_confidence_ppm: i64,
    /// Largest gross of a document that posts by itself.
    pub posting_limit_minor: Option<i64>,
}

/// Makes a business known, or its name.
pub async fn register(db: &mut Connection, business: &str, name: Option<&str>, now: Timestamp) -> sqlx::Result<()> {
    let insert = "INSERT INTO businesses (business_id, name, recorded_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    let made = sqlx::query(insert).bind(business).bind(name).bind(now.as_microsecond()).execute(&mut *db).await?;
    if made.rows_affected() == 0 && name.is_some() {
        let rename = "UPDATE businesses SET name = $2 WHERE business_id = $1 AND name IS DISTINCT FROM $2";
        sqlx::query(rename).bind(business).bind(name).execute(db).await?;
    }
    Ok(())
}

/// `None` for a business nobody knows.
pub async fn terms(db: &mut Connection, business: &str) -> Result<Option<Terms>, StoreError> {
    let select = "SELECT currency, posting_confidence_ppm, posting_limit_minor FROM businesses WHERE business_id = $1";
    let row: Option<(String, i64, Option<i64>)> = sqlx::query_as(select).bind(business).fetch_optional(db).await?;
    row.map(|(currency, posting_confidence_ppm, posting_limit_minor)| {
        let currency = currency.parse().map_err(|error| StoreError::Corrupt { what: "currency", source: Box::new(error) })?;
        Ok(Terms { currency, posting_confidence_ppm, posting_limit_minor })
    })
    .transpose()
}

/// All known businesses, by id.
pub async fn known(db: &mut Connection) -> sqlx::Result<Vec<String>> {
    sqlx::query_scalar("SELECT business_id FROM businesses ORDER BY business_id").fetch_all(db).await
}
