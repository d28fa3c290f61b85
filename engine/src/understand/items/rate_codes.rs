//! Codes that stand for rates of VAT beside the goods (`A`, `S`, `T1`, `2`, `*`), told by what explains them elsewhere: a row of the VAT summary
//! (`A | 23.00 % | 95.93 | 22.06`) or a line of its own (`H = 21 % hoog`); without either, by the goods of one code that make the net of a rate.

use crate::pattern::pattern;
use std::sync::LazyLock;

use regex::Regex;

use super::cells::{CENT, Cell, Number, ONE, Word, plain_words};
use super::{Goods, MOST};
use crate::understand::draft::{Column, RateCode, VatRow};
use crate::understand::keywords::{Keyword, KeywordSet};
use crate::understand::rows::ReadingOrder;
use crate::understand::vat;

/// Codes of one column stand below each other this closely, in heights of a line.
const COLUMN_WIDTH_MAX: f32 = 1.2;
/// Where nothing explains the codes, of so many the arithmetic does.
const CODES_MAX: usize = 5;

/// Characters of the longest code, `VAT1`.
const CODE_LENGTH_MAX: usize = 4;

const CODE: &str = r"[A-Z]{1,3}\d{0,2}|[a-z]|\d{1,2}|\*{1,3}";

/// `A = 0%`, `S: VAT at 20%`, `* MwSt 19,0 %`, `V (23%)`, `1: 20.13 at 23%`; a digit needs the sign behind it.
static EXPLAINED: LazyLock<Regex> = LazyLock::new(|| {
    let said = r"(?i:VAT|BTW|MwSt\.?|USt\.?|TVA|IVA|GST|tax|taxed|rate|Satz|at|@|zu|à|al|standard|reduced|zero|rated|higher|lower)";
    let net = r"\d[\d.,]*[.,]\d{2} (?:at|@|zu|à|al|a) ";
    pattern(&format!(
        r"(?:^|[\s(;:,·|])(?:(?P<code>[A-Z]{{1,3}}\d{{0,2}}|[a-z]|\*{{1,3}})\)?\s*[=:–-]?|(?P<digit>\d{{1,2}})\s*[=:])\s*\(?(?:{net}|(?:{said}\s+)*)(?P<rate>\d{{1,2}}(?:[.,]\d{{1,2}})?)\s?%"
    ))
});

/// `1 = 20`, alone.
static ALONE: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^(?P<code>[A-Z]{1,3}\d?|[a-z]|\d{1,2}|\*{1,3}) ?= ?(?P<rate>\d{1,2}(?:[.,]\d{1,2})?)$"));

/// `Z = zero rated`, `E: exempt`.
static EXEMPT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?:^|[\s(;,·|])(?P<code>[A-Z]{1,3}\d?|[a-z]|\d|\*{1,3})\s*[=:–-]\s*(?i:zero|exempt|nil\b|no vat|steuerfrei|exon[ée]r|esente|vrijgesteld)",
    )
});

/// `23% S`, `0.00 % (Z)`.
static BEHIND: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?P<rate>\d{1,2}(?:[.,]\d{1,2})?)\s?%\s*[=:–-]?\s*\(?(?P<code>[A-Z]{1,2}\d?|\*{1,3})\)?(?:$|[\s,;.])"));

static WHOLE: LazyLock<Regex> = LazyLock::new(|| pattern(&format!("^(?:{CODE})$")));

