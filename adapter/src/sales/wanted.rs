//! What the books should hold, worked out from the rows alone.

use std::collections::HashMap;

use jiff::{SignedDuration, Timestamp};

use crate::{
    business::Terms,
    debezium::Row,
    money::Currency,
    source::chain,
    store::source_rows::{RowId, SourceRows},
    till::{Mapping, Pending, Sale, text},
};

/// How far the till's clock may be ahead of ours: a day and a time zone.
const CLOCK_AHEAD: SignedDuration = SignedDuration::from_hours(48);

/// The till as its rows stand now, with the terms of its businesses as far as they were looked up.
pub(super) struct Till<'a> {
    pub mapping: &'a Mapping,
    pub now: Timestamp,
    pub rows: &'a SourceRows,
    pub terms: &'a HashMap<String, Terms>,
}

impl<'a> Till<'a> {
    pub fn transaction_of(&self, sale: &RowId) -> Option<RowId> {
        let key = text(&self.rows.get(sale)?.image, &self.mapping.sales.transaction)?;
        Some(RowId { stream: sale.stream.clone(), table: self.mapping.transactions.table.clone(), key })
    }

    pub fn business_of(&self, transaction: &RowId) -> Option<String> {
        text(self.standing(transaction)?, &self.mapping.transactions.business)
    }

    /// The image of a row that is there and not deleted.
    fn standing(&self, id: &RowId) -> Option<&'a Row> {
        self.rows.get(id).filter(|row| !row.deleted).map(|row| &row.image)
    }

    pub fn wanted(&self, id: &RowId) -> Wanted {
        let Some(row) = self.standing(id) else { return Wanted::default() };
        let transaction = self.transaction_of(id).and_then(|id| self.standing(&id));
        let business = transaction.and_then(|row| text(row, &self.mapping.transactions.business));
        let currency = match &business {
            Some(business) => match self.terms.get(business) {
                Some(terms) => terms.currency,
                None => return Wanted::waiting(&Pending::UnknownBusiness(business.clone()), None),
            },
            None => Currency::EUR,
        };
        match self.mapping.sale(row, transaction, currency) {
            Ok(sale) if sale.effective_at.duration_since(self.now) > CLOCK_AHEAD => {
                Wanted::waiting(&Pending::Future(sale.effective_at), business)
            }
            Ok(sale) => Wanted { sale: Some(sale), business, pending: None },
            Err(pending) => Wanted::waiting(&pending, business),
        }
    }
}

/// What the books should hold for a sale line; nothing for a deleted one.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    pub sale: Option<Sale>,
    /// Whose it is, where that is known.
    pub business: Option<String>,
    pub pending: Option<String>,
}

impl Wanted {
    fn waiting(pending: &Pending, business: Option<String>) -> Self {
        Self { sale: None, business, pending: Some(chain(pending)) }
    }
}
