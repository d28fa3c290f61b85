//! The till's events into the books: each batch puts the newest state of the rows it touches, then posts the difference to what the books hold.
//!
//! Architecture invariant: what is posted depends on the states of the rows alone. So repeats, replays, and topics in any order end in the
//! same books.

mod events;
mod wanted;

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Mutex, PoisonError},
};

use jiff::Timestamp;
use rayon::prelude::*;

use crate::{
    alerts,
    business::{self, Terms},
    clock::Clock,
    debezium::{Sequence, Truncate},
    ledger::{Journal, Journals},
    source::{Batch, Record, Unreadable, chain},
    stock::{Unit, product, yields::Yields},
    store::{
        Connection, Store, StoreError, dead_letters, inbox,
        source_rows::{Applied, Changes, Posted, RowId, Settled, SourceRows},
    },
    till::{Mapping, Pending, Sale, Table, text},
};

use events::{Events, Poison, RowChange, Said, decode, stream};
use wanted::{Till, Wanted};

/// What a batch did.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Tally {
    pub records: u64,
    /// Rows whose state was older than, or the same as, the one known.
    pub stale: u64,
    /// Records of tables that the mapping does not name.
    pub other_tables: u64,
    pub journals: u64,
    pub reversals: u64,
    /// Changes held back because their table was truncated.
    pub held: u64,
    /// Tables truncated, each as `stream.table`.
    pub truncated: Vec<String>,
    /// Dead letters that were not there before.
    pub dead_letters: Vec<Unreadable>,
}

impl Tally {
    pub fn add(&mut self, other: Self) {
        self.records += other.records;
        self.stale += other.stale;
        self.other_tables += other.other_tables;
        self.journals += other.journals;
        self.reversals += other.reversals;
        self.held += other.held;
        self.truncated.extend(other.truncated);
        self.dead_letters.extend(other.dead_letters);
    }
}

/// Posts a batch in one transaction: rows, books, dead letters and position together.
pub async fn post(store: &Store, mapping: &Mapping, clock: Clock, batch: &Batch) -> Result<Tally, StoreError> {
    store.transact(async |db| post_in(db, mapping, clock.now(), batch).await).await
}

/// A batch whose events are decoded before its turn comes, while the one before it is posted.
pub struct Decoded {
    pub batch: Batch,
    /// Until a transaction has taken them.
    events: Mutex<Option<Events>>,
}

impl Decoded {
    /// Takes the time of a processor, and waits for nothing.
    pub fn new(batch: Batch, mapping: &Mapping) -> Self {
        let events = Mutex::new(Some(decode(&batch, mapping)));
        Self { batch, events }
    }

    /// As [`post`] does.
    pub async fn post(&self, store: &Store, mapping: &Mapping, clock: Clock) -> Result<Tally, StoreError> {
        let events = || self.events.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_else(|| decode(&self.batch, mapping));
        store.transact(async |db| post_events(db, mapping, clock.now(), &self.batch, events()).await).await
    }
}

/// Posts the sale lines that waited for a business which a document made known meanwhile; gives how many.
pub async fn release(store: &Store, mapping: &Mapping, clock: Clock) -> Result<u64, StoreError> {
    store
        .transact(async |db| {
            let waiting = waiting_for_known(db).await?;
            let mut posting = Posting::new(db, mapping, clock.now()).await?;
            posting.rows.load(posting.db, waiting.iter().cloned()).await?;
            posting.touched.extend(waiting);
            Ok(posting.finish().await?.journals)
        })
        .await
}

/// Sale lines that wait for a business which is known.
async fn waiting_for_known(db: &mut Connection) -> Result<Vec<RowId>, StoreError> {
    let mut waiting = Vec::new();
    for business in business::known(db).await? {
        let select = "SELECT stream, table_name, row_key FROM source_rows WHERE business_id IS NULL AND pending_reason = $1";
        let rows: Vec<(String, String, String)> =
            sqlx::query_as(select).bind(chain(&Pending::UnknownBusiness(business))).fetch_all(&mut *db).await?;
        waiting.extend(rows.into_iter().map(|(stream, table, key)| RowId { stream, table, key }));
    }
    Ok(waiting)
}

