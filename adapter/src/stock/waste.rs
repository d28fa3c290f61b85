//! Goods that left the stock without being sold: spilt, broken, out of date, the end of a keg.

use jiff::Timestamp;

use super::product::Product;
use crate::{
    ledger::{Journal, Kind},
    store::{Connection, StoreError},
};

/// Takes goods out of stock; `reason` is kept with the journal.
pub async fn book(
    db: &mut Connection,
    business: &str,
    product: &Product,
    quantity: i64,
    reason: &str,
    at: Timestamp,
    now: Timestamp,
) -> Result<i64, StoreError> {
    Journal::stock(business, Kind::Waste, format!("waste/{reason}"), at, product.product_id, -quantity).post(db, now).await
}
