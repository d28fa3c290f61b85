//! What a document is about, before it is printed: parties, goods and sums in whole cents that add up exactly.

use engine::understand::draft::DocumentType;
use jiff::ToSpan;
use jiff::civil::Date;

use super::catalogue::{self, Product};
use super::region::{Country, RatePermille};
use crate::synthetic::dice::Dice;
use crate::synthetic::grammar::{fill, wording};
use crate::synthetic::typefaces::within_charset;

/// What a supplier's product codes look like, as the grammar of [`fill`].
const CODE_FORMS: [&str; 7] = ["####", "#####", "{A}{A}###", "{A}{A}{A}##", "######", "{A}-####", "5############"];

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    pub name: String,
    /// As printed, one element a line.
    pub address: Vec<String>,
    /// Without spaces.
    pub vat_id: String,
    pub phone: String,
    pub email: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    pub code: String,
    pub description: String,
    /// In thousandths of `unit`; negative on credit notes that print so.
    pub quantity_milli: i64,
    pub unit: String,
    pub unit_price_cents: i64,
    pub discount_permille: i64,
    pub rate_permille: RatePermille,
    /// `quantity * unit price`, less the discount: each rounded half away from zero.
    pub total_cents: i64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VatRow {
    pub rate_permille: RatePermille,
    pub net_cents: i64,
    pub vat_cents: i64,
}

/// Whether the printed prices hold the tax.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prices {
    IncludeVat,
    ExcludeVat,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deal {
    pub document_type: DocumentType,
    pub country: Country,
    pub supplier: Party,
    pub customer: Party,
    pub number: String,
    pub issued: Date,
    pub due: Date,
    pub prices: Prices,
    pub items: Vec<Item>,
    /// By falling rate.
    pub vat: Vec<VatRow>,
    pub net_cents: i64,
    pub vat_cents: i64,
    pub gross_cents: i64,
}

impl Deal {
    /// A deal of this kind. Receipts price with VAT and in shops' quantities, all else without and by the case.
    pub fn draw(dice: &mut Dice, document_type: DocumentType, country: Country) -> Self {
        let receipt = document_type == DocumentType::Receipt;
        let fewest = *dice.pick_weighted(&[(6, 1usize), (10, 4), (5, 9), (if receipt { 0 } else { 1 }, 24)]);
        let count = fewest + dice.within(0..5);
        let sign = if document_type == DocumentType::CreditNote && dice.chance(0.3) { -1 } else { 1 };
        let discounts = !receipt && dice.chance(0.3);
        let code_form = *dice.pick(&CODE_FORMS);
        let items = (0..count).map(|_| draw_item(dice, country, receipt, discounts, sign, code_form)).collect();
        let issued = draw_date(dice);
        let terms = *dice.pick(&[7i64, 14, 30, 30, 30, 60]);
        let heads = Self {
            document_type,
            country,
            supplier: Party::draw(dice, country),
            customer: Party::draw(dice, country),
            number: within_charset(&wording(dice, "reference number")),
            issued,
            due: issued.saturating_add(terms.days()),
            prices: if receipt { Prices::IncludeVat } else { Prices::ExcludeVat },
            items: Vec::new(),
            vat: Vec::new(),
            net_cents: 0,
            vat_cents: 0,
            gross_cents: 0,
        };
        heads.with_items(items)
    }

    /// The same deal over these items, its sums made new.
    pub fn with_items(self, items: Vec<Item>) -> Self {
        let mut rates: Vec<RatePermille> = items.iter().map(|item| item.rate_permille).collect();
        rates.sort_unstable_by(|a, b| b.cmp(a));
        rates.dedup();
        let vat: Vec<VatRow> = rates.into_iter().map(|rate| vat_row(&items, rate, self.prices)).collect();
        let net_cents = vat.iter().map(|row| row.net_cents).sum();
        let vat_cents = vat.iter().map(|row| row.vat_cents).sum();
        Self { items, vat, net_cents, vat_cents, gross_cents: net_cents + vat_cents, ..self }
    }
}

/// Tax is reckoned on the sum of a rate's goods: `net * rate`, or `gross * rate / (1 + rate)` where prices hold it.
fn vat_row(items: &[Item], rate_permille: RatePermille, prices: Prices) -> VatRow {
    let goods: i64 = items.iter().filter(|item| item.rate_permille == rate_permille).map(|item| item.total_cents).sum();
    match prices {
        Prices::ExcludeVat => VatRow { rate_permille, net_cents: goods, vat_cents: divide_rounded(goods * rate_permille, 1000) },
        Prices::IncludeVat => {
            let vat_cents = divide_rounded(goods * rate_permille, 1000 + rate_permille);
            VatRow { rate_permille, net_cents: goods - vat_cents, vat_cents }
        }
    }
}

