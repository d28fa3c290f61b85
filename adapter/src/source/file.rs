//! A file of lines `{"topic", "key", "value"}`; key and value are JSON or JSON as text, `null` or absent for none.
//!
//! The position is the line number with a digest of all lines before it: the same file, also grown, goes on where it was left;
//! a file with another beginning is read from its start.

use std::{
    fs::File,
    io::{BufRead, BufReader, Read, Seek},
    path::{Path, PathBuf},
};

use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::{Batch, Coordinates, Position, Record, Source, SourceError, Step, Unreadable};
use crate::store::{Store, inbox};

/// Lines in one database transaction.
const BATCH_LINES: usize = 1000;
/// Bytes after which a batch is full, however few its lines.
const BATCH_BYTES: u64 = 8 << 20;
/// Bytes of a line; a longer one becomes a dead letter.
const LONGEST_LINE: u64 = 16 << 20;
/// Bytes of an unreadable line that its dead letter keeps.
const KEPT_PAYLOAD: usize = 64 << 10;

pub struct FileSource {
    path: PathBuf,
    lines: BufReader<File>,
    line_number: i64,
    digest: Sha256,
    /// What the database holds, once the batches under way are posted.
    stored: Option<i64>,
    /// A last line without its newline is still being written.
    growing: bool,
    at_end: bool,
}

/// How one line ended.
enum Line {
    Complete(Vec<u8>),
    TooLong(Vec<u8>),
    None,
}

impl FileSource {
    /// `growing`: the file may be appended to while it is read.
    pub fn open(path: &Path, growing: bool) -> Result<Self, SourceError> {
        let failed = |source| SourceError::Open { path: path.to_owned(), source };
        let file = File::open(path).map_err(failed)?;
        if file.metadata().map_err(failed)?.is_dir() {
            return Err(failed(std::io::ErrorKind::IsADirectory.into()));
        }
        Ok(Self {
            path: path.to_owned(),
            lines: BufReader::new(file),
            line_number: 0,
            digest: Sha256::new(),
            stored: None,
            growing,
            at_end: false,
        })
    }

    fn log(&self) -> (String, i64) {
        (format!("file:{}", self.path.display()), 0)
    }

    fn read_line(&mut self) -> std::io::Result<Line> {
        let mut line = Vec::new();
        let length = self.lines.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line)? as u64;
        let ended = line.ends_with(b"\n");
        if length == 0 {
            return Ok(Line::None);
        }
        if !ended && length < LONGEST_LINE && self.growing {
            self.lines.seek_relative(-i64::try_from(length).expect("not above LONGEST_LINE"))?;
            return Ok(Line::None);
        }
        self.line_number += 1;
        self.digest.update(&line);
        if ended || length < LONGEST_LINE {
            return Ok(Line::Complete(line));
        }
        self.skip_rest_of_line()?;
        Ok(Line::TooLong(line))
    }

    fn skip_rest_of_line(&mut self) -> std::io::Result<()> {
        loop {
            let mut rest = Vec::new();
            let length = self.lines.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut rest)?;
            self.digest.update(&rest);
            if length == 0 || rest.ends_with(b"\n") {
                return Ok(());
            }
        }
    }

    fn fingerprint(&self) -> String {
        hexadecimal(&self.digest.clone().finalize())
    }

    fn rewind(&mut self) -> std::io::Result<()> {
        self.lines.rewind()?;
        self.line_number = 0;
        self.digest = Sha256::new();
        Ok(())
    }

    fn skip_to(&mut self, position: &Position) -> std::io::Result<()> {
        while self.line_number < position.next_offset - 1 {
            if matches!(self.read_line()?, Line::None) {
                break;
            }
        }
        let here = self.line_number == position.next_offset - 1 && position.fingerprint.as_ref() == Some(&self.fingerprint());
        if here { Ok(()) } else { self.rewind() }
    }

    fn coordinates(&self) -> Coordinates {
        let (topic, partition) = self.log();
        Coordinates { topic, partition, offset: self.line_number }
    }

    fn unreadable(&self, reason: String, line: &[u8]) -> Unreadable {
        let payload = String::from_utf8_lossy(&line[..line.len().min(KEPT_PAYLOAD)]).trim_end().to_owned();
        Unreadable { coordinates: self.coordinates(), reason, payload }
    }

    fn record(&self, line: &[u8]) -> Result<Record, Unreadable> {
        let mut fields: Map<String, Value> = match serde_json::from_slice(line) {
            Ok(Value::Object(fields)) => fields,
            Ok(_) => return Err(self.unreadable("the line is JSON but no object {\"topic\",\"key\",\"value\"}".into(), line)),
            Err(error) => return Err(self.unreadable(format!("the line is no JSON: {error}"), line)),
        };
        let Some(Value::String(topic)) = fields.remove("topic") else {
            return Err(self.unreadable("the line has no \"topic\"".into(), line));
        };
        let mut part = |name| fields.remove(name).filter(|value| !value.is_null());
        Ok(Record { coordinates: self.coordinates(), topic, key: part("key"), value: part("value") })
    }

    fn read_batch(&mut self) -> std::io::Result<Batch> {
        let mut batch = Batch::default();
        let mut bytes = 0;
        while batch.records.len() < BATCH_LINES && bytes < BATCH_BYTES {
            match self.read_line()? {
                Line::None => break,
                Line::Complete(line) if line.trim_ascii().is_empty() => {}
                Line::Complete(line) => {
                    bytes += line.len() as u64;
                    batch.records.push(self.record(&line));
                }
                Line::TooLong(line) => {
                    bytes += LONGEST_LINE;
                    batch.records.push(Err(self.unreadable(format!("the line is longer than {LONGEST_LINE} bytes"), &line)));
                }
            }
        }
        let (topic, partition) = self.log();
        let to = Position { topic, partition, next_offset: self.line_number + 1, fingerprint: Some(self.fingerprint()) };
        self.at_end = batch.records.is_empty();
        if !self.at_end {
            let from = self.stored.replace(to.next_offset);
            batch.steps.push(Step { from, to });
        }
        Ok(batch)
    }
}

