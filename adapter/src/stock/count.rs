//! Stock counts: what a person found on the shelf at a moment. The books take the difference as a journal of that moment.
//!
//! Architecture invariant: the difference depends on what the books say of the time before, not on when that came to be known. A sale that
//! comes late moves the difference, and the stock stays what was counted.

use std::collections::HashMap;

use jiff::Timestamp;

use super::product::Product;
use crate::{
    ledger::{Journal, Journals, Kind, Moved},
    store::{Connection, StoreError},
};

/// A count as it went into the books.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Counted {
    /// What the books said.
    pub expected: i64,
    pub quantity: i64,
}

/// Books what was counted of a product; a second count of the same moment takes the place of the first.
pub async fn book(
    db: &mut Connection,
    business: &str,
    product: &Product,
    quantity: i64,
    at: Timestamp,
    now: Timestamp,
) -> Result<Counted, StoreError> {
    sqlx::query(
        "INSERT INTO stock_counts (business_id, product_id, counted_at, quantity, recorded_at) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (business_id, product_id, counted_at) DO UPDATE SET quantity = excluded.quantity",
    )
    .bind(business)
    .bind(product.product_id)
    .bind(at.as_microsecond())
    .bind(quantity)
    .bind(now.as_microsecond())
    .execute(&mut *db)
    .await?;
    let expected = expected(db, business, product.product_id, at.as_microsecond()).await?;
    let moved = Moved { business: business.to_owned(), kind: Kind::Count, product_id: product.product_id, effective_at: at };
    follow(db, &[moved], now).await?;
    Ok(Counted { expected, quantity })
}

/// Books the differences anew of all counts that something moved before.
pub async fn follow(db: &mut Connection, moved: &[Moved], now: Timestamp) -> Result<(), StoreError> {
    let mut earliest: HashMap<&str, HashMap<i64, i64>> = HashMap::new();
    for moved in moved {
        let at = moved.effective_at.as_microsecond();
        let of_product = earliest.entry(&moved.business).or_default().entry(moved.product_id).or_insert(at);
        *of_product = at.min(*of_product);
    }
    for (business, products) in earliest {
        let first = products.values().copied().min().unwrap_or(i64::MAX);
        for count in since(db, business, first).await? {
            if products.get(&count.product_id).is_some_and(|moved_at| *moved_at <= count.counted_at) {
                settle(db, business, &count, now).await?;
            }
        }
    }
    Ok(())
}

#[derive(sqlx::FromRow)]
struct Count {
    product_id: i64,
    counted_at: i64,
    quantity: i64,
    difference: i64,
    journal_id: Option<i64>,
}

/// In the order of their moments, since each is part of what the next one expects.
async fn since(db: &mut Connection, business: &str, moment: i64) -> sqlx::Result<Vec<Count>> {
    let select = "SELECT product_id, counted_at, quantity, difference, journal_id FROM stock_counts \
        WHERE business_id = $1 AND counted_at >= $2 ORDER BY counted_at";
    sqlx::query_as(select).bind(business).bind(moment).fetch_all(db).await
}

async fn settle(db: &mut Connection, business: &str, count: &Count, now: Timestamp) -> Result<(), StoreError> {
    let difference = count.quantity - expected(db, business, count.product_id, count.counted_at).await?;
    if difference == count.difference {
        return Ok(());
    }
    let mut journals = Journals::new(now);
    if let Some(booked) = count.journal_id {
        journals.reverse(db, business, booked).await?;
    }
    let journal_id = if difference == 0 {
        None
    } else {
        let at =
            Timestamp::from_microsecond(count.counted_at).map_err(|error| StoreError::Corrupt { what: "time", source: error.into() })?;
        let origin = origin(count.product_id, count.counted_at);
        Some(journals.add(db, Journal::stock(business, Kind::Count, origin, at, count.product_id, difference)).await?)
    };
    journals.insert(db).await?;
    let update = "UPDATE stock_counts SET difference = $1, journal_id = $2 WHERE business_id = $3 AND product_id = $4 AND counted_at = $5";
    let update = sqlx::query(update).bind(difference).bind(journal_id).bind(business).bind(count.product_id);
    update.bind(count.counted_at).execute(db).await?;
    Ok(())
}

fn origin(product_id: i64, counted_at: i64) -> String {
    format!("count/{product_id}/{counted_at}")
}

/// What the books say was there at the moment, this count itself left out.
async fn expected(db: &mut Connection, business: &str, product_id: i64, at: i64) -> sqlx::Result<i64> {
    let select = "SELECT CAST(coalesce(sum(quantity), 0) AS BIGINT) FROM stock_movements JOIN journals USING (business_id, journal_id) \
        WHERE business_id = $1 AND product_id = $2 AND effective_at <= $3 AND origin <> $4";
    let sum = sqlx::query_scalar(select).bind(business).bind(product_id).bind(at).bind(origin(product_id, at));
    sum.fetch_one(db).await
}
