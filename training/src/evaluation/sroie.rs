//! SROIE tasks 1 to 3.

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use datasets::sroie::{Keys, Receipt};
use engine::{
    engine::{Cancel, Engine, ExtractError, Timings},
    geometry::{Point, Quad},
    page,
    text::{PageSize, TextLine},
};
use proto::Invoice;
use serde::Serialize;

use super::calibration::Calibration;
use super::{predictions::Written, rules};
use crate::metrics::{
    Tally,
    fields::{FieldTallies, KeyField},
    localisation,
    recognition::{self, CharacterErrors, Form},
};

/// Where the text comes from that fields are taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum TextSource {
    /// The engine reads the picture.
    Own,
    /// The data set's boxes and transcripts: measures understanding alone.
    Given,
}

/// Why a receipt was not read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    #[error("{}: cannot be read", path.display())]
    File { path: PathBuf, source: io::Error },
    #[error("{}: no fields", path.display())]
    Extract { path: PathBuf, source: ExtractError },
}

/// What was made of one receipt.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Prediction {
    /// Boxes in pixels of the picture as stored.
    pub lines: Vec<TextLine>,
    /// With SROIE's conventions.
    pub keys: Keys,
    /// Of the keys, in the order of [`KeyField::ALL`].
    pub confidences: [f32; 4],
    /// What rules make of the same text.
    pub by_rules: Keys,
    pub wall: Duration,
    pub timings: Timings,
}

/// Reads one receipt.
pub fn predict(engine: &Engine, receipt: &Receipt, text: TextSource) -> Result<Prediction, ReadError> {
    let path = &receipt.image;
    let extract_error = |source| ReadError::Extract { path: path.clone(), source };
    let file = fs::read(path).map_err(|source| ReadError::File { path: path.clone(), source })?;
    let start = Instant::now();
    let (invoice, timings) = match text {
        TextSource::Given => {
            let pages = page::read(&[file]).map_err(|source| extract_error(source.into()))?.pages;
            (engine.understand_lines(&receipt.id, &receipt.lines, &pages).map_err(extract_error)?, Timings::default())
        }
        TextSource::Own => {
            let extraction = engine.extract_with_pages(&receipt.id, &[file], &Cancel::default()).map_err(extract_error)?;
            (extraction.invoice, extraction.timings)
        }
    };
    let wall = start.elapsed();
    Ok(Prediction {
        wall,
        timings,
        keys: keys(&invoice),
        confidences: confidences(&invoice),
        by_rules: by_rules(&invoice),
        lines: lines(&invoice),
    })
}

/// What was read, with its places in the picture as stored: the labels know nothing of a page that was set upright.
fn lines(invoice: &Invoice) -> Vec<TextLine> {
    let page = invoice.pages.first().copied().unwrap_or_default();
    let stored = |line: TextLine| TextLine { quad: Quad(line.quad.0.map(|point| to_stored(point, page))), ..line };
    upright_lines(invoice).map(stored).collect()
}

/// What was read, with its places on the upright page.
fn upright_lines(invoice: &Invoice) -> impl Iterator<Item = TextLine> {
    invoice.text.iter().filter_map(|line| {
        let pixels = <[i32; 8]>::try_from(line.quad.as_slice()).ok()?;
        let quad = Quad::from_coordinates(pixels.map(|p| p as f32));
        Some(TextLine { page: 0, quad, text: line.text.clone(), confidence: line.confidence })
    })
}

/// Undoes the clockwise rotation that made the page upright.
fn to_stored(Point { x, y }: Point, page: proto::Page) -> Point {
    let (width, height) = (page.width as f32, page.height as f32);
    match page.rotation_degrees {
        90 => Point { x: y, y: width - x },
        180 => Point { x: width - x, y: height - y },
        270 => Point { x: height - y, y: x },
        _ => Point { x, y },
    }
}

/// The four strings as SROIE labels them: as printed, but upper case; a total without `RM ` before it (`RM9.00`, glued, stays). Name and
/// address are spelt as the register of suppliers knows them.
pub fn keys(invoice: &Invoice) -> Keys {
    let print = |field: Option<&proto::Field>| field.map(|f| f.text.trim().to_uppercase()).unwrap_or_default();
    let spelt = |field: Option<&proto::Field>| field.map(|f| f.value.trim().to_uppercase()).unwrap_or_default();
    let supplier = invoice.supplier.as_ref();
    let total = print(invoice.totals.as_ref().and_then(|t| t.gross.as_ref()));
    Keys {
        company: spelt(supplier.and_then(|s| s.name.as_ref())),
        address: spelt(supplier.and_then(|s| s.address.as_ref())),
        date: print(invoice.issue_date.as_ref()),
        total: total.strip_prefix("RM ").map_or(total.as_str(), str::trim).to_owned(),
    }
}

