//! From probabilities to the draft: names and addresses from whole lines, values from candidates.

use crate::pattern::pattern;
use std::cell::LazyCell;
use std::sync::LazyLock;

use regex::Regex;

use super::beliefs::Beliefs;
use super::candidates::{self, Candidate, Kind};
use super::draft::{DocumentType, Draft, HeaderField, Span};
use super::keywords::{Keyword, KeywordSet};
use super::labels::{BlockField, DOCUMENT_TYPES, Role, Tag};
use super::parties::{self, Party};
use super::rows::{ReadingOrder, part_of};
use super::runs::Run;
use super::{companies, items, names, payment, vat};
use crate::text::all_right;

/// Values a field that go on to reconciliation.
const VALUES_A_FIELD_MAX: usize = 5;

/// Less probable values are dropped.
const PROBABILITY_MIN: f32 = 0.01;

/// How far the share of a currency's signs among all of them is believed.
const CURRENCY_PROBABILITY_MAX: f32 = 0.98;

pub(super) fn draft(order: &ReadingOrder, candidates: &[Candidate], runs: &[Run], beliefs: &Beliefs) -> Draft {
    let (best, probability) = beliefs.types.iter().enumerate().fold((0, 0.0), |best, (i, p)| if *p > best.1 { (i, *p) } else { best });
    let mut header: Vec<(HeaderField, Span)> = Vec::new();
    let blocks = |field: BlockField| names::blocks(order, runs, beliefs, field);
    let (mut suppliers, customers) = (blocks(BlockField::SupplierName), blocks(BlockField::CustomerName));
    // Few documents ask.
    let parties = LazyCell::new(|| parties::announced(order));
    let is_others = |line: usize| parties[line].is_some_and(|party| party != Party::Seller);
    suppliers = companies::complete(order, suppliers, &customers, DOCUMENT_TYPES[best] == DocumentType::Receipt, is_others);
    let blocks = [
        (BlockField::SupplierName, suppliers),
        (BlockField::SupplierAddress, blocks(BlockField::SupplierAddress)),
        (BlockField::CustomerName, customers),
    ];
    header.extend(blocks.into_iter().flat_map(|(field, spans)| spans.into_iter().map(move |span| (field.field(), span))));
    for role in Role::ALL {
        header.extend(values(order, candidates, beliefs, role).into_iter().map(|span| (role.field(), span)));
    }
    header.extend(currencies(order).into_iter().map(|span| (HeaderField::Currency, span)));
    let document_type = DOCUMENT_TYPES[best];
    let of_trade = document_type != DocumentType::Other;
    let vat = if of_trade { vat::rows(order, candidates, beliefs, |candidate, p| span(order, candidate, p)) } else { Vec::new() };
    let is_priced = document_type != DocumentType::DeliveryDocket;
    let (items, rate_codes) = if of_trade { items::items(order, beliefs, is_priced, &vat) } else { Default::default() };
    Draft {
        document_type,
        document_type_probability: probability,
        header,
        longer_names: names::longer(order, runs, beliefs),
        items,
        vat,
        rate_codes,
        payment: payment::find(order, candidates, |candidate| span(order, candidate, 1.0)),
    }
}

fn span(order: &ReadingOrder, candidate: &Candidate, probability: f32) -> Span {
    let line = order.lines[candidate.line];
    let text = line.text[candidate.range.clone()].to_string();
    let reading = all_right(line.confidence, characters(&text));
    Span { text, page: line.page, quad: part_of(line, &candidate.range), probability: probability * reading }
}

/// Letters and digits: what a misreading would change.
pub(super) fn characters(text: &str) -> usize {
    text.chars().filter(|c| c.is_alphanumeric()).count()
}

