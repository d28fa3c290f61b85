//! What the outside shall hear of: kept in the outbox with the books that it is about, and delivered afterwards, at least once.

pub mod counter;
pub mod delivery;
pub mod topic;
pub mod webhook;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::store::Connection;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A table of the till was emptied; its later changes wait.
    Truncate,
    /// A product counter crossed its threshold.
    Counter,
    /// A record can't be read. For a topic of its own, not for people.
    DeadLetter,
}

impl Kind {
    fn name(self) -> &'static str {
        match self {
            Self::Truncate => "truncate",
            Self::Counter => "counter",
            Self::DeadLetter => "dead_letter",
        }
    }
}

/// Puts an alert into the outbox; what was said before is not said again.
pub(crate) async fn raise(db: &mut Connection, kind: Kind, subject: &str, detail: &str, now: Timestamp) -> sqlx::Result<()> {
    let insert = "INSERT INTO outbox (kind, subject, detail, recorded_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
    sqlx::query(insert).bind(kind.name()).bind(subject).bind(detail).bind(now.as_microsecond()).execute(db).await?;
    Ok(())
}

/// An alert as it is delivered. Who hears it twice knows it by its id.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Alert {
    pub id: i64,
    #[serde(rename = "type")]
    pub kind: String,
    /// What it is about: a business, a table, a record's coordinates.
    pub subject: String,
    pub data: Value,
    /// When it came to be known.
    pub timestamp: Timestamp,
}
