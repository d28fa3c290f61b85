//! Documents into the books: what posts by itself, what waits, what was seen before, what is learnt.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use adapter::{
    clock::Clock,
    corrections::{self, Corrector},
    documents::{self, Incoming, Received},
    report::{Period, Report, report},
    store::Store,
};
use proto::{Field, Invoice, Supplier, Totals, invoice};
use support::{field, goods, invoice, stores};

const CLOCK: Clock = Clock::Fixed(jiff::Timestamp::UNIX_EPOCH);
const ANN: Corrector<'static> = Corrector { name: "ann", clock: CLOCK };

struct Pub {
    store: Store,
    _books: stores::Books,
}

impl Pub {
    /// One for each kind of database.
    async fn all() -> Vec<Self> {
        stores::all().await.into_iter().map(|books| Self { store: books.store.clone(), _books: books }).collect()
    }

    async fn receive(&self, invoice: Invoice) -> Received {
        let mut db = self.store.write().await.unwrap();
        let digest = documents::digest([serde_json::to_vec(&invoice).unwrap().as_slice()]);
        let incoming = Incoming { business: "pub".into(), source: invoice.source.clone(), digest, files: Vec::new(), invoice };
        let received = documents::receive(&mut db, &incoming, CLOCK.now()).await.unwrap();
        db.commit().await.unwrap();
        received
    }

    async fn report(&self) -> Report {
        report(&self.store, "pub", Period::default(), CLOCK).await.unwrap()
    }

    async fn set(&self, document: i64, assignments: &[&str]) -> documents::Document {
        let assignments: Vec<_> = assignments.iter().map(|assignment| assignment.parse().unwrap()).collect();
        corrections::set(&self.store, document, &assignments, ANN).await.unwrap()
    }

    /// Product, unit, on hand.
    async fn stock(&self) -> Vec<(String, String, i64)> {
        self.report().await.inventory.into_iter().map(|item| (item.product, item.unit, item.on_hand)).collect()
    }
}

fn items(stock: &[(&str, &str, i64)]) -> Vec<(String, String, i64)> {
    stock.iter().map(|(product, unit, on_hand)| ((*product).to_owned(), (*unit).to_owned(), *on_hand)).collect()
}

#[tokio::test]
async fn a_ready_invoice_is_owed_and_its_goods_are_in_stock() {
    for books in Pub::all().await {
        assert_eq!(books.receive(invoice()).await, Received::Posted { document_id: 1 });
        let report = books.report().await;
        assert_eq!((report.purchases.gross.minor, report.purchases.vat.minor, report.purchases.net.minor), (24_600, 4_600, 20_000));
        assert_eq!((report.purchases.lines, report.purchases.documents), (3, 1));
        assert_eq!((report.cash.closing.minor, report.cash.owed.minor), (0, 24_600));
        assert_eq!((report.vat_return.t2.minor, report.vat_return.t4.minor), (4_600, 4_600));
        // The deposit is no goods.
        assert_eq!(books.stock().await, items(&[("Harbour Lager 24x330ml", "ml", 7_920), ("Plain Stout 50L Keg", "ml", 100_000)]));
    }
}

#[tokio::test]
async fn a_credit_note_takes_back() {
    for books in Pub::all().await {
        books.receive(invoice()).await;
        let credit = Invoice { document_type: invoice::DocumentType::CreditNote.into(), invoice_number: field("CN-1"), ..invoice() };
        assert_eq!(books.receive(credit).await, Received::Posted { document_id: 2 });
        let report = books.report().await;
        assert_eq!((report.purchases.gross.minor, report.vat_return.t2.minor, report.cash.owed.minor), (0, 0, 0));
        assert!(report.inventory.iter().all(|item| item.on_hand == 0));
    }
}

#[tokio::test]
async fn what_is_doubtful_waits_and_says_why() {
    let no_total = Invoice { totals: None, vat: Vec::new(), ..invoice() };
    let docket = Invoice { document_type: invoice::DocumentType::DeliveryDocket.into(), ..invoice() };
    let ringgit = Invoice { currency: field("MYR"), ..invoice() };
    let faint = Invoice { issue_date: field("2026-03-02").map(|date| Field { confidence: 0.3, ..date }), ..invoice() };
    let unsure = Invoice { status: invoice::Status::NeedsReview.into(), ..invoice() };
    let askew = Invoice { totals: Some(Totals { net: field("200.00"), vat: field("46.00"), gross: field("240.00") }), ..invoice() };
    let no_date = Invoice { issue_date: field("soon"), ..invoice() };
    for (document, reason) in [
        (no_total, "totals.gross is missing"),
        (docket, "a delivery docket is not posted"),
        (ringgit, "it is in MYR, the books are kept in EUR"),
        (faint, "issue_date 2026-03-02 is uncertain (30 %)"),
        (unsure, "the reader is not sure of it"),
        (askew, "net 200.00 and VAT 46.00 do not make 240.00"),
        (no_date, "issue_date \"soon\" is no date YYYY-MM-DD"),
    ] {
        for books in Pub::all().await {
            let Received::Review { reasons, .. } = books.receive(document.clone()).await else { panic!("{reason}") };
            assert!(reasons.iter().any(|given| given.contains(reason)), "{reason}: {reasons:?}");
            let report = books.report().await;
            assert_eq!((report.review_queue, report.purchases.documents), (1, 0));
        }
    }
}

