//! The fields that stand once on a document: names, numbers, dates, currency.

use std::collections::BTreeMap;

use jiff::civil::Date;
use proto::Field;

use super::{
    Customs,
    country::{self, Country},
    date,
    fields::{self, Evidence},
    money::{self, Currency},
    number::Reading,
    vat_id::{self, VatId},
};
use crate::{
    text::TextLine,
    understand::draft::{Draft, HeaderField, Span},
};

/// A field that many documents lack is given only from this probability on.
const OPTIONAL_PROBABILITY_MIN: f32 = 0.3;
/// A currency printed with an amount, or as a caption somewhere, is the document's.
const PRINTED_WITH_AMOUNT: f32 = 0.97;
const PRINTED_SOMEWHERE: f32 = 0.9;
/// A currency that only follows from the country: by a single mention, and by several.
const OF_COUNTRY_ONCE: f32 = 0.6;
const OF_COUNTRY: f32 = 0.85;
/// A due date before the date of issue, beside one after it.
const DUE_BEFORE_ISSUE: f32 = 0.1;
/// That a document for which a due date was believed has none.
const NO_DUE: f32 = 0.5;
/// A date that may be the due one is likely so beside the likeliest from this share of its weight on.
const LIKELY_SHARE: f32 = 0.5;
/// A repaired tax number satisfies its check digits by chance once in a while.
const REPAIRED: f32 = 0.9;

/// The likeliest span of a field.
pub fn best(draft: &Draft, field: HeaderField) -> Option<&Span> {
    spans(draft, field).max_by(|a, b| a.probability.total_cmp(&b.probability))
}

fn spans(draft: &Draft, field: HeaderField) -> impl DoubleEndedIterator<Item = &Span> {
    // Reversed, for `max_by` takes the last of equals: the draft's first.
    draft.header.iter().rev().filter(move |(f, _)| *f == field).map(|(_, span)| span)
}

/// Words as printed, spaces evened out.
pub fn text(draft: &Draft, field: HeaderField) -> Option<Field> {
    best(draft, field).map(|span| fields::read(span, Some(even_spaces(&span.text)), span.probability))
}

/// As [`text`], but a span that is known, spelt as it is known, is likelier than it was, and gains on the others; `others` count only
/// where they are known.
pub fn known_text(draft: &Draft, field: HeaderField, others: &[Span], known: impl Fn(&str) -> Option<String>) -> Option<Field> {
    let spelt = |span: &Span, value| fields::read(span, Some(value), Evidence::Confirmed.weigh(span.probability));
    let weighed = spans(draft, field).map(|span| match known(&span.text) {
        Some(value) => spelt(span, value),
        None => fields::read(span, Some(even_spaces(&span.text)), span.probability),
    });
    let only_known = others.iter().filter_map(|span| Some(spelt(span, known(&span.text)?)));
    // The last of equals is taken: of two known prints the shorter one.
    only_known.chain(weighed).max_by(|a, b| a.confidence.total_cmp(&b.confidence))
}

/// As [`text`], if it is likely enough to stand there at all.
pub fn optional_text(draft: &Draft, field: HeaderField) -> Option<Field> {
    best(draft, field).filter(|s| s.probability >= OPTIONAL_PROBABILITY_MIN).and_then(|_| text(draft, field))
}

