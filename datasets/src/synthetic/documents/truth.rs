//! The truth of a printed document in the form of the contracts.

use std::collections::BTreeMap;

use engine::geometry::Quad;
use engine::text::TextLine;
use engine::understand::draft::{Column, HeaderField};
use image::GrayImage;
use proto::{Customer, Field, Invoice, Line, Supplier, Totals, Vat};

use super::deal::Deal;
use super::figures::decimal;
use super::sheet::{Mark, MarkedText, PrintedLine, VatColumn};

/// A field's printed stretches, in the order of print, with the page of each.
type Prints<'a> = BTreeMap<Mark, Vec<(usize, &'a MarkedText)>>;

/// The lines of all pages, as reading would yield them.
pub fn text_lines(pages: &[Vec<PrintedLine>]) -> Vec<TextLine> {
    let of_page = |(page, lines): (usize, &Vec<PrintedLine>)| {
        lines.iter().map(move |line| TextLine { page, quad: line.quad, text: line.text.clone(), confidence: 1.0 }).collect::<Vec<_>>()
    };
    pages.iter().enumerate().flat_map(of_page).collect()
}

/// What a perfect reader would say of the document: the fields that are printed, with their places; nothing that is not.
pub fn invoice(source: &str, deal: &Deal, pages: &[Vec<PrintedLine>], pictures: &[GrayImage]) -> Invoice {
    let mut prints: Prints = BTreeMap::new();
    for (page, lines) in pages.iter().enumerate() {
        for marked in lines.iter().flat_map(|line| &line.marks) {
            prints.entry(marked.mark).or_default().push((page, marked));
        }
    }
    let field = |mark: Mark| prints.get(&mark).map(|prints| to_field(deal, mark, prints));
    let header = |name: HeaderField| field(Mark::Header(name));
    Invoice {
        source: source.to_owned(),
        document_type: deal.document_type.into(),
        pages: pictures.iter().map(|p| proto::Page { width: p.width(), height: p.height(), rotation_degrees: 0 }).collect(),
        supplier: Some(Supplier {
            name: header(HeaderField::SupplierName),
            address: header(HeaderField::SupplierAddress),
            vat_id: header(HeaderField::SupplierVatId),
            phone: header(HeaderField::SupplierPhone),
        }),
        customer: header(HeaderField::CustomerName).map(|name| Customer { name: Some(name) }),
        invoice_number: header(HeaderField::InvoiceNumber),
        issue_date: header(HeaderField::IssueDate),
        due_date: header(HeaderField::DueDate),
        currency: header(HeaderField::Currency),
        lines: (0..deal.items.len()).map(|i| line(i, &field)).collect(),
        vat: (0..deal.vat.len()).filter_map(|i| vat(i, &field)).collect(),
        totals: Some(Totals { net: header(HeaderField::Net), vat: header(HeaderField::Vat), gross: header(HeaderField::Gross) }),
        status: proto::invoice::Status::Ready.into(),
        text: text_lines(pages)
            .into_iter()
            .map(|line| proto::TextLine { page: line.page as u32, quad: line.quad.to_pixels(), text: line.text, confidence: 1.0 })
            .collect(),
        ..Invoice::default()
    }
}

fn line(i: usize, field: &impl Fn(Mark) -> Option<Field>) -> Line {
    let cell = |column: Column| field(Mark::Item(i, column));
    Line {
        code: cell(Column::Code),
        description: cell(Column::Description),
        quantity: cell(Column::Quantity),
        unit: cell(Column::Unit),
        unit_price: cell(Column::UnitPrice),
        discount: cell(Column::Discount),
        vat_rate: cell(Column::VatRate),
        line_total: cell(Column::LineTotal),
    }
}

fn vat(i: usize, field: &impl Fn(Mark) -> Option<Field>) -> Option<Vat> {
    let cell = |column: VatColumn| field(Mark::Vat(i, column));
    let row = Vat { rate: cell(VatColumn::Rate), net: cell(VatColumn::Net), amount: cell(VatColumn::Amount) };
    (row.rate.is_some() || row.net.is_some() || row.amount.is_some()).then_some(row)
}

/// Fields over several lines (a long name, an address) are joined with spaces; values printed twice keep their first place.
fn to_field(deal: &Deal, mark: Mark, prints: &[(usize, &MarkedText)]) -> Field {
    let page = prints[0].0;
    let spans_lines =
        matches!(mark, Mark::Header(HeaderField::SupplierName | HeaderField::SupplierAddress) | Mark::Item(_, Column::Description));
    let shown: Vec<&MarkedText> = prints
        .iter()
        .filter(|(of_page, _)| *of_page == page)
        .map(|(_, marked)| *marked)
        .take(if spans_lines { usize::MAX } else { 1 })
        .collect();
    let text = shown.iter().map(|marked| marked.text.as_str()).collect::<Vec<_>>().join(" ");
    let value = value(deal, mark).unwrap_or_else(|| text.clone());
    let quad = shown.iter().map(|marked| marked.quad).reduce(around).map(Quad::to_pixels).unwrap_or_default();
    Field { text, value, confidence: 1.0, page: Some(page as u32), quad, status: proto::field::Status::Read.into() }
}

/// The typed value; none where it is the printed text itself.
fn value(deal: &Deal, mark: Mark) -> Option<String> {
    let cents = |value: i64| Some(decimal(value, 2, false));
    match mark {
        Mark::Header(field) => match field {
            HeaderField::SupplierVatId => Some(deal.supplier.vat_id.clone()),
            HeaderField::IssueDate => Some(deal.issued.to_string()),
            HeaderField::DueDate => Some(deal.due.to_string()),
            HeaderField::Currency => Some(deal.country.currency().to_owned()),
            HeaderField::Net => cents(deal.net_cents),
            HeaderField::Vat => cents(deal.vat_cents),
            HeaderField::Gross => cents(deal.gross_cents),
            _ => None,
        },
        Mark::Item(i, column) => {
            let item = &deal.items[i];
            match column {
                Column::Quantity => Some(decimal(item.quantity_milli, 3, true)),
                Column::UnitPrice => cents(item.unit_price_cents),
                Column::Discount => Some(decimal(item.discount_permille, 1, true)),
                Column::VatRate => Some(decimal(item.rate_permille, 1, true)),
                Column::LineTotal => cents(item.total_cents),
                _ => None,
            }
        }
        Mark::Vat(i, column) => {
            let row = &deal.vat[i];
            match column {
                VatColumn::Rate => Some(decimal(row.rate_permille, 1, true)),
                VatColumn::Net => cents(row.net_cents),
                VatColumn::Amount => cents(row.vat_cents),
            }
        }
    }
}

/// The upright rectangle around both.
fn around(a: Quad, b: Quad) -> Quad {
    Quad::from_edges(a.left().min(b.left()), a.top().min(b.top()), a.right().max(b.right()), a.bottom().max(b.bottom()))
}
