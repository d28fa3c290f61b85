//! Random histories of a till, delivered out of order, twice, in batches of any size and through crashes at any step, with invoices, corrections
//! and stock counts between them: the books equal a plain recomputation from the final rows, the corrected invoices and the counts.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::{
    collections::{BTreeMap, BTreeSet},
    future::{Future, poll_fn},
    task::Poll,
};

use adapter::{
    business,
    clock::Clock,
    corrections::{Assignment, Corrector, set},
    documents::{Incoming, Received, digest, receive},
    ledger::verify,
    report::{Period, ReportError, report},
    sales,
    source::{Batch, Coordinates, Record},
    stock::{
        Unit, count,
        product::{self, Product},
        yields,
    },
    store::{Connection, Store, StoreError},
    till::Mapping,
};
use jiff::Timestamp;
use proptest::prelude::*;
use proto::{Invoice, Totals, Vat};
use rust_decimal::{Decimal, RoundingStrategy};
use serde_json::{Value, json};
use support::{field, goods, stores};

const BUSINESSES: [&str; 2] = ["pub", "shop"];
const DAYS: [&str; 2] = ["2026-02-28", "2026-03-01"];

/// The new state of a row; `None` deletes it.
#[derive(Debug, Clone)]
enum Write {
    Transaction { key: u8, row: Option<(usize, usize)> },
    Sale { key: u8, row: Option<Line> },
}

#[derive(Debug, Clone)]
struct Line {
    transaction: u8,
    product: u8,
    /// In tenths of a cent, so that rounding is at work; `None`: not priced yet.
    price_mills: Option<i64>,
    rate_percent: u32,
    millilitres: Option<i64>,
}

fn write() -> impl Strategy<Value = Write> {
    let line = (
        0..4_u8,
        0..3_u8,
        prop::option::weighted(0.9, -3_000..20_000_i64),
        prop::sample::select(vec![0_u32, 9, 23]),
        prop::option::of(0..600_i64),
    )
        .prop_map(|(transaction, product, price_mills, rate_percent, millilitres)| Line {
            transaction,
            product,
            price_mills,
            rate_percent,
            millilitres,
        });
    prop_oneof![
        1 => (0..4_u8, prop::option::weighted(0.8, (0..2_usize, 0..2_usize))).prop_map(|(key, row)| Write::Transaction { key, row }),
        4 => (0..8_u8, prop::option::weighted(0.8, line)).prop_map(|(key, row)| Write::Sale { key, row }),
    ]
}

/// What people and suppliers do between two batches.
#[derive(Debug, Clone)]
enum Act {
    /// So many kegs are bought.
    Invoice { business: usize, kegs: u8 },
    /// An invoice, if there is one, was of so many kegs.
    Correction { invoice: prop::sample::Index, kegs: u8 },
    /// So much of a beer was there in the evening.
    Count { business: usize, product: u8, day: usize, quantity: i64 },
}

const KEG: &str = "Porter 50L Keg";
const KEG_ML: i64 = 50_000;
/// Without VAT of 23 %, in cents.
const KEG_NET: i64 = 10_000;

fn act() -> impl Strategy<Value = Act> {
    let count = (0..2_usize, 0..3_u8, 0..2_usize, 0..5000_i64);
    prop_oneof![
        (0..2_usize, 1..5_u8).prop_map(|(business, kegs)| Act::Invoice { business, kegs }),
        (any::<prop::sample::Index>(), 1..5_u8).prop_map(|(invoice, kegs)| Act::Correction { invoice, kegs }),
        count.prop_map(|(business, product, day, quantity)| Act::Count { business, product, day, quantity }),
    ]
}

/// Net, VAT and gross of kegs, as printed.
fn sums(kegs: u8) -> [String; 3] {
    let net = KEG_NET * i64::from(kegs);
    [net, net * 23 / 100, net * 123 / 100].map(|cents| Decimal::new(cents, 2).to_string())
}

