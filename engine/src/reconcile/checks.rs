//! What was tested, what failed, and whether a person has to look.

use jiff::civil::Date;
use proto::{Check, Field, Invoice, invoice::DocumentType, invoice::Status};

use super::{
    Customs,
    fields::Evidence,
    rows::{self, Known, ROW_TOLERANCE, Row},
    totals::{Total, Totals},
    vat_id::{self, VatId},
    vat_rates,
    vat_rows::{VAT_TOLERANCE, VatReading},
};

/// A required field below this has to be looked at.
pub const READY_CONFIDENCE_MIN: f32 = 0.8;
/// The same for the kind of the document.
pub const DOCUMENT_TYPE_CONFIDENCE_MIN: f32 = 0.8;

/// What a document of each kind must have to be booked without a person.
fn required(document_type: DocumentType) -> &'static [Required] {
    use Required::{Currency, Gross, InvoiceNumber, IssueDate, SupplierName};
    match document_type {
        DocumentType::Invoice | DocumentType::CreditNote => &[SupplierName, InvoiceNumber, IssueDate, Currency, Gross],
        DocumentType::Receipt => &[SupplierName, IssueDate, Currency, Gross],
        DocumentType::DeliveryDocket => &[SupplierName, IssueDate],
        DocumentType::Statement => &[SupplierName, IssueDate, Currency, Gross],
        DocumentType::Other => &[],
    }
}

#[derive(Debug, Clone, Copy)]
enum Required {
    SupplierName,
    InvoiceNumber,
    IssueDate,
    Currency,
    Gross,
}

impl Required {
    fn name(self) -> &'static str {
        match self {
            Self::SupplierName => "supplier's name",
            Self::InvoiceNumber => "invoice number",
            Self::IssueDate => "date",
            Self::Currency => "currency",
            Self::Gross => "total",
        }
    }

    fn of(self, invoice: &Invoice) -> Option<&Field> {
        match self {
            Self::SupplierName => invoice.supplier.as_ref()?.name.as_ref(),
            Self::InvoiceNumber => invoice.invoice_number.as_ref(),
            Self::IssueDate => invoice.issue_date.as_ref(),
            Self::Currency => invoice.currency.as_ref(),
            Self::Gross => invoice.totals.as_ref()?.gross.as_ref(),
        }
    }

    /// Why this field keeps the document from being ready.
    fn objection(self, invoice: &Invoice) -> Option<String> {
        let name = self.name();
        match self.of(invoice) {
            None => Some(format!("no {name} was found")),
            Some(field) if field.value.is_empty() => Some(format!("the {name} {:?} can't be read", field.text)),
            Some(field) if field.confidence < READY_CONFIDENCE_MIN => {
                let value = if field.text.is_empty() { &field.value } else { &field.text };
                Some(format!("the {name} {value:?} is uncertain ({:.0} %)", f64::from(field.confidence) * 100.0))
            }
            Some(_) => None,
        }
    }
}

/// A check, whose detail doubles as the review reason when it fails.
pub fn check(name: impl Into<String>, passed: bool, detail: impl Into<String>) -> Check {
    Check { name: name.into(), passed, detail: detail.into() }
}

/// quantity x price - discount = total, for each row that prints all of them.
pub fn of_rows(rows: &[&Row], customs: &Customs) -> Vec<Check> {
    let amount = |known: Option<Known<i64>>| known.map(|k| customs.decimal(k.value()).to_string()).unwrap_or_default();
    let tested = rows.iter().enumerate().filter(|(_, row)| row.arithmetic != Evidence::Open);
    let checks = tested.map(|(i, row)| {
        let quantity = row.quantity.map(|k| k.value().normalize().to_string()).unwrap_or_default();
        let price = row.price.map(|k| rows::at_least_decimals(k.value(), customs).to_string()).unwrap_or_default();
        let discount = row.discount.map(|_| format!(" - {}", amount(row.discount))).unwrap_or_default();
        let passed = row.arithmetic == Evidence::Confirmed;
        let relation = if passed { "=" } else { "is not" };
        let detail = format!("line {}: {quantity} x {price}{discount} {relation} {}", i + 1, amount(row.total));
        check(format!("lines[{i}].line_total"), passed, detail)
    });
    checks.collect()
}

/// net x rate = VAT, for each row of the summary that prints all of them.
pub fn of_summary(summary: &[VatReading], customs: &Customs) -> Vec<Check> {
    let amount = |known: Option<Known<i64>>| known.map(|k| customs.decimal(k.value()).to_string()).unwrap_or_default();
    let tested = summary.iter().enumerate().filter(|(_, row)| row.arithmetic != Evidence::Open);
    let checks = tested.map(|(i, row)| {
        let rate = row.rate.map(|r| r.value().to_string()).unwrap_or_default();
        let passed = row.arithmetic == Evidence::Confirmed;
        let relation = if passed { "=" } else { "is not" };
        check(format!("vat[{i}].amount"), passed, format!("{rate} % of {} {relation} VAT of {}", amount(row.net), amount(row.amount)))
    });
    checks.collect()
}

/// Rates that are no law where and when the document was issued.
pub fn of_rates(invoice: &Invoice, customs: &Customs, issued: Option<Date>) -> Option<Check> {
    let country = customs.country?;
    let legal = vat_rates::legal(country, issued)?;
    let printed = invoice.vat.iter().map(|v| &v.rate).chain(invoice.lines.iter().map(|l| &l.vat_rate)).flatten();
    let mut rates: Vec<&str> = printed.map(|f| f.value.as_str()).filter(|v| !v.is_empty()).collect();
    rates.sort_unstable();
    rates.dedup();
    let is_legal = |rate: &&str| rate.parse().is_ok_and(|rate| legal.contains(&rate));
    let (_, illegal): (Vec<&str>, Vec<&str>) = rates.iter().partition(|rate| is_legal(rate));
    let passed = illegal.is_empty();
    let detail = match passed {
        true => format!("{} % in {}", rates.join(", "), country.code()),
        false => format!("no VAT rate of {} is {} %", country.code(), illegal.join(" % or ")),
    };
    (!rates.is_empty()).then(|| check("vat_rate", passed, detail))
}

