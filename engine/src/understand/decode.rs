//! From probabilities to the draft: names and addresses from whole lines, values from candidates.

use std::sync::LazyLock;

use regex::Regex;

use super::beliefs::Beliefs;
use super::candidates::{Candidate, Kind, pattern};
use super::draft::{DocumentType, Draft, HeaderField, Span};
use super::keywords::{Keyword, KeywordSet};
use super::labels::{BlockField, DOCUMENT_TYPES, Role};
use super::rows::{ReadingOrder, part_of};
use super::runs::Run;
use super::{items, kind, names, payment, vat};
use crate::text::all_right;

/// Values a field that go on to reconciliation.
const VALUES_A_FIELD_MAX: usize = 5;

/// Less probable values are dropped.
const PROBABILITY_MIN: f32 = 0.01;

/// How far the share of a currency's signs among all of them is believed.
const CURRENCY_PROBABILITY_MAX: f32 = 0.98;

pub(super) fn draft(order: &ReadingOrder, candidates: &[Candidate], runs: &[Run], beliefs: &Beliefs) -> Draft {
    let types = kind::probabilities(order, candidates, beliefs.types);
    let (best, probability) = types.iter().enumerate().fold((0, 0.0), |best, (i, p)| if *p > best.1 { (i, *p) } else { best });
    let mut header: Vec<(HeaderField, Span)> = Vec::new();
    for field in BlockField::ALL {
        header.extend(names::blocks(order, runs, beliefs, field).into_iter().map(|span| (field.field(), span)));
    }
    for role in Role::ALL {
        header.extend(values(order, candidates, beliefs, role).into_iter().map(|span| (role.field(), span)));
    }
    header.extend(currencies(order).into_iter().map(|span| (HeaderField::Currency, span)));
    let document_type = DOCUMENT_TYPES[best];
    let of_trade = document_type != DocumentType::Other;
    Draft {
        document_type,
        document_type_probability: probability,
        header,
        items: if of_trade { items::items(order, beliefs, document_type != DocumentType::DeliveryDocket) } else { Vec::new() },
        vat: if of_trade { vat::rows(order, candidates, beliefs, |candidate, p| span(order, candidate, p)) } else { Vec::new() },
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
    let believed = |(roles, candidate): (&[f32; Role::COUNT], &Candidate)| roles[role as usize] * plausibility(order, candidate, role);
    let mut believed: Vec<f32> = beliefs.roles.iter().zip(candidates).map(believed).collect();
    if role == Role::DueDate && believed.iter().all(|probability| *probability < SURE_DUE) {
        let due = believed.iter_mut().zip(candidates).filter(|(_, candidate)| says_due(order, candidate));
        due.for_each(|(probability, _)| *probability = probability.max(CAPTIONED_DUE));
    }
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
    values.into_iter().map(|(_, place, probability)| span(order, &candidates[place], probability)).collect()
}

/// How much less a date is believed beside a caption of another one, and at the end of a period.
const OTHER_DATE: f32 = 0.1;
const END_OF_PERIOD: f32 = 0.05;

/// How much less the sum of the goods of one rate is believed to be the document's.
const OF_ONE_RATE: f32 = 0.02;

/// What stands before the end of a period: `3 Jan - `, `01.02. bis `.
static PERIOD: LazyLock<Regex> = LazyLock::new(|| {
    let month = r"(?:jan|feb|m[aä]r|apr|ma[iy]|ju[nl]|aug|sep|o[ck]t|nov|de[cz])[a-z]*\.?";
    pattern(&format!(r"(?i)(?:{month} ?\d{{0,2}}|\d{{1,2}}[./]\d{{1,2}}[./]?),?(?: ?\d{{2,4}})?{TO}"))
});

/// The same, before a date that names its month: `3rd - `. Before other dates it is a number of something else: `REG #19- 21/03/2018`.
static PERIOD_OF_DAYS: LazyLock<Regex> = LazyLock::new(|| pattern(&format!(r"(?i)\b\d{{1,2}}(?:st|nd|rd|th)?,?{TO}")));

const TO: &str = r" ?(?:[–—-]|to|bis|au)\s*$";

/// `TOTAL 6% SUPPLIES (INC. GST)`, beside what is not taxed.
static SUPPLIES: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)\d ?% (?:rated )?suppl(?:y|ies)\b"));

/// A number with a sign of its own, and all before it: `ORD #18 -REG #19- `.
static NUMBERED: LazyLock<Regex> = LazyLock::new(|| pattern(r"^.*# ?\d+"));

