//! Orders of Square's Orders API as sale events of the till, so that they take the way of all others.
//!
//! One order becomes a transaction, each unit of a line item a sale line; a location is a business. The same export, or a newer one, changes only
//! what differs: events are ordered by the orders' versions, and what a newer version no longer has is deleted. Source of the shape: Square API reference, `Order`, `OrderLineItem`, `Money`.

use std::collections::BTreeSet;

use rust_decimal::{Decimal, prelude::ToPrimitive};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    money::{Currency, LARGEST_AMOUNT_MINOR},
    source::{Batch, Coordinates, Record, Unreadable},
    store::Connection,
    vat::Rate,
};

/// The common beginning of the topics; the tables are those of the default mapping.
const STREAM: &str = "square.orders";
/// Units that a line item may count.
const MOST_UNITS: i64 = 10_000;
/// Decimals of a rate that is worked out of a line's tax.
const RATE_DECIMALS: u32 = 6;

#[derive(Debug, thiserror::Error)]
pub enum SquareError {
    #[error("it is no JSON of orders: give {{\"orders\": [...]}}, a list of orders, an order, or an order a line")]
    Json(#[source] serde_json::Error),
}

/// Why an order can't be taken.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("it is no order: {0}")]
    Shape(String),
    #[error("it has no closed_at and no created_at")]
    NoTime,
    #[error("line item {item}: its quantity {quantity:?} is not a whole number from 1 to {MOST_UNITS}")]
    Quantity { item: String, quantity: String },
    #[error("line item {item}: it has no total_money")]
    NoTotal { item: String },
    #[error("line item {item}: {currency} is no currency of these books, which are in {EUR}", EUR = Currency::EUR)]
    Currency { item: String, currency: String },
    #[error("line item {item}: {amount} is more than {LARGEST_AMOUNT_MINOR} minor units")]
    Amount { item: String, amount: i64 },
}

#[derive(Debug, Deserialize)]
struct Order {
    id: String,
    location_id: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    version: i64,
    created_at: Option<String>,
    closed_at: Option<String>,
    #[serde(default)]
    line_items: Vec<LineItem>,
    #[serde(default)]
    returns: Vec<Return>,
    #[serde(default)]
    service_charges: Vec<ServiceCharge>,
}

#[derive(Debug, Deserialize)]
struct Return {
    #[serde(default)]
    return_line_items: Vec<LineItem>,
}

#[derive(Debug, Deserialize)]
struct LineItem {
    uid: String,
    name: Option<String>,
    variation_name: Option<String>,
    #[serde(default = "one")]
    quantity: String,
    total_money: Option<Money>,
    total_tax_money: Option<Money>,
}

#[derive(Debug, Deserialize)]
struct ServiceCharge {
    uid: String,
    name: Option<String>,
    total_money: Option<Money>,
    total_tax_money: Option<Money>,
}

#[derive(Debug, Deserialize)]
struct Money {
    amount: i64,
    currency: String,
}

fn one() -> String {
    "1".to_owned()
}

/// An export as a batch, and what was left out.
#[derive(Debug, Default)]
pub struct Export {
    pub batch: Batch,
    /// Orders taken; those that are not completed (open, draft, cancelled) have no sales.
    pub orders: Vec<Taken>,
    /// How many of them are not completed.
    pub unfinished: usize,
    /// Orders that can't be taken, each as `order ID: reason`.
    pub refused: Vec<String>,
}

/// An order as the export has it.
#[derive(Debug, PartialEq, Eq)]
pub struct Taken {
    id: String,
    version: i64,
    /// Keys of its sale lines.
    sales: BTreeSet<String>,
    coordinates: Coordinates,
}

