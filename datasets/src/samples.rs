//! What the repository ships to be tried at once: the paper of one pub and a few days of its till.
//!
//! All firms and products are invented. The documents are made by [`crate::synthetic::documents`]; the events have the form that
//! Debezium gives the till's tables (`decimal.handling.mode=string`, no schemas).

use engine::understand::draft::DocumentType;
use jiff::civil::{Date, date};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};

use crate::synthetic::dice::Dice;
use crate::synthetic::documents::capture::Capture;
use crate::synthetic::documents::deal::{Deal, Item, Party, Prices, divide_rounded};
use crate::synthetic::documents::figures::decimal;
use crate::synthetic::documents::layouts::Layout;
use crate::synthetic::documents::region::{Country, RateClass, RatePermille};
use crate::synthetic::documents::ubl::ubl;
use crate::synthetic::documents::{DocumentGenerator, SyntheticDocument};

/// The pub's id in the till's database.
pub const BUSINESS: &str = "1";
const PUB: &str = "The Copper Kettle";

/// A document to be made, and the file it goes to.
struct Sample {
    file: &'static str,
    form: Form,
    document_type: DocumentType,
    supplier: (&'static str, [&'static str; 3]),
    number: &'static str,
    issued: Date,
    /// Code, description, quantity in thousandths, unit, price in cents, class of VAT.
    items: &'static [(&'static str, &'static str, i64, &'static str, i64, RateClass)],
}

/// Paper, or data.
enum Form {
    Printed {
        layout: &'static str,
        /// As [`crate::synthetic::typefaces::Typeface::family`].
        family: &'static str,
        capture: Capture,
    },
    /// An e-invoice in UBL.
    Ubl,
}

const HARBOUR: (&str, [&str; 3]) = ("Harbour Brewing Company Ltd", ["Unit 4, Kings Quay", "Cobh", "Co. Cork, P24 X7C2"]);
const LIFFEY: (&str, [&str; 3]) = ("Liffey Drinks Wholesale", ["18 Ballymount Road Lower", "Walkinstown", "Dublin 12, D12 K5T8"]);
const VINTNER: (&str, [&str; 3]) = ("Béranger & Walsh Wine Merchants", ["7 Mill Street", "Kilkenny", "R95 F2A4"]);
const GROCER: (&str, [&str; 3]) = ("CITY MINI MARKET", ["112 Capel Street", "Dublin 1", "D01 W3R9"]);
const CIDER: (&str, [&str; 3]) = ("Orchard Lane Cider Makers Ltd", ["Orchard Lane", "Clonmel", "Co. Tipperary, E91 P2N3"]);
const HARDWARE: (&str, [&str; 3]) = ("Nolan Hardware & Glassware", ["3 Green Street", "Smithfield", "Dublin 7, D07 A8K1"]);

use RateClass::{Reduced, Standard, Zero};

