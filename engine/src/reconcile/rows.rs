//! Rows of goods: the ways to read a row's numbers, weighed by quantity x price - discount = total.

use rust_decimal::Decimal;

use super::{
    Customs,
    fields::{self, Evidence},
    money::{self, Money},
    number::Reading,
    quantity, vat_rates,
};
use crate::understand::draft::{Column, Item, Span};

/// A row's total may differ from quantity x price by this, in minor units.
pub const ROW_TOLERANCE: i64 = 1;
/// Ways to read one row that the joint choice looks at.
const ROW_READINGS_MAX: usize = 3;
/// Decimals that a computed unit price may have.
const PRICE_DECIMALS_MAX: u32 = 4;
/// The largest quantity that is inferred from a price and a total.
const INFERRED_QUANTITY_MAX: i64 = 999;

/// That a discount without a sign is one in percent, or off the price of one unit.
const UNSIGNED_PERCENT: f32 = 0.2;
const OFF_EACH: f32 = 0.1;

/// A number and where it comes from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Known<T> {
    Read(Reading<T>),
    /// Follows from the row's other numbers.
    Computed(T),
}

impl<T: Copy> Known<T> {
    pub fn value(self) -> T {
        match self {
            Self::Read(reading) => reading.value,
            Self::Computed(value) => value,
        }
    }

    fn certainty(self) -> f32 {
        match self {
            Self::Read(reading) => reading.certainty,
            Self::Computed(_) => 1.0,
        }
    }
}

/// A discount as printed.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Discount {
    /// Minor units off the row, positive.
    Amount(i64),
    /// Minor units off the price of one unit, positive.
    OffEach(i64),
    Percent(Decimal),
}

/// One way to read a row.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    pub quantity: Option<Known<Decimal>>,
    /// Of one unit.
    pub price: Option<Known<Decimal>>,
    /// Minor units off the row, positive.
    pub discount: Option<Known<i64>>,
    /// Minor units.
    pub total: Option<Known<i64>>,
    pub arithmetic: Evidence,
    /// Natural logarithm of how likely this way is, up to a constant of the row.
    pub weight: f32,
}

/// The likeliest ways to read a row, the best first; at least one.
pub fn readings(item: &Item, customs: &Customs) -> Vec<Row> {
    let numbers = |column, read: &dyn Fn(&str) -> Vec<Reading<Decimal>>| options(cell(item, column).map(|s| read(&s.text)));
    let quantities = numbers(Column::Quantity, &|text| quantity::read(text, customs.mark));
    let prices = numbers(Column::UnitPrice, &|text| money::read(text, customs.mark).readings);
    let discounts = options(cell(item, Column::Discount).map(|s| read_discount(&s.text, customs)));
    let totals = options(cell(item, Column::LineTotal).map(|s| money::minor_units(&s.text, customs.mark, customs.currency)));
    let mut rows = Vec::new();
    for &quantity in &quantities {
        for &price in &prices {
            for &discount in &discounts {
                rows.extend(totals.iter().map(|&total| complete(quantity, price, discount, total, customs)));
            }
        }
    }
    rows.sort_by(|a, b| b.weight.total_cmp(&a.weight));
    rows.truncate(ROW_READINGS_MAX);
    rows
}

pub fn cell(item: &Item, column: Column) -> Option<&Span> {
    item.cells.iter().find(|(c, _)| *c == column).map(|(_, span)| span)
}

/// Each reading, or none where nothing is printed or it can't be read.
fn options<T>(readings: Option<Vec<Reading<T>>>) -> Vec<Option<Reading<T>>> {
    let readings: Vec<_> = readings.unwrap_or_default().into_iter().map(Some).collect();
    if readings.is_empty() { vec![None] } else { readings }
}