#[tokio::test]
async fn a_document_seen_before_is_kept_and_not_posted() {
    for books in Pub::all().await {
        books.receive(invoice()).await;
        assert_eq!(books.receive(invoice()).await, Received::Known { document_id: 1 });
        let other_scan = Invoice { source: "photo.jpg".into(), ..invoice() };
        assert_eq!(books.receive(other_scan).await, Received::Duplicate { document_id: 2, of: 1 });
        assert_eq!(books.report().await.purchases.documents, 1);
        // The number was misread: it is another document after all.
        books.set(2, &["invoice_number=LB-1007"]).await;
        assert_eq!(books.report().await.purchases.documents, 2);
    }
}

#[tokio::test]
async fn a_correction_of_a_waiting_document_posts_it_when_nothing_is_left_in_doubt() {
    for books in Pub::all().await {
        let misread = Invoice {
            totals: Some(Totals { net: field("200.00"), vat: field("46.00"), gross: field("296.00") }),
            status: invoice::Status::NeedsReview.into(),
            review_reasons: vec!["net 200.00 + VAT 46.00 is not 296.00".into()],
            ..invoice()
        };
        books.receive(misread).await;
        assert_eq!(books.report().await.review_queue, 1);
        let still = books.set(1, &["supplier.phone=01 234 5678"]).await;
        assert_eq!(still.status, documents::Status::Review);
        let mended = books.set(1, &["totals.gross=246.00"]).await;
        assert_eq!(mended.status, documents::Status::Posted, "{:?}", mended.reasons);
        assert_eq!(books.report().await.purchases.gross.minor, 24_600);
        let mut db = books.store.read().await.unwrap();
        let audit: Vec<(String, Option<String>, String, String)> =
            sqlx::query_as("SELECT field, old_value, new_value, corrected_by FROM corrections").fetch_all(&mut *db).await.unwrap();
        assert_eq!(audit[1], ("totals.gross".into(), Some("296.00".into()), "246.00".into(), "ann".into()));
    }
}

#[tokio::test]
async fn names_are_learnt_for_the_next_document() {
    for books in Pub::all().await {
        let printed = |number: &str| Invoice {
            supplier: Some(Supplier { name: field("LlFFEY BREWERY"), ..Supplier::default() }),
            invoice_number: field(number),
            lines: vec![goods("K50", "PLN STOUT 50L KEG", "2", "150.00"), goods("", "XR7 mixer", "1", "50.00")],
            ..invoice()
        };
        books.receive(printed("1")).await;
        books.set(1, &["supplier.name=Liffey Brewery", "lines[0].product=Plain Stout", "lines[1].product=Tonic"]).await;
        let first = items(&[("Plain Stout", "ml", 100_000), ("Tonic", "each", 1)]);
        assert_eq!(books.stock().await, first, "the proposals' stock went over to the products");
        books.receive(printed("2")).await;
        assert_eq!(books.stock().await, items(&[("Plain Stout", "ml", 200_000), ("Tonic", "each", 2)]));
        let mut db = books.store.read().await.unwrap();
        let second = documents::find(&mut db, 2).await.unwrap().unwrap();
        assert_eq!(second.invoice.supplier.unwrap().name.unwrap().value, "Liffey Brewery");
    }
}

#[tokio::test]
async fn the_owner_s_limit_keeps_large_documents_waiting() {
    for books in Pub::all().await {
        let mut db = books.store.write().await.unwrap();
        adapter::business::register(&mut db, "pub", None, CLOCK.now()).await.unwrap();
        sqlx::query("UPDATE businesses SET posting_limit_minor = 20000").execute(&mut *db).await.unwrap();
        db.commit().await.unwrap();
        let Received::Review { reasons, .. } = books.receive(invoice()).await else { panic!() };
        assert_eq!(reasons, ["246.00 is more than 200.00, which posts by itself"]);
        let accepted = corrections::accept(&books.store, 1, ANN).await.unwrap();
        assert_eq!(accepted.status, documents::Status::Posted);
    }
}
