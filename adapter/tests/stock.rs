//! Counts, waste and costs: what is on the shelf and what it is worth, in whatever order things come to be known.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use adapter::{
    clock::Clock,
    documents::{self, Incoming, Received},
    ledger,
    report::{Inventory, Period, report},
    stock::{
        count,
        product::{self, NameError, Product},
        waste, yields,
    },
    store::{Store, StoreError},
};
use jiff::Timestamp;
use proto::{Invoice, Totals, Vat, invoice};
use support::{business, field, goods, post, sale, stores, transaction};

const COUNTED_AT: &str = "2026-03-02T00:00:00Z";

async fn inventory(store: &Store, product: &str) -> Inventory {
    let books = report(store, "pub", Period::default(), Clock::System).await.unwrap();
    books.inventory.into_iter().find(|row| row.product == product).unwrap()
}

async fn stout(store: &Store) -> Product {
    let products = product::all(&mut store.read().await.unwrap(), "pub").await.unwrap();
    product::named(&products, "plain stout").unwrap().clone()
}

async fn counted(store: &Store, quantity: i64, at: &str) -> count::Counted {
    let (product, at): (Product, Timestamp) = (stout(store).await, at.parse().unwrap());
    store.transact(async |db| count::book(db, "pub", &product, quantity, at, Timestamp::now()).await).await.unwrap()
}

/// `id` is a pint of stout sold in a transaction of its own.
fn pint(id: &str, time: &str) -> [String; 2] {
    [transaction(&format!("t-{id}"), "pub", time), sale(id, &format!("t-{id}"), "Plain Stout", "5.80", Some(568), 10)]
}

async fn receive(store: &Store, invoice: &Invoice) {
    let digest = documents::digest([serde_json::to_string(invoice).unwrap().as_bytes()]);
    let incoming = Incoming { business: "pub".into(), source: "a".into(), digest, files: Vec::new(), invoice: invoice.clone() };
    let received = store.transact(async |db| documents::receive(db, &incoming, Timestamp::now()).await).await.unwrap();
    assert!(matches!(received, Received::Posted { .. }), "{received:?}");
}

#[tokio::test]
async fn what_was_counted_stays_counted_whatever_comes_late() {
    for books in stores::all().await {
        let store = &books.store;
        post(store, &[business("pub", "The Long Hall")]).await;
        post(store, &pint("early", "2026-03-01T19:00:00Z")).await;
        assert_eq!(counted(store, 9_432, COUNTED_AT).await, count::Counted { expected: -568, quantity: 9_432 });
        let row = inventory(store, "Plain Stout").await;
        assert_eq!((row.on_hand, row.counted, row.sold), (9_432, 10_000, 568));

        // A sale of after the count lowers the stock, one of before it does not: it was on the shelf no more when it was counted.
        post(store, &pint("after", "2026-03-02T12:00:00Z")).await;
        post(store, &pint("late", "2026-03-01T20:00:00Z")).await;
        let row = inventory(store, "Plain Stout").await;
        assert_eq!((row.on_hand, row.counted, row.sold), (9_432 - 568, 10_000 + 568, 3 * 568));

        // The second count of a moment takes the place of the first, and a later count builds on it.
        assert_eq!(counted(store, 9_000, COUNTED_AT).await.expected, -2 * 568);
        assert_eq!(counted(store, 8_432, "2026-03-03T00:00:00Z").await.expected, 9_000 - 568);
        post(store, &pint("later still", "2026-03-01T21:00:00Z")).await;
        let row = inventory(store, "Plain Stout").await;
        assert_eq!((row.on_hand, row.counted), (8_432, 9_000 + 3 * 568));
        ledger::verify(store, "pub").await.unwrap();
    }
}

#[tokio::test]
async fn waste_leaves_the_stock_and_no_money_moves() {
    for books in stores::all().await {
        let store = &books.store;
        post(store, &[business("pub", "The Long Hall")]).await;
        post(store, &pint("one", "2026-03-01T19:00:00Z")).await;
        let (product, at): (Product, Timestamp) = (stout(store).await, COUNTED_AT.parse().unwrap());
        let wasted = async |db: &mut _| Ok::<_, StoreError>(waste::book(db, "pub", &product, 2000, "spilt", at, Timestamp::now()).await?);
        store.transact(wasted).await.unwrap();
        let row = inventory(store, "Plain Stout").await;
        assert_eq!((row.on_hand, row.wasted, row.sold), (-2568, 2000, 568));
        let books = report(store, "pub", Period::default(), Clock::System).await.unwrap();
        assert_eq!(books.cash.closing, books.sales.gross);
        assert_eq!(books.sales.lines, 1, "waste is no sale");
    }
}