fn read_discount(text: &str, customs: &Customs) -> Vec<Reading<Discount>> {
    if text.contains('%') {
        return vat_rates::read(text).into_iter().map(|r| Reading { value: Discount::Percent(r.value), certainty: r.certainty }).collect();
    }
    let amounts = money::minor_units(text, customs.mark, customs.currency);
    let off_each: Vec<_> =
        amounts.iter().map(|r| Reading { value: Discount::OffEach(r.value.abs()), certainty: r.certainty * OFF_EACH }).collect();
    let amounts = amounts.into_iter().map(|r| Reading { value: Discount::Amount(r.value.abs()), certainty: r.certainty });
    // What it is may stand in the caption alone: arithmetic tells.
    let percents = vat_rates::read(text).into_iter().filter(|r| r.value > Decimal::ZERO && r.value <= Decimal::ONE_HUNDRED);
    let percents = percents.map(|r| Reading { value: Discount::Percent(r.value), certainty: r.certainty * UNSIGNED_PERCENT });
    amounts.chain(percents).chain(off_each).collect()
}

/// Fills in what follows, and tests the rest.
fn complete(
    quantity: Option<Reading<Decimal>>,
    price: Option<Reading<Decimal>>,
    discount: Option<Reading<Discount>>,
    total: Option<Reading<i64>>,
    customs: &Customs,
) -> Row {
    let before_discount = quantity.zip(price).and_then(|(q, p)| product(q.value, p.value, customs));
    let discount = discount.and_then(|d| in_minor_units(d, quantity.map(|q| q.value), before_discount));
    let off = discount.map_or(0, |d| d.value);
    let mut row = Row {
        quantity: quantity.map(Known::Read),
        price: price.map(Known::Read),
        discount: discount.map(Known::Read),
        total: total.map(Known::Read),
        arithmetic: Evidence::Open,
        weight: 0.0,
    };
    match (quantity, price, total) {
        (Some(_), Some(_), Some(total)) => row.arithmetic = before_discount.map_or(Evidence::Open, |sum| test(sum, off, total.value)),
        (Some(_), Some(_), None) => row.total = before_discount.map(|sum| Known::Computed(sum - off)),
        (Some(q), None, Some(t)) => row.price = price_of(q.value, t.value + off, customs).map(Known::Computed),
        (None, Some(p), Some(t)) => row.quantity = quantity_of(p.value, t.value + off, customs).map(Known::Computed),
        _ => {}
    }
    row.weight = row.log_likelihood();
    row
}

/// Whether a total is quantity x price, less the discount or with the discount taken off the price already.
fn test(before_discount: i64, discount: i64, total: i64) -> Evidence {
    let holds = [before_discount - discount, before_discount].iter().any(|expected| (expected - total).abs() <= ROW_TOLERANCE);
    if holds { Evidence::Confirmed } else { Evidence::Contradicted }
}

/// Off the row.
fn in_minor_units(discount: Reading<Discount>, quantity: Option<Decimal>, before_discount: Option<i64>) -> Option<Reading<i64>> {
    let whole = |off: Decimal| off.round_dp_with_strategy(0, rust_decimal::RoundingStrategy::MidpointAwayFromZero).try_into().ok();
    let value = match discount.value {
        Discount::Amount(amount) => amount,
        Discount::OffEach(amount) => whole(Decimal::from(amount).checked_mul(quantity?.abs())?)?,
        Discount::Percent(percent) => whole(Decimal::from(before_discount?).checked_mul(percent)? / Decimal::ONE_HUNDRED)?,
    };
    Some(Reading { value, certainty: discount.certainty })
}

/// Quantity x price in minor units.
fn product(quantity: Decimal, price: Decimal, customs: &Customs) -> Option<i64> {
    Money::round(quantity.checked_mul(price)?, customs.currency).map(|money| money.minor_units)
}

/// The unit price, if it comes out with few decimals.
fn price_of(quantity: Decimal, total: i64, customs: &Customs) -> Option<Decimal> {
    let price = customs.decimal(total).checked_div(quantity)?.normalize();
    (price.scale() <= PRICE_DECIMALS_MAX).then_some(price)
}

