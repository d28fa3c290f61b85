//! The commands as a person runs them.

#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod support;

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Output,
    thread,
};

use assert_cmd::Command;
use proto::{
    ExtractInvoiceRequest, Invoice, Totals,
    extraction_server::{Extraction, ExtractionServer},
    invoice,
};
use serde_json::json;
use support::{business, extraction, field, goods, invoice, postgres, sale, transaction};
use tonic::{Request, Response, Status, transport::server::TcpIncoming};

/// A folder with the books of a test.
struct Books {
    folder: tempfile::TempDir,
    database: String,
}

impl Books {
    fn new() -> Self {
        Self::kept_in("sqlite:books.db".to_owned())
    }

    fn kept_in(database: String) -> Self {
        Self { folder: tempfile::tempdir().unwrap(), database }
    }

    fn file(&self, name: &str, lines: &[String]) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, lines.join("\n") + "\n").unwrap();
        path
    }

    fn command(&self, program: &str, arguments: &[&str]) -> Output {
        let mut command = Command::cargo_bin(program).unwrap();
        command.current_dir(self.folder.path()).env("CELLARBOOK_DATABASE", &self.database).env("USER", "ann");
        command.args(arguments).output().unwrap()
    }

    /// Standard output of a command that succeeds.
    fn adapter(&self, arguments: &[&str]) -> String {
        succeeded(self.command("adapter", arguments))
    }

    fn correct(&self, arguments: &[&str]) -> String {
        succeeded(self.command("correct", arguments))
    }

    fn report(&self) -> serde_json::Value {
        serde_json::from_str(&self.adapter(&["report", "--business", "pub", "--json"])).unwrap()
    }
}

fn succeeded(output: Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Exit status 1 and what was said on stderr.
fn failed(output: Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr).unwrap()
}

fn month() -> Vec<String> {
    vec![
        sale("s1", "t1", "Plain Stout", "5.80", Some(568), 10),
        business("pub", "The Long Hall"),
        sale("s2", "t1", "Plain Stout", "5.80", Some(568), 11),
        transaction("t1", "pub", "2026-03-01T19:30:00Z"),
        transaction("t2", "pub", "2026-03-14T21:00:00+00:00"),
        sale("s3", "t2", "Crisps", "2.505", None, 12),
        sale("s4", "t2", "Plain Stout", "-5.80", Some(568), 13),
        sale("s5", "t9", "Plain Stout", "5.80", Some(568), 14),
        "{\"topic\":\"till.public.beers\",".to_owned(),
        sale("s6", "t2", "Plain Stout", "dear", Some(568), 15),
    ]
}

/// A month of a pub: sales, an invoice, a receipt, a document to look at.
fn a_month_of_a_pub() -> Books {
    let books = Books::new();
    fill(&books);
    books
}

fn fill(books: &Books) {
    let events = books.file("events.ndjson", &month());
    let receipt = Invoice {
        source: "market.jpg".into(),
        document_type: invoice::DocumentType::Receipt.into(),
        invoice_number: None,
        issue_date: field("2026-03-20"),
        lines: vec![goods("", "Limes", "40", "10.00")],
        vat: Vec::new(),
        totals: Some(Totals { gross: field("10.00"), ..Totals::default() }),
        ..invoice()
    };
    let doubtful = Invoice {
        source: "dark.jpg".into(),
        invoice_number: field("LB-1002"),
        status: invoice::Status::NeedsReview.into(),
        review_reasons: vec!["the total \"246.00\" is uncertain (41 %)".into()],
        ..invoice()
    };
    let documents = [&invoice(), &receipt, &doubtful].map(|document| extraction("pub", document));
    let documents = books.file("documents.ndjson", &documents);
    let (events, documents) = (format!("file:{}", events.display()), format!("file:{}", documents.display()));
    books.adapter(&["run", "--events", &events, "--extractions", &documents, "--until-end"]);
}

