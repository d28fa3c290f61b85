//! Names and addresses: blocks of whole lines, cut where a registration number or a telephone begins.

use crate::pattern::pattern;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::beliefs::Beliefs;
use super::companies::letters;
use super::decode::characters;
use super::draft::Span;
use super::keywords::{Keyword, KeywordSet};
use super::labels::BlockField;
use super::legal_form;
use super::letters;
use super::rows::{ReadingOrder, around, part_of};
use super::runs::Run;
use crate::text::all_right;

/// A less probable block is none.
const PROBABILITY_MIN: f32 = 0.02;

/// Blocks a field: the best, and the best without its lines.
const BLOCKS_MAX: usize = 3;

/// A name is not cut shorter than this many characters.
const NAME_CHARACTERS_MIN: usize = 3;

/// From here on a line no longer is the supplier's name: registration numbers, owners.
static AFTER_NAME: LazyLock<Regex> = LazyLock::new(|| {
    let number = r"(?:NO\.?:? ?)?(?:\b[A-Z]{2}\d{6,}|\d{4,9} ?-? ?[A-Z]|\b\d{10,12})\b";
    let word = r"\b(?:(?:CO(?:MPANY)?\.? ?)?REG(?:ISTRATION)?\.? ?(?:NO|:)|CO(?:MPANY)?\.? ?NO\b|ROC\b|OWN(?:ED)? BY|AU CAPITAL|REGISTERED (?:IN|OFFICE)|[-–—] SITZ\b|AMTSGERICHT|RCS\b|SIRE[TN]\b|GST\b|VAT (?:NO|REG)|(?:[-–—·] )?(?:C\.?I\.?F|N\.?I\.?F|P\.? ?IVA|KVK)\b)";
    pattern(&format!(r"(?i)\s*[(\[]?\s*(?:{number}|{word}).*$"))
});

/// What stands before the name of who owns a shop, sends a bill or is paid.
pub(super) static BEFORE_NAME: LazyLock<Regex> = LazyLock::new(|| {
    let owned = r"DIMIL\w{1,3}KI(?: OLEH)?|OWN(?:ED|ER)?(?: (?:&|AND) (?:OPERATED|MANAGED))? BY|PROPRIETORS?|(?:GOODS|TITLE) REMAINS? (?:THE PROPERTY OF|WITH)|OPERATED BY|MANAGED BY";
    let sent = r"(?:new )?(?:bill|invoice) from|(?:issued|sent|supplied|fulfilled) by|(?:please )?(?:make )?(?:pay(?:ments?)?|cheques?|remittances?) (?:payable )?to|compte ouvert au nom de|mittente|company name|(?:a/c|account) (?:name|holder)|payee|beneficiary|kontoinhaber(?:in)?|zahlungsempf[aä]nger|titulaire(?: du compte)?|titular|intestatario|beneficiario|begunstigde|rekeninghouder";
    pattern(&format!(r"(?i)^\W*(?:(?:{owned}|{sent})\b\s*[:.]?|(?:to|from|supplier|seller)\s*:)\s*"))
});

/// `Otter Sweets is a brand of Emerald Ventures Ltd.`: the company stands behind it.
static BRAND_OF: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?:(?:brand|trading (?:name|style)|trade name|registered business name|division|marque|marke|marca|marchio(?: registrato)?|angebot) (?:of|de|di|der|des)|marchio registrato|(?:is )?(?:operated|run|managed) by|wird betrieben von|drives af)\s+",
    )
});

/// A slogan or another name behind the supplier's: ` / Greener power`, ` -- Wine for drinking`, ` t/a The Print Room`.
static BEHIND_NAME: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)\s(?:/|--|—|\||·|•)\s|\s(?:t/as?|trading as)\s"));

/// A caption of the buyer in front of its name: `To: The Moorings Bar`.
pub(super) static BUYER_CAPTION: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?i)^\W*(?:(?:bill(?:ed)?|sold|invoiced?|deliver(?:ed)?) )?(?:to|cust(?:omer)?|client|kunde|buyer|käufer)(?: name)?\s*:\s*\b")
});

/// A name behind the `M` that dockets print for Messrs: `M The Sharksfin Café`.
pub(super) static DOCKET_BUYER: LazyLock<Regex> = LazyLock::new(|| pattern(r"^M\s+\p{Lu}[\p{Ll}'’][\p{L}'’& -]*$"));

