//! An invoice that has something of everything, to be read before the first real one comes.

use crate::geometry::Quad;
use crate::text::{PageSize, TextLine};

const PAGE: PageSize = PageSize { width: 1240, height: 1754 };
/// Pixels a character and a row, and the height of a line.
const CHARACTER: f32 = 10.0;
const ROW: f32 = 40.0;
const HEIGHT: f32 = 24.0;
/// Where columns begin: as `|` parts the cells of a row.
const COLUMNS: [f32; 6] = [60.0, 200.0, 620.0, 740.0, 880.0, 1060.0];

const ROWS: [&str; 24] = [
    "Specimen Wines Ltd t/a The Specimen",
    "1 High Street, Galway, H91 AB12||Tel: 091 555 0100",
    "www.specimen.example||VAT No: IE6388047V",
    "INVOICE",
    "Invoice to:||Invoice No: INV-1001",
    "Mr John Doe||Invoice date: 12/03/2026",
    "The Harbour Bar GmbH||Due date: 11 April 2026",
    "2 Quay Street||Your order: PO 77",
    "Dublin 2||Week ending 12.03.2026",
    "Code|Description|Qty|Price|VAT|Amount",
    "A100|Stout 50L Keg|2|120.00|23%|240.00",
    "A200|Lager 24x33cl|3|18.50|23%|55.50",
    "|Lot: L-4411 best before 01.12.2026",
    "A300|Tea 2 x 1.5kg @ 4.00|1|8.00|A|8.00",
    "|Delivery note 8812 of 10/03/2026",
    "|||Carried forward||303.50",
    "VAT rate|Net||VAT||Gross",
    "23%|295.50||67.97||363.47",
    "A = 0%|8.00||0.00||8.00",
    "|||Total excl. VAT||303.50",
    "|||VAT 23%||67.97",
    "|||Total EUR||371.47",
    "Payment by direct debit will be taken on 11 April 2026, 30 days net.",
    "IBAN: IE29 AIBK 9311 5212 3456 78 Company registration no. 123456",
];

pub(super) fn lines() -> (Vec<TextLine>, [PageSize; 1]) {
    let cells = |(y, row): (usize, &'static str)| {
        let cells = row.split('|').zip(COLUMNS).filter(|(text, _)| !text.is_empty());
        cells.map(move |(text, left)| {
            let top = 60.0 + y as f32 * ROW;
            let quad = Quad::from_edges(left, top, left + CHARACTER * text.chars().count() as f32, top + HEIGHT);
            TextLine { page: 0, quad, text: text.into(), confidence: 1.0 }
        })
    };
    (ROWS.into_iter().enumerate().flat_map(cells).collect(), [PAGE])
}
