//! The till's tables as sales: which tables and columns, and what one row of them means in the books.
//!
//! One row of the sales table is one unit sold, VAT included. Its transaction says whose it is and when. A negative price is a refund: money
//! and goods go back.

use jiff::{
    Timestamp,
    civil::{Date, DateTime},
    tz::TimeZone,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    debezium::{DecimalError, Row, UNCHANGED_COLUMN, decimal},
    ledger::day,
    money::{AmountError, Currency},
    stock::{LARGEST_QUANTITY, Unit},
    vat::{Rate, RateError, RateTable},
};

/// The till's tables and columns; the default is the one that DESIGN.md calls the default mapping. A JSON file may say otherwise.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Mapping {
    pub businesses: BusinessColumns,
    pub transactions: TransactionColumns,
    pub sales: SaleColumns,
    /// Rates of categories, for tills that know no rates.
    #[serde(skip)]
    pub rates: RateTable,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BusinessColumns {
    pub table: String,
    pub id: String,
    pub name: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransactionColumns {
    pub table: String,
    pub id: String,
    pub business: String,
    pub time: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SaleColumns {
    pub table: String,
    pub id: String,
    pub transaction: String,
    pub product: String,
    /// Gross price of the unit, a decimal.
    pub price: String,
    /// VAT rate as a fraction, a decimal.
    pub rate: String,
    /// Where a row has no rate: its category in the table of rates, which says the rate of the day.
    #[serde(default)]
    pub category: Option<String>,
    pub millilitres: String,
}

impl Default for Mapping {
    fn default() -> Self {
        Self {
            businesses: BusinessColumns { table: "users".into(), id: "id".into(), name: "name".into() },
            transactions: TransactionColumns {
                table: "transactions".into(),
                id: "transaction_id".into(),
                business: "user_id".into(),
                time: "created_at".into(),
            },
            sales: SaleColumns {
                table: "beers".into(),
                id: "product_id".into(),
                transaction: "transaction_id".into(),
                product: "beer_name".into(),
                price: "beer_price_per_unit".into(),
                rate: "beer_tax_rate".into(),
                category: None,
                millilitres: "millilitre".into(),
            },
            rates: RateTable::default(),
        }
    }
}

/// A table that the books are made from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Table {
    Businesses,
    Transactions,
    Sales,
}

impl Mapping {
    /// Which of its tables `name` is.
    pub fn table(&self, name: &str) -> Option<Table> {
        let tables = [
            (&self.businesses.table, Table::Businesses),
            (&self.transactions.table, Table::Transactions),
            (&self.sales.table, Table::Sales),
        ];
        tables.into_iter().find(|(table, _)| *table == name).map(|(_, table)| table)
    }

    /// Patterns of the topics that Debezium gives these tables: `PREFIX.SCHEMA.TABLE`.
    pub fn topics(&self) -> Vec<String> {
        [&self.businesses.table, &self.transactions.table, &self.sales.table]
            .map(|table| format!("^(.*\\.)?{}$", regex_literal(table)))
            .into()
    }

    pub fn id_column(&self, table: Table) -> &str {
        match table {
            Table::Businesses => &self.businesses.id,
            Table::Transactions => &self.transactions.id,
            Table::Sales => &self.sales.id,
        }
    }

    /// The id of the row that a row hangs on.
    pub fn parent(&self, table: Table, row: &Row) -> Option<String> {
        match table {
            Table::Businesses => None,
            Table::Transactions => text(row, &self.transactions.business),
            Table::Sales => text(row, &self.sales.transaction),
        }
    }

    /// Refuses a sale line whose numbers can't be read at all.
    pub fn check_numbers(&self, row: &Row) -> Result<(), UnreadableNumber> {
        for column in [&self.sales.price, &self.sales.rate] {
            number(row, column)?;
        }
        match row.get(&self.sales.millilitres) {
            Some(value) if !value.is_null() && value.as_i64().is_none() => {
                Err(UnreadableNumber::NotWhole { column: self.sales.millilitres.clone(), value: value.to_string() })
            }
            _ => Ok(()),
        }
    }

    /// What a row of the sales table means, given its transaction's row.
    pub fn sale(&self, row: &Row, transaction: Option<&Row>, currency: Currency) -> Result<Sale, Pending> {
        let Some(transaction_id) = text(row, &self.sales.transaction) else {
            return Err(Pending::Missing(self.sales.transaction.clone()));
        };
        let Some(transaction) = transaction else { return Err(Pending::NoTransaction(transaction_id)) };
        let missing = |column: &str| Pending::Missing(column.to_owned());
        let product = text(row, &self.sales.product).ok_or_else(|| missing(&self.sales.product))?;
        let price = number(row, &self.sales.price)?.ok_or_else(|| missing(&self.sales.price))?;
        let business = text(transaction, &self.transactions.business).ok_or_else(|| missing(&self.transactions.business))?;
        let time = text(transaction, &self.transactions.time).ok_or_else(|| missing(&self.transactions.time))?;
        let effective_at = instant(&time).ok_or(Pending::NoTime(time))?;
        let rate = self.rate(row, effective_at)?;
        let gross_minor = currency.minor_units(price)?;
        let (unit, quantity) = match row.get(&self.sales.millilitres).and_then(Value::as_i64) {
            Some(millilitres) if millilitres > LARGEST_QUANTITY => return Err(Pending::TooMuch(millilitres)),
            Some(millilitres) if millilitres > 0 => (Unit::Ml, millilitres),
            _ => (Unit::Each, 1),
        };
        Ok(Sale {
            business,
            transaction: transaction_id,
            product,
            unit,
            quantity: if gross_minor < 0 { -quantity } else { quantity },
            currency,
            gross_minor,
            vat_minor: rate.vat_inside(gross_minor),
            effective_at,
        })
    }

    /// The row's own rate, else its category's on the day of the sale.
    fn rate(&self, row: &Row, effective_at: Timestamp) -> Result<Rate, Pending> {
        if let Some(rate) = number(row, &self.sales.rate)? {
            return Ok(Rate::from_fraction(rate)?);
        }
        let category = self.sales.category.as_ref().and_then(|column| text(row, column));
        let category = category.ok_or_else(|| Pending::Missing(self.sales.rate.clone()))?;
        let day = day(effective_at);
        self.rates.rate(&category, day).ok_or(Pending::NoRate { category, day })
    }
}

/// One unit sold (or, negative, taken back), as it stands in the books.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sale {
    pub business: String,
    pub transaction: String,
    pub product: String,
    pub unit: Unit,
    /// Base units that leave stock.
    pub quantity: i64,
    pub currency: Currency,
    pub gross_minor: i64,
    pub vat_minor: i64,
    pub effective_at: Timestamp,
}