fn bill(number: usize, kegs: u8) -> Invoice {
    let [net, vat, gross] = sums(kegs);
    Invoice {
        invoice_number: field(&number.to_string()),
        lines: vec![goods("P50", KEG, &kegs.to_string(), &net)],
        vat: vec![Vat { rate: field("23"), net: field(&net), amount: field(&vat) }],
        totals: Some(Totals { net: field(&net), vat: field(&vat), gross: field(&gross) }),
        ..support::invoice()
    }
}

async fn perform(store: &Store, number: usize, act: &Act, invoices: &mut Vec<i64>) {
    match act {
        Act::Invoice { business, kegs } => {
            let invoice = bill(number, *kegs);
            let digest = digest([serde_json::to_string(&invoice).unwrap().as_bytes()]);
            let incoming = Incoming { business: BUSINESSES[*business].into(), source: "a".into(), digest, files: Vec::new(), invoice };
            let received = store.transact(async |db| receive(db, &incoming, Timestamp::now()).await).await.unwrap();
            let Received::Posted { document_id } = received else { panic!("{received:?}") };
            invoices.push(document_id);
        }
        Act::Correction { invoice, kegs } => {
            if invoices.is_empty() {
                return;
            }
            let [net, vat, gross] = sums(*kegs);
            let truth = [
                format!("lines[0].quantity={kegs}"),
                format!("lines[0].line_total={net}"),
                format!("totals.net={net}"),
                format!("totals.vat={vat}"),
                format!("totals.gross={gross}"),
            ];
            let truth: Vec<Assignment> = truth.iter().map(|assignment| assignment.parse().unwrap()).collect();
            set(store, *invoice.get(invoices), &truth, Corrector { name: "owner", clock: Clock::System }).await.unwrap();
        }
        Act::Count { business, product, day, quantity } => {
            let (business, at) = (BUSINESSES[*business], evening(*day));
            store
                .transact(async |db| {
                    business::register(db, business, None, Timestamp::now()).await?;
                    let product_id = product::sold_as(db, business, &format!("beer {product}"), Unit::Ml).await?;
                    let counted = Product { product_id, name: String::new(), unit: "ml".into(), proposed: false };
                    count::book(db, business, &counted, *quantity, at, Timestamp::now()).await
                })
                .await
                .unwrap();
        }
    }
}

/// After the sales of the day.
fn evening(day: usize) -> Timestamp {
    format!("{}T22:00:00Z", DAYS[day]).parse().unwrap()
}

fn event(write: &Write, lsn: usize) -> (&'static str, Value, Value) {
    let (table, key, row) = match write {
        Write::Transaction { key, row } => {
            let row = row.map(|(business, day)| {
                json!({"transaction_id": format!("t{key}"), "user_id": BUSINESSES[business], "created_at": format!("{}T12:00:00Z", DAYS[day])})
            });
            ("transactions", json!({"transaction_id": format!("t{key}")}), row)
        }
        Write::Sale { key, row } => {
            let row = row.as_ref().map(|line| {
                json!({"product_id": format!("s{key}"), "transaction_id": format!("t{}", line.transaction), "beer_name": format!("beer {}", line.product),
                    "beer_price_per_unit": line.price_mills.map(|mills| Decimal::new(mills, 3).to_string()),
                    "beer_tax_rate": Decimal::new(line.rate_percent.into(), 2).to_string(), "millilitre": line.millilitres})
            });
            ("beers", json!({"product_id": format!("s{key}")}), row)
        }
    };
    let source = json!({"table": table, "sequence": format!("[\"{lsn}\",\"{lsn}\"]")});
    let value = json!({"op": if row.is_some() { "u" } else { "d" }, "before": null, "after": row, "source": source});
    (table, key, value)
}

