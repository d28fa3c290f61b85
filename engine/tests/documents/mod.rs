//! Files to read, made in the test: nothing here comes from a data set.
#![allow(dead_code, reason = "each test binary uses some")]

use std::{
    fmt::Write,
    io::{self, Cursor, Read},
};

use image::{DynamicImage, GrayImage, ImageFormat, Luma};

/// White paper with a black bar: left and top in a dark corner, so that its rotation can be told.
pub fn picture(width: u32, height: u32) -> GrayImage {
    GrayImage::from_fn(width, height, |x, y| Luma([if x < width / 2 && y < height / 4 { 0 } else { 255 }]))
}

pub fn encode(picture: &GrayImage, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let picture = DynamicImage::ImageLuma8(picture.clone());
    // The WebP encoder takes colours only.
    let picture = if format == ImageFormat::WebP { DynamicImage::ImageRgb8(picture.into_rgb8()) } else { picture };
    picture.write_to(&mut bytes, format).expect("encoding into memory");
    bytes.into_inner()
}

/// A JPEG picture whose EXIF data hold `orientation`.
pub fn jpeg_with_orientation(picture: &GrayImage, orientation: u8) -> Vec<u8> {
    let jpeg = encode(picture, ImageFormat::Jpeg);
    let mut exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
    let length = (exif.len() + 2) as u16;
    [&jpeg[..2], &[0xFF, 0xE1], &length.to_be_bytes(), &exif, &jpeg[2..]].concat()
}

/// A PNG file that states a size; its pixels are missing.
pub fn png_header(width: u32, height: u32) -> Vec<u8> {
    let mut header = b"IHDR".to_vec();
    header.extend(width.to_be_bytes());
    header.extend(height.to_be_bytes());
    header.extend([8, 0, 0, 0, 0]);
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\x0d".to_vec();
    png.extend(&header);
    png.extend(crc32(&header).to_be_bytes());
    png.extend(b"\0\0\0\0IDAT");
    png
}

/// As in annex D of the PNG specification.
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, &byte| {
        (0..8).fold(crc ^ u32::from(byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xEDB8_8320 } else { crc >> 1 })
    })
}

/// A TIFF file with a page for each picture.
pub fn tiff(pictures: &[GrayImage]) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    let mut encoder = tiff::encoder::TiffEncoder::new(&mut bytes).expect("a TIFF header in memory");
    for picture in pictures {
        encoder.write_image::<tiff::encoder::colortype::Gray8>(picture.width(), picture.height(), picture).expect("a TIFF page in memory");
    }
    bytes.into_inner()
}

/// What a PDF page shows, in points from the lower left corner of A4.
pub struct Text<'a> {
    pub x: f32,
    pub y: f32,
    pub size: f32,
    pub text: &'a str,
}

/// A PDF file with a page for each list of texts, in Helvetica.
pub fn pdf(pages: &[Vec<Text>]) -> Vec<u8> {
    let contents = pages.iter().map(|texts| content(texts)).collect::<Vec<_>>();
    pdf_of_contents(&contents, "")
}

fn content(texts: &[Text]) -> String {
    let mut content = String::new();
    for Text { x, y, size, text } in texts {
        writeln!(content, "BT /F1 {size} Tf {x} {y} Td ({text}) Tj ET").expect("writing to a string");
    }
    content
}

/// A PDF file with these content streams; `trailer` is added to its trailer.
pub fn pdf_of_contents(contents: &[String], trailer: &str) -> Vec<u8> {
    let page_ids = (0..contents.len()).map(|index| 4 + 2 * index);
    let kids = page_ids.clone().map(|id| format!("{id} 0 R ")).collect::<String>();
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        format!("<< /Type /Pages /Kids [{kids}] /Count {} >>", contents.len()),
        "<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>".to_owned(),
    ];
    for (id, content) in page_ids.zip(contents) {
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents {} 0 R /Resources << /Font << /F1 3 0 R >> >> >>",
            id + 1
        ));
        objects.push(format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len() + 1));
    }
    assemble(&objects, trailer)
}