#[test]
fn a_month_as_json() {
    // 580 x 0.23 / 1.23 = 108.5, 251 x 0.23 / 1.23 = 46.9: VAT 1.08 + 1.08 + 0.47 - 1.08.
    let expected = json!({
        "business": "pub", "from": "2026-03-01", "to": "2026-03-20", "currency": "EUR",
        "sales": {"gross": "8.31", "net": "6.76", "vat": "1.55", "lines": 4, "transactions": 2},
        "purchases": {"gross": "256.00", "net": "210.00", "vat": "46.00", "lines": 4, "transactions": 2, "documents": 2},
        "cash": {"opening": "0.00", "in": "8.31", "out": "10.00", "closing": "-1.69"},
        "vat_return": {"t1": "1.55", "t2": "46.00", "t3": "0.00", "t4": "44.45"},
        "inventory": [
            {"product": "Crisps", "unit": "each", "on_hand": -1, "sold": 1, "received": 0, "counted": 0, "wasted": 0, "lost_in_serving": 0,
                "net_sales": "2.04", "flags": ["negative"]},
            {"product": "Harbour Lager 24x330ml", "unit": "ml", "on_hand": 7920, "sold": 0, "received": 7920, "counted": 0, "wasted": 0, "lost_in_serving": 0,
                "net_sales": "0.00", "average_cost": "0.003788", "cost_of_sales": "0.00", "margin": "0.00", "flags": ["proposed"]},
            {"product": "Limes", "unit": "each", "on_hand": 40, "sold": 0, "received": 40, "counted": 0, "wasted": 0, "lost_in_serving": 0,
                "net_sales": "0.00", "average_cost": "0.250000", "cost_of_sales": "0.00", "margin": "0.00", "flags": ["proposed"]},
            {"product": "Plain Stout", "unit": "ml", "on_hand": 99_432, "sold": 568, "received": 100_000, "counted": 0, "wasted": 0, "lost_in_serving": 0,
                "net_sales": "4.72", "average_cost": "0.001500", "cost_of_sales": "0.85", "margin": "3.87", "flags": []},
        ],
        "pending": 1, "dead_letters": 2, "review_queue": 1
    });
    assert_eq!(a_month_of_a_pub().report(), expected);
}

#[test]
fn a_month_in_postgresql_is_the_same() {
    let Some(database) = postgres::database() else { return };
    let books = Books::kept_in(database);
    fill(&books);
    let embedded = a_month_of_a_pub();
    for command in [["report", "--business", "pub"].as_slice(), &["report", "--business", "pub", "--json"]] {
        assert_eq!(books.adapter(command), embedded.adapter(command));
    }
    for command in [["list"].as_slice(), &["show", "3"]] {
        assert_eq!(books.correct(command), embedded.correct(command));
    }
}

#[test]
fn dead_letters_are_shown_and_read_again() {
    let books = a_month_of_a_pub();
    let listed = books.adapter(&["dead-letters", "list", "--json"]);
    let letters: Vec<serde_json::Value> = listed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(letters.iter().map(|letter| letter["position"].as_i64().unwrap()).collect::<Vec<_>>(), [9, 10]);
    assert!(books.adapter(&["dead-letters", "list"]).contains("line 10"));
    // A price in words becomes readable where the mapping takes another column for it.
    let mapping = r#"{"sales": {"table": "beers", "id": "product_id", "transaction": "transaction_id", "product": "beer_name",
        "price": "beer_tax_rate", "rate": "beer_tax_rate", "millilitres": "millilitre"}}"#;
    let mapping = books.file("mapping.json", &[mapping.to_owned()]);
    let retried = books.command("adapter", &["dead-letters", "retry", "--mapping", mapping.to_str().unwrap()]);
    let said = String::from_utf8(retried.stdout).unwrap();
    assert_eq!(retried.status.code(), Some(1), "the broken line stays");
    assert!(said.contains("line 10: read") && said.contains("must be sent again by its source"), "{said}");
    let report = books.report();
    assert_eq!((&report["dead_letters"], &report["sales"]["gross"]), (&json!(1), &json!("8.54")));
    assert!(failed(books.command("adapter", &["dead-letters", "retry", "99"])).contains("there is no dead letter 99"));
}

