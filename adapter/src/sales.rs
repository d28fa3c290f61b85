//! The till's events into the books: each batch puts the newest state of the rows it touches, then posts the difference to what the books hold.
//!
//! Architecture invariant: what is posted depends on the states of the rows alone. So repeats, replays, and topics in any order end in the
//! same books.

use std::{
    collections::{BTreeSet, HashMap},
    sync::{Mutex, PoisonError},
};

use jiff::{SignedDuration, Timestamp};
use rayon::prelude::*;

use crate::{
    alerts,
    business::{self, Terms},
    clock::Clock,
    debezium::{self, Change, DebeziumError, Event, Row, Sequence, Truncate},
    ledger::{Journal, Journals},
    money::Currency,
    source::{Batch, Record, Unreadable, chain},
    stock::{Unit, product},
    store::{
        Connection, Store, StoreError, dead_letters, inbox,
        source_rows::{Applied, Posted, RowId, Settled, SourceRows},
    },
    till::{Mapping, Pending, Sale, Table, UnreadableNumber, text},
};

/// How far the till's clock may be ahead of ours: a day and a time zone.
const CLOCK_AHEAD: SignedDuration = SignedDuration::from_hours(48);

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

/// Why a record is a dead letter.
#[derive(Debug, thiserror::Error)]
enum Poison {
    #[error(transparent)]
    Event(#[from] DebeziumError),
    #[error("table {table}")]
    Number { table: String, source: UnreadableNumber },
    #[error("table {table}: the row has no {column}")]
    NoId { table: String, column: String },
    #[error("table {table}: a text of the row holds the character U+0000, which no database here can keep")]
    Nul { table: String },
}

/// Posts a batch in one transaction: rows, books, dead letters and position together.
pub async fn post(store: &Store, mapping: &Mapping, clock: Clock, batch: &Batch) -> Result<Tally, StoreError> {
    store.transact(async |db| post_in(db, mapping, clock.now(), batch).await).await
}

/// What each record of a batch says. Nothing, where it can't be read: that it can't stands in the batch.
type Events = Vec<Result<Event, DebeziumError>>;

/// A batch whose events are decoded before its turn comes, while the one before it is posted.
pub struct Decoded {
    pub batch: Batch,
    /// Until a transaction has taken them.
    events: Mutex<Option<Events>>,
}

impl Decoded {
    /// Takes the time of a processor, and waits for nothing.
    pub fn new(batch: Batch) -> Self {
        let events = Mutex::new(Some(decode(&batch)));
        Self { batch, events }
    }