const SAMPLES: [Sample; 7] = [
    Sample {
        file: "harbour-brewing-invoice.jpg",
        form: Form::Printed { layout: "brewery", family: "liberationsans", capture: Capture::Print },
        document_type: DocumentType::Invoice,
        supplier: HARBOUR,
        number: "INV-20471",
        issued: date(2026, 6, 29),
        items: &[
            ("HB050", "Harbour Stout 50L keg", 4_000, "Keg", 16_850, Standard),
            ("HB051", "Harbour Pale Ale 50L keg", 2_000, "Keg", 17_900, Standard),
            ("HB030", "Harbour Red Ale 30L keg", 2_000, "Keg", 11_240, Standard),
            ("HB124", "Harbour Lager 24x330ml", 6_000, "Case", 2_895, Standard),
            ("HB099", "Keg deposit", 8_000, "Each", 3_000, Standard),
        ],
    },
    Sample {
        file: "liffey-wholesale-invoice.jpg",
        form: Form::Printed { layout: "wholesaler", family: "roboto", capture: Capture::Photo },
        document_type: DocumentType::Invoice,
        supplier: LIFFEY,
        number: "SI-118832",
        issued: date(2026, 6, 30),
        items: &[
            ("10442", "Orchard Lane Cider 12x500ml", 5_000, "Case", 2_160, Standard),
            ("10871", "Slieve Gin 70cl", 6_000, "Btl", 2_375, Standard),
            ("11032", "Glen Boyne Irish Whiskey 70cl", 4_000, "Btl", 2_690, Standard),
            ("20115", "Tonic Water 24x200ml", 8_000, "Case", 1_345, Standard),
            ("20118", "Sparkling Water 24x250ml", 4_000, "Case", 1_120, Standard),
            ("30560", "Salted Peanuts 24x50g", 3_000, "Box", 1_580, Standard),
            ("40012", "Fresh Milk 2L", 10_000, "Each", 185, Zero),
            ("40230", "Apple Tart 12 portion", 2_000, "Each", 1_450, Reduced),
        ],
    },
    Sample {
        file: "beranger-walsh-invoice.jpg",
        form: Form::Printed { layout: "vintner", family: "liberationserif", capture: Capture::Scan },
        document_type: DocumentType::Invoice,
        supplier: VINTNER,
        number: "2026/0713",
        issued: date(2026, 7, 1),
        items: &[
            ("W211", "Côtes du Rhône 2023 75cl", 12_000, "Btl", 895, Standard),
            ("W305", "Grüner Veltliner 2024 75cl", 12_000, "Btl", 940, Standard),
            ("W418", "Prosecco Extra Dry 6x75cl", 3_000, "Case", 5_220, Standard),
        ],
    },
    Sample {
        file: "city-mini-market-receipt.png",
        form: Form::Printed { layout: "supermarket", family: "dejavusansmono", capture: Capture::Scan },
        document_type: DocumentType::Receipt,
        supplier: GROCER,
        number: "004812",
        issued: date(2026, 7, 2),
        items: &[
            ("5391", "Lemons net", 3_000, "", 199, Zero),
            ("5392", "Limes net", 2_000, "", 219, Zero),
            ("5120", "Mint bunch", 4_000, "", 125, Zero),
            ("7001", "Blue roll 6pk", 1_000, "", 899, Standard),
            ("7040", "Ice cubes 2kg", 5_000, "", 250, Standard),
        ],
    },
    Sample {
        file: "nolan-hardware-receipt.jpg",
        form: Form::Printed { layout: "hardware shop", family: "liberationmono", capture: Capture::Photo },
        document_type: DocumentType::Receipt,
        supplier: HARDWARE,
        number: "R0002219",
        issued: date(2026, 7, 3),
        items: &[
            ("88012", "Pint glasses 20oz x24", 2_000, "SET", 3_150, Standard),
            ("88340", "LED bulb 8W E27", 6_000, "PCS", 395, Standard),
            ("88127", "Beer mats x100", 3_000, "PCS", 640, Standard),
        ],
    },
    Sample {
        file: "harbour-brewing-credit-note.jpg",
        form: Form::Printed { layout: "brewery", family: "liberationsans", capture: Capture::Print },
        document_type: DocumentType::CreditNote,
        supplier: HARBOUR,
        number: "CN-1186",
        issued: date(2026, 7, 3),
        items: &[
            ("HB051", "Harbour Pale Ale 50L keg", 1_000, "Keg", 17_900, Standard),
            ("HB099", "Keg deposit", 6_000, "Each", 3_000, Standard),
        ],
    },
    Sample {
        file: "orchard-lane-e-invoice.xml",
        form: Form::Ubl,
        document_type: DocumentType::Invoice,
        supplier: CIDER,
        number: "OLC-2026-0331",
        issued: date(2026, 7, 3),
        items: &[
            ("OL12", "Orchard Lane Cider 12x500ml", 10_000, "Case", 2_050, Standard),
            ("OL50", "Orchard Lane Cider 50L keg", 1_000, "Keg", 16_400, Standard),
        ],
    },
];

/// The printed documents with the names of their files. None where the machine lacks a family that they are set in.
pub fn documents(generator: &DocumentGenerator) -> Option<Vec<(&'static str, SyntheticDocument)>> {
    let printed = SAMPLES.iter().filter_map(|sample| match sample.form {
        Form::Printed { layout, family, capture } => Some((sample, layout, family, capture)),
        Form::Ubl => None,
    });
    printed.map(|(sample, layout, family, capture)| Some((sample.file, sample.document(generator, layout, family, capture)?))).collect()
}

/// The e-invoices with the names of their files.
pub fn e_invoices() -> impl Iterator<Item = (&'static str, String)> {
    SAMPLES.iter().filter(|sample| matches!(sample.form, Form::Ubl)).map(|sample| (sample.file, ubl(&sample.deal())))
}

impl Sample {
    fn document(&self, generator: &DocumentGenerator, layout: &str, family: &str, how: Capture) -> Option<SyntheticDocument> {
        let printed = generator.set_in(family, Dice::new(SEED, number_of(self.file)), self.file, self.deal(), Layout::named(layout)?)?;
        Some(printed.captured(how))
    }

