//! Goods to sell: what they are called, how they are packed, what they may cost and how they are taxed.

use super::region::{Country, RateClass};
use crate::synthetic::dice::Dice;
use crate::synthetic::grammar::wording;
use crate::synthetic::typefaces::within_charset;

/// A product with a price drawn for one deal.
pub struct Product {
    pub description: String,
    pub unit: String,
    pub price_cents: i64,
    pub rate: RateClass,
}

/// A shelf: goods that are packed, priced and taxed alike.
struct Shelf {
    weight: u32,
    /// The rule of `wording.txt` that names its goods.
    goods: &'static str,
    units: &'static [&'static str],
    price_cents: (i64, i64),
    rate: RateClass,
}

/// What a supplier of pubs sells, by the trade unit, without VAT.
const WHOLESALE: [Shelf; 7] = [
    Shelf { weight: 5, goods: "keg", units: &["Keg", "KEG", "EA", "Each"], price_cents: (9_500, 24_500), rate: RateClass::Standard },
    Shelf { weight: 6, goods: "case", units: &["Case", "CS", "CASE", "Cs"], price_cents: (1_050, 5_900), rate: RateClass::Standard },
    Shelf { weight: 5, goods: "bottle", units: &["Btl", "BTL", "Each", "EA"], price_cents: (890, 5_500), rate: RateClass::Standard },
    Shelf { weight: 3, goods: "snack", units: &["Box", "CS", "Case", "Pack"], price_cents: (780, 3_900), rate: RateClass::Standard },
    Shelf { weight: 2, goods: "staple", units: &["Each", "Box", "Kg", "Pack"], price_cents: (120, 2_800), rate: RateClass::Zero },
    Shelf { weight: 1, goods: "prepared", units: &["Each", "Tray", "Box"], price_cents: (450, 3_200), rate: RateClass::Reduced },
    Shelf { weight: 1, goods: "second", units: &["Each", "Unit"], price_cents: (300, 6_500), rate: RateClass::SecondReduced },
];

/// What a shop or a bar sells to people, VAT included.
const RETAIL: [Shelf; 4] = [
    Shelf { weight: 5, goods: "product", units: &["", "EA", "PCS", "UNIT"], price_cents: (95, 2_900), rate: RateClass::Standard },
    Shelf { weight: 4, goods: "grocery", units: &["", "EA", "PKT", "PCS"], price_cents: (50, 1_900), rate: RateClass::Zero },
    Shelf { weight: 2, goods: "prepared", units: &["", "EA"], price_cents: (250, 1_650), rate: RateClass::SecondReduced },
    Shelf { weight: 1, goods: "hardware", units: &["", "PCS", "UNIT", "SET"], price_cents: (90, 12_900), rate: RateClass::Standard },
];

pub fn draw(dice: &mut Dice, country: Country, retail: bool) -> Product {
    let shelves: &[Shelf] = if retail { &RETAIL } else { &WHOLESALE };
    let weighted: Vec<(u32, &Shelf)> = shelves.iter().map(|shelf| (shelf.weight, shelf)).collect();
    let shelf = *dice.pick_weighted(&weighted);
    let (low, high) = shelf.price_cents;
    // Prices crowd at the lower end.
    let drawn = low + dice.within(0..=high - low).min(dice.within(0..=high - low));
    // Tills like round prices; Malaysia has no coin below five sen.
    let step = if country == Country::Malaysia { 5 } else { *dice.pick(&[1, 5, 10]) };
    Product {
        description: within_charset(&wording(dice, shelf.goods)),
        unit: (*dice.pick(shelf.units)).to_owned(),
        price_cents: (drawn / step * step).max(step),
        rate: shelf.rate,
    }
}