fn even_spaces(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Digits with a leading `+`, captions cut.
pub fn phone(draft: &Draft) -> Option<Field> {
    let span = best(draft, HeaderField::SupplierPhone).filter(|s| s.probability >= OPTIONAL_PROBABILITY_MIN)?;
    let number = span.text.trim_start_matches(|c: char| !c.is_ascii_digit() && c != '+' && c != '(');
    let value: String = number.chars().filter(|c| c.is_ascii_digit() || *c == '+').collect();
    Some(fields::read(span, (!value.is_empty()).then_some(value), span.probability))
}

/// Without caption: `INVOICE NO: TD-0116` is `TD-0116`.
pub fn invoice_number(draft: &Draft) -> Option<Field> {
    let span = best(draft, HeaderField::InvoiceNumber).filter(|s| s.probability >= OPTIONAL_PROBABILITY_MIN)?;
    let after_caption = span.text.rsplit([':', '#']).find(|part| part.chars().any(char::is_alphanumeric)).unwrap_or(&span.text);
    let value = even_spaces(without_no(after_caption));
    Some(fields::read(span, (!value.is_empty()).then_some(value), span.probability))
}

/// `No.04417` is `04417`.
fn without_no(text: &str) -> &str {
    let bare = ["No.", "Nr.", "N°", "Nº", "№"].iter().find_map(|caption| text.trim_start().strip_prefix(caption));
    bare.map(str::trim_start).filter(|bare| bare.starts_with(|c: char| c.is_ascii_digit())).unwrap_or(text)
}

/// The supplier's tax number and its field. A number whose check digits are right is preferred.
pub fn vat_id(draft: &Draft, home: Option<Country>) -> Option<(VatId, Field)> {
    let likely = spans(draft, HeaderField::SupplierVatId).filter(|s| s.probability >= OPTIONAL_PROBABILITY_MIN);
    let read = likely.filter_map(|span| {
        let id = vat_id::read(&span.text, home)?;
        let evidence = match id.check {
            vat_id::Check::Passed => Evidence::Confirmed,
            vat_id::Check::Failed => Evidence::Contradicted,
            vat_id::Check::Unknown => Evidence::Open,
        };
        let confidence = evidence.weigh(span.probability) * if id.repaired { REPAIRED } else { 1.0 };
        let field = fields::read(span, Some(id.value.clone()), confidence);
        Some((id, field))
    });
    read.max_by(|a, b| a.1.confidence.total_cmp(&b.1.confidence))
}

/// A date with its field; the day is unknown where the print can't be read.
pub type Dated = (Option<Date>, Field);

/// Date of issue and due date, so that the one does not come after the other if that can be.
pub fn dates(draft: &Draft, customs: &Customs) -> (Option<Dated>, Option<Dated>) {
    let issues = date_candidates(draft, HeaderField::IssueDate, 0.0, customs);
    let dues = date_candidates(draft, HeaderField::DueDate, OPTIONAL_PROBABILITY_MIN, customs);
    let in_order = |issue: &DateCandidate, due: &DateCandidate| issue.reading.value <= due.reading.value;
    let likeliest = dues.iter().map(DateCandidate::weight).fold(0.0, f32::max);
    let weight = |issue: &DateCandidate, due: Option<&DateCandidate>| match due {
        Some(due) => issue.weight() * due.weight() * if in_order(issue, due) { 1.0 } else { DUE_BEFORE_ISSUE },
        None => issue.weight() * NO_DUE * (1.0 - likeliest),
    };
    // Where all dates that are likely the due one come before, it may be that none is printed.
    let follows = |issue, due: &DateCandidate| in_order(issue, due) && due.weight() >= LIKELY_SHARE * likeliest;
    let due_options = |issue| dues.iter().map(Some).chain((!dues.iter().any(|due| follows(issue, due))).then_some(None));
    let pairs = issues.iter().flat_map(|issue| due_options(issue).map(move |due| (issue, due)));
    let chosen = pairs.rev_max(|(issue, due)| weight(issue, *due));
    let issue = chosen.map(|(issue, _)| issue.dated()).or_else(|| unreadable(draft, HeaderField::IssueDate));
    let due = chosen.map_or_else(|| dues.first(), |(_, due)| due).map(DateCandidate::dated);
    (issue, due)
}

struct DateCandidate<'a> {
    span: &'a Span,
    reading: Reading<Date>,
}

impl DateCandidate<'_> {
    fn weight(&self) -> f32 {
        self.span.probability * self.reading.certainty
    }

    fn dated(&self) -> Dated {
        (Some(self.reading.value), fields::read(self.span, Some(self.reading.value.to_string()), self.weight()))
    }
}

fn date_candidates<'a>(draft: &'a Draft, field: HeaderField, probability_min: f32, customs: &Customs) -> Vec<DateCandidate<'a>> {
    let likely = spans(draft, field).rev().filter(|s| s.probability >= probability_min);
    likely
        .flat_map(|span| date::readings(&span.text, customs.date_order).into_iter().map(move |reading| DateCandidate { span, reading }))
        .collect()
}

