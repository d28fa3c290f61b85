//! A pub's till and its papers, made by hand.

#![allow(dead_code, reason = "each test uses its own part")]

pub mod broker;
pub mod chain;
pub mod postgres;
pub mod stores;
pub mod traffic;

use adapter::{
    clock::Clock,
    sales::{self, Tally},
    source::{FileSource, Source},
    store::Store,
    till::Mapping,
};
use proto::{Field, Invoice, Line, Supplier, Totals, Vat, invoice};
use serde_json::{Value, json};

/// A line of an event file: the new state of a row.
pub fn event(table: &str, id: &str, lsn: u32, row: Value) -> String {
    let key = json!({id: row[id]});
    let source = json!({"table": table, "sequence": format!("[\"{lsn}\",\"{lsn}\"]")});
    json!({"topic": format!("till.public.{table}"), "key": key, "value": {"op": "c", "before": null, "after": row, "source": source}})
        .to_string()
}

pub fn business(id: &str, name: &str) -> String {
    event("users", "id", 1, json!({"id": id, "name": name, "email": null}))
}

pub fn transaction(id: &str, business: &str, time: &str) -> String {
    event(
        "transactions",
        "transaction_id",
        2,
        json!({"transaction_id": id, "user_id": business, "total": "0", "tax": "0", "created_at": time}),
    )
}

/// `price` as a decimal string; VAT at 23 %.
pub fn sale(id: &str, transaction: &str, product: &str, price: &str, millilitre: Option<i64>, lsn: u32) -> String {
    let row = json!({"product_id": id, "transaction_id": transaction, "beer_name": product, "beer_price_per_unit": price,
        "beer_alcohol": "4.2%", "beer_tax_rate": "0.23", "millilitre": millilitre, "price_per_ml": null});
    event("beers", "product_id", lsn, row)
}

pub fn field(value: &str) -> Option<Field> {
    Some(Field { text: value.into(), value: value.into(), confidence: 0.97, page: Some(0), quad: vec![0; 8], status: 0 })
}

pub fn goods(code: &str, description: &str, quantity: &str, line_total: &str) -> Line {
    Line {
        code: field(code),
        description: field(description),
        quantity: field(quantity),
        vat_rate: field("23"),
        line_total: field(line_total),
        ..Line::default()
    }
}

/// An invoice that nothing speaks against: 200.00 net, 46.00 VAT; two kegs and a case, and a deposit.
pub fn invoice() -> Invoice {
    Invoice {
        source: "brewery.pdf".into(),
        document_type: invoice::DocumentType::Invoice.into(),
        supplier: Some(Supplier { name: field("Liffey Brewery Ltd"), ..Supplier::default() }),
        invoice_number: field("LB-1001"),
        issue_date: field("2026-03-02"),
        currency: field("EUR"),
        lines: vec![
            goods("K50", "Plain Stout 50L Keg", "2", "150.00"),
            goods("L33", "Harbour Lager 24x330ml", "1", "30.00"),
            goods("DEP", "Deposit on kegs", "2", "20.00"),
        ],
        vat: vec![Vat { rate: field("23"), net: field("200.00"), amount: field("46.00") }],
        totals: Some(Totals { net: field("200.00"), vat: field("46.00"), gross: field("246.00") }),
        status: invoice::Status::Ready.into(),
        ..Invoice::default()
    }
}

/// A line of an extraction file.
pub fn extraction(business: &str, invoice: &Invoice) -> String {
    json!({"topic": "extractions", "key": business, "value": invoice}).to_string()
}

/// Posts the lines of an event file.
pub async fn post(store: &Store, lines: &[String]) -> Tally {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), lines.join("\n") + "\n").unwrap();
    let mut source = FileSource::open(file.path(), false).unwrap();
    let mut tally = Tally::default();
    loop {
        let mut batch = source.next().await.unwrap();
        if batch.is_empty() {
            return tally;
        }
        // Each call is another file.
        batch.steps.clear();
        tally.add(sales::post(store, &Mapping::default(), Clock::System, &batch).await.unwrap());
    }
}
