//! The newest image of each row of the till, so that books follow from states and never from the order in which events come.

use std::collections::{BTreeSet, HashMap, hash_map::Entry};

use sqlx::{Row as _, any::AnyRow};

use super::{
    Connection, StoreError,
    rows::{
        Column::{self, Text, Whole},
        Rows,
    },
};
use crate::{
    debezium::{Row, Sequence, UNCHANGED_COLUMN},
    till::Sale,
};

/// A row of a table, in the stream (the topics' common beginning) of one source database.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowId {
    pub stream: String,
    pub table: String,
    pub key: String,
}

/// A row as last seen.
#[derive(Debug, Clone, Default)]
pub struct SourceRow {
    /// Of a deleted row the last one: it says what is taken back, and a default replica identity sends nothing but the key.
    pub image: Row,
    /// Key of the row that it hangs on: a sale line's transaction, a transaction's business.
    pub parent: Option<String>,
    pub sequence: Option<Sequence>,
    pub deleted: bool,
    pub settled: Settled,
}

/// What was made of a row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settled {
    /// What the books hold for it.
    pub posted: Option<Posted>,
    /// Whose it is, where that is known.
    pub business: Option<String>,
    /// Why it is not in the books though it should be.
    pub pending: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    pub sale: Sale,
    pub journal_id: i64,
}

/// What became of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Applied {
    /// The image is as the change says.
    Newest,
    /// A newer state was known already.
    Stale,
}

/// The columns of the table, in their order.
const COLUMNS: [Column; 12] = [
    Text("stream"),
    Text("table_name"),
    Text("row_key"),
    Text("parent_key"),
    Text("image"),
    Whole("sequence_major"),
    Whole("sequence_minor"),
    Whole("deleted"),
    Text("posted"),
    Whole("journal_id"),
    Text("business_id"),
    Text("pending_reason"),
];
const KEYS: [Column; 3] = [Text("given_stream"), Text("given_table"), Text("given_key")];

/// The rows that a batch looks at, as they stand in the database and with what the batch changes: read and written many at a time.
#[derive(Debug, Default)]
pub struct SourceRows {
    rows: HashMap<RowId, Known>,
}

/// What is known of a row that was looked for.
#[derive(Debug, Default)]
struct Known {
    /// `None`: there is none.
    row: Option<SourceRow>,
    /// The database holds it, though maybe not as it is here.
    is_stored: bool,
    is_changed: bool,
}

impl SourceRows {
    /// Reads rows that were not read before.
    pub async fn load(&mut self, db: &mut Connection, ids: impl IntoIterator<Item = RowId>) -> Result<(), StoreError> {
        let mut keys = Rows::new(db, KEYS);
        for id in ids {
            if let Entry::Vacant(unread) = self.rows.entry(id) {
                let RowId { stream, table, key } = unread.key();
                keys.push([stream.into(), table.into(), key.into()]);
                unread.insert(Known::default());
            }
        }
        self.select(db, "row_key", keys).await
    }

    /// Reads the rows of a table that hang on one of `parents`, as far as they were not read before.
    pub async fn load_children(&mut self, db: &mut Connection, table: &str, parents: &BTreeSet<RowId>) -> Result<(), StoreError> {
        let mut keys = Rows::new(db, KEYS);
        for parent in parents {
            keys.push([(&parent.stream).into(), table.into(), (&parent.key).into()]);
        }
        self.select(db, "parent_key", keys).await
    }

    async fn select(&mut self, db: &mut Connection, key: &str, keys: Rows<3>) -> Result<(), StoreError> {
        if keys.is_empty() {
            return Ok(());
        }
        let select = format!(
            "SELECT source_rows.* FROM {} JOIN source_rows {} ON stream = given_stream AND table_name = given_table AND {key} = given_key",
            keys.source(),
            index(db, key)
        );
        for row in keys.query(select).fetch_all(db).await? {
            let (id, row) = source_row(&row)?;
            let known = self.rows.entry(id).or_default();
            if known.row.is_none() {
                *known = Known { row: Some(row), is_stored: true, is_changed: false };
            }
        }
        Ok(())
    }

    /// A row that was read; `None` where it is not there.
    pub fn get(&self, id: &RowId) -> Option<&SourceRow> {
        self.rows.get(id)?.row.as_ref()
    }

