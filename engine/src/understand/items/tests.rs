mod beside_descriptions;
mod unknown_captions;

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
    items(&order, &beliefs, priced, &[]).0.iter().map(|item| columns.map(|column| cell(item, column)).join(" | ")).collect()
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

#[test]
fn numbers_below_a_caption_are_codes_or_positions() {
    let of_numbers = read(
        &[
            &[(0.0, "No."), (120.0, "Description"), (500.0, "Quantity"), (650.0, "Unit Price"), (850.0, "Amount")],
            &[(120.0, "Shipment No. SS-118402 / 24-02-26")],
            &[(0.0, "1000417"), (120.0, "Degreaser"), (530.0, "12"), (690.0, "8.42"), (850.0, "101.04")],
            &[(0.0, "CO2-635"), (120.0, "Cellar gas"), (530.0, "2"), (690.0, "19.80"), (850.0, "39.60")],
            &[(120.0, "Shipment No. SS-118571 / 02-03-26")],
            &[(0.0, "LPG-47"), (120.0, "Propane"), (530.0, "1"), (690.0, "96.25"), (850.0, "96.25")],
        ],
        1..6,
    );
    assert_eq!(
        of_numbers,
        [
            "1000417 | Degreaser | 12 | 8.42 | - | 101.04",
            "CO2-635 | Cellar gas | 2 | 19.80 | - | 39.60",
            "LPG-47 | Propane | 1 | 96.25 | - | 96.25"
        ]
    );
    let of_items = read(
        &[
            &[(0.0, "Item"), (120.0, "Material/Description"), (500.0, "Quantity"), (650.0, "Price"), (850.0, "Value")],
            &[(0.0, "000110"), (120.0, "40071822"), (530.0, "14"), (690.0, "56.86"), (850.0, "796.04")],
            &[(120.0, "CROWN CAP GOLD")],
            &[(0.0, "000120"), (120.0, "40071840"), (530.0, "22"), (690.0, "68.45"), (850.0, "1,505.90")],
            &[(120.0, "CROWN CAP PRINTED IN FOUR COLOURS, LITHOGRAPHED")],
        ],
        1..5,
    );
    assert_eq!(
        of_items,
        [
            "40071822 | CROWN CAP GOLD | 14 | 56.86 | - | 796.04",
            "40071840 | CROWN CAP PRINTED IN FOUR COLOURS, LITHOGRAPHED | 22 | 68.45 | - | 1,505.90"
        ]
    );
}

#[test]
fn discounts_have_a_rate_and_an_amount_or_are_off_each() {
    let discounted = read(
        &[
            &[
                (0.0, "Details"),
                (300.0, "Qty"),
                (400.0, "Price"),
                (480.0, "Disc %"),
                (570.0, "Disc Amount"),
                (720.0, "Net Amount"),
                (860.0, "VAT"),
            ],
            &[(0.0, "Hot cups"), (300.0, "2"), (400.0, "41.50"), (480.0, "10.00"), (620.0, "8.30"), (760.0, "74.70"), (860.0, "17.18")],
        ],
        1..2,
    );
    assert_eq!(discounted, ["- | Hot cups | 2 | 41.50 | - | 74.70"]);
    let off_each = read(
        &[
            &[(0.0, "Product"), (300.0, "Qty"), (380.0, "Litres"), (480.0, "List €"), (600.0, "Trade disc."), (800.0, "Goods €")],
            &[(0.0, "Pale Ale"), (300.0, "3"), (380.0, "150.0"), (490.0, "172.50"), (640.0, "14.00"), (800.0, "475.50")],
        ],
        1..2,
    );
    assert_eq!(off_each, ["- | Pale Ale | 3 | 172.50 | - | 475.50"]);
}

#[test]
fn codes_stand_within_descriptions_or_below_them() {
    let captions: Row = &[(0.0, "Omschrijving"), (500.0, "Aantal"), (650.0, "Prijs"), (850.0, "Bedrag")];
    let within = read(&[captions, &[(0.0, "Terraspot Capri (art. 440118)"), (510.0, "2"), (660.0, "9,50"), (860.0, "19,00")]], 1..2);
    assert_eq!(within, ["440118 | Terraspot Capri | 2 | 9,50 | - | 19,00"]);
    let below = read(
        &[
            &[(0.0, "CONCEPTO"), (400.0, "PRECIO"), (520.0, "UNIDADES"), (640.0, "SUBTOTAL"), (750.0, "IVA"), (850.0, "TOTAL")],
            &[(0.0, "Queso manchego"), (400.0, "38,90 €"), (550.0, "6"), (650.0, "233,40 €"), (750.0, "4 %"), (850.0, "242,74 €")],
            &[(0.0, "Ref. QMAN-3M - Lote Q8841")],
        ],
        1..3,
    );
    assert_eq!(below, ["QMAN-3M | Queso manchego | 6 | 38,90 | 4 % | 233,40"]);
}