fn unreadable(draft: &Draft, field: HeaderField) -> Option<Dated> {
    best(draft, field).map(|span| (None, fields::read(span, None, span.probability)))
}

/// The maximum by weight; the first of equals.
trait FirstMax: Iterator + Sized {
    fn rev_max(self, weight: impl Fn(&Self::Item) -> f32) -> Option<Self::Item> {
        self.fold(None, |best: Option<(f32, Self::Item)>, item| {
            let weight = weight(&item);
            match best {
                Some((best_weight, best)) if best_weight >= weight => Some((best_weight, best)),
                _ => Some((weight, item)),
            }
        })
        .map(|(_, item)| item)
    }
}

impl<I: Iterator> FirstMax for I {}

/// The document's currency and its field: as understood, printed with an amount, printed anywhere, or the country's.
pub fn currency(draft: &Draft, lines: &[TextLine], country: Option<country::Evidence>) -> Option<(Currency, Field)> {
    let understood = best(draft, HeaderField::Currency).and_then(|span| {
        let currency = span.text.split_whitespace().find_map(Currency::from_print).or_else(|| money::read(&span.text, None).currency)?;
        Some((currency, fields::read(span, Some(currency.code().into()), span.probability)))
    });
    understood.or_else(|| currency_of_amounts(draft)).or_else(|| currency_of_text(lines)).or_else(|| {
        let country::Evidence { country, votes } = country?;
        let confidence = if votes > 1 { OF_COUNTRY } else { OF_COUNTRY_ONCE };
        Some((country.currency(), fields::computed(country.currency().code().into(), confidence)))
    })
}

fn currency_of_amounts(draft: &Draft) -> Option<(Currency, Field)> {
    let totals = [HeaderField::Gross, HeaderField::Net, HeaderField::Vat];
    let spans = totals.iter().flat_map(|field| spans(draft, *field).rev());
    let printed = spans.filter_map(|span| Some((money::read(&span.text, None).currency?, span)));
    let (currency, span) = printed.rev_max(|(_, span)| span.probability)?;
    Some((currency, fields::read(span, Some(currency.code().into()), PRINTED_WITH_AMOUNT)))
}

/// The currency that most words name, at its first place.
fn currency_of_text(lines: &[TextLine]) -> Option<(Currency, Field)> {
    let mut found: BTreeMap<Currency, (usize, &TextLine)> = BTreeMap::new();
    for line in lines {
        let words = line.text.split(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | ':' | '/' | '.'));
        for currency in words.filter_map(currency_of_word) {
            found.entry(currency).or_insert((0, line)).0 += 1;
        }
    }
    let (currency, (_, line)) = found.into_iter().rev_max(|(_, (count, _))| *count as f32)?;
    let span = Span { text: line.text.clone(), page: line.page, quad: line.quad, probability: line.confidence };
    Some((currency, fields::read(&span, Some(currency.code().into()), PRINTED_SOMEWHERE * line.confidence)))
}