/// Gives goods the rates that their codes stand for, or that are printed beside them without a caption; the codes that were explained.
pub(super) fn resolve<'a>(order: &ReadingOrder<'a>, goods: &mut Vec<Goods<'a>>, vat: &[VatRow]) -> Vec<RateCode> {
    // What seemed to be goods may be the summary that explains the codes.
    goods.retain(|goods| {
        let says_what = goods.captioned && goods.has(Column::Description);
        says_what || row_of(order, goods).is_none_or(|words| of_summary(&words).is_none())
    });
    let exempt = name_exempt(order, goods);
    let with_rates = goods.iter().filter(|goods| goods.has(Column::VatRate)).count();
    if goods.is_empty() || with_rates as f32 >= MOST * goods.len() as f32 {
        return exempt;
    }
    let free: Vec<Vec<Word>> = goods.iter().map(|goods| unused(order, goods)).collect();
    // Codes are short; most documents have none beside their goods.
    let may_have_codes = free.iter().flatten().any(|word| bare(word).chars().count() <= CODE_LENGTH_MAX);
    let mut codes = if may_have_codes { legend(order, goods) } else { Vec::new() };
    let explained = |word: &Word| codes.iter().any(|known| is_same(&known.code, bare(word)));
    let mut column = column_of(order, &free, explained);
    if column.is_empty() {
        codes = proven(goods, &column_of(order, &free, |word| WHOLE.is_match(bare(word))), vat);
        column = column_of(order, &free, |word| codes.iter().any(|known| is_same(&known.code, bare(word))));
    }
    if column.is_empty() {
        let is_common = |word: &Word| word.percentage().is_some_and(|rate| vat::is_common(rate.millionths / CENT));
        column = column_of(order, &free, |word| word.text.ends_with('%') && is_common(word));
    }
    if column.is_empty() {
        // `366.23 | 23`: without the sign of percent, a rate that the VAT summary has.
        let rates: Vec<i64> =
            vat.iter().filter_map(|row| Some(Number::of_percentage(&row.rate.as_ref()?.text)?.millionths / CENT)).collect();
        let is_known = |word: &Word| word.number().is_some_and(|number| rates.contains(&(number.millionths / CENT)));
        column = column_of(order, &free, |word| !rates.is_empty() && is_known(word));
    }
    for (at, word) in &column {
        goods[*at].set(Cell { column: Column::VatRate, words: vec![word.clone()] });
    }
    // As it is printed beside the goods: `T0` may be read `TO`.
    let known = |word: &Word| codes.iter().find(|known| is_same(&known.code, bare(word))).map(|known| known.rate.clone());
    let mut found: Vec<RateCode> = exempt;
    for (_, word) in &column {
        if let Some(rate) = known(word).filter(|_| found.iter().all(|found| found.code != bare(word))) {
            found.push(RateCode { code: bare(word).to_owned(), rate });
        }
    }
    found
}

/// `Zero Rated`, `Exempt` beside goods: a rate of nought, whose words are its code.
fn name_exempt<'a>(order: &ReadingOrder<'a>, goods: &mut [Goods<'a>]) -> Vec<RateCode> {
    const WORDS: [&[&str]; 5] = [&["zero", "rated"], &["zero-rated"], &["exempt"], &["no", "vat"], &["steuerfrei"]];
    let mut found: Vec<RateCode> = Vec::new();
    for goods in goods.iter_mut().filter(|goods| !goods.has(Column::VatRate)) {
        let free = unused(order, goods);
        let says = |words: &&[Word], said: &[&str]| words.iter().zip(said).all(|(word, said)| bare(word).eq_ignore_ascii_case(said));
        let Some(words) = WORDS.iter().find_map(|said| free.windows(said.len()).find(|words| says(words, said))) else { continue };
        let code = words.iter().map(bare).collect::<Vec<_>>().join(" ");
        if found.iter().all(|known| known.code != code) {
            found.push(RateCode { code, rate: "0".to_owned() });
        }
        goods.reassign([Cell { column: Column::VatRate, words: words.to_vec() }]);
    }
    found
}

/// Whether two codes are one, however their letters and digits were told apart.
fn is_same(a: &str, b: &str) -> bool {
    let folded = |code: &str| code.to_uppercase().replace('O', "0").replace(['I', 'L'], "1");
    folded(a) == folded(b)
}

fn bare<'a>(word: &Word<'a>) -> &'a str {
    word.text.trim_matches(['(', ')', '[', ']'])
}

/// The words of the goods' row that no column has.
fn unused<'a>(order: &ReadingOrder<'a>, goods: &Goods<'a>) -> Vec<Word<'a>> {
    let used: Vec<&Word> = goods.cells.iter().filter(|cell| cell.column != Column::VatRate).flat_map(|cell| &cell.words).collect();
    let is_used = |word: &Word| {
        used.iter().any(|used| used.line == word.line && used.range.start < word.range.end && word.range.start < used.range.end)
    };
    row_of(order, goods).unwrap_or_default().into_iter().filter(|word| !is_used(word)).collect()
}

/// The words of the row that the goods' total stands in.
fn row_of<'a>(order: &ReadingOrder<'a>, goods: &Goods<'a>) -> Option<Vec<Word<'a>>> {
    let place = goods.cell(Column::LineTotal).or(goods.cell(Column::UnitPrice))?.words.first()?;
    Some(plain_words(order, order.row(place.line)))
}

