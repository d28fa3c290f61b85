//! SROIE: scanned receipts with boxes, transcripts and four key strings.
//!
//! Huang et al., "ICDAR2019 Competition on Scanned Receipt OCR and Information Extraction", ICDAR 2019. The folder holds
//! `img/ID.jpg`, `box/ID.txt` (`x1,y1,..,x4,y4,transcript` a line) and `key/ID.json`. Test sets come without `key/` (tasks 1 and 2),
//! without `box/` (task 3) or with pictures only.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use engine::geometry::Quad;
use engine::text::TextLine;
use serde::Deserialize;

/// Coordinates before the transcript in a line of a box file.
const COORDINATES: usize = 8;
const IMAGE_EXTENSIONS: [&str; 4] = ["jpg", "jpeg", "png", "JPG"];

/// A receipt with its labels.
#[derive(Debug, Clone, PartialEq)]
pub struct Receipt {
    /// The file name without extension.
    pub id: String,
    pub image: PathBuf,
    /// In the order of the label file, boxes in pixels of the image as stored; empty where the set has no boxes.
    pub lines: Vec<TextLine>,
    pub keys: Keys,
}

/// The four key strings as labelled; empty where the label is absent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default)]
pub struct Keys {
    pub company: String,
    pub date: String,
    pub address: String,
    pub total: String,
}

/// Two receipts that show the same or nearly the same paper: keep them on one side of a split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duplicate(pub String, pub String);

#[derive(Debug, thiserror::Error)]
pub enum SroieError {
    #[error("{}: no SROIE folder, which would hold img/, and box/ or key/ with labels", .0.display())]
    NotSroie(PathBuf),
    #[error("{}: cannot list the folder", path.display())]
    List { path: PathBuf, source: io::Error },
    #[error("{}: no receipts (box/*.txt, key/*.json or img/*.jpg)", .0.display())]
    Empty(PathBuf),
    #[error("{}: no picture {id}.jpg beside the labels", folder.display())]
    NoImage { folder: PathBuf, id: String },
    #[error("{}: cannot read as UTF-8 text", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{}, line {line}", path.display())]
    Box { path: PathBuf, line: usize, source: BoxError },
    #[error("{}: not the JSON that was expected", path.display())]
    Json { path: PathBuf, source: serde_json::Error },
}

/// What is wrong with a line of a box file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BoxError {
    #[error("{found} comma-separated values where eight coordinates and a transcript are expected")]
    TooFew { found: usize },
    #[error("coordinate {index} is {text:?}, not a whole number of pixels")]
    Coordinate { index: usize, text: String },
}

/// All receipts under `root`, ordered by id. `root` holds `img/` and labels, or a folder `train` or `test` which does.
pub fn read(root: &Path) -> Result<Vec<Receipt>, SroieError> {
    let folder = labelled_folder(root)?;
    // Labels say which receipts there are; only a set without any is read for its pictures.
    let listed = [("box", &["txt"][..]), ("key", &["json"]), ("img", &IMAGE_EXTENSIONS)];
    let Some((listing, extensions)) = listed.into_iter().find(|(name, _)| folder.join(name).is_dir()) else {
        return Err(SroieError::NotSroie(root.to_path_buf()));
    };
    let ids = stems(&folder.join(listing), extensions)?;
    if ids.is_empty() {
        return Err(SroieError::Empty(folder));
    }
    ids.into_iter().map(|id| read_receipt(&folder, id)).collect()
}

/// The names without extension of a folder's files of these kinds, in order.
fn stems(folder: &Path, extensions: &[&str]) -> Result<Vec<String>, SroieError> {
    let list_error = |source| SroieError::List { path: folder.to_path_buf(), source };
    let mut stems = Vec::new();
    for entry in fs::read_dir(folder).map_err(list_error)? {
        let path = entry.map_err(list_error)?.path();
        if path.extension().is_some_and(|e| extensions.iter().any(|known| e == *known)) {
            stems.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
        }
    }
    stems.sort();
    stems.dedup();
    Ok(stems)
}

