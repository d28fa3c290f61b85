//! Suppliers' documents into the books: what is ready posts by itself, what is doubtful waits for a person, what was seen before is not posted
//! again. Nothing is dropped.

pub mod extractor;
pub mod goods;
pub mod purchase;
pub mod review;

use engine::reconcile::vat_id::within_country;
use jiff::Timestamp;
use proto::{Field, Invoice, field};
use sha2::{Digest, Sha256};

use crate::{
    business::{self, Terms},
    ledger::Journal,
    source::{chain, hexadecimal},
    stock::product::normalised,
    store::{Connection, StoreError},
};
use purchase::{Purchase, words};

/// A file of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct File {
    pub name: String,
    pub content: Vec<u8>,
}

/// A document that has just been read.
#[derive(Debug, Clone, PartialEq)]
pub struct Incoming {
    pub business: String,
    pub source: String,
    /// Of the files, or of the extraction where only that is at hand: [`digest`].
    pub digest: String,
    pub files: Vec<File>,
    pub invoice: Invoice,
}

/// What became of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    Posted {
        document_id: i64,
    },
    /// It waits, for these reasons.
    Review {
        document_id: i64,
        reasons: Vec<String>,
    },
    /// Supplier, number, date and gross are those of another document: kept, not posted.
    Duplicate {
        document_id: i64,
        of: i64,
    },
    /// The very same bytes: nothing to keep.
    Known {
        document_id: i64,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Posted,
    Review,
    Duplicate,
}

impl Status {
    pub fn name(self) -> &'static str {
        match self {
            Self::Posted => "POSTED",
            Self::Review => "REVIEW",
            Self::Duplicate => "DUPLICATE",
        }
    }
}

/// A document as the books hold it.
#[derive(Debug, Clone, PartialEq)]
pub struct Document {
    pub document_id: i64,
    pub business: String,
    pub source: String,
    pub status: Status,
    pub reasons: Vec<String>,
    pub duplicate_of: Option<i64>,
    pub invoice: Invoice,
    pub journal_id: Option<i64>,
}

/// One digest of all parts, in order; where one ends and the next begins is part of it.
pub fn digest<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part);
    }
    hexadecimal(&digest.finalize())
}

/// The document of these bytes, where it came before.
pub async fn known(db: &mut Connection, business: &str, digest: &str) -> sqlx::Result<Option<i64>> {
    let select = "SELECT document_id FROM documents WHERE business_id = $1 AND digest = $2";
    sqlx::query_scalar(select).bind(business).bind(digest).fetch_optional(db).await
}

/// Keeps a document and posts it where nothing speaks against it. A business that is named here becomes known.
pub async fn receive(db: &mut Connection, incoming: &Incoming, now: Timestamp) -> Result<Received, StoreError> {
    business::register(db, &incoming.business, None, now).await?;
    if let Some(document_id) = known(db, &incoming.business, &incoming.digest).await? {
        return Ok(Received::Known { document_id });
    }
    let mut document = Document {
        document_id: 0,
        business: incoming.business.clone(),
        source: incoming.source.clone(),
        status: Status::Review,
        reasons: Vec::new(),
        duplicate_of: None,
        invoice: incoming.invoice.clone(),
        journal_id: None,
    };
    name_supplier(db, &mut document).await?;
    document.document_id = insert(db, &document, &incoming.digest, now).await?;
    for (ordinal, file) in (0_i64..).zip(&incoming.files) {
        let insert = "INSERT INTO document_files VALUES ($1, $2, $3, $4)";
        sqlx::query(insert).bind(document.document_id).bind(ordinal).bind(&file.name).bind(&file.content).execute(&mut *db).await?;
    }
    place(db, &mut document, Trust::Thresholds, now).await?;
    let document_id = document.document_id;
    Ok(match (document.status, document.duplicate_of) {
        (Status::Posted, _) => Received::Posted { document_id },
        (_, Some(of)) => Received::Duplicate { document_id, of },
        _ => Received::Review { document_id, reasons: document.reasons },
    })
}

