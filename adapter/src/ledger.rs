//! The double-entry ledger: journals of postings that sum to zero in each currency, with the stock that moved.
//!
//! A journal is written once. What turns out otherwise is reversed and posted anew, at its own effective date and the recorded time of now.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use sqlx::SqliteConnection;

use crate::{money::Currency, stock::Movement, till::Sale};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Account {
    /// Asset: the drawer and the bank as one.
    Cash,
    /// Liability: invoices not yet paid.
    TradeCreditors,
    /// Income, net of VAT.
    Sales,
    /// Expense, net of VAT.
    Purchases,
    /// Liability: T1.
    VatOnSales,
    /// Asset: T2.
    VatOnPurchases,
}

impl Account {
    pub fn name(self) -> &'static str {
        match self {
            Self::Cash => "cash",
            Self::TradeCreditors => "trade_creditors",
            Self::Sales => "sales",
            Self::Purchases => "purchases",
            Self::VatOnSales => "vat_on_sales",
            Self::VatOnPurchases => "vat_on_purchases",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Sale,
    Purchase,
}

impl Kind {
    pub fn name(self) -> &'static str {
        match self {
            Self::Sale => "sale",
            Self::Purchase => "purchase",
        }
    }
}

/// Debit positive, credit negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Posting {
    account: Account,
    amount_minor: i64,
}

/// A journal to be written. Made only by constructors that balance it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journal {
    business: String,
    kind: Kind,
    origin: String,
    transaction: String,
    line_count: i64,
    effective_date: Date,
    effective_at: Timestamp,
    currency: Currency,
    postings: Vec<Posting>,
    movements: Vec<Movement>,
}

/// How a purchase is settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settlement {
    Paid,
    Owed,
}

/// Gross and the VAT in it, of one currency; both negative for a credit note.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GrossAmount {
    pub currency: Currency,
    pub gross_minor: i64,
    pub vat_minor: i64,
}

impl Journal {
    /// Debit cash; credit sales and the VAT on them; goods out of stock.
    pub fn sale(origin: String, sale: &Sale, product_id: i64) -> Self {
        let (gross, vat) = (sale.gross_minor, sale.vat_minor);
        Self {
            business: sale.business.clone(),
            kind: Kind::Sale,
            origin,
            transaction: sale.transaction.clone(),
            line_count: 1,
            effective_date: day(sale.effective_at),
            effective_at: sale.effective_at,
            currency: sale.currency,
            postings: postings([(Account::Cash, gross), (Account::Sales, vat - gross), (Account::VatOnSales, -vat)]),
            movements: vec![Movement { product_id, quantity: -sale.quantity }],
        }
    }

    /// Debit purchases and the VAT on them; credit cash or the supplier; goods into stock.
    pub fn purchase(
        business: &str,
        document: String,
        date: Date,
        amount: GrossAmount,
        settlement: Settlement,
        line_count: i64,
        movements: Vec<Movement>,
    ) -> Self {
        let (gross, vat) = (amount.gross_minor, amount.vat_minor);
        let settled = match settlement {
            Settlement::Paid => Account::Cash,
            Settlement::Owed => Account::TradeCreditors,
        };
        Self {
            business: business.to_owned(),
            kind: Kind::Purchase,
            origin: document.clone(),
            transaction: document,
            line_count,
            effective_date: date,
            effective_at: date.to_zoned(TimeZone::UTC).expect("UTC has every midnight of jiff's years").timestamp(),
            currency: amount.currency,
            postings: postings([(Account::Purchases, gross - vat), (Account::VatOnPurchases, vat), (settled, -gross)]),
            movements,
        }
    }

    /// Writes the journal and gives its number within the business.
    pub async fn post(&self, db: &mut SqliteConnection, now: Timestamp) -> sqlx::Result<i64> {
        let journal_id = next_journal_id(db, &self.business).await?;
        for (ordinal, posting) in (0_i64..).zip(&self.postings) {
            sqlx::query("INSERT INTO postings VALUES (?, ?, ?, ?, ?, ?)")
                .bind(&self.business)
                .bind(journal_id)
                .bind(ordinal)
                .bind(posting.account.name())
                .bind(self.currency.to_string())
                .bind(posting.amount_minor)
                .execute(&mut *db)
                .await?;
        }
        for (ordinal, movement) in (0_i64..).zip(&self.movements) {
            sqlx::query("INSERT INTO stock_movements VALUES (?, ?, ?, ?, ?)")
                .bind(&self.business)
                .bind(journal_id)
                .bind(ordinal)
                .bind(movement.product_id)
                .bind(movement.quantity)
                .execute(&mut *db)
                .await?;
        }
        self.close(db, journal_id, now).await?;
        Ok(journal_id)
    }

    async fn close(&self, db: &mut SqliteConnection, journal_id: i64, now: Timestamp) -> sqlx::Result<()> {
        sqlx::query("INSERT INTO journals VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)")
            .bind(&self.business)
            .bind(journal_id)
            .bind(self.kind.name())
            .bind(&self.origin)
            .bind(&self.transaction)
            .bind(self.line_count)
            .bind(self.effective_date.to_string())
            .bind(self.effective_at.as_microsecond())
            .bind(now.as_microsecond())
            .execute(db)
            .await?;
        Ok(())
    }
}

