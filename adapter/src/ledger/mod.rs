//! The double-entry ledger: journals of postings that sum to zero in each currency, with the stock that moved.
//!
//! A journal is written once. What turns out otherwise is reversed and posted anew, at its own effective date and the recorded time of now.

mod journals;
mod verify;

use jiff::{Timestamp, civil::Date, tz::TimeZone};

pub use journals::{Journals, Moved};
pub use verify::{Verified, VerifyError, verify};

use crate::{
    money::Currency,
    stock::Movement,
    store::{Connection, StoreError},
    till::Sale,
};

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
    const ALL: [Self; 6] = [Self::Cash, Self::TradeCreditors, Self::Sales, Self::Purchases, Self::VatOnSales, Self::VatOnPurchases];

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|account| account.name() == name)
    }

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
    /// What a stock count found other than the books.
    Count,
    /// Goods that were spilt, broken or thrown away.
    Waste,
}

impl Kind {
    fn named(name: &str) -> Option<Self> {
        [Self::Sale, Self::Purchase, Self::Count, Self::Waste].into_iter().find(|kind| kind.name() == name)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Sale => "sale",
            Self::Purchase => "purchase",
            Self::Count => "count",
            Self::Waste => "waste",
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
    /// The journal that this one takes back.
    reverses: Option<i64>,
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
    /// Debit cash; credit sales and the VAT on them; goods out of stock. The first movement is what was sold, a second one what is lost in
    /// serving it, in base units too.
    pub fn sale(origin: String, sale: &Sale, product_id: i64, lost: i64) -> Self {
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
            reverses: None,
            postings: postings([(Account::Cash, gross), (Account::Sales, vat - gross), (Account::VatOnSales, -vat)]),
            movements: std::iter::once(sale.quantity)
                .chain((lost != 0).then_some(lost))
                .map(|quantity| Movement { product_id, quantity: -quantity, value_minor: None })
                .collect(),
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
            reverses: None,
            postings: postings([(Account::Purchases, gross - vat), (Account::VatOnPurchases, vat), (settled, -gross)]),
            movements,
        }
    }

    /// Goods that moved though nobody bought or sold them: no money does. Purchases were expenses when they were made.
    pub fn stock(business: &str, kind: Kind, origin: String, at: Timestamp, product_id: i64, quantity: i64) -> Self {
        Self {
            business: business.to_owned(),
            kind,
            transaction: origin.clone(),
            origin,
            line_count: 1,
            effective_date: day(at),
            effective_at: at,
            currency: Currency::EUR,
            reverses: None,
            postings: Vec::new(),
            movements: vec![Movement { product_id, quantity, value_minor: None }],
        }
    }

    /// The journal that takes this one, numbered `journal_id`, back: the same postings and movements with the other sign, at the same
    /// effective date.
    fn reversal(mut self, journal_id: i64) -> Self {
        for posting in &mut self.postings {
            posting.amount_minor = -posting.amount_minor;
        }
        for movement in &mut self.movements {
            movement.quantity = -movement.quantity;
            movement.value_minor = movement.value_minor.map(|value| -value);
        }
        self.reverses = Some(journal_id);
        self
    }

    fn moved(&self) -> impl Iterator<Item = Moved> {
        let moved = |product_id| Moved { business: self.business.clone(), kind: self.kind, product_id, effective_at: self.effective_at };
        self.movements.iter().map(move |movement| moved(movement.product_id))
    }

    /// Writes the journal and gives its number within the business.
    pub async fn post(self, db: &mut Connection, now: Timestamp) -> Result<i64, StoreError> {
        let mut journals = Journals::new(now);
        let journal_id = journals.add(db, self).await?;
        journals.write(db).await?;
        Ok(journal_id)
    }
}

/// Takes a journal back.
pub async fn reverse(db: &mut Connection, business: &str, journal_id: i64, now: Timestamp) -> Result<(), StoreError> {
    let mut journals = Journals::new(now);
    journals.reverse(db, business, journal_id).await?;
    journals.write(db).await
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
