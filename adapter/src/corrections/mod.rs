//! A person's word on a document: audited, booked at once, remembered for the next document of this supplier and for training.

mod assignment;
mod export;
mod suppliers;
pub mod text;

pub use assignment::{Assignment, AssignmentError};
pub use export::{ExportError, export};
use jiff::Timestamp;
use proto::{Invoice, invoice::Status as Readiness};
pub use suppliers::suppliers;

use crate::{
    clock::Clock,
    documents::{
        self, Document, Trust,
        purchase::{Goods, Obstacle, Purchase, words},
        review, supplier_key,
    },
    ledger,
    stock::product::{self, Item, normalised},
    store::{Connection, Store, StoreError, Transient},
};
use assignment::Target;

#[derive(Debug, thiserror::Error)]
pub enum CorrectionError {
    #[error("there is no document {0}: `correct list` shows them")]
    NoDocument(i64),
    #[error("document {document_id}")]
    Assignment { document_id: i64, source: AssignmentError },
    #[error("document {document_id} can't be booked so")]
    Obstacle { document_id: i64, source: Obstacle },
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Transient for CorrectionError {
    fn is_transient(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_transient())
    }
}

impl From<sqlx::Error> for CorrectionError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Who corrects, and when.
#[derive(Debug, Clone, Copy)]
pub struct Corrector<'a> {
    pub name: &'a str,
    pub clock: Clock,
}

/// Writes corrections of a document and mends the books, in one transaction: all of it or nothing.
pub async fn set(store: &Store, document_id: i64, assignments: &[Assignment], by: Corrector<'_>) -> Result<Document, CorrectionError> {
    store.transact(async |db| set_in(db, document_id, assignments, by).await).await
}

async fn set_in(db: &mut Connection, document_id: i64, assignments: &[Assignment], by: Corrector<'_>) -> Result<Document, CorrectionError> {
    let now = by.clock.now();
    let mut document = documents::find(db, document_id).await?.ok_or(CorrectionError::NoDocument(document_id))?;
    let as_read = document.invoice.clone();
    // A line's product is learnt under the supplier's name, which another assignment may put right.
    let (products, fields): (Vec<_>, Vec<_>) =
        assignments.iter().partition(|assignment| matches!(assignment.target, Target::Product { .. }));
    for assignment in fields.iter().chain(&products) {
        let old = assign(db, &mut document, assignment).await?;
        audit(db, document_id, assignment, old, by.name, now).await?;
    }
    if !fields.is_empty() {
        judge_anew(&mut document.invoice);
    }
    learn_supplier(db, &document, &as_read, assignments).await?;
    mend(db, &mut document, Trust::Thresholds, now).await?;
    learn_descriptions(db, &document, &as_read, assignments).await?;
    keep_for_training(db, &document, now).await?;
    Ok(document)
}

/// Posts a document that waits: a person has seen that it is right.
pub async fn accept(store: &Store, document_id: i64, by: Corrector<'_>) -> Result<Document, CorrectionError> {
    store.transact(async |db| accept_in(db, document_id, by).await).await
}

async fn accept_in(db: &mut Connection, document_id: i64, by: Corrector<'_>) -> Result<Document, CorrectionError> {
    let now = by.clock.now();
    let mut document = documents::find(db, document_id).await?.ok_or(CorrectionError::NoDocument(document_id))?;
    if document.journal_id.is_none() {
        document.invoice.set_status(Readiness::Ready);
        document.invoice.review_reasons.clear();
        mend(db, &mut document, Trust::Accepted, now).await?;
        let assignment = Assignment { target: Target::Acceptance, value: "accepted".to_owned() };
        audit(db, document_id, &assignment, None, by.name, now).await?;
    }
    keep_for_training(db, &document, now).await?;
    Ok(document)
}

/// Brings the books to what the document says now.
async fn mend(db: &mut Connection, document: &mut Document, trust: Trust, now: Timestamp) -> Result<(), CorrectionError> {
    let document_id = document.document_id;
    let terms = documents::terms(db, &document.business).await?;
    let purchase = Purchase::of(&document.invoice, terms.currency).map_err(|source| CorrectionError::Obstacle { document_id, source });
    match document.journal_id {
        Some(journal_id) => {
            let purchase = purchase?;
            ledger::reverse(db, &document.business, journal_id, now).await?;
            document.journal_id = Some(documents::post(db, document, &purchase, now).await?);
            documents::save(db, document).await?;
        }
        None => {
            if trust == Trust::Accepted {
                purchase?;
            }
            documents::place(db, document, trust, now).await?;
        }
    }
    Ok(())
}

/// The reader's doubts were about what it read; what stands there now is judged by what it says.
fn judge_anew(invoice: &mut Invoice) {
    if invoice.status() == Readiness::Ready {
        return;
    }
    invoice.review_reasons = review::doubts(invoice);
    if invoice.review_reasons.is_empty() {
        invoice.set_status(Readiness::Ready);
    }
}