/// Sums of rows, of the VAT summary, and net + VAT = gross.
pub fn of_totals(totals: &Totals, rows: &[&Row], summary: &[VatReading], customs: &Customs) -> Vec<Check> {
    [of_line_sum(totals, rows, customs), of_summary_sum(totals, summary, customs), of_gross(totals, customs)]
        .into_iter()
        .flatten()
        .collect()
}

/// The rows sum to the net, or to the gross where prices include VAT.
fn of_line_sum(totals: &Totals, rows: &[&Row], customs: &Customs) -> Option<Check> {
    let sum = totals.line_sum?;
    let tolerance = ROW_TOLERANCE * rows.len() as i64;
    let targets = [("net", totals.net, tolerance), ("total", totals.gross, tolerance.max(totals.gross_tolerance))];
    let targets: Vec<_> =
        targets.into_iter().filter_map(|(name, total, tolerance)| Some((name, total?.minor_units(), tolerance))).collect();
    let hit = targets.iter().find(|(_, target, tolerance)| (target - sum).abs() <= *tolerance);
    let (name, target, _) = hit.or(targets.first())?;
    let relation = if hit.is_some() { "is" } else { "is not" };
    let detail = format!("the lines sum to {}, which {relation} the {name} of {}", customs.decimal(sum), customs.decimal(*target));
    Some(check("lines_sum", hit.is_some(), detail))
}

fn of_summary_sum(totals: &Totals, summary: &[VatReading], customs: &Customs) -> Option<Check> {
    let vat = totals.vat.filter(|vat| vat.is_read())?.minor_units();
    let amounts: Vec<i64> = summary.iter().map(|row| row.amount.map(Known::value)).collect::<Option<_>>()?;
    let sum: i64 = amounts.iter().sum();
    let passed = (sum - vat).abs() <= VAT_TOLERANCE * amounts.len() as i64;
    let relation = if passed { "is" } else { "is not" };
    let detail = format!("VAT by rate sums to {}, which {relation} the VAT of {}", customs.decimal(sum), customs.decimal(vat));
    (!amounts.is_empty()).then(|| check("vat_sum", passed, detail))
}

fn of_gross(totals: &Totals, customs: &Customs) -> Option<Check> {
    let (net, vat, gross) = (totals.net?, totals.vat?, totals.gross?);
    // Two that make the third by computation prove nothing.
    if [net, vat, gross].iter().any(Total::is_computed) {
        return None;
    }
    let off = gross.minor_units() - net.minor_units() - vat.minor_units();
    let [net, vat, gross] = [net, vat, gross].map(|total| customs.decimal(total.minor_units()));
    let passed = off.abs() <= totals.gross_tolerance;
    let detail = match (passed, off) {
        (true, 0) => format!("{net} + {vat} = {gross}"),
        (true, off) => format!("{net} + {vat} = {gross}, rounded by {}", customs.decimal(off)),
        (false, _) => format!("net {net} + VAT {vat} is not the total {gross}"),
    };
    Some(check("gross", passed, detail))
}

pub fn of_vat_id(id: Option<&VatId>) -> Option<Check> {
    let id = id?;
    match id.check {
        vat_id::Check::Unknown => None,
        vat_id::Check::Passed => Some(check("supplier.vat_id", true, format!("the check digits of {} are right", id.value))),
        vat_id::Check::Failed => Some(check("supplier.vat_id", false, format!("the check digits of VAT number {} are wrong", id.value))),
    }
}

pub fn of_dates(issued: Option<Date>, due: Option<Date>) -> Option<Check> {
    let (issued, due) = (issued?, due?);
    let passed = issued <= due;
    let relation = if passed { "is not before" } else { "is before" };
    Some(check("due_date", passed, format!("due on {due}, which {relation} its date {issued}")))
}

/// Why what was read on pages may be no document of the books.
pub fn doubt_of_kind(invoice: &Invoice, probability: f32) -> Option<String> {
    if invoice.text.is_empty() {
        Some("no text was found on the document".into())
    } else if invoice.document_type() == DocumentType::Other {
        Some("this is no invoice, receipt, credit note, docket or statement".into())
    } else if probability < DOCUMENT_TYPE_CONFIDENCE_MIN {
        Some(format!("the kind of document is uncertain ({:.0} %)", f64::from(probability) * 100.0))
    } else {
        None
    }
}

/// Sets the status and the reasons for a review, the doubt of its kind first.
pub fn conclude(invoice: &mut Invoice, doubt_of_kind: Option<String>) {
    let document_type = invoice.document_type();
    let mut reasons: Vec<String> = doubt_of_kind.into_iter().collect();
    reasons.extend(required(document_type).iter().filter_map(|field| field.objection(invoice)));
    if document_type == DocumentType::DeliveryDocket && invoice.lines.is_empty() {
        reasons.push("no goods were found".into());
    }
    reasons.extend(invoice.checks.iter().filter(|check| !check.passed).map(|check| check.detail.clone()));
    invoice.set_status(if reasons.is_empty() { Status::Ready } else { Status::NeedsReview });
    invoice.review_reasons = reasons;
}
