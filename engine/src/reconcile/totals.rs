//! Net, VAT and gross, chosen jointly: the most probable candidates that agree with each other, with the rows of goods and with the VAT
//! summary.
//!
//! A candidate's probability comes from understanding; each equation that holds or fails multiplies in how much likelier that is for
//! the right values than for wrong ones. The sum over all assignments turns the weights into probabilities again.

use super::{
    Customs,
    line_sums::{self, LineSum},
    money,
    rows::{ROW_TOLERANCE, Row},
    vat_rows::{VAT_TOLERANCE, VatReading},
};
use crate::understand::draft::{DocumentType, Draft, HeaderField, Payment, Span};

/// Net + VAT and gross may differ by this, in minor units.
pub const TOTAL_TOLERANCE: i64 = 1;
/// The most that rounding to a payable sum moves it (Malaysian receipts round to five sen), in minor units.
pub const ROUNDING_MAX: i64 = 5;
/// Candidates of one total that the choice looks at: with three totals at most 9^3 assignments.
const CANDIDATES_MAX: usize = 8;
/// That a document has no net or no VAT, at least.
const ABSENT_MIN: f32 = 0.02;
/// An equation among right values holds this often, one among wrong values this often by chance.
const HOLDS_IF_RIGHT: f32 = 0.9;
const HOLDS_IF_WRONG: f32 = 0.05;
/// Rows that were missed or misread make their sum fail with right totals too: it then says little.
const LINES_HOLD_IF_RIGHT: f32 = 0.5;
/// A gross below the net, or a VAT above a third of the gross.
const ABSURD: f32 = 0.01;
const VAT_SHARE_MAX: i64 = 3;

/// A total that was read or that follows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Total<'a> {
    Read {
        minor_units: i64,
        span: &'a Span,
        confidence: f32,
    },
    /// Of the rows of the VAT summary.
    Summed {
        minor_units: i64,
        confidence: f32,
    },
    /// From the other totals or from the goods.
    Computed {
        minor_units: i64,
        confidence: f32,
    },
}

impl Total<'_> {
    pub fn minor_units(&self) -> i64 {
        match *self {
            Self::Read { minor_units, .. } | Self::Summed { minor_units, .. } | Self::Computed { minor_units, .. } => minor_units,
        }
    }

    pub fn confidence(&self) -> f32 {
        match *self {
            Self::Read { confidence, .. } | Self::Summed { confidence, .. } | Self::Computed { confidence, .. } => confidence,
        }
    }

    pub fn is_read(&self) -> bool {
        matches!(self, Self::Read { .. })
    }

    /// Whether it makes an equation of totals hold by construction.
    pub fn is_computed(&self) -> bool {
        matches!(self, Self::Computed { .. })
    }
}

/// The document's sums and the readings of its rows that go with them.
#[derive(Debug, Clone, PartialEq)]
pub struct Totals<'a> {
    pub net: Option<Total<'a>>,
    pub vat: Option<Total<'a>>,
    pub gross: Option<Total<'a>>,
    /// For each row, which of its readings.
    pub picks: Vec<usize>,
    /// What the rows sum to under these readings; `None` if a row has no total.
    pub line_sum: Option<i64>,
    /// How far net + VAT may be from gross, in minor units.
    pub gross_tolerance: i64,
}

/// One value of a total, at its likeliest place.
#[derive(Debug, Clone, Copy)]
struct Candidate<'a> {
    minor_units: i64,
    probability: f32,
    span: &'a Span,
}

/// Candidates of one total with the probability that there is none.
struct Candidates<'a> {
    candidates: Vec<Candidate<'a>>,
    absent: f32,
}

/// A choice with its weight, a natural logarithm.
#[derive(Clone, Copy)]
struct Assignment<'a> {
    net: Option<Candidate<'a>>,
    vat: Option<Candidate<'a>>,
    gross: Option<Candidate<'a>>,
    /// Index into the line sums.
    lines: Option<usize>,
    weight: f32,
}

/// What the candidates are held against.
struct Evidence<'s> {
    sums: Option<&'s [LineSum]>,
    rows: usize,
    /// Nets and taxes of the VAT summary, if complete.
    summary: Option<(i64, i64)>,
    summary_rows: usize,
    /// Taxes of a summary of several rates that prints no nets.
    taxes: Option<i64>,
    /// Handed over less the change.
    paid: Option<i64>,
    gross_tolerance: i64,
}

