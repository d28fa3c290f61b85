//! Where records come from: a log of topics and partitions, read in batches, positions kept by the store.

mod file;

use std::{future::Future, path::PathBuf, str::FromStr};

use serde_json::Value;

pub use file::FileSource;
pub(crate) use file::hexadecimal;

/// A place in a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coordinates {
    /// The log's topic; for a file `file:PATH`.
    pub topic: String,
    pub partition: i64,
    /// For a file the line number, from 1.
    pub offset: i64,
}

/// One record as it lies in the log.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    pub coordinates: Coordinates,
    /// The topic that the record belongs to; in a file each line names its own.
    pub topic: String,
    /// JSON, or JSON as text.
    pub key: Option<Value>,
    /// JSON, or JSON as text; `None` is a tombstone.
    pub value: Option<Value>,
}

/// Something in the log that is no record at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreadable {
    pub coordinates: Coordinates,
    pub reason: String,
    pub payload: String,
}

/// Up to where a partition was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Position {
    pub topic: String,
    pub partition: i64,
    pub next_offset: i64,
    /// Digest of everything before, for logs that can be replaced under the same name.
    pub fingerprint: Option<String>,
}

/// What is read and posted in one database transaction.
#[derive(Debug, Default)]
pub struct Batch {
    pub records: Vec<Result<Record, Unreadable>>,
    pub positions: Vec<Position>,
}

impl Batch {
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }
}

#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    #[error("can't open the event file {path}", path = path.display())]
    Open { path: PathBuf, source: std::io::Error },
    #[error("can't read the event file {path}", path = path.display())]
    Read { path: PathBuf, source: std::io::Error },
}

/// A log of records.
pub trait Source {
    /// The topic and partition whose position the store keeps.
    fn log(&self) -> (String, i64);
    /// Goes on after `position`, or from the start where it is not a position of this log.
    fn seek(&mut self, position: &Position) -> impl Future<Output = Result<(), SourceError>> + Send;
    /// The next records; empty when there are none at the moment.
    fn next(&mut self) -> impl Future<Output = Result<Batch, SourceError>> + Send;
}

/// `file:PATH`, as the command line gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceUrl(pub PathBuf);

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SourceUrlError {
    #[error("kafka:// sources are not in this build yet: give file:PATH, lines of {{\"topic\",\"key\",\"value\"}}")]
    Kafka,
    #[error("{0:?} is no source: give file:PATH, lines of {{\"topic\",\"key\",\"value\"}}")]
    Unknown(String),
}

impl FromStr for SourceUrl {
    type Err = SourceUrlError;

    fn from_str(url: &str) -> Result<Self, SourceUrlError> {
        match url.strip_prefix("file:") {
            Some(path) if !path.is_empty() => Ok(Self(path.strip_prefix("//").unwrap_or(path).into())),
            _ if url.starts_with("kafka:") => Err(SourceUrlError::Kafka),
            _ => Err(SourceUrlError::Unknown(url.to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn source_urls() {
        assert_eq!("file:a/b.ndjson".parse(), Ok(SourceUrl("a/b.ndjson".into())));
        assert_eq!("file:///a/b.ndjson".parse(), Ok(SourceUrl("/a/b.ndjson".into())));
        assert_eq!("kafka://broker:9092?group=books".parse::<SourceUrl>(), Err(SourceUrlError::Kafka));
        assert!(matches!("events.ndjson".parse::<SourceUrl>(), Err(SourceUrlError::Unknown(_))));
    }
}