/// The values that may play `role`, the most probable first. Each stands once: the probabilities of its occurrences are added,
/// and its place is the last of those that are nearly as probable as the best.
fn values(order: &ReadingOrder, candidates: &[Candidate], beliefs: &Beliefs, role: Role) -> Vec<Span> {
    // A date alone may stand beside the goods, unless it is one of many.
    let column = if role.kind() == Kind::Date { columns_of_dates(order, candidates) } else { Vec::new() };
    let of_goods = |candidate: &Candidate| {
        let within_text = order.lines[candidate.line].text[..candidate.range.start].contains(char::is_alphabetic);
        let of_item = within_text && beliefs.tags[candidate.line][Tag::Item as usize] > 0.5;
        candidate.kind == Kind::Date && (of_item || column.contains(&candidate.line))
    };
    let believed = |(roles, candidate): (&[f32; Role::COUNT], &Candidate)| {
        roles[role as usize] * plausibility(order, candidate, role) * if of_goods(candidate) { DATE_OF_GOODS } else { 1.0 }
    };
    let mut believed: Vec<f32> = beliefs.roles.iter().zip(candidates).map(believed).collect();
    if role == Role::DueDate && believed.iter().all(|probability| *probability < SURE_DUE) {
        let due = believed.iter_mut().zip(candidates).filter(|(_, candidate)| says_due(order, candidate));
        due.for_each(|(probability, _)| *probability = probability.max(CAPTIONED_DUE));
    }
    believe_captions(order, candidates, &column, role, &mut believed);
    believe_sum_row(order, candidates, role, &mut believed);
    let of_role = |candidate: usize| believed[candidate];
    let mut values: Vec<(i64, usize, f32)> = Vec::new();
    for (i, candidate) in candidates.iter().enumerate().filter(|(_, c)| c.kind == role.kind()) {
        match values.iter_mut().find(|(value, ..)| *value == candidate.value) {
            Some((_, place, sum)) => {
                if of_role(i) >= LATER_OCCURRENCE_SHARE * of_role(*place) {
                    *place = i;
                }
                *sum += of_role(i);
            }
            None => values.push((candidate.value, i, of_role(i))),
        }
    }
    values.retain(|(.., probability)| *probability >= PROBABILITY_MIN);
    values.sort_by(|a, b| b.2.total_cmp(&a.2));
    values.truncate(VALUES_A_FIELD_MAX);
    let place = |place: usize| if role == Role::InvoiceNumber { with_series(order, &candidates[place]) } else { candidates[place].clone() };
    values.into_iter().map(|(_, at, probability)| span(order, &place(at), probability)).collect()
}

/// The letters of a series that stand apart before a number: `PSW 3071`, `A26 / 004871`.
static SERIES: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?:^|[\s:#])(?P<series>(?:[A-Z]{2,4}(?: \d{2})?|[A-Z]\d{2})(?: ?/)? )$"));

/// A number in groups, alone or behind its caption: `61 189 939`, `Rechnungs-Nr.: 12 8438`.
static GROUPS: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?:^\W*|[:.#°º]\W*|(?i:no|nr|pi[èe]ce|number) )(?P<number>\d{1,4}(?: \d{3,4}){1,3})(?:$| [–—-]|,? (?i:vom|du|of|dated|from|d\.d\.) )",
    )
});

/// A document's number with the letters of its series, which are no caption, or with all groups of its digits.
fn with_series(order: &ReadingOrder, candidate: &Candidate) -> Candidate {
    use Keyword::*;
    const CAPTIONS: [Keyword; 12] =
        [Number, Invoice, Receipt, Bill, Document, Reference, Tax, Phone, Order, Registration, Customer, Delivery];
    let text = &order.lines[candidate.line].text;
    let is_within = |number: &regex::Match| number.start() <= candidate.range.start && candidate.range.end <= number.end();
    if let Some(whole) = GROUPS.captures(text).and_then(|found| found.name("number")).filter(is_within) {
        return Candidate { range: whole.range(), ..candidate.clone() };
    }
    let before = &text[..candidate.range.start];
    let series = SERIES.captures(before).and_then(|found| found.name("series"));
    let is_caption = |text: &str| KeywordSet::find(text).has_any(&CAPTIONS);
    let start = series.filter(|series| !is_caption(series.as_str())).map_or(candidate.range.start, |series| series.start());
    Candidate { range: start..candidate.range.end, ..candidate.clone() }
}