fn batches(writes: &[Write], order: &[prop::sample::Index], batch_size: usize) -> Vec<Batch> {
    let events: Vec<_> = writes.iter().enumerate().map(|(lsn, write)| event(write, lsn + 1)).collect();
    // Some come early or twice, then all of them in order but from the back: every event comes at least once.
    let delivery = order.iter().map(|index| index.get(&events)).chain(events.iter().rev());
    let records: Vec<_> = delivery
        .zip(1..)
        .map(|((table, key, value), offset)| {
            let coordinates = Coordinates { topic: format!("shop.public.{table}"), partition: 0, offset };
            Ok(Record { topic: coordinates.topic.clone(), coordinates, key: Some(key.clone()), value: Some(value.clone()) })
        })
        .collect();
    records.chunks(batch_size).map(|chunk| Batch { records: chunk.to_vec(), steps: Vec::new() }).collect()
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Books {
    gross: i64,
    vat: i64,
    lines: i64,
    /// Gross and VAT.
    purchases: (i64, i64),
    /// Product and unit -> on hand.
    stock: BTreeMap<(String, String), i64>,
}

/// The books of a business in plain arithmetic from the rows' final states, the invoices as corrected and the counts; and how many lines wait.
fn recomputed(writes: &[Write], acts: &[Act], business: usize) -> (Books, i64) {
    let mut transactions = BTreeMap::new();
    let mut lines = BTreeMap::new();
    for write in writes {
        match write {
            Write::Transaction { key, row } => drop(transactions.insert(*key, *row)),
            Write::Sale { key, row } => drop(lines.insert(*key, row.clone())),
        }
    }
    let mut books = Books::default();
    let mut pending = 0;
    let mut sold_on: BTreeMap<(String, String), BTreeMap<usize, i64>> = BTreeMap::new();
    for line in lines.into_values().flatten() {
        let transaction = transactions.get(&line.transaction).copied().flatten();
        let (owner, day, mills) = match (transaction, line.price_mills) {
            (Some((owner, day)), Some(mills)) => (owner, day, mills),
            (owner, _) => {
                pending += i64::from(owner.is_none_or(|(owner, _)| owner == business));
                continue;
            }
        };
        if owner != business {
            continue;
        }
        let round = |amount: Decimal| i64::try_from(amount.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero)).unwrap();
        let gross = round(Decimal::new(mills, 1));
        let rate = Decimal::new(line.rate_percent.into(), 2);
        let (unit, quantity) = line.millilitres.filter(|ml| *ml > 0).map_or(("each", 1), |ml| ("ml", ml));
        books.gross += gross;
        books.vat += round(Decimal::from(gross) * rate / (Decimal::ONE + rate));
        books.lines += 1;
        let sold = quantity * if gross < 0 { -1 } else { 1 };
        *sold_on.entry((format!("beer {}", line.product), unit.to_owned())).or_default().entry(day).or_default() +=
            sold + lost(business, line.product, unit, day, sold);
    }
    buy(acts, business, &mut books);
    let counts = counts(acts, business);
    for product in sold_on.keys().chain(counts.keys()).collect::<BTreeSet<_>>() {
        // What was counted last, less what was sold since: sales are at noon, counts in the evening.
        let (counted, since) = match counts.get(product).and_then(BTreeMap::last_key_value) {
            Some((day, quantity)) => (*quantity, day + 1),
            None => (0, 0),
        };
        let sold: i64 = sold_on.get(product).into_iter().flatten().filter(|(day, _)| **day >= since).map(|(_, quantity)| quantity).sum();
        books.stock.insert(product.clone(), counted - sold);
    }
    (books, pending)
}

/// The first business's beer 0 yields 93 % in millilitres, since the evening of the first day. The second business is not known yet.
const YIELD_PPM: i64 = 930_000;

async fn set_yield(store: &Store) {
    let set = async |db: &mut Connection| {
        business::register(db, BUSINESSES[0], None, Timestamp::UNIX_EPOCH).await?;
        let product_id = product::sold_as(db, BUSINESSES[0], "beer 0", Unit::Ml).await?;
        Ok::<_, StoreError>(yields::set(db, BUSINESSES[0], product_id, YIELD_PPM, evening(0), Timestamp::UNIX_EPOCH).await?)
    };
    store.transact(set).await.unwrap();
}