/// How much a document must prove before it is posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// READY and above the business's thresholds.
    Thresholds,
    /// A person has vouched for it: it only must be possible.
    Accepted,
}

/// Posts a document that is not in the books, or says why it can't be; writes its new state.
pub async fn place(db: &mut Connection, document: &mut Document, trust: Trust, now: Timestamp) -> Result<(), StoreError> {
    let terms = terms(db, &document.business).await?;
    let purchase = Purchase::of(&document.invoice, terms.currency);
    document.duplicate_of = match trust {
        Trust::Thresholds => twin(db, document).await?,
        Trust::Accepted => None,
    };
    document.reasons = match trust {
        Trust::Thresholds => review::reasons(&document.invoice, &purchase, &terms),
        Trust::Accepted => purchase.as_ref().err().map(|obstacle| chain(obstacle)).into_iter().collect(),
    };
    if let Some(of) = document.duplicate_of {
        document.reasons.insert(0, format!("supplier, number, date and total are those of document {of}"));
    }
    document.status = match (&purchase, document.reasons.as_slice(), document.duplicate_of) {
        (_, _, Some(_)) => Status::Duplicate,
        (Ok(purchase), [], None) => {
            document.journal_id = Some(post(db, document, purchase, now).await?);
            Status::Posted
        }
        _ => Status::Review,
    };
    save(db, document).await
}

/// Writes the journal of a document.
pub(crate) async fn post(db: &mut Connection, document: &Document, purchase: &Purchase, now: Timestamp) -> Result<i64, StoreError> {
    let supplier = supplier_key(&document.invoice);
    let movements = goods::movements(db, &document.business, &supplier, &purchase.goods).await?;
    let name = format!("document/{}", document.document_id);
    let journal =
        Journal::purchase(&document.business, name, purchase.date, purchase.amount, purchase.settlement, purchase.line_count, movements);
    journal.post(db, now).await
}

pub(crate) async fn terms(db: &mut Connection, business: &str) -> Result<Terms, StoreError> {
    Ok(business::terms(db, business).await?.ok_or(sqlx::Error::RowNotFound)?)
}

/// Under which aliases of a supplier are kept: its VAT number where it prints one, with or without its country, else its name.
pub fn supplier_key(invoice: &Invoice) -> String {
    let supplier = invoice.supplier.as_ref();
    let vat_id = supplier.and_then(|supplier| words(&supplier.vat_id)).map(within_country);
    normalised(vat_id.or_else(|| supplier.and_then(|supplier| words(&supplier.name))).unwrap_or_default())
}

/// What makes two papers the same document. A document without a number may be the second coffee of the day.
fn identity(invoice: &Invoice) -> Option<String> {
    let supplier = normalised(words(&invoice.supplier.as_ref()?.name)?);
    let number = normalised(words(&invoice.invoice_number)?);
    let date = words(&invoice.issue_date)?;
    let gross = words(&invoice.totals.as_ref()?.gross)?.parse::<rust_decimal::Decimal>().ok()?.normalize();
    Some(format!("{supplier}|{number}|{date}|{gross}"))
}

/// An earlier document that is the same.
async fn twin(db: &mut Connection, document: &Document) -> sqlx::Result<Option<i64>> {
    let Some(identity) = identity(&document.invoice) else { return Ok(None) };
    let select = "SELECT min(document_id) FROM documents WHERE business_id = $1 AND identity = $2 AND document_id < $3";
    sqlx::query_scalar(select).bind(&document.business).bind(identity).bind(document.document_id).fetch_one(db).await
}

