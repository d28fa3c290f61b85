//! Yields: how much of a product reaches the glass or the plate. A keg of 50 litres that yields 95 % sells 47.5: with each sale, what is lost in
//! serving it (froth, what stays in the lines, trim) leaves the stock too.
//!
//! Which yield a sale has depends on its own moment alone, so that late and repeated events end in the same books.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use jiff::Timestamp;
use sqlx::Row as _;

use crate::{
    money::divide_half_up,
    store::{
        Connection,
        rows::{Column, Rows},
    },
};

/// All that was bought can be sold; and the least that can be set.
pub const WHOLE_PPM: i64 = 1_000_000;
pub const LEAST_PPM: i64 = 10_000;

/// The yields of some businesses' products, in parts per million.
#[derive(Debug, Default)]
pub struct Yields {
    /// By the moments, in microseconds, since which they hold.
    of: HashMap<String, HashMap<i64, BTreeMap<i64, i64>>>,
}

impl Yields {
    pub async fn of(db: &mut Connection, businesses: BTreeSet<&str>) -> sqlx::Result<Self> {
        let mut given = Rows::new(db, [Column::Text("given_business")]);
        businesses.into_iter().for_each(|business| given.push([business.into()]));
        let mut yields = Self::default();
        if given.is_empty() {
            return Ok(yields);
        }
        let select =
            format!("SELECT business_id, product_id, since, yield_ppm FROM {} JOIN yields ON business_id = given_business", given.source());
        for row in given.query(select).fetch_all(db).await? {
            let of_product = yields.of.entry(row.try_get(0)?).or_default().entry(row.try_get(1)?).or_default();
            of_product.insert(row.try_get(2)?, row.try_get(3)?);
        }
        Ok(yields)
    }

    /// Of a business: product, since when, parts per million.
    pub fn each(&self, business: &str) -> impl Iterator<Item = (i64, Timestamp, i64)> {
        let moment = |microseconds| Timestamp::from_microsecond(microseconds).unwrap_or(Timestamp::MAX);
        let of_product = move |(product, yields): (&i64, &BTreeMap<i64, i64>)| {
            let product = *product;
            yields.iter().map(move |(since, ppm)| (product, moment(*since), *ppm)).collect::<Vec<_>>()
        };
        self.of.get(business).into_iter().flatten().flat_map(of_product)
    }

    /// Base units that are lost with so many sold, with their sign; halves are rounded away from zero.
    pub fn lost_with(&self, business: &str, product_id: i64, quantity: i64, at: Timestamp) -> i64 {
        let since = self.of.get(business).and_then(|products| products.get(&product_id));
        let newest = since.and_then(|since| since.range(..=at.as_microsecond()).next_back());
        let yield_ppm = newest.map_or(WHOLE_PPM, |(_, yield_ppm)| *yield_ppm);
        let lost = divide_half_up(i128::from(quantity) * i128::from(WHOLE_PPM - yield_ppm), yield_ppm.into());
        i64::try_from(lost).expect("at most a hundred times LARGEST_QUANTITY")
    }
}

/// Sets a product's yield for sales from a moment on.
pub async fn set(
    db: &mut Connection,
    business: &str,
    product_id: i64,
    yield_ppm: i64,
    since: Timestamp,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO yields VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (business_id, product_id, since) DO UPDATE SET yield_ppm = excluded.yield_ppm, recorded_at = excluded.recorded_at",
    )
    .bind(business)
    .bind(product_id)
    .bind(since.as_microsecond())
    .bind(yield_ppm)
    .bind(now.as_microsecond())
    .execute(db)
    .await?;
    Ok(())
}
