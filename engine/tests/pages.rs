//! Files to pages: formats, orientation, limits, damaged files, PDF text layers.

mod documents;

use std::{
    fs,
    path::{Path, PathBuf},
};

use documents::Text;
use engine::{
    geometry::Quad,
    page::{self, DocumentError, Page},
    text::TextLine,
};
use image::ImageFormat;
use proptest::prelude::*;
use serde_json::Value;

fn read(file: Vec<u8>) -> Result<Vec<Page>, DocumentError> {
    page::read(&[file]).map(|document| document.pages)
}

/// The message of an error and its sources, as a user sees it.
fn message(error: &DocumentError) -> String {
    let mut causes = Vec::new();
    let mut error: Option<&dyn std::error::Error> = Some(error);
    while let Some(cause) = error {
        causes.push(cause.to_string());
        error = cause.source();
    }
    causes.join(": ")
}

#[test]
fn every_format_gives_the_same_page() {
    let picture = documents::picture(60, 40);
    for format in [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Tiff, ImageFormat::WebP, ImageFormat::Bmp] {
        let pages = read(documents::encode(&picture, format)).unwrap();
        assert_eq!(pages.len(), 1, "{format:?}");
        assert_eq!(pages[0].image.dimensions(), (60, 40), "{format:?}");
        assert!(pages[0].image.get_pixel(2, 2)[0] < 16, "{format:?}: the bar is dark");
        assert!(pages[0].image.get_pixel(58, 38)[0] > 240, "{format:?}: the paper is white");
    }
}

#[test]
fn exif_orientation_turns_the_page_upright() {
    // (orientation, rotation, where the dark corner comes to lie)
    let cases = [
        (1, 0, (2, 2)),
        (2, 0, (57, 2)),
        (3, 180, (57, 37)),
        (4, 0, (2, 37)),
        (5, 90, (2, 2)),
        (6, 90, (37, 2)),
        (7, 270, (37, 57)),
        (8, 270, (2, 57)),
    ];
    for (orientation, rotation_degrees, (x, y)) in cases {
        let pages = read(documents::jpeg_with_orientation(&documents::picture(60, 40), orientation)).unwrap();
        assert_eq!(pages[0].rotation_degrees, rotation_degrees, "orientation {orientation}");
        let size = if orientation < 5 { (60, 40) } else { (40, 60) };
        assert_eq!(pages[0].image.dimensions(), size, "orientation {orientation}");
        assert!(pages[0].image.get_pixel(x, y)[0] < 64, "orientation {orientation}");
    }
}

#[test]
fn transparent_is_white() {
    let clear = image::RgbaImage::from_pixel(20, 20, image::Rgba([0, 0, 0, 0]));
    let mut png = std::io::Cursor::new(Vec::new());
    clear.write_to(&mut png, ImageFormat::Png).unwrap();
    assert!(read(png.into_inner()).unwrap()[0].image.pixels().all(|pixel| pixel[0] == 255));
}

#[test]
fn a_tiff_file_gives_all_its_pages() {
    let pages = read(documents::tiff(&[documents::picture(30, 20), documents::picture(20, 50), documents::picture(16, 16)])).unwrap();
    let sizes: Vec<_> = pages.iter().map(|page| page.image.dimensions()).collect();
    assert_eq!(sizes, [(30, 20), (20, 50), (16, 16)]);
}

#[test]
fn several_files_are_one_document() {
    let picture = documents::encode(&documents::picture(30, 20), ImageFormat::Png);
    let pages = page::read(&[picture.clone(), documents::receipt_pdf(), picture]).unwrap().pages;
    assert_eq!(pages.len(), 3);
    let native: Vec<_> = pages.iter().map(|page| page.native_text.is_some()).collect();
    assert_eq!(native, [false, true, false]);
    assert!(pages[1].native_text.iter().flatten().all(|line| line.page == 1));
}