/// Chooses the totals of `draft`; `rows` are the readings of its items, `rounds` tells that its sum payable is rounded.
pub fn choose<'a>(draft: &'a Draft, rows: &[Vec<Row>], summary: &[VatReading], rounds: bool, customs: &Customs) -> Totals<'a> {
    let sums = line_sums::of(rows);
    let gross_tolerance = TOTAL_TOLERANCE + if rounds { ROUNDING_MAX } else { 0 };
    let evidence = Evidence {
        sums: sums.as_deref(),
        rows: rows.len(),
        summary: sum_of(summary),
        summary_rows: summary.len(),
        taxes: taxes_of(summary),
        paid: draft.payment.as_ref().and_then(|payment| paid(payment, customs)),
        gross_tolerance,
    };
    let [net, vat, gross] = [HeaderField::Net, HeaderField::Vat, HeaderField::Gross].map(|field| Candidates::of(draft, field, customs));
    let assignments = evidence.assignments(&net, &vat, &gross);
    // A document has a total: an unlikely one is better than none, and its confidence says how unlikely it is.
    let answers = assignments.iter().filter(|a| a.gross.is_some() || gross.candidates.is_empty());
    let best = answers.copied().max_by(|a, b| a.weight.total_cmp(&b.weight));
    let read = |of: fn(&Assignment<'a>) -> Option<Candidate<'a>>| chosen(&assignments, best.as_ref()?, of);
    let line_sum = best.and_then(|b| b.lines).zip(sums.as_deref()).map(|(i, sums)| &sums[i]);
    let mut totals = Totals {
        net: read(|a| a.net),
        vat: read(|a| a.vat),
        gross: read(|a| a.gross),
        picks: line_sum.map_or_else(|| vec![0; rows.len()], |s| s.picks.clone()),
        line_sum: line_sum.map(|s| s.sum),
        gross_tolerance,
    };
    if draft.document_type != DocumentType::Other {
        totals.compute_the_rest(evidence.summary, evidence.taxes, draft);
    }
    totals
}

/// Nets and taxes of a summary whose rows all have both.
fn sum_of(summary: &[VatReading]) -> Option<(i64, i64)> {
    let rows = summary.iter().map(|row| Some((row.net?.value(), row.amount?.value())));
    let rows: Vec<(i64, i64)> = rows.collect::<Option<_>>()?;
    (!rows.is_empty()).then(|| rows.iter().fold((0, 0), |(net, vat), row| (net + row.0, vat + row.1)))
}

/// Taxes of rows that all have one, where several do and one prints no net.
fn taxes_of(summary: &[VatReading]) -> Option<i64> {
    let taxes: Vec<i64> = summary.iter().map(|row| Some(row.amount?.value())).collect::<Option<_>>()?;
    (taxes.len() > 1 && sum_of(summary).is_none()).then(|| taxes.iter().sum())
}

/// What a customer parted with.
fn paid(payment: &Payment, customs: &Customs) -> Option<i64> {
    let read = |span: &Span| money::minor_units(&span.text, customs.mark, customs.currency).first().map(|reading| reading.value);
    Some(read(&payment.handed_over)? - read(&payment.change)?)
}

impl<'a> Candidates<'a> {
    /// One candidate for each value: a total that stands in several places counts where it is likeliest.
    fn of(draft: &'a Draft, field: HeaderField, customs: &Customs) -> Self {
        let spans = draft.header.iter().filter(|(f, _)| *f == field).map(|(_, span)| span);
        let readings = spans.flat_map(|span| {
            let readings = money::minor_units(&span.text, customs.mark, customs.currency);
            readings.into_iter().map(move |r| Candidate { minor_units: r.value, probability: span.probability * r.certainty, span })
        });
        let mut candidates: Vec<_> = readings.collect();
        candidates.sort_by(|a, b| a.minor_units.cmp(&b.minor_units).then(b.probability.total_cmp(&a.probability)));
        candidates.dedup_by_key(|c| c.minor_units);
        candidates.sort_by(|a, b| b.probability.total_cmp(&a.probability));
        candidates.truncate(CANDIDATES_MAX);
        let sum: f32 = candidates.iter().map(|c| c.probability).sum();
        let absent = (1.0 - sum).max(ABSENT_MIN);
        let whole = sum + absent;
        candidates.iter_mut().for_each(|c| c.probability /= whole);
        Self { candidates, absent: absent / whole }
    }