pub(crate) async fn post_in(db: &mut Connection, mapping: &Mapping, now: Timestamp, batch: &Batch) -> Result<Tally, StoreError> {
    post_events(db, mapping, now, batch, decode(batch, mapping)).await
}

/// Reads what the batch touches, works out the books in memory, and writes them: a few statements however many the records are.
async fn post_events(db: &mut Connection, mapping: &Mapping, now: Timestamp, batch: &Batch, events: Events) -> Result<Tally, StoreError> {
    // First, so that a batch that another posted costs nothing.
    for step in &batch.steps {
        inbox::advance(db, step).await?;
    }
    let mut posting = Posting::new(db, mapping, now).await?;
    let changes = posting.changes(&batch.records, events).await?;
    posting.rows.load(posting.db, changes.iter().map(|change| change.id.clone())).await?;
    for change in changes {
        posting.apply(change).await?;
    }
    posting.finish().await
}

struct Posting<'a> {
    db: &'a mut Connection,
    mapping: &'a Mapping,
    now: Timestamp,
    stopped: HashMap<(String, String), Option<Sequence>>,
    rows: SourceRows,
    /// Sale lines whose books may have changed, transactions that say so of all their lines, and businesses that were not known before.
    touched: BTreeSet<RowId>,
    touched_transactions: BTreeSet<RowId>,
    new_businesses: BTreeSet<RowId>,
    /// Of the businesses that are known.
    terms: HashMap<String, Terms>,
    /// By business, name and unit.
    products: HashMap<(String, String, Unit), i64>,
    yields: Yields,
    journals: Journals,
    tally: Tally,
}

impl<'a> Posting<'a> {
    async fn new(db: &'a mut Connection, mapping: &'a Mapping, now: Timestamp) -> sqlx::Result<Self> {
        let stopped = stopped_tables(db).await?;
        Ok(Self {
            db,
            mapping,
            now,
            stopped,
            rows: SourceRows::default(),
            touched: BTreeSet::new(),
            touched_transactions: BTreeSet::new(),
            new_businesses: BTreeSet::new(),
            terms: HashMap::new(),
            products: HashMap::new(),
            yields: Yields::default(),
            journals: Journals::new(now),
            tally: Tally::default(),
        })
    }

    /// Brings the books to what the touched rows say, and writes all of it.
    async fn finish(mut self) -> Result<Tally, StoreError> {
        let transactions = self.find_sales().await?;
        self.find_terms(&transactions).await?;
        let touched: Vec<RowId> = std::mem::take(&mut self.touched).into_iter().collect();
        let till = self.till();
        let wanted: Vec<(Wanted, RowId)> = touched.into_par_iter().map(|id| (till.wanted(&id), id)).collect();
        let sales = wanted.iter().filter_map(|(wanted, _)| wanted.sale.as_ref());
        self.products = product::known_as(self.db, sales.map(|sale| (&*sale.business, &*sale.product, sale.unit))).await?;
        self.yields = Yields::of(self.db, self.terms.keys().map(String::as_str).collect()).await?;
        for (wanted, id) in wanted {
            self.settle(&id, wanted).await?;
        }
        let Self { db, journals, rows, tally, .. } = self;
        let changes = Changes::none(db);
        // While the database takes the journals, the rows are made ready for it.
        let (written, changes) = tokio::join!(journals.write(db), async { rows.changes(changes) });
        written?;
        changes.write(db).await?;
        Ok(tally)
    }

    /// The changes that the records tell, in their order; what can't be read is buried on the way.
    async fn changes(&mut self, records: &[Result<Record, Unreadable>], events: Events) -> Result<Vec<RowChange>, StoreError> {
        let mut changes = Vec::with_capacity(records.len());
        for (record, event) in records.iter().zip(events) {
            self.tally.records += 1;
            match record {
                Ok(record) => changes.extend(self.read(record, event).await?),
                Err(unreadable) => self.bury(unreadable.clone()).await?,
            }
        }
        Ok(changes)
    }