/// The lines of dates that stand below each other in a column of a table: those of deliveries, services or payments.
fn columns_of_dates(order: &ReadingOrder, candidates: &[Candidate]) -> Vec<usize> {
    const DATES_MIN: usize = 4;
    let is_alone = |candidate: &&Candidate| order.lines[candidate.line].text.trim().len() == candidate.range.len();
    let dates: Vec<usize> = candidates.iter().filter(|c| c.kind == Kind::Date).filter(is_alone).map(|c| c.line).collect();
    let in_column = |line: usize, other: usize| {
        let (quad, other_quad) = (order.lines[line].quad, order.lines[other].quad);
        order.lines[line].page == order.lines[other].page && (quad.left() - other_quad.left()).abs() <= quad.height()
    };
    dates.iter().copied().filter(|line| dates.iter().filter(|other| in_column(*line, **other)).count() >= DATES_MIN).collect()
}

/// How much less a date is believed beside a caption of another one, and at either end of a period.
const OTHER_DATE: f32 = 0.1;
const OF_PERIOD: f32 = 0.05;
/// ... and between goods.
const DATE_OF_GOODS: f32 = 0.3;

/// The captions of a row of sums stand in it, or in one of so many above it.
const CAPTION_ROWS_ABOVE: isize = 2;

/// How much less the sum of the goods of one rate is believed to be the document's.
const OF_ONE_RATE: f32 = 0.02;

/// What stands before the end of a period: `3 Jan - `, `01.02. bis `.
static PERIOD: LazyLock<Regex> = LazyLock::new(|| {
    let month = r"(?:jan|feb|m[aä]r|apr|ma[iy]|ju[nl]|aug|sep|o[ck]t|nov|de[cz])[a-z]*\.?";
    pattern(&format!(r"(?i)(?:{month} ?\d{{0,2}}|\d{{1,2}}[./]\d{{1,2}}[./]?),?(?: ?\d{{2,4}})?{TO}"))
});

/// `in the four weeks to `, `month ended `.
static PERIOD_NAMED: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)\b(?:weeks?|months?|quarter|period|year)(?: to| end(?:ing|ed)(?: on)?)\s*$"));

/// The same, before a date that names its month: `3rd - `. Before other dates it is a number of something else: `REG #19- 21/03/2018`.
static PERIOD_OF_DAYS: LazyLock<Regex> = LazyLock::new(|| pattern(&format!(r"(?i)\b\d{{1,2}}(?:st|nd|rd|th)?,?{TO}")));

const TO: &str = r" ?(?:[–—-]{1,2}|to|bis|au)\s*$";

/// What stands behind the begin of a period that names its end.
static PERIOD_GOES_ON: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)^ ?(?:[–—-]{1,2}|to|bis|au) ?\d{1,2}[ ./]"));

/// Dates of quotes, of deposits and of the invoice that a credit note is for.
static OF_OTHER_DOCUMENT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?:devis|quot(?:e|ation)|angebot|offerte|presupuesto|acompte|deposit|an-?zahlung|abschlagszahlung|sur facture|zu rechnung|original invoice|sign(?:ed|é)|tkt)\b",
    )
});

/// `TOTAL 6% SUPPLIES (INC. GST)`, beside what is not taxed.
static SUPPLIES: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)\d ?% (?:rated )?suppl(?:y|ies)\b"));

/// A number with a sign of its own, and all before it: `ORD #18 -REG #19- `.
static NUMBERED: LazyLock<Regex> = LazyLock::new(|| pattern(r"^.*# ?\d+"));

/// What the words around a value say against its role.
fn plausibility(order: &ReadingOrder, candidate: &Candidate, role: Role) -> f32 {
    match role {
        Role::IssueDate | Role::DueDate => plausibility_of_date(order, candidate, role),
        Role::InvoiceNumber => plausibility_of_number(&order.lines[candidate.line].text, candidate),
        Role::Net | Role::Gross if SUPPLIES.is_match(caption(order, candidate)) => OF_ONE_RATE,
        _ => 1.0,
    }
}

/// How much less a number is believed that is of an order or a delivery by its letters, or a taxpayer's.
const OTHER_NUMBER: f32 = 0.2;

/// `DO29700`, `CMD39209`, `BL-67486`, `LS65747`: of orders and deliveries.
static OTHERS_NUMBER: LazyLock<Regex> = LazyLock::new(|| pattern(r"^(?:DO|LS|CMD|CDE|BL|PO|DN|WO|SO)[-/]?\d"));