/// Takes a journal back: the same postings and movements with the other sign, at the same effective date.
pub async fn reverse(db: &mut SqliteConnection, business: &str, journal_id: i64, now: Timestamp) -> sqlx::Result<()> {
    let reversal_id = next_journal_id(db, business).await?;
    for copy in [
        "INSERT INTO postings SELECT business_id, ?, ordinal, account, currency, -amount_minor FROM postings WHERE business_id = ? AND journal_id = ?",
        "INSERT INTO stock_movements SELECT business_id, ?, ordinal, product_id, -quantity FROM stock_movements \
         WHERE business_id = ? AND journal_id = ?",
    ] {
        sqlx::query(copy).bind(reversal_id).bind(business).bind(journal_id).execute(&mut *db).await?;
    }
    sqlx::query(
        "INSERT INTO journals SELECT business_id, ?, kind, origin, transaction_key, line_count, effective_date, effective_at, ?, journal_id \
         FROM journals WHERE business_id = ? AND journal_id = ?",
    )
    .bind(reversal_id)
    .bind(now.as_microsecond())
    .bind(business)
    .bind(journal_id)
    .execute(db)
    .await?;
    Ok(())
}

async fn next_journal_id(db: &mut SqliteConnection, business: &str) -> sqlx::Result<i64> {
    sqlx::query_scalar("SELECT coalesce(max(journal_id), 0) + 1 FROM journals WHERE business_id = ?").bind(business).fetch_one(db).await
}

/// Zero amounts are not posted.
fn postings<const N: usize>(amounts: [(Account, i64); N]) -> Vec<Posting> {
    debug_assert_eq!(amounts.iter().map(|(_, amount)| amount).sum::<i64>(), 0, "a journal balances");
    amounts.into_iter().filter(|(_, amount)| *amount != 0).map(|(account, amount_minor)| Posting { account, amount_minor }).collect()
}

/// The day in the books of a moment, in UTC.
pub fn day(moment: Timestamp) -> Date {
    moment.to_zoned(TimeZone::UTC).date()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        business,
        stock::{Unit, product},
        store::Store,
    };

    async fn books(folder: &tempfile::TempDir) -> Store {
        let path = folder.path().join("books.db");
        Store::open(&format!("sqlite:{}", path.display()).parse().unwrap()).await.unwrap()
    }

    fn pint() -> Sale {
        Sale {
            business: "b".into(),
            transaction: "t".into(),
            product: "Stout".into(),
            unit: Unit::Ml,
            quantity: 568,
            currency: Currency::EUR,
            gross_minor: 550,
            vat_minor: 103,
            effective_at: "2026-03-01T23:59:59Z".parse().unwrap(),
        }
    }

    #[tokio::test]
    async fn a_reversal_leaves_nothing_but_its_trace() {
        let folder = tempfile::tempdir().unwrap();
        let mut db = books(&folder).await.write().await.unwrap();
        let now = Timestamp::UNIX_EPOCH;
        business::register(&mut db, "b", None, now).await.unwrap();
        let product_id = product::sold_as(&mut db, "b", "Stout", Unit::Ml).await.unwrap();
        let journal_id = Journal::sale("row".into(), &pint(), product_id).post(&mut db, now).await.unwrap();
        reverse(&mut db, "b", journal_id, now).await.unwrap();
        let sums: Vec<(String, i64)> = sqlx::query_as("SELECT account, sum(amount_minor) FROM postings GROUP BY account ORDER BY account")
            .fetch_all(&mut *db)
            .await
            .unwrap();
        assert_eq!(sums, ["cash", "sales", "vat_on_sales"].map(|account| (account.to_owned(), 0)));
        let days: Vec<String> = sqlx::query_scalar("SELECT effective_date FROM journals").fetch_all(&mut *db).await.unwrap();
        assert_eq!(days, ["2026-03-01", "2026-03-01"]);
        assert!(reverse(&mut db, "b", journal_id, now).await.is_err(), "a journal is reversed once");
        db.rollback().await.unwrap();
    }

    #[tokio::test]
    async fn the_database_itself_keeps_the_ledger() {
        let folder = tempfile::tempdir().unwrap();
        let store = books(&folder).await;
        let mut db = store.write().await.unwrap();
        business::register(&mut db, "b", None, Timestamp::UNIX_EPOCH).await.unwrap();
        let product_id = product::sold_as(&mut db, "b", "Stout", Unit::Ml).await.unwrap();
        Journal::sale("row".into(), &pint(), product_id).post(&mut db, Timestamp::UNIX_EPOCH).await.unwrap();
        db.commit().await.unwrap();
        let unbalanced = "INSERT INTO postings VALUES ('b', 9, 0, 'cash', 'EUR', 5); \
            INSERT INTO journals VALUES ('b', 9, 'sale', 'x', 't', 1, '2026-01-01', 0, 0, NULL)";
        for (statement, refusal) in [
            ("UPDATE postings SET amount_minor = 1", "never updated"),
            ("DELETE FROM postings", "never deleted"),
            ("UPDATE journals SET effective_date = '2025-01-01'", "never updated"),
            ("DELETE FROM journals", "never deleted"),
            ("UPDATE stock_movements SET quantity = 0", "never updated"),
            ("DELETE FROM stock_movements", "never deleted"),
            ("INSERT INTO postings VALUES ('b', 1, 9, 'cash', 'EUR', 5)", "takes no more postings"),
            ("INSERT INTO stock_movements VALUES ('b', 1, 9, 1, 5)", "takes no more stock movements"),
            (unbalanced, "must sum to zero"),
        ] {
            let mut db = store.write().await.unwrap();
            let error = sqlx::raw_sql(statement).execute(&mut *db).await.unwrap_err().to_string();
            assert!(error.contains(refusal), "{statement}: {error}");
        }
        let mut db = store.write().await.unwrap();
        sqlx::query("INSERT INTO postings VALUES ('b', 9, 0, 'cash', 'EUR', 5)").execute(&mut *db).await.unwrap();
        assert!(db.commit().await.is_err(), "postings without their journal are not committed");
    }
}