/// `EUR`, `€`, or one of them glued to an amount.
fn currency_of_word(word: &str) -> Option<Currency> {
    Currency::from_print(word).or_else(|| word.contains(|c: char| c.is_ascii_digit()).then(|| money::read(word, None).currency).flatten())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{geometry::Quad, understand::draft::DocumentType};

    /// Field, text, probability.
    type Candidates<'a> = &'a [(HeaderField, &'a str, f32)];

    fn draft(header: Candidates) -> Draft {
        let span = |text: &str, probability| Span { text: text.into(), page: 0, quad: Quad::from_edges(0.0, 0.0, 9.0, 9.0), probability };
        Draft {
            document_type: DocumentType::Invoice,
            document_type_probability: 1.0,
            header: header.iter().map(|(field, text, probability)| (*field, span(text, *probability))).collect(),
            items: Vec::new(),
            vat: Vec::new(),
            longer_names: Vec::new(),
            rate_codes: Vec::new(),
            payment: None,
        }
    }

    fn line(text: &str) -> TextLine {
        TextLine { page: 0, quad: Quad::from_edges(0.0, 0.0, 9.0, 9.0), text: text.into(), confidence: 1.0 }
    }

    #[test]
    fn dates_are_chosen_in_order() {
        use HeaderField::{DueDate, IssueDate};
        let cases: [(Candidates, [Option<&str>; 2]); 7] = [
            (&[(IssueDate, "03/04/2024", 0.9)], [Some("2024-04-03"), None]),
            (&[(IssueDate, "03/04/2024", 0.9), (DueDate, "02/05/2024", 0.9)], [Some("2024-04-03"), Some("2024-05-02")]),
            // Of two candidates the one that is in order; one alone keeps its usual reading, and a check fails.
            (
                &[(IssueDate, "03/04/2024", 0.9), (DueDate, "02/03/2024", 0.5), (DueDate, "02/05/2024", 0.4)],
                [Some("2024-04-03"), Some("2024-05-02")],
            ),
            (&[(IssueDate, "03/02/2024", 0.9), (DueDate, "04/01/2024", 0.9)], [Some("2024-02-03"), Some("2024-01-04")]),
            (&[(IssueDate, "11/3/2024", 0.9), (IssueDate, "7/3/2024", 0.3), (DueDate, "7/3/2024", 0.4)], [Some("2024-03-11"), None]),
            (&[(IssueDate, "1/1/2024", 0.6), (IssueDate, "2/1/2024", 0.5), (DueDate, "1/2/2024", 0.1)], [Some("2024-01-01"), None]),
            (&[(IssueDate, "soon", 0.9)], [Some(""), None]),
        ];
        for (header, expected) in cases {
            let (issue, due) = dates(&draft(header), &Customs::default());
            let values = [issue, due].map(|dated| dated.map(|(_, field)| field.value));
            assert_eq!(values.each_ref().map(|v| v.as_deref()), expected, "{header:?}");
        }
    }

    #[test]
    fn currencies() {
        let of_malaysia = country::Evidence { country: Country::Malaysia, votes: 2 };
        let cases: [(Candidates, &[&str], _, Option<&str>); 6] = [
            (&[(HeaderField::Currency, "EUR", 0.9)], &[], None, Some("EUR")),
            (&[(HeaderField::Gross, "£4.50", 0.9)], &["All prices in EUR"], None, Some("GBP")),
            (&[(HeaderField::Gross, "4.50", 0.9)], &["Total (EUR)", "4.50"], None, Some("EUR")),
            (&[(HeaderField::Gross, "$4.50", 0.9)], &[], Some(of_malaysia), Some("MYR")),
            (&[], &["€4.50", "€5.00", "£1"], None, Some("EUR")),
            (&[], &["4.50"], None, None),
        ];
        for (header, lines, country, expected) in cases {
            let lines: Vec<_> = lines.iter().map(|text| line(text)).collect();
            assert_eq!(currency(&draft(header), &lines, country).map(|c| c.0.code()), expected, "{header:?}");
        }
    }

    #[test]
    fn numbers_lose_their_captions() {
        let cases = [
            ("TD01167104", "TD01167104"),
            ("DOCUMENT NO : TD01167104", "TD01167104"),
            ("# 12 345", "12 345"),
            ("INV-2024/17", "INV-2024/17"),
        ];
        for (text, value) in cases {
            let draft = draft(&[(HeaderField::InvoiceNumber, text, 0.9)]);
            assert_eq!(invoice_number(&draft).unwrap().value, value, "{text}");
        }
        assert_eq!(phone(&draft(&[(HeaderField::SupplierPhone, "TEL: +353 (0)1 234-5678", 0.9)])).unwrap().value, "+353012345678");
        assert!(invoice_number(&draft(&[(HeaderField::InvoiceNumber, "17", 0.1)])).is_none());
    }

    #[test]
    fn a_tax_number_with_right_check_digits_is_preferred() {
        let draft = draft(&[(HeaderField::SupplierVatId, "IE6388048V", 0.6), (HeaderField::SupplierVatId, "IE6388047V", 0.5)]);
        let (id, field) = vat_id(&draft, None).unwrap();
        assert_eq!((id.value.as_str(), field.confidence > 0.9), ("IE6388047V", true));
    }
}
