//! Tables whose captions say too little, too much, or something else.

use super::*;

#[test]
fn arithmetic_tells_columns_that_captions_do_not() {
    let unknown = read(
        &[
            &[(0.0, "Bin"), (100.0, "Vintage"), (200.0, "Wine"), (500.0, "cl"), (600.0, "Bottles"), (720.0, "per bottle"), (900.0, "£")],
            &[(0.0, "W214"), (100.0, "2024"), (200.0, "Saint-Veran"), (500.0, "75"), (630.0, "12"), (760.0, "11.40"), (880.0, "136.80")],
            &[(200.0, "Burgundy, France")],
            &[
                (0.0, "W087"),
                (100.0, "2025"),
                (200.0, "Picpoul de Pinet"),
                (500.0, "75"),
                (630.0, "24"),
                (770.0, "7.15"),
                (880.0, "171.60"),
            ],
            &[(0.0, "S015"), (100.0, "2023"), (200.0, "Fleurie"), (500.0, "75"), (640.0, "6"), (760.0, "12.70"), (890.0, "76.20")],
        ],
        1..5,
    );
    let wines = [
        "W214 | Saint-Veran | 12 | 11.40 | - | 136.80",
        "W087 | Picpoul de Pinet | 24 | 7.15 | - | 171.60",
        "S015 | Fleurie | 6 | 12.70 | - | 76.20",
    ];
    assert_eq!(unknown, wines);
    // Goods that are credited are no amounts, and of a credit's amounts the last is the total.
    let credit = read(
        &[
            &[(0.0, "Our invoice"), (150.0, "Reason"), (350.0, "Goods credited"), (600.0, "Qty"), (700.0, "@"), (800.0, "Credit Tax")],
            &[
                (0.0, "41877"),
                (150.0, "Not delivered"),
                (350.0, "Vine tomatoes, the first crop"),
                (610.0, "3"),
                (690.0, "11.80"),
                (800.0, "35.40"),
            ],
            &[(0.0, "41902"), (150.0, "Wrong"), (350.0, "Rooster potatoes, washed"), (610.0, "2"), (690.0, "14.40"), (800.0, "28.80")],
        ],
        1..3,
    );
    assert_eq!(
        credit,
        ["41877 | Vine tomatoes, the first crop | 3 | 11.80 | - | 35.40", "41902 | Rooster potatoes, washed | 2 | 14.40 | - | 28.80"]
    );
}

#[test]
fn another_table_begins_within_one_where_its_rows_prove_it() {
    let empties = read(
        &[
            &[(0.0, "Code"), (100.0, "Description"), (500.0, "Qty"), (700.0, "Price"), (850.0, "Amount")],
            &[(0.0, "B120"), (100.0, "Blonde"), (510.0, "4"), (700.0, "28.80"), (850.0, "115.20")],
            &[(0.0, "EMPTIES"), (300.0, "Out"), (400.0, "In"), (500.0, "Left"), (700.0, "Price"), (780.0, "VAT"), (850.0, "Amount")],
            &[(0.0, "Crate of 24"), (310.0, "7"), (410.0, "2"), (510.0, "5"), (700.0, "4.50"), (780.0, "0 %"), (850.0, "22.50")],
            &[(0.0, "Keg of 30"), (310.0, "3"), (410.0, "1"), (510.0, "2"), (700.0, "37.50"), (780.0, "0 %"), (850.0, "75.00")],
        ],
        1..5,
    );
    assert_eq!(
        empties,
        ["B120 | Blonde | 4 | 28.80 | - | 115.20", "- | Crate of 24 | 5 | 4.50 | 0 % | 22.50", "- | Keg of 30 | 2 | 37.50 | 0 % | 75.00"]
    );
}

#[test]
fn rates_of_codes_follow_from_their_tax_and_stacked_numbers_are_codes() {
    let coded = read(
        &[
            &[(0.0, "Item"), (100.0, "Material"), (500.0, "Qty"), (600.0, "Price"), (700.0, "Disc. Tax"), (850.0, "Value")],
            &[(100.0, "Description"), (500.0, "UoM"), (590.0, "per unit"), (720.0, "% code"), (850.0, "EUR")],
            &[(0.0, "000010"), (100.0, "110214"), (510.0, "4"), (600.0, "150.00"), (700.0, "5.0"), (750.0, "S"), (850.0, "570.00")],
            &[(100.0, "Red ale, a keg")],
            &[(0.0, "000020"), (100.0, "110220"), (510.0, "6"), (600.0, "10.00"), (750.0, "R"), (850.0, "60.00")],
            &[(100.0, "Kiln dried logs")],
            &[(0.0, "Code"), (100.0, "Description"), (400.0, "Rate"), (600.0, "Net Value"), (800.0, "VAT Value")],
            &[(0.0, "S"), (100.0, "Standard rate"), (400.0, "20.00"), (600.0, "570.00"), (800.0, "114.00")],
            &[(0.0, "R"), (100.0, "Reduced rate"), (400.0, "5.00"), (600.0, "60.00"), (800.0, "3.00")],
        ],
        2..6,
    );
    assert_eq!(coded, ["110214 | Red ale, a keg | 4 | 150.00 | S | 570.00", "110220 | Kiln dried logs | 6 | 10.00 | R | 60.00"]);
}

#[test]
fn captions_of_a_documents_own_numbers_are_no_table_of_goods() {
    let read = read(
        &[
            &[(0.0, "Invoice No"), (200.0, "Del. Docket"), (400.0, "Price list"), (700.0, "Date of supply")],
            &[(0.0, "Date/Tax Point"), (300.0, "Despatched"), (500.0, "Ship Via"), (850.0, "POD No.")],
            &[(0.0, "QTY Item No"), (300.0, "Goods / Services"), (600.0, "List Price"), (850.0, "Total")],
            &[(0.0, "2"), (100.0, "PAP967"), (300.0, "Paper carrier bags"), (650.0, "32.17"), (850.0, "64.34")],
            &[(0.0, "24"), (100.0, "PIZ924"), (300.0, "Pizza boxes, plain"), (650.0, "15.93"), (850.0, "382.32")],
        ],
        3..5,
    );
    assert_eq!(read, ["PAP967 | Paper carrier bags | 2 | 32.17 | - | 64.34", "PIZ924 | Pizza boxes, plain | 24 | 15.93 | - | 382.32"]);
}
