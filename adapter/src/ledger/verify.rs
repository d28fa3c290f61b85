//! Whether the journals are as they were written: none missing, none changed, each balanced.

use std::collections::BTreeMap;

use super::journals::Chained;
use crate::store::{Connection, Store, StoreError};

/// Journals that are read at once.
const PAGE: i64 = 2000;

/// The journals of a business, all sound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified {
    pub business: String,
    pub journals: i64,
    /// Of the newest journal. Who keeps it elsewhere can tell later that none before it was changed or removed.
    pub head: String,
}

/// What is wrong, and where the first of it is.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    #[error("business {business:?}: journal {journal_id} is missing")]
    Missing { business: String, journal_id: i64 },
    #[error("business {business:?}: journal {journal_id}, or one before it, is not as it was written")]
    Changed { business: String, journal_id: i64 },
    #[error("business {business:?}: journal {journal_id} does not sum to zero in {currency}")]
    Unbalanced { business: String, journal_id: i64, currency: String },
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for VerifyError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Reads all journals of a business again and recomputes their hashes.
pub async fn verify(store: &Store, business: &str) -> Result<Verified, VerifyError> {
    let mut db = store.read().await?;
    let mut chain = Verified { business: business.to_owned(), journals: 0, head: String::new() };
    loop {
        let page = page(&mut db, business, chain.journals).await?;
        if page.is_empty() {
            return Ok(chain);
        }
        for (journal, hash) in page {
            chain.journals += 1;
            chain.head = check(&chain, &journal, hash)?;
        }
    }
}

/// The hash of a journal that is sound; journals from before hashes were kept have none.
fn check(chain: &Verified, journal: &Chained, hash: Option<String>) -> Result<String, VerifyError> {
    let (business, journal_id) = (chain.business.clone(), chain.journals);
    if journal.journal.1 != journal_id {
        return Err(VerifyError::Missing { business, journal_id });
    }
    let mut sums: BTreeMap<&str, i128> = BTreeMap::new();
    for (_, currency, amount) in &journal.postings {
        *sums.entry(currency).or_default() += i128::from(*amount);
    }
    if let Some((currency, _)) = sums.into_iter().find(|(_, sum)| *sum != 0) {
        return Err(VerifyError::Unbalanced { business, journal_id, currency: currency.to_owned() });
    }
    match hash {
        None if chain.head.is_empty() => Ok(String::new()),
        Some(hash) if hash == journal.hash(&chain.head) => Ok(hash),
        _ => Err(VerifyError::Changed { business, journal_id }),
    }
}

type JournalRow = (String, i64, String, String, String, i64, String, i64, i64, Option<i64>, Option<String>);

async fn page(db: &mut Connection, business: &str, after: i64) -> sqlx::Result<Vec<(Chained, Option<String>)>> {
    let select = "SELECT business_id, journal_id, kind, origin, transaction_key, line_count, effective_date, effective_at, recorded_at, reverses, \
        hash FROM journals WHERE business_id = $1 AND journal_id > $2 ORDER BY journal_id LIMIT $3";
    let rows: Vec<JournalRow> = sqlx::query_as(select).bind(business).bind(after).bind(PAGE).fetch_all(&mut *db).await?;
    let Some(last) = rows.last().map(|row| row.1) else { return Ok(Vec::new()) };
    let mut page: BTreeMap<i64, (Chained, Option<String>)> = rows
        .into_iter()
        .map(|(business, id, kind, origin, transaction, lines, date, at, recorded, reverses, hash)| {
            let journal = (business, id, kind, origin, transaction, lines, date, at, recorded, reverses);
            (id, (Chained { journal, postings: Vec::new(), movements: Vec::new() }, hash))
        })
        .collect();
    let select = "SELECT journal_id, account, currency, amount_minor FROM postings \
        WHERE business_id = $1 AND journal_id > $2 AND journal_id <= $3 ORDER BY journal_id, ordinal";
    let postings: Vec<(i64, String, String, i64)> =
        sqlx::query_as(select).bind(business).bind(after).bind(last).fetch_all(&mut *db).await?;
    for (id, account, currency, amount) in postings {
        page.entry(id).and_modify(|(journal, _)| journal.postings.push((account, currency, amount)));
    }
    let select = "SELECT journal_id, product_id, quantity, value_minor FROM stock_movements \
        WHERE business_id = $1 AND journal_id > $2 AND journal_id <= $3 ORDER BY journal_id, ordinal";
    let movements: Vec<(i64, i64, i64, Option<i64>)> =
        sqlx::query_as(select).bind(business).bind(after).bind(last).fetch_all(&mut *db).await?;
    for (id, product, quantity, value) in movements {
        page.entry(id).and_modify(|(journal, _)| journal.movements.push((product, quantity, value)));
    }
    Ok(page.into_values().collect())
}