/// The words of one column that may be such, one a row; none where too few rows have one. On each page the column may stand elsewhere.
fn column_of<'a>(order: &ReadingOrder, rows: &[Vec<Word<'a>>], may_be: impl Fn(&Word) -> bool) -> Vec<(usize, Word<'a>)> {
    let width = COLUMN_WIDTH_MAX * order.line_height();
    let found: Vec<(usize, &Word)> =
        rows.iter().enumerate().flat_map(|(at, words)| words.iter().filter(|word| may_be(word)).map(move |word| (at, word))).collect();
    let page = |word: &Word| order.lines[word.line].page;
    let near = |like: &Word| {
        let is_near = |word: &Word| page(word) == page(like) && (word.quad.centre().x - like.quad.centre().x).abs() <= width;
        let in_row = |at: usize| found.iter().rfind(|(of, word)| *of == at && is_near(word));
        (0..rows.len()).filter_map(in_row).map(|(at, word)| (*at, (*word).clone())).collect::<Vec<_>>()
    };
    let best = |page_of: usize| {
        // Of equals the last one: codes stand behind amounts.
        found.iter().filter(|(_, word)| page(word) == page_of).map(|(_, word)| near(word)).max_by_key(Vec::len).unwrap_or_default()
    };
    let column: Vec<_> = (0..order.pages.len()).flat_map(best).collect();
    if column.len() as f32 >= MOST * rows.len() as f32 { column } else { Vec::new() }
}

/// What the lines beside the goods say of codes.
fn legend(order: &ReadingOrder, goods: &[Goods]) -> Vec<RateCode> {
    let of_goods: Vec<usize> = goods
        .iter()
        .filter_map(|goods| goods.cell(Column::LineTotal))
        .filter_map(|cell| cell.words.first())
        .map(|word| order.row_of[word.line])
        .collect();
    let mut codes: Vec<RateCode> = Vec::new();
    let rows = order.rows.iter().enumerate().filter(|(at, _)| !of_goods.contains(at));
    for (at, row) in rows {
        // A line may be read in two pieces.
        let lines = row.clone().map(|line| order.lines[line].text.clone()).chain([order.text(row.clone())]);
        let lines = lines.flat_map(|text| explained(&text));
        let words = plain_words(order, row.clone());
        for found in of_summary(&words).into_iter().chain(lines).chain(above_rates(order, at, &words)) {
            if codes.iter().all(|known| known.code != found.code) {
                codes.push(found);
            }
        }
    }
    codes
}

/// `Cod. IVA | A | B`, and below it `% IVA | 22 % | 4 %`: each code above its rate.
/// `words`: those of the row.
fn above_rates(order: &ReadingOrder, row: usize, words: &[Word]) -> Vec<RateCode> {
    const ROWS_MAX: isize = 3;
    let codes: Vec<&Word> = words.iter().filter(|word| WHOLE.is_match(bare(word)) && word.whole.trim() == word.text).collect();
    let says_codes = words.first().is_some_and(|word| KeywordSet::find(word.whole).has_any(&[Keyword::Tax, Keyword::Code]));
    if codes.is_empty() || !says_codes {
        return Vec::new();
    }
    let rates = |offset: isize| {
        let below = plain_words(order, order.row_at(row, offset)?);
        let rates: Vec<Word> = below.into_iter().filter(|word| word.text.ends_with('%') && is_rate(word)).collect();
        (rates.len() == codes.len()).then_some(rates)
    };
    let pair = |(code, rate): (&&Word, Word)| RateCode { code: bare(code).to_owned(), rate: rate.without_percent().to_owned() };
    (1..=ROWS_MAX).find_map(rates).map(|rates| codes.iter().zip(rates).map(pair).collect()).unwrap_or_default()
}

fn explained(text: &str) -> Vec<RateCode> {
    let coded = |found: regex::Captures| {
        let code = found.name("code").or(found.name("digit"))?.as_str().to_owned();
        // `VAT 23%`.
        if KeywordSet::find(&code).has(Keyword::Tax) {
            return None;
        }
        Some(RateCode { code, rate: found.name("rate").map_or("0", |rate| rate.as_str()).to_owned() })
    };
    let of = |pattern: &Regex| pattern.captures_iter(text).filter_map(coded).collect::<Vec<_>>();
    let before = [&EXPLAINED, &EXEMPT, &ALONE].into_iter().flat_map(|pattern| of(pattern)).collect::<Vec<_>>();
    // Codes stand before their rates or behind them, not both.
    if before.is_empty() { of(&BEHIND) } else { before }
}

