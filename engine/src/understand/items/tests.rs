use super::*;
use crate::geometry::Quad;
use crate::text::{PageSize, TextLine};
use crate::understand::labels::DOCUMENT_TYPES;

const PAGES: [PageSize; 1] = [PageSize { width: 1000, height: 1000 }];

type Row<'a> = &'a [(f32, &'a str)];

/// Lines of (left edge, text) at these heights, ten pixels a character and twenty high.
fn lines(rows: &[(f32, Row)]) -> Vec<TextLine> {
    let line = |top: f32, (x, text): &(f32, &str)| TextLine {
        page: 0,
        quad: Quad::from_edges(*x, top, x + 10.0 * text.chars().count() as f32, top + 20.0),
        text: text.to_string(),
        confidence: 1.0,
    };
    rows.iter().flat_map(|(top, row)| row.iter().map(move |cell| line(*top, cell))).collect()
}

/// Reads rows thirty pixels apart; those from `goods` are believed to be goods, all others sums.
fn read(rows: &[Row], goods: Range<usize>) -> Vec<String> {
    let rows: Vec<(f32, Row)> = rows.iter().enumerate().map(|(y, row)| (30.0 * y as f32, *row)).collect();
    read_at(&rows, goods, true)
}

fn read_at(rows: &[(f32, Row)], goods: Range<usize>, priced: bool) -> Vec<String> {
    let lines = lines(rows);
    let order = ReadingOrder::new(&lines, &PAGES);
    let belief = |row: &usize| {
        let mut tags = [0.0; Tag::COUNT];
        tags[if goods.contains(row) { Tag::Item } else { Tag::Summary } as usize] = 0.9;
        tags
    };
    let beliefs = Beliefs {
        tags: order.row_of.iter().map(belief).collect(),
        roles: Vec::new(),
        runs: Vec::new(),
        types: [0.0; DOCUMENT_TYPES.len()],
    };
    let cell =
        |item: &Item, column: Column| item.cells.iter().find(|(c, _)| *c == column).map_or("-", |(_, span)| span.text.as_str()).to_string();
    let columns = [Column::Code, Column::Description, Column::Quantity, Column::UnitPrice, Column::VatRate, Column::LineTotal];
    items(&order, &beliefs, priced).iter().map(|item| columns.map(|column| cell(item, column)).join(" | ")).collect()
}

#[test]
fn receipts_by_arithmetic() {
    let read = read(
        &[
            &[(0.0, "2 CHEESEBURGER"), (500.0, "11.00")],
            &[(0.0, "9556001 MILK 1L")],
            &[(0.0, "3 X 2.50"), (500.0, "7.50")],
            &[(0.0, "STOUT PINT"), (500.0, "12.40")],
            &[(0.0, "2 @ 6.20")],
            &[(0.0, "TEA"), (300.0, "1"), (400.0, "2.00"), (500.0, "2.00 SR")],
            &[(0.0, "BRASS HINGE 3IN")],
            &[(0.0, "6 PCS X 3.95"), (500.0, "23.70")],
            &[(0.0, "TOTAL"), (500.0, "56.60")],
        ],
        0..8,
    );
    assert_eq!(
        read,
        [
            "- | CHEESEBURGER | 2 | - | - | 11.00",
            "9556001 | MILK 1L | 3 | 2.50 | - | 7.50",
            "- | STOUT PINT | 2 | 6.20 | - | 12.40",
            "- | TEA | 1 | 2.00 | - | 2.00",
            "- | BRASS HINGE 3IN | 6 | 3.95 | - | 23.70",
        ]
    );
}

#[test]
fn goods_under_captions_of_another_name() {
    let row = |name: &'static str| -> Vec<String> {
        read(
            &[
                &[(0.0, "CODE"), (120.0, name), (480.0, "QTY"), (530.0, "DEL"), (600.0, "PRICE"), (850.0, "AMOUNT")],
                &[(0.0, "10442"), (120.0, "ORCHARD CIDER 12X500ML"), (510.0, "5"), (630.0, "21.60"), (850.0, "108.00")],
            ],
            1..2,
        )
    };
    for name in ["DESCRIPTION", "GOODS", "WHAT YOU HAD"] {
        assert_eq!(row(name), ["10442 | ORCHARD CIDER 12X500ML | 5 | 21.60 | - | 108.00"], "{name}");
    }
}

#[test]
fn invoices_by_captions() {
    let read = read(
        &[
            &[(0.0, "CODE"), (120.0, "DESCRIPTION"), (500.0, "QTY"), (600.0, "UNIT PRICE"), (740.0, "VAT %"), (850.0, "AMOUNT")],
            &[(0.0, "GK50"), (120.0, "GUINNESS KEG 50L"), (510.0, "2"), (630.0, "185.00"), (750.0, "23"), (850.0, "370.00")],
            &[(120.0, "DEPOSIT INCLUDED")],
            &[(0.0, "HK30"), (120.0, "HEINEKEN KEG 30L"), (510.0, "1"), (630.0, "140.00"), (750.0, "23"), (850.0, "140.00")],
            &[(600.0, "TOTAL NET"), (850.0, "510.00")],
        ],
        1..4,
    );
    assert_eq!(read, ["GK50 | GUINNESS KEG 50L | 2 | 185.00 | 23 | 370.00", "HK30 | HEINEKEN KEG 30L | 1 | 140.00 | 23 | 140.00"]);
}

#[test]
fn stacked_captions_and_what_stands_below_an_item() {
    let read = read_at(
        &[
            (0.0, &[(100.0, "Art-Nr-Kunde")]),
            (22.0, &[(0.0, "Pos"), (100.0, "Art-Nr-Lief."), (300.0, "Beschreibung"), (460.0, "Nettopreis"), (650.0, "Menge")]),
            (44.0, &[(100.0, "(Art)"), (740.0, "Steuer"), (850.0, "Entgelt")]),
            (80.0, &[(0.0, "1"), (100.0, "BX-77"), (300.0, "Zitronen"), (550.0, "1,00"), (650.0, "5 Stk 19 % VAT (S)")]),
            (102.0, &[(100.0, "ZS997"), (300.0, "100ml"), (880.0, "5,00")]),
            (124.0, &[(100.0, "4123456000014")]),
            (146.0, &[(300.0, "Herkunft: von weit her, per Schiff")]),
            (180.0, &[(0.0, "2"), (300.0, "Gelierzucker"), (550.0, "1,45"), (650.0, "2 Stk"), (740.0, "7 %"), (880.0, "2,90")]),
            (202.0, &[(300.0, "Extra 250g")]),
            (240.0, &[(0.0, "Art (Kategorie)"), (300.0, "Warenwert"), (500.0, "Steuersatz"), (800.0, "Steuerbetrag")]),
            (262.0, &[(0.0, "VAT (S)"), (300.0, "5,00"), (500.0, "19"), (800.0, "0,95")]),
        ],
        0..11,
        true,
    );
    assert_eq!(read, ["ZS997 | Zitronen 100ml | 5 | 1,00 | 19 % | 5,00", "- | Gelierzucker Extra 250g | 2 | 1,45 | 7 % | 2,90"]);
}

#[test]
fn descriptions_below_codes_in_one_column() {
    let read = read_at(
        &[
            (0.0, &[(0.0, "GTIN"), (200.0, "Art-Nr-Lieferant"), (460.0, "Menge"), (700.0, "Nettopreis"), (900.0, "Nettowert")]),
            (22.0, &[(200.0, "Artikelbezeichnung")]),
            (60.0, &[(0.0, "4123456000014"), (200.0, "ZS997"), (460.0, "5,0000 Stk."), (720.0, "1,0000"), (930.0, "5,00")]),
            (82.0, &[(200.0, "Zitronen 100ml")]),
        ],
        0..4,
        true,
    );
    assert_eq!(read, ["ZS997 | Zitronen 100ml | 5,0000 | 1,0000 | - | 5,00"]);
}

#[test]
fn captions_of_other_names_are_told_by_what_stands_below_them() {
    let cases: [(Row, Row, &str); 3] = [
        (
            &[(0.0, "Qty"), (100.0, "Description"), (600.0, "P.U. HT"), (850.0, "Total HT")],
            &[(0.0, "2"), (100.0, "CIDER 24 x 330ml"), (620.0, "4,50"), (880.0, "9,00")],
            "- | CIDER 24 x 330ml | 2 | 4,50 | - | 9,00",
        ),
        (
            &[(0.0, "Qty"), (100.0, "Description"), (400.0, "Rate"), (650.0, "Disc"), (850.0, "Net")],
            &[(0.0, "2"), (100.0, "CIDER"), (400.0, "4.50"), (850.0, "9.00")],
            "- | CIDER | 2 | 4.50 | - | 9.00",
        ),
        (
            &[(100.0, "Description"), (400.0, "Del'd"), (600.0, "Price"), (850.0, "Amount")],
            &[(100.0, "CIDER"), (410.0, "2"), (610.0, "4.50"), (860.0, "9.00")],
            "- | CIDER | 2 | 4.50 | - | 9.00",
        ),
    ];
    for (captions, row, expected) in cases {
        assert_eq!(read(&[captions, row], 1..2), [expected]);
    }
}

#[test]
fn descriptions_keep_their_numbers_beside_other_captions() {
    let captions: Row = &[(0.0, "Item"), (100.0, "Description"), (500.0, "Pack"), (600.0, "Qty"), (700.0, "Rate"), (850.0, "Amount")];
    let cases: [(Row, &str); 4] = [
        (
            &[(100.0, "Panel, 4,200 x 600 mm, flat cut"), (610.0, "1"), (700.0, "485.00"), (860.0, "485.00")],
            "- | Panel, 4,200 x 600 mm, flat cut | 1 | 485.00 | - | 485.00",
        ),
        (
            &[(100.0, "BLACKSTAIR RED ALE 30L KEG"), (500.0, "1X30L"), (610.0, "2"), (700.0, "97.20"), (860.0, "194.40")],
            "- | BLACKSTAIR RED ALE 30L KEG | 2 | 97.20 | - | 194.40",
        ),
        (
            &[(0.0, "DSN-HR"), (100.0, "Artwork"), (610.0, "2"), (700.0, "65.00"), (860.0, "130.00")],
            "DSN-HR | Artwork | 2 | 65.00 | - | 130.00",
        ),
        (&[(100.0, "Pages"), (570.0, "14 230"), (700.0, "0,0062"), (860.0, "88,23")], "- | Pages | 14 230 | 0,0062 | - | 88,23"),
    ];
    for (row, expected) in cases {
        assert_eq!(read(&[captions, row], 1..2), [expected]);
    }
}

#[test]
fn goods_stand_in_groups_with_their_sums_and_beside_other_text() {
    let read = read(
        &[
            &[(300.0, "Désignation"), (500.0, "Ctn x pcs"), (610.0, "Quantité"), (720.0, "Prix unitaire"), (870.0, "Total HT")],
            &[(300.0, "Titel 1: Netz")],
            &[(0.0, "8, rue Ampère"), (300.0, "Kabel 3 m"), (520.0, "1 x 2"), (650.0, "2"), (750.0, "34,90"), (890.0, "69,80")],
            &[(300.0, "Sous-total"), (890.0, "69,80")],
            &[(300.0, "Titel 2: Dienst")],
            &[(300.0, "Anfahrt"), (650.0, "3"), (750.0, "39,00"), (890.0, "117,00")],
            &[(300.0, "Übertrag"), (890.0, "186,80")],
        ],
        1..3,
    );
    assert_eq!(read, ["- | Kabel 3 m | 2 | 34,90 | - | 69,80", "- | Anfahrt | 3 | 39,00 | - | 117,00"]);
}

#[test]
fn of_several_codes_and_goods_the_sellers_own_are_read() {
    let cases: [(Row, Row, &str); 3] = [
        (
            &[
                (0.0, "Article"),
                (120.0, "Description of goods"),
                (450.0, "HS code"),
                (600.0, "Quantity"),
                (730.0, "Price each"),
                (880.0, "Value"),
            ],
            &[
                (0.0, "MT-2207/45"),
                (120.0, "Goblet 45 cl, crystal"),
                (450.0, "7013 22"),
                (620.0, "288"),
                (750.0, "2.84"),
                (880.0, "817.92"),
            ],
            "MT-2207/45 | Goblet 45 cl, crystal | 288 | 2.84 | - | 817.92",
        ),
        (
            &[(0.0, "Product"), (120.0, "Goods"), (600.0, "Cases"), (730.0, "U/Price"), (860.0, "Goods Value")],
            &[(0.0, "674265"), (120.0, "Blue roll 6pk"), (620.0, "1"), (740.0, "12.35"), (890.0, "12.35")],
            "674265 | Blue roll 6pk | 1 | 12.35 | - | 12.35",
        ),
        (
            &[(0.0, "Produc"), (120.0, "Goods"), (600.0, "QTY"), (730.0, "U/Price"), (860.0, "Total")],
            &[(0.0, "O-9345"), (120.0, "Draught 11G"), (620.0, "1"), (740.0, "102.06"), (880.0, "102.06")],
            "O-9345 | Draught 11G | 1 | 102.06 | - | 102.06",
        ),
    ];
    for (captions, row, expected) in cases {
        assert_eq!(read(&[captions, row], 1..2), [expected]);
    }
}

#[test]
fn measures_below_an_unknown_caption_are_units() {
    let rows: [(f32, Row); 2] = [
        (0.0, &[(0.0, "Description"), (300.0, "Gebinde"), (450.0, "Qty"), (600.0, "Price"), (850.0, "Amount")]),
        (30.0, &[(0.0, "STOUT 50L"), (300.0, "Keg"), (450.0, "2"), (600.0, "4.50"), (850.0, "9.00")]),
    ];
    let lines = lines(&rows);
    let order = ReadingOrder::new(&lines, &PAGES);
    let (columns, _) = Columns::announced(&order, 0, true).unwrap();
    let cells = columns.cells(plain_words(&order, order.rows[1].clone()));
    let unit = cells.iter().find(|cell| cell.column == Column::Unit).map(|cell| cell.words[0].text);
    assert_eq!((unit, cells[0].words.len()), (Some("Keg"), 2));
}

#[test]
fn a_docket_has_goods_without_prices() {
    let rows: [(f32, Row); 3] = [
        (0.0, &[(0.0, "Item Description"), (500.0, "Qty")]),
        (30.0, &[(0.0, "STOUT 50L KEG"), (500.0, "2")]),
        (60.0, &[(0.0, "CIDER 12x500ML"), (500.0, "10")]),
    ];
    assert_eq!(read_at(&rows, 0..3, false), ["- | STOUT 50L KEG | 2 | - | - | -", "- | CIDER 12x500ML | 10 | - | - | -"]);
    assert!(read_at(&rows, 0..3, true).is_empty());
}