/// ... and what needs no colon: `Prepared for Café Gannet`, `M/S Joy Garden`, `To The Black Plough`.
static BEFORE_CUSTOMER: LazyLock<Regex> = LazyLock::new(|| {
    let captions = "prepared for|m/s\\.?|messrs\\.?|rechnungsempfänger|afnemer|cessionario|destinatario|name|client(?:e)?|kunde|klant|adresse de facturation";
    pattern(&format!(
        r"^\W*(?:(?i:{captions})\s*[:–]\s*\b|(?i:her[rn]n?/frau(?:/firma)?|firma)\s+\b|(?i:prepared for|m/s\.?|messrs\.?|cessionario|to|for|hello|hi|dear)\s+\b|M\s+\b)"
    ))
});

/// A caption of a name in front of it: `Denominazione: Cantina Valrossa S.r.l.`
pub(super) static NAME_CAPTION: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?i)^\W*(?:denominazione|ragione sociale|raison sociale|raz[óo]n social|firmenname|company name|trading name)\s*:\s*\b")
});

/// Before a name: specks, and what separates a caption.
static SPECKS: LazyLock<Regex> = LazyLock::new(|| pattern(r"^(?:[\s:;,·•*~]|\.\s|#\d{3,}\s)*"));

static STREET: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)\b(?:street|road|lane|avenue|quay|square|terrace)\W*$"));

/// From here on a line no longer is an address.
static AFTER_ADDRESS: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)\s*\b(?:TEL(?:EPHONE)?|PHONE|FAX|H/P|E-?MAIL)\b.*$"));

/// A caption of an address in front of it: `HQ ADD: LOT 11995`, `Registered address: 1 Quay Street`.
static BEFORE_ADDRESS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?i)^\W*(?:(?:hq|head ?office|(?:registered |business )?office|business|registered|our)\s)?\s*add(?:ress)?\s*[:.]\s*")
});

/// What follows the country that ends an address: `56000 KUALA LUMPUR, MALAYSIA | SUNWAY VELOCITY`, a branch's name.
static AFTER_COUNTRY: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b\d{4,6}\b[^\d]*,? (?:MALAYSIA|SINGAPORE|(?:REPUBLIC OF )?IRELAND|UNITED KINGDOM|DEUTSCHLAND|FRANCE|[ÖO]STERREICH)[.,]?(?P<rest>\s[^\d]+)$",
    )
});

/// A line that says a number or a unit, and no postcode.
static NUMBERED: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)^\W*(?:\d{1,4}\b|(?:no|lot|unit)\b)"));

/// Streets, quarters and buildings, which belong to an address.
static PLACE: LazyLock<Regex> = LazyLock::new(|| {
    let malay = "jalan|jln|lorong|lrg|lebuh(?:raya)?|persiaran|taman|tmn|kampung|kg|bandar|kompleks|wisma|menara|bangunan|pasar|medan";
    let building = "mall|plaza|complex|cent(?:re|er)|building|house|court|park|estate|terminal|airport|tower|arcade|yard|mill|farm|hall|lodge|works|market|hotel|floor|level";
    pattern(&format!(r"(?i)\b(?:{malay}|{building}|street|road|lane|avenue|quay|square|terrace|bridge|hill|green|autoroute)\b"))
});

/// Whether a text names a street, a quarter or a building.
pub(super) fn is_place(text: &str) -> bool {
    PLACE.is_match(text)
}

/// Candidates for a field that is a block of lines, the most probable first; no line stands in two of them.
pub(super) fn blocks(order: &ReadingOrder, runs: &[Run], beliefs: &Beliefs, field: BlockField) -> Vec<Span> {
    let probability = |run: &usize| beliefs.runs[*run][field as usize];
    let mut ranked: Vec<usize> = (0..runs.len()).filter(|run| probability(run) >= PROBABILITY_MIN).collect();
    ranked.sort_by(|a, b| probability(b).total_cmp(&probability(a)));
    let mut taken: Vec<usize> = Vec::new();
    for run in ranked {
        let shares_a_line = |other: &usize| runs[*other].lines.iter().any(|line| runs[run].lines.contains(line));
        if taken.len() < BLOCKS_MAX && !taken.iter().any(shares_a_line) {
            taken.push(run);
        }
    }
    taken.into_iter().filter_map(|run| span(order, field, &runs[run].lines, probability(&run))).collect()
}