    /// Of the rows of a table that were read, those that hang on one of `parents`.
    pub fn children<'a>(&'a self, table: &'a str, parents: &'a BTreeSet<RowId>) -> impl Iterator<Item = &'a RowId> {
        let streams: BTreeSet<(&str, &str)> = parents.iter().map(|id| (id.stream.as_str(), id.key.as_str())).collect();
        let hangs_on_one =
            move |id: &RowId, row: &SourceRow| row.parent.as_deref().is_some_and(|parent| streams.contains(&(id.stream.as_str(), parent)));
        self.rows.iter().filter_map(move |(id, known)| (id.table == table && hangs_on_one(id, known.row.as_ref()?)).then_some(id))
    }

    /// Puts the new state of a row that was read (`after`: `None` deletes) unless a newer one is known.
    pub fn apply(&mut self, id: &RowId, after: Option<Row>, parent: Option<String>, sequence: Option<Sequence>) -> Applied {
        let known = self.rows.entry(id.clone()).or_default();
        let before = known.row.take().unwrap_or_default();
        if let (Some(old), Some(new)) = (before.sequence, sequence)
            && new < old
        {
            known.row = Some(before);
            return Applied::Stale;
        }
        let sequence = sequence.or(before.sequence);
        known.is_changed = true;
        known.row = Some(match after {
            Some(after) => {
                let image = with_unchanged_columns(after, &before.image);
                SourceRow { image, parent, sequence, deleted: false, settled: before.settled }
            }
            None => SourceRow { sequence, deleted: true, ..before },
        });
        Applied::Newest
    }

    /// Notes what was made of a row.
    pub fn settle(&mut self, id: &RowId, settled: Settled) {
        let Some(Known { row: Some(row), is_changed, .. }) = self.rows.get_mut(id) else { return };
        if row.settled != settled {
            row.settled = settled;
            *is_changed = true;
        }
    }

    /// What changed, to be written: new rows and others.
    pub fn changes(self, mut changes: Changes) -> Changes {
        let mut changed: Vec<_> = self.rows.iter().filter(|(_, known)| known.is_changed).collect();
        // Writers that lock the same rows do so in the same order.
        changed.sort_unstable_by_key(|(id, _)| *id);
        for (id, Known { row, is_stored, .. }) in changed {
            let Some(row) = row else { continue };
            push(if *is_stored { &mut changes.stored } else { &mut changes.new }, id, row);
        }
        changes
    }
}

/// Rows that a batch changed.
pub struct Changes {
    new: Rows<12>,
    stored: Rows<12>,
}

impl Changes {
    pub fn none(db: &Connection) -> Self {
        Self { new: Rows::new(db, COLUMNS), stored: Rows::new(db, COLUMNS) }
    }

    pub async fn write(self, db: &mut Connection) -> sqlx::Result<()> {
        const NEWEST: &str = "ON CONFLICT (stream, table_name, row_key) DO UPDATE SET parent_key = excluded.parent_key, \
            image = excluded.image, sequence_major = excluded.sequence_major, sequence_minor = excluded.sequence_minor, \
            deleted = excluded.deleted, posted = excluded.posted, journal_id = excluded.journal_id, \
            business_id = excluded.business_id, pending_reason = excluded.pending_reason";
        let inserts = [self.new.insert_into("source_rows", ""), self.stored.insert_into("source_rows", NEWEST)];
        for insert in inserts.into_iter().flatten() {
            insert.execute(&mut *db).await?;
        }
        Ok(())
    }
}

fn push(rows: &mut Rows<12>, RowId { stream, table, key }: &RowId, row: &SourceRow) {
    let image = serde_json::to_string(&row.image).expect("a map of JSON values");
    let posted = row.settled.posted.as_ref();
    let sale = posted.map(|posted| serde_json::to_string(&posted.sale).expect("plain fields"));
    rows.push([
        stream.into(),
        table.into(),
        key.into(),
        row.parent.as_ref().into(),
        (&image).into(),
        row.sequence.map(|sequence| sequence.major).into(),
        row.sequence.map(|sequence| sequence.minor).into(),
        i64::from(row.deleted).into(),
        sale.as_ref().into(),
        posted.map(|posted| posted.journal_id).into(),
        row.settled.business.as_ref().into(),
        row.settled.pending.as_ref().into(),
    ]);
}

/// SQLite takes two columns of the primary key for a better way to a parent's rows than the three of this index.
fn index(db: &Connection, key: &str) -> &'static str {
    if key == "parent_key" && db.backend_name() == "SQLite" { "INDEXED BY source_rows_by_parent" } else { "" }
}

fn source_row(row: &AnyRow) -> Result<(RowId, SourceRow), StoreError> {
    let posted = match (row.try_get::<Option<String>, _>("posted")?, row.try_get::<Option<i64>, _>("journal_id")?) {
        (Some(sale), Some(journal_id)) => {
            let sale = serde_json::from_str(&sale).map_err(|error| StoreError::Corrupt { what: "posted sale", source: error.into() })?;
            Some(Posted { sale, journal_id })
        }
        _ => None,
    };
    let image: String = row.try_get("image")?;
    let image = serde_json::from_str(&image).map_err(|error| StoreError::Corrupt { what: "row image", source: error.into() })?;
    let sequence = match (row.try_get::<Option<i64>, _>("sequence_major")?, row.try_get::<Option<i64>, _>("sequence_minor")?) {
        (Some(major), Some(minor)) => Some(Sequence { major, minor }),
        _ => None,
    };
    let id = RowId { stream: row.try_get("stream")?, table: row.try_get("table_name")?, key: row.try_get("row_key")? };
    let settled = Settled { posted, business: row.try_get("business_id")?, pending: row.try_get("pending_reason")? };
    let deleted = row.try_get::<i64, _>("deleted")? != 0;
    Ok((id, SourceRow { image, parent: row.try_get("parent_key")?, sequence, deleted, settled }))
}

/// Large columns that an update did not touch come as a placeholder: they are as they were.
fn with_unchanged_columns(mut after: Row, before: &Row) -> Row {
    for (column, value) in &mut after {
        if value == UNCHANGED_COLUMN
            && let Some(known) = before.get(column)
        {
            *value = known.clone();
        }
    }
    after
}