/// The four strings by rules on the same lines.
fn by_rules(invoice: &Invoice) -> Keys {
    let page = invoice.pages.first().copied().unwrap_or_default();
    let lines: Vec<TextLine> = upright_lines(invoice).collect();
    rules::keys(&lines, PageSize { width: page.width, height: page.height })
}

/// How sure the four strings are; 0 where there is none.
fn confidences(invoice: &Invoice) -> [f32; 4] {
    let supplier = invoice.supplier.as_ref();
    let fields = [
        supplier.and_then(|s| s.name.as_ref()),
        invoice.issue_date.as_ref(),
        supplier.and_then(|s| s.address.as_ref()),
        invoice.totals.as_ref().and_then(|t| t.gross.as_ref()),
    ];
    fields.map(|field| field.map_or(0.0, |field| field.confidence))
}

/// One of the four strings.
pub fn key(keys: &Keys, field: KeyField) -> &str {
    match field {
        KeyField::Company => &keys.company,
        KeyField::Date => &keys.date,
        KeyField::Address => &keys.address,
        KeyField::Total => &keys.total,
    }
}

/// Sums over receipts. A task without truth has empty tallies.
#[derive(Debug, Clone, Default)]
pub struct Scores {
    pub receipts: usize,
    pub deteval: Tally,
    pub iou: Tally,
    pub words_exact: Tally,
    pub words: Tally,
    /// Of lines that were found, at IoU 0.5.
    pub characters: CharacterErrors,
    pub fields: FieldTallies,
    pub fields_by_rules: FieldTallies,
    /// Of the keys, right being what is right once normalised.
    pub calibration: Calibration,
    pub errors: Vec<Mistake>,
}

/// Something read or chosen wrongly.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Mistake {
    pub id: String,
    /// `line` or a key's name.
    pub what: &'static str,
    pub truth: String,
    pub predicted: String,
    pub cause: Cause,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// Nothing was answered.
    Missing,
    /// It says the same in another form.
    Form,
    /// The right text was not among what was read.
    Reading,
    /// The right text was read, another was chosen.
    Choice,
    /// Letters are right, spaces are not.
    Spaces,
}

impl Scores {
    /// Adds a receipt; a receipt that was not read counts as an empty answer.
    pub fn add(&mut self, receipt: &Receipt, prediction: &Prediction) {
        self.receipts += 1;
        if !receipt.lines.is_empty() {
            self.add_lines(receipt, prediction);
        }
        for (field, confidence) in KeyField::ALL.into_iter().zip(prediction.confidences) {
            let (truth, predicted) = (key(&receipt.keys, field), key(&prediction.keys, field));
            if has_keys(receipt) {
                let agreement = self.fields.add(field, truth, predicted);
                self.fields_by_rules.add(field, truth, key(&prediction.by_rules, field));
                if !predicted.is_empty() {
                    self.calibration.add(confidence, agreement.normalised);
                }
                if !agreement.raw && !truth.is_empty() {
                    let cause = cause(truth, predicted, agreement.normalised, &prediction.lines);
                    self.mistake(receipt, field.name(), truth, predicted, cause);
                }
            }
        }
    }

    /// Adds what another program wrote for a receipt: tasks 1 and 2. Its words are not tied to its boxes, so there are no characters
    /// to compare.
    pub fn add_written(&mut self, receipt: &Receipt, written: &Written) {
        self.receipts += 1;
        self.add_places(&receipt.lines, &written.boxes);
        self.add_words(&receipt.lines, written.words.iter().map(String::as_str));
    }

    fn add_lines(&mut self, receipt: &Receipt, prediction: &Prediction) {
        let found: Vec<_> = prediction.lines.iter().map(|line| line.quad).collect();
        self.add_words(&receipt.lines, prediction.lines.iter().map(|line| line.text.as_str()));
        for (t, f) in self.add_places(&receipt.lines, &found) {
            let (truth, read) = (&receipt.lines[t].text, &prediction.lines[f].text);
            let errors = CharacterErrors::of(truth, read);
            self.characters += errors;
            if errors.errors > 0 {
                let same_letters = letters(truth) == letters(read);
                self.mistake(receipt, "line", truth, read, if same_letters { Cause::Spaces } else { Cause::Reading });
            }
        }
    }

    /// Task 1; the pairs of a line and the box that found it, at IoU 0.5.
    fn add_places(&mut self, truth: &[TextLine], found: &[Quad]) -> Vec<(usize, usize)> {
        let truth: Vec<_> = truth.iter().map(|line| line.quad).collect();
        self.deteval += localisation::deteval(&truth, found);
        let pairs = localisation::pairs_at_iou(&truth, found, localisation::IOU_MIN);
        self.iou += Tally::of_pairs(pairs.len(), found.len(), truth.len());
        pairs
    }