fn plausibility_of_number(text: &str, candidate: &Candidate) -> f32 {
    let is_tax_number = |other: &Candidate| other.kind == Kind::TaxNumber && other.range == candidate.range;
    let is_taxed =
        || KeywordSet::find(&text[..candidate.range.start]).has(Keyword::Tax) && candidates::find(0, text).iter().any(is_tax_number);
    let is_others = OTHERS_NUMBER.is_match(&text[candidate.range.clone()]) || is_taxed();
    if is_others { OTHER_NUMBER } else { 1.0 }
}

fn plausibility_of_date(order: &ReadingOrder, candidate: &Candidate, role: Role) -> f32 {
    let (before, date) = order.lines[candidate.line].text[..candidate.range.end].split_at(candidate.range.start);
    let after = &order.lines[candidate.line].text[candidate.range.end..];
    let ends_period = PERIOD.is_match(before)
        || PERIOD_NAMED.is_match(before)
        || (date.chars().any(char::is_alphabetic) && PERIOD_OF_DAYS.is_match(before));
    let period = if ends_period || PERIOD_GOES_ON.is_match(after) { OF_PERIOD } else { 1.0 };
    let said = said_before(order, candidate);
    let of_others: &[Keyword] = match role {
        Role::IssueDate => &[Keyword::Delivery, Keyword::Order, Keyword::Terms],
        _ => &[Keyword::Delivery, Keyword::Order],
    };
    let other = said.has_any(of_others) && !said.has(Keyword::Invoice) || OF_OTHER_DOCUMENT.is_match(before);
    period * if other { OTHER_DATE } else { 1.0 }
}

/// What stands before a candidate: in its line, else in the line before it in the row.
fn caption<'a>(order: &ReadingOrder<'a>, candidate: &Candidate) -> &'a str {
    let own = &order.lines[candidate.line].text[..candidate.range.start];
    let before = (order.row(candidate.line).start..candidate.line).last().map_or("", |line| order.lines[line].text.as_str());
    if own.chars().any(char::is_alphabetic) { own } else { before }
}

/// What the words of its caption say, but for those that a number of their own explains: `Ihr Auftrag | AB 26-0142 v. `.
fn said_before(order: &ReadingOrder, candidate: &Candidate) -> KeywordSet {
    let said = |text: &str| KeywordSet::find(&text[NUMBERED.find(text).map_or(0, |numbered| numbered.end())..]);
    let own = said(caption(order, candidate));
    let names_date = own.has_any(&[Keyword::Date, Keyword::Invoice, Keyword::Due, Keyword::Terms]);
    let before = (order.row(candidate.line).start..candidate.line).last().filter(|_| !names_date);
    before.map_or(own, |line| own.union(said(&order.lines[line].text)))
}

/// The last row of totals that prints net, VAT and gross side by side: two of its three amounts are the third.
fn believe_sum_row(order: &ReadingOrder, candidates: &[Candidate], role: Role, believed: &mut [f32]) {
    let Some(place) = [Role::Net, Role::Vat, Role::Gross].iter().position(|sum| *sum == role) else { return };
    let amounts = |row: &std::ops::Range<usize>| -> Vec<usize> {
        (0..candidates.len()).filter(|at| candidates[*at].kind == Kind::Amount && row.contains(&candidates[*at].line)).collect()
    };
    // The last three: sums of goods and discounts may stand before them.
    let sums = |row: &std::ops::Range<usize>| amounts(row).last_chunk::<3>().copied();
    let is_sum = |(at, row): &(usize, &std::ops::Range<usize>)| {
        let Some([net, vat, gross]) = sums(row).map(|sums| sums.map(|at| candidates[at].value)) else { return false };
        let says_total = |row: std::ops::Range<usize>| KeywordSet::find(&order.text(row)).has(Keyword::Total);
        let said = || (0..=CAPTION_ROWS_ABOVE).filter_map(|above| order.row_at(*at, -above)).any(says_total);
        vat > 0 && vat < net && net + vat == gross && said()
    };
    if let Some(sums) = order.rows.iter().enumerate().rfind(is_sum).and_then(|(_, row)| sums(row)) {
        believed[sums[place]] = believed[sums[place]].max(CAPTIONED);
    }
}