/// Reads an export; `path` is where it came from.
pub fn read(text: &str, path: &str) -> Result<Export, SquareError> {
    let mut export = Export::default();
    let mut businesses = BTreeSet::new();
    for (number, order) in (1_i64..).zip(orders(text)?) {
        let id = order["id"].as_str().unwrap_or("without id").to_owned();
        let coordinates = Coordinates { topic: format!("file:{path}"), partition: 0, offset: number };
        let order = serde_json::from_value::<Order>(order).map_err(|error| Refusal::Shape(error.to_string()));
        match order.and_then(|order| Ok((events(&order)?, order))) {
            Ok((None, order)) => {
                export.unfinished += 1;
                export.orders.push(Taken { id: order.id, version: order.version, sales: BTreeSet::new(), coordinates });
            }
            Ok((Some(events), order)) => {
                let sales = events.iter().filter_map(|(_, row)| row["product_id"].as_str().map(str::to_owned)).collect();
                export.orders.push(Taken { id: order.id, version: order.version, sales, coordinates: coordinates.clone() });
                businesses.extend(events.iter().filter_map(|(_, row)| row["user_id"].as_str().map(str::to_owned)));
                export.batch.records.extend(events.into_iter().map(|(table, row)| Ok(record(&coordinates, table, row))));
            }
            Err(refusal) => export.refused.push(format!("order {id}: {refusal}")),
        }
    }
    let coordinates = Coordinates { topic: format!("file:{path}"), partition: 0, offset: 0 };
    let users =
        businesses.into_iter().map(|id| Ok::<_, Unreadable>(record(&coordinates, "users", json!({"id": id, "name": null, "version": 0}))));
    export.batch.records.splice(0..0, users);
    Ok(export)
}

/// Deletions of the sale lines that the books hold of these orders, and that their versions here no longer have.
pub async fn removed(db: &mut Connection, orders: &[Taken]) -> sqlx::Result<Vec<Record>> {
    let mut removed = Vec::new();
    for order in orders {
        let select = "SELECT row_key FROM source_rows WHERE parent_key = $1 AND table_name = 'beers' AND stream = $2 AND deleted = 0";
        let known: Vec<String> = sqlx::query_scalar(select).bind(&order.id).bind(STREAM).fetch_all(&mut *db).await?;
        removed.extend(known.into_iter().filter(|key| !order.sales.contains(key)).map(|key| order.deletion(&key)));
    }
    Ok(removed)
}

impl Taken {
    fn deletion(&self, key: &str) -> Record {
        let source = source("beers", self.version);
        Record {
            coordinates: self.coordinates.clone(),
            topic: format!("{STREAM}.beers"),
            key: Some(json!({"product_id": key})),
            value: Some(json!({"op": "d", "after": null, "source": source})),
        }
    }
}

/// One document, or an order a line.
fn orders(text: &str) -> Result<Vec<Value>, SquareError> {
    let whole: Result<Value, _> = serde_json::from_str(text);
    match whole {
        Ok(Value::Array(orders)) => Ok(orders),
        Ok(Value::Object(mut fields)) if fields.contains_key("orders") => match fields.remove("orders") {
            Some(Value::Array(orders)) => Ok(orders),
            _ => Ok(Vec::new()),
        },
        Ok(order) => Ok(vec![order]),
        Err(error) => {
            let lines = text.lines().filter(|line| !line.trim().is_empty()).map(serde_json::from_str);
            lines.collect::<Result<Vec<Value>, _>>().map_err(|_| SquareError::Json(error))
        }
    }
}

