//! Rows of a VAT summary, found where a rate, a net amount and its tax stand in one row and agree.

use std::ops::Range;

use super::beliefs::Beliefs;
use super::candidates::{Candidate, Kind};
use super::draft::{Span, VatRow};
use super::keywords::{Keyword, KeywordSet};
use super::labels::{Role, Tag};
use super::rows::ReadingOrder;
use crate::geometry::Quad;
use crate::text::words_in_place;

/// Rates that a bare number may be, in hundredths of a percent: those of Ireland, Britain, Germany, France, Spain, Malaysia and neighbours.
const RATES_BARE: [i64; 25] = [
    0, 210, 400, 480, 500, 550, 600, 700, 800, 810, 900, 1000, 1200, 1300, 1350, 1500, 1700, 1900, 2000, 2100, 2200, 2300, 2400, 2500, 2550,
];

/// Whether these are hundredths of a percent that some country's VAT is.
pub(super) fn is_common(rate: i64) -> bool {
    RATES_BARE.contains(&rate)
}

/// A printed tax may differ from net x rate by this much, in hundredths of the currency.
const TAX_TOLERANCE: i64 = 1;

/// A rate is in hundredths of a percent.
const RATE_SCALE: i64 = 10_000;

/// Rows below the captions of a VAT table that are still part of it.
const TABLE_ROWS_MAX: usize = 8;

/// Captions of a VAT table beside which other words may stand.
const TABLE_CAPTIONS_MIN: usize = 4;

/// Rows of a table may be set a little apart; they are one where they share this much of the lower one's height.
const SAME_BAND_OVERLAP: f32 = 0.25;

/// One row a rate, in reading order; `span` says where a candidate stands.
pub(super) fn rows(
    order: &ReadingOrder,
    candidates: &[Candidate],
    beliefs: &Beliefs,
    span: impl Fn(&Candidate, f32) -> Span,
) -> Vec<VatRow> {
    let bands = bands(order, beliefs);
    let document = Taxed::of(candidates, beliefs);
    let mut found = agreeing_rows(order, candidates, &bands, &span, |band| band.is_of_tax() || band.is_summary());
    if let Some(document) = document.as_ref().filter(|document| !document.is_sum_of(&found)) {
        // Rows that nothing announces prove themselves by their sum.
        let all = agreeing_rows(order, candidates, &under_rates(&bands, candidates), &span, |_| true);
        if document.is_sum_of(&all) {
            found = all;
        }
    }
    let amounts = amounts_by_rate(order, &bands, candidates);
    if document.as_ref().is_some_and(|document| !document.is_sum_of(&found) && document.confirms(&amounts)) {
        let summaries = bands.iter().filter(|band| band.is_summary());
        let sums: Vec<&Candidate> = summaries.flat_map(|band| band.in_row(Kind::Amount, candidates)).collect();
        found = amounts.iter().map(|(rate, amount)| with_net(rate, amount, &sums, &span)).collect();
    }
    let untaxed = document.and_then(|document| untaxed(&document, &bands, candidates, &found, &span));
    found.into_iter().chain(untaxed).map(|found| found.row).collect()
}

/// A rate and its tax, with a printed sum that they are of.
fn with_net(rate: &Candidate, amount: &Candidate, sums: &[&Candidate], span: impl Fn(&Candidate, f32) -> Span) -> Found {
    let net = sums.iter().find(|net| **net != amount && rate.value > 0 && agrees(rate.value, net.value, amount.value));
    let cell = |candidate: &Candidate| Some(span(candidate, CONFIRMED_PROBABILITY));
    let row = VatRow { rate: cell(rate), net: net.and_then(|net| cell(net)), amount: cell(amount) };
    Found { rate: rate.value, net: net.map(|net| net.value), tax: amount.value, of_tax: true, row }
}

/// `ZERO RATED 0% 766.02`: what is left of the net, beside a rate of nothing, with no tax printed.
fn untaxed(
    document: &Taxed,
    bands: &[Band],
    candidates: &[Candidate],
    found: &[Found],
    span: impl Fn(&Candidate, f32) -> Span,
) -> Option<Found> {
    if found.is_empty() || found.iter().any(|found| found.rate == 0) {
        return None;
    }
    let taxed = found.iter().map(|found| found.net).try_fold(0i64, |sum, net| sum.checked_add(net?))?;
    let rests = [document.net, document.gross.saturating_sub(sum_of(found))].map(|net| net.saturating_sub(taxed));
    bands.iter().filter(|band| band.is_summary()).find_map(|band| {
        let [net] = band.in_row(Kind::Amount, candidates).collect::<Vec<_>>()[..] else { return None };
        let rate = band.in_row(Kind::Rate, candidates).find(|rate| rate.value == 0)?;
        let cell = |candidate: &Candidate| Some(span(candidate, CONFIRMED_PROBABILITY));
        let row = VatRow { rate: cell(rate), net: cell(net), amount: None };
        (net.value != 0 && rests.contains(&net.value)).then_some(Found { rate: 0, net: Some(net.value), tax: 0, of_tax: true, row })
    })
}