    /// Task 2.
    fn add_words<'a>(&mut self, truth: &'a [TextLine], read: impl Iterator<Item = &'a str> + Clone) {
        let bag = |form| recognition::bag_of_words(truth.iter().map(|line| line.text.as_str()), read.clone(), form);
        self.words_exact += bag(Form::Exact);
        self.words += bag(Form::LettersAndDigits);
    }

    fn mistake(&mut self, receipt: &Receipt, what: &'static str, truth: &str, predicted: &str, cause: Cause) {
        self.errors.push(Mistake { id: receipt.id.clone(), what, truth: truth.into(), predicted: predicted.into(), cause });
    }
}

pub fn has_keys(receipt: &Receipt) -> bool {
    receipt.keys != Keys::default()
}

fn cause(truth: &str, predicted: &str, normalised: bool, read: &[TextLine]) -> Cause {
    let text: String = read.iter().map(|line| letters(&line.text)).collect();
    match () {
        () if normalised => Cause::Form,
        () if predicted.is_empty() => Cause::Missing,
        () if text.contains(&letters(truth)) => Cause::Choice,
        () => Cause::Reading,
    }
}

fn letters(text: &str) -> String {
    text.to_uppercase().chars().filter(|c| c.is_alphanumeric()).collect()
}

/// The receipts to measure on: those asked for, else the validation split where the set holds more, else all.
pub fn select(receipts: Vec<Receipt>, ids: Option<&BTreeSet<String>>) -> Result<Vec<Receipt>, UnknownIds> {
    if let Some(ids) = ids {
        let known: BTreeSet<&str> = receipts.iter().map(|r| r.id.as_str()).collect();
        let unknown: Vec<String> = ids.iter().filter(|id| !known.contains(id.as_str())).cloned().collect();
        if !unknown.is_empty() {
            return Err(UnknownIds(unknown));
        }
        return Ok(receipts.into_iter().filter(|r| ids.contains(&r.id)).collect());
    }
    let validation = datasets::splits::sroie_validation();
    let held_out = receipts.iter().filter(|r| validation.contains(r.id.as_str())).count();
    if held_out == validation.len() && receipts.len() > held_out {
        return Ok(receipts.into_iter().filter(|r| validation.contains(r.id.as_str())).collect());
    }
    Ok(receipts)
}

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the data set has no receipt {}", .0.join(", "))]
pub struct UnknownIds(Vec<String>);

