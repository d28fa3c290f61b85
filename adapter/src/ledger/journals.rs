//! Journals written many at a time, each chained to the one before it in its business.

use std::collections::{HashMap, hash_map::Entry};

use jiff::{Timestamp, civil::Date};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{Account, Journal, Kind, Posting};
use crate::{
    alerts::counter,
    source::hexadecimal,
    stock::{Movement, count},
    store::{
        Connection, StoreError,
        rows::{
            Cell,
            Column::{self, Text, Whole},
            Rows,
        },
    },
};

/// The columns of the tables, in their order.
const JOURNALS: [Column; 11] = [
    Text("business_id"),
    Whole("journal_id"),
    Text("kind"),
    Text("origin"),
    Text("transaction_key"),
    Whole("line_count"),
    Text("effective_date"),
    Whole("effective_at"),
    Whole("recorded_at"),
    Whole("reverses"),
    Text("hash"),
];
const POSTINGS: [Column; 6] =
    [Text("business_id"), Whole("journal_id"), Whole("ordinal"), Text("account"), Text("currency"), Whole("amount_minor")];
const MOVEMENTS: [Column; 6] =
    [Text("business_id"), Whole("journal_id"), Whole("ordinal"), Whole("product_id"), Whole("quantity"), Whole("value_minor")];

/// Journals in one statement.
const WRITTEN_TOGETHER: usize = 1000;

/// The newest journal of a business.
#[derive(Debug, Default)]
struct Head {
    journal_id: i64,
    hash: String,
}

/// Journals of one transaction: numbered as they are added, hashed and in the database when they are written.
pub struct Journals {
    now: Timestamp,
    heads: HashMap<String, Head>,
    /// With their numbers.
    added: Vec<(i64, Journal)>,
}

/// Goods that a journal moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moved {
    pub business: String,
    pub kind: Kind,
    pub product_id: i64,
    pub effective_at: Timestamp,
}

impl Journals {
    /// `now` is when they are recorded.
    pub fn new(now: Timestamp) -> Self {
        Self { now, heads: HashMap::new(), added: Vec::new() }
    }

    /// Adds a journal and gives its number within the business.
    pub async fn add(&mut self, db: &mut Connection, journal: Journal) -> sqlx::Result<i64> {
        let head = match self.heads.entry(journal.business.clone()) {
            Entry::Occupied(head) => head.into_mut(),
            Entry::Vacant(vacant) => {
                let head = head(db, &journal.business).await?;
                vacant.insert(head)
            }
        };
        head.journal_id += 1;
        self.added.push((head.journal_id, journal));
        Ok(head.journal_id)
    }

    /// Takes a journal back that is in the database.
    pub async fn reverse(&mut self, db: &mut Connection, business: &str, journal_id: i64) -> Result<i64, StoreError> {
        let journal = load(db, business, journal_id).await?;
        Ok(self.add(db, journal.reversal(journal_id)).await?)
    }

    /// Writes them, and what follows from them: stock counts that an earlier movement came behind, and alerts.
    pub async fn write(self, db: &mut Connection) -> Result<(), StoreError> {
        let now = self.now;
        let moved = self.insert(db).await?;
        count::follow(db, &moved, now).await?;
        counter::follow(db, &moved, now).await
    }

    /// While the database takes some of them, the next ones are hashed and made ready for it.
    pub(crate) async fn insert(mut self, db: &mut Connection) -> sqlx::Result<Vec<Moved>> {
        let empty = JournalRows::none(db);
        let mut ready = empty.clone();
        for journals in self.added.chunks(WRITTEN_TOGETHER) {
            let (written, next) = tokio::join!(ready.write(db), async { rows(journals, &mut self.heads, self.now, empty.clone()) });
            written?;
            ready = next;
        }
        ready.write(db).await?;
        Ok(self.added.iter().flat_map(|(_, journal)| journal.moved()).collect())
    }
}

/// The rows of journals, each hashed behind the one before it.
fn rows(journals: &[(i64, Journal)], heads: &mut HashMap<String, Head>, now: Timestamp, mut rows: JournalRows) -> JournalRows {
    for (journal_id, journal) in journals {
        let chained = Chained::of(journal, *journal_id, now);
        let head = heads.entry(journal.business.clone()).or_default();
        head.hash = chained.hash(&head.hash);
        rows.push(&chained, &head.hash);
    }
    rows
}

/// What journals are in the database.
#[derive(Clone)]
struct JournalRows {
    journals: Rows<11>,
    postings: Rows<6>,
    movements: Rows<6>,
}

impl JournalRows {
    fn none(db: &Connection) -> Self {
        Self { journals: Rows::new(db, JOURNALS), postings: Rows::new(db, POSTINGS), movements: Rows::new(db, MOVEMENTS) }
    }

    fn push(&mut self, chained: &Chained, hash: &str) {
        let (business, id, kind, origin, transaction, lines, date, at, recorded_at, reverses) = &chained.journal;
        let (business, id) = (Cell::from(business), Cell::from(*id));
        self.journals.push([
            business,
            id,
            kind.into(),
            origin.into(),
            transaction.into(),
            (*lines).into(),
            date.into(),
            (*at).into(),
            (*recorded_at).into(),
            (*reverses).into(),
            hash.into(),
        ]);
        for (ordinal, (account, currency, amount)) in (0_i64..).zip(&chained.postings) {
            self.postings.push([business, id, ordinal.into(), account.into(), currency.into(), (*amount).into()]);
        }
        for (ordinal, (product_id, quantity, value)) in (0_i64..).zip(&chained.movements) {
            self.movements.push([business, id, ordinal.into(), (*product_id).into(), (*quantity).into(), (*value).into()]);
        }
    }