/// Of the taxes.
fn sum_of(found: &[Found]) -> i64 {
    found.iter().fold(0, |sum, found| sum.saturating_add(found.tax))
}

/// The same, where a row has rates but no amounts with the row below: `VAT 1 = 9%, net | VAT 2 = 21%, net` are captions.
fn under_rates(bands: &[Band], candidates: &[Candidate]) -> Vec<Band> {
    let has = |band: &Band, kind: Kind| band.in_row(kind, candidates).next().is_some();
    let lines = |(at, band): (usize, &Band)| match bands.get(at + 1) {
        Some(below) if has(band, Kind::Rate) && !has(band, Kind::Amount) => band.row.start..below.row.end,
        _ => band.lines.clone(),
    };
    bands.iter().enumerate().map(|(at, band)| Band { lines: lines((at, band)), row: band.row.clone(), ..*band }).collect()
}

/// One row a rate, of the bands that may hold them.
fn agreeing_rows(
    order: &ReadingOrder,
    candidates: &[Candidate],
    bands: &[Band],
    span: impl Fn(&Candidate, f32) -> Span,
    may_hold: impl Fn(&Band) -> bool,
) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    for band in bands.iter().filter(|band| may_hold(band)) {
        let printed: Vec<&Candidate> = candidates.iter().filter(|c| band.lines.contains(&c.line)).collect();
        let signed = printed.iter().any(|c| c.kind == Kind::Rate);
        let whole = |line: usize| whole_rates(line, &order.lines[line].text, band.is_of_tax());
        let whole: Vec<Candidate> = if signed { Vec::new() } else { band.lines.clone().flat_map(whole).collect() };
        let in_band: Vec<&Candidate> = printed.into_iter().chain(&whole).collect();
        let mut left = in_band;
        // One line may tell of several rates.
        while let Some((rate, net, tax)) = agreeing(&left) {
            let cell = |candidate: &Candidate| Some(span(candidate, band.summary.max(TABLE_PROBABILITY_MIN)));
            let row = VatRow { rate: cell(rate), net: cell(net), amount: cell(tax) };
            keep(&mut found, Found { rate: rate.value, net: Some(net.value), tax: tax.value, of_tax: band.is_of_tax(), row });
            left.retain(|candidate| ![rate, net, tax].contains(candidate));
        }
    }
    found
}

/// A row with the values of its cells.
struct Found {
    rate: i64,
    net: Option<i64>,
    tax: i64,
    of_tax: bool,
    row: VatRow,
}

/// One row a rate. Of five pieces the price is the fifth of the total, as if that were their tax: so rows that say tax come first, and then
/// the one of the largest net, for those of goods are its parts.
fn keep(found: &mut Vec<Found>, new: Found) {
    let worth = |found: &Found| (found.of_tax, found.net.map(i64::saturating_abs));
    match found.iter_mut().find(|known| known.rate == new.rate) {
        Some(known) if worth(&new) > worth(known) => *known = new,
        Some(_) => {}
        None => found.push(new),
    }
}

/// How far the cells of a row are believed at least whose arithmetic holds.
const TABLE_PROBABILITY_MIN: f32 = 0.5;
/// How far rates and amounts are believed whose sum is printed too.
const CONFIRMED_PROBABILITY: f32 = 0.9;

/// Lines side by side.
struct Band {
    /// Of the row alone.
    row: Range<usize>,
    /// With those a little lower.
    lines: Range<usize>,
    says_tax: bool,
    /// Below captions of a table of taxes.
    in_table: bool,
    summary: f32,
    item: f32,
}

impl Band {
    fn is_of_tax(&self) -> bool {
        self.says_tax || self.in_table
    }

    /// Rather sums than goods.
    fn is_summary(&self) -> bool {
        self.summary >= self.item
    }