/// What captions say beyond doubt of the document's number and date, at least where only one value has such a caption.
/// `column`: the lines of a column of dates, as a table of goods may have one.
fn believe_captions(order: &ReadingOrder, candidates: &[Candidate], column: &[usize], role: Role, believed: &mut [f32]) {
    let says: fn(&ReadingOrder, &Candidate) -> bool = match role {
        Role::IssueDate => says_issued,
        Role::SupplierVatId => says_vat_id,
        Role::DueDate => |order, candidate| {
            let is_captioned = |caption| is_captioned(order, candidate, caption);
            candidate.kind == Kind::Date && (is_captioned(&DUE_CAPTION) || is_captioned(&COLLECTED))
        },
        Role::InvoiceNumber => |order, candidate| candidate.kind == Kind::Identifier && is_captioned(order, candidate, &NUMBER_CAPTION),
        _ => return,
    };
    // What was ruled out is another party's, whatever its caption says.
    let is_ruled_out = |at: usize| role == Role::SupplierVatId && believed[at] <= 0.0;
    let is_of_goods = |at: usize| role == Role::IssueDate && column.contains(&candidates[at].line);
    let may_be = |at: &usize| !is_ruled_out(*at) && !is_of_goods(*at);
    let captioned: Vec<usize> = (0..candidates.len()).filter(may_be).filter(|at| says(order, &candidates[*at])).collect();
    let agree = captioned.windows(2).all(|pair| candidates[pair[0]].value == candidates[pair[1]].value);
    for at in captioned.into_iter().filter(|_| agree) {
        believed[at] = believed[at].max(CAPTIONED * plausibility(order, &candidates[at], role));
    }
}

/// Whether the words before a candidate in its line, or else those left of it or right above it, are such a caption and nothing else.
fn is_captioned(order: &ReadingOrder, candidate: &Candidate, caption: &Regex) -> bool {
    let before = &order.lines[candidate.line].text[..candidate.range.start];
    if before.contains(char::is_alphanumeric) {
        return caption.is_match(before);
    }
    let quad = order.lines[candidate.line].quad;
    let beside = order.row(candidate.line).take_while(|line| *line < candidate.line).last();
    let above = order.in_column(candidate.line, -1).next();
    let above = above.filter(|line| quad.top() - order.lines[*line].quad.bottom() <= CAPTION_GAP_MAX * quad.height());
    beside.into_iter().chain(above).any(|line| caption.is_match(&order.lines[line].text))
}

/// A date behind the document's own title and number, or behind the place where a letter was written.
fn says_issued(order: &ReadingOrder, candidate: &Candidate) -> bool {
    let text = &order.lines[candidate.line].text[..candidate.range.start];
    candidate.kind == Kind::Date && (TITLED.is_match(text) || PLACED.is_match(text) || is_captioned(order, candidate, &DATE_CAPTION))
}

/// A date behind words that say it is due, and no other's.
pub(super) fn says_due(order: &ReadingOrder, candidate: &Candidate) -> bool {
    let said = said_before(order, candidate);
    candidate.kind == Kind::Date && said.has_any(&[Keyword::Due, Keyword::Terms]) && !said.has_any(&[Keyword::Delivery, Keyword::Order])
}

/// `Facture n° F2603-0581 du `, `Rechnung Nr. 17 vom `, `Invoice 10482 dated `.
static TITLED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?i)\b(?:facture|rechnung|gutschrift|avoir|invoice|credit note)\b[^,;:]{0,40}\d[^ ]* (?:du|vom|v\.|of|dated|from)\s*$")
});

/// `Lindenau-Nord, `, `Wien, am `, `Lyon, le `.
static PLACED: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\s*\p{Lu}\p{Ll}[\p{L} -]*, (?:den |am |le )?$"));

/// A tax number behind its caption, which is not the buyer's: `VAT Reg. No. GB 347 1902 97`.
fn says_vat_id(order: &ReadingOrder, candidate: &Candidate) -> bool {
    let before = &order.lines[candidate.line].text[..candidate.range.start];
    candidate.kind == Kind::TaxNumber && VAT_ID_CAPTION.is_match(before) && !OF_BUYER.is_match(before)
}

static VAT_ID_CAPTION: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?i)\b(?:v\.?a\.?t|ust(?:-?id(?:-?nr)?)?|tva|btw(?:-?nr)?|mwst|uid(?:-?nr)?|p\. ?iva|partita iva)\b[^,;|]{0,24}$")
});
/// `Your VAT no.`, `Ihre USt-IdNr.`
pub(super) static OF_BUYER: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)\b(?:your|customer|client|ihre?|votre|uw|buyer)\b"));