/// `A | 23.00 % | 95.93 | 22.06`: a code before a rate, net and tax. Without the sign of percent the tax must follow from the net.
fn of_summary(words: &[Word]) -> Option<RateCode> {
    let hundredths = |word: &Word| word.number().map(|number| number.millionths / CENT);
    let Some(at) = words.windows(2).position(|pair| WHOLE.is_match(bare(&pair[0])) && is_rate(&pair[1])) else {
        return named_before_rate(words).or_else(|| named_in_summary(words));
    };
    let rate = words[at + 1].without_percent();
    let value = words[at + 1].percentage()?.millionths / CENT;
    let amounts: Vec<i64> = words[at + 2..].iter().filter(|word| word.amount().is_some()).filter_map(hundredths).collect();
    let follows =
        amounts.iter().enumerate().any(|(i, net)| amounts.iter().enumerate().any(|(j, tax)| i != j && vat::agrees(value, *net, *tax)));
    let signed = words[at + 1].text.ends_with('%') && !amounts.is_empty();
    (signed || follows).then(|| RateCode { code: bare(&words[at]).to_owned(), rate: rate.to_owned() })
}

/// `R Reduced rate | 5.00 | 48.00 | 2.40`: a code before words and a rate, whose tax follows from the net.
fn named_before_rate(words: &[Word]) -> Option<RateCode> {
    let code = words.first().map(bare).filter(|code| WHOLE.is_match(code))?;
    let rate = words.iter().position(|word| word.number().is_some()).filter(|at| *at > 1 && is_rate(&words[*at]))?;
    let value = words[rate].percentage()?.millionths / CENT;
    let [net, tax] = words.get(rate + 1..rate + 3)?.iter().map(|word| word.amount()).collect::<Option<Vec<_>>>()?[..] else { return None };
    let follows = vat::is_common(value) && vat::agrees(value, net / CENT, tax / CENT);
    follows.then(|| RateCode { code: code.to_owned(), rate: words[rate].text.to_owned() })
}

/// `A1 Output VAT standard | 2,533.23 | 23.00 % | 582.64`: a code before words, and the only rate of the row.
fn named_in_summary(words: &[Word]) -> Option<RateCode> {
    let code = words.first().map(bare).filter(|code| WHOLE.is_match(code))?;
    let mut rates = words.iter().filter(|word| word.text.ends_with('%') && is_rate(word));
    let (rate, others) = (rates.next()?, rates.next());
    let hundredths = |word: &Word| word.amount().map(|amount| amount / CENT);
    let amounts: Vec<i64> = words.iter().filter_map(hundredths).collect();
    let value = rate.percentage()?.millionths / CENT;
    let follows = || matches!(amounts[..], [net, tax, ..] if vat::agrees(value, net, tax));
    let is_row = others.is_none() && !amounts.is_empty() && (words[1].has_letters() || follows());
    is_row.then(|| RateCode { code: code.to_owned(), rate: rate.without_percent().to_owned() })
}

fn is_rate(word: &Word) -> bool {
    const RATE_MAX: i64 = 30 * ONE;
    word.percentage().is_some_and(|rate| (0..=RATE_MAX).contains(&rate.millionths) && rate.decimals <= 2)
}