/// The pairs listed in `duplicates.json`, in or beside the labelled folder; none where there is no such file.
pub fn read_duplicates(root: &Path) -> Result<Vec<Duplicate>, SroieError> {
    #[derive(Deserialize)]
    struct Listing {
        byte_identical_images: Vec<(String, String)>,
        near_identical_pairs: Vec<Near>,
    }
    #[derive(Deserialize)]
    struct Near {
        a: String,
        b: String,
    }
    let folder = labelled_folder(root)?;
    let found = [Some(folder.as_path()), folder.parent()].into_iter().flatten().map(|f| f.join("duplicates.json")).find(|f| f.is_file());
    let Some(path) = found else { return Ok(Vec::new()) };
    let listing: Listing = serde_json::from_str(&read_text(&path)?).map_err(|source| SroieError::Json { path, source })?;
    let near = listing.near_identical_pairs.into_iter().map(|near| (near.a, near.b));
    let id = |name: String| name.rsplit('/').next().unwrap_or_default().to_owned();
    Ok(listing.byte_identical_images.into_iter().chain(near).map(|(a, b)| Duplicate(id(a), id(b))).collect())
}

fn labelled_folder(root: &Path) -> Result<PathBuf, SroieError> {
    let candidates = [root.to_path_buf(), root.join("train"), root.join("test")];
    candidates
        .into_iter()
        .find(|f| f.join("box").is_dir() || f.join("img").is_dir())
        .ok_or_else(|| SroieError::NotSroie(root.to_path_buf()))
}

fn read_receipt(folder: &Path, id: String) -> Result<Receipt, SroieError> {
    let images = folder.join("img");
    let image = IMAGE_EXTENSIONS.iter().map(|extension| images.join(format!("{id}.{extension}"))).find(|path| path.is_file());
    let image = image.ok_or_else(|| SroieError::NoImage { folder: images, id: id.clone() })?;
    let (boxes, keys) = (folder.join("box"), folder.join("key"));
    let lines = if boxes.is_dir() { read_lines(&boxes.join(format!("{id}.txt")))? } else { Vec::new() };
    let keys = if keys.is_dir() { read_keys(keys.join(format!("{id}.json")))? } else { Keys::default() };
    Ok(Receipt { id, image, lines, keys })
}

fn read_keys(path: PathBuf) -> Result<Keys, SroieError> {
    serde_json::from_str(&read_text(&path)?).map_err(|source| SroieError::Json { path, source })
}

fn read_lines(path: &Path) -> Result<Vec<TextLine>, SroieError> {
    let text = read_text(path)?;
    let written = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    written.map(|(i, line)| parse_box(line).map_err(|source| SroieError::Box { path: path.to_path_buf(), line: i + 1, source })).collect()
}

/// The transcript may hold commas itself, so only the first eight separate.
fn parse_box(line: &str) -> Result<TextLine, BoxError> {
    let parts: Vec<&str> = line.splitn(COORDINATES + 1, ',').collect();
    let [coordinates @ .., transcript] = parts.as_slice() else { return Err(BoxError::TooFew { found: 0 }) };
    if coordinates.len() < COORDINATES {
        return Err(BoxError::TooFew { found: parts.len() });
    }
    let mut pixels = [0.0; COORDINATES];
    for (i, (pixel, text)) in pixels.iter_mut().zip(coordinates).enumerate() {
        let number: i32 = text.trim().parse().map_err(|_| BoxError::Coordinate { index: i + 1, text: (*text).to_owned() })?;
        *pixel = number as f32;
    }
    Ok(TextLine { page: 0, quad: Quad::from_coordinates(pixels), text: transcript.trim().to_owned(), confidence: 1.0 })
}