#[test]
fn a_sale_of_the_far_future_waits() {
    let books = Books::new();
    let lines =
        [business("pub", "The Long Hall"), transaction("t1", "pub", "2999-03-01T19:30:00Z"), sale("s1", "t1", "Stout", "5.80", None, 10)];
    let events = format!("file:{}", books.file("events.ndjson", &lines).display());
    books.adapter(&["run", "--events", &events, "--until-end"]);
    assert_eq!(books.report()["pending"], 1);
    let printed = books.adapter(&["report", "--business", "pub"]);
    assert!(printed.contains("2999-03-01T19:30:00Z lies in the future"), "{printed}");
}

#[test]
fn square_orders_are_sales() {
    let books = Books::new();
    let orders = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/square-orders.json");
    let said = failed(books.command("adapter", &["import", "square", orders.to_str().unwrap()]));
    for part in [
        "order o-4: line item d: USD is no currency of these books, which are in EUR",
        "order o-5: line item e: its quantity \"0\" is not a whole number from 1 to 10000",
        "2 orders: 6 sales posted, 0 reversed; 1 orders not completed, 2 refused",
    ] {
        assert!(said.contains(part), "{said}");
    }
    // 17.45 + 8.95 + 2.64 - 5.80; VAT 3.26 + 1.06 - 1.08.
    let sales = json!({"gross": "23.24", "net": "20.00", "vat": "3.24", "lines": 6, "transactions": 2});
    assert_eq!(books.report()["sales"], sales);
    failed(books.command("adapter", &["import", "square", orders.to_str().unwrap()]));
    assert_eq!(books.report()["sales"], sales, "the same export again changes nothing");

    // Two pints after all, nothing to eat, no service charge; and the refund was cancelled.
    let newer = r#"[{"id": "o-1", "location_id": "pub", "state": "COMPLETED", "version": 4, "closed_at": "2026-03-01T19:30:00Z", "line_items": [
        {"uid": "a", "name": "Plain Stout", "variation_name": "Pint", "quantity": "2", "total_money": {"amount": 1160, "currency": "EUR"},
         "total_tax_money": {"amount": 216, "currency": "EUR"}}]},
        {"id": "o-2", "location_id": "pub", "state": "CANCELED", "version": 2}]"#;
    let newer = books.file("newer.json", &[newer.to_owned()]);
    books.adapter(&["import", "square", newer.to_str().unwrap()]);
    let sales = json!({"gross": "11.60", "net": "9.44", "vat": "2.16", "lines": 2, "transactions": 1});
    assert_eq!(books.report()["sales"], sales);
    failed(books.command("adapter", &["import", "square", orders.to_str().unwrap()]));
    assert_eq!(books.report()["sales"], sales, "an old export takes nothing back");
}

#[test]
fn sound_journals_are_verified() {
    let books = a_month_of_a_pub();
    let said = books.adapter(&["verify"]);
    assert!(said.starts_with("pub: 6 journals, sound; newest hash "), "{said}");
    assert!(failed(books.command("adapter", &["verify", "--business", "bar"])).contains("known are: pub"));
}

#[test]
fn a_month_as_printed() {
    let books = a_month_of_a_pub();
    insta::assert_snapshot!("report", books.adapter(&["report", "--business", "pub"]));
    insta::assert_snapshot!("list", books.correct(&["list"]));
    insta::assert_snapshot!("show", books.correct(&["show", "3"]));
}

#[test]
fn periods_of_the_report() {
    let books = a_month_of_a_pub();
    let report = books.adapter(&["report", "--business", "pub", "--from", "2026-03-10", "--to", "2026-03-31", "--json"]);
    let report: serde_json::Value = serde_json::from_str(&report).unwrap();
    assert_eq!((report["from"].as_str(), report["to"].as_str()), (Some("2026-03-10"), Some("2026-03-31")));
    assert_eq!(report["cash"], json!({"opening": "11.60", "in": "-3.29", "out": "10.00", "closing": "-1.69"}));
    let turned = books.command("adapter", &["report", "--business", "pub", "--from", "2026-03-10", "--to", "2026-03-01"]);
    assert!(failed(turned).contains("begins on 2026-03-10, after its end"));
    assert!(failed(books.command("adapter", &["report", "--business", "bar"])).contains("known are: pub"));
}

