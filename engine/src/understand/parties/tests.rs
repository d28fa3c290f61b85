use super::*;
use crate::text::{PageSize, TextLine};
use crate::understand::candidates::Kind;
use crate::understand::labels::Tag;
use crate::understand::runs;
use crate::understand::testing::line;

/// Lines one below the other (empty ones are gaps), and what the network believes of some runs: lines, supplier's name, customer's name.
fn best(texts: &[&str], believed: &[(&[usize], f32, f32)]) -> [Option<String>; 2] {
    let line = |(i, text): (usize, &&str)| line(0.0, 30.0 * i as f32, 200.0, text);
    let lines: Vec<TextLine> = texts.iter().enumerate().filter(|(_, text)| !text.is_empty()).map(line).collect();
    let pages = [PageSize { width: 600, height: 600 }];
    let order = ReadingOrder::new(&lines, &pages);
    let runs = runs::find(&order);
    let belief = |run: &Run| believed.iter().find(|(lines, ..)| *lines == run.lines).map_or([0.0; 3], |(_, s, c)| [*s, 0.0, *c]);
    let mut beliefs = Beliefs {
        tags: vec![[0.0; Tag::COUNT]; lines.len()],
        roles: Vec::new(),
        runs: runs.iter().map(belief).collect(),
        types: [0.0; DOCUMENT_TYPES.len()],
    };
    weigh(&order, &[], &runs, &mut beliefs);
    [BlockField::SupplierName, BlockField::CustomerName].map(|field| {
        let sum: f32 = beliefs.runs.iter().map(|run| run[field as usize]).sum();
        assert!(sum <= 1.0 + 1e-5, "{sum}");
        let best = beliefs.likeliest_run(field)?;
        (beliefs.runs[best][field as usize] > 0.0).then(|| print(&order, &runs[best].lines))
    })
}

fn some(names: [&str; 2]) -> [Option<String>; 2] {
    names.map(|name| (!name.is_empty()).then(|| name.to_string()))
}

#[test]
fn captions_tell_seller_and_buyer() {
    let page = ["Verkäufer:", "Rohstoff AG", "Käufer:", "Metallbau KG"];
    assert_eq!(best(&page, &[(&[1], 0.3, 0.6), (&[3], 0.6, 0.3)]), some(["Rohstoff AG", "Metallbau KG"]));
    assert_eq!(best(&page[..2], &[(&[1], 0.3, 0.6)])[0].as_deref(), Some("Rohstoff AG"));
    let no_captions = ["Seller information", "Rohstoff AG", "page", "Metallbau KG"];
    assert_eq!(best(&no_captions, &[(&[1], 0.3, 0.6), (&[3], 0.6, 0.3)]), some(["Metallbau KG", "Rohstoff AG"]));
}

#[test]
fn nobody_sells_to_himself() {
    let page = ["Acme Wines Ltd", "Invoice", "The Harbour Bar", "Acme Wines Ltd"];
    assert_eq!(best(&page, &[(&[0], 0.8, 0.0), (&[3], 0.1, 0.5), (&[2], 0.0, 0.3)]), some(["Acme Wines Ltd", "The Harbour Bar"]));
    assert_eq!(best(&page[..2], &[(&[0], 0.6, 0.7)])[0].as_deref(), Some("Acme Wines Ltd"));
}

#[test]
fn a_company_below_its_brand_is_the_supplier() {
    let kiku = ["KIKU JAPANESE RESTAURANT", "TK DIVISION KITCHEN SDN BHD"];
    assert_eq!(best(&kiku, &[(&[0, 1], 0.7, 0.0), (&[1], 0.3, 0.0)])[0].as_deref(), Some("TK DIVISION KITCHEN SDN BHD"));
    let coffee = ["THE COFFEE BEAN", "& TEA LEAF (M) SDN. BHD."];
    assert_eq!(best(&coffee, &[(&[0, 1], 0.7, 0.0), (&[1], 0.3, 0.0)])[0].as_deref(), Some("THE COFFEE BEAN & TEA LEAF (M) SDN. BHD."));
    let pintar = ["PASARAYA BORONG PINTAR", "SDN BHD"];
    assert_eq!(best(&pintar, &[(&[0, 1], 0.3, 0.0), (&[1], 0.7, 0.0)])[0].as_deref(), Some("PASARAYA BORONG PINTAR SDN BHD"));
}