/// Rounded half away from zero; `divisor` is positive.
pub fn divide_rounded(dividend: i64, divisor: i64) -> i64 {
    (2 * dividend.abs() + divisor) / (2 * divisor) * dividend.signum()
}

impl Item {
    /// The item with its total worked out.
    pub fn priced(mut self) -> Self {
        let full = divide_rounded(self.quantity_milli * self.unit_price_cents, 1000);
        self.total_cents = full - divide_rounded(full * self.discount_permille, 1000);
        self
    }
}

fn draw_item(dice: &mut Dice, country: Country, receipt: bool, discounts: bool, sign: i64, code_form: &str) -> Item {
    let Product { description, unit, price_cents, rate } = catalogue::draw(dice, country, receipt);
    let whole = *dice.pick_weighted(&[(if receipt { 12 } else { 3 }, 1), (5, 2), (3, 3), (2, 4), (2, 6), (2, 10), (1, 12), (1, 24)]);
    let quantity_milli = if receipt && dice.chance(0.06) { dice.within(100..3000) } else { whole * 1000 };
    Item {
        code: fill(dice, code_form),
        description,
        quantity_milli: sign * quantity_milli,
        unit,
        unit_price_cents: price_cents,
        discount_permille: if discounts && dice.chance(0.4) { *dice.pick(&[25, 50, 50, 75, 100, 150, 200]) } else { 0 },
        rate_permille: country.rate(rate),
        total_cents: 0,
    }
    .priced()
}

fn draw_date(dice: &mut Dice) -> Date {
    Date::constant(2016, 1, 1).saturating_add(dice.within(0..4000i64).days())
}

impl Party {
    pub fn draw(dice: &mut Dice, country: Country) -> Self {
        let rules = country.rule();
        let part = |dice: &mut Dice, part: &str| within_charset(&wording(dice, &format!("{rules} {part}")));
        let lines = dice.within(2..=3);
        let address = if lines == 2 {
            vec![part(dice, "street"), part(dice, "place")]
        } else {
            vec![part(dice, "street"), part(dice, "district"), part(dice, "place")]
        };
        Self {
            name: part(dice, "firm"),
            address,
            vat_id: country.tax_number(dice),
            phone: country.phone(dice),
            email: within_charset(&wording(dice, "email")),
        }
    }
}

impl Country {
    /// The prefix of its rules for parties in `wording.txt`.
    fn rule(self) -> &'static str {
        match self {
            Self::Ireland => "ie",
            Self::Britain => "gb",
            Self::Malaysia => "my",
            Self::Germany => "de",
            Self::France => "fr",
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn rounding_is_half_away_from_zero() {
        for (dividend, divisor, expected) in [(5, 10, 1), (4, 10, 0), (-5, 10, -1), (-14, 10, -1), (15, 10, 2), (0, 7, 0), (7, 7, 1)] {
            assert_eq!(divide_rounded(dividend, divisor), expected, "{dividend}/{divisor}");
        }
    }

    #[test]
    fn prices_with_vat_are_split_to_the_cent() {
        let item = Item {
            code: String::new(),
            description: "Pint".into(),
            quantity_milli: 3000,
            unit: String::new(),
            unit_price_cents: 590,
            discount_permille: 0,
            rate_permille: 230,
            total_cents: 0,
        };
        let deal = Deal::draw(&mut Dice::new(0, 0), DocumentType::Receipt, Country::Ireland).with_items(vec![item.priced()]);
        assert_eq!((deal.gross_cents, deal.vat_cents, deal.net_cents), (1770, 331, 1439));
    }

    proptest! {
        #[test]
        fn everything_adds_up(seed: u64, index in 0..1000u64) {
            let mut dice = Dice::new(seed, index);
            let document_type = *dice.pick(&[DocumentType::Receipt, DocumentType::Invoice, DocumentType::CreditNote]);
            let country = Country::draw(&mut dice);
            let deal = Deal::draw(&mut dice, document_type, country);
            let goods: i64 = deal.items.iter().map(|item| item.total_cents).sum();
            prop_assert_eq!(goods, if deal.prices == Prices::IncludeVat { deal.gross_cents } else { deal.net_cents });
            prop_assert_eq!(deal.net_cents + deal.vat_cents, deal.gross_cents);
            prop_assert_eq!(deal.vat.iter().map(|row| row.net_cents).sum::<i64>(), deal.net_cents);
            prop_assert!(!deal.items.is_empty());
            for row in &deal.vat {
                prop_assert!((row.vat_cents - divide_rounded(row.net_cents * row.rate_permille, 1000)).abs() <= 1);
            }
        }
    }
}