/// What is lost in serving a line, in plain arithmetic.
fn lost(business: usize, product: u8, unit: &str, day: usize, quantity: i64) -> i64 {
    let lost = Decimal::from(quantity * (1_000_000 - YIELD_PPM)) / Decimal::from(YIELD_PPM);
    let lost = lost.round_dp_with_strategy(0, RoundingStrategy::MidpointAwayFromZero);
    if business == 0 && product == 0 && unit == "ml" && day > 0 { i64::try_from(lost).unwrap() } else { 0 }
}

/// Each invoice by what it was last corrected to.
fn buy(acts: &[Act], business: usize, books: &mut Books) {
    let mut invoices: Vec<(usize, u8)> = Vec::new();
    for act in acts {
        match act {
            Act::Invoice { business, kegs } => invoices.push((*business, *kegs)),
            Act::Correction { invoice, kegs } if !invoices.is_empty() => {
                let corrected = invoice.index(invoices.len());
                invoices[corrected].1 = *kegs;
            }
            _ => {}
        }
    }
    let kegs: i64 = invoices.iter().filter(|(buyer, _)| *buyer == business).map(|(_, kegs)| i64::from(*kegs)).sum();
    books.purchases = (kegs * KEG_NET * 123 / 100, kegs * KEG_NET * 23 / 100);
    books.stock.insert((KEG.into(), "ml".into()), kegs * KEG_ML);
}

/// Product and unit -> day -> what was last said to be there in its evening.
fn counts(acts: &[Act], counter: usize) -> BTreeMap<(String, String), BTreeMap<usize, i64>> {
    let mut counts: BTreeMap<_, BTreeMap<usize, i64>> = BTreeMap::new();
    for act in acts {
        match act {
            Act::Count { business, product, day, quantity } if *business == counter => {
                counts.entry((format!("beer {product}"), "ml".to_owned())).or_default().insert(*day, *quantity);
            }
            _ => {}
        }
    }
    counts
}

async fn kept(store: &Store, business: &str) -> (Books, i64) {
    let report = match report(store, business, Period::default(), Clock::System).await {
        Err(ReportError::UnknownBusiness { .. }) => return (Books::default(), 0),
        report => report.unwrap(),
    };
    assert_eq!(report.sales.gross.minor, report.sales.net.minor + report.sales.vat.minor);
    assert_eq!(report.cash.closing, report.sales.gross);
    let stock =
        report.inventory.into_iter().filter(|item| item.on_hand != 0).map(|item| ((item.product, item.unit), item.on_hand)).collect();
    let purchases = (report.purchases.gross.minor, report.purchases.vat.minor);
    let books = Books { gross: report.sales.gross.minor, vat: report.sales.vat.minor, lines: report.sales.lines, purchases, stock };
    (books, report.pending)
}

#[derive(Debug)]
struct History {
    writes: Vec<Write>,
    /// What happens between the batches, in this order.
    acts: Vec<(prop::sample::Index, Act)>,
    order: Vec<prop::sample::Index>,
    batch_size: usize,
    businesses_first: bool,
}

fn history(writes: usize) -> impl Strategy<Value = History> {
    let order = prop::collection::vec(any::<prop::sample::Index>(), 0..writes);
    let acts = prop::collection::vec((any::<prop::sample::Index>(), act()), 0..8);
    (prop::collection::vec(write(), 1..writes), acts, order, 1..20_usize, any::<bool>())
        .prop_map(|(writes, acts, order, batch_size, businesses_first)| History { writes, acts, order, batch_size, businesses_first })
}