/// The likeliest supplier's name together with lines beside it, each as likely as it alone: whoever knows such a name may take it.
pub(super) fn longer(order: &ReadingOrder, runs: &[Run], beliefs: &Beliefs) -> Vec<Span> {
    let name = BlockField::SupplierName;
    let believed = |run: usize| beliefs.runs[run][name as usize];
    let Some(best) = beliefs.likeliest_run(name).filter(|best| believed(*best) >= PROBABILITY_MIN) else { return Vec::new() };
    let holds = |run: &&Run| run.lines.len() > runs[best].lines.len() && runs[best].lines.iter().all(|line| run.lines.contains(line));
    runs.iter().filter(holds).filter_map(|run| span(order, name, &run.lines, believed(best))).collect()
}

fn span(order: &ReadingOrder, field: BlockField, lines: &[usize], probability: f32) -> Option<Span> {
    let names_branch = field == BlockField::SupplierAddress && names_branch(order, lines);
    let lines = &lines[usize::from(names_branch)..];
    // A name that is said twice.
    let lines = match lines {
        [first, second] if order.lines[*first].text.trim() == order.lines[*second].text.trim() => &lines[..1],
        _ => lines,
    };
    let joined = lines.iter().map(|line| order.lines[*line].text.trim()).collect::<Vec<_>>().join(" ");
    let kept = kept(field, &joined);
    let quads: Vec<_> = parts(order, lines, kept.clone()).map(|(line, range)| part_of(order.lines[line], &range)).collect();
    let mean = lines.iter().map(|line| order.lines[*line].confidence).sum::<f32>() / lines.len() as f32;
    let reading = all_right(mean, characters(&joined[kept.clone()]));
    Some(Span {
        text: joined[kept].to_string(),
        page: order.lines[*lines.first()?].page,
        quad: around(&quads)?,
        probability: probability * reading,
    })
}

/// Whether the first line of an address is a branch's name: one in brackets, or before a number a line that names no place (of 39 addresses of
/// receipts that might begin so, 35 begin with the number) or that the address says again.
fn names_branch(order: &ReadingOrder, lines: &[usize]) -> bool {
    let [first, next, ..] = lines else { return false };
    let (first, next) = (order.lines[*first].text.trim(), order.lines[*next].text.as_str());
    let rest: String = lines[1..].iter().map(|line| letters(&order.lines[*line].text)).collect();
    let is_bracketed = first.starts_with('(') && first.ends_with(')');
    let is_numbered = NUMBERED.is_match(next) && !first.contains(|c: char| c.is_ascii_digit());
    let is_said_again = first.split_whitespace().count() > 1 && rest.contains(&letters(first));
    is_bracketed || is_numbered && (is_said_again || !PLACE.is_match(first))
}

/// The part of a text that is the name or the address.
fn kept(field: BlockField, text: &str) -> Range<usize> {
    let (before, after) = match field {
        BlockField::SupplierName => (BEFORE_NAME.find(text), &AFTER_NAME),
        BlockField::CustomerName => (BUYER_CAPTION.find(text).or_else(|| BEFORE_CUSTOMER.find(text)), &AFTER_NAME),
        BlockField::SupplierAddress => (BEFORE_ADDRESS.find(text), &AFTER_ADDRESS),
    };
    let before = before.or_else(|| NAME_CAPTION.find(text)).map_or(0, |caption| caption.end());
    let start = if before < text.len() { before } else { 0 };
    let start = start + SPECKS.find(&text[start..]).map_or(0, |specks| specks.end());
    let cut = after.find_at(text, start).map_or(text.len(), |rest| rest.start());
    let (start, end) = match field {
        BlockField::SupplierAddress => {
            let branch = AFTER_COUNTRY.captures(&text[..cut]).and_then(|found| found.name("rest"));
            (start, branch.map_or(cut, |branch| branch.start()))
        }
        BlockField::CustomerName => (start, without_tail(text, start..cut.min(end_of_company(text)))),
        BlockField::SupplierName => of_supplier(text, start..cut.min(end_of_company(text))),
    };
    if end >= start + NAME_CHARACTERS_MIN { start..end } else { start..text.len() }
}