    /// The candidates of a kind in the row alone.
    fn in_row<'a>(&self, kind: Kind, candidates: &'a [Candidate]) -> impl Iterator<Item = &'a Candidate> + use<'a> {
        let row = self.row.clone();
        candidates.iter().filter(move |c| c.kind == kind && row.contains(&c.line))
    }
}

/// Captions of a table of goods, one of whose columns is the VAT's.
const OF_GOODS: [Keyword; 3] = [Keyword::Quantity, Keyword::Price, Keyword::Items];

/// Each row, with the next one where that stands only a little lower.
fn bands(order: &ReadingOrder, beliefs: &Beliefs) -> Vec<Band> {
    let tag = |row: &Range<usize>, tag: Tag| row.clone().map(|line| beliefs.tags[line][tag as usize]).fold(0.0, f32::max);
    let mut table_rows_left = 0;
    let mut bands = Vec::with_capacity(order.rows.len());
    for (i, row) in order.rows.iter().enumerate() {
        let text = order.text(row.clone());
        let said = KeywordSet::find(&text);
        let says_tax = said.has(Keyword::Tax);
        // Sums may stand beside them.
        let without_digits: Vec<&str> =
            row.clone().map(|line| order.lines[line].text.as_str()).filter(|text| !text.contains(|c: char| c.is_ascii_digit())).collect();
        let captions = row.len() > 1 && (without_digits.len() == row.len() || without_digits.len() >= TABLE_CAPTIONS_MIN);
        let announced = KeywordSet::find(&without_digits.join(" "));
        // `Code .. Description .. Rate .. Net .. VAT` describes rates.
        let of_rates = announced.has(Keyword::Rate) && announced.has_any(&[Keyword::Net, Keyword::Amount]);
        let of_goods = announced.has_any(&OF_GOODS) || announced.has(Keyword::Description) && !of_rates;
        table_rows_left = match (captions, of_goods) {
            (true, false) if says_tax => TABLE_ROWS_MAX,
            // Another table begins.
            (true, true) => 0,
            _ => usize::saturating_sub(table_rows_left, 1),
        };
        let below = order.row_at(i, 1).filter(|below| overlap(order, row, below) >= SAME_BAND_OVERLAP);
        bands.push(Band {
            row: row.clone(),
            lines: row.start..below.map_or(row.end, |below| below.end),
            says_tax,
            in_table: table_rows_left > 0,
            summary: tag(row, Tag::Summary),
            item: tag(row, Tag::Item),
        });
    }
    bands
}

/// The share of the lower row's height that both cover.
fn overlap(order: &ReadingOrder, row: &Range<usize>, below: &Range<usize>) -> f32 {
    let edge = |row: &Range<usize>, side: fn(&Quad) -> f32, pick: fn(f32, f32) -> f32| {
        order.lines[row.clone()].iter().map(|line| side(&line.quad)).reduce(pick).unwrap_or_default()
    };
    let (top, bottom) = (edge(below, Quad::top, f32::min), edge(below, Quad::bottom, f32::max));
    (edge(row, Quad::bottom, f32::max) - top) / (bottom - top).max(1.0)
}

/// `VAT 23% 405.50`: rows that say tax, with one rate and one amount. The rate's sign may be missing behind the word: `VAT 13.50`.
fn amounts_by_rate(order: &ReadingOrder, bands: &[Band], candidates: &[Candidate]) -> Vec<(Candidate, Candidate)> {
    let of_tax = || bands.iter().filter(|band| band.says_tax && band.is_summary());
    let in_row = of_tax().filter_map(|band| rate_and_amount(order, &band.row, candidates));
    let in_lines = of_tax().filter_map(|band| rate_and_amount(order, &band.lines, candidates));
    let above = of_tax().flat_map(|band| rates_above_amounts(order, &band.row, candidates));
    let mut rows: Vec<(Candidate, Candidate)> = Vec::new();
    for found in in_row.chain(in_lines).chain(above) {
        if rows.iter().all(|(known, _)| known.value != found.0.value) {
            rows.push(found);
        }
    }
    rows
}

