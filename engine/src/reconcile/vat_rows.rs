//! Rows of the VAT summary: net x rate = amount.

use rust_decimal::{Decimal, RoundingStrategy};

use super::{
    Customs,
    fields::{self, Evidence},
    money,
    number::Reading,
    rows::Known,
    vat_rates,
};
use crate::understand::draft::{Span, VatRow};

/// A row's VAT may differ from net x rate by this, in minor units.
pub const VAT_TOLERANCE: i64 = 1;

/// The best way to read one row of the summary.
#[derive(Debug, Clone, PartialEq)]
pub struct VatReading {
    /// Percent.
    pub rate: Option<Known<Decimal>>,
    /// Minor units.
    pub net: Option<Known<i64>>,
    /// Minor units.
    pub amount: Option<Known<i64>>,
    pub arithmetic: Evidence,
}

impl VatReading {
    /// The most certain reading of a row that adds up, or the most certain at all.
    pub fn of(row: &VatRow, customs: &Customs) -> Self {
        let amounts =
            |span: &Option<Span>| span.as_ref().map(|s| money::minor_units(&s.text, customs.mark, customs.currency)).unwrap_or_default();
        let rates = row.rate.as_ref().map(|s| vat_rates::read(&s.text)).unwrap_or_default();
        let (nets, taxes) = (amounts(&row.net), amounts(&row.amount));
        let mut best: Option<(f32, Self)> = None;
        for rate in or_none(&rates) {
            for net in or_none(&nets) {
                for amount in or_none(&taxes) {
                    let reading = Self::complete(rate, net, amount, customs);
                    let certainty: f32 =
                        [rate.map(|r| r.certainty), net.map(|r| r.certainty), amount.map(|r| r.certainty)].into_iter().flatten().product();
                    let weight = reading.arithmetic.odds() * certainty;
                    if best.as_ref().is_none_or(|(w, _)| weight > *w) {
                        best = Some((weight, reading));
                    }
                }
            }
        }
        best.map_or_else(|| Self::complete(None, None, None, customs), |(_, reading)| reading)
    }

    fn complete(rate: Option<Reading<Decimal>>, net: Option<Reading<i64>>, amount: Option<Reading<i64>>, customs: &Customs) -> Self {
        let mut reading =
            Self { rate: rate.map(Known::Read), net: net.map(Known::Read), amount: amount.map(Known::Read), arithmetic: Evidence::Open };
        match (rate, net, amount) {
            (Some(rate), Some(net), Some(amount)) => {
                let holds = vat_of(net.value, rate.value).is_some_and(|vat| (vat - amount.value).abs() <= VAT_TOLERANCE);
                reading.arithmetic = if holds { Evidence::Confirmed } else { Evidence::Contradicted };
            }
            (Some(rate), Some(net), None) => reading.amount = vat_of(net.value, rate.value).map(Known::Computed),
            (None, Some(net), Some(amount)) => reading.rate = legal_rate(net.value, amount.value, customs).map(Known::Computed),
            _ => {}
        }
        reading
    }

    /// As the contracts have it.
    pub fn to_vat(&self, row: &VatRow, customs: &Customs) -> proto::Vat {
        let amount = |value: i64| customs.decimal(value).to_string();
        proto::Vat {
            rate: self.field(row, row.rate.as_ref(), self.rate, |rate| rate.to_string()),
            net: self.field(row, row.net.as_ref(), self.net, amount),
            amount: self.field(row, row.amount.as_ref(), self.amount, amount),
        }
    }

    fn field<T: Copy>(
        &self,
        row: &VatRow,
        span: Option<&Span>,
        known: Option<Known<T>>,
        print: impl Fn(T) -> String,
    ) -> Option<proto::Field> {
        match (known, span) {
            (Some(Known::Read(r)), Some(span)) => {
                Some(fields::read(span, Some(print(r.value)), self.arithmetic.weigh(span.probability * r.certainty)))
            }
            (Some(Known::Computed(value)), _) => {
                let inputs = [&row.rate, &row.net, &row.amount].into_iter().flatten();
                Some(fields::computed(print(value), inputs.map(|s| s.probability).product()))
            }
            (_, Some(span)) => Some(fields::read(span, None, span.probability)),
            (_, None) => None,
        }
    }
}

fn or_none<T: Copy>(readings: &[Reading<T>]) -> Vec<Option<Reading<T>>> {
    if readings.is_empty() { vec![None] } else { readings.iter().copied().map(Some).collect() }
}

/// Net x rate / 100, rounded half away from zero, in minor units.
pub fn vat_of(net: i64, percent: Decimal) -> Option<i64> {
    let vat = Decimal::from(net).checked_mul(percent)? / Decimal::ONE_HUNDRED;
    vat.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero).try_into().ok()
}

/// The country's rate that makes this VAT of this net, if only one does.
fn legal_rate(net: i64, amount: i64, customs: &Customs) -> Option<Decimal> {
    let rates = vat_rates::legal(customs.country?, None)?;
    let mut fitting = rates.into_iter().filter(|rate| vat_of(net, *rate).is_some_and(|vat| (vat - amount).abs() <= VAT_TOLERANCE));
    fitting.next().filter(|_| fitting.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Quad;
    use crate::reconcile::country::Country;

    fn row(rate: &str, net: &str, amount: &str) -> VatRow {
        let span = |text: &str| {
            let span = Span { text: text.into(), page: 0, quad: Quad::from_edges(0.0, 0.0, 9.0, 9.0), probability: 0.9 };
            (!text.is_empty()).then_some(span)
        };
        VatRow { rate: span(rate), net: span(net), amount: span(amount) }
    }

    #[test]
    fn summary_rows() {
        use Evidence::{Confirmed, Contradicted, Open};
        let customs = Customs { country: Some(Country::Ireland), ..Customs::default() };
        let cases = [
            (row("23%", "100.00", "23.00"), ["23", "100.00", "23.00"], Confirmed),
            (row("13.5", "10.10", "1.36"), ["13.5", "10.10", "1.36"], Confirmed),
            (row("13.5", "10.10", "1.37"), ["13.5", "10.10", "1.37"], Confirmed),
            (row("23%", "100.00", "20.00"), ["23", "100.00", "20.00"], Contradicted),
            (row("23%", "10000", "23.00"), ["23", "100.00", "23.00"], Confirmed),
            (row("23%", "100.00", ""), ["23", "100.00", "23.00"], Open),
            (row("", "100.00", "23.00"), ["23", "100.00", "23.00"], Open),
            (row("A", "100.00", "0.00"), ["", "100.00", "0.00"], Open),
            (row("", "", "23.00"), ["", "", "23.00"], Open),
        ];
        for (row, values, arithmetic) in cases {
            let reading = VatReading::of(&row, &customs);
            let vat = reading.to_vat(&row, &customs);
            let found = [vat.rate, vat.net, vat.amount].map(|field| field.map(|f| f.value).unwrap_or_default());
            let found: [&str; 3] = [&found[0], &found[1], &found[2]];
            if row.rate.as_ref().is_some_and(|s| s.text == "A") {
                assert_eq!(found[0], "0", "the summary's letter stands for the only rate that fits");
            } else {
                assert_eq!((found, reading.arithmetic), (values, arithmetic), "{row:?}");
            }
        }
    }
}