    /// On PostgreSQL postings and movements follow their journal and are checked a statement at a time; SQLite checks rows, so there the journal
    /// comes last and closes over them.
    async fn write(self, db: &mut Connection) -> sqlx::Result<()> {
        let mut inserts = [
            self.journals.insert_into("journals", ""),
            self.postings.insert_into("postings", ""),
            self.movements.insert_into("stock_movements", ""),
        ];
        if db.backend_name() == "SQLite" {
            inserts.rotate_left(1);
        }
        for insert in inserts.into_iter().flatten() {
            insert.execute(&mut *db).await?;
        }
        Ok(())
    }
}

/// What a journal's hash is of: the columns of its rows, as they stand in the database.
#[derive(Serialize)]
pub(super) struct Chained {
    /// Business, number, kind, origin, transaction, lines, effective date and time, recorded time, the journal that it takes back.
    pub journal: (String, i64, String, String, String, i64, String, i64, i64, Option<i64>),
    /// Account, currency, amount.
    pub postings: Vec<(String, String, i64)>,
    /// Product, quantity, value.
    pub movements: Vec<(i64, i64, Option<i64>)>,
}

impl Chained {
    fn of(journal: &Journal, journal_id: i64, now: Timestamp) -> Self {
        let currency = journal.currency.to_string();
        Self {
            journal: (
                journal.business.clone(),
                journal_id,
                journal.kind.name().to_owned(),
                journal.origin.clone(),
                journal.transaction.clone(),
                journal.line_count,
                journal.effective_date.to_string(),
                journal.effective_at.as_microsecond(),
                now.as_microsecond(),
                journal.reverses,
            ),
            postings: journal
                .postings
                .iter()
                .map(|posting| (posting.account.name().to_owned(), currency.clone(), posting.amount_minor))
                .collect(),
            movements: journal.movements.iter().map(|movement| (movement.product_id, movement.quantity, movement.value_minor)).collect(),
        }
    }

    /// SHA-256 of the hash before and this journal as JSON: whoever changes an old journal must change all after it.
    pub(super) fn hash(&self, before: &str) -> String {
        let content = serde_json::to_string(&(before, self)).expect("texts and whole numbers");
        hexadecimal(&Sha256::digest(content))
    }
}

async fn head(db: &mut Connection, business: &str) -> sqlx::Result<Head> {
    let select = "SELECT journal_id, hash FROM journals WHERE business_id = $1 ORDER BY journal_id DESC LIMIT 1";
    let newest: Option<(i64, Option<String>)> = sqlx::query_as(select).bind(business).fetch_optional(db).await?;
    Ok(newest.map(|(journal_id, hash)| Head { journal_id, hash: hash.unwrap_or_default() }).unwrap_or_default())
}

#[derive(sqlx::FromRow)]
struct JournalRow {
    kind: String,
    origin: String,
    transaction_key: String,
    line_count: i64,
    effective_date: String,
    effective_at: i64,
}

async fn load(db: &mut Connection, business: &str, journal_id: i64) -> Result<Journal, StoreError> {
    let select = "SELECT kind, origin, transaction_key, line_count, effective_date, effective_at FROM journals \
        WHERE business_id = $1 AND journal_id = $2";
    let row: JournalRow = sqlx::query_as(select).bind(business).bind(journal_id).fetch_one(&mut *db).await?;
    let select = "SELECT account, currency, amount_minor FROM postings WHERE business_id = $1 AND journal_id = $2 ORDER BY ordinal";
    let postings: Vec<(String, String, i64)> = sqlx::query_as(select).bind(business).bind(journal_id).fetch_all(&mut *db).await?;
    let select =
        "SELECT product_id, quantity, value_minor FROM stock_movements WHERE business_id = $1 AND journal_id = $2 ORDER BY ordinal";
    let movements: Vec<(i64, i64, Option<i64>)> = sqlx::query_as(select).bind(business).bind(journal_id).fetch_all(&mut *db).await?;
    // A free sale posts no amounts: its currency is then of no consequence.
    let currency = postings.first().map_or("EUR", |(_, currency, _)| currency.as_str());
    Ok(Journal {
        business: business.to_owned(),
        kind: Kind::named(&row.kind).ok_or_else(|| corrupt("kind of journal", &row.kind))?,
        origin: row.origin,
        transaction: row.transaction_key,
        line_count: row.line_count,
        effective_date: row.effective_date.parse::<Date>().map_err(|error| StoreError::Corrupt { what: "date", source: error.into() })?,
        effective_at: Timestamp::from_microsecond(row.effective_at)
            .map_err(|error| StoreError::Corrupt { what: "time", source: error.into() })?,
        currency: currency.parse().map_err(|_| corrupt("currency", currency))?,
        reverses: None,
        movements: movements
            .into_iter()
            .map(|(product_id, quantity, value_minor)| Movement { product_id, quantity, value_minor })
            .collect(),
        postings: postings
            .iter()
            .map(|(account, _, amount_minor)| {
                let account = Account::named(account).ok_or_else(|| corrupt("account", account))?;
                Ok(Posting { account, amount_minor: *amount_minor })
            })
            .collect::<Result<_, StoreError>>()?,
    })
}

fn corrupt(what: &'static str, text: &str) -> StoreError {
    StoreError::Corrupt { what, source: format!("{text:?}").into() }
}