#[test]
fn a_trade_or_an_article_is_half_a_name() {
    for (page, name) in [(["WESTERN EASTERN", "STATIONERY SDN. BHD"], 1), (["THE", "BAKERS"], 0), (["GREEN", "TRADING CO"], 1)] {
        let believed: [(&[usize], _, _); 2] = [(&[name], 0.7, 0.0), (&[0, 1], 0.2, 0.0)];
        assert_eq!(best(&page, &believed)[0].as_deref(), Some(page.join(" ").as_str()));
    }
    let store = ["THE STORE (MALAYSIA) SDN BHD", "KUALA LUMPUR"];
    assert_eq!(best(&store, &[(&[0], 0.7, 0.0), (&[0, 1], 0.2, 0.0)])[0].as_deref(), Some(store[0]));
}

#[test]
fn a_paragraph_below_a_caption_is_the_name() {
    let block =
        ["Verkäufer:", "Nummer", "MVM Muster", "Verein a.G.", "", "Musterstr. 12", "Käufer:", "Kunden-Nr. 17", "Max Muster", "", "Weg 3"];
    assert_eq!(best(&block, &[(&[3], 0.9, 0.0)]), some(["MVM Muster Verein a.G.", "Max Muster"]));
    let numbered = ["Verkäufer:", "Globale Nummer: 123 (GTIN)", "MVM Muster", "", "Musterstr. 12"];
    assert_eq!(best(&numbered, &[(&[1], 0.9, 0.0)])[0].as_deref(), Some("MVM Muster"));
    let close = ["Verkäufer:", "Rohstoff AG", "Abteilung Erz", "Weg 3"];
    assert_eq!(best(&close, &[(&[1], 0.6, 0.0), (&[1, 2], 0.3, 0.0)])[0].as_deref(), Some("Rohstoff AG"));
}

#[test]
fn a_vat_number_belongs_to_the_party_whose_block_it_stands_in() {
    let text = |left: f32, top: f32, text: &str| line(left, top, 150.0, text);
    let lines = [
        text(0.0, 0.0, "The Anchor"),
        text(300.0, 0.0, "Acme Wines Ltd"),
        text(0.0, 30.0, "VAT IE3320958BL"),
        text(300.0, 30.0, "VAT no."),
        text(460.0, 30.0, "IE9716402BA"),
    ];
    let pages = [PageSize { width: 800, height: 600 }];
    let order = ReadingOrder::new(&lines, &pages);
    let runs = runs::find(&order);
    let at = |text: &str| order.lines.iter().position(|line| line.text == text).unwrap();
    let belief = |run: &Run| [f32::from(run.lines == [at("Acme Wines Ltd")]), 0.0, f32::from(run.lines == [at("The Anchor")])];
    let role = Role::SupplierVatId as usize;
    let mut beliefs = Beliefs {
        tags: Vec::new(),
        roles: vec![[0.0; Role::COUNT]; 2],
        runs: runs.iter().map(belief).collect(),
        types: [0.0; DOCUMENT_TYPES.len()],
    };
    [beliefs.roles[0][role], beliefs.roles[1][role]] = [0.7, 0.2];
    let candidate = |line| Candidate { kind: Kind::TaxNumber, line, range: 0..1, value: 0 };
    let prints: Vec<String> = runs.iter().map(|run| print(&order, &run.lines)).collect();
    let owners = owners(&order, &runs, &prints, vec![None; order.lines.len()], &beliefs);
    weigh_vat_ids(&order, &[candidate(at("VAT IE3320958BL")), candidate(at("IE9716402BA"))], &owners, &mut beliefs);
    assert_eq!(beliefs.roles[0][role], RULED_OUT);
    assert!(beliefs.roles[1][role] > 0.5, "{:?}", beliefs.roles);
}

#[test]
fn a_salutation_is_no_name() {
    assert_eq!(best(&["Herrn", "Max Mustermann"], &[(&[0], 0.0, 1.0)])[1].as_deref(), Some("Herrn Max Mustermann"));
    let letter = ["Herrn", "Max Mustermann"];
    assert_eq!(best(&letter, &[(&[0], 0.0, 0.7), (&[0, 1], 0.0, 0.2)])[1].as_deref(), Some("Herrn Max Mustermann"));
}

