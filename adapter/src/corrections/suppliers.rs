//! Suppliers as people confirmed them, for the engine to know: a JSON object a line.

use serde::Serialize;

use proto::{Field, Invoice};

use crate::store::{Store, StoreError};

/// The form that the engine's `--register` reads.
#[derive(Serialize)]
struct KnownSupplier<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    vat_id: Option<&'a str>,
}

/// A line for each document that a person corrected or accepted, as it was confirmed last.
pub async fn suppliers(store: &Store) -> Result<String, StoreError> {
    let mut lines = String::new();
    for (_, invoice) in super::export::confirmed(store).await? {
        let corrupt = |source: serde_json::Error| StoreError::Corrupt { what: "confirmed document", source: source.into() };
        let invoice: Invoice = serde_json::from_str(&invoice).map_err(corrupt)?;
        let Some(supplier) = &invoice.supplier else { continue };
        let Some(name) = said(supplier.name.as_ref()) else { continue };
        let known = KnownSupplier { name, address: said(supplier.address.as_ref()), vat_id: said(supplier.vat_id.as_ref()) };
        lines.push_str(&serde_json::to_string(&known).map_err(corrupt)?);
        lines.push('\n');
    }
    Ok(lines)
}

fn said(field: Option<&Field>) -> Option<&str> {
    field.map(|field| field.value.trim()).filter(|value| !value.is_empty())
}