fn read_text(path: &Path) -> Result<String, SroieError> {
    let text = fs::read_to_string(path).map_err(|source| SroieError::Read { path: path.to_path_buf(), source })?;
    Ok(text.trim_start_matches('\u{feff}').to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transcript_keeps_its_commas() {
        let line = parse_box("1,2,3,2,3,4,1,4,12, JALAN TAMPOI 7/4,KAWASAN").unwrap();
        assert_eq!(line.text, "12, JALAN TAMPOI 7/4,KAWASAN");
        assert_eq!(line.quad.to_pixels(), [1, 2, 3, 2, 3, 4, 1, 4]);
        assert_eq!(parse_box("1,2,3,2,3,4,1,4,").unwrap().text, "");
    }

    #[test]
    fn a_bad_box_says_what_is_wrong() {
        let cases = [
            ("", BoxError::TooFew { found: 1 }),
            ("1,2,3", BoxError::TooFew { found: 3 }),
            ("1,2,3,2,3,4,1,4", BoxError::TooFew { found: 8 }),
            ("1,2,3,2,3,x,1,4,A", BoxError::Coordinate { index: 6, text: "x".into() }),
            ("1,2,3,2,3,4.5,1,4,A", BoxError::Coordinate { index: 6, text: "4.5".into() }),
        ];
        for (line, expected) in cases {
            assert_eq!(parse_box(line).unwrap_err(), expected, "{line}");
        }
    }

    /// A folder with one receipt whose label files hold these texts.
    fn folder(boxes: &str, keys: &str) -> tempfile::TempDir {
        let root = tempfile::tempdir().unwrap();
        for (name, content) in [("img/A.jpg", ""), ("box/A.txt", boxes), ("key/A.json", keys)] {
            let path = root.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        root
    }

    const BOX: &str = "1,2,3,2,3,4,1,4,SHOP";

    #[test]
    fn reads_boxes_and_keys() {
        let root = folder(&format!("\u{feff}{BOX}\r\n\r\n5,6,7,6,7,8,5,8,9.00\n"), r#"{"company": "SHOP", "total": "9.00"}"#);
        let receipts = read(root.path()).unwrap();
        assert_eq!(receipts.len(), 1);
        assert_eq!(receipts[0].id, "A");
        assert_eq!(receipts[0].lines.iter().map(|l| l.text.as_str()).collect::<Vec<_>>(), ["SHOP", "9.00"]);
        assert_eq!(receipts[0].keys, Keys { company: "SHOP".into(), total: "9.00".into(), ..Keys::default() });
        assert_eq!(read_duplicates(root.path()).unwrap(), []);
    }

    #[test]
    fn a_set_may_lack_some_labels() {
        for (absent, lines, keys) in [("key", 1, ""), ("box", 0, "SHOP"), ("box key", 0, "")] {
            let root = folder(BOX, r#"{"company": "SHOP"}"#);
            absent.split(' ').for_each(|name| fs::remove_dir_all(root.path().join(name)).unwrap());
            let receipts = read(root.path()).unwrap();
            assert_eq!((receipts.len(), receipts[0].lines.len(), receipts[0].keys.company.as_str()), (1, lines, keys), "without {absent}");
        }
        let root = folder(BOX, "{}");
        fs::remove_file(root.path().join("key/A.json")).unwrap();
        assert!(matches!(read(root.path()), Err(SroieError::Read { .. })), "a single missing label is an error");
    }

    #[test]
    fn errors_name_the_file_and_the_line() {
        let cases = [
            (folder(&format!("{BOX}\n\nSHOP"), "{}"), "A.txt, line 3"),
            (folder(BOX, "9.00"), "A.json: not the JSON"),
            (folder(BOX, "{\"total\": 9.0}"), "A.json: not the JSON"),
        ];
        for (root, expected) in cases {
            let message = read(root.path()).unwrap_err().to_string();
            assert!(message.contains(expected), "{message}");
        }
        let bare = tempfile::tempdir().unwrap();
        assert!(matches!(read(bare.path()), Err(SroieError::NotSroie(_))));
        assert!(matches!(read(&bare.path().join("absent")), Err(SroieError::NotSroie(_))));
        fs::create_dir(bare.path().join("box")).unwrap();
        assert!(matches!(read(bare.path()), Err(SroieError::Empty(_))));
        fs::write(bare.path().join("box/B.txt"), BOX).unwrap();
        assert!(read(bare.path()).unwrap_err().to_string().contains("no picture B.jpg"));
    }

    #[test]
    fn a_label_file_in_another_encoding_is_an_error() {
        let root = folder(BOX, "{}");
        fs::write(root.path().join("box/A.txt"), b"1,2,3,2,3,4,1,4,CAF\xc9").unwrap();
        let error = read(root.path()).unwrap_err();
        assert!(matches!(&error, SroieError::Read { path, .. } if path.ends_with("box/A.txt")), "{error}");
    }

    #[test]
    fn duplicates_are_found_beside_the_labelled_folder() {
        let outer = tempfile::tempdir().unwrap();
        let listing =
            r#"{"byte_identical_images": [["train/A", "train/B"]], "near_identical_pairs": [{"a": "train/A", "b": "train/C", "x": 1}]}"#;
        fs::write(outer.path().join("duplicates.json"), listing).unwrap();
        fs::create_dir_all(outer.path().join("train/box")).unwrap();
        let expected = [Duplicate("A".into(), "B".into()), Duplicate("A".into(), "C".into())];
        assert_eq!(read_duplicates(outer.path()).unwrap(), expected);
        assert_eq!(read_duplicates(&outer.path().join("train")).unwrap(), expected);
    }
}
