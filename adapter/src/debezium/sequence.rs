//! The order of the changes of one row.
//!
//! Positions in PostgreSQL's log are not monotonic over interleaved transactions, but for one row they are: its lock is held until the
//! commit. So changes are ordered per key, and never dropped for being below some position of the whole stream.

use serde_json::Value;

/// The commit before this change and the change itself, as log sequence numbers; or times, where a connector gives nothing better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sequence {
    pub major: i64,
    pub minor: i64,
}

impl Sequence {
    /// From the envelope's `source` block: `sequence` (`"[\"commit\",\"change\"]"`), else `lsn`; its time for connectors that have neither.
    /// A connector that has them, but not for this event, gives none: times and positions are not to be compared.
    pub fn of_source(source: &Value) -> Option<Self> {
        match (source.get("sequence"), source.get("lsn")) {
            (None, None) => Self::of_number(&source["ts_us"]).or_else(|| Self::of_number(&source["ts_ms"])),
            (sequence, lsn) => sequence.and_then(Value::as_str).and_then(Self::of_text).or_else(|| Self::of_number(lsn?)),
        }
    }

    /// From the columns that `ExtractNewRecordState` was told to add to a row.
    pub fn of_added_columns(row: &serde_json::Map<String, Value>) -> Option<Self> {
        Self::of_number(row.get("__lsn").or_else(|| row.get("__source_ts_ms"))?)
    }

    pub fn of_number(number: &Value) -> Option<Self> {
        number.as_i64().map(|number| Self { major: number, minor: number })
    }

    /// The first change after a snapshot, and the snapshot itself, know no commit before them: they stand at their own position.
    fn of_text(text: &str) -> Option<Self> {
        let [commit, change]: [Option<String>; 2] = serde_json::from_str(text).ok()?;
        let change = change?.parse().ok()?;
        let commit = commit.map_or(Ok(change), |commit| commit.parse()).ok()?;
        Some(Self { major: commit, minor: change })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sequence(source: Value) -> Option<(i64, i64)> {
        Sequence::of_source(&source).map(|sequence| (sequence.major, sequence.minor))
    }

    #[test]
    fn best_order_that_the_source_gives() {
        assert_eq!(sequence(json!({"sequence": "[\"27645440\",\"27718152\"]", "lsn": 1})), Some((27_645_440, 27_718_152)));
        assert_eq!(sequence(json!({"sequence": "[null,\"27645240\"]"})), Some((27_645_240, 27_645_240)));
        assert_eq!(sequence(json!({"sequence": "nonsense", "lsn": 7})), Some((7, 7)));
        assert_eq!(sequence(json!({"lsn": null, "ts_ms": 5})), None);
        assert_eq!(sequence(json!({"ts_ms": 5})), Some((5, 5)));
        assert_eq!(sequence(json!({})), None);
    }

    #[test]
    fn a_later_snapshot_is_newer_than_the_changes_before_it() {
        let change = Sequence::of_source(&json!({"sequence": "[\"100\",\"120\"]"}));
        let snapshot = Sequence::of_source(&json!({"sequence": "[null,\"150\"]"}));
        let after = Sequence::of_source(&json!({"sequence": "[\"160\",\"155\"]"}));
        assert!(change < snapshot && snapshot < after);
    }
}