impl History {
    /// The till's batches, its businesses first or last.
    fn batches(&self) -> Vec<Batch> {
        let known = BUSINESSES.map(|id| {
            let coordinates = Coordinates { topic: "shop.public.users".into(), partition: 0, offset: 1 };
            let value = json!({"op": "r", "after": {"id": id, "name": id}, "source": {"table": "users", "sequence": "[null,\"1\"]"}});
            Ok(Record { topic: coordinates.topic.clone(), coordinates, key: Some(json!({"id": id})), value: Some(value) })
        });
        let mut batches = batches(&self.writes, &self.order, self.batch_size);
        batches.insert(if self.businesses_first { 0 } else { batches.len() }, Batch { records: known.to_vec(), steps: Vec::new() });
        batches
    }

    /// The acts in the order in which they are done, each with the number of the batch that it is done before.
    fn acts(&self, batches: usize) -> Vec<(usize, Act)> {
        let mut acts: Vec<(usize, Act)> = self.acts.iter().map(|(place, act)| (place.index(batches), act.clone())).collect();
        acts.sort_by_key(|(place, _)| *place);
        acts
    }

    async fn happens(&self, store: &Store, post: impl AsyncFn(&Store, &Batch)) {
        let batches = self.batches();
        set_yield(store).await;
        let acts = self.acts(batches.len());
        let (mut next, mut invoices) = (0, Vec::new());
        for (number, batch) in batches.iter().enumerate() {
            while let Some((_, act)) = acts.get(next).filter(|(place, _)| *place == number) {
                perform(store, next, act, &mut invoices).await;
                next += 1;
            }
            post(store, batch).await;
        }
        let acts: Vec<Act> = acts.into_iter().map(|(_, act)| act).collect();
        for (index, business) in BUSINESSES.into_iter().enumerate() {
            let (mut expected, pending) = recomputed(&self.writes, &acts, index);
            expected.stock.retain(|_, quantity| *quantity != 0);
            assert_eq!(kept(store, business).await, (expected, pending), "{business}");
        }
        are_sound(store).await;
    }
}

async fn are_sound(store: &Store) {
    let mut db = store.read().await.unwrap();
    let sums = "SELECT CAST(coalesce(max(abs(total)), 0) AS BIGINT) FROM \
        (SELECT sum(amount_minor) AS total FROM postings GROUP BY business_id, journal_id, currency) AS sums";
    assert_eq!(sqlx::query_scalar::<_, i64>(sums).fetch_one(&mut *db).await.unwrap(), 0, "each journal sums to zero");
    drop(db);
    for business in BUSINESSES {
        verify(store, business).await.unwrap();
    }
}

async fn post_once(store: &Store, batch: &Batch) {
    sales::post(store, &Mapping::default(), Clock::System, batch).await.unwrap();
}

/// Posts a batch that is broken off at its first step, then at its second, and so on until it comes to its end.
async fn post_through_crashes(store: &Store, batch: &Batch) {
    let mapping = Mapping::default();
    for steps in 1.. {
        let mut post = Box::pin(sales::post(store, &mapping, Clock::System, batch));
        let mut polls = 0;
        let ended = poll_fn(|context| {
            polls += 1;
            match post.as_mut().poll(context) {
                Poll::Ready(posted) => Poll::Ready(Some(posted)),
                // Dropped in the middle of whatever it waits for.
                Poll::Pending if polls == steps => Poll::Ready(None),
                Poll::Pending => Poll::Pending,
            }
        });
        if let Some(posted) = ended.await {
            posted.unwrap();
            return;
        }
    }
}

fn run(history: &History, post: impl AsyncFn(&Store, &Batch)) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        for books in stores::all().await {
            history.happens(&books.store, &post).await;
        }
    });
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

    #[test]
    fn books_follow_from_the_final_rows(history in history(40)) {
        run(&history, post_once);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4, ..ProptestConfig::default() })]

    #[test]
    fn crashes_at_every_step_change_nothing(history in history(12)) {
        run(&history, post_through_crashes);
    }
}
