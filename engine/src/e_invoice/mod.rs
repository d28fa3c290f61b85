//! E-invoices: XML that says as data what a page says in print. Its values are taken as the truth, and the page is checked
//! against them.
//!
//! - The model, whose business terms (BT) and rules (BR) are named here: EN 16931-1
//! - UN/CEFACT Cross Industry Invoice, as Factur-X, ZUGFeRD 1 and 2 and XRechnung have it: [`cii`]
//! - OASIS UBL 2.1, as Peppol BIS Billing 3 and XRechnung have it: [`ubl`]

mod cii;
mod element;
mod merge;
mod places;
mod rules;
mod ubl;

use jiff::civil::Date;
use proto::invoice::DocumentType;
use roxmltree::{Document, ParsingOptions};
use rust_decimal::Decimal;

use element::Element;
pub use merge::{merge, unreadable};

/// Larger files are refused unread: an invoice of 10,000 lines takes 20 MB.
pub const MAX_XML_BYTES: usize = 32 << 20;
/// Elements, attributes and texts in it.
const MAX_XML_NODES: u32 = 2_000_000;

/// Why XML is no e-invoice that can be read.
#[derive(Debug, thiserror::Error)]
pub enum EInvoiceError {
    #[error("the XML has {bytes} bytes, more than the limit of {MAX_XML_BYTES}")]
    TooLarge { bytes: usize },
    #[error("the XML is not in UTF-8, as e-invoices are")]
    Encoding(#[source] std::str::Utf8Error),
    #[error("the XML is damaged")]
    Xml(#[source] roxmltree::Error),
    #[error("the XML is a {root:?}, where an invoice in UN/CEFACT CII (Factur-X, ZUGFeRD, XRechnung) or UBL 2.1 is needed")]
    Root { root: String },
    #[error("line {line} of the XML: {element} is {text:?}, which is no {expected}")]
    Value { line: u32, element: String, text: String, expected: &'static str },
}

/// What an e-invoice says; what it leaves out is unknown.
#[derive(Debug, Clone, PartialEq)]
pub struct EInvoice {
    pub document_type: DocumentType,
    /// BT-1
    pub number: Option<String>,
    /// BT-2
    pub issued: Option<Date>,
    /// BT-9
    pub due: Option<Date>,
    /// BT-5: ISO 4217
    pub currency: Option<String>,
    /// BG-4
    pub seller: Party,
    /// BG-7
    pub buyer: Party,
    /// BG-25
    pub lines: Vec<Line>,
    /// BG-23
    pub taxes: Vec<Tax>,
    /// BG-22
    pub totals: Totals,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Party {
    pub name: Option<String>,
    /// Street, postcode and town, as one line.
    pub address: Option<String>,
    pub vat_id: Option<String>,
    pub phone: Option<String>,
}

/// An item; amounts in the invoice's currency.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Line {
    /// BT-155: the seller's.
    pub code: Option<String>,
    /// BT-153
    pub description: Option<String>,
    /// BT-129
    pub quantity: Option<Decimal>,
    /// BT-130: a code of UN/ECE Recommendation 20 or 21
    pub unit: Option<String>,
    /// BT-146 / BT-149: without VAT, of one unit.
    pub price: Option<Decimal>,
    /// BT-136 less BT-141: what is taken off quantity x price; negative where more is added.
    pub discount: Option<Decimal>,
    /// BT-152: percent
    pub vat_rate: Option<Decimal>,
    /// BT-131: without VAT
    pub total: Option<Decimal>,
}

/// VAT at one rate.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tax {
    /// BT-119: percent
    pub rate: Option<Decimal>,
    /// BT-116
    pub net: Option<Decimal>,
    /// BT-117
    pub amount: Option<Decimal>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Totals {
    /// BT-106: of the lines
    pub lines: Option<Decimal>,
    /// BT-107: taken off it
    pub allowances: Option<Decimal>,
    /// BT-108: added to it
    pub charges: Option<Decimal>,
    /// BT-109
    pub net: Option<Decimal>,
    /// BT-110
    pub vat: Option<Decimal>,
    /// BT-112
    pub gross: Option<Decimal>,
}

/// Whether a file may be XML.
pub fn is_xml(bytes: &[u8]) -> bool {
    const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();
    bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes).trim_ascii_start().starts_with(b"<")
}

/// Reads the XML of an e-invoice.
pub fn read(bytes: &[u8]) -> Result<EInvoice, EInvoiceError> {
    if bytes.len() > MAX_XML_BYTES {
        return Err(EInvoiceError::TooLarge { bytes: bytes.len() });
    }
    let text = str::from_utf8(bytes).map_err(EInvoiceError::Encoding)?;
    // Without a DTD there are no entities that blow up.
    let options = ParsingOptions { allow_dtd: false, nodes_limit: MAX_XML_NODES, ..ParsingOptions::default() };
    let document = Document::parse_with_options(text.trim_start(), options).map_err(EInvoiceError::Xml)?;
    let root = Element(document.root_element());
    match root.name() {
        "CrossIndustryInvoice" | "CrossIndustryDocument" => cii::read(root),
        "Invoice" | "CreditNote" => ubl::read(root),
        other => Err(EInvoiceError::Root { root: other.to_owned() }),
    }
}

/// BT-3, a code of UNTDID 1001. A corrected invoice (384) credits where its total is negative; else it takes the place of another
/// one, which nobody should post twice: see [`merge`].
fn document_type(code: Option<&str>, totals: &Totals) -> DocumentType {
    const CREDIT_NOTES: [&str; 7] = ["81", "83", "261", "262", "296", "308", "381"];
    let negative = totals.gross.is_some_and(|gross| gross.is_sign_negative() && !gross.is_zero());
    match code {
        Some(code) if CREDIT_NOTES.contains(&code) || code == "384" && negative => DocumentType::CreditNote,
        _ => DocumentType::Invoice,
    }
}

/// The price of one unit: `amount` may be that of a thousand.
fn unit_price<'a>(price: Option<Element<'a>>, amount: &'a str, basis: &'a str) -> Result<Option<Decimal>, EInvoiceError> {
    let Some(price) = price else { return Ok(None) };
    let basis = price.decimal_at(basis)?.filter(|basis| !basis.is_zero()).unwrap_or(Decimal::ONE);
    Ok(price.decimal_at(amount)?.and_then(|amount| amount.checked_div(basis)))
}

/// Allowances less charges, of which the element `charge` says which it is; `None` where there are neither.
fn taken_off<'a>(changes: impl Iterator<Item = Element<'a>>, amount: &'a str, charge: &'a str) -> Result<Option<Decimal>, EInvoiceError> {
    let mut off: Option<Decimal> = None;
    for change in changes {
        let Some(amount) = change.decimal_at(amount)? else { continue };
        let is_charge = change.text_at(charge).is_some_and(|indicator| indicator == "true");
        off = off.unwrap_or_default().checked_add(if is_charge { -amount } else { amount });
    }
    Ok(off)
}

#[cfg(test)]
mod tests;