impl Source for FileSource {
    /// Goes on after the position that is kept, or from the start where it is not a position of this file.
    async fn resume(&mut self, store: &Store) -> Result<(), SourceError> {
        let (topic, partition) = self.log();
        let position = {
            let mut db = store.read().await.map_err(SourceError::Position)?;
            inbox::position(&mut db, &topic, partition).await.map_err(|error| SourceError::Position(error.into()))?
        };
        self.stored = position.as_ref().map(|position| position.next_offset);
        let moved = match &position {
            Some(position) => self.rewind().and_then(|()| self.skip_to(position)),
            None => self.rewind(),
        };
        moved.map_err(|source| SourceError::Read { path: self.path.clone(), source })
    }

    async fn next(&mut self) -> Result<Batch, SourceError> {
        self.read_batch().map_err(|source| SourceError::Read { path: self.path.clone(), source })
    }

    async fn is_at_end(&mut self) -> Result<bool, SourceError> {
        Ok(self.at_end)
    }

    fn posted(&mut self, _: &[Step]) {}
}

/// Lower-case hexadecimal digits of a digest.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    async fn read(source: &mut FileSource) -> Vec<Result<String, (i64, String)>> {
        let batch = source.next().await.unwrap();
        let records = batch.records.into_iter();
        records.map(|record| record.map(|record| record.topic).map_err(|broken| (broken.coordinates.offset, broken.reason))).collect()
    }

    #[tokio::test]
    async fn broken_lines_are_named_by_number_and_the_rest_is_read() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(
            b"{\"topic\":\"a\",\"value\":{}}\n\n{\"topic\":\n[1]\n{\"key\":1}\n\xff\xfe\n{\"topic\":\"b\",\"key\":\"{}\",\"value\":null}",
        )
        .unwrap();
        let mut source = FileSource::open(file.path(), false).unwrap();
        let lines = read(&mut source).await;
        assert_eq!(lines.first(), Some(&Ok("a".to_owned())));
        assert_eq!(lines.last(), Some(&Ok("b".to_owned())));
        let broken: Vec<_> = lines.iter().filter_map(|line| line.as_ref().err()).map(|(number, _)| *number).collect();
        assert_eq!(broken, [3, 4, 5, 6]);
        assert!(read(&mut source).await.is_empty());
    }

    #[tokio::test]
    async fn goes_on_where_it_was_left_unless_the_file_is_another() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        writeln!(file, "{{\"topic\":\"a\"}}").unwrap();
        let position = FileSource::open(file.path(), false).unwrap().next().await.unwrap().steps.remove(0).to;
        writeln!(file, "{{\"topic\":\"b\"}}").unwrap();

        let mut grown = FileSource::open(file.path(), false).unwrap();
        grown.skip_to(&position).unwrap();
        assert_eq!(read(&mut grown).await, [Ok("b".to_owned())]);

        let other = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(other.path(), "{\"topic\":\"x\"}\n{\"topic\":\"y\"}\n").unwrap();
        let mut replaced = FileSource::open(other.path(), false).unwrap();
        replaced.skip_to(&position).unwrap();
        assert_eq!(read(&mut replaced).await, [Ok("x".to_owned()), Ok("y".to_owned())]);
    }

    #[tokio::test]
    async fn a_line_still_being_written_is_left_alone() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        write!(file, "{{\"topic\":\"a\"}}\n{{\"topic\":").unwrap();
        let mut source = FileSource::open(file.path(), true).unwrap();
        assert_eq!(read(&mut source).await, [Ok("a".to_owned())]);
        assert!(read(&mut source).await.is_empty());
        writeln!(file, "\"b\"}}").unwrap();
        assert_eq!(read(&mut source).await, [Ok("b".to_owned())]);
    }

    #[test]
    fn a_missing_file_is_named() {
        let error = FileSource::open(Path::new("no/such.ndjson"), false).err().unwrap();
        assert_eq!(error.to_string(), "can't open the event file no/such.ndjson");
    }
}
