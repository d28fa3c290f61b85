//! Product counters: how much of a product is sold in a window of time. The first sale that brings a window to the threshold raises an alert,
//! one a window.
//!
//! Windows lie at whole multiples of their length since 1970 UTC: of an hour at the full hours, of a day at midnight. So which window a sale
//! belongs to depends on the sale alone, and late or repeated events raise nothing twice.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde_json::json;

use super::{Kind, raise};
use crate::{
    ledger::{self, Moved, day},
    stock::product::Product,
    store::{Connection, StoreError},
};

/// A window holds at least this, and at most a year.
pub const SHORTEST_WINDOW: SignedDuration = SignedDuration::from_mins(1);
pub const LONGEST_WINDOW: SignedDuration = SignedDuration::from_hours(366 * 24);

/// A counter of a business.
#[derive(Debug, Clone, PartialEq, Eq, sqlx::FromRow)]
pub struct Counter {
    pub counter_id: i64,
    pub business_id: String,
    pub product_id: i64,
    /// Of the product.
    pub name: String,
    pub unit: String,
    /// Base units sold in a window that raise the alert.
    pub threshold: i64,
    pub window_microseconds: i64,
}

/// Sets a counter; it counts what is posted from now on, with all that its window holds.
pub async fn add(
    db: &mut Connection,
    business: &str,
    product: &Product,
    threshold: i64,
    window: SignedDuration,
    now: Timestamp,
) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "INSERT INTO counters (business_id, product_id, threshold, window_microseconds, recorded_at) VALUES ($1, $2, $3, $4, $5) \
         RETURNING counter_id",
    )
    .bind(business)
    .bind(product.product_id)
    .bind(threshold)
    .bind(i64::try_from(window.as_micros()).unwrap_or(i64::MAX))
    .bind(now.as_microsecond())
    .fetch_one(db)
    .await
}

/// The counters of a business.
pub async fn of(db: &mut Connection, business: &str) -> sqlx::Result<Vec<Counter>> {
    let select = "SELECT counter_id, business_id, product_id, name, unit, threshold, window_microseconds \
        FROM counters JOIN products USING (business_id, product_id) WHERE business_id = $1 ORDER BY counter_id";
    sqlx::query_as(select).bind(business).fetch_all(db).await
}

/// Takes a counter away; `false` where there is none of that number.
pub async fn remove(db: &mut Connection, business: &str, counter_id: i64) -> sqlx::Result<bool> {
    let delete = sqlx::query("DELETE FROM counters WHERE counter_id = $1 AND business_id = $2").bind(counter_id).bind(business);
    Ok(delete.execute(db).await?.rows_affected() > 0)
}

/// Looks at the windows that sales moved in.
pub(crate) async fn follow(db: &mut Connection, moved: &[Moved], now: Timestamp) -> Result<(), StoreError> {
    let sales = || moved.iter().filter(|moved| moved.kind == ledger::Kind::Sale);
    let businesses: BTreeSet<&str> = sales().map(|moved| moved.business.as_str()).collect();
    for business in businesses {
        for counter in of(db, business).await? {
            let of_counter = sales().filter(|moved| moved.business == business && moved.product_id == counter.product_id);
            let windows: BTreeSet<i64> = of_counter.map(|moved| counter.window_of(moved.effective_at)).collect();
            for window in windows {
                check(db, &counter, window, now).await?;
            }
        }
    }
    Ok(())
}

impl Counter {
    /// The begin of the window that holds a moment, in microseconds since 1970 UTC.
    fn window_of(&self, moment: Timestamp) -> i64 {
        let moment = moment.as_microsecond();
        moment - moment.rem_euclid(self.window_microseconds)
    }
}

async fn check(db: &mut Connection, counter: &Counter, window: i64, now: Timestamp) -> Result<(), StoreError> {
    let moment = |microseconds: i64| {
        Timestamp::from_microsecond(microseconds).map_err(|error| StoreError::Corrupt { what: "time", source: error.into() })
    };
    let (from, until) = (moment(window)?, moment(window.saturating_add(counter.window_microseconds))?);
    let select = "SELECT CAST(coalesce(sum(-quantity), 0) AS BIGINT) FROM journals JOIN stock_movements USING (business_id, journal_id) \
        WHERE business_id = $1 AND effective_date BETWEEN $2 AND $3 AND product_id = $4 AND kind = 'sale' \
        AND ordinal = 0 AND effective_at >= $5 AND effective_at < $6";
    let sum = sqlx::query_scalar(select).bind(&counter.business_id).bind(day(from).to_string()).bind(day(until).to_string());
    let sum = sum.bind(counter.product_id).bind(from.as_microsecond()).bind(until.as_microsecond());
    let sold: i64 = sum.fetch_one(&mut *db).await?;
    if sold < counter.threshold {
        return Ok(());
    }
    let insert = "INSERT INTO crossings (business_id, counter_id, window_from) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING";
    let first = sqlx::query(insert).bind(&counter.business_id).bind(counter.counter_id).bind(window).execute(&mut *db).await?;
    if first.rows_affected() > 0 {
        let detail = json!({
            "business": counter.business_id, "counter": counter.counter_id, "product": counter.name, "unit": counter.unit,
            "sold": sold, "threshold": counter.threshold, "from": from.to_string(), "until": until.to_string(),
        });
        raise(db, Kind::Counter, &counter.business_id, &detail.to_string(), now).await?;
    }
    Ok(())
}