/// Puts one value; gives the old one.
async fn assign(db: &mut Connection, document: &mut Document, assignment: &Assignment) -> Result<Option<String>, CorrectionError> {
    let document_id = document.document_id;
    match &assignment.target {
        Target::Product { line } => assign_product(db, document, *line, &assignment.value).await,
        _ => assignment.put(&mut document.invoice).map_err(|source| CorrectionError::Assignment { document_id, source }),
    }
}

/// Says which of the business's products a line is, for this document and the next ones; a name that is new makes the product.
async fn assign_product(db: &mut Connection, document: &Document, line: usize, name: &str) -> Result<Option<String>, CorrectionError> {
    let goods = goods_of(db, document).await?.into_iter().find(|goods| goods.line == line);
    let Some(goods) = goods else {
        let source = AssignmentError::NoGoods(line);
        return Err(CorrectionError::Assignment { document_id: document.document_id, source });
    };
    let supplier = supplier_key(&document.invoice);
    let before = product::matching(db, &document.business, goods.item(&supplier)).await?;
    let products = product::all(db, &document.business).await?;
    let product_id = match products.into_iter().find(|product| normalised(&product.name) == normalised(name)) {
        Some(product) => product.product_id,
        None => {
            let unit = crate::stock::pack::best_unit(goods.pack, &goods.unit);
            product::add(db, &document.business, name, unit, false).await?
        }
    };
    product::confirm(db, &document.business, product_id).await?;
    product::learn(db, &document.business, goods.item(&supplier), product_id).await?;
    Ok(before.map(|product| product.name))
}

/// The document's lines of goods; none where it can't be booked yet.
pub(crate) async fn goods_of(db: &mut Connection, document: &Document) -> Result<Vec<Goods>, StoreError> {
    let terms = documents::terms(db, &document.business).await?;
    Ok(Purchase::of(&document.invoice, terms.currency).map(|purchase| purchase.goods).unwrap_or_default())
}

/// What was printed where a person has now put a name, is that supplier from now on.
async fn learn_supplier(db: &mut Connection, document: &Document, as_read: &Invoice, assignments: &[Assignment]) -> sqlx::Result<()> {
    let name = assignments.iter().rfind(|assignment| assignment.path() == "supplier.name").map(|assignment| &assignment.value);
    let printed = as_read.supplier.as_ref().and_then(|supplier| supplier.name.as_ref());
    let (Some(name), Some(printed)) = (name, printed) else { return Ok(()) };
    for printed in [&printed.value, &printed.text].map(|text| normalised(text)) {
        if !printed.is_empty() {
            let learn =
                "INSERT INTO supplier_aliases VALUES ($1, $2, $3) ON CONFLICT (business_id, printed) DO UPDATE SET name = excluded.name";
            sqlx::query(learn).bind(&document.business).bind(printed).bind(name).execute(&mut *db).await?;
        }
    }
    Ok(())
}

/// What was printed where a person has now put a description, is that description's product from now on.
async fn learn_descriptions(
    db: &mut Connection,
    document: &Document,
    as_read: &Invoice,
    assignments: &[Assignment],
) -> Result<(), CorrectionError> {
    let supplier = supplier_key(&document.invoice);
    for goods in goods_of(db, document).await? {
        let corrected = assignments.iter().any(|assignment| assignment.path() == format!("lines[{}].description", goods.line));
        let printed = as_read.lines.get(goods.line).and_then(|line| words(&line.description));
        let (true, Some(printed)) = (corrected, printed) else { continue };
        if let Some(product) = product::matching(db, &document.business, goods.item(&supplier)).await? {
            let item = Item { supplier: &supplier, code: None, description: Some(printed) };
            product::learn(db, &document.business, item, product.product_id).await?;
        }
    }
    Ok(())
}

async fn audit(
    db: &mut Connection,
    document_id: i64,
    assignment: &Assignment,
    old: Option<String>,
    by: &str,
    now: Timestamp,
) -> sqlx::Result<()> {
    sqlx::query(
        "INSERT INTO corrections (document_id, field, old_value, new_value, corrected_by, recorded_at) VALUES ($1, $2, $3, $4, $5, $6)",
    )
    .bind(document_id)
    .bind(assignment.path())
    .bind(old)
    .bind(&assignment.value)
    .bind(by)
    .bind(now.as_microsecond())
    .execute(db)
    .await?;
    Ok(())
}

async fn keep_for_training(db: &mut Connection, document: &Document, now: Timestamp) -> sqlx::Result<()> {
    let append = "INSERT INTO training_documents (document_id, invoice, recorded_at) VALUES ($1, $2, $3)";
    let invoice = documents::json(&document.invoice);
    sqlx::query(append).bind(document.document_id).bind(invoice).bind(now.as_microsecond()).execute(db).await?;
    Ok(())
}
