//! Companies' whole names, wherever a document says them: a logo shows a brand, or breaks the name into rows; the small print has it in full.

use crate::pattern::pattern;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::draft::Span;
use super::keywords::{Keyword, KeywordSet};
use super::legal_form;
use super::names;
use super::rows::{ReadingOrder, part_of};
use crate::text::TextLine;

/// Of what is believed of a brand, so much goes to the whole name of its company.
const WHOLE: f32 = 0.9;
/// ... and to the only company of a document, where no word of its name is in the brand.
const ONLY: f32 = 0.7;
/// A whole name has at most so many words more than its part.
const WORDS_MORE_MAX: usize = 5;
/// A name of fewer letters is part of too many others.
const LETTERS_MIN: usize = 4;
/// ... and of fewer, begins others' by chance.
const LOGO_LETTERS_MIN: usize = 8;

/// Small words within names.
const WITHIN: [&str; 24] = [
    "&", "+", "and", "of", "the", "de", "du", "des", "del", "der", "die", "van", "von", "vom", "zum", "zur", "et", "und", "en", "y", "e",
    "di", "la", "le",
];
/// Words with a capital that begin no name.
const BEFORE: [&str; 31] = [
    "inh",
    "prop",
    "proprietor",
    "contact",
    "page",
    "seite",
    "titolare",
    "vat",
    "no",
    "by",
    "to",
    "from",
    "name",
    "account",
    "payee",
    "titulaire",
    "titular",
    "intestatario",
    "kontoinhaber",
    "inhaber",
    "begunstigde",
    "beneficiary",
    "bank",
    "supplier",
    "seller",
    "marke",
    "marque",
    "brand",
    "please",
    "pay",
    "copyright",
];

/// A company's name in a line.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Company {
    pub line: usize,
    /// Bytes of the line's text.
    pub range: Range<usize>,
    pub text: String,
}

/// The supplier's names with the whole name first, where a company's is found that the likeliest is a part of, or that is the only one of the
/// document. `is_others`: lines that speak of another party; `customers`: names that are not the supplier's.
pub(super) fn complete(
    order: &ReadingOrder,
    mut names: Vec<Span>,
    customers: &[Span],
    is_receipt: bool,
    is_others: impl Fn(usize) -> bool,
) -> Vec<Span> {
    let Some(best) = names.first() else { return names };
    let customer = customers.first();
    let is_customers = |company: &Company| {
        customer.is_some_and(|customer| {
            let (name, company_name) = (letters(&customer.text), letters(&company.text));
            let stands_below = is_right_below(customer, order.lines[company.line]);
            !name.is_empty() && (company_name.contains(name.as_str()) || name.contains(&company_name)) || stands_below
        })
    };
    let all: Vec<Company> = (0..order.lines.len()).flat_map(|line| of_line(order, line)).collect();
    let all: Vec<Company> = all.into_iter().filter(|company| !is_customers(company) && !is_bank(&company.text)).collect();
    let whole = all
        .iter()
        .filter(|company| is_part(&best.text, &company.text))
        .max_by_key(|company| (word_count(&company.text), std::cmp::Reverse(company.line)));
    let found = match whole {
        Some(whole) => Some((whole, WHOLE)),
        None if legal_form::find(&best.text).is_none() => {
            only(order, &all, is_others).filter(|only| !is_receipt || SURE_FORM.is_match(&only.text)).map(|only| (only, ONLY))
        }
        None => None,
    };
    if let Some((company, share)) = found {
        let quad = part_of(order.lines[company.line], &company.range);
        let probability = share * best.probability;
        let whole = Span { text: company.text.clone(), page: order.lines[company.line].page, quad, probability };
        names.iter_mut().for_each(|name| name.probability *= 1.0 - share);
        names.insert(0, whole);
    }
    names
}

/// The company that all the small print speaks of, in lines that say of its registration, its bank or its brand.
fn only<'c>(order: &ReadingOrder, companies: &'c [Company], is_others: impl Fn(usize) -> bool) -> Option<&'c Company> {
    let mut own = companies.iter().filter(|company| !is_others(company.line));
    let first = own.next()?;
    let says_whose = |line: usize| {
        let text = &order.lines[line].text;
        KeywordSet::find(text).has_any(&[Keyword::Registration, Keyword::Tax, Keyword::Bank, Keyword::Seller]) || OF_OWNER.is_match(text)
    };
    let around = |line: usize| order.in_column(line, -1).take(1).chain(order.in_column(line, 1).take(2)).chain([line]).any(says_whose);
    let is_same = own.all(|other| letters(&other.text) == letters(&first.text));
    companies.iter().filter(|_| is_same).find(|company| !is_others(company.line) && around(company.line))
}

/// Whether a line stands right below a name: in a customer's block, `BRASSERIE DU PASSAGE`, `SARL KERVELLA FRÈRES`.
fn is_right_below(name: &Span, line: &TextLine) -> bool {
    const STEP_MAX: f32 = 1.8;
    let (above, below) = (name.quad, line.quad);
    let step = below.centre().y - above.centre().y;
    name.page == line.page && (0.0..=STEP_MAX * below.height()).contains(&step) && (above.left() - below.left()).abs() <= below.height()
}