#[test]
fn titles_and_headings_are_no_captions_and_numbers_of_items_no_descriptions() {
    let captions: Row = &[(0.0, "Service"), (300.0, "Period"), (520.0, "Units"), (620.0, "Rate €"), (800.0, "Charge ex VAT €")];
    let rows: [(f32, Row); 4] = [
        (60.0, captions),
        (90.0, &[(0.0, "Mobile and fixed line telephones")]),
        (120.0, &[(0.0, "Static address"), (300.0, "01 Mar - 31 Mar"), (530.0, "2"), (620.0, "5.00"), (860.0, "10.00")]),
        (150.0, &[(0.0, "Handset rental"), (300.0, "01 Mar - 31 Mar"), (530.0, "4"), (620.0, "3.75"), (860.0, "15.00")]),
    ];
    assert_eq!(read_at(&rows, 0..4, true), ["- | Static address | 2 | 5.00 | - | 10.00", "- | Handset rental | 4 | 3.75 | - | 15.00"]);
    let counted = read(
        &[
            &[(0.0, "Leistung"), (500.0, "Menge"), (650.0, "EP in €"), (850.0, "Betrag")],
            &[(0.0, "A.1 Bretter"), (500.0, "38,5"), (650.0, "14,80"), (850.0, "569,80")],
            &[(0.0, "A.2 Schrauben"), (500.0, "3"), (650.0, "31,90"), (850.0, "95,70")],
            &[(0.0, "B.1 Montage"), (500.0, "6"), (650.0, "18,40"), (850.0, "110,40")],
        ],
        1..4,
    );
    assert_eq!(
        counted,
        ["- | Bretter | 38,5 | 14,80 | - | 569,80", "- | Schrauben | 3 | 31,90 | - | 95,70", "- | Montage | 6 | 18,40 | - | 110,40"]
    );
}

#[test]
fn codes_of_vat_are_explained_by_the_summary_or_by_a_line() {
    let captions: Row = &[(0.0, "Goods"), (400.0, "Qty"), (500.0, "Price"), (700.0, "Net"), (850.0, "VAT")];
    let summary = |rows: &[Row]| -> Vec<String> {
        let goods: [Row; 3] = [
            captions,
            &[(0.0, "Apple juice"), (410.0, "2"), (500.0, "3.00"), (700.0, "6.00"), (860.0, "A")],
            &[(0.0, "Wholemeal loaf"), (410.0, "4"), (500.0, "1.50"), (700.0, "6.00"), (860.0, "Z")],
        ];
        read(&goods.into_iter().chain(rows.iter().copied()).collect::<Vec<_>>(), 1..3)
    };
    let expected = ["- | Apple juice | 2 | 3.00 | A | 6.00", "- | Wholemeal loaf | 4 | 1.50 | Z | 6.00"];
    let table: [Row; 3] = [
        &[(0.0, "Code"), (200.0, "Rate"), (400.0, "Net"), (700.0, "VAT amount")],
        &[(0.0, "A"), (200.0, "23.00%"), (400.0, "6.00"), (700.0, "1.38")],
        &[(0.0, "Z"), (200.0, "0.00%"), (400.0, "6.00"), (700.0, "0.00")],
    ];
    assert_eq!(summary(&table), expected);
    assert_eq!(summary(&[&[(0.0, "A = 23 % VAT, Z = zero rated")]]), expected);
    let unexplained = ["- | Apple juice | 2 | 3.00 | - | 6.00", "- | Wholemeal loaf | 4 | 1.50 | - | 6.00"];
    assert_eq!(summary(&[&[(0.0, "Thank you")]]), unexplained, "nothing says what the letters mean");
}

#[test]
fn codes_below_descriptions_and_numbers_within_them() {
    let below = read(
        &[
            &[(0.0, "Product / code"), (500.0, "Quantity"), (700.0, "Rate"), (850.0, "Net amount")],
            &[(0.0, "Arborio rice 5kg"), (510.0, "15.00"), (700.0, "14.09"), (850.0, "211.35")],
            &[(0.0, "H26/28")],
            &[(0.0, "Lot 44307")],
            &[(0.0, "Rapeseed oil 10L"), (510.0, "4.00"), (700.0, "23.94"), (850.0, "95.76")],
            &[(0.0, "L96/52")],
        ],
        1..6,
    );
    assert_eq!(below, ["H26/28 | Arborio rice 5kg | 15.00 | 14.09 | - | 211.35", "L96/52 | Rapeseed oil 10L | 4.00 | 23.94 | - | 95.76"]);
    let within = read(
        &[
            &[(0.0, "Description"), (700.0, "Price"), (850.0, "Amount")],
            &[(0.0, "-3 Ginger cordial"), (700.0, "31.20"), (850.0, "-93.60")],
            &[(0.0, "[KEG-30] Stout"), (700.0, "96.50"), (850.0, "96.50")],
        ],
        1..3,
    );
    assert_eq!(within, ["- | Ginger cordial | -3 | 31.20 | - | -93.60", "KEG-30 | Stout | - | 96.50 | - | 96.50"]);
}

#[test]
fn one_column_of_amounts_holds_totals_if_their_sum_is_printed() {
    let rows = |sum: &'static str| -> Vec<String> {
        let rows: [Row; 4] = [
            &[(0.0, "Work done"), (500.0, "Quantity"), (850.0, "Price")],
            &[(0.0, "Autumn menu"), (510.0, "250"), (850.0, "318.00")],
            &[(0.0, "Business cards"), (510.0, "100"), (850.0, "142.50")],
            &[(700.0, "Net"), (850.0, sum)],
        ];
        read(&rows, 1..3)
    };
    assert_eq!(rows("460.50"), ["- | Autumn menu | 250 | - | - | 318.00", "- | Business cards | 100 | - | - | 142.50"]);
    assert_eq!(rows("93,750.00"), ["- | Autumn menu | 250 | 318.00 | - | -", "- | Business cards | 100 | 142.50 | - | -"]);
}
