//! What stands beside descriptions and is none of their words.

use super::*;

#[test]
fn days_packs_and_batches_are_no_words_of_a_description() {
    let captions: Row = &[(0.0, "Item"), (500.0, "Qty"), (600.0, "Each"), (700.0, "Total")];
    for (row, expected) in [
        (&[(0.0, "Napkin"), (300.0, "24"), (500.0, "24"), (600.0, "2.00"), (700.0, "48.00")][..], "Napkin"),
        (&[(0.0, "Red Ale"), (300.0, "50 L"), (500.0, "24"), (600.0, "2.00"), (700.0, "48.00")], "Red Ale"),
        (&[(0.0, "Beef mince — lot 0415"), (500.0, "24"), (600.0, "2.00"), (700.0, "48.00")], "Beef mince"),
        (&[(0.0, "Shanks — IE 2214 · lot 0419"), (500.0, "24"), (600.0, "2.00"), (700.0, "48.00")], "Shanks"),
        (&[(0.0, "Shanks - IE 2214 lot 0419"), (500.0, "24"), (600.0, "2.00"), (700.0, "48.00")], "Shanks"),
        (&[(0.0, "Chorizo (L. 0503)"), (500.0, "24"), (600.0, "2.00"), (700.0, "48.00")], "Chorizo"),
        (&[(0.0, "A lot 40 of us"), (500.0, "24"), (600.0, "2.00"), (700.0, "48.00")], "A lot 40 of us"),
        (&[(0.0, "Area 51"), (500.0, "24"), (600.0, "2.00"), (700.0, "48.00")], "Area 51"),
    ] {
        assert_eq!(read(&[captions, row], 1..2), [format!("- | {expected} | 24 | 2.00 | - | 48.00")], "{row:?}");
    }
}

#[test]
fn codes_in_brackets_stand_before_descriptions_or_behind_them() {
    let captions: Row = &[(0.0, "Item"), (500.0, "Qty"), (600.0, "Each"), (700.0, "Total")];
    for (text, expected) in [
        ("[KEG30] Pale Ale", "KEG30 | Pale Ale"),
        ("Pale Ale [KEG30]", "KEG30 | Pale Ale"),
        ("Pale Ale [new] 30L", "- | Pale Ale [new] 30L"),
    ] {
        let row: Row = &[(0.0, text), (500.0, "24"), (600.0, "2.00 €/ud"), (700.0, "48.00")];
        assert_eq!(read(&[captions, row], 1..2), [format!("{expected} | 24 | 2.00 | - | 48.00")], "{text}");
    }
}

#[test]
fn numbers_that_end_below_each_other_are_of_one_column() {
    // The captions begin where their columns do; 7.20 stands nearer to the next one.
    let captions: Row = &[(0.0, "Item"), (300.0, "Qty"), (400.0, "Each"), (515.0, "Net"), (610.0, "VAT")];
    let read = read(
        &[
            captions,
            &[(0.0, "Red Ale"), (300.0, "2"), (400.0, "142.56"), (540.0, "285.12"), (610.0, "1")],
            &[(0.0, "Stout"), (300.0, "4"), (400.0, "143.00"), (540.0, "572.00"), (610.0, "1")],
            &[(0.0, "Lager"), (300.0, "3"), (400.0, "100.00"), (540.0, "300.00"), (610.0, "1")],
            &[(0.0, "Tonic"), (300.0, "6"), (400.0, "1.20"), (560.0, "7.20"), (610.0, "1")],
        ],
        1..5,
    );
    assert_eq!(read.len(), 4, "{read:?}");
    assert_eq!(read[3], "- | Tonic | 6 | 1.20 | - | 7.20");
}

#[test]
fn a_bare_amount_below_goods_hides_no_description_below_its_numbers() {
    let read = read(
        &[
            &[(0.0, "Item"), (100.0, "Material"), (500.0, "Quantity"), (600.0, "Price"), (700.0, "Value")],
            &[(0.0, "10"), (100.0, "100482"), (500.0, "2.000"), (600.0, "13.84"), (700.0, "27.68")],
            &[(100.0, "CHIPS STEAK CUT")],
            &[(0.0, "20"), (100.0, "103377"), (500.0, "3.000"), (600.0, "7.26"), (700.0, "21.78")],
            &[(100.0, "GOUJONS 1KG")],
            &[(400.0, "S1 20.00 % on 48.28"), (700.0, "9.66")],
        ],
        1..5,
    );
    assert_eq!(read, ["100482 | CHIPS STEAK CUT | 2.000 | 13.84 | - | 27.68", "103377 | GOUJONS 1KG | 3.000 | 7.26 | - | 21.78"]);
}