    async fn read(&mut self, record: &Record, said: Result<Said, Poison>) -> Result<Option<RowChange>, StoreError> {
        match said {
            Ok(Said::Change(change)) if self.is_stopped(&change.id, change.sequence) => self.hold(record, &change.id).await?,
            Ok(Said::Change(change)) => return Ok(Some(change)),
            Ok(Said::Truncate(truncate)) => self.truncate(record, truncate).await?,
            Ok(Said::OtherTable) => self.tally.other_tables += 1,
            Ok(Said::Nothing) => {}
            Err(poison) => self.poison(record, &poison).await?,
        }
        Ok(None)
    }

    async fn apply(&mut self, change: RowChange) -> Result<(), StoreError> {
        let RowChange { table, id, after, sequence } = change;
        let parent = after.as_ref().and_then(|after| self.mapping.parent(table, after));
        let name = after.as_ref().and_then(|after| text(after, &self.mapping.businesses.name));
        let (deleted, is_first) = (after.is_none(), self.rows.get(&id).is_none());
        if self.rows.apply(&id, after, parent, sequence) == Applied::Stale {
            self.tally.stale += 1;
            return Ok(());
        }
        match table {
            // A business that left the till keeps its books.
            Table::Businesses if deleted => {}
            Table::Businesses => {
                business::register(self.db, &id.key, name.as_deref(), self.now).await?;
                // Not: new to the books, for a document may have named it before.
                if is_first {
                    self.new_businesses.insert(id);
                }
            }
            Table::Transactions => {
                self.touched_transactions.insert(id);
            }
            Table::Sales => {
                self.touched.insert(id);
            }
        }
        Ok(())
    }

    /// Reads the sale lines that other rows speak for, and the transactions of all that are touched, which it gives. A business that becomes known releases
    /// the sales that waited for it.
    async fn find_sales(&mut self) -> Result<BTreeSet<RowId>, StoreError> {
        let (transactions, sales) = (&self.mapping.transactions.table, &self.mapping.sales.table);
        self.rows.load_children(self.db, transactions, &self.new_businesses).await?;
        self.touched_transactions.extend(self.rows.children(transactions, &self.new_businesses).cloned());
        self.rows.load_children(self.db, sales, &self.touched_transactions).await?;
        self.touched.extend(self.rows.children(sales, &self.touched_transactions).cloned());
        let till = self.till();
        let parents: BTreeSet<RowId> = self.touched.iter().filter_map(|id| till.transaction_of(id)).collect();
        self.rows.load(self.db, parents.iter().cloned()).await?;
        Ok(parents)
    }

    /// Reads the terms of the businesses that transactions are of.
    async fn find_terms(&mut self, transactions: &BTreeSet<RowId>) -> Result<(), StoreError> {
        let till = self.till();
        let businesses: BTreeSet<String> = transactions.iter().filter_map(|id| till.business_of(id)).collect();
        for business in businesses {
            if let Some(terms) = business::terms(self.db, &business).await? {
                self.terms.insert(business, terms);
            }
        }
        Ok(())
    }