/// Forms that end a company's name also on a receipt, which may print `U.PRICE AMT INC.` as well.
static SURE_FORM: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)\b(?:LTD|LIMITED|PLC|DAC|UNLIMITED COMPANY|GMBH|B\.V|S\.R\.L)\b"));

/// What stands beside the name of who owns a shop.
static OF_OWNER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?:trading|brand|t/a|capital|exploitation|inhaber|owner|directors?|gesch[aä]ftsf[uü]hrer|registered|company no|sede legale|si[eè]ge|remittances?|cheques?|payable)\b|©",
    )
});

/// Whether a name is a part of a company's whole one: all its words stand in that, one after the other, and few more.
fn is_part(name: &str, whole: &str) -> bool {
    let (part, all) = (words(name), words(whole));
    let has_room = part.len() < all.len() && all.len() <= part.len() + WORDS_MORE_MAX;
    // A logo may be one word: `LAGANlinen`.
    let begins = letters(name).len() >= LOGO_LETTERS_MIN && letters(whole).starts_with(&letters(name));
    has_room && letters(name).len() >= LETTERS_MIN && (begins || all.windows(part.len().max(1)).any(|some| some == part))
}

/// The companies that a line names.
fn of_line(order: &ReadingOrder, line: usize) -> Vec<Company> {
    let text = order.lines[line].text.as_str();
    let of_form = |form: Range<usize>| {
        let range = name_before(text, &form).or_else(|| name_behind(text, &form))?;
        let caption = names::BEFORE_NAME.find(&text[range.clone()]).map_or(0, |caption| caption.end());
        let range = range.start + if caption < range.len() { caption } else { 0 }..range.end;
        Some(Company { line, text: text[range.clone()].to_owned(), range })
    };
    legal_form::all(text).into_iter().filter(|form| is_written_as_form(&text[form.clone()])).filter_map(of_form).collect()
}

/// Whether a legal form is one beyond doubt, and not a word of a sentence: `Total inc. VAT`, `Moorfield Trading Estate`, `T.n.v.`
fn is_written_as_form(form: &str) -> bool {
    const DOUBTFUL: [&str; 4] = ["CO", "ENTERPRISE", "TRADING", "AG"];
    const SMALL: [&str; 13] = ["plc", "ltd", "eg", "ek", "eu", "sro", "snc", "srl", "spa", "slu", "spzoo", "vof", "bv"];
    let bare: String = form.chars().filter(|c| c.is_alphanumeric()).collect();
    let is_small = SMALL.contains(&bare.to_lowercase().as_str());
    !DOUBTFUL.contains(&bare.to_uppercase().as_str()) && (form.starts_with(char::is_uppercase) || is_small) || bare == "AG"
}

/// The name that ends with a legal form: words with capitals, back to a sign that ends a sentence or a word that begins no name.
fn name_before(text: &str, form: &Range<usize>) -> Option<Range<usize>> {
    let mut start = None;
    let mut at = form.start;
    for word in text[..form.start].split_whitespace().rev() {
        let begin = word.as_ptr() as usize - text.as_ptr() as usize;
        let is_last = at == form.start;
        let ends = word.ends_with([':', ';', '|', '·', '•', '–', '—', '?', '!']) || word.ends_with(',') && !is_last;
        let ends_sentence = word.ends_with('.') && word.chars().count() > WORD_WITH_STOP_MAX && !is_last;
        let lower = word.to_lowercase();
        let is_name = word.trim_start_matches(['(', '"', '“', '\'']).starts_with(char::is_uppercase);
        // `GmbH & Co. KG` is one name, `Otter S.L. and Acme Ltd` two.
        let is_other =
            legal_form::find(word).is_some_and(|form| is_written_as_form(&word[form])) && !text[at..].starts_with('&') && !is_last;
        if ends
            || ends_sentence
            || is_other
            || BEFORE.contains(&lower.trim_end_matches(['.', ':']))
            || !is_name && !WITHIN.contains(&lower.as_str())
        {
            break;
        }
        at = begin;
        if is_name {
            start = Some(begin);
        }
    }
    let end = form.end + usize::from(text[form.end..].starts_with('.'));
    start.map(|start| start..end)
}

/// `St.`, `P.J.`: no end of a sentence.
const WORD_WITH_STOP_MAX: usize = 4;

/// The name that begins with a legal form: `SARL Domaines & Caves Lestrade`.
fn name_behind(text: &str, form: &Range<usize>) -> Option<Range<usize>> {
    const FORMS: [&str; 12] = ["SARL", "SAS", "SASU", "EURL", "EARL", "SCEA", "GAEC", "SPRL", "SRL", "VOF", "SA", "SNC"];
    let bare: String = text[form.clone()].chars().filter(|c| c.is_alphanumeric()).collect();
    if !FORMS.contains(&bare.to_uppercase().as_str()) {
        return None;
    }
    let mut end = None;
    for word in text[form.end..].trim_start_matches('.').split_whitespace() {
        let begin = word.as_ptr() as usize - text.as_ptr() as usize;
        let bare = word.trim_end_matches([',', ';', ':', '.']);
        let is_name = bare.starts_with(char::is_uppercase);
        if !is_name && !WITHIN.contains(&bare.to_lowercase().as_str()) {
            break;
        }
        if is_name {
            end = Some(begin + bare.len());
        }
        if bare.len() < word.len() {
            break;
        }
    }
    end.map(|end| form.start..end)
}

