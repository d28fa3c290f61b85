//! Documents as printed for the person who corrects them.

use comfy_table::{CellAlignment, Table, presets};
use proto::{Field, Invoice, field};

use super::goods_of;
use crate::{
    documents::{Document, Status, purchase::words, supplier_key},
    stock::product,
    store::{Store, StoreError},
};

/// One row a document.
pub fn list(documents: &[Document]) -> String {
    if documents.is_empty() {
        return "No documents.".to_owned();
    }
    let mut table = table(["Document", "Status", "Supplier", "Number", "Date", "Gross", "Why it waits"]);
    for document in documents {
        let invoice = &document.invoice;
        let shown = |field: Option<&Option<Field>>| field.and_then(words).unwrap_or_default().to_owned();
        table.add_row([
            document.document_id.to_string(),
            standing(document.status).to_owned(),
            shown(invoice.supplier.as_ref().map(|supplier| &supplier.name)),
            shown(Some(&invoice.invoice_number)),
            shown(Some(&invoice.issue_date)),
            shown(invoice.totals.as_ref().map(|totals| &totals.gross)),
            document.reasons.join("; "),
        ]);
    }
    align_right(&mut table, &[0, 5]);
    table.to_string()
}

/// A document's fields, the most doubtful first, and the products that its lines are.
pub async fn show(store: &Store, document: &Document) -> Result<String, StoreError> {
    let kind = document.invoice.document_type().as_str_name();
    let mut text = format!("Document {} ({}, {kind}): {}", document.document_id, document.source, standing(document.status));
    for reason in &document.reasons {
        text += &format!("\n  {reason}");
    }
    text += &format!("\n{}", fields(&document.invoice));
    let mut db = store.read().await?;
    let supplier = supplier_key(&document.invoice);
    for goods in goods_of(&mut db, document).await? {
        let product = product::matching(&mut db, &document.business, goods.item(&supplier)).await?;
        let product = match product {
            Some(product) if product.proposed => format!("{} (proposed)", product.name),
            Some(product) => product.name,
            None => "new".to_owned(),
        };
        text += &format!("\nlines[{}].product: {product}", goods.line);
    }
    Ok(text)
}

fn fields(invoice: &Invoice) -> Table {
    let mut fields = invoice.fields();
    fields.sort_by(|(_, one), (_, other)| one.confidence.total_cmp(&other.confidence));
    let mut table = table(["Field", "Printed", "Value", "Confidence", ""]);
    for (path, field) in fields {
        let confidence = format!("{:.0} %", field.confidence * 100.0);
        table.add_row([path, field.text.clone(), field.value.clone(), confidence, origin(field).to_owned()]);
    }
    align_right(&mut table, &[3]);
    table
}

fn origin(field: &Field) -> &'static str {
    match field.status() {
        field::Status::Read => "",
        field::Status::Computed => "computed",
        field::Status::Corrected => "corrected",
    }
}

fn standing(status: Status) -> &'static str {
    match status {
        Status::Posted => "in the books",
        Status::Review => "waits",
        Status::Duplicate => "a duplicate",
    }
}

fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_content_arrangement(comfy_table::ContentArrangement::Dynamic).set_header(header);
    table
}

fn align_right(table: &mut Table, columns: &[usize]) {
    for index in columns {
        if let Some(column) = table.column_mut(*index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
}
