//! The products of a business.

use sqlx::SqliteConnection;

use super::Unit;

/// The product that the till calls `name`; made where it is new. What the till sells is no proposal any more.
pub async fn sold_as(db: &mut SqliteConnection, business: &str, name: &str, unit: Unit) -> sqlx::Result<i64> {
    let known: Option<(i64, bool)> =
        sqlx::query_as("SELECT product_id, proposed FROM products WHERE business_id = ? AND name = ? AND unit = ?")
            .bind(business)
            .bind(name)
            .bind(unit.name())
            .fetch_optional(&mut *db)
            .await?;
    match known {
        Some((product_id, false)) => Ok(product_id),
        Some((product_id, true)) => {
            let confirm = "UPDATE products SET proposed = 0 WHERE business_id = ? AND product_id = ?";
            sqlx::query(confirm).bind(business).bind(product_id).execute(db).await?;
            Ok(product_id)
        }
        None => add(db, business, name, unit, false).await,
    }
}

/// A new product; `proposed` until a person or the till confirms it.
pub async fn add(db: &mut SqliteConnection, business: &str, name: &str, unit: Unit, proposed: bool) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "INSERT INTO products SELECT ?1, coalesce(max(product_id), 0) + 1, ?2, ?3, ?4 FROM products WHERE business_id = ?1 RETURNING product_id",
    )
    .bind(business)
    .bind(name)
    .bind(unit.name())
    .bind(proposed)
    .fetch_one(db)
    .await
}