    /// Each candidate, and none.
    fn options(&self) -> impl Iterator<Item = (Option<Candidate<'a>>, f32)> {
        self.candidates.iter().map(|c| (Some(*c), c.probability)).chain([(None, self.absent)])
    }
}

impl Evidence<'_> {
    fn assignments<'a>(&self, net: &Candidates<'a>, vat: &Candidates<'a>, gross: &Candidates<'a>) -> Vec<Assignment<'a>> {
        let mut assignments = Vec::new();
        for (gross, gross_probability) in gross.options() {
            for (net, net_probability) in net.options() {
                for (vat, vat_probability) in vat.options() {
                    let prior = [gross_probability, net_probability, vat_probability].map(|p| p.max(f32::MIN_POSITIVE).ln()).iter().sum();
                    assignments.push(self.weigh(Assignment { net, vat, gross, lines: None, weight: prior }));
                }
            }
        }
        assignments
    }

    fn weigh<'a>(&self, mut assignment: Assignment<'a>) -> Assignment<'a> {
        let [net, vat, gross] = [assignment.net, assignment.vat, assignment.gross].map(|c| c.map(|c| c.minor_units));
        let mut weight = assignment.weight;
        if let (Some(net), Some(vat), Some(gross)) = (net, vat, gross) {
            weight += factor((net + vat - gross).abs() <= self.gross_tolerance, HOLDS_IF_RIGHT);
        }
        if let Some((summary_net, summary_vat)) = self.summary {
            let tolerance = VAT_TOLERANCE * self.summary_rows as i64;
            weight += net.map_or(0.0, |net| factor((net - summary_net).abs() <= tolerance, HOLDS_IF_RIGHT));
            weight += vat.map_or(0.0, |vat| factor((vat - summary_vat).abs() <= tolerance, HOLDS_IF_RIGHT));
            let off = |gross: i64| (gross - summary_net - summary_vat).abs();
            weight += gross.map_or(0.0, |gross| factor(off(gross) <= tolerance + self.gross_tolerance, HOLDS_IF_RIGHT));
        }
        if let Some(taxes) = self.taxes {
            let tolerance = VAT_TOLERANCE * self.summary_rows as i64;
            weight += match (net, vat, gross) {
                (_, Some(vat), _) => factor((vat - taxes).abs() <= tolerance, HOLDS_IF_RIGHT),
                (Some(net), None, Some(gross)) => factor((net + taxes - gross).abs() <= tolerance + self.gross_tolerance, HOLDS_IF_RIGHT),
                _ => 0.0,
            };
        }
        if let (Some(paid), Some(gross)) = (self.paid, gross) {
            weight += factor((paid - gross).abs() <= self.gross_tolerance, HOLDS_IF_RIGHT);
        }
        if is_absurd(net, vat, gross) {
            weight += ABSURD.ln();
        }
        if let Some((index, line_weight)) = self.best_line_sum(net, vat, gross) {
            assignment.lines = Some(index);
            weight += line_weight;
        }
        Assignment { weight, ..assignment }
    }

    /// The line sum that goes best with these totals, and its weight.
    fn best_line_sum(&self, net: Option<i64>, vat: Option<i64>, gross: Option<i64>) -> Option<(usize, f32)> {
        let weigh = |sum: &LineSum| sum.weight + factor(self.is_sum_of_lines(sum.sum, net, vat, gross), LINES_HOLD_IF_RIGHT);
        // Reversed, so that of equals the first, likeliest one is taken.
        self.sums?.iter().map(weigh).enumerate().rev().max_by(|a, b| a.1.total_cmp(&b.1))
    }

    fn is_sum_of_lines(&self, sum: i64, net: Option<i64>, vat: Option<i64>, gross: Option<i64>) -> bool {
        let tolerance = ROW_TOLERANCE * self.rows as i64;
        let near = |target: Option<i64>, tolerance| target.is_some_and(|t| (t - sum).abs() <= tolerance);
        let before_vat = gross.zip(vat).map(|(gross, vat)| gross - vat);
        near(net, tolerance) || near(gross, tolerance.max(self.gross_tolerance)) || near(before_vat, tolerance.max(self.gross_tolerance))
    }
}