    fn deal(&self) -> Deal {
        let country = Country::Ireland;
        let receipt = self.document_type == DocumentType::Receipt;
        let base = Deal {
            document_type: self.document_type,
            country,
            supplier: party(self.supplier),
            customer: party((PUB, ["14 Capel Street", "Dublin 1", "D01 X2Y3"])),
            number: self.number.to_owned(),
            issued: self.issued,
            due: self.issued.saturating_add(30.days()),
            prices: if receipt { Prices::IncludeVat } else { Prices::ExcludeVat },
            items: Vec::new(),
            vat: Vec::new(),
            net_cents: 0,
            vat_cents: 0,
            gross_cents: 0,
        };
        let item = |&(code, description, quantity_milli, unit, unit_price_cents, rate): &(&str, &str, i64, &str, i64, RateClass)| {
            Item {
                code: code.to_owned(),
                description: description.to_owned(),
                quantity_milli,
                unit: unit.to_owned(),
                unit_price_cents,
                discount_permille: 0,
                rate_permille: country.rate(rate),
                total_cents: 0,
            }
            .priced()
        };
        base.with_items(self.items.iter().map(item).collect())
    }
}

const SEED: u64 = 20;

/// A number that follows from a name.
fn number_of(name: &str) -> u64 {
    name.bytes().fold(0, |number, byte| u64::from(byte).wrapping_add(number.wrapping_mul(31)))
}

/// A firm whose numbers follow from its name, so that it is the same on all its documents.
fn party((name, address): (&str, [&str; 3])) -> Party {
    let mut dice = Dice::new(SEED, number_of(name));
    Party {
        name: name.to_owned(),
        address: address.map(str::to_owned).to_vec(),
        vat_id: Country::Ireland.tax_number(&mut dice),
        phone: Country::Ireland.phone(&mut dice),
        email: "accounts@example.ie".to_owned(),
    }
}

/// What the bar sells: name, price in cents, strength, millilitres a unit.
const BAR: [(&str, i64, &str, i64); 7] = [
    ("Harbour Stout", 590, "4.2%", 568),
    ("Harbour Pale Ale", 640, "4.8%", 568),
    ("Harbour Red Ale", 610, "4.3%", 568),
    ("Harbour Lager", 550, "4.5%", 330),
    ("Orchard Lane Cider", 620, "4.5%", 500),
    ("Glen Boyne Irish Whiskey", 650, "40%", 35),
    ("Slieve Gin", 680, "41%", 35),
];
const BAR_RATE_PERMILLE: RatePermille = 230;
const ROUNDS: u64 = 18;
/// Opening on the day after the first delivery, in Irish summer time.
const OPENING: Date = date(2026, 7, 1);
const TOPICS: &str = "till.public";
const LSN_START: u64 = 27_643_800;

/// A few days of the till as lines of `{"topic","key","value"}`, key and value as JSON text: the pub, rounds of drinks, one of
/// them refunded and one corrected.
pub fn events() -> Vec<String> {
    let mut log = Log { lines: Vec::new(), lsn: LSN_START };
    let opened = OPENING.at(15, 0, 0, 0).to_zoned(TimeZone::UTC).expect("a date of this century").timestamp();
    log.row("users", "r", opened, json!({"id": BUSINESS}), Value::Null, json!({"id": BUSINESS, "name": PUB, "email": "owner@example.ie"}));
    let mut dice = Dice::new(SEED, 1000);
    let mut units = 0;
    for round in 0..ROUNDS {
        let (day, minutes) = (round as i64 / 6, 35 * (round as i64 % 6) + dice.within(0..25));
        let at = opened.saturating_add((day * 24).hours().minutes(120 + minutes)).expect("hours and minutes suit a timestamp");
        let mut drinks: Vec<_> = (0..dice.within(1..=4)).map(|_| *dice.pick(&BAR)).collect();
        if round == 0 {
            drinks[0] = BAR[0]; // the one that is corrected at the end
        }
        log.round(&format!("t-{:04}", round + 1), at, &drinks, &mut units);
    }
    log.refund_and_correction(opened.saturating_add(75.hours()).expect("hours suit a timestamp"), units);
    log.lines
}

/// Events in the order of the database's log.
struct Log {
    lines: Vec<String>,
    lsn: u64,
}

impl Log {
    fn row(&mut self, table: &str, op: &str, at: Timestamp, key: Value, before: Value, after: Value) {
        self.lsn += 312;
        let ms = at.as_millisecond();
        let source = json!({
            "version": "3.6.3.Final", "connector": "postgresql", "name": "till", "ts_ms": ms,
            "snapshot": if op == "r" { "last" } else { "false" }, "db": "till",
            "sequence": format!("[\"{}\",\"{}\"]", self.lsn - 312, self.lsn),
            "schema": "public", "table": table, "txId": 700 + self.lines.len(), "lsn": self.lsn, "xmin": null,
        });
        let value = json!({"before": before, "after": after, "source": source, "transaction": null, "op": op, "ts_ms": ms + 40});
        let line = json!({"topic": format!("{TOPICS}.{table}"), "key": key.to_string(), "value": value.to_string()});
        self.lines.push(line.to_string());
    }