    /// As [`post`] does.
    pub async fn post(&self, store: &Store, mapping: &Mapping, clock: Clock) -> Result<Tally, StoreError> {
        let events = || self.events.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap_or_else(|| decode(&self.batch));
        store.transact(async |db| post_events(db, mapping, clock.now(), &self.batch, events()).await).await
    }
}

fn decode(batch: &Batch) -> Events {
    let decode = |record: &Record| debezium::decode(&record.topic, record.key.as_ref(), record.value.as_ref());
    batch.records.par_iter().map(|record| record.as_ref().map_or(Ok(Event::Housekeeping), decode)).collect()
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
    post_events(db, mapping, now, batch, decode(batch)).await
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
    terms: HashMap<String, Option<Terms>>,
    /// By business, name and unit.
    products: HashMap<(String, String, Unit), i64>,
    journals: Journals,
    tally: Tally,
}

/// A change of one of the mapping's rows.
struct RowChange {
    table: Table,
    id: RowId,
    after: Option<Row>,
    sequence: Option<Sequence>,
}

/// What the books should hold for a sale line; nothing for a deleted one.
#[derive(Debug, Default)]
struct Wanted {
    sale: Option<Sale>,
    /// Whose it is, where that is known.
    business: Option<String>,
    pending: Option<String>,
}

impl Wanted {
    fn waiting(pending: &Pending, business: Option<String>) -> Self {
        Self { sale: None, business, pending: Some(chain(pending)) }
    }
}

impl<'a> Posting<'a> {
    async fn new(db: &'a mut Connection, mapping: &'a Mapping, now: Timestamp) -> sqlx::Result<Self> {
        let (stopped, journals) = (stopped_tables(db).await?, Journals::new(db, now));
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
            journals,
            tally: Tally::default(),
        })
    }

    /// Brings the books to what the touched rows say, and writes all of it.
    async fn finish(mut self) -> Result<Tally, StoreError> {
        self.find_sales().await?;
        let mut wanted = Vec::new();
        for id in std::mem::take(&mut self.touched) {
            wanted.push((self.wanted(&id).await?, id));
        }
        let sales = wanted.iter().filter_map(|(wanted, _)| wanted.sale.as_ref());
        self.products = product::known_as(self.db, sales.map(|sale| (&*sale.business, &*sale.product, sale.unit))).await?;
        for (wanted, id) in wanted {
            self.settle(&id, wanted).await?;
        }
        self.journals.write(self.db).await?;
        self.rows.write(self.db).await?;
        Ok(self.tally)
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

    async fn read(&mut self, record: &Record, event: Result<Event, DebeziumError>) -> Result<Option<RowChange>, StoreError> {
        match event {
            Ok(Event::Change(change)) => match self.row_change(record, change) {
                Ok(Some(change)) if self.is_stopped(&change.id, change.sequence) => self.hold(record, &change.id).await?,
                Ok(Some(change)) => return Ok(Some(change)),
                Ok(None) => self.tally.other_tables += 1,
                Err(poison) => self.poison(record, &poison).await?,
            },
            Ok(Event::Truncate(truncate)) => self.truncate(record, truncate).await?,
            Ok(Event::Tombstone | Event::Housekeeping) => {}
            Err(error) => self.poison(record, &error.into()).await?,
        }
        Ok(None)
    }

    /// `None`: a table that the mapping does not name.
    fn row_change(&self, record: &Record, change: Change) -> Result<Option<RowChange>, Poison> {
        let Some(table) = self.mapping.table(&change.table) else { return Ok(None) };
        let id_column = self.mapping.id_column(table);
        let key = text(&change.key, id_column).or_else(|| text(change.after.as_ref()?, id_column));
        let Some(key) = key else {
            return Err(Poison::NoId { table: change.table, column: id_column.to_owned() });
        };
        if let (Table::Sales, Some(after)) = (table, &change.after)
            && let Err(source) = self.mapping.check_numbers(after)
        {
            return Err(Poison::Number { table: change.table, source });
        }
        if key.contains('\0') || change.after.iter().flatten().any(|(_, value)| value.as_str().is_some_and(|text| text.contains('\0'))) {
            return Err(Poison::Nul { table: change.table });
        }
        let id = RowId { stream: stream(&record.topic), table: change.table, key };
        Ok(Some(RowChange { table, id, after: change.after, sequence: change.sequence }))
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

    /// Reads the sale lines that other rows speak for, and the transactions of all that are touched. A business that becomes known releases
    /// the sales that waited for it.
    async fn find_sales(&mut self) -> Result<(), StoreError> {
        let (transactions, sales) = (&self.mapping.transactions.table, &self.mapping.sales.table);
        self.rows.load_children(self.db, transactions, &self.new_businesses).await?;
        self.touched_transactions.extend(self.rows.children(transactions, &self.new_businesses).cloned());
        self.rows.load_children(self.db, sales, &self.touched_transactions).await?;
        self.touched.extend(self.rows.children(sales, &self.touched_transactions).cloned());
        let parents: BTreeSet<RowId> = self.touched.iter().filter_map(|id| self.transaction_of(id)).collect();
        self.rows.load(self.db, parents).await
    }

    fn transaction_of(&self, id: &RowId) -> Option<RowId> {
        let key = text(&self.rows.get(id)?.image, &self.mapping.sales.transaction)?;
        Some(RowId { stream: id.stream.clone(), table: self.mapping.transactions.table.clone(), key })
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

    async fn wanted(&mut self, id: &RowId) -> Result<Wanted, StoreError> {
        if self.standing(Some(id)).is_none() {
            return Ok(Wanted::default());
        }
        let transaction = self.transaction_of(id);
        let mut currency = Currency::EUR;
        let business = self.standing(transaction.as_ref()).and_then(|row| text(row, &self.mapping.transactions.business));
        if let Some(business) = &business {
            match self.terms(business).await? {
                Some(terms) => currency = terms.currency,
                None => return Ok(Wanted::waiting(&Pending::UnknownBusiness(business.clone()), None)),
            }
        }
        let Some(row) = self.standing(Some(id)) else { return Ok(Wanted::default()) };
        Ok(match self.mapping.sale(row, self.standing(transaction.as_ref()), currency) {
            Ok(sale) if sale.effective_at.duration_since(self.now) > CLOCK_AHEAD => {
                Wanted::waiting(&Pending::Future(sale.effective_at), business)
            }
            Ok(sale) => Wanted { sale: Some(sale), business, pending: None },
            Err(pending) => Wanted::waiting(&pending, business),
        })
    }

    /// The image of a row that is there and not deleted.
    fn standing(&self, id: Option<&RowId>) -> Option<&Row> {
        self.rows.get(id?).filter(|row| !row.deleted).map(|row| &row.image)
    }

    async fn terms(&mut self, business: &str) -> Result<Option<Terms>, StoreError> {
        if let Some(known) = self.terms.get(business) {
            return Ok(*known);
        }
        let terms = business::terms(self.db, business).await?;
        self.terms.insert(business.to_owned(), terms);
        Ok(terms)
    }

    async fn post(&mut self, id: &RowId, sale: Option<Sale>) -> Result<Option<Posted>, StoreError> {
        let Some(sale) = sale else { return Ok(None) };
        let product_id = self.product(&sale).await?;
        let origin = format!("{}.{}/{}", id.stream, id.table, id.key);
        let journal_id = self.journals.add(self.db, Journal::sale(origin, &sale, product_id)).await?;
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

/// The common beginning of a source database's topics: `shop.public` of `shop.public.beers`.
fn stream(topic: &str) -> String {
    topic.rsplit_once('.').map_or("", |(stream, _)| stream).to_owned()
}