/// How much an equation that holds, or fails, speaks for the values: a natural logarithm.
fn factor(holds: bool, holds_if_right: f32) -> f32 {
    if holds { (holds_if_right / HOLDS_IF_WRONG).ln() } else { ((1.0 - holds_if_right) / (1.0 - HOLDS_IF_WRONG)).ln() }
}

fn is_absurd(net: Option<i64>, vat: Option<i64>, gross: Option<i64>) -> bool {
    let above =
        |part: Option<i64>, whole: Option<i64>| part.zip(whole).is_some_and(|(part, whole)| part.abs() > whole.abs() + ROUNDING_MAX);
    above(net, gross) || above(vat.map(|v| v.saturating_mul(VAT_SHARE_MAX)), gross) || above(vat, net)
}

/// A total of the best assignment, as sure as the share of all assignments' probability that agree on it.
fn chosen<'a>(
    assignments: &[Assignment<'a>],
    best: &Assignment<'a>,
    of: impl Fn(&Assignment<'a>) -> Option<Candidate<'a>>,
) -> Option<Total<'a>> {
    let Candidate { minor_units, span, .. } = of(best)?;
    let mass = |a: &Assignment| (a.weight - best.weight).exp();
    let agreeing = assignments.iter().filter(|a| of(a).is_some_and(|c| c.minor_units == minor_units));
    let confidence = agreeing.map(mass).sum::<f32>() / assignments.iter().map(mass).sum::<f32>();
    Some(Total::Read { minor_units, span, confidence })
}

impl Totals<'_> {
    /// What follows from what was read. Never against it, and never for a document that is no bill.
    fn compute_the_rest(&mut self, summary: Option<(i64, i64)>, taxes: Option<i64>, draft: &Draft) {
        let computed = |minor_units: i64, inputs: &[f32]| Some(Total::Computed { minor_units, confidence: inputs.iter().product() });
        if let Some((net, vat)) = summary {
            let summed = |minor_units: i64| Some(Total::Summed { minor_units, confidence: summary_confidence(draft) });
            self.net = self.net.or_else(|| summed(net));
            self.vat = self.vat.or_else(|| summed(vat));
        }
        self.vat = self.vat.or_else(|| Some(Total::Summed { minor_units: taxes?, confidence: summary_confidence(draft) }));
        match (self.net, self.vat, self.gross) {
            (Some(n), Some(v), None) => self.gross = computed(n.minor_units() + v.minor_units(), &[n.confidence(), v.confidence()]),
            (Some(n), None, Some(g)) if !is_absurd(Some(n.minor_units()), None, Some(g.minor_units())) => {
                self.vat = computed(g.minor_units() - n.minor_units(), &[n.confidence(), g.confidence()]);
            }
            (None, Some(v), Some(g)) => self.net = computed(g.minor_units() - v.minor_units(), &[v.confidence(), g.confidence()]),
            (None, None, None) if draft.document_type == DocumentType::Receipt => {
                self.gross = self.line_sum.and_then(|sum| computed(sum, &[lines_confidence(draft)]));
            }
            _ => {}
        }
    }
}

fn summary_confidence(draft: &Draft) -> f32 {
    draft.vat.iter().flat_map(|row| [&row.net, &row.amount]).flatten().map(|span| span.probability).product()
}

fn lines_confidence(draft: &Draft) -> f32 {
    draft.items.iter().flat_map(|item| &item.cells).map(|(_, span)| span.probability).product()
}

/// Whether the text speaks of rounding, or the country's cash has no smaller coin than the rounding.
pub fn rounds<'a>(lines: impl IntoIterator<Item = &'a str>, customs: &Customs) -> bool {
    customs.currency == money::Currency::Myr || lines.into_iter().any(|line| line.to_uppercase().contains("ROUNDING"))
}
