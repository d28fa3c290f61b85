//! A transaction that a pub might have had.

use jiff::civil::Date;
use rand::{RngExt, SeedableRng, seq::IndexedRandom};
use rand_chacha::ChaCha8Rng;

use super::{NewLine, NewTransaction};
use crate::vat::RateTable;

/// Guests at a table, rounds they have, one in how many eats something.
const GUESTS: std::ops::RangeInclusive<u32> = 1..=6;
const ROUNDS: std::ops::RangeInclusive<u32> = 1..=3;
const HUNGER: f64 = 0.25;

/// Name, cents, category of VAT, millilitres (0: a piece), strength.
type Item = (&'static str, u32, &'static str, i64, &'static str);

const DRINKS: [Item; 12] = [
    ("Plain Stout", 580, "alcohol", 568, "4.2%"),
    ("Plain Stout, glass", 310, "alcohol", 284, "4.2%"),
    ("Harbour Lager", 620, "alcohol", 568, "4.3%"),
    ("Red Ale", 590, "alcohol", 568, "4.3%"),
    ("Pale Ale 330ml", 650, "alcohol", 330, "4.8%"),
    ("Dry Cider 500ml", 690, "alcohol", 500, "4.5%"),
    ("Pot Still Whiskey", 610, "alcohol", 35, "40%"),
    ("Gin", 580, "alcohol", 35, "37.5%"),
    ("House Red 187ml", 750, "alcohol", 187, "12.5%"),
    ("Tonic 200ml", 290, "soft-drinks", 200, ""),
    ("Lemonade", 320, "soft-drinks", 284, ""),
    ("Sparkling Water 250ml", 280, "bottled-water", 250, ""),
];

const FOOD: [Item; 5] = [
    ("Soup of the Day", 750, "catering", 0, ""),
    ("Toasted Special", 895, "catering", 0, ""),
    ("Fish and Chips", 1890, "catering", 0, ""),
    ("Crisps", 190, "standard", 0, ""),
    ("Peanuts", 180, "standard", 0, ""),
];

/// The rounds of a table on a day; the same for the same seed.
pub fn transaction(user_id: String, day: Date, seed: u64) -> NewTransaction {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut lines = Vec::new();
    for _ in 0..random.random_range(GUESTS) {
        // Who drinks stout goes on drinking stout.
        let usual = DRINKS.choose(&mut random).unwrap_or(&DRINKS[0]);
        lines.extend((0..random.random_range(ROUNDS)).map(|_| line(usual, day)));
        if random.random_bool(HUNGER) {
            lines.extend(FOOD.choose(&mut random).map(|food| line(food, day)));
        }
    }
    NewTransaction { user_id, created_at: None, lines }
}

fn line(&(name, cents, category, millilitre, alcohol): &Item, day: Date) -> NewLine {
    NewLine {
        name: name.to_owned(),
        price: format!("{}.{:02}", cents / 100, cents % 100),
        tax_rate: RateTable::default().rate(category, day).map_or_else(|| "0.23".to_owned(), |rate| rate.to_string()),
        millilitre: (millilitre > 0).then_some(millilitre),
        alcohol: (!alcohol.is_empty()).then(|| alcohol.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_believable_and_repeatable() {
        let day: Date = "2026-03-01".parse().unwrap();
        for seed in 0..200 {
            let table = transaction("pub".into(), day, seed);
            assert!((1..=24).contains(&table.lines.len()));
            assert!(table.lines.iter().all(|line| ["0.23", "0.135"].contains(&line.tax_rate.as_str())), "{table:?}");
            assert_eq!(table, transaction("pub".into(), day, seed));
        }
    }
}