/// A number of the row that is no number for the books: the event is broken.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnreadableNumber {
    #[error("column {column}")]
    Decimal { column: String, source: DecimalError },
    #[error("column {column} holds {value}, a whole number is expected")]
    NotWhole { column: String, value: String },
}

/// Why a sale line can't be posted yet. A later change of the row, or of one it hangs on, may mend it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Pending {
    #[error("waits for transaction {0}")]
    NoTransaction(String),
    #[error("business {0} is not known")]
    UnknownBusiness(String),
    #[error("{0} is missing")]
    Missing(String),
    #[error("{0:?} is no point in time such as 2026-03-01T09:11:12Z")]
    NoTime(String),
    #[error("{0} lies in the future: is the till's clock right?")]
    Future(Timestamp),
    #[error(transparent)]
    Rate(#[from] RateError),
    #[error("the table of VAT rates has none for category {category:?} on {day}")]
    NoRate { category: String, day: Date },
    #[error(transparent)]
    Amount(#[from] AmountError),
    #[error("{0} ml is more than {LARGEST_QUANTITY} ml")]
    TooMuch(i64),
    #[error(transparent)]
    Number(#[from] UnreadableNumber),
}

/// A column as text; `None` for null, absent, empty or not transmitted.
pub(crate) fn text(row: &Row, column: &str) -> Option<String> {
    match row.get(column)? {
        Value::String(text) if text.is_empty() || text == UNCHANGED_COLUMN => None,
        Value::String(text) => Some(text.clone()),
        Value::Null => None,
        other => Some(other.to_string()),
    }
}

fn number(row: &Row, column: &str) -> Result<Option<rust_decimal::Decimal>, UnreadableNumber> {
    let value = row.get(column).unwrap_or(&Value::Null);
    decimal(value).map_err(|source| UnreadableNumber::Decimal { column: column.to_owned(), source })
}

/// ISO 8601 with an offset; without one it is UTC.
fn instant(text: &str) -> Option<Timestamp> {
    let civil = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok().map(|zoned| zoned.timestamp());
    text.parse().ok().or_else(civil)
}

/// A table's name within a POSIX pattern.
fn regex_literal(name: &str) -> String {
    name.chars().flat_map(|letter| (!letter.is_alphanumeric() && letter != '_').then_some('\\').into_iter().chain([letter])).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row(value: Value) -> Row {
        value.as_object().unwrap().clone()
    }

    fn transaction() -> Row {
        row(json!({"transaction_id": "t-1", "user_id": "u-1", "total": 1.5, "created_at": "2026-03-01T09:11:12.123456Z"}))
    }

    fn line(price: Value, rate: Value, millilitre: Value) -> Row {
        row(json!({"product_id": "p-1", "transaction_id": "t-1", "beer_name": "Stout", "beer_price_per_unit": price, "beer_tax_rate": rate,
            "millilitre": millilitre}))
    }

    #[test]
    fn one_row_is_one_unit_sold() {
        for (price, millilitre, gross, vat, unit, quantity) in [
            ("5.50", json!(568), 550, 103, Unit::Ml, 568),
            ("5.505", json!(568), 551, 103, Unit::Ml, 568),
            ("3", json!(0), 300, 56, Unit::Each, 1),
            ("3", json!(null), 300, 56, Unit::Each, 1),
            ("-5.50", json!(568), -550, -103, Unit::Ml, -568),
            ("-3", json!(-330), -300, -56, Unit::Each, -1),
            ("0", json!(568), 0, 0, Unit::Ml, 568),
        ] {
            let sale =
                Mapping::default().sale(&line(json!(price), json!("0.23"), millilitre), Some(&transaction()), Currency::EUR).unwrap();
            assert_eq!((sale.gross_minor, sale.vat_minor, sale.unit, sale.quantity), (gross, vat, unit, quantity), "{price}");
            assert_eq!((sale.business.as_str(), sale.transaction.as_str(), sale.product.as_str()), ("u-1", "t-1", "Stout"));
            assert_eq!(sale.effective_at.to_string(), "2026-03-01T09:11:12.123456Z");
        }
    }

    #[test]
    fn what_cannot_be_posted_says_why() {
        let mapping = Mapping::default();
        let whole = line(json!("5.50"), json!("0.23"), json!(568));
        let without = |column: &str| {
            let mut row = whole.clone();
            row.insert(column.to_owned(), Value::Null);
            row
        };
        let with_time = |time: Value| {
            let mut row = transaction();
            row.insert("created_at".into(), time);
            row
        };
        for (line, transaction, reason) in [
            (whole.clone(), None, "waits for transaction t-1"),
            (without("transaction_id"), Some(transaction()), "transaction_id is missing"),
            (without("beer_name"), Some(transaction()), "beer_name is missing"),
            (without("beer_price_per_unit"), Some(transaction()), "beer_price_per_unit is missing"),
            (without("beer_tax_rate"), Some(transaction()), "beer_tax_rate is missing"),
            (whole.clone(), Some(with_time(Value::Null)), "created_at is missing"),
            (whole.clone(), Some(with_time(json!("infinity"))), "\"infinity\" is no point in time such as 2026-03-01T09:11:12Z"),
            (line(json!("5.50"), json!("23"), json!(1)), Some(transaction()), "the VAT rate 23 is no fraction from 0 to 1, such as 0.23"),
            (
                line(json!("1e20"), json!("0.23"), json!(1)),
                Some(transaction()),
                "100000000000000000000 is more than 1000000000000 minor units",
            ),
            (line(json!("1"), json!("0"), json!(i64::MAX)), Some(transaction()), "9223372036854775807 ml is more than 1000000000000 ml"),
        ] {
            assert_eq!(mapping.sale(&line, transaction.as_ref(), Currency::EUR).unwrap_err().to_string(), reason);
        }
    }

    #[test]
    fn numbers_that_no_later_event_mends() {
        let mapping = Mapping::default();
        assert!(mapping.check_numbers(&line(json!("1"), json!(null), json!(null))).is_ok());
        assert!(mapping.check_numbers(&line(json!(1.2), json!("0.23"), json!(5))).is_err());
        assert!(mapping.check_numbers(&line(json!("1"), json!("NAN"), json!(5))).is_err());
        assert!(mapping.check_numbers(&line(json!("1"), json!("0"), json!("much"))).is_err());
    }

    #[test]
    fn a_mapping_file_names_other_tables() {
        let mapping: Mapping = serde_json::from_value(json!({"businesses": {"table": "shops", "id": "id", "name": "title"}})).unwrap();
        assert_eq!(mapping.table("shops"), Some(Table::Businesses));
        assert_eq!(mapping.table("beers"), Some(Table::Sales));
        assert_eq!(mapping.table("users"), None);
        assert!(serde_json::from_value::<Mapping>(json!({"busineses": {}})).is_err());
    }
}
