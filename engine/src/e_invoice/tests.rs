//! Each syntax by a document of its own, bad XML, and what becomes of an e-invoice and its page together.

use super::*;
use proptest::prelude::*;
use proto::{Invoice, TextLine, invoice::Status};

const FACTUR_X: &str = include_str!("../../tests/e_invoices/factur-x.xml");
const ZUGFERD_1: &str = include_str!("../../tests/e_invoices/zugferd-1.xml");
const UBL_CREDIT_NOTE: &str = include_str!("../../tests/e_invoices/ubl-credit-note.xml");

fn read_text(text: &str) -> EInvoice {
    read(text.as_bytes()).unwrap()
}

fn some(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn number(text: &str) -> Option<Decimal> {
    Some(text.parse().unwrap())
}

#[test]
fn factur_x() {
    let invoice = read_text(FACTUR_X);
    assert_eq!((invoice.document_type, invoice.number), (DocumentType::Invoice, some("LW-2026/0417")));
    assert_eq!((invoice.issued, invoice.due), (Some(Date::constant(2026, 3, 5)), Some(Date::constant(2026, 4, 4))));
    let seller = Party {
        name: some("Liffey Wines Ltd"),
        address: some("1 Quay Street D01 X2X2 Dublin"),
        vat_id: some("IE6388047V"),
        phone: some("+353 1 555 0100"),
    };
    assert_eq!((invoice.seller, invoice.buyer.name), (seller, some("The Anchor Bar")));
    let keg = Line {
        code: some("GK50"),
        description: some("Harbour Stout Keg 50L"),
        quantity: number("2"),
        unit: some("XKG"),
        price: number("185"),
        discount: number("20"),
        vat_rate: number("23"),
        total: number("350"),
    };
    assert_eq!(invoice.lines[0], keg);
    assert_eq!((invoice.lines[1].price, invoice.lines[1].discount), (number("0.0125"), None), "a price of a thousand");
    assert_eq!(invoice.taxes[1], Tax { rate: number("13.5"), net: number("50"), amount: number("6.75") });
    assert_eq!((invoice.totals.vat, invoice.totals.gross), (number("84.95"), number("474.95")), "not the VAT in pounds");
}

#[test]
fn zugferd_1() {
    let invoice = read_text(ZUGFERD_1);
    assert_eq!((invoice.number, invoice.seller.name), (some("77"), some("Brauerei Hafen GmbH")));
    assert_eq!(invoice.lines.len(), 1, "a line that is only a note is none");
    let Line { description, quantity, price, vat_rate, total, .. } = &invoice.lines[0];
    assert_eq!((description, *quantity, *price), (&some("Helles 50l"), number("2"), number("50")));
    assert_eq!((*vat_rate, *total, invoice.totals.net, invoice.taxes[0].rate), (number("19"), number("100"), number("100"), number("19")));
}

#[test]
fn ubl() {
    let invoice = read_text(UBL_CREDIT_NOTE);
    assert_eq!((invoice.document_type, invoice.number), (DocumentType::CreditNote, some("CN-9")));
    assert_eq!((invoice.issued, invoice.due), (Some(Date::constant(2026, 3, 7)), Some(Date::constant(2026, 3, 31))));
    let seller = Party {
        name: some("Harbour Ales Brewing Ltd"),
        address: some("2 Dock Road T12 A1A1 Cork"),
        vat_id: some("IE6388047V"),
        phone: some("021 555 0123"),
    };
    assert_eq!(invoice.seller, seller);
    let line = &invoice.lines[0];
    assert_eq!((&line.code, &line.description), (&some("PA24"), &some("Pale Ale 24x330ml")));
    assert_eq!((line.quantity, line.price, line.discount, line.total), (number("1"), number("22.5"), number("-1.5"), number("24")));
    assert_eq!((invoice.totals.vat, invoice.taxes.len()), (number("5.52"), 1), "not the VAT in dollars");
}

#[test]
fn bad_xml_is_named() {
    let cases = [
        ("<Invoice><ID>", "the XML is damaged"),
        ("<html><body/></html>", "the XML is a \"html\", where an invoice in UN/CEFACT CII"),
        ("<!DOCTYPE a [<!ENTITY b \"bb\">]><Invoice>&b;</Invoice>", "the XML is damaged"),
        ("<Invoice>\n<IssueDate>5/3/2026</IssueDate></Invoice>", "line 2 of the XML: IssueDate is \"5/3/2026\", which is no date"),
        (
            "<Invoice><LegalMonetaryTotal><TaxInclusiveAmount>1,5</TaxInclusiveAmount></LegalMonetaryTotal></Invoice>",
            "line 1 of the XML: TaxInclusiveAmount is \"1,5\", which is no decimal number",
        ),
    ];
    for (text, expected) in cases {
        let message = read(text.as_bytes()).unwrap_err().to_string();
        assert!(message.starts_with(expected), "{text}: {message}");
    }
    assert!(matches!(read(b"<a>\xff</a>"), Err(EInvoiceError::Encoding(_))));
    assert!(matches!(read(&vec![b' '; MAX_XML_BYTES + 1]), Err(EInvoiceError::TooLarge { .. })));
}

#[test]
fn deep_nesting_does_no_harm() {
    let depth = 100_000;
    let text = format!("{}{}", "<a>".repeat(depth), "</a>".repeat(depth));
    assert!(read(text.as_bytes()).is_err());
}

#[test]
fn corrected_invoices_credit_where_they_are_negative() {
    for (gross, expected) in [("-8.79", DocumentType::CreditNote), ("8.79", DocumentType::Invoice), ("-0.00", DocumentType::Invoice)] {
        let totals = Totals { gross: number(gross), ..Totals::default() };
        assert_eq!(document_type(Some("384"), &totals), expected, "{gross}");
    }
}

/// What was read on a page with these lines: a total of 99.00 and a telephone number.
fn page(lines: &[&str]) -> Invoice {
    let field = |text: &str| Some(proto::Field { text: text.into(), value: text.into(), ..Default::default() });
    let line = |text: &&str| TextLine { page: 0, quad: vec![0, 0, 90, 0, 90, 9, 0, 9], text: text.to_string(), confidence: 0.9 };
    Invoice {
        pages: vec![proto::Page { width: 100, height: 100, rotation_degrees: 0 }],
        supplier: Some(proto::Supplier { name: field("Liffey"), phone: field("555"), ..Default::default() }),
        totals: Some(proto::Totals { gross: field("99.00"), ..Default::default() }),
        lines: vec![proto::Line { description: field("of the page"), ..Default::default() }],
        text: lines.iter().map(line).collect(),
        ..Invoice::default()
    }
}

#[test]
fn xml_alone_is_a_document() {
    for text in [FACTUR_X, ZUGFERD_1, UBL_CREDIT_NOTE] {
        let merged = merge(Invoice::default(), &read_text(text));
        assert_eq!((merged.status(), &merged.review_reasons), (Status::Ready, &Vec::new()), "{:?}", merged.checks);
        assert!(merged.checks.len() > 4);
    }
}

#[test]
fn the_page_agrees_or_a_person_looks() {
    let agreeing = ["Invoice LW-2026/0417", "5 March 2026", "Total 474,95", "Liffey Wines Ltd."];
    let merged = merge(page(&agreeing), &read_text(FACTUR_X));
    assert_eq!((merged.status(), merged.review_reasons.len()), (Status::Ready, 0), "{:?}", merged.checks);
    let (supplier, totals) = (merged.supplier.unwrap(), merged.totals.unwrap());
    let name = supplier.name.unwrap();
    assert_eq!((name.text.as_str(), name.page, name.quad.len()), ("Liffey Wines Ltd", Some(0), 8));
    assert_eq!(supplier.phone.unwrap().value, "+353 1 555 0100");
    assert_eq!(totals.gross.unwrap().text, "474,95");
    assert_eq!((merged.lines.len(), merged.lines[0].unit.as_ref().unwrap().value.as_str()), (2, "keg"));

    let contradicting = merge(page(&["Invoice LW-2026/0417", "5 March 2026", "Total 99.00"]), &read_text(FACTUR_X));
    assert_eq!(contradicting.status(), Status::NeedsReview);
    assert_eq!(contradicting.review_reasons, ["the e-invoice's total 474.95 is not printed on the page, where \"99.00\" was read"]);
    assert_eq!(merge(page(&[]), &read_text(FACTUR_X)).status(), Status::NeedsReview, "nothing to check against");
}

#[test]
fn what_the_e_invoice_leaves_out_stays_as_read() {
    let mut minimal = read_text(FACTUR_X);
    (minimal.lines, minimal.seller.phone) = (Vec::new(), None);
    let merged = merge(page(&["LW-2026/0417", "05.03.2026", "474.95"]), &minimal);
    assert_eq!(merged.lines[0].description.as_ref().unwrap().value, "of the page");
    assert_eq!(merged.supplier.unwrap().phone.unwrap().value, "555");
}

#[test]
fn a_rounded_price_may_miss_the_total_by_what_rounding_lost() {
    for (price, total, passed) in [("2.77", "55.46", true), ("2.77", "55.52", false), ("2.7700", "55.46", true), ("2.771", "55.46", false)]
    {
        let mut invoice = read_text(FACTUR_X);
        invoice.lines[0] = Line { quantity: number("20"), price: number(price), total: number(total), ..Line::default() };
        let check = rules::checks(&invoice).remove(0);
        assert_eq!(check.passed, passed, "{}", check.detail);
    }
}

#[test]
fn the_largest_numbers_fail_and_do_no_harm() {
    let (most, least) = (Decimal::MAX.to_string(), Decimal::MIN.to_string());
    let mut invoice = read_text(FACTUR_X);
    invoice.totals = Totals { net: number(&most), vat: number("0"), gross: number(&least), ..Totals::default() };
    invoice.lines[0] = Line { quantity: number(&most), price: number("1"), total: number(&least), ..Line::default() };
    assert!(rules::checks(&invoice).iter().any(|check| check.name == "gross" && !check.passed));
    merge(page(&["1.00"]), &invoice);
}

#[test]
fn an_e_invoice_that_cannot_be_read_waits_with_its_page() {
    let error = read(b"<Invoice>").unwrap_err();
    let read = unreadable(page(&["Total 99.00"]), &error);
    assert_eq!(read.status(), Status::NeedsReview);
    assert!(read.review_reasons[0].starts_with("the PDF holds an e-invoice that can't be read: the XML is damaged: "), "{read:?}");
}

#[test]
fn each_rule_can_fail() {
    type Break = fn(&mut EInvoice);
    let cases: [(&str, Break); 7] = [
        ("lines[0].line_total", |i| i.lines[0].quantity = number("3")),
        ("vat[0].amount", |i| i.taxes[0].rate = number("21")),
        ("lines_sum", |i| i.lines[1].total = number("50.02")),
        ("net", |i| i.totals.allowances = None),
        ("vat_sum", |i| i.taxes.truncate(1)),
        ("gross", |i| i.totals.gross = number("474.93")),
        ("due_date", |i| i.due = Some(Date::constant(2026, 3, 4))),
    ];
    assert!(rules::checks(&read_text(FACTUR_X)).iter().all(|check| check.passed));
    for (name, break_it) in cases {
        let mut invoice = read_text(FACTUR_X);
        break_it(&mut invoice);
        let checks = rules::checks(&invoice);
        assert!(checks.iter().any(|check| check.name == name && !check.passed), "{name}: {checks:?}");
    }
}

proptest! {
    #[test]
    fn cut_and_altered_xml_never_panics(which in 0..3usize, from in 0.0..1.0f64, length in 0..40usize, put in ".{0,8}") {
        let text = [FACTUR_X, ZUGFERD_1, UBL_CREDIT_NOTE][which];
        let mut bytes = text.as_bytes().to_vec();
        let from = (from * bytes.len() as f64) as usize;
        bytes.splice(from..(from + length).min(bytes.len()), put.bytes());
        if let Ok(invoice) = read(&bytes) {
            merge(page(&["474.95"]), &invoice);
        }
    }
}