/// The supplier's name within a line: the company that a brand is of, without slogans behind it.
fn of_supplier(text: &str, kept: Range<usize>) -> (usize, usize) {
    let company = BRAND_OF.find(text).and_then(|brand| Some(brand.end()..brand.end() + end_of_form(&text[brand.end()..])?));
    if let Some(company) = company {
        return (company.start, company.end);
    }
    let words = |end: usize| text[kept.start..end].split_whitespace().count();
    let slogan = BEHIND_NAME.find_at(text, kept.start).map(|found| found.start()).filter(|start| words(*start) > 1);
    (kept.start, without_tail(text, kept.start..slogan.map_or(kept.end, |start| start.min(kept.end))))
}

/// Where a name ends without the signs that part it from what follows.
fn without_tail(text: &str, name: Range<usize>) -> usize {
    name.start
        + text.get(name.clone()).map_or(name.len(), |name| name.trim_end_matches([' ', ',', ';', '|', '·', '•', '-', '–', '—']).len())
}

/// Where an address begins behind a company's name: `ACME WINES LTD, 1 HIGH STREET`, `The Anchor, Quayside, Dublin 9`.
fn end_of_company(text: &str) -> usize {
    let form = end_of_form(text);
    let has_number = |bracketed: &str| bracketed.split(')').next().is_some_and(|inner| inner.contains(|c: char| c.is_ascii_digit()));
    let begins_address = |rest: &str| {
        let rest = rest.trim_start();
        rest.starts_with([',', '|', '·', '•', '+', '"'])
            || rest.starts_with("is a ")
            || letters::names_place(rest)
            || rest.strip_prefix('(').is_some_and(has_number)
    };
    let behind_form = form.filter(|end| begins_address(&text[*end..]));
    let is_address =
        |rest: &str| rest.contains(',') && KeywordSet::find(rest).has(Keyword::Place) && rest.contains(|c: char| c.is_ascii_digit());
    let is_street = |rest: &str| STREET.is_match(rest.split(',').next().unwrap_or(rest)) && rest.contains(',');
    let behind_comma = text.find(',').filter(|comma| form.is_none() && (is_address(&text[comma + 1..]) || is_street(&text[comma + 1..])));
    behind_form.or(behind_comma).unwrap_or(text.len())
}

/// Where the legal form of a company ends, in all its parts: `GmbH & Co. KG`.
fn end_of_form(text: &str) -> Option<usize> {
    let goes_on =
        |end: usize, next: &Range<usize>| text.get(end..next.start).is_some_and(|between| between.chars().all(|c| " .&()".contains(c)));
    let mut forms = legal_form::all(text).into_iter();
    let first = forms.next()?;
    let end = forms.fold(first.end, |end, next| if goes_on(end, &next) { next.end } else { end });
    Some(end + usize::from(text[end..].starts_with('.')))
}

