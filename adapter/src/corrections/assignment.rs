//! `field=value`, as a person writes it: `totals.gross=123.00`, `lines[2].quantity=24`, `lines[0].product=Guinness`, `document_type=INVOICE`.

use std::str::FromStr;

use jiff::civil::Date;
use proto::{Field, Invoice, field, invoice::DocumentType};
use rust_decimal::Decimal;

use crate::money::Currency;

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum AssignmentError {
    #[error("{0:?} is no field=value, such as totals.gross=123.00 or lines[2].quantity=24")]
    NoAssignment(String),
    #[error("there is no field {0:?}; fields are named as `correct show` names them, such as totals.gross or lines[0].quantity")]
    NoField(String),
    #[error("{field} can't be {value:?}: {expected}")]
    NoValue { field: String, value: String, expected: &'static str },
    #[error("line {0} of the document is no line of goods")]
    NoGoods(usize),
}

/// What an assignment changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    Field(String),
    DocumentType,
    /// Which of the business's products a line is.
    Product {
        line: usize,
    },
    /// Nothing but the document's standing.
    Acceptance,
}

/// A value for a field of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment {
    pub(crate) target: Target,
    /// As it will be stored; empty: the document does not have the field.
    pub(crate) value: String,
}

impl FromStr for Assignment {
    type Err = AssignmentError;

    fn from_str(text: &str) -> Result<Self, AssignmentError> {
        let no_assignment = || AssignmentError::NoAssignment(text.to_owned());
        let (path, value) = text.split_once('=').ok_or_else(no_assignment)?;
        let (path, value) = (path.trim(), value.trim());
        if path == "document_type" {
            let value = value.to_uppercase();
            return match DocumentType::from_str_name(&value) {
                Some(_) => Ok(Self { target: Target::DocumentType, value }),
                None => Err(no_value(path, &value, "INVOICE, CREDIT_NOTE, RECEIPT, DELIVERY_DOCKET, STATEMENT or OTHER")),
            };
        }
        if let Some(line) = path.strip_prefix("lines[").and_then(|rest| rest.strip_suffix("].product")).and_then(|line| line.parse().ok()) {
            return match value {
                "" => Err(no_value(path, value, "the name of a product")),
                _ => Ok(Self { target: Target::Product { line }, value: value.to_owned() }),
            };
        }
        Ok(Self { target: Target::Field(path.to_owned()), value: typed(path, value)? })
    }
}

impl Assignment {
    /// The field's path, as in the document's JSON.
    pub(crate) fn path(&self) -> String {
        match &self.target {
            Target::Field(path) => path.clone(),
            Target::DocumentType => "document_type".to_owned(),
            Target::Product { line } => format!("lines[{line}].product"),
            Target::Acceptance => "status".to_owned(),
        }
    }

    /// Puts the value into the document; gives the old one. A product is no field: it is not for here.
    pub(super) fn put(&self, invoice: &mut Invoice) -> Result<Option<String>, AssignmentError> {
        match &self.target {
            Target::DocumentType => {
                let old = invoice.document_type().as_str_name().to_owned();
                invoice.set_document_type(DocumentType::from_str_name(&self.value).unwrap_or_default());
                Ok(Some(old))
            }
            Target::Field(path) => {
                let place = invoice.field_mut(path).ok_or_else(|| AssignmentError::NoField(path.clone()))?;
                let old = place.take();
                let old_value = old.as_ref().map(|field| field.value.clone());
                if !self.value.is_empty() {
                    *place = Some(corrected(old.unwrap_or_default(), &self.value));
                }
                Ok(old_value)
            }
            Target::Product { .. } | Target::Acceptance => Ok(None),
        }
    }
}

/// What is printed, and where, stays.
fn corrected(field: Field, value: &str) -> Field {
    Field { value: value.to_owned(), confidence: 1.0, status: field::Status::Corrected.into(), ..field }
}

/// The value in the form of its field.
fn typed(path: &str, value: &str) -> Result<String, AssignmentError> {
    if value.is_empty() {
        return Ok(String::new());
    }
    match path.rsplit('.').next().unwrap_or(path) {
        "issue_date" | "due_date" => {
            let date: Result<Date, _> = value.parse();
            date.map(|date| date.to_string()).map_err(|_| no_value(path, value, "a date is written YYYY-MM-DD"))
        }
        "quantity" | "unit_price" | "discount" | "vat_rate" | "line_total" | "rate" | "net" | "amount" | "vat" | "gross" => {
            let number = Decimal::from_str_exact(value);
            number.map(|number| number.to_string()).map_err(|_| no_value(path, value, "a number is written with a point, such as 12.50"))
        }
        "currency" => {
            let currency: Result<Currency, _> = value.parse();
            currency.map(|currency| currency.to_string()).map_err(|_| no_value(path, value, "a currency is three letters such as EUR"))
        }
        _ => Ok(value.to_owned()),
    }
}

fn no_value(field: &str, value: &str, expected: &'static str) -> AssignmentError {
    AssignmentError::NoValue { field: field.to_owned(), value: value.to_owned(), expected }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn assignments_as_written() {
        for (text, path, value) in [
            ("totals.gross=123.00", "totals.gross", "123.00"),
            (" lines[2].quantity = 24 ", "lines[2].quantity", "24"),
            ("supplier.name=A = B Ltd", "supplier.name", "A = B Ltd"),
            ("document_type=credit_note", "document_type", "CREDIT_NOTE"),
            ("lines[0].product=Guinness", "lines[0].product", "Guinness"),
            ("due_date=", "due_date", ""),
        ] {
            let assignment: Assignment = text.parse().unwrap();
            assert_eq!((assignment.path().as_str(), assignment.value.as_str()), (path, value));
        }
        for (text, reason) in [
            ("totals.gross", "is no field=value"),
            ("totals.gross=12,50", "with a point"),
            ("issue_date=1/3/2026", "YYYY-MM-DD"),
            ("currency=euro", "three letters"),
            ("document_type=BILL", "CREDIT_NOTE"),
            ("lines[0].product=", "name of a product"),
        ] {
            let error = text.parse::<Assignment>().unwrap_err().to_string();
            assert!(error.contains(reason), "{error}");
        }
    }

    #[test]
    fn a_corrected_field_keeps_what_is_printed() {
        let printed =
            Field { text: "€ 12.O0".into(), value: "12.00".into(), confidence: 0.4, page: Some(0), quad: vec![1; 8], status: 0 };
        let mut invoice = Invoice::default();
        *invoice.field_mut("totals.gross").unwrap() = Some(printed.clone());
        let assignment: Assignment = "totals.gross=12.60".parse().unwrap();
        assert_eq!(assignment.put(&mut invoice), Ok(Some("12.00".to_owned())));
        let corrected = Field { value: "12.60".into(), confidence: 1.0, status: field::Status::Corrected.into(), ..printed };
        assert_eq!(invoice.totals.unwrap().gross, Some(corrected));
        let unknown: Assignment = "totals.tip=1".parse().unwrap();
        assert_eq!(unknown.put(&mut Invoice::default()), Err(AssignmentError::NoField("totals.tip".into())));
    }
}
