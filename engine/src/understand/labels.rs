//! What the network says of lines and of candidates.

use super::candidates::Kind;
use super::draft::{DocumentType, HeaderField};

/// What a line is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tag {
    Other,
    SupplierName,
    SupplierAddress,
    CustomerName,
    /// Any cell of a row of goods.
    Item,
    /// VAT summary, sums and payment.
    Summary,
}

impl Tag {
    pub const ALL: [Self; 6] = [Self::Other, Self::SupplierName, Self::SupplierAddress, Self::CustomerName, Self::Item, Self::Summary];
    pub const COUNT: usize = Self::ALL.len();
}

/// What a run of whole lines is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BlockField {
    SupplierName,
    SupplierAddress,
    CustomerName,
}

impl BlockField {
    pub const ALL: [Self; 3] = [Self::SupplierName, Self::SupplierAddress, Self::CustomerName];
    pub const COUNT: usize = Self::ALL.len();

    /// The tag of its lines.
    pub fn tag(self) -> Tag {
        match self {
            Self::SupplierName => Tag::SupplierName,
            Self::SupplierAddress => Tag::SupplierAddress,
            Self::CustomerName => Tag::CustomerName,
        }
    }

    pub fn field(self) -> HeaderField {
        match self {
            Self::SupplierName => HeaderField::SupplierName,
            Self::SupplierAddress => HeaderField::SupplierAddress,
            Self::CustomerName => HeaderField::CustomerName,
        }
    }
}

/// Which value of the document a candidate is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    Gross,
    Net,
    Vat,
    IssueDate,
    DueDate,
    InvoiceNumber,
    SupplierVatId,
    SupplierPhone,
}

impl Role {
    pub const ALL: [Self; 8] =
        [Self::Gross, Self::Net, Self::Vat, Self::IssueDate, Self::DueDate, Self::InvoiceNumber, Self::SupplierVatId, Self::SupplierPhone];
    pub const COUNT: usize = Self::ALL.len();

    /// The candidates that may play this role.
    pub fn kind(self) -> Kind {
        match self {
            Self::Gross | Self::Net | Self::Vat => Kind::Amount,
            Self::IssueDate | Self::DueDate => Kind::Date,
            Self::InvoiceNumber => Kind::Identifier,
            Self::SupplierVatId => Kind::TaxNumber,
            Self::SupplierPhone => Kind::Phone,
        }
    }

    pub fn field(self) -> HeaderField {
        match self {
            Self::Gross => HeaderField::Gross,
            Self::Net => HeaderField::Net,
            Self::Vat => HeaderField::Vat,
            Self::IssueDate => HeaderField::IssueDate,
            Self::DueDate => HeaderField::DueDate,
            Self::InvoiceNumber => HeaderField::InvoiceNumber,
            Self::SupplierVatId => HeaderField::SupplierVatId,
            Self::SupplierPhone => HeaderField::SupplierPhone,
        }
    }
}

/// The document types in the order of the network's outputs.
pub const DOCUMENT_TYPES: [DocumentType; 6] = [
    DocumentType::Other,
    DocumentType::Invoice,
    DocumentType::CreditNote,
    DocumentType::Receipt,
    DocumentType::DeliveryDocket,
    DocumentType::Statement,
];