/// The only rate and the only amount of these lines.
fn rate_and_amount(order: &ReadingOrder, lines: &Range<usize>, candidates: &[Candidate]) -> Option<(Candidate, Candidate)> {
    let of_kind = |kind: Kind| candidates.iter().filter(move |c| c.kind == kind && lines.contains(&c.line)).cloned();
    let rates: Vec<Candidate> = match of_kind(Kind::Rate).collect::<Vec<_>>() {
        signed if signed.is_empty() => lines.clone().filter_map(|line| rate_behind_tax(line, &order.lines[line].text)).collect(),
        signed => signed,
    };
    let [rate] = rates.as_slice() else { return None };
    let is_rate = |amount: &Candidate| amount.line == rate.line && amount.range.start == rate.range.start;
    let amounts: Vec<Candidate> = of_kind(Kind::Amount).filter(|amount| !is_rate(amount)).collect();
    let [amount] = amounts.as_slice() else { return None };
    Some((rate.clone(), amount.clone()))
}

/// The only rate of each line that says tax and, where no amount stands beside them, the amount below it.
fn rates_above_amounts(order: &ReadingOrder, row: &Range<usize>, candidates: &[Candidate]) -> Vec<(Candidate, Candidate)> {
    let in_line = |kind: Kind, line: usize| candidates.iter().filter(move |c| c.kind == kind && c.line == line).collect::<Vec<_>>();
    if row.clone().any(|line| !in_line(Kind::Amount, line).is_empty()) {
        return Vec::new();
    }
    let says_tax = |line: &usize| row.len() == 1 || KeywordSet::find(&order.lines[*line].text).has(Keyword::Tax);
    let pair = |line: usize| {
        let [rate] = in_line(Kind::Rate, line)[..] else { return None };
        let [amount] = in_line(Kind::Amount, order.in_column(line, 1).next()?)[..] else { return None };
        Some((rate.clone(), amount.clone()))
    };
    row.clone().filter(says_tax).filter_map(pair).collect()
}

/// A bare number of a line that says nothing but tax and it, if it is a rate that some country has.
fn rate_behind_tax(line: usize, text: &str) -> Option<Candidate> {
    let (caption, number) = text.trim_end().rsplit_once(' ')?;
    let says_tax_alone = KeywordSet::find(caption).has(Keyword::Tax) && !caption.contains(|c: char| c.is_ascii_digit());
    let (whole, fraction) = number.split_once(['.', ',']).unwrap_or((number, ""));
    let digits = says_tax_alone && !whole.is_empty() && whole.len() <= 2 && fraction.len() <= 2;
    let value = format!("{whole}{fraction:0<2}").parse::<i64>().ok().filter(|value| digits && RATES_BARE.contains(value))?;
    let start = caption.len() + 1;
    Some(Candidate { kind: Kind::Rate, line, range: start..start + number.len(), value })
}

/// The document's sums as they are most believed.
struct Taxed {
    net: i64,
    vat: i64,
    gross: i64,
}

impl Taxed {
    fn of(candidates: &[Candidate], beliefs: &Beliefs) -> Option<Self> {
        let best = |role: Role| {
            let rivals = (0..candidates.len()).filter(|&i| candidates[i].kind == Kind::Amount);
            rivals.max_by(|&a, &b| beliefs.roles[a][role as usize].total_cmp(&beliefs.roles[b][role as usize])).map(|i| candidates[i].value)
        };
        Some(Self { net: best(Role::Net)?, vat: best(Role::Vat)?, gross: best(Role::Gross)? })
    }

    /// Whether the VAT is the sum of these rows' taxes.
    fn is_sum_of(&self, found: &[Found]) -> bool {
        !found.is_empty() && self.is_vat(sum_of(found))
    }

    /// Whether this is the VAT, as it is printed or as gross less net; of a credit note it may be negative.
    fn is_vat(&self, sum: i64) -> bool {
        let close = |vat: i64| vat.saturating_abs().abs_diff(sum.saturating_abs()) <= TAX_TOLERANCE.unsigned_abs();
        close(self.vat) || close(self.gross.saturating_sub(self.net))
    }

    /// One amount alone may be the net that the rate is of: then it makes another VAT.
    fn confirms(&self, amounts: &[(Candidate, Candidate)]) -> bool {
        // Some of the net may bear no tax.
        let is_of_part = |rate: i64, amount: i64| {
            amount == self.gross.saturating_sub(self.net) && amount.saturating_mul(RATE_SCALE) <= self.net.saturating_mul(rate)
        };
        let is_tax_of_net = |(rate, amount): &(Candidate, Candidate)| {
            amounts.len() > 1 || agrees(rate.value, self.net, amount.value) || is_of_part(rate.value, amount.value)
        };
        let sum = amounts.iter().fold(0i64, |sum, (_, amount)| sum.saturating_add(amount.value));
        !amounts.is_empty() && self.is_vat(sum) && amounts.iter().all(is_tax_of_net)
    }
}

