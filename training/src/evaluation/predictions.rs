//! What other programs read, in the files that `evaluate sroie --predictions` documents and writes.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use engine::geometry::Quad;

const BOXES: &str = "eight integers a line (x1,y1,..,x4,y4), or an empty file where no line of text was found";
const WORDS: &str = "a word a line, or an empty file where none was read";

/// The boxes and the words of one receipt; nothing says which belong together.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Written {
    /// In pixels of the picture as stored.
    pub boxes: Vec<Quad>,
    pub words: Vec<String>,
}

#[derive(Debug, thiserror::Error)]
pub enum PredictionError {
    #[error("{}: cannot be read; expected: {expected}", path.display())]
    Read { path: PathBuf, expected: &'static str, source: io::Error },
    #[error("{}, line {line}: {text:?} where eight integers x1,y1,..,x4,y4 are expected", path.display())]
    Box { path: PathBuf, line: usize, text: String },
}

/// Reads `task1/ID.txt` and `task2/ID.txt`. A missing file is an error: silence would pass for an empty answer.
pub fn read(folder: &Path, id: &str) -> Result<Written, PredictionError> {
    let file = |task: &str| folder.join(task).join(format!("{id}.txt"));
    let (boxes, words) = (file("task1"), file("task2"));
    let written_boxes = read_text(&boxes, BOXES)?;
    let parsed = lines(&written_boxes)
        .map(|(line, text)| parse_box(text).ok_or_else(|| PredictionError::Box { path: boxes.clone(), line, text: text.to_owned() }));
    let boxes = parsed.collect::<Result<_, _>>()?;
    let words = lines(&read_text(&words, WORDS)?).map(|(_, word)| word.to_owned()).collect();
    Ok(Written { boxes, words })
}

fn read_text(path: &Path, expected: &'static str) -> Result<String, PredictionError> {
    fs::read_to_string(path).map_err(|source| PredictionError::Read { path: path.to_owned(), expected, source })
}

/// Those that are not blank, with their numbers.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    (1..).zip(text.lines().map(str::trim)).filter(|(_, line)| !line.is_empty())
}

fn parse_box(text: &str) -> Option<Quad> {
    let pixels: Vec<i32> = text.split(',').map(|pixel| pixel.trim().parse().ok()).collect::<Option<_>>()?;
    Some(Quad::from_coordinates(<[i32; 8]>::try_from(pixels).ok()?.map(|pixel| pixel as f32)))
}

#[cfg(test)]
mod tests {
    use std::error::Error;

    use datasets::sroie::{Keys, Receipt};
    use engine::text::TextLine;

    use super::*;
    use crate::evaluation::sroie::{self, Prediction, Scores};

    fn folder(task1: &str, task2: &str) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (task, content) in [("task1", task1), ("task2", task2)] {
            fs::create_dir(root.path().join(task)).unwrap();
            fs::write(root.path().join(task).join("A.txt"), content).unwrap();
        }
        root
    }

    fn line(top: f32, text: &str) -> TextLine {
        TextLine { page: 0, quad: Quad::from_edges(0.0, top, 100.0, top + 20.0), text: text.into(), confidence: 1.0 }
    }

    #[test]
    fn files_as_documented() {
        let read = |task1, task2| read(folder(task1, task2).path(), "A").unwrap();
        let quad = Quad::from_edges(0.0, 0.0, 100.0, 20.0);
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>();
        assert_eq!(read("", ""), Written::default());
        assert_eq!(read("0,0,100,0,100,20,0,20\n", "TOTAL\n9.00\n"), Written { boxes: vec![quad], words: words(&["TOTAL", "9.00"]) });
        assert_eq!(read("\n0, 0, 100, 0, 100, 20, 0, 20\r\n\n", "\r\n a\r\n").boxes, [quad], "blank lines, spaces and other line ends");
    }

    #[test]
    fn a_missing_file_is_named_and_what_it_should_hold() {
        for (task, expected) in [("task1", "eight integers a line"), ("task2", "a word a line")] {
            let root = folder("", "");
            let path = root.path().join(task).join("A.txt");
            fs::remove_file(&path).unwrap();
            let error = read(root.path(), "A").unwrap_err();
            assert!(error.to_string().starts_with(&path.display().to_string()) && error.to_string().contains(expected), "{error}");
            assert!(error.source().is_some());
        }
    }

    #[test]
    fn a_bad_box_is_named_by_its_line() {
        for text in ["1,2,3", "1,2,3,2,3,4,1,4,TOTAL", "1,2,3,2,3,4,1,4.5"] {
            let error = read(folder(&format!("0,0,9,0,9,9,0,9\n\n{text}\n"), "").path(), "A").unwrap_err();
            assert!(matches!(&error, PredictionError::Box { line: 3, text: found, .. } if found == text), "{error}");
        }
    }

    #[test]
    fn our_own_files_score_as_our_own_reading() {
        let lines = vec![line(0.0, "SHOP"), line(30.0, "Total: 9.00"), line(60.0, "CASH 10.00")];
        let receipt = Receipt { id: "A".into(), image: PathBuf::new(), lines: lines.clone(), keys: Keys::default() };
        let read_lines = vec![line(0.0, "shop"), line(28.0, "TOTAL 9.00"), line(200.0, "THANK YOU")];
        let prediction = Prediction { lines: read_lines, ..Prediction::default() };
        let root = tempfile::tempdir().unwrap();
        sroie::write_prediction(root.path(), "A", &prediction).unwrap();
        let (mut own, mut written) = (Scores::default(), Scores::default());
        own.add(&receipt, &prediction);
        written.add_written(&receipt, &read(root.path(), "A").unwrap());
        let tallies = |scores: &Scores| [scores.deteval, scores.iou, scores.words_exact, scores.words];
        assert_eq!(tallies(&own), tallies(&written));
        assert_eq!((written.receipts, written.words.right_predictions, written.iou.right_predictions), (1, 3.0, 2.0));
    }
}