/// `Invoice No.`, `Rechnungsnummer:`, `Numéro de facture`, `Credit note`.
static NUMBER_CAPTION: LazyLock<Regex> = LazyLock::new(|| {
    let document = "(?:invoice|inv|facture|rechnungs?|gutschrifts?|avoir|credit(?: ?note)?|bill|factuur|creditnota)";
    let number = r"(?:no|nr|number|num[ée]ro|nummer|n°|id)";
    pattern(&format!(
        r"(?i)^\W*(?:(?:tax|vat|sales|commercial) )*(?:{document}[ .-]*{number}?|{number} de {document}|document {number}|(?:serie\W*)?n\W{{0,3}}(?:de )?factura|fattura n\W{{0,3}}|num[ée]ro)[\W_]*$"
    ))
});

/// `Date`, `Invoice date:`, `Rechnungsdatum`, `Date d'émission`, `Date/Tax point`.
static DATE_CAPTION: LazyLock<Regex> = LazyLock::new(|| {
    let of_document =
        "(?:(?:invoice|bill|document|credit note) date|date of (?:issue|invoice)|date issued|(?:rechnungs|beleg|gutschrifts)-?datum";
    pattern(&format!(
        r"(?i)^\W*{of_document}|date d.[ée]mission|ausgestellt am|date de (?:la )?facture|factuurdatum|date\W+tax point|tax point|(?:invoice\W+)tax date|posting date|fecha(?: de (?:la )?factura)?|data fattura)[\W_]*$"
    ))
});

/// `Due date`, `Fällig am`, `Échéance`, `Vervaldatum`.
static DUE_CAPTION: LazyLock<Regex> = LazyLock::new(|| {
    let words = "due(?: date| on)?|payment due(?: date)?|date due|pay by|fällig(?: am| bis)?|fälligkeit(?:sdatum)?|zahlbar bis|(?:date d.)?[ée]ch[ée]ance|vervaldatum|(?:please pay|payable|payment(?: due)?) by|[àa] r[ée]gler (?:avant )?le|zahlbar bis zum|vencimiento|(?:data )?scadenza|direct debit (?:will be taken )?on|by";
    pattern(&format!(r"(?i)^\W*(?:{words})[\W_]*$"))
});

/// The end of a sentence that says when money is taken: `It will be taken by direct debit on `, `We'll collect on `, `wird abgebucht am `.
static COLLECTED: LazyLock<Regex> = LazyLock::new(|| {
    let taken = "will be (?:taken|collected|debited)|direct debit|we.ll (?:collect|take)(?: it| payment)?|abgebucht|eingezogen|pr[ée]lev[ée]e?|afgeschreven|ge[iï]ncasseerd";
    pattern(&format!(r"(?i)(?:\b(?:{taken})\b[^.;\d]{{0,40}}\b(?:on|am|le|op|around)|^\W*taken on)\W*$"))
});

/// Captions stand at most this far above what they announce, in heights of its line.
const CAPTION_GAP_MAX: f32 = 1.5;

/// How far a value is believed, at least, whose caption says so.
const CAPTIONED: f32 = 0.9;

/// That such a date is the due date, at least, where the network is not this sure of any.
const SURE_DUE: f32 = 0.4;
const CAPTIONED_DUE: f32 = 0.7;

/// A later occurrence of the same value is taken when it is at least this probable beside the best.
const LATER_OCCURRENCE_SHARE: f32 = 0.1;

static CURRENCY: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?:^|[^A-Za-z])(?P<sign>RM|MYR|EUR|GBP|USD|CHF)(?:$|[^A-Za-z])|(?P<symbol>[€£$])"));

/// The code of a currency, of whose signs these are all that [`CURRENCY`] finds.
fn currency_of(sign: &str) -> &str {
    match sign {
        "€" => "EUR",
        "£" => "GBP",
        "$" => "USD",
        "RM" => "MYR",
        code => code,
    }
}

