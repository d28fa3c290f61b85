//! The till's events into the books: each batch puts the newest state of the rows it touches, then posts the difference to what the books hold.
//!
//! Architecture invariant: what is posted depends on the states of the rows alone. So repeats, replays, and topics in any order end in the
//! same books.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use sqlx::SqliteConnection;

use crate::{
    business,
    clock::Clock,
    debezium::{self, Change, DebeziumError, Event, Row, Sequence, Truncate},
    ledger::{self, Journal},
    money::Currency,
    source::{Batch, Record, Unreadable},
    stock::product,
    store::{
        Store, StoreError, dead_letters, inbox,
        source_rows::{self, Applied, Posted, RowId},
    },
    till::{Mapping, Pending, Sale, Table, UnreadableNumber, text},
};

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
}

/// Posts a batch in one transaction: rows, books, dead letters and position together.
pub async fn post(store: &Store, mapping: &Mapping, clock: Clock, batch: Batch) -> Result<Tally, StoreError> {
    let mut db = store.write().await?;
    let stopped = stopped_tables(&mut db).await?;
    let mut posting = Posting { db: &mut db, mapping, now: clock.now(), stopped, touched: BTreeSet::new(), tally: Tally::default() };
    for record in batch.records {
        posting.record(record).await?;
    }
    for id in std::mem::take(&mut posting.touched) {
        posting.settle(&id).await?;
    }
    let tally = posting.tally;
    for position in &batch.positions {
        inbox::keep(&mut db, position).await?;
    }
    db.commit().await.map_err(StoreError::Commit)?;
    Ok(tally)
}

struct Posting<'a> {
    db: &'a mut SqliteConnection,
    mapping: &'a Mapping,
    now: Timestamp,
    stopped: HashMap<(String, String), Option<Sequence>>,
    /// Sale lines whose books may have changed.
    touched: BTreeSet<RowId>,
    tally: Tally,
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