/// The quantity, if it comes out whole.
fn quantity_of(price: Decimal, total: i64, customs: &Customs) -> Option<Decimal> {
    let quantity = customs.decimal(total).checked_div(price)?.normalize();
    (quantity.is_integer() && Decimal::ONE <= quantity && quantity <= INFERRED_QUANTITY_MAX.into()).then_some(quantity)
}

impl Row {
    fn log_likelihood(&self) -> f32 {
        let certainties = [
            self.quantity.map(Known::certainty),
            self.price.map(Known::certainty),
            self.discount.map(Known::certainty),
            self.total.map(Known::certainty),
        ];
        certainties.into_iter().flatten().map(f32::ln).sum::<f32>() + self.arithmetic.odds().ln()
    }

    /// As the contracts have it.
    pub fn to_line(&self, item: &Item, customs: &Customs) -> proto::Line {
        let printed =
            |column, value: &dyn Fn(&str) -> Option<String>| cell(item, column).map(|s| fields::read(s, value(&s.text), s.probability));
        let number = |column, known: Option<Known<Decimal>>| self.field(item, column, known, |value| value.normalize().to_string());
        let amount = |column, known: Option<Known<i64>>| self.field(item, column, known, |value| customs.decimal(value).to_string());
        proto::Line {
            code: printed(Column::Code, &|text| Some(text.split_whitespace().collect())),
            description: printed(Column::Description, &|text| Some(quantity::with_litres(text))),
            quantity: number(Column::Quantity, self.quantity),
            unit: printed(Column::Unit, &|text| Some(quantity::unit(text))),
            unit_price: self.field(item, Column::UnitPrice, self.price, |value| at_least_decimals(value, customs).to_string()),
            discount: amount(Column::Discount, self.discount),
            vat_rate: printed(Column::VatRate, &|text| customs.rate(text).map(|rate| rate.to_string())),
            line_total: amount(Column::LineTotal, self.total),
        }
    }

    fn field<T: Copy>(&self, item: &Item, column: Column, known: Option<Known<T>>, print: impl Fn(T) -> String) -> Option<proto::Field> {
        match (known, cell(item, column)) {
            (Some(Known::Read(r)), Some(span)) => {
                Some(fields::read(span, Some(print(r.value)), self.arithmetic.weigh(span.probability * r.certainty)))
            }
            (Some(Known::Computed(value)), None) => Some(fields::computed(print(value), self.confidence_of_inputs(item))),
            (_, Some(span)) => Some(fields::read(span, None, span.probability)),
            (_, None) => None,
        }
    }

    /// That all numbers of the row that were read are right.
    fn confidence_of_inputs(&self, item: &Item) -> f32 {
        let columns = [Column::Quantity, Column::UnitPrice, Column::Discount, Column::LineTotal];
        columns.iter().filter_map(|&column| cell(item, column)).map(|span| span.probability).product()
    }
}

