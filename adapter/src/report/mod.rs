//! The books of a period as an owner reads them, and as JSON.

mod text;

use std::collections::HashMap;

use jiff::civil::Date;
use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Serialize, Serializer};
use sqlx::AssertSqlSafe;

use crate::{
    business,
    clock::Clock,
    ledger::{Account, Kind, day},
    money::{Currency, divide_half_up},
    store::{Connection, Store, StoreError},
    vat::Vat3,
};

#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    #[error("business {business:?} is not known; known are: {known}")]
    UnknownBusiness { business: String, known: String },
    #[error("the period begins on {from}, after its end on {to}")]
    EmptyPeriod { from: Date, to: Date },
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Days of a period, both included; open ends reach as far as the books.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Period {
    pub from: Option<Date>,
    pub to: Option<Date>,
}

/// An amount as a decimal string in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount {
    pub minor: i64,
    pub currency: Currency,
}

impl std::fmt::Display for Amount {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.currency.decimal(self.minor))
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    pub business: String,
    #[serde(skip)]
    pub name: Option<String>,
    pub from: Date,
    pub to: Date,
    pub currency: Currency,
    pub sales: Sales,
    pub purchases: Purchases,
    pub cash: Cash,
    pub vat_return: VatReturn,
    pub inventory: Vec<Inventory>,
    /// Sale lines that can't be posted yet, of this business or of none that is known.
    pub pending: i64,
    /// Records that could not be read, of all businesses: what can't be read says not whose it is.
    pub dead_letters: i64,
    /// Documents that wait for a person.
    pub review_queue: i64,
    /// What waits and why, for the printed report.
    #[serde(skip)]
    pub waiting: Vec<Waiting>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sales {
    pub gross: Amount,
    pub net: Amount,
    pub vat: Amount,
    pub lines: i64,
    pub transactions: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Purchases {
    pub gross: Amount,
    pub net: Amount,
    pub vat: Amount,
    pub lines: i64,
    pub transactions: i64,
    pub documents: i64,
}

/// In is what the till took, less its refunds; out is what was paid to suppliers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Cash {
    pub opening: Amount,
    #[serde(rename = "in")]
    pub received: Amount,
    #[serde(rename = "out")]
    pub paid: Amount,
    pub closing: Amount,
    /// Supplier invoices not paid at the end of the period.
    #[serde(skip)]
    pub owed: Amount,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VatReturn {
    pub t1: Amount,
    pub t2: Amount,
    pub t3: Amount,
    pub t4: Amount,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Inventory {
    pub product: String,
    pub unit: String,
    /// At the end of the period.
    pub on_hand: i64,
    pub sold: i64,
    pub received: i64,
    /// What counts found more (or less) than the books said.
    pub counted: i64,
    pub wasted: i64,
    /// What the product's yield says was lost with what was sold.
    pub lost_in_serving: i64,
    pub net_sales: Amount,
    /// A base unit's price without VAT, in the currency, six decimals: the mean of all purchases up to the end of the period that say theirs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub average_cost: Option<String>,
    /// What was sold, and lost in serving it, at its average cost; and what is left of its net sales.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cost_of_sales: Option<Amount>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub margin: Option<Amount>,
    pub flags: Vec<&'static str>,
    #[serde(skip)]
    pub proposed: bool,
}

/// A group of things that wait for the same reason.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, sqlx::FromRow)]
pub struct Waiting {
    pub what: String,
    pub reason: String,
    pub count: i64,
}

/// The books of `business` in `period`, as they stand now.
pub async fn report(store: &Store, business: &str, period: Period, clock: Clock) -> Result<Report, ReportError> {
    let mut db = store.read().await?;
    let Some(terms) = business::terms(&mut db, business).await? else {
        let known = business::known(&mut db).await.map_err(StoreError::from)?;
        let known = if known.is_empty() { "none yet".to_owned() } else { known.join(", ") };
        return Err(ReportError::UnknownBusiness { business: business.to_owned(), known });
    };
    let (from, to) = bounds(&mut db, business, period, clock).await?;
    if from > to {
        return Err(ReportError::EmptyPeriod { from, to });
    }
    let mut books = Books { db: &mut db, business, from: from.to_string(), to: to.to_string(), currency: terms.currency };
    let report = Report {
        business: business.to_owned(),
        name: books.name().await?,
        from,
        to,
        currency: terms.currency,
        sales: books.sales().await?,
        purchases: books.purchases().await?,
        cash: books.cash().await?,
        vat_return: books.vat_return().await?,
        inventory: books.inventory().await?,
        pending: books.pending().await?,
        dead_letters: books.dead_letters().await?,
        review_queue: books.review_queue().await?,
        waiting: books.waiting().await?,
    };
    Ok(report)
}

/// An end that is not given lies at the first or last day in the books; of empty books at today.
async fn bounds(db: &mut Connection, business: &str, period: Period, clock: Clock) -> Result<(Date, Date), StoreError> {
    let select = "SELECT min(effective_date), max(effective_date) FROM journals WHERE business_id = $1";
    let (first, last): (Option<String>, Option<String>) = sqlx::query_as(select).bind(business).fetch_one(db).await?;
    let date = |text: Option<String>| {
        let date = text.map(|text| text.parse::<Date>()).transpose();
        date.map_err(|error| StoreError::Corrupt { what: "date", source: error.into() })
    };
    let today = day(clock.now());
    let first = date(first)?.unwrap_or(today);
    let last = date(last)?.unwrap_or(today);
    let from = period.from.unwrap_or_else(|| period.to.map_or(first, |to| to.min(first)));
    Ok((from, period.to.unwrap_or_else(|| last.max(from))))
}

/// Of an average cost.
const COST_DECIMALS: u32 = 6;
/// Journals of the kind in the period that still stand.
const LIVE: &str = "FROM journals AS journal WHERE business_id = $1 AND kind = $2 AND effective_date BETWEEN $3 AND $4 AND reverses IS NULL \
    AND NOT EXISTS (SELECT 1 FROM journals AS reversal WHERE reversal.business_id = journal.business_id AND reversal.reverses = journal.journal_id)";
/// Sale lines that wait: the business's, and those of no business that is known.
const PENDING: &str = "FROM source_rows WHERE pending_reason IS NOT NULL AND (business_id IS NULL OR business_id = $1)";

struct Books<'a> {
    db: &'a mut Connection,
    business: &'a str,
    from: String,
    to: String,
    currency: Currency,
}

impl Books<'_> {
    fn amount(&self, minor: i64) -> Amount {
        Amount { minor, currency: self.currency }
    }

    async fn name(&mut self) -> Result<Option<String>, StoreError> {
        let select = "SELECT name FROM businesses WHERE business_id = $1";
        Ok(sqlx::query_scalar(select).bind(self.business).fetch_one(&mut *self.db).await?)
    }

    /// Sum of the account's postings by journals of the kind in the period, debit positive.
    async fn balance(&mut self, account: Account, kind: Kind) -> Result<i64, StoreError> {
        let select = "SELECT CAST(coalesce(sum(amount_minor), 0) AS BIGINT) FROM postings JOIN journals USING (business_id, journal_id) \
            WHERE business_id = $1 AND account = $2 AND kind = $3 AND currency = $4 AND effective_date BETWEEN $5 AND $6";
        let sum = sqlx::query_scalar(select).bind(self.business).bind(account.name()).bind(kind.name()).bind(self.currency.to_string());
        Ok(sum.bind(&self.from).bind(&self.to).fetch_one(&mut *self.db).await?)
    }

    /// Sum of the account's postings up to the day, not that day itself where `before`.
    async fn balance_at(&mut self, account: Account, date: &str, before: bool) -> Result<i64, StoreError> {
        let select = "SELECT CAST(coalesce(sum(amount_minor), 0) AS BIGINT) FROM postings JOIN journals USING (business_id, journal_id) \
            WHERE business_id = $1 AND account = $2 AND currency = $3 AND (effective_date < $4 OR (effective_date = $4 AND NOT $5))";
        let sum = sqlx::query_scalar(select).bind(self.business).bind(account.name()).bind(self.currency.to_string()).bind(date);
        Ok(sum.bind(before).fetch_one(&mut *self.db).await?)
    }

    /// Lines and transactions (or documents) that stand.
    async fn live(&mut self, kind: Kind) -> Result<(i64, i64), StoreError> {
        let select = format!("SELECT CAST(coalesce(sum(line_count), 0) AS BIGINT), count(DISTINCT transaction_key) {LIVE}");
        let counts = sqlx::query_as(AssertSqlSafe(select)).bind(self.business).bind(kind.name()).bind(&self.from).bind(&self.to);
        Ok(counts.fetch_one(&mut *self.db).await?)
    }

    async fn sales(&mut self) -> Result<Sales, StoreError> {
        let net = -self.balance(Account::Sales, Kind::Sale).await?;
        let vat = -self.balance(Account::VatOnSales, Kind::Sale).await?;
        let (lines, transactions) = self.live(Kind::Sale).await?;
        Ok(Sales { gross: self.amount(net + vat), net: self.amount(net), vat: self.amount(vat), lines, transactions })
    }

    async fn purchases(&mut self) -> Result<Purchases, StoreError> {
        let net = self.balance(Account::Purchases, Kind::Purchase).await?;
        let vat = self.balance(Account::VatOnPurchases, Kind::Purchase).await?;
        let (lines, documents) = self.live(Kind::Purchase).await?;
        let (gross, net, vat) = (self.amount(net + vat), self.amount(net), self.amount(vat));
        Ok(Purchases { gross, net, vat, lines, transactions: documents, documents })
    }

    async fn cash(&mut self) -> Result<Cash, StoreError> {
        let (from, to) = (self.from.clone(), self.to.clone());
        let opening = self.balance_at(Account::Cash, &from, true).await?;
        let closing = self.balance_at(Account::Cash, &to, false).await?;
        let received = self.balance(Account::Cash, Kind::Sale).await?;
        let paid = -self.balance(Account::Cash, Kind::Purchase).await?;
        let owed = -self.balance_at(Account::TradeCreditors, &to, false).await?;
        let amount = |minor| self.amount(minor);
        Ok(Cash { opening: amount(opening), received: amount(received), paid: amount(paid), closing: amount(closing), owed: amount(owed) })
    }

    async fn vat_return(&mut self) -> Result<VatReturn, StoreError> {
        let t1 = -self.balance(Account::VatOnSales, Kind::Sale).await?;
        let t2 = self.balance(Account::VatOnPurchases, Kind::Purchase).await?;
        let vat3 = Vat3 { t1, t2 };
        Ok(VatReturn { t1: self.amount(t1), t2: self.amount(t2), t3: self.amount(vat3.t3()), t4: self.amount(vat3.t4()) })
    }

    async fn inventory(&mut self) -> Result<Vec<Inventory>, StoreError> {
        let select = "SELECT product_id, name, unit, proposed, CAST(sum(quantity) AS BIGINT) AS on_hand, \
            CAST(sum(CASE WHEN kind = 'sale' AND ordinal = 0 AND effective_date >= $2 THEN -quantity ELSE 0 END) AS BIGINT) AS sold, \
            CAST(sum(CASE WHEN kind = 'sale' AND ordinal > 0 AND effective_date >= $2 THEN -quantity ELSE 0 END) AS BIGINT) AS lost_in_serving, \
            CAST(sum(CASE WHEN kind = 'purchase' AND effective_date >= $2 THEN quantity ELSE 0 END) AS BIGINT) AS received, \
            CAST(sum(CASE WHEN kind = 'count' AND effective_date >= $2 THEN quantity ELSE 0 END) AS BIGINT) AS counted, \
            CAST(sum(CASE WHEN kind = 'waste' AND effective_date >= $2 THEN -quantity ELSE 0 END) AS BIGINT) AS wasted, \
            CAST(sum(CASE WHEN value_minor IS NULL THEN 0 ELSE quantity END) AS BIGINT) AS valued, \
            CAST(coalesce(sum(value_minor), 0) AS BIGINT) AS value_minor \
            FROM stock_movements JOIN journals USING (business_id, journal_id) JOIN products USING (business_id, product_id) \
            WHERE business_id = $1 AND effective_date <= $3 GROUP BY product_id, name, unit, proposed ORDER BY name, unit";
        let rows: Vec<InventoryRow> =
            sqlx::query_as(select).bind(self.business).bind(&self.from).bind(&self.to).fetch_all(&mut *self.db).await?;
        let net_sales = self.net_sales().await?;
        let inventory = |row: InventoryRow| {
            let net_sales = net_sales.get(&row.product_id).copied().unwrap_or(0);
            row.inventory(net_sales, self.currency)
        };
        Ok(rows.into_iter().map(inventory).filter(Inventory::is_worth_a_row).collect())
    }

    /// By product. A sale's journal moves one.
    async fn net_sales(&mut self) -> Result<HashMap<i64, i64>, StoreError> {
        let select = "SELECT product_id, CAST(sum(-amount_minor) AS BIGINT) FROM postings \
            JOIN stock_movements USING (business_id, journal_id) JOIN journals USING (business_id, journal_id) \
            WHERE business_id = $1 AND stock_movements.ordinal = 0 AND account = $2 AND kind = 'sale' AND currency = $3 AND effective_date BETWEEN $4 AND $5 GROUP BY product_id";
        let sums = sqlx::query_as(select).bind(self.business).bind(Account::Sales.name()).bind(self.currency.to_string());
        let sums: Vec<(i64, i64)> = sums.bind(&self.from).bind(&self.to).fetch_all(&mut *self.db).await?;
        Ok(sums.into_iter().collect())
    }

    async fn pending(&mut self) -> Result<i64, StoreError> {
        let select = format!("SELECT (SELECT count(*) {PENDING}) + (SELECT count(*) FROM held_changes)");
        Ok(sqlx::query_scalar(AssertSqlSafe(select)).bind(self.business).fetch_one(&mut *self.db).await?)
    }

    async fn dead_letters(&mut self) -> Result<i64, StoreError> {
        Ok(sqlx::query_scalar("SELECT count(*) FROM dead_letters").fetch_one(&mut *self.db).await?)
    }

    async fn review_queue(&mut self) -> Result<i64, StoreError> {
        let select = "SELECT count(*) FROM documents WHERE business_id = $1 AND status = 'REVIEW'";
        Ok(sqlx::query_scalar(select).bind(self.business).fetch_one(&mut *self.db).await?)
    }

    async fn waiting(&mut self) -> Result<Vec<Waiting>, StoreError> {
        let select = format!(
            "SELECT 'sale lines' AS what, pending_reason AS reason, count(*) AS count {PENDING} GROUP BY pending_reason \
             UNION ALL SELECT 'changes held', 'table ' || stream || '.' || table_name || ' was truncated', count(*) FROM held_changes \
             GROUP BY stream, table_name \
             UNION ALL SELECT 'unreadable records', reason, count(*) FROM dead_letters GROUP BY reason"
        );
        let mut waiting: Vec<Waiting> = sqlx::query_as(AssertSqlSafe(select)).bind(self.business).fetch_all(&mut *self.db).await?;
        let select = "SELECT source, reasons FROM documents WHERE business_id = $1 AND status = 'REVIEW'";
        let documents: Vec<(String, String)> = sqlx::query_as(select).bind(self.business).fetch_all(&mut *self.db).await?;
        for (source, reasons) in documents {
            let reasons: Vec<String> =
                serde_json::from_str(&reasons).map_err(|error| StoreError::Corrupt { what: "list of reasons", source: error.into() })?;
            waiting.push(Waiting { what: "documents".to_owned(), reason: format!("{source}: {}", reasons.join("; ")), count: 1 });
        }
        waiting.sort_unstable();
        Ok(waiting)
    }
}

