//! Change events of Debezium: the envelope with or without schemas, or unwrapped by `ExtractNewRecordState`.

mod decimal;
mod envelope;
mod sequence;

use serde_json::{Map, Value};

pub use decimal::{DecimalError, decimal};
pub use envelope::decode;
pub use sequence::Sequence;

/// A row of the source database: column -> value as Debezium writes it.
pub type Row = Map<String, Value>;

/// What Debezium writes for a large column that an update did not touch.
pub const UNCHANGED_COLUMN: &str = "__debezium_unavailable_value";

/// One event of the stream.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A row was read, written or deleted.
    Change(Change),
    /// A table was emptied at one stroke.
    Truncate(Truncate),
    /// Marks a deleted key for the log's compaction; the deletion itself came before.
    Tombstone,
    /// Heartbeats, transaction markers, logical messages, schema changes: nothing for the books.
    Housekeeping,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    pub table: String,
    pub key: Row,
    /// The row as it is now; `None`: deleted.
    pub after: Option<Row>,
    pub sequence: Option<Sequence>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Truncate {
    pub table: String,
    pub sequence: Option<Sequence>,
}

#[derive(Debug, thiserror::Error)]
pub enum DebeziumError {
    #[error("the {part} is no JSON")]
    Json { part: &'static str, source: serde_json::Error },
    #[error("the value is neither a change event (\"op\") nor an unwrapped row (\"__op\", \"__deleted\")")]
    NoEnvelope,
    #[error("unknown operation {0:?}: c, r, u, d, t or m")]
    UnknownOperation(String),
    #[error("operation {0:?} without the row in \"after\"")]
    NoRow(String),
    #[error("the event has no key, and its row none either")]
    NoKey,
}