/// A unit price with the currency's decimals or more.
pub fn at_least_decimals(value: Decimal, customs: &Customs) -> Decimal {
    let mut value = value.normalize();
    value.rescale(value.scale().max(customs.currency.decimals()));
    value
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Quad;

    fn item(cells: &[(Column, &str)]) -> Item {
        let span = |text: &str| Span { text: text.into(), page: 0, quad: Quad::from_edges(0.0, 0.0, 9.0, 9.0), probability: 0.9 };
        Item { cells: cells.iter().map(|(column, text)| (*column, span(text))).collect() }
    }

    /// Quantity, price, discount, total as values; `=` marks what was computed.
    fn best(cells: &[(Column, &str)]) -> (String, Evidence) {
        let item = item(cells);
        let customs = Customs::default();
        let row = readings(&item, &customs).remove(0);
        let line = row.to_line(&item, &customs);
        let print = |field: Option<proto::Field>| match field {
            None => "-".to_owned(),
            Some(f) if f.status == proto::field::Status::Computed as i32 => format!("={}", f.value),
            Some(f) => f.value,
        };
        ([line.quantity, line.unit_price, line.discount, line.line_total].map(print).join(" "), row.arithmetic)
    }

    #[test]
    fn rows() {
        use Column::{Discount as D, LineTotal as T, Quantity as Q, UnitPrice as P};
        use Evidence::{Confirmed, Contradicted, Open};
        type Cells<'a> = &'a [(Column, &'a str)];
        let cases: &[(Cells, &str, Evidence)] = &[
            (&[(Q, "2"), (P, "4.50"), (T, "9.00")], "2 4.50 - 9.00", Confirmed),
            (&[(Q, "2"), (P, "4.50"), (T, "9.01")], "2 4.50 - 9.01", Confirmed),
            (&[(Q, "2"), (P, "4.50"), (T, "9.02")], "2 4.50 - 9.02", Contradicted),
            (&[(Q, "2"), (P, "4.50"), (T, "900")], "2 4.50 - 9.00", Confirmed),
            (&[(Q, "2"), (P, "4,50"), (T, "9,00")], "2 4.50 - 9.00", Confirmed),
            (&[(Q, "1.000"), (P, "9.000"), (T, "9.00")], "1 9.00 - 9.00", Confirmed),
            (&[(Q, "1.000"), (P, "2.50"), (T, "2,500.00")], "1000 2.50 - 2500.00", Confirmed),
            (&[(Q, "0.475"), (P, "12.90"), (T, "6.13")], "0.475 12.90 - 6.13", Confirmed),
            (&[(Q, "2"), (P, "5.00"), (D, "1.00"), (T, "9.00")], "2 5.00 1.00 9.00", Confirmed),
            (&[(Q, "1"), (P, "55.90"), (D, "10%"), (T, "50.31")], "1 55.90 5.59 50.31", Confirmed),
            (&[(Q, "2"), (P, "5.00"), (D, "-1.00"), (T, "10.00")], "2 5.00 1.00 10.00", Confirmed),
            (&[(Q, "3.00"), (P, "95.00"), (D, "10.00"), (T, "256.50")], "3 95.00 28.50 256.50", Confirmed),
            (&[(Q, "3"), (P, "172.50"), (D, "14.00"), (T, "475.50")], "3 172.50 42.00 475.50", Confirmed),
            (&[(Q, "1"), (P, "58.00"), (D, "0.00"), (T, "58.00")], "1 58.00 0.00 58.00", Confirmed),
            (&[(Q, "-1"), (P, "5.00"), (T, "-5.00")], "-1 5.00 - -5.00", Confirmed),
            (&[(Q, "2"), (P, "4.50")], "2 4.50 - =9.00", Open),
            (&[(Q, "2"), (T, "9.00")], "2 =4.50 - 9.00", Open),
            (&[(Q, "3"), (T, "10.00")], "3 - - 10.00", Open),
            (&[(P, "4.50"), (T, "9.00")], "=2 4.50 - 9.00", Open),
            (&[(P, "4.50"), (T, "9.10")], "- 4.50 - 9.10", Open),
            (&[(T, "9.00")], "- - - 9.00", Open),
            (&[(Q, "0"), (T, "9.00")], "0 - - 9.00", Open),
            (&[], "- - - -", Open),
        ];
        for (cells, expected, arithmetic) in cases {
            assert_eq!(best(cells), ((*expected).to_owned(), *arithmetic), "{cells:?}");
        }
    }

    #[test]
    fn an_unreadable_print_stays_with_an_empty_value_and_little_confidence() {
        let item = item(&[(Column::LineTotal, "??"), (Column::VatRate, "A")]);
        let customs = Customs::default();
        let line = readings(&item, &customs)[0].to_line(&item, &customs);
        let total = line.line_total.unwrap();
        assert_eq!((total.text.as_str(), total.value.as_str()), ("??", ""));
        assert!(total.confidence < 0.5);
        assert_eq!(line.vat_rate.unwrap().value, "");
    }
}
