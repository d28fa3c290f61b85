//! What the records of a batch say to the books: no database is asked.

use rayon::prelude::*;

use crate::{
    debezium::{self, Change, DebeziumError, Event, Row, Sequence, Truncate},
    source::{Batch, Record},
    store::source_rows::RowId,
    till::{Mapping, Table, UnreadableNumber, text},
};

/// What each record of a batch says. Nothing, where it can't be read: that it can't stands in the batch.
pub(super) type Events = Vec<Result<Said, Poison>>;

/// What a record says to the books.
pub(super) enum Said {
    Change(RowChange),
    Truncate(Truncate),
    OtherTable,
    Nothing,
}

pub(super) fn decode(batch: &Batch, mapping: &Mapping) -> Events {
    batch.records.par_iter().map(|record| record.as_ref().map_or(Ok(Said::Nothing), |record| said(record, mapping))).collect()
}

fn said(record: &Record, mapping: &Mapping) -> Result<Said, Poison> {
    Ok(match debezium::decode(&record.topic, record.key.as_ref(), record.value.as_ref())? {
        Event::Change(change) => row_change(record, change, mapping)?.map_or(Said::OtherTable, Said::Change),
        Event::Truncate(truncate) => Said::Truncate(truncate),
        Event::Tombstone | Event::Housekeeping => Said::Nothing,
    })
}

/// A change of one of the mapping's rows.
pub(super) struct RowChange {
    pub table: Table,
    pub id: RowId,
    pub after: Option<Row>,
    pub sequence: Option<Sequence>,
}

/// Why a record is a dead letter.
#[derive(Debug, thiserror::Error)]
pub(super) enum Poison {
    #[error(transparent)]
    Event(#[from] DebeziumError),
    #[error("table {table}")]
    Number { table: String, source: UnreadableNumber },
    #[error("table {table}: the row has no {column}")]
    NoId { table: String, column: String },
    #[error("table {table}: a text of the row holds the character U+0000, which no database here can keep")]
    Nul { table: String },
}

/// `None`: a table that the mapping does not name.
fn row_change(record: &Record, change: Change, mapping: &Mapping) -> Result<Option<RowChange>, Poison> {
    let Some(table) = mapping.table(&change.table) else { return Ok(None) };
    let id_column = mapping.id_column(table);
    let key = text(&change.key, id_column).or_else(|| text(change.after.as_ref()?, id_column));
    let Some(key) = key else {
        return Err(Poison::NoId { table: change.table, column: id_column.to_owned() });
    };
    if let (Table::Sales, Some(after)) = (table, &change.after)
        && let Err(source) = mapping.check_numbers(after)
    {
        return Err(Poison::Number { table: change.table, source });
    }
    if key.contains('\0') || change.after.iter().flatten().any(|(_, value)| value.as_str().is_some_and(|text| text.contains('\0'))) {
        return Err(Poison::Nul { table: change.table });
    }
    let id = RowId { stream: stream(&record.topic), table: change.table, key };
    Ok(Some(RowChange { table, id, after: change.after, sequence: change.sequence }))
}

/// The common beginning of a source database's topics: `shop.public` of `shop.public.beers`.
pub(super) fn stream(topic: &str) -> String {
    topic.rsplit_once('.').map_or("", |(stream, _)| stream).to_owned()
}