/// The parts of the lines that a part of their joined text covers.
fn parts<'a>(order: &'a ReadingOrder, lines: &'a [usize], kept: Range<usize>) -> impl Iterator<Item = (usize, Range<usize>)> + 'a {
    let part = move |next: &mut usize, line: &usize| {
        let text = &order.lines[*line].text;
        let indent = text.len() - text.trim_start().len();
        let joined = *next..*next + text.trim().len();
        *next = joined.end + 1;
        let (start, end) = (joined.start.max(kept.start), joined.end.min(kept.end));
        Some((start < end).then(|| (*line, indent + start - joined.start..indent + end - joined.start)))
    };
    lines.iter().scan(0, part).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::PageSize;
    use crate::understand::labels::{DOCUMENT_TYPES, Tag};
    use crate::understand::runs;
    use crate::understand::testing::{letter, line};

    proptest::proptest! {
        #[test]
        fn a_part_lies_within_any_text(text in "\\PC{0,40}(?:Ltd|GmbH|\\(|MALAYSIA|is a brand of|To )?\\PC{0,40}") {
            for field in BlockField::ALL {
                let kept = kept(field, &text);
                proptest::prop_assert!(text.get(kept).is_some());
            }
        }
    }

    #[test]
    fn names_end_before_registration_numbers() {
        let cases = [
            ("MR. D.I.Y. (M) SDN BHD (CO. REG : 860671-D)", "MR. D.I.Y. (M) SDN BHD"),
            ("99 SPEED MART S/B (519537-X)", "99 SPEED MART S/B"),
            ("POPULAR BOOK CO. (M) SDN BHD 113825-W", "POPULAR BOOK CO. (M) SDN BHD"),
            ("LIAN HING STATIONERY SDN BHD (162761-M) OWN BY: X", "LIAN HING STATIONERY SDN BHD"),
            ("SHELL ISNI PETRO TRADING OWNED BY: SHELL", "SHELL ISNI PETRO TRADING"),
            ("THE COFFEE BEAN & TEA LEAF (M) SDN. BHD.", "THE COFFEE BEAN & TEA LEAF (M) SDN. BHD."),
            ("B & B 2000 SDN BHD", "B & B 2000 SDN BHD"),
            ("ACME WINES LTD, 1 HIGH STREET, CORK", "ACME WINES LTD"),
            ("ACME WINES LTD | VAT IE6388047V", "ACME WINES LTD"),
            ("ACME, WINES LTD", "ACME, WINES LTD"),
            ("The Anchor, Quayside, Dublin 9", "The Anchor"),
            ("Smith, Jones and Partners", "Smith, Jones and Partners"),
            ("1234-X", "1234-X"),
            ("Denominazione: Cantina Valrossa S.r.l.", "Cantina Valrossa S.r.l."),
            ("DIMILIKI: BANH MI CAFE SDN BHD", "BANH MI CAFE SDN BHD"),
            ("OWN BY: CHEF LEE SDN BHD (12345-X)", "CHEF LEE SDN BHD"),
            ("OWNED BY", "OWNED BY"),
            ("issued by The Saffron Coffee Works Limited", "The Saffron Coffee Works Limited"),
            ("A/C name: Delaunay Bros. SAS", "Delaunay Bros. SAS"),
            ("To: Copper Kettle Roasters Limited", "Copper Kettle Roasters Limited"),
            ("PUFFIN is a brand of McCarron Bros. Ltd. Unit 3, The Mill, Cork", "McCarron Bros. Ltd."),
            ("Reidy Power Inc. / Greener power for business", "Reidy Power Inc."),
            ("Toolan Ltd t/a The Print Room", "Toolan Ltd"),
            ("Haustechnik Esser GmbH & Co. KG, Moorweg 95", "Haustechnik Esser GmbH & Co. KG"),
            ("STELLENBOSCH FOODS (PTY) LTD (2020/623896/07)", "STELLENBOSCH FOODS (PTY) LTD"),
            ("Petersen Bar Equipment GmbH +43 808 646102", "Petersen Bar Equipment GmbH"),
            ("Otterhub is operated by Van der Merwe Holdings Pty Ltd", "Van der Merwe Holdings Pty Ltd"),
            ("Owned & operated by WARISAN CAFE PTE LTD", "WARISAN CAFE PTE LTD"),
            ("Please make payment to Cove Supplies Ltd.", "Cove Supplies Ltd."),
            ("Whitlock Farr LLP is a limited liability partnership", "Whitlock Farr LLP"),
            ("Smith / Jones", "Smith / Jones"),
            (". KMF FOODICIOUS SDN BHD", "KMF FOODICIOUS SDN BHD"),
            ("#000002 BAIFU (M) SDN BHD", "BAIFU (M) SDN BHD"),
            ("Proprietors: Moor Brewing Company Limited", "Moor Brewing Company Limited"),
            ("GOODS REMAIN THE PROPERTY OF HALE CASH & CARRY LIMITED", "HALE CASH & CARRY LIMITED"),
            (": .NET PEOPLE LTD", ".NET PEOPLE LTD"),
            ("DISTRIBUCIONES PUIG, S.L. - C.I.F. B65230476", "DISTRIBUCIONES PUIG, S.L."),
            ("Remittances to: Midlands Wholesale Ltd", "Midlands Wholesale Ltd"),
        ];
        for (line, name) in cases {
            assert_eq!(&line[kept(BlockField::SupplierName, line)], name);
        }
        for (line, name) in [
            ("Prepared for Cafe Gannet Pty Ltd", "Cafe Gannet Pty Ltd"),
            ("M/s : Twin Peaks Cafe", "Twin Peaks Cafe"),
            ("To THE BLACK PLOUGH", "THE BLACK PLOUGH"),
            ("Tonic Kitchen", "Tonic Kitchen"),
            ("M The Sharksfin Café", "The Sharksfin Café"),
            ("Hello Fiddlehead Café ,", "Fiddlehead Café"),
            ("Hilltop Bar", "Hilltop Bar"),
            ("Herrn/Frau/Firma Pension Weiß", "Pension Weiß"),
            ("Client – Mme Ingrid Delbrassine", "Mme Ingrid Delbrassine"),
            ("Rechnungsempfänger: Ratskeller Rust GmbH", "Ratskeller Rust GmbH"),
        ] {
            assert_eq!(&line[kept(BlockField::CustomerName, line)], name);
        }
        let cases = [
            ("12 QUAY ROAD, CORK TEL: 021 123", "12 QUAY ROAD, CORK"),
            ("HQ ADD: LOT 11995, BATU 2, 41400 KLANG", "LOT 11995, BATU 2, 41400 KLANG"),
            ("NO 8, JALAN 7/118B, 56000 KUALA LUMPUR, MALAYSIA SUNWAY VELOCITY", "NO 8, JALAN 7/118B, 56000 KUALA LUMPUR, MALAYSIA"),
            ("NO 8, JALAN MALAYSIA 3, 56000 KUALA LUMPUR", "NO 8, JALAN MALAYSIA 3, 56000 KUALA LUMPUR"),
            ("1 Addison Road, Dublin 6", "1 Addison Road, Dublin 6"),
        ];
        for (lines, address) in cases {
            assert_eq!(&lines[kept(BlockField::SupplierAddress, lines)], address);
        }
    }

    #[test]
    fn a_branch_above_an_address_is_none_of_it() {
        let address = |texts: &[&str]| {
            let lines: Vec<_> = texts.iter().enumerate().map(|(at, text)| line(0.0, 30.0 * at as f32, 200.0, text)).collect();
            let order = ReadingOrder::new(&lines, &[PageSize { width: 300, height: 300 }]);
            span(&order, BlockField::SupplierAddress, &(0..texts.len()).collect::<Vec<_>>(), 1.0).map(|span| span.text)
        };
        for (lines, kept) in [
            (["IKEA CHERAS", "NO 2A JALAN COCHRANE", "55100 KUALA LUMPUR"], "NO 2A JALAN COCHRANE 55100 KUALA LUMPUR"),
            (["BANDAR BARU RAWANG", "NO 15 JALAN RAWANG 10", "BANDAR BARU RAWANG"], "NO 15 JALAN RAWANG 10 BANDAR BARU RAWANG"),
            (["(JALAN KLANG LAMA)", "LOT 2942", "58100 KUALA LUMPUR"], "LOT 2942 58100 KUALA LUMPUR"),
            (["PARADIGM MALL", "LOT NO.: 4F-27", "47301 PJ"], "PARADIGM MALL LOT NO.: 4F-27 47301 PJ"),
            (["Riverside House", "12 Quay Street", "Cork"], "Riverside House 12 Quay Street Cork"),
            (["AUTOROUTE RABAT", "15000 KHEMISSET", "MAROC"], "AUTOROUTE RABAT 15000 KHEMISSET MAROC"),
        ] {
            assert_eq!(address(&lines).as_deref(), Some(kept));
        }
    }

    #[test]
    fn the_most_probable_run_wins_and_no_line_stands_in_two() {
        let (lines, pages) = letter("TOTAL");
        let order = ReadingOrder::new(&lines, &pages);
        let runs = runs::find(&order);
        let probability = |lines: &[usize]| match lines {
            [1, 3] => 0.6,
            [1] => 0.2,
            [4] => 0.1,
            _ => 0.001,
        };
        let beliefs = Beliefs {
            tags: vec![[0.0; Tag::COUNT]; lines.len()],
            roles: Vec::new(),
            runs: runs.iter().map(|run| [0.0, probability(&run.lines), 0.0]).collect(),
            types: [0.0; DOCUMENT_TYPES.len()],
        };
        let found = blocks(&order, &runs, &beliefs, BlockField::SupplierAddress);
        assert_eq!(found.iter().map(|span| span.text.as_str()).collect::<Vec<_>>(), ["1 HIGH STREET, GALWAY", "TOTAL"]);
        assert_eq!(found[0].quad.to_pixels(), [0, 30, 100, 30, 100, 80, 0, 80]);
        assert!(blocks(&order, &runs, &beliefs, BlockField::CustomerName).is_empty());
        let beliefs = Beliefs { runs: runs.iter().map(|run| [probability(&run.lines), 0.0, 0.0]).collect(), ..beliefs };
        let longer = longer(&order, &runs, &beliefs);
        assert!(!longer.is_empty() && longer.iter().all(|span| span.text.contains("1 HIGH STREET")));
    }
}