/// Codes whose goods make the nets of the VAT summary, each that of another rate.
fn proven(goods: &[Goods], column: &[(usize, Word)], vat: &[VatRow]) -> Vec<RateCode> {
    let mut sums: Vec<(&str, i64)> = Vec::new();
    for (at, word) in column {
        let Some(total) = goods[*at].value(Column::LineTotal) else { return Vec::new() };
        match sums.iter_mut().find(|(code, _)| *code == bare(word)) {
            Some((_, sum)) => *sum += total,
            None => sums.push((bare(word), total)),
        }
    }
    let number = |text: &str| text.split_whitespace().rev().find_map(Number::read).map(|number| number.millionths);
    let with_net = |row: &VatRow| Some((row.rate.as_ref()?.text.clone(), number(&row.net.as_ref()?.text)?));
    let nets: Vec<(String, i64)> = vat.iter().filter_map(with_net).collect();
    let rate = |(code, sum): &(&str, i64)| {
        let (rate, _) = nets.iter().find(|(_, net)| (net - *sum).abs() <= CENT)?;
        Some(RateCode { code: (*code).to_owned(), rate: rate.clone() })
    };
    let is_whole = column.len() == goods.len() && sums.len() <= CODES_MAX;
    sums.iter().map(rate).collect::<Option<Vec<_>>>().filter(|_| is_whole).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Quad;
    use crate::text::{PageSize, TextLine};

    #[test]
    fn lines_explain_codes() {
        for (text, expected) in [
            ("A = 0%", vec![("A", "0")]),
            ("H = 21% hoog", vec![("H", "21")]),
            ("Z = 0% printed matter, zero-rated", vec![("Z", "0")]),
            ("VAT codes: A 23% B 13.5% Z 0%", vec![("A", "23"), ("B", "13.5"), ("Z", "0")]),
            ("* VAT at 20% is added to these.", vec![("*", "20")]),
            ("1 = 19,00 %, 2 = 7 %", vec![("1", "19,00"), ("2", "7")]),
            ("E: exempt", vec![("E", "0")]),
            ("20% (S)", vec![("S", "20")]),
            ("V (23%)", vec![("V", "23")]),
            ("V23: VAT 13.5% on 5380.78", vec![("V23", "13.5")]),
            ("V1 = Btw 21,00 % over", vec![("V1", "21,00")]),
            ("1: 20.13 at 23% = 4.63; 2: 537.24 at 13.5%", vec![("1", "23"), ("2", "13.5")]),
            ("VAT 23% on € 358.95", vec![]),
            ("Less 5% for cash", vec![]),
        ] {
            let found: Vec<(String, String)> = explained(text).into_iter().map(|found| (found.code, found.rate)).collect();
            let found: Vec<(&str, &str)> = found.iter().map(|(code, rate)| (code.as_str(), rate.as_str())).collect();
            assert_eq!(found, expected, "{text}");
        }
    }

    /// Lines of (left, top, text) on a page.
    fn lines(lines: &[(usize, f32, f32, &str)]) -> Vec<TextLine> {
        let line = |(page, x, y, text): &(usize, f32, f32, &str)| TextLine {
            page: *page,
            quad: Quad::from_edges(*x, *y, x + 10.0 * text.chars().count() as f32, y + 20.0),
            text: text.to_string(),
            confidence: 1.0,
        };
        lines.iter().map(line).collect()
    }

    #[test]
    fn codes_stand_above_their_rates_or_elsewhere_on_each_page() {
        let pages = [PageSize { width: 1000, height: 1000 }; 2];
        let legend = lines(&[
            (0, 0.0, 0.0, "Cod. IVA"),
            (0, 200.0, 0.0, "A"),
            (0, 300.0, 0.0, "B"),
            (0, 0.0, 30.0, "% IVA"),
            (0, 200.0, 30.0, "22 %"),
            (0, 300.0, 30.0, "4 %"),
        ]);
        let order = ReadingOrder::new(&legend, &pages);
        let found: Vec<(String, String)> =
            above_rates(&order, 0, &plain_words(&order, order.rows[0].clone())).into_iter().map(|found| (found.code, found.rate)).collect();
        assert_eq!(found, [("A".into(), "22".into()), ("B".into(), "4".into())]);
        let columns = lines(&[(0, 500.0, 0.0, "A"), (0, 500.0, 30.0, "B"), (1, 700.0, 0.0, "A"), (1, 700.0, 30.0, "A")]);
        let order = ReadingOrder::new(&columns, &pages);
        let rows: Vec<Vec<Word>> = order.rows.iter().map(|row| plain_words(&order, row.clone())).collect();
        let column: Vec<&str> = column_of(&order, &rows, |word| word.text.len() == 1).iter().map(|(_, word)| word.text).collect();
        assert_eq!(column, ["A", "B", "A", "A"]);
    }

    #[test]
    fn a_row_of_the_summary_tells_the_rate_of_its_code() {
        for (text, expected) in [
            ("R Reduced rate 5.00 48.00 2.40", Some(("R", "5.00"))),
            ("S 81.61 20% 16.32", Some(("S", "20"))),
            ("R Reduced rate 5.00 48.00 3.40", None),
            ("4 Bottles 20.00 80.00 16.00", None),
        ] {
            let line = lines(&[(0, 0.0, 0.0, text)]);
            let pages = [PageSize { width: 1000, height: 1000 }];
            let order = ReadingOrder::new(&line, &pages);
            let found = of_summary(&plain_words(&order, 0..1));
            assert_eq!(found.as_ref().map(|found| (found.code.as_str(), found.rate.as_str())), expected, "{text}");
        }
    }
}