/// Numbers that may be a rate whose sign stands in the column's caption: `19`, `19,0`. 0 is too frequent to be one everywhere.
fn whole_rates(line: usize, text: &str, with_zero: bool) -> Vec<Candidate> {
    let rate = |(range, word): (Range<usize>, &str)| {
        let (whole, tenths) = word.split_once([',', '.']).unwrap_or((word, "0"));
        let digits = |text: &str, most: usize| text.parse::<u8>().ok().map(i64::from).filter(|_| text.len() <= most);
        let value = 100 * digits(whole, 2)? + 10 * digits(tenths, 1)?;
        ((value > 0 || with_zero) && RATES_BARE.contains(&value)).then_some(Candidate { kind: Kind::Rate, line, range, value })
    };
    words_in_place(text).filter_map(rate).collect()
}

/// Rate, net and tax of one row with tax = net x rate. Where a number has the sign of a rate, no other is one.
fn agreeing<'a>(row: &[&'a Candidate]) -> Option<(&'a Candidate, &'a Candidate, &'a Candidate)> {
    let rates = || row.iter().filter(|c| c.kind == Kind::Rate);
    let bare = row.iter().filter(|c| c.kind == Kind::Amount && RATES_BARE.contains(&c.value) && rates().next().is_none());
    let amounts = || row.iter().filter(|c| c.kind == Kind::Amount);
    for rate in rates().chain(bare) {
        for net in amounts().filter(|net| net.value != 0 && *net != rate) {
            let tax = amounts().find(|tax| *tax != net && *tax != rate && agrees(rate.value, net.value, tax.value));
            if let Some(tax) = tax {
                // Nothing is the tax of all: the net that discounts left stands right before it.
                let before = amounts().take_while(|other| *other != tax).filter(|before| *before != rate && before.value != 0).last();
                let net = before.filter(|_| rate.value == 0).unwrap_or(net);
                return Some((rate, net, tax));
            }
        }
    }
    None
}