#[test]
fn where_goods_were_brought_is_nobodys_name_unless_nobody_else_buys() {
    let page = ["Invoice to", "R J Trembath", "Deliver to", "Polsue Barn"];
    assert_eq!(best(&page, &[(&[1], 0.0, 0.2), (&[3], 0.0, 0.7)])[1].as_deref(), Some("R J Trembath"));
    assert_eq!(best(&page[2..], &[(&[1], 0.0, 0.5)])[1].as_deref(), Some("Polsue Barn"));
}

#[test]
fn a_list_names_a_party_behind_its_caption() {
    let text = |left: f32, top: f32, text: &str| line(left, top, 150.0, text);
    let lines = [
        text(0.0, 0.0, "Customer"),
        text(300.0, 0.0, "Marchbank Taverns"),
        text(0.0, 30.0, "Invoice Number"),
        text(300.0, 30.0, "NE-06613"),
        text(0.0, 60.0, "Amount Enclosed"),
    ];
    let pages = [PageSize { width: 800, height: 600 }];
    let order = ReadingOrder::new(&lines, &pages);
    let parties = Captions::of(&order).parties(&order);
    let buyers: Vec<&str> =
        (0..lines.len()).filter(|line| parties[*line] == Some(Party::Buyer)).map(|line| order.lines[line].text.as_str()).collect();
    assert_eq!(buyers, ["Marchbank Taverns"]);
}

#[test]
fn a_name_in_two_rows_is_whole() {
    let window = |first: &str, second: &str| {
        best(&["Bill to", first, second, "12 Main Street", "Dublin 4"], &[(&[1], 0.0, 0.6), (&[2], 0.0, 0.3)])[1].clone()
    };
    for (first, second, name) in [
        ("Hotel De", "Ooievaar B.V.", "Hotel De Ooievaar B.V."),
        ("Burgerladen Konstanz", "GmbH & Co. KG", "Burgerladen Konstanz GmbH & Co. KG"),
        ("The Anchor", "Murphy Catering Supplies Ltd", "Murphy Catering Supplies Ltd"),
        ("Fern Wine Bar", "3a High Street", "Fern Wine Bar"),
    ] {
        assert_eq!(window(first, second).as_deref(), Some(name));
    }
}

#[test]
fn who_prints_an_account_to_pay_to_is_no_customer() {
    let page = ["VERS", "", "Wolbers B.V.", "Marktstraat 61", "Bankrekening", "NL39 VE00 0417 1643 00", "", "Café De Waag"];
    assert_eq!(best(&page, &[(&[1], 0.1, 0.6), (&[0], 0.7, 0.0), (&[5], 0.0, 0.3)])[1].as_deref(), Some("Café De Waag"));
}

#[test]
fn a_name_goes_on_in_the_next_row() {
    for (page, name) in [
        (&["Kettle", "& Pike"][..], "Kettle & Pike"),
        (&["Silva Foods Ltd t/a The", "Painted Barrel"], "Silva Foods Ltd t/a The Painted Barrel"),
        (&["Ballycroy", "DRINKS DISTRIBUTORS LTD"], "Ballycroy DRINKS DISTRIBUTORS LTD"),
    ] {
        assert_eq!(best(page, &[(&[0], 0.0, 0.9)])[1].as_deref(), Some(name));
    }
}

#[test]
fn the_only_tax_number_is_the_sellers_wherever_it_stands() {
    let lines = [line(0.0, 0.0, 200.0, "The Anchor"), line(0.0, 30.0, 200.0, "VAT IE3320958BL")];
    let order = ReadingOrder::new(&lines, &[PageSize { width: 600, height: 600 }]);
    let candidate = Candidate { kind: Kind::TaxNumber, line: 1, range: 4..15, value: 0 };
    let believed = |belief: f32| {
        let mut roles = [0.0; Role::COUNT];
        roles[Role::SupplierVatId as usize] = belief;
        let mut beliefs = Beliefs { tags: Vec::new(), roles: vec![roles], runs: Vec::new(), types: [0.0; DOCUMENT_TYPES.len()] };
        weigh_vat_ids(&order, std::slice::from_ref(&candidate), &[Some(Party::Buyer); 2], &mut beliefs);
        beliefs.roles[0][Role::SupplierVatId as usize]
    };
    assert!(believed(0.95) > 0.9 && believed(0.6) <= 0.0);
}