/// Calls the supplier by the name that a person gave it.
async fn name_supplier(db: &mut Connection, document: &mut Document) -> Result<(), StoreError> {
    let Some(supplier) = &mut document.invoice.supplier else { return Ok(()) };
    let Some(printed) = words(&supplier.name).map(normalised) else { return Ok(()) };
    let select = "SELECT name FROM supplier_aliases WHERE business_id = $1 AND printed = $2";
    let learnt: Option<String> = sqlx::query_scalar(select).bind(&document.business).bind(printed).fetch_optional(db).await?;
    if let (Some(name), Some(field)) = (learnt, &mut supplier.name) {
        *field = Field { value: name, confidence: 1.0, status: field::Status::Corrected.into(), ..field.clone() };
    }
    Ok(())
}

async fn insert(db: &mut Connection, document: &Document, digest: &str, now: Timestamp) -> sqlx::Result<i64> {
    sqlx::query_scalar(
        "INSERT INTO documents (business_id, source, digest, identity, status, reasons, invoice, recorded_at) \
         VALUES ($1, $2, $3, $4, $5, '[]', $6, $7) RETURNING document_id",
    )
    .bind(&document.business)
    .bind(&document.source)
    .bind(digest)
    .bind(identity(&document.invoice))
    .bind(document.status.name())
    .bind(json(&document.invoice))
    .bind(now.as_microsecond())
    .fetch_one(db)
    .await
}

pub(crate) async fn save(db: &mut Connection, document: &Document) -> Result<(), StoreError> {
    sqlx::query(
        "UPDATE documents SET identity = $1, status = $2, reasons = $3, duplicate_of = $4, invoice = $5, journal_id = $6 WHERE document_id = $7",
    )
    .bind(identity(&document.invoice))
    .bind(document.status.name())
    .bind(serde_json::json!(document.reasons).to_string())
    .bind(document.duplicate_of)
    .bind(json(&document.invoice))
    .bind(document.journal_id)
    .bind(document.document_id)
    .execute(db)
    .await?;
    Ok(())
}

/// A document by its number.
pub async fn find(db: &mut Connection, document_id: i64) -> Result<Option<Document>, StoreError> {
    let select =
        "SELECT document_id, business_id, source, status, reasons, duplicate_of, invoice, journal_id FROM documents WHERE document_id = $1";
    let row: Option<DocumentRow> = sqlx::query_as(select).bind(document_id).fetch_optional(db).await?;
    row.map(Document::try_from).transpose()
}

/// Documents of a business, or of all; those that wait first.
pub async fn list(db: &mut Connection, business: Option<&str>) -> Result<Vec<Document>, StoreError> {
    let select = "SELECT document_id, business_id, source, status, reasons, duplicate_of, invoice, journal_id FROM documents \
        WHERE $1 IS NULL OR business_id = $1 ORDER BY status = 'REVIEW' DESC, status = 'DUPLICATE' DESC, document_id";
    let rows: Vec<DocumentRow> = sqlx::query_as(select).bind(business).fetch_all(db).await?;
    rows.into_iter().map(Document::try_from).collect()
}

#[derive(sqlx::FromRow)]
struct DocumentRow {
    document_id: i64,
    business_id: String,
    source: String,
    status: String,
    reasons: String,
    duplicate_of: Option<i64>,
    invoice: String,
    journal_id: Option<i64>,
}

impl TryFrom<DocumentRow> for Document {
    type Error = StoreError;

    fn try_from(row: DocumentRow) -> Result<Self, StoreError> {
        let corrupt = |error: serde_json::Error| StoreError::Corrupt { what: "document", source: error.into() };
        Ok(Self {
            document_id: row.document_id,
            business: row.business_id,
            source: row.source,
            status: match row.status.as_str() {
                "POSTED" => Status::Posted,
                "DUPLICATE" => Status::Duplicate,
                _ => Status::Review,
            },
            reasons: serde_json::from_str(&row.reasons).map_err(corrupt)?,
            duplicate_of: row.duplicate_of,
            invoice: serde_json::from_str(&row.invoice).map_err(corrupt)?,
            journal_id: row.journal_id,
        })
    }
}

pub(crate) fn json(invoice: &Invoice) -> String {
    serde_json::to_string(invoice).expect("a message without maps of other keys than strings")
}