impl Posting<'_> {
    async fn record(&mut self, record: Result<Record, Unreadable>) -> Result<(), StoreError> {
        self.tally.records += 1;
        let record = match record {
            Ok(record) => record,
            Err(unreadable) => return self.bury(unreadable).await,
        };
        let event = match debezium::decode(&record.topic, record.key.as_ref(), record.value.as_ref()) {
            Ok(event) => event,
            Err(error) => return self.poison(&record, &error.into()).await,
        };
        match event {
            Event::Change(change) => match self.mapping.table(&change.table) {
                Some(table) => self.change(&record, table, change).await,
                None => {
                    self.tally.other_tables += 1;
                    Ok(())
                }
            },
            Event::Truncate(truncate) => self.truncate(&record, truncate).await,
            Event::Tombstone | Event::Housekeeping => Ok(()),
        }
    }

    async fn change(&mut self, record: &Record, table: Table, change: Change) -> Result<(), StoreError> {
        let id_column = self.mapping.id_column(table);
        let key = text(&change.key, id_column).or_else(|| text(change.after.as_ref()?, id_column));
        let Some(key) = key else {
            let poison = Poison::NoId { table: change.table, column: id_column.to_owned() };
            return self.poison(record, &poison).await;
        };
        if let (Table::Sales, Some(after)) = (table, &change.after)
            && let Err(source) = self.mapping.check_numbers(after)
        {
            return self.poison(record, &Poison::Number { table: change.table, source }).await;
        }
        let id = RowId { stream: stream(&record.topic), table: change.table, key };
        if self.is_stopped(&id, change.sequence) {
            return self.hold(record, &id).await;
        }
        let parent = change.after.as_ref().and_then(|after| self.mapping.parent(table, after));
        let name = change.after.as_ref().and_then(|after| text(after, &self.mapping.businesses.name));
        let deleted = change.after.is_none();
        if source_rows::apply(self.db, &id, change.after, parent, change.sequence).await? == Applied::Stale {
            self.tally.stale += 1;
            return Ok(());
        }
        match table {
            // A business that left the till keeps its books.
            Table::Businesses if deleted => Ok(()),
            Table::Businesses => self.business(&id, name.as_deref()).await,
            Table::Transactions => self.touch_sales_of(&id).await,
            Table::Sales => {
                self.touched.insert(id);
                Ok(())
            }
        }
    }

    /// A business that becomes known releases the sales that waited for it.
    async fn business(&mut self, id: &RowId, name: Option<&str>) -> Result<(), StoreError> {
        if business::register(self.db, &id.key, name, self.now).await? {
            for transaction in source_rows::children(self.db, &id.stream, &self.mapping.transactions.table, &id.key).await? {
                self.touch_sales_of(&transaction).await?;
            }
        }
        Ok(())
    }

    async fn touch_sales_of(&mut self, transaction: &RowId) -> Result<(), StoreError> {
        let sales = source_rows::children(self.db, &transaction.stream, &self.mapping.sales.table, &transaction.key).await?;
        self.touched.extend(sales);
        Ok(())
    }

    /// Brings the books to what the row says now.
    async fn settle(&mut self, id: &RowId) -> Result<(), StoreError> {
        let Some(row) = source_rows::find(self.db, id).await? else { return Ok(()) };
        let Wanted { sale, business, pending } = if row.deleted { Wanted::default() } else { self.wanted(id, &row.image).await? };
        let posted = match (row.posted, sale) {
            (Some(posted), Some(sale)) if posted.sale == sale => return Ok(()),
            (before, sale) => {
                if let Some(before) = before {
                    ledger::reverse(self.db, &before.sale.business, before.journal_id, self.now).await?;
                    self.tally.reversals += 1;
                }
                self.post(id, sale).await?
            }
        };
        source_rows::settle(self.db, id, posted.as_ref(), business.as_deref(), pending.as_deref()).await?;
        Ok(())
    }

    /// What the books should hold for a row that is there.
    async fn wanted(&mut self, id: &RowId, row: &Row) -> Result<Wanted, StoreError> {
        let columns = &self.mapping.transactions;
        let transaction = match text(row, &self.mapping.sales.transaction) {
            Some(key) => {
                let transaction_id = RowId { stream: id.stream.clone(), table: columns.table.clone(), key };
                source_rows::find(self.db, &transaction_id).await?.filter(|row| !row.deleted)
            }
            None => None,
        };
        let transaction = transaction.map(|row| row.image);
        let mut currency = Currency::EUR;
        let business = transaction.as_ref().and_then(|row| text(row, &columns.business));
        if let Some(business) = &business {
            match business::terms(self.db, business).await? {
                Some(terms) => currency = terms.currency,
                None => return Ok(Wanted::waiting(&Pending::UnknownBusiness(business.clone()), None)),
            }
        }
        Ok(match self.mapping.sale(row, transaction.as_ref(), currency) {
            Ok(sale) => Wanted { sale: Some(sale), business, pending: None },
            Err(pending) => Wanted::waiting(&pending, business),
        })
    }

    async fn post(&mut self, id: &RowId, sale: Option<Sale>) -> Result<Option<Posted>, StoreError> {
        let Some(sale) = sale else { return Ok(None) };
        let product_id = product::sold_as(self.db, &sale.business, &sale.product, sale.unit).await?;
        let origin = format!("{}.{}/{}", id.stream, id.table, id.key);
        let journal_id = Journal::sale(origin, &sale, product_id).post(self.db, self.now).await?;
        self.tally.journals += 1;
        Ok(Some(Posted { sale, journal_id }))
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
        let held = sqlx::query("INSERT OR IGNORE INTO held_changes VALUES (?, ?, ?, ?, ?, ?, ?, ?)")
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
        let stop = sqlx::query("INSERT OR IGNORE INTO stopped_tables VALUES (?, ?, ?, ?, ?)")
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
        sqlx::query("INSERT OR IGNORE INTO outbox (kind, subject, detail, recorded_at) VALUES ('truncate', ?, ?, ?)")
            .bind(&table)
            .bind("the table was truncated: its books stay, its later changes wait")
            .bind(self.now.as_microsecond())
            .execute(&mut *self.db)
            .await?;
        self.stopped.insert((stream, truncate.table), truncate.sequence);
        self.tally.truncated.push(table);
        Ok(())
    }
}

async fn stopped_tables(db: &mut SqliteConnection) -> sqlx::Result<HashMap<(String, String), Option<Sequence>>> {
    let select = "SELECT stream, table_name, sequence_major, sequence_minor FROM stopped_tables";
    let rows: Vec<(String, String, Option<i64>, Option<i64>)> = sqlx::query_as(select).fetch_all(db).await?;
    let sequence = |major: Option<i64>, minor: Option<i64>| Some(Sequence { major: major?, minor: minor? });
    Ok(rows.into_iter().map(|(stream, table, major, minor)| ((stream, table), sequence(major, minor))).collect())
}

/// The common beginning of a source database's topics: `shop.public` of `shop.public.beers`.
fn stream(topic: &str) -> String {
    topic.rsplit_once('.').map_or("", |(stream, _)| stream).to_owned()
}

/// An error with what caused it, in one line.
fn chain(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