#[derive(sqlx::FromRow)]
struct InventoryRow {
    product_id: i64,
    name: String,
    unit: String,
    proposed: i64,
    on_hand: i64,
    sold: i64,
    received: i64,
    counted: i64,
    wasted: i64,
    lost_in_serving: i64,
    /// Bought for a known price, up to the end of the period, and that price.
    valued: i64,
    value_minor: i64,
}

impl InventoryRow {
    fn inventory(self, net_sales: i64, currency: Currency) -> Inventory {
        let proposed = self.proposed != 0;
        let flags = [(self.on_hand < 0, "negative"), (proposed, "proposed")];
        let amount = |minor| Amount { minor, currency };
        let cost = self.cost_of(self.sold + self.lost_in_serving);
        Inventory {
            flags: flags.into_iter().filter_map(|(is_so, flag)| is_so.then_some(flag)).collect(),
            on_hand: self.on_hand,
            sold: self.sold,
            received: self.received,
            counted: self.counted,
            wasted: self.wasted,
            lost_in_serving: self.lost_in_serving,
            net_sales: amount(net_sales),
            average_cost: self.average_cost(currency),
            cost_of_sales: cost.map(amount),
            margin: cost.map(|cost| amount(net_sales - cost)),
            proposed,
            product: self.name,
            unit: self.unit,
        }
    }

    fn has_cost(&self) -> bool {
        self.valued > 0 && self.value_minor >= 0
    }

    /// Minor units of so many base units at the average cost.
    fn cost_of(&self, quantity: i64) -> Option<i64> {
        let cost = || divide_half_up(i128::from(quantity) * i128::from(self.value_minor), self.valued.into());
        self.has_cost().then(cost).and_then(|cost| i64::try_from(cost).ok())
    }

    fn average_cost(&self, currency: Currency) -> Option<String> {
        let cost = || Decimal::new(self.value_minor, currency.minor_digits()) / Decimal::from(self.valued);
        self.has_cost().then(|| format!("{:.6}", cost().round_dp_with_strategy(COST_DECIMALS, RoundingStrategy::MidpointAwayFromZero)))
    }
}

impl Inventory {
    /// Nothing is said of what is not there and did not move.
    fn is_worth_a_row(&self) -> bool {
        [self.on_hand, self.sold, self.received, self.counted, self.wasted, self.lost_in_serving].iter().any(|quantity| *quantity != 0)
    }
}