/// A keg of 50 l at 150.00 yields 95 % since March: 568 ml sold are 598 ml of the keg, and as many come back with a refund.
#[tokio::test]
async fn what_is_lost_in_serving_leaves_the_stock_with_each_sale() {
    for books in stores::all().await {
        let store = &books.store;
        post(store, &[business("pub", "The Long Hall")]).await;
        post(store, &pint("before", "2026-02-28T23:59:59Z")).await;
        let product = stout(store).await.product_id;
        let since = |day: &str| day.parse::<Timestamp>().unwrap();
        for (day, ppm) in [("2026-03-01T00:00:00Z", 950_000), ("2026-03-02T00:00:00Z", 1_000_000)] {
            let set = async |db: &mut _| Ok::<_, StoreError>(yields::set(db, "pub", product, ppm, since(day), Timestamp::now()).await?);
            store.transact(set).await.unwrap();
        }
        post(store, &pint("one", "2026-03-01T00:00:00Z")).await;
        post(store, &pint("after", "2026-03-02T00:00:00Z")).await;
        let row = inventory(store, "Plain Stout").await;
        assert_eq!((row.on_hand, row.sold, row.lost_in_serving), (-3 * 568 - 30, 3 * 568, 30));

        let refund = [transaction("t-back", "pub", "2026-03-01T01:00:00Z"), sale("back", "t-back", "Plain Stout", "-5.80", Some(568), 10)];
        post(store, &refund).await;
        let row = inventory(store, "Plain Stout").await;
        assert_eq!((row.on_hand, row.sold, row.lost_in_serving), (-2 * 568, 2 * 568, 0));

        // Known already, and corrected to another time: the yield is that of the moment.
        post(store, &pint("one", "2026-03-01T00:00:00Z")).await;
        post(store, &[transaction("t-one", "pub", "2026-03-02T00:00:00Z")]).await;
        let row = inventory(store, "Plain Stout").await;
        assert_eq!((row.on_hand, row.lost_in_serving), (-2 * 568 + 30, -30));
        assert_eq!(row.net_sales.to_string(), "9.44");
        ledger::verify(store, "pub").await.unwrap();
    }
}

/// Two kegs at 150.00 net, one at 100.00 gross, and one of the first two given back: (150 + 81.30 - 75) / 100 l.
#[tokio::test]
async fn margins_are_by_average_cost() {
    for books in stores::all().await {
        let store = &books.store;
        post(store, &[business("pub", "The Long Hall")]).await;
        post(store, &pint("one", "2026-03-01T19:00:00Z")).await;
        let bill = |number: &str, lines: Vec<proto::Line>, sums: [&str; 3], document_type: invoice::DocumentType| Invoice {
            invoice_number: field(number),
            document_type: document_type.into(),
            vat: vec![Vat { rate: field("23"), net: field(sums[0]), amount: field(sums[1]) }],
            totals: Some(Totals { net: field(sums[0]), vat: field(sums[1]), gross: field(sums[2]) }),
            lines,
            ..support::invoice()
        };
        let keg = |quantity: &str, total: &str| goods("K50", "Plain Stout 50L Keg", quantity, total);
        let kinds = [invoice::DocumentType::Invoice, invoice::DocumentType::Receipt, invoice::DocumentType::CreditNote];
        receive(store, &bill("1", vec![keg("2", "150.00")], ["150.00", "34.50", "184.50"], kinds[0])).await;
        receive(store, &bill("2", vec![keg("1", "100.00")], ["81.30", "18.70", "100.00"], kinds[1])).await;
        receive(store, &bill("3", vec![keg("1", "75.00")], ["75.00", "17.25", "92.25"], kinds[2])).await;
        // Lines that make neither net nor gross say nothing of costs.
        receive(store, &bill("4", vec![keg("1", "70.00")], ["90.00", "20.70", "110.70"], kinds[0])).await;
        let row = inventory(store, "Plain Stout").await;
        assert_eq!((row.received, row.average_cost.as_deref()), (150_000, Some("0.001563")));
        let [net, cost, margin] = [Some(row.net_sales), row.cost_of_sales, row.margin].map(|amount| amount.unwrap().to_string());
        assert_eq!([net.as_str(), &cost, &margin], ["4.72", "0.89", "3.83"]);
    }
}

#[tokio::test]
async fn names_that_people_write() {
    let books = stores::sqlite().await;
    post(&books.store, &[business("pub", "The Long Hall")]).await;
    post(&books.store, &pint("one", "2026-03-01T19:00:00Z")).await;
    post(&books.store, &[sale("two", "t-one", "Plain Stout", "2.00", None, 10)]).await;
    let products = product::all(&mut books.store.read().await.unwrap(), "pub").await.unwrap();
    assert_eq!(product::named(&products, "plain stout"), Err(NameError::SeveralUnits { name: "plain stout".into() }));
    assert_eq!(product::named(&products, "Plain Stout (each)").unwrap().unit, "each");
    let unknown = product::named(&products, "Stout").unwrap_err();
    assert_eq!(unknown.to_string(), "there is no product \"Stout\"; there are: Plain Stout, Plain Stout");
}