    fn till(&self) -> Till<'_> {
        Till { mapping: self.mapping, now: self.now, rows: &self.rows, terms: &self.terms }
    }

    /// Brings the books to what the row says now.
    async fn settle(&mut self, id: &RowId, wanted: Wanted) -> Result<(), StoreError> {
        let Wanted { sale, business, pending } = wanted;
        let before = self.rows.get(id).and_then(|row| row.settled.posted.clone());
        let posted = match (before, sale) {
            (Some(posted), Some(sale)) if posted.sale == sale => return Ok(()),
            (before, sale) => {
                if let Some(before) = before {
                    self.journals.reverse(self.db, &before.sale.business, before.journal_id).await?;
                    self.tally.reversals += 1;
                }
                self.post(id, sale).await?
            }
        };
        self.rows.settle(id, Settled { posted, business, pending });
        Ok(())
    }

    async fn post(&mut self, id: &RowId, sale: Option<Sale>) -> Result<Option<Posted>, StoreError> {
        let Some(sale) = sale else { return Ok(None) };
        let product_id = self.product(&sale).await?;
        let origin = format!("{}.{}/{}", id.stream, id.table, id.key);
        let lost = self.yields.lost_with(&sale.business, product_id, sale.quantity, sale.effective_at);
        let journal_id = self.journals.add(self.db, Journal::sale(origin, &sale, product_id, lost)).await?;
        self.tally.journals += 1;
        Ok(Some(Posted { sale, journal_id }))
    }

    async fn product(&mut self, sale: &Sale) -> Result<i64, StoreError> {
        let name = (sale.business.clone(), sale.product.clone(), sale.unit);
        if let Some(product_id) = self.products.get(&name) {
            return Ok(*product_id);
        }
        let product_id = product::sold_as(self.db, &sale.business, &sale.product, sale.unit).await?;
        self.products.insert(name, product_id);
        Ok(product_id)
    }

    async fn poison(&mut self, record: &Record, poison: &Poison) -> Result<(), StoreError> {
        let payload = dead_letters::payload(record);
        self.bury(Unreadable { coordinates: record.coordinates.clone(), reason: chain(poison), payload }).await
    }

    async fn bury(&mut self, letter: Unreadable) -> Result<(), StoreError> {
        if dead_letters::keep(self.db, &letter, self.now).await? {
            self.tally.dead_letters.push(letter);
        }
        Ok(())
    }

    fn is_stopped(&self, id: &RowId, sequence: Option<Sequence>) -> bool {
        match self.stopped.get(&(id.stream.clone(), id.table.clone())) {
            // What came before the truncation is a replay, and known.
            Some(truncation) => sequence.is_none() || sequence >= *truncation,
            None => false,
        }
    }

    async fn hold(&mut self, record: &Record, id: &RowId) -> Result<(), StoreError> {
        let payload = dead_letters::payload(record);
        let held = sqlx::query("INSERT INTO held_changes VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING")
            .bind(dead_letters::digest(&payload))
            .bind(&id.stream)
            .bind(&id.table)
            .bind(&record.coordinates.topic)
            .bind(record.coordinates.partition)
            .bind(record.coordinates.offset)
            .bind(&payload)
            .bind(self.now.as_microsecond())
            .execute(&mut *self.db)
            .await?;
        self.tally.held += held.rows_affected();
        Ok(())
    }

    /// Nobody empties a till to change its books: the table stops, and a person is told.
    async fn truncate(&mut self, record: &Record, truncate: Truncate) -> Result<(), StoreError> {
        if self.mapping.table(&truncate.table).is_none() {
            self.tally.other_tables += 1;
            return Ok(());
        }
        let stream = stream(&record.topic);
        let stop = sqlx::query("INSERT INTO stopped_tables VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING")
            .bind(&stream)
            .bind(&truncate.table)
            .bind(truncate.sequence.map(|sequence| sequence.major))
            .bind(truncate.sequence.map(|sequence| sequence.minor))
            .bind(self.now.as_microsecond())
            .execute(&mut *self.db)
            .await?;
        if stop.rows_affected() == 0 {
            return Ok(());
        }
        let table = format!("{stream}.{}", truncate.table);
        let detail = "the table was truncated: its books stay, its later changes wait";
        alerts::raise(self.db, alerts::Kind::Truncate, &table, detail, self.now).await?;
        self.stopped.insert((stream, truncate.table), truncate.sequence);
        self.tally.truncated.push(table);
        Ok(())
    }
}

async fn stopped_tables(db: &mut Connection) -> sqlx::Result<HashMap<(String, String), Option<Sequence>>> {
    let select = "SELECT stream, table_name, sequence_major, sequence_minor FROM stopped_tables";
    let rows: Vec<(String, String, Option<i64>, Option<i64>)> = sqlx::query_as(select).fetch_all(db).await?;
    let sequence = |major: Option<i64>, minor: Option<i64>| Some(Sequence { major: major?, minor: minor? });
    Ok(rows.into_iter().map(|(stream, table, major, minor)| ((stream, table), sequence(major, minor))).collect())
}
