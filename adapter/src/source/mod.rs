//! Where records come from: a log of topics and partitions, read in batches, positions kept by the store.

mod file;
mod kafka;
mod url;

use std::{future::Future, path::PathBuf};

use serde_json::Value;

pub use file::FileSource;
pub(crate) use file::hexadecimal;
pub use kafka::KafkaSource;
pub use url::{KafkaUrl, SourceUrl, SourceUrlError};

use crate::store::{Store, StoreError};

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

/// How a batch moves a position. It is posted only where the database still holds `from`: then nobody else has posted these records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Offset; `None`: nothing was read of the log before.
    pub from: Option<i64>,
    pub to: Position,
}

/// What is read and posted in one database transaction.
#[derive(Debug, Default)]
pub struct Batch {
    pub records: Vec<Result<Record, Unreadable>>,
    /// One of each partition that records are of.
    pub steps: Vec<Step>,
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
    #[error("the broker {broker}")]
    Broker { broker: String, source: rdkafka::error::KafkaError },
    #[error("can't look up how far the source was read")]
    Position(#[source] StoreError),
}

/// A log of records.
pub trait Source {
    /// Goes on where the database says it was left: at the start, and when another was found to have posted the same records.
    fn resume(&mut self, store: &Store) -> impl Future<Output = Result<(), SourceError>>;
    /// The next records; empty when there are none at the moment.
    fn next(&mut self) -> impl Future<Output = Result<Batch, SourceError>>;
    /// Whether all records that are there were read.
    fn is_at_end(&mut self) -> impl Future<Output = Result<bool, SourceError>>;
    /// A batch is in the books.
    fn posted(&mut self, steps: &[Step]);
}

/// A source of either kind.
pub enum AnySource {
    File(FileSource),
    Kafka(KafkaSource),
}

impl AnySource {
    /// `growing`: a file may be appended to while it is read. `topics`: of a broker whose address names none.
    pub async fn open(url: &SourceUrl, growing: bool, topics: &[String], store: &Store) -> Result<Self, SourceError> {
        let mut source = match url {
            SourceUrl::File(path) => Self::File(FileSource::open(path, growing)?),
            SourceUrl::Kafka(url) => Self::Kafka(KafkaSource::open(url, topics, store).await?),
        };
        source.resume(store).await?;
        Ok(source)
    }
}

impl Source for AnySource {
    async fn resume(&mut self, store: &Store) -> Result<(), SourceError> {
        match self {
            Self::File(file) => file.resume(store).await,
            Self::Kafka(kafka) => kafka.resume(store).await,
        }
    }

    async fn next(&mut self) -> Result<Batch, SourceError> {
        match self {
            Self::File(file) => file.next().await,
            Self::Kafka(kafka) => kafka.next().await,
        }
    }

    async fn is_at_end(&mut self) -> Result<bool, SourceError> {
        match self {
            Self::File(file) => file.is_at_end().await,
            Self::Kafka(kafka) => kafka.is_at_end().await,
        }
    }

    fn posted(&mut self, steps: &[Step]) {
        match self {
            Self::File(file) => file.posted(steps),
            Self::Kafka(kafka) => kafka.posted(steps),
        }
    }
}

/// An error with what caused it, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |error| error.source()).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}