fn is_bank(name: &str) -> bool {
    ["bank", "banque", "banco", "banca", "kasse", "caisse"].iter().any(|bank| name.to_lowercase().contains(bank))
}

fn word_count(name: &str) -> usize {
    words(name).len()
}

fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase).filter(|word| !word.is_empty()).collect()
}

/// Its letters and digits, in lower case.
pub(super) fn letters(text: &str) -> String {
    words(text).concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::PageSize;
    use crate::understand::testing::line;

    #[test]
    fn names_stand_within_sentences() {
        let cases = [
            (
                "wholebean is a trading name of Copper Heron Coffee Roasters Limited, registered in Ireland",
                &["Copper Heron Coffee Roasters Limited"][..],
            ),
            ("Spartan Cash & Carry (Connacht) Ltd · VAT IE6388047V", &["Spartan Cash & Carry (Connacht) Ltd"]),
            ("SARL Domaines & Caves Lestrade au capital de 8 000 €", &["SARL Domaines & Caves Lestrade"]),
            ("Account name: J. P. Toolan Ltd. Please quote", &["J. P. Toolan Ltd."]),
            ("Cazalilla Real, S.L. and Otter Bros. Ltd", &["Cazalilla Real, S.L.", "Otter Bros. Ltd"]),
            ("Kilcolman, Co. Kerry", &[]),
            ("GOODS REMAIN THE PROPERTY OF HALE CASH & CARRY LIMITED", &["HALE CASH & CARRY LIMITED"]),
            ("Bloemenhandel Van Lier & Kok v.o.f. handelend onder de naam Sprietje", &["Bloemenhandel Van Lier & Kok v.o.f."]),
            ("Tolka Wholesale Services Unlimited Company, Greenmount House", &["Tolka Wholesale Services Unlimited Company"]),
            ("goods remain ours until paid, ltd", &[]),
        ];
        for (text, expected) in cases {
            let lines = [line(0.0, 0.0, 900.0, text)];
            let order = ReadingOrder::new(&lines, &[PageSize { width: 1000, height: 1000 }]);
            let found: Vec<String> = of_line(&order, 0).into_iter().map(|company| company.text).collect();
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn a_part_of_a_name_is_no_other_name() {
        for (name, whole, expected) in [
            ("Brewing DAC", "Blackthorn Bay Brewing DAC", true),
            ("Millbrook & Fenn", "Millbrook & Fenn Coffee Roasters Ltd", true),
            ("CASH & CARRY", "Spartan Cash & Carry (Connacht) Ltd", true),
            ("Copper Heron Ltd", "Copper Heron Ltd", false),
            ("wholebean", "Copper Heron Ltd", false),
            ("LAGANlinen", "Lagan Linen Services Limited", true),
            ("Lagan", "Laganside Motors Ltd", false),
            ("The", "The Anchor Ltd", false),
        ] {
            assert_eq!(is_part(name, whole), expected, "{name}");
        }
    }

    /// The supplier's name where the network believes `believed`, and the customer's line is `customer`.
    fn completed(lines: &[(f32, &str)], believed: &str, customer: &str, is_receipt: bool) -> String {
        let lines: Vec<TextLine> = lines.iter().map(|(top, text)| line(0.0, *top, 900.0, text)).collect();
        let order = ReadingOrder::new(&lines, &[PageSize { width: 1000, height: 1000 }]);
        let span = |text: &str| {
            let quad = order.lines.iter().find(|line| line.text == text).map_or(lines[0].quad, |line| line.quad);
            Span { text: text.into(), page: 0, quad, probability: 0.9 }
        };
        complete(&order, vec![span(believed)], &[span(customer)], is_receipt, |_| false)[0].text.clone()
    }

    #[test]
    fn the_small_print_says_whose_a_brand_is() {
        let letter = [
            (0.0, "PRIM'HALLES"),
            (30.0, "S.A.S. Lecœur Primeurs au capital de 80 000 €"),
            (200.0, "BRASSERIE DU PASSAGE"),
            (230.0, "SARL KERVELLA FRÈRES"),
        ];
        assert_eq!(completed(&letter, "PRIM'HALLES", "BRASSERIE DU PASSAGE", false), "S.A.S. Lecœur Primeurs");
        let till = [(0.0, "FOOD HALL"), (300.0, "QTY U.PRICE AMT INC."), (900.0, "Darnton Foods Ltd VAT No. GB123456789")];
        assert_eq!(completed(&till[..2], "FOOD HALL", "-", true), "FOOD HALL");
        assert_eq!(completed(&[till[0], till[2]], "FOOD HALL", "-", true), "Darnton Foods Ltd");
    }
}