#[test]
fn broken_lines_are_named_and_replays_change_nothing() {
    let books = Books::new();
    let events = books.file("events.ndjson", &month());
    let source = format!("file:{}", events.display());
    let first = books.command("adapter", &["run", "--events", &source, "--until-end"]);
    let said = String::from_utf8_lossy(&first.stderr).into_owned();
    assert!(first.status.success(), "{said}");
    assert!(said.contains("line 9: the line is no JSON"), "{said}");
    assert!(said.contains("line 10: table beers: column beer_price_per_unit: \"dear\" is no decimal"), "{said}");
    let report = books.report();
    assert_eq!((&report["pending"], &report["dead_letters"]), (&1.into(), &2.into()));
    for copy in ["events.ndjson", "copy.ndjson"] {
        let copy = books.file(copy, &month());
        books.adapter(&["run", "--events", &format!("file:{}", copy.display()), "--until-end"]);
        assert_eq!(books.report(), report);
    }
}

#[test]
fn a_correction_mends_the_books_at_once() {
    let books = a_month_of_a_pub();
    let before = books.report();
    assert_eq!(before["purchases"]["gross"], "256.00");
    books.correct(&["set", "1", "totals.vat=36.00", "totals.gross=236.00", "lines[0].quantity=3"]);
    let after = books.report();
    assert_eq!((&after["purchases"]["gross"], &after["purchases"]["vat"]), (&"246.00".into(), &"36.00".into()));
    let stout = |report: &serde_json::Value| {
        let inventory = report["inventory"].as_array().unwrap();
        inventory.iter().find(|item| item["product"] == "Plain Stout").unwrap()["received"].clone()
    };
    assert_eq!((stout(&before), stout(&after)), (100_000.into(), 150_000.into()));
    assert_eq!(after["sales"], before["sales"]);

    let refused = failed(books.command("correct", &["set", "1", "totals.gross=100.00"]));
    assert!(refused.contains("document 1 can't be booked so: net 200.00 and VAT 36.00 do not make 100.00"), "{refused}");
    assert_eq!(books.report(), after, "a refused correction leaves no trace");

    books.correct(&["accept", "3"]);
    let accepted = books.report();
    assert_eq!((&accepted["review_queue"], &accepted["purchases"]["documents"]), (&0.into(), &3.into()));
    let out = books.folder.path().join("training");
    books.correct(&["export", "--out", out.to_str().unwrap()]);
    let exported: Invoice = serde_json::from_slice(&fs::read(out.join("1.json")).unwrap()).unwrap();
    assert_eq!(exported.totals.unwrap().gross.unwrap().value, "236.00");

    let name = invoice().supplier.unwrap().name.unwrap().value;
    let suppliers = books.correct(&["suppliers"]);
    let known: Vec<serde_json::Value> = suppliers.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(known.len() == 2 && known.iter().all(|supplier| supplier["name"] == name.as_str()), "{suppliers}");
}

#[test]
fn sources_and_databases_that_are_not_there() {
    let books = Books::new();
    for (arguments, said) in [
        (vec!["run", "--events", "file:none.ndjson", "--until-end"], "can't open the event file none.ndjson"),
        (vec!["report", "--business", "pub"], "there is no database books.db"),
    ] {
        let error = failed(books.command("adapter", &arguments));
        assert!(error.contains(said), "{error}");
    }
    for (arguments, said) in [
        (vec!["run", "--events", "kafka://?group=books"], "give kafka://HOST:PORT?group=NAME"),
        (vec!["run", "--events", "file:x", "--database", "books.db"], "give sqlite:PATH or postgres://"),
        (vec!["run"], "--events"),
    ] {
        let output = books.command("adapter", &arguments);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && error.contains(said), "{error}");
    }
    assert!(failed(books.command("correct", &["list"])).contains("there is no database"));
}