/// Numbers `objects` from 1 and adds the cross-reference table.
pub fn assemble(objects: &[String], trailer: &str) -> Vec<u8> {
    let mut file = "%PDF-1.7\n".to_owned();
    let mut table = format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1);
    for (index, object) in objects.iter().enumerate() {
        writeln!(table, "{:010} 00000 n ", file.len()).expect("writing to a string");
        writeln!(file, "{} 0 obj\n{object}\nendobj", index + 1).expect("writing to a string");
    }
    let start = file.len();
    write!(file, "{table}trailer << /Size {} /Root 1 0 R {trailer} >>\nstartxref\n{start}\n%%EOF\n", objects.len() + 1)
        .expect("writing to a string");
    file.into_bytes()
}

/// A PDF file that asks for a password nobody knows.
pub fn encrypted_pdf() -> Vec<u8> {
    let key = "11".repeat(32);
    let trailer =
        format!("/ID [<{id}> <{id}>] /Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <{key}> /U <{key}> >>", id = "22".repeat(16));
    pdf_of_contents(&[String::new()], &trailer)
}

/// A PDF file whose one picture states a size.
pub fn pdf_with_picture(width: u32, height: u32) -> Vec<u8> {
    let objects = [
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>".to_owned(),
        "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /XObject << /P 5 0 R >> >> >>".to_owned(),
        "<< /Length 30 >>\nstream\nq 595 0 0 842 0 0 cm /P Do Q \nendstream".to_owned(),
        format!(
            "<< /Type /XObject /Subtype /Image /Width {width} /Height {height} /ColorSpace /DeviceGray /BitsPerComponent 8 \
             /Length 4 >>\nstream\nabcd\nendstream"
        ),
    ];
    assemble(&objects, "")
}

/// A PDF file of which a page's content unpacks to `length` spaces.
pub fn pdf_bomb(length: u64) -> Vec<u8> {
    let mut packed = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    io::copy(&mut io::repeat(b' ').take(length), &mut packed).expect("packing into memory");
    let packed = packed.finish().expect("packing into memory");
    let head = "%PDF-1.7\n1 0 obj\n<< /Type /Catalog /Pages 2 0 R >>\nendobj\n2 0 obj\n<< /Type /Pages /Kids [3 0 R] /Count 1 >>\nendobj\n\
                3 0 obj\n<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R >>\nendobj\n";
    let stream = format!("4 0 obj\n<< /Filter /FlateDecode /Length {} >>\nstream\n", packed.len());
    [head.as_bytes(), stream.as_bytes(), &packed, b"\nendstream\nendobj\ntrailer << /Root 1 0 R >>\n%%EOF\n"].concat()
}

/// A small till receipt of one page.
pub fn receipt_pdf() -> Vec<u8> {
    let rows = [
        (40.0, 780.0, "THE CROSS KEYS"),
        (40.0, 760.0, "12 Main Street, Cork"),
        (40.0, 740.0, "Date: 12/03/2026"),
        (40.0, 700.0, "Stout pint"),
        (300.0, 700.0, "5.80"),
        (40.0, 680.0, "Crisps"),
        (300.0, 680.0, "2.20"),
        (40.0, 650.0, "TOTAL EUR"),
        (300.0, 650.0, "8.00"),
    ];
    pdf(&[rows.map(|(x, y, text)| Text { x, y, size: 12.0, text }).into()])
}

/// A page of lines; three and more spaces part columns, five points a letter wide.
pub fn pdf_of_lines(lines: &[&str]) -> Vec<u8> {
    let mut texts = Vec::new();
    for (row, line) in lines.iter().enumerate() {
        let y = 780.0 - 20.0 * row as f32;
        let mut at = 0;
        for cell in line.split("   ") {
            let text = cell.trim_start();
            if !text.is_empty() {
                texts.push(Text { x: 40.0 + 6.5 * (at + cell.len() - text.len()) as f32, y, size: 10.0, text });
            }
            at += cell.len() + 3;
        }
    }
    pdf(&[texts])
}
