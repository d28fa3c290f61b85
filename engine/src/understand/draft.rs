//! What understanding hands to reconciliation: candidates with probabilities, nothing typed, nothing decided for good.

use crate::geometry::Quad;

/// The kind of a document, as in the contracts.
pub use proto::invoice::DocumentType;

/// A stretch of text on a page that may be a value.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// As printed.
    pub text: String,
    pub page: usize,
    pub quad: Quad,
    /// 0 to 1: that this span is the value of its field (understanding and recognition together).
    pub probability: f32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HeaderField {
    SupplierName,
    SupplierAddress,
    SupplierVatId,
    SupplierPhone,
    CustomerName,
    InvoiceNumber,
    IssueDate,
    DueDate,
    Currency,
    Net,
    Vat,
    Gross,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Column {
    Code,
    Description,
    Quantity,
    Unit,
    UnitPrice,
    Discount,
    VatRate,
    LineTotal,
}

/// One row of the table of goods; a column stands at most once.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Item {
    pub cells: Vec<(Column, Span)>,
}

/// One row of a VAT summary.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct VatRow {
    pub rate: Option<Span>,
    pub net: Option<Span>,
    pub amount: Option<Span>,
}

/// A code that stands beside goods for a rate of VAT, both as printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RateCode {
    pub code: String,
    pub rate: String,
}

/// A document as the network sees it.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    pub document_type: DocumentType,
    /// 0 to 1.
    pub document_type_probability: f32,
    /// Several candidates a field are welcome, the most probable first; a field without candidates is absent.
    pub header: Vec<(HeaderField, Span)>,
    /// The supplier's likeliest name with lines beside it: nobody's, unless a register knows it.
    pub longer_names: Vec<Span>,
    /// In reading order.
    pub items: Vec<Item>,
    pub vat: Vec<VatRow>,
    /// What the document explains of the codes beside its goods.
    pub rate_codes: Vec<RateCode>,
    pub payment: Option<Payment>,
}

/// What a customer handed over and was given back: their difference is the total.
#[derive(Debug, Clone, PartialEq)]
pub struct Payment {
    pub handed_over: Span,
    pub change: Span,
}