#[test]
fn bad_files_are_named_with_their_reason() {
    let picture = documents::picture(400, 300);
    let jpeg = documents::encode(&picture, ImageFormat::Jpeg);
    let png = documents::encode(&picture, ImageFormat::Png);
    let webp = documents::encode(&picture, ImageFormat::WebP);
    let tiff = documents::tiff(std::slice::from_ref(&picture));
    let pdf = documents::receipt_pdf();
    let cases: Vec<(&str, Vec<u8>, &str)> = vec![
        ("empty", vec![], "the file is empty"),
        ("text", b"Hello, I am not an invoice.\n".to_vec(), "this is a text file, where"),
        ("utf-8 text", "Grüße aus Köln\n".into(), "this is a text file, where"),
        ("bytes", vec![0, 1, 2, 3], "this is no picture, where"),
        ("heic", b"\0\0\0\x18ftypheic\0\0\0\0".to_vec(), "this is a HEIC photo, where"),
        ("zip", b"PK\x03\x04\x14\0".to_vec(), "this is a ZIP archive or an office document, where"),
        ("half a JPEG", jpeg[..jpeg.len() / 2].to_vec(), "the JPEG picture is cut off"),
        ("start of a JPEG", jpeg[..4].to_vec(), "the JPEG picture is cut off"),
        ("half a PNG", png[..png.len() / 2].to_vec(), "the PNG picture is damaged"),
        ("half a WebP", webp[..webp.len() / 2].to_vec(), "the WebP picture is damaged"),
        ("half a TIFF", tiff[..tiff.len() / 2].to_vec(), "the TIFF file's list of pages is damaged"),
        ("30000 x 30000 PNG", documents::png_header(30_000, 30_000), "a page of 30000 x 30000 pixels is over the limit"),
        ("1 x 1 PNG", documents::png_header(1, 1), "a page of 1 x 1 pixels is too small"),
        ("too large", vec![b' '; page::MAX_FILE_BYTES + 1], "more than the limit of"),
        ("encrypted PDF", documents::encrypted_pdf(), "the PDF is encrypted and needs a password"),
        ("PDF signature", b"%PDF-1.7\n".to_vec(), "the PDF is damaged"),
        ("PDF without its pages", pdf[..60].to_vec(), "the PDF is damaged"),
        ("PDF with no page", documents::pdf(&[]), "the PDF"),
        ("PDF that unpacks to much", documents::pdf_bomb(300 << 20), "the PDF holds a stream that unpacks to more than"),
        ("PDF with a huge picture", documents::pdf_with_picture(30_000, 30_000), "the PDF holds a picture of 30000 x 30000 pixels"),
    ];
    for (name, file, expected) in cases {
        let error = read(file).map(|pages| pages.len()).expect_err(name);
        assert!(message(&error).contains(expected), "{name}: {}", message(&error));
        assert_eq!(error.file, 0);
    }
}

#[test]
fn too_many_pages_are_refused() {
    let pages: Vec<Vec<Text>> = (0..=page::MAX_PAGES).map(|_| Vec::new()).collect();
    assert!(message(&read(documents::pdf(&pages)).unwrap_err()).contains("51 pages, more than the limit of 50"));
    let pictures = vec![documents::picture(16, 16); page::MAX_PAGES + 1];
    assert!(message(&read(documents::tiff(&pictures)).unwrap_err()).contains("more than 50 pages"));
}

#[test]
fn the_text_layer_of_a_pdf_gives_lines_and_columns() {
    let pages = read(documents::receipt_pdf()).unwrap();
    assert_eq!(pages[0].image.dimensions(), (1653, 2339));
    let lines = pages[0].native_text.as_ref().unwrap();
    let texts: Vec<_> = lines.iter().map(|line| line.text.as_str()).collect();
    let expected =
        ["THE CROSS KEYS", "12 Main Street, Cork", "Date: 12/03/2026", "Stout pint", "5.80", "Crisps", "2.20", "TOTAL EUR", "8.00"];
    assert_eq!(texts, expected);

    // 40 points from the left and 62 from the top at 200 dots an inch; a line's box is about an em high.
    let quad = lines[0].quad;
    assert!((quad.left() - 111.0).abs() < 2.0, "{quad:?}");
    assert!((quad.top()..quad.bottom()).contains(&165.0), "{quad:?}");
    assert!((28.0..40.0).contains(&quad.height()), "{quad:?}");
    // The ink lies inside the box, and only there in its row.
    let row = quad.top() as u32..quad.bottom() as u32;
    let dark = |x: u32| row.clone().any(|y| pages[0].image.get_pixel(x, y)[0] < 128);
    let (first, last) = ((0..1653).find(|&x| dark(x)).unwrap(), (0..1653).rev().find(|&x| dark(x)).unwrap());
    assert!((quad.left() - 2.0..quad.left() + 8.0).contains(&(first as f32)), "{first} {quad:?}");
    assert!((quad.right() - 8.0..quad.right() + 2.0).contains(&(last as f32)), "{last} {quad:?}");
}

#[test]
fn words_are_parted_by_gaps_and_double_print_is_read_once() {
    let content = "BT /F1 10 Tf 50 700 Td [(Total)-400(due)] TJ ET BT /F1 10 Tf 50 650 Td (Bold face) Tj ET \
                   BT /F1 10 Tf 50.4 650 Td (Bold face) Tj ET BT /F1 10 Tf 200 600 Td 3 Tr (somebody's reading) Tj ET";
    let pages = read(documents::pdf_of_contents(&[content.to_owned()], "")).unwrap();
    let texts: Vec<_> = pages[0].native_text.iter().flatten().map(|line| line.text.as_str()).collect();
    assert_eq!(texts, ["Total due", "Bold face"]);
}

