use std::collections::BTreeSet;

use engine::recognise::charset;
use proto::Field;

use super::*;
use crate::synthetic::typefaces::SYSTEM_FONTS;

/// A generator over the machine's fonts; none where there are no fonts.
fn generator() -> Option<DocumentGenerator> {
    let generator = DocumentGenerator::new(Path::new(SYSTEM_FONTS), 11).ok();
    if generator.is_none() {
        println!("skipped: no fonts on this machine");
    }
    generator
}

fn fields(invoice: &Invoice) -> Vec<&Field> {
    let supplier = invoice.supplier.iter().flat_map(|s| [&s.name, &s.address, &s.vat_id, &s.phone]);
    let totals = invoice.totals.iter().flat_map(|t| [&t.net, &t.vat, &t.gross]);
    let heads = [&invoice.invoice_number, &invoice.issue_date, &invoice.due_date, &invoice.currency].into_iter();
    let lines = invoice
        .lines
        .iter()
        .flat_map(|l| [&l.code, &l.description, &l.quantity, &l.unit, &l.unit_price, &l.discount, &l.vat_rate, &l.line_total]);
    let vat = invoice.vat.iter().flat_map(|v| [&v.rate, &v.net, &v.amount]);
    supplier.chain(totals).chain(heads).chain(lines).chain(vat).flatten().collect()
}

#[test]
fn fields_and_lines_stand_inside_the_pages_and_say_what_is_printed() {
    let Some(generator) = generator() else { return };
    let mut layouts = BTreeSet::new();
    for index in 0..60 {
        let document = generator.text(index);
        layouts.insert(document.layout);
        for line in &document.lines {
            let page = &document.truth.pages[line.page];
            assert!(line.quad.left() >= 0.0 && line.quad.top() >= 0.0, "{index} {line:?}");
            assert!(line.quad.right() <= page.width as f32 + 1.0 && line.quad.bottom() <= page.height as f32 + 1.0, "{index} {line:?}");
            assert!(!line.text.is_empty() && line.text.chars().all(|c| charset::class(c).is_some()), "{index} {line:?}");
        }
        for field in fields(&document.truth) {
            assert_eq!(field.quad.len(), 8, "{index} {field:?}");
            assert!(!field.text.is_empty() && !field.value.is_empty(), "{index} {field:?}");
            let page = field.page.unwrap() as usize;
            let printed = document.lines.iter().filter(|line| line.page == page).any(|line| line.text.contains(&field.text));
            let spans_lines = Some(field) == document.truth.supplier.as_ref().and_then(|s| s.address.as_ref());
            let name = Some(field) == document.truth.supplier.as_ref().and_then(|s| s.name.as_ref());
            assert!(printed || spans_lines || name, "{index} {field:?}");
        }
        assert!(
            document.truth.issue_date.is_some() && document.truth.invoice_number.is_some() || document.layout.contains("mixed"),
            "{index}"
        );
    }
    assert!(layouts.len() >= 10, "{layouts:?}");
}

#[test]
fn a_document_depends_on_seed_and_index_only() {
    let Some(generator) = generator() else { return };
    let again = DocumentGenerator::new(Path::new(SYSTEM_FONTS), 11).unwrap();
    for index in [3, 1, 2] {
        assert_eq!(generator.document(index), again.document(index));
    }
    assert_ne!(generator.text(1).truth, generator.text(2).truth);
}

#[test]
fn pictures_and_bare_text_speak_of_the_same_deal() {
    let Some(generator) = generator() else { return };
    for index in 0..6 {
        let (pictured, bare) = (generator.document(index), generator.text(index));
        assert_eq!(pictured.truth.invoice_number.map(|f| f.value), bare.truth.invoice_number.map(|f| f.value));
        assert_eq!(pictured.lines.len(), bare.lines.len());
        assert_eq!(pictured.pages.len(), bare.truth.pages.len());
        for (picture, page) in pictured.pages.iter().zip(&pictured.truth.pages) {
            assert_eq!(picture.dimensions(), (page.width, page.height));
        }
    }
}