/// Reads every PDF as [`invoice`], and refuses everything else as the engine does.
struct Reader;

#[tonic::async_trait]
impl Extraction for Reader {
    async fn extract_invoice(&self, request: Request<ExtractInvoiceRequest>) -> Result<Response<Invoice>, Status> {
        let request = request.into_inner();
        if request.pages.iter().all(|page| page.starts_with(b"%PDF")) {
            Ok(Response::new(Invoice { source: request.source, ..invoice() }))
        } else {
            Err(Status::invalid_argument("page 1 is neither a picture nor a PDF"))
        }
    }
}

/// A reader behind gRPC, for as long as the test runs.
fn reader() -> SocketAddr {
    let (address, bound) = std::sync::mpsc::channel();
    thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
            address.send(listener.local_addr().unwrap()).unwrap();
            let server = tonic::transport::Server::builder().add_service(ExtractionServer::new(Reader));
            server.serve_with_incoming(TcpIncoming::from(listener)).await.unwrap();
        });
    });
    bound.recv().unwrap()
}

fn write(folder: &Path, name: &str, content: &str) -> String {
    fs::write(folder.join(name), content).unwrap();
    name.to_owned()
}

#[test]
fn documents_are_read_by_an_engine_elsewhere() {
    let books = Books::new();
    let engine = format!("http://{}", reader());
    let folder = books.folder.path();
    let good = write(folder, "brewery.pdf", "%PDF one");
    let again = write(folder, "copy.pdf", "%PDF one");
    let scanned_again = write(folder, "scan.pdf", "%PDF two");
    let bad = write(folder, "notes.txt", "no document");
    let arguments = ["ingest", "--business", "pub", "--engine", &engine, &bad, "missing.pdf", &good, &again, &scanned_again];
    let output = books.command("adapter", &arguments);
    let told = "brewery.pdf: posted as document 1\ncopy.pdf: is document 1 already, not posted again\n\
        scan.pdf: kept as document 2, not posted: it is document 1 again\n";
    assert_eq!(String::from_utf8_lossy(&output.stdout), told);
    let errors = failed(output);
    assert!(errors.contains("notes.txt: page 1 is neither a picture nor a PDF"), "{errors}");
    assert!(errors.contains("missing.pdf: can't be opened: No such file"), "{errors}");
    let report = books.report();
    assert_eq!((&report["purchases"]["documents"], &report["purchases"]["gross"]), (&1.into(), &"246.00".into()));
}

#[test]
fn a_yield_is_set_listed_and_held_to_reason() {
    let books = a_month_of_a_pub();
    let set = books.adapter(&["yield", "--business", "pub", "Plain Stout=95.5%", "Crisps = 100"]);
    assert!(set.contains("95.5 %") && set.contains("100 %"), "{set}");
    let listed = books.adapter(&["yield", "--business", "pub"]);
    assert_eq!(listed, set);
    for (arguments, reason) in [
        (["yield", "--business", "pub", "Plain Stout=0%"].as_slice(), "give a percentage of 1 to 100"),
        (&["yield", "--business", "pub", "Plain Stout=95.12345%"], "give a percentage of 1 to 100"),
        (&["yield", "--business", "pub", "Plain Stout=most"], "give a percentage of 1 to 100"),
        (&["yield", "--business", "pub", "Stuot=95%"], "there is no product \"Stuot\""),
        (&["yield", "--business", "pub", "--from", "2026-01-01", "Plain Stout=95%"], "give a day to come"),
        (&["yield", "--business", "nobody", "Plain Stout=95%"], "\"nobody\" is not known"),
    ] {
        let error = failed(books.command("adapter", arguments));
        assert!(error.contains(reason), "{arguments:?}: {error}");
    }
}