type Row = (&'static str, Value);

/// The rows of an order; `None` for one that is not completed.
fn events(order: &Order) -> Result<Option<Vec<Row>>, Refusal> {
    if order.state != "COMPLETED" {
        return Ok(None);
    }
    let time = order.closed_at.as_ref().or(order.created_at.as_ref()).ok_or(Refusal::NoTime)?;
    let (id, version) = (&order.id, order.version);
    let head = json!({"transaction_id": id, "user_id": order.location_id, "created_at": time, "version": version});
    let mut rows = vec![("transactions", head)];
    for item in &order.line_items {
        rows.extend(units(order, item, 1)?);
    }
    for item in order.returns.iter().flat_map(|returned| &returned.return_line_items) {
        rows.extend(units(order, item, -1)?);
    }
    for charge in &order.service_charges {
        let ServiceCharge { uid, name, total_money, total_tax_money } = charge;
        let (gross, vat) = amounts(uid, total_money.as_ref(), total_tax_money.as_ref())?;
        rows.push(sale(order, uid, 0, name.as_deref().unwrap_or("Service charge"), gross, vat));
    }
    Ok(Some(rows))
}

/// A row for each unit of a line item; their amounts sum to the item's. `sign` is -1 for what comes back.
fn units(order: &Order, item: &LineItem, sign: i64) -> Result<Vec<Row>, Refusal> {
    let wrong = || Refusal::Quantity { item: item.uid.clone(), quantity: item.quantity.clone() };
    let quantity: Decimal = item.quantity.parse().map_err(|_| wrong())?;
    // What is weighed is one sale.
    let count = if quantity.fract().is_zero() { quantity.to_i64().ok_or_else(wrong)? } else { 1 };
    if !(1..=MOST_UNITS).contains(&count) {
        return Err(wrong());
    }
    let (gross, vat) = amounts(&item.uid, item.total_money.as_ref(), item.total_tax_money.as_ref())?;
    let name = match (&item.name, &item.variation_name) {
        (Some(name), Some(variation)) if variation != "Regular" => format!("{name} {variation}"),
        (Some(name), _) => name.clone(),
        (None, _) => "Custom amount".to_owned(),
    };
    Ok((0..count)
        .map(|unit| sale(order, &item.uid, unit, &name, sign * share(gross, count, unit), sign * share(vat, count, unit)))
        .collect())
}

/// Gross and VAT in minor units; both can be zero.
fn amounts(item: &str, total: Option<&Money>, tax: Option<&Money>) -> Result<(i64, i64), Refusal> {
    let total = total.ok_or_else(|| Refusal::NoTotal { item: item.to_owned() })?;
    for money in [Some(total), tax].into_iter().flatten() {
        if money.currency != Currency::EUR.to_string() {
            return Err(Refusal::Currency { item: item.to_owned(), currency: money.currency.clone() });
        }
        if money.amount.unsigned_abs() > LARGEST_AMOUNT_MINOR.unsigned_abs() {
            return Err(Refusal::Amount { item: item.to_owned(), amount: money.amount });
        }
    }
    Ok((total.amount, tax.map_or(0, |tax| tax.amount)))
}

/// The part of unit `unit` of `count`: all parts sum to `amount`, no two differ by more than one.
fn share(amount: i64, count: i64, unit: i64) -> i64 {
    amount.div_euclid(count) + i64::from(unit < amount.rem_euclid(count))
}

fn sale(order: &Order, uid: &str, unit: i64, name: &str, gross: i64, vat: i64) -> Row {
    let row = json!({
        "product_id": format!("{}/{uid}/{unit}", order.id), "transaction_id": order.id, "beer_name": name,
        "beer_price_per_unit": Currency::EUR.decimal(gross), "beer_tax_rate": rate(gross, vat).to_string(), "millilitre": null,
        "version": order.version,
    });
    ("beers", row)
}

/// The rate that gives this VAT, rounded to what VAT rates look like where such a one does.
fn rate(gross: i64, vat: i64) -> Decimal {
    if gross == vat {
        return Decimal::ZERO;
    }
    let exact = Decimal::from(vat) / Decimal::from(gross - vat);
    let gives = |rate: &Decimal| Rate::from_fraction(*rate).is_ok_and(|rate| rate.vat_inside(gross) == vat);
    (2..=RATE_DECIMALS).map(|decimals| exact.round_dp(decimals)).find(gives).unwrap_or_else(|| exact.round_dp(RATE_DECIMALS))
}

/// A row as Debezium would tell of it; later versions of an order go before earlier ones.
fn record(coordinates: &Coordinates, table: &str, mut row: Value) -> Record {
    let version = row["version"].take().as_i64().unwrap_or(0);
    if let Some(fields) = row.as_object_mut() {
        fields.remove("version");
    }
    let id = ["product_id", "transaction_id", "id"].into_iter().find(|id| row.get(*id).is_some()).unwrap_or("id");
    let key = json!({id: row[id]});
    let source = source(table, version);
    let topic = format!("{STREAM}.{table}");
    Record { coordinates: coordinates.clone(), topic, key: Some(key), value: Some(json!({"op": "c", "after": row, "source": source})) }
}

fn source(table: &str, version: i64) -> Value {
    json!({"table": table, "sequence": format!("[\"{version}\",\"{version}\"]")})
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rates_are_those_of_the_country() {
        for (gross, vat, rate_) in
            [(580, 108, "0.23"), (1890, 225, "0.135"), (500, 0, "0"), (-580, -108, "0.23"), (100, 8, "0.09"), (3, 1, "0.5")]
        {
            let found = rate(gross, vat);
            assert_eq!(Rate::from_fraction(found).unwrap().vat_inside(gross), vat, "{gross} {vat}");
            assert!(gross < 100 || found == rate_.parse().unwrap(), "{gross} {vat}: {found}");
        }
    }

    proptest! {
        #[test]
        fn shares_sum_to_the_whole(amount in -1_000_000..1_000_000_i64, count in 1..50_i64) {
            let shares: Vec<i64> = (0..count).map(|unit| share(amount, count, unit)).collect();
            prop_assert_eq!(shares.iter().sum::<i64>(), amount);
            prop_assert!(shares.iter().max().unwrap() - shares.iter().min().unwrap() <= 1);
        }
    }
}