/// Writes `task1/ID.txt` (eight integers a line), `task2/ID.txt` (a word a line, upper case as the transcripts are) and `task3/ID.json`.
pub fn write_prediction(folder: &Path, id: &str, prediction: &Prediction) -> io::Result<()> {
    for task in ["task1", "task2", "task3"] {
        fs::create_dir_all(folder.join(task))?;
    }
    let coordinates = |line: &TextLine| line.quad.to_pixels().iter().map(i32::to_string).collect::<Vec<_>>().join(",");
    let boxes = prediction.lines.iter().map(|line| coordinates(line) + "\n");
    fs::write(folder.join("task1").join(format!("{id}.txt")), boxes.collect::<String>())?;
    let words = recognition::words(prediction.lines.iter().map(|line| line.text.as_str()), Form::Exact);
    fs::write(folder.join("task2").join(format!("{id}.txt")), words.iter().map(|word| format!("{word}\n")).collect::<String>())?;
    let keys: serde_json::Map<_, _> =
        KeyField::ALL.iter().map(|field| (field.name().to_owned(), key(&prediction.keys, *field).into())).collect();
    fs::write(folder.join("task3").join(format!("{id}.json")), serde_json::to_string_pretty(&keys)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receipt(id: &str, lines: &[&str], total: &str) -> Receipt {
        let line = |(i, text): (usize, &&str)| TextLine {
            page: 0,
            quad: Quad::from_edges(0.0, 30.0 * i as f32, 100.0, 30.0 * i as f32 + 20.0),
            text: (*text).to_owned(),
            confidence: 1.0,
        };
        let keys = Keys { total: total.into(), company: "SHOP".into(), ..Keys::default() };
        Receipt { id: id.into(), image: PathBuf::new(), lines: lines.iter().enumerate().map(line).collect(), keys }
    }

    fn field(text: &str) -> Option<proto::Field> {
        Some(proto::Field { text: text.into(), ..proto::Field::default() })
    }

    #[test]
    fn a_perfect_answer_and_none() {
        let receipt = receipt("A", &["SHOP", "TOTAL 9.00"], "9.00");
        let perfect = Prediction { lines: receipt.lines.clone(), keys: receipt.keys.clone(), ..Prediction::default() };
        let mut scores = Scores::default();
        scores.add(&receipt, &perfect);
        assert_eq!([scores.deteval.f1(), scores.iou.f1(), scores.words.f1(), scores.fields.raw_total().f1()], [1.0; 4]);
        assert_eq!((scores.characters.rate(), scores.errors.len()), (0.0, 0));
        scores.add(&receipt, &Prediction::default());
        assert_eq!([scores.deteval.recall(), scores.words.recall(), scores.fields.raw_total().recall()], [0.5; 3]);
        assert_eq!(
            scores.errors.iter().map(|e| (e.what, e.cause)).collect::<Vec<_>>(),
            [("company", Cause::Missing), ("total", Cause::Missing)]
        );
    }

    #[test]
    fn causes() {
        let receipt = receipt("A", &["SHOP", "TOTAL 9.00", "CASH 10.00"], "9.00");
        let cases = [("RM9.00", Cause::Form), ("10.00", Cause::Choice), ("", Cause::Missing)];
        for (total, expected) in cases {
            let keys = Keys { total: total.into(), ..receipt.keys.clone() };
            let mut scores = Scores::default();
            scores.add(&receipt, &Prediction { lines: receipt.lines.clone(), keys, ..Prediction::default() });
            assert_eq!(scores.errors.iter().map(|e| e.cause).collect::<Vec<_>>(), [expected], "{total}");
        }
        let mut scores = Scores::default();
        let mut lines = receipt.lines.clone();
        lines[1].text = "TOTAL 9.O0".into();
        lines[2].text = "CASH10.00".into();
        scores.add(&receipt, &Prediction { lines, keys: Keys { total: "10.00".into(), ..receipt.keys.clone() }, ..Prediction::default() });
        assert_eq!(scores.errors.iter().map(|e| e.cause).collect::<Vec<_>>(), [Cause::Reading, Cause::Spaces, Cause::Reading]);
    }

    #[test]
    fn strings_follow_the_labels() {
        for (text, total) in [("RM 9.00", "9.00"), ("RM9.00", "RM9.00"), ("9.00", "9.00"), ("rm 9.00", "9.00"), ("$7.20", "$7.20")] {
            let totals = Some(proto::Totals { gross: field(text), ..proto::Totals::default() });
            let name = field("Sh0p Sdn Bhd").map(|name| proto::Field { value: "Shop Sdn Bhd".into(), ..name });
            let supplier = Some(proto::Supplier { name, ..proto::Supplier::default() });
            let keys = keys(&Invoice { totals, supplier, ..Invoice::default() });
            assert_eq!((keys.total.as_str(), keys.company.as_str(), keys.date.as_str()), (total, "SHOP SDN BHD", ""));
        }
    }

    #[test]
    fn places_are_those_of_the_stored_picture() {
        // A point near the top left of an upright page of 100 x 200 pixels.
        let point = Point { x: 10.0, y: 20.0 };
        for (rotation_degrees, x, y) in [(0, 10.0, 20.0), (90, 20.0, 90.0), (180, 90.0, 180.0), (270, 180.0, 10.0)] {
            assert_eq!(to_stored(point, proto::Page { width: 100, height: 200, rotation_degrees }), Point { x, y }, "{rotation_degrees}");
        }
    }

    #[test]
    fn selections() {
        let receipts = || vec![receipt("A", &[], ""), receipt("B", &[], "")];
        let ids = |receipts: Vec<Receipt>| receipts.into_iter().map(|r| r.id).collect::<Vec<_>>();
        assert_eq!(ids(select(receipts(), None).unwrap()), ["A", "B"], "a set without the validation split");
        assert_eq!(ids(select(receipts(), Some(&["B".to_owned()].into())).unwrap()), ["B"]);
        assert_eq!(select(receipts(), Some(&["C".to_owned()].into())).unwrap_err(), UnknownIds(vec!["C".into()]));
        let validation: Vec<_> = datasets::splits::sroie_validation().into_iter().map(|id| receipt(id, &[], "")).collect();
        assert_eq!(select([validation.clone(), receipts()].concat(), None).unwrap(), validation);
    }

    #[test]
    fn predictions_are_written_as_documented() {
        let receipt = receipt("A", &["Total  9.00"], "9.00");
        let folder = tempfile::tempdir().unwrap();
        let prediction = Prediction { lines: receipt.lines, keys: receipt.keys, ..Prediction::default() };
        write_prediction(folder.path(), "A", &prediction).unwrap();
        let read = |path: &str| fs::read_to_string(folder.path().join(path)).unwrap();
        assert_eq!(read("task1/A.txt"), "0,0,100,0,100,20,0,20\n");
        assert_eq!(read("task2/A.txt"), "TOTAL\n9.00\n");
        let keys: serde_json::Value = serde_json::from_str(&read("task3/A.json")).unwrap();
        assert_eq!(keys, serde_json::json!({"company": "SHOP", "date": "", "address": "", "total": "9.00"}));
    }
}