/// What the words around a value say against its role.
fn plausibility(order: &ReadingOrder, candidate: &Candidate, role: Role) -> f32 {
    match role {
        Role::IssueDate | Role::DueDate => plausibility_of_date(order, candidate, role),
        Role::Net | Role::Gross if SUPPLIES.is_match(caption(order, candidate)) => OF_ONE_RATE,
        _ => 1.0,
    }
}

fn plausibility_of_date(order: &ReadingOrder, candidate: &Candidate, role: Role) -> f32 {
    let (before, date) = order.lines[candidate.line].text[..candidate.range.end].split_at(candidate.range.start);
    let ends_period = PERIOD.is_match(before) || (date.chars().any(char::is_alphabetic) && PERIOD_OF_DAYS.is_match(before));
    let period = if ends_period { END_OF_PERIOD } else { 1.0 };
    let said = said_before(order, candidate);
    let other =
        role == Role::IssueDate && said.has_any(&[Keyword::Delivery, Keyword::Order, Keyword::Terms]) && !said.has(Keyword::Invoice);
    period * if other { OTHER_DATE } else { 1.0 }
}

/// What stands before a candidate: in its line, else in the line before it in the row.
fn caption<'a>(order: &ReadingOrder<'a>, candidate: &Candidate) -> &'a str {
    let own = &order.lines[candidate.line].text[..candidate.range.start];
    let before = (order.row(candidate.line).start..candidate.line).last().map_or("", |line| order.lines[line].text.as_str());
    if own.chars().any(char::is_alphabetic) { own } else { before }
}

/// What the words of its caption say, but for those that a number of their own explains.
fn said_before(order: &ReadingOrder, candidate: &Candidate) -> KeywordSet {
    let caption = caption(order, candidate);
    KeywordSet::find(&caption[NUMBERED.find(caption).map_or(0, |numbered| numbered.end())..])
}

/// A date behind words that say it is due, and no other's.
pub(super) fn says_due(order: &ReadingOrder, candidate: &Candidate) -> bool {
    let said = said_before(order, candidate);
    candidate.kind == Kind::Date && said.has_any(&[Keyword::Due, Keyword::Terms]) && !said.has_any(&[Keyword::Delivery, Keyword::Order])
}

/// That such a date is the due date, at least, where the network is not this sure of any.
const SURE_DUE: f32 = 0.2;
const CAPTIONED_DUE: f32 = 0.5;

/// A later occurrence of the same value is taken when it is at least this probable beside the best.
const LATER_OCCURRENCE_SHARE: f32 = 0.1;

static CURRENCY: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?:^|[^A-Za-z])(?P<sign>RM|MYR|EUR|GBP|USD|CHF)(?:$|[^A-Za-z])|(?P<symbol>[€£$])"));

/// The currencies whose signs stand in the document, the most frequent first.
fn currencies(order: &ReadingOrder) -> Vec<Span> {
    let mut found: Vec<(usize, Span)> = Vec::new();
    let mut total = 0;
    for line in &order.lines {
        for sign in CURRENCY.captures_iter(&line.text).filter_map(|c| c.name("sign").or(c.name("symbol"))) {
            total += 1;
            match found.iter_mut().find(|(_, span)| span.text == sign.as_str()) {
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
    fn words_before_a_value_speak_against_it() {
        for (text, role, plausible) in [
            ("21/03/2018", Role::IssueDate, 1.0),
            ("ORD #18 -REG #19- 21/03/2018", Role::IssueDate, 1.0),
            ("REG 2- 24/06/2018", Role::IssueDate, 1.0),
            ("Order date 21/03/2018", Role::IssueDate, OTHER_DATE),
            ("ORD #18 delivered 21/03/2018", Role::IssueDate, OTHER_DATE),
            ("3 - 28 Feb 2026", Role::IssueDate, END_OF_PERIOD),
            ("1 Jan - 28 Feb 2026", Role::IssueDate, END_OF_PERIOD),
            ("01.02. bis 28.02.2026", Role::IssueDate, END_OF_PERIOD),
            ("TOTAL 6% SUPPLIES (INC. GST): 16.79", Role::Gross, OF_ONE_RATE),
            ("TOTAL 6% SUPPLIES (EXCL. GST): 15.84", Role::Net, OF_ONE_RATE),
            ("TOTAL INCL 6% GST: 16.79", Role::Gross, 1.0),
            ("TOTAL PAYABLE: 39.78", Role::Gross, 1.0),
        ] {
            assert_eq!(of(text, role), plausible, "{text}");
        }
    }
}