    fn round(&mut self, id: &str, at: Timestamp, drinks: &[(&str, i64, &str, i64)], units: &mut u64) {
        let gross: i64 = drinks.iter().map(|drink| drink.1).sum();
        let tax: i64 = drinks.iter().map(|drink| vat_within(drink.1)).sum();
        let transaction =
            json!({"transaction_id": id, "user_id": BUSINESS, "total": euros(gross), "tax": euros(tax), "created_at": at.to_string()});
        self.row("transactions", "c", at, json!({"transaction_id": id}), Value::Null, transaction);
        for drink in drinks {
            *units += 1;
            let product = format!("b-{units:05}");
            self.row("beers", "c", at, json!({"product_id": product}), Value::Null, beer(&product, id, *drink, drink.1));
        }
    }

    /// The last evening's end: a pint goes back, and the first one sold turns out to have been a happy hour's.
    fn refund_and_correction(&mut self, at: Timestamp, units: u64) {
        let (stout, product) = (BAR[0], format!("b-{:05}", units + 1));
        let refund = json!({"transaction_id": "t-9001", "user_id": BUSINESS, "total": euros(-stout.1), "tax": euros(-vat_within(stout.1)),
            "created_at": at.to_string()});
        self.row("transactions", "c", at, json!({"transaction_id": "t-9001"}), Value::Null, refund);
        self.row("beers", "c", at, json!({"product_id": product}), Value::Null, beer(&product, "t-9001", stout, -stout.1));
        let corrected = beer("b-00001", "t-0001", BAR[0], 500);
        self.row("beers", "u", at, json!({"product_id": "b-00001"}), Value::Null, corrected);
    }
}

fn beer(product: &str, transaction: &str, (name, _, strength, millilitres): (&str, i64, &str, i64), price_cents: i64) -> Value {
    json!({
        "product_id": product, "transaction_id": transaction, "beer_name": name, "beer_price_per_unit": euros(price_cents),
        "beer_alcohol": strength, "beer_tax_rate": "0.23", "millilitre": millilitres,
        "price_per_ml": decimal(divide_rounded(price_cents * 10_000, millilitres), 6, false),
    })
}

/// The tax in a gross price, half up to the cent.
fn vat_within(gross_cents: i64) -> i64 {
    divide_rounded(gross_cents * BAR_RATE_PERMILLE, 1000 + BAR_RATE_PERMILLE)
}

fn euros(cents: i64) -> String {
    decimal(cents, 2, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sample_deals_add_up_and_are_addressed_to_the_pub() {
        for sample in &SAMPLES {
            let deal = sample.deal();
            assert_eq!(deal.customer.name, PUB);
            assert_eq!(deal.net_cents + deal.vat_cents, deal.gross_cents, "{}", sample.file);
            if let Form::Printed { layout, .. } = sample.form {
                assert!(Layout::named(layout).is_some(), "{layout}");
            }
        }
        // 4 x 168.50 + 2 x 179.00 + 2 x 112.40 + 6 x 28.95 + 8 x 30.00 = 1670.50; VAT 23 % of it 384.215.
        assert_eq!(SAMPLES[0].deal().gross_cents, 205_472);
    }

    #[test]
    fn the_tills_transactions_are_the_sums_of_their_rows() {
        let mut sums = std::collections::BTreeMap::new();
        let mut totals = std::collections::BTreeMap::new();
        for line in events() {
            let line: Value = serde_json::from_str(&line).unwrap();
            let value: Value = serde_json::from_str(line["value"].as_str().unwrap()).unwrap();
            let row = &value["after"];
            let cents = |text: &Value| text.as_str().unwrap().replace('.', "").parse::<i64>().unwrap();
            let id = row["transaction_id"].as_str().unwrap_or_default().to_owned();
            match (line["topic"].as_str().unwrap(), value["op"].as_str().unwrap()) {
                ("till.public.beers", "c") => *sums.entry(id).or_insert(0) += cents(&row["beer_price_per_unit"]),
                ("till.public.transactions", _) => {
                    totals.insert(id, cents(&row["total"]));
                }
                _ => {}
            }
        }
        assert_eq!(sums, totals);
        assert_eq!(totals.len() as u64, ROUNDS + 1);
    }

    #[test]
    fn the_shipped_e_invoice_is_this() {
        let shipped = include_str!("../samples/orchard-lane-e-invoice.xml");
        assert_eq!(e_invoices().collect::<Vec<_>>(), [("orchard-lane-e-invoice.xml", shipped.to_owned())], "run `generate samples`");
    }

    #[test]
    fn the_shipped_events_are_these() {
        let shipped = include_str!("../samples/events.ndjson");
        assert!(shipped.lines().eq(events().iter().map(String::as_str)), "run `generate samples`");
    }
}