/// Whether a tax is net x rate, to a cent; rates in hundredths of a percent.
pub(super) fn agrees(rate: i64, net: i64, tax: i64) -> bool {
    let exact = net.saturating_mul(rate);
    (exact - tax.saturating_mul(RATE_SCALE)).abs() <= TAX_TOLERANCE * RATE_SCALE + RATE_SCALE / 2
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::understand::candidates;

    #[test]
    fn a_number_behind_the_word_may_be_the_rate() {
        for (text, rate) in [
            ("VAT 13.50", Some(1350)),
            ("VAT 23", Some(2300)),
            ("MwSt 0", Some(0)),
            ("VAT 14.00", None),
            ("VAT 332.72", None),
            ("VAT Total", None),
            ("VAT No. 9 23", None),
            ("Total 23", None),
        ] {
            assert_eq!(rate_behind_tax(0, text).map(|rate| rate.value), rate, "{text}");
        }
    }

    #[test]
    fn of_rows_of_one_rate_those_of_tax_and_of_the_largest_net_are_kept() {
        let mut found = Vec::new();
        for (rate, net, of_tax) in [(2000, 3090, false), (2000, 72_939, true), (2000, 90_000, false), (0, 100, true), (0, 8760, true)] {
            keep(
                &mut found,
                Found { rate, net: Some(net), tax: net * rate / RATE_SCALE, of_tax, row: VatRow { rate: None, net: None, amount: None } },
            );
        }
        assert_eq!(found.iter().map(|found| (found.rate, found.net)).collect::<Vec<_>>(), [(2000, Some(72_939)), (0, Some(8760))]);
    }

    /// Bands of the lines of a document, one below the other, none of which is known to be of tax, and their candidates.
    fn summary(lines: &[&str]) -> (Vec<Band>, Vec<Candidate>) {
        let band =
            |line: usize| Band { row: line..line + 1, lines: line..line + 1, says_tax: false, in_table: false, summary: 0.9, item: 0.1 };
        let found = lines.iter().enumerate().flat_map(|(line, text)| candidates::find(line, text));
        ((0..lines.len()).map(band).collect(), found.collect())
    }

    fn no_span(_: &Candidate, probability: f32) -> Span {
        Span { text: String::new(), page: 0, quad: Quad::from_edges(0.0, 0.0, 1.0, 1.0), probability }
    }

    #[test]
    fn what_bears_no_tax_is_what_is_left_of_the_net() {
        let lines = ["ZERO RATED 0% 766.02", "TAXABLE (H) 392.25", "HST 13% (H) 50.99", "TOTAL CAD 1,209.26"];
        let (bands, candidates) = summary(&lines);
        let of = |kind: Kind, value: i64| candidates.iter().find(|c| c.kind == kind && c.value == value).unwrap();
        let sums: Vec<&Candidate> = candidates.iter().filter(|c| c.kind == Kind::Amount).collect();
        let taxed = with_net(of(Kind::Rate, 1300), of(Kind::Amount, 5099), &sums, no_span);
        assert_eq!((taxed.rate, taxed.net, taxed.tax), (1300, Some(39_225), 5099));
        for (document, expected) in [
            (Taxed { net: 115_827, vat: 5099, gross: 120_926 }, Some(76_602)),
            (Taxed { net: 39_225, vat: 5099, gross: 120_926 }, Some(76_602)),
            (Taxed { net: 39_225, vat: 5099, gross: 44_324 }, None),
        ] {
            let rest = untaxed(&document, &bands, &candidates, std::slice::from_ref(&taxed), no_span);
            assert_eq!(rest.and_then(|rest| rest.net), expected);
        }
    }

    #[test]
    fn rates_may_stand_above_their_amounts() {
        let (bands, candidates) = summary(&["Btw 1 = 9%, grondslag Btw 2 = 21%", "475,16 42,76 180,90 37,99", "Totaal 10,00"]);
        let lines = under_rates(&bands, &candidates).into_iter().map(|band| band.lines).collect::<Vec<_>>();
        assert_eq!(lines, [0..2, 1..2, 2..3]);
    }

    #[test]
    fn taxes_count_where_they_make_the_documents_vat() {
        let document = Taxed { net: 162_604, vat: 37_223, gross: 199_827 };
        let rows = |rows: &[(i64, i64)]| -> Vec<(Candidate, Candidate)> {
            let candidate = |kind, value| Candidate { kind, line: 0, range: 0..1, value };
            rows.iter().map(|(rate, tax)| (candidate(Kind::Rate, *rate), candidate(Kind::Amount, *tax))).collect()
        };
        assert!(document.confirms(&rows(&[(2300, 36_972), (1350, 251)])));
        assert!(!document.confirms(&rows(&[(2300, 36_972)])), "a part");
        assert!(!document.confirms(&rows(&[(2000, 37_223)])), "another rate");
        assert!(!document.confirms(&[]));
        assert!(document.is_vat(-37_223), "of a credit note");
        let with_deposits = Taxed { net: 132_588, vat: 21_718, gross: 154_306 };
        assert!(with_deposits.confirms(&rows(&[(2000, 21_718)])), "some of the net bears no tax");
    }

    #[test]
    fn a_row_agrees_when_tax_is_net_times_rate() {
        let cases = [
            ("VAT 23% 100.00 23.00", Some(["23%", "100.00", "23.00"])),
            ("A 13.50 200.00 27.00", Some(["13.50", "200.00", "27.00"])),
            ("SR @ 6% 37.55 2.25", Some(["6%", "37.55", "2.25"])),
            ("ZR 0% 12.00 0.00", Some(["0%", "12.00", "0.00"])),
            ("ZERO 0% 89.85 2.25 87.60 0.00 150.00", Some(["0%", "87.60", "0.00"])),
            ("VAT 23% 100.00 24.00", None),
            ("TOTAL 100.00 23.00", None),
            ("VAT (S) 275,00 7 19,25", Some(["7", "275,00", "19,25"])),
            ("3 ITEMS 0 12.00 0.00", None),
            ("VAT (E) 50,00 0 0,00", Some(["0", "50,00", "0,00"])),
            ("19,0 -4,85 -0,92", Some(["19,0", "-4,85", "-0,92"])),
            ("10 Stk 0 % 100,00 1000,00", None),
        ];
        for (text, expected) in cases {
            let (all, whole) = (candidates::find(0, text), whole_rates(0, text, text.contains("VAT")));
            let signed = all.iter().any(|c| c.kind == Kind::Rate);
            let row: Vec<&Candidate> = all.iter().chain(whole.iter().filter(|_| !signed)).collect();
            let found = agreeing(&row).map(|(rate, net, tax)| [rate, net, tax].map(|c| &text[c.range.clone()]));
            assert_eq!(found, expected, "{text}");
        }
    }
}