/// The currencies whose signs stand in the document, the most frequent first.
fn currencies(order: &ReadingOrder) -> Vec<Span> {
    let mut found: Vec<(usize, Span)> = Vec::new();
    let mut total = 0;
    for line in &order.lines {
        for sign in CURRENCY.captures_iter(&line.text).filter_map(|c| c.name("sign").or(c.name("symbol"))) {
            total += 1;
            match found.iter_mut().find(|(_, span)| currency_of(&span.text) == currency_of(sign.as_str())) {
                Some((count, _)) => *count += 1,
                None => found
                    .push((1, Span { text: sign.as_str().into(), page: line.page, quad: part_of(line, &sign.range()), probability: 0.0 })),
            }
        }
    }
    found.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
    let share = |(count, span): (usize, Span)| Span { probability: CURRENCY_PROBABILITY_MAX * count as f32 / total as f32, ..span };
    found.into_iter().map(share).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{candidates, testing};
    use super::*;

    /// How plausible the last candidate of the kind is that the role wants, in a line of its own.
    fn of(text: &str, role: Role) -> f32 {
        let (lines, pages) = testing::letter(text);
        let order = ReadingOrder::new(&lines, &pages);
        let line = order.lines.iter().position(|line| line.text == text).unwrap();
        let candidates = candidates::find(line, text);
        plausibility(&order, candidates.iter().rfind(|candidate| candidate.kind == role.kind()).unwrap(), role)
    }

    #[test]
    fn a_series_belongs_to_its_number_and_a_caption_does_not() {
        for (text, number) in [
            ("PSW 3071", "PSW 3071"),
            ("Credit note CN 30746", "CN 30746"),
            ("A26 / 004871", "A26 / 004871"),
            ("Invoice No 30746", "30746"),
            ("INV 30746", "30746"),
            ("NR 30746", "30746"),
            ("FC 26 00752", "FC 26 00752"),
            ("61 189 939", "61 189 939"),
            ("Rechnungs-Nr. 61 189 939 - Seite 2", "61 189 939"),
            ("N° pièce 12 8438", "12 8438"),
            ("Table 12, 8438", "8438"),
        ] {
            let (lines, pages) = testing::letter(text);
            let order = ReadingOrder::new(&lines, &pages);
            let line = order.lines.iter().position(|line| line.text == text).unwrap();
            let candidates = candidates::find(line, text);
            let last = candidates.iter().rfind(|candidate| candidate.kind == Kind::Identifier).unwrap();
            assert_eq!(&text[with_series(&order, last).range], number, "{text}");
        }
    }

    #[test]
    fn words_before_a_value_speak_against_it() {
        for (text, role, plausible) in [
            ("21/03/2018", Role::IssueDate, 1.0),
            ("ORD #18 -REG #19- 21/03/2018", Role::IssueDate, 1.0),
            ("REG 2- 24/06/2018", Role::IssueDate, 1.0),
            ("Order date 21/03/2018", Role::IssueDate, OTHER_DATE),
            ("ORD #18 delivered 21/03/2018", Role::IssueDate, OTHER_DATE),
            ("Devis D26-0141 signé le 14/02/2026", Role::IssueDate, OTHER_DATE),
            ("Sur facture FV26/02915 du 18/03/2026", Role::IssueDate, OTHER_DATE),
            ("3 - 28 Feb 2026", Role::IssueDate, OF_PERIOD),
            ("1 Jan - 28 Feb 2026", Role::IssueDate, OF_PERIOD),
            ("in the four weeks to 28th February 2026", Role::IssueDate, OF_PERIOD),
            ("01.02. bis 28.02.2026", Role::IssueDate, OF_PERIOD),
            ("TOTAL 6% SUPPLIES (INC. GST): 16.79", Role::Gross, OF_ONE_RATE),
            ("TOTAL 6% SUPPLIES (EXCL. GST): 15.84", Role::Net, OF_ONE_RATE),
            ("TOTAL INCL 6% GST: 16.79", Role::Gross, 1.0),
            ("TOTAL PAYABLE: 39.78", Role::Gross, 1.0),
            ("Invoice DO29700", Role::InvoiceNumber, OTHER_NUMBER),
            ("VAT no. IE7150928UF", Role::InvoiceNumber, OTHER_NUMBER),
            ("Invoice DX29700", Role::InvoiceNumber, 1.0),
        ] {
            assert_eq!(of(text, role), plausible, "{text}");
        }
    }
}