#[test]
fn a_page_of_a_few_letters_is_left_to_the_networks() {
    let stamp = vec![Text { x: 40.0, y: 700.0, size: 9.0, text: "Page 1" }];
    assert!(read(documents::pdf(&[stamp])).unwrap()[0].native_text.is_none());
}

#[test]
fn upright_and_turned_text_are_lines_of_their_own() {
    let content = "BT /F1 10 Tf 50 700 Td (An upright line of text) Tj ET BT /F1 10 Tf 0 1 -1 0 560 300 Tm (along the margin) Tj ET";
    let pages = read(documents::pdf_of_contents(&[content.to_owned()], "")).unwrap();
    let lines = pages[0].native_text.as_ref().unwrap();
    assert_eq!(lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>(), ["An upright line of text", "along the margin"]);
    let turned = lines[1].quad;
    assert!(turned.width() > 4.0 * turned.height(), "the quad's upper edge follows the text: {turned:?}");
    assert!(turned.bottom() - turned.top() > turned.right() - turned.left(), "{turned:?}");
}

/// Folder of data sets that the repository may not hold, where there is one.
fn shared(path: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared");
    let root = std::env::var_os("CELLARBOOK_SHARED").map_or(beside, PathBuf::from);
    Some(root.join(path)).filter(|path| path.exists())
}

#[test]
fn text_layers_of_real_invoices_hold_the_words_at_their_places() {
    let Some(corpus) = shared("data/invoices/zugferd-corpus") else {
        eprintln!("skipped: no data/invoices in the shared folder");
        return;
    };
    let (mut words, mut found) = (0, 0);
    for entry in fs::read_dir(corpus.join("pdf")).unwrap() {
        let path = entry.unwrap().path();
        let pages = read(fs::read(&path).unwrap()).unwrap();
        let truth = corpus.join("words").join(path.file_name().unwrap()).with_extension("json");
        let truth: Value = serde_json::from_slice(&fs::read(truth).unwrap()).unwrap();
        for (page, truth) in pages.iter().zip(truth["pages"].as_array().unwrap()) {
            let lines = page.native_text.as_deref().unwrap_or_default();
            let scale = page.image.width() as f32 / truth["width"].as_f64().unwrap() as f32;
            for word in truth["words"].as_array().unwrap() {
                let edge = |index: usize| word[1][index].as_f64().unwrap() as f32 * scale;
                let (x, y) = ((edge(0) + edge(2)) / 2.0, (edge(1) + edge(3)) / 2.0);
                let around = |quad: &Quad| (quad.left()..quad.right()).contains(&x) && (quad.top()..quad.bottom()).contains(&y);
                let holds = |line: &TextLine| line.text.split(' ').any(|text| Some(text) == word[0].as_str()) && around(&line.quad);
                // The corpus takes text along the margin apart into letters.
                let turned = |line: &TextLine| line.quad.0[1].y < line.quad.0[0].y - line.quad.height();
                if lines.iter().any(|line| turned(line) && around(&line.quad)) {
                    continue;
                }
                words += 1;
                found += usize::from(lines.iter().any(holds));
            }
        }
    }
    println!("{found} of {words} words");
    assert!(words > 2000, "the corpus has been read");
    assert!(found * 1000 >= words * 998, "{found} of {words} words");
}

#[derive(Debug, Clone)]
enum Damage {
    Cut(usize),
    Flip(usize, u8),
}

fn damage(length: usize) -> impl Strategy<Value = Vec<Damage>> {
    let one = prop_oneof![(0..length).prop_map(Damage::Cut), ((0..length), 1u8..).prop_map(|(at, bits)| Damage::Flip(at, bits)),];
    prop::collection::vec(one, 1..6)
}

fn damaged(mut file: Vec<u8>, damages: &[Damage]) -> Vec<u8> {
    for damage in damages {
        match *damage {
            Damage::Cut(length) => file.truncate(length),
            Damage::Flip(at, bits) => {
                if let Some(byte) = file.get_mut(at) {
                    *byte ^= bits;
                }
            }
        }
    }
    file
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    // What must hold is that reading returns at all: a page or an error, no panic.
    #[test]
    fn damaged_pdf_files_never_panic(damages in damage(1200)) {
        if let Err(error) = read(damaged(documents::receipt_pdf(), &damages)) {
            prop_assert!(!message(&error).contains("drawing it failed"), "the PDF library panicked");
        }
    }

    #[test]
    fn damaged_pictures_never_panic(damages in damage(700), format in prop::sample::select(vec![
        ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Tiff, ImageFormat::WebP, ImageFormat::Bmp,
    ])) {
        let _ = read(damaged(documents::encode(&documents::picture(64, 48), format), &damages));
    }
}
