//! The command `extract`: good and bad files together, its outputs and its exit status.

#![allow(clippy::unwrap_used, reason = "in a test the place of the panic says what is wrong")]

mod documents;

use std::fs;

use assert_cmd::Command;
use engine::engine::WEIGHT_FILES;
use image::ImageFormat;
use serde_json::Value;
use tempfile::TempDir;

fn extract() -> Command {
    let mut command = Command::cargo_bin("extract").unwrap();
    command.env_clear().args(["--threads", "1"]);
    command
}

fn folder(files: &[(&str, Vec<u8>)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    folder
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn each_document_is_a_line_of_json() {
    let folder = folder(&[("a.pdf", documents::receipt_pdf()), ("b.pdf", documents::receipt_pdf())]);
    let output = extract().current_dir(&folder).args(["a.pdf", "b.pdf"]).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let documents: Vec<Value> = text(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let sources: Vec<_> = documents.iter().map(|document| document["source"].as_str().unwrap()).collect();
    assert_eq!(sources, ["a.pdf", "b.pdf"]);
    let document = &documents[0];
    assert_eq!(document["pages"][0], serde_json::json!({"width": 1653, "height": 2339, "rotation_degrees": 0}));
    assert_eq!(document["text"][0]["text"], "THE CROSS KEYS");
    assert_eq!(document["text"][0]["confidence"], 1.0);
    assert_eq!(document["text"][0]["quad"].as_array().unwrap().len(), 8);
    assert_eq!(document["model"]["sha256"].as_str().unwrap().len(), 64);
}

#[test]
fn times_are_lines_of_json_beside_the_documents() {
    let folder = folder(&[("a.pdf", documents::receipt_pdf()), ("bad.pdf", Vec::new())]);
    let output = extract().current_dir(&folder).args(["--timings", "a.pdf", "bad.pdf"]).output().unwrap();
    let stderr = text(&output.stderr);
    let times: Value = serde_json::from_str(stderr.lines().next().unwrap()).unwrap();
    assert_eq!(times["source"], "a.pdf");
    let stages: Vec<f64> = times["stages"].as_object().unwrap().values().map(|ms| ms.as_f64().unwrap()).collect();
    assert!(stages.len() == 5 && stages.iter().sum::<f64>() <= times["ms"].as_f64().unwrap(), "{times}");
    assert!(stderr.lines().nth(1).unwrap().starts_with("extract: bad.pdf: "), "{stderr}");
}

#[test]
fn bad_files_are_named_with_their_reason_and_the_others_are_read() {
    let picture = documents::picture(400, 300);
    let jpeg = documents::encode(&picture, ImageFormat::Jpeg);
    // (file, its bytes, the reason)
    let bad = [
        ("empty.jpg", vec![], "the file is empty"),
        ("notes.txt", b"Dear diary".to_vec(), "this is a text file, where a JPEG, PNG"),
        ("half.jpg", jpeg[..jpeg.len() / 2].to_vec(), "the JPEG picture is cut off"),
        ("bomb.png", documents::png_header(30_000, 30_000), "30000 x 30000 pixels is over the limit"),
        ("locked.pdf", documents::encrypted_pdf(), "the PDF is encrypted and needs a password"),
        ("broken.pdf", b"%PDF-1.4\n%garbage".to_vec(), "the PDF is damaged"),
    ];
    let mut files: Vec<_> = bad.iter().map(|(name, bytes, _)| (*name, bytes.clone())).collect();
    files.push(("good.pdf", documents::receipt_pdf()));
    let folder = folder(&files);
    fs::create_dir(folder.path().join("folder.jpg")).unwrap();

    let names = files.iter().map(|(name, _)| *name).rev();
    let output = extract().current_dir(&folder).args(["missing.jpg", "folder.jpg"]).args(names).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let stdout = text(&output.stdout);
    assert_eq!(stdout.lines().count(), 1, "{stdout}");
    assert!(stdout.contains(r#""source":"good.pdf""#), "{stdout}");

    let stderr = text(&output.stderr);
    let reasons = bad.iter().map(|(name, _, reason)| (*name, *reason));
    let others = [("missing.jpg", "No such file or directory"), ("folder.jpg", "Is a directory")];
    assert_eq!(stderr.lines().count(), bad.len() + others.len(), "{stderr}");
    for (name, reason) in reasons.chain(others) {
        let line = stderr.lines().find(|line| line.starts_with(&format!("extract: {name}: ")));
        assert!(line.is_some_and(|line| line.contains(reason)), "{name}: {stderr}");
    }
}

#[test]
fn what_is_no_document_of_trade_is_reviewed_and_has_no_total() {
    let blank = image::GrayImage::from_pixel(320, 200, image::Luma([255]));
    // A picture of nothing written: rings of light and shade.
    let rings = image::GrayImage::from_fn(400, 300, |x, y| {
        let (dx, dy) = (f64::from(x) - 180.0, f64::from(y) - 140.0);
        image::Luma([(127.0 + 100.0 * ((dx * dx + dy * dy).sqrt() / 17.0).sin()) as u8])
    });
    let cases = [
        ("blank.png", documents::encode(&blank, ImageFormat::Png), "no text was found on the document"),
        ("rings.png", documents::encode(&rings, ImageFormat::Png), "no text was found on the document"),
        ("novel.pdf", documents::pdf_of_lines(&NOVEL), "this is no invoice, receipt, credit note, docket or statement"),
        ("bank.pdf", documents::pdf_of_lines(&BANK_STATEMENT), "this is no invoice, receipt, credit note, docket or statement"),
    ];
    let files: Vec<_> = cases.iter().map(|(name, bytes, _)| (*name, bytes.clone())).collect();
    let folder = folder(&files);
    let output = extract().current_dir(&folder).args(cases.iter().map(|(name, ..)| name)).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    for (line, (name, _, reason)) in text(&output.stdout).lines().zip(cases) {
        let document: Value = serde_json::from_str(line).unwrap();
        assert_eq!((&document["document_type"], &document["status"]), (&"OTHER".into(), &"NEEDS_REVIEW".into()), "{name}");
        assert!(document["review_reasons"].as_array().unwrap().contains(&reason.into()), "{name}: {line}");
        assert!(
            document.get("totals").is_none() && document.get("lines").is_none_or(|lines| lines == &serde_json::json!([])),
            "{name}: {line}"
        );
    }
}

const NOVEL: [&str; 9] = [
    "CHAPTER ONE",
    "It was the best of times, it was the worst of times, it was the age",
    "of wisdom, it was the age of foolishness, it was the epoch of belief,",
    "it was the epoch of incredulity, it was the season of Light, it was",
    "the season of Darkness, it was the spring of hope, it was the winter",
    "of despair. In the year 1775 there were 20 horsemen on the road, and",
    "each of them carried no more than five shillings in his purse.",
    "Halt there! cried the guard. How many are you?",
    "17",
];

const BANK_STATEMENT: [&str; 9] = [
    "FIRST NATIONAL BANK",
    "Statement of Account      Account number 12345678",
    "Date        Details              Paid out    Paid in     Balance",
    "01/03/2026  Opening balance                              1,204.55",
    "03/03/2026  POS TESCO STORES       45.20                 1,159.35",
    "12/03/2026  SALARY ACME LTD                  2,450.00    3,609.35",
    "18/03/2026  ATM GALWAY            200.00                 3,409.35",
    "31/03/2026  Closing balance                              3,409.35",
    "Overdraft limit 500.00",
];

#[test]
fn tables_hold_no_json() {
    let folder = folder(&[("receipt.pdf", documents::receipt_pdf())]);
    let output = extract().current_dir(&folder).args(["--table", "receipt.pdf"]).output().unwrap();
    let stdout = text(&output.stdout);
    assert!(stdout.starts_with("receipt.pdf: "), "{stdout}");
    assert!(!stdout.contains('{'), "{stdout}");
}

#[test]
fn overlays_show_each_page() {
    let receipt = |text| vec![documents::Text { x: 40.0, y: 700.0, size: 12.0, text }];
    let pdf = documents::pdf(&[receipt("The first page of two"), receipt("The second page of two")]);
    let folder = folder(&[("two.pdf", pdf)]);
    let output = extract().current_dir(&folder).args(["--overlay", "out/pages", "two.pdf"]).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    for page in ["two.p1.png", "two.p2.png"] {
        let picture = image::open(folder.path().join("out/pages").join(page)).unwrap().into_rgb8();
        assert_eq!(picture.dimensions(), (1653, 2339));
        assert!(picture.pixels().any(|pixel| pixel[0] != pixel[2]), "{page}: something is drawn in colour");
    }
}

#[test]
fn a_reader_that_stops_early_is_no_failure() {
    let folder = folder(&[("receipt.pdf", documents::receipt_pdf())]);
    let binary = assert_cmd::cargo::cargo_bin("extract");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let status =
        std::process::Command::new(binary).current_dir(&folder).args(["receipt.pdf", "receipt.pdf"]).stdout(writer).status().unwrap();
    assert!(status.success());
}

#[test]
fn unusable_models_and_missing_arguments_are_explained() {
    let folder = folder(&WEIGHT_FILES.map(|file| (file, b"no weights".to_vec())));
    let run = |arguments: &[&str]| text(&extract().current_dir(&folder).args(arguments).output().unwrap().stderr);
    assert!(run(&["--models", "nowhere", "a.pdf"]).contains("cannot read the weights nowhere/"));
    assert!(run(&["--models", ".", "a.pdf"]).contains("the weights of the localiser cannot be used"));
    assert!(run(&[]).contains("<FILE>..."));
    let version = extract().arg("--version").output().unwrap();
    assert_eq!(text(&version.stdout), format!("extract {}\n", env!("CARGO_PKG_VERSION")));
}
