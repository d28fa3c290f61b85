//! Elements by their local names: prefixes differ between writers, and between versions so do namespaces.

use jiff::civil::Date;
use roxmltree::Node;
use rust_decimal::Decimal;

use super::EInvoiceError;

/// An element of the XML.
#[derive(Clone, Copy)]
pub(super) struct Element<'a>(pub Node<'a, 'a>);

impl<'a> Element<'a> {
    pub fn name(self) -> &'a str {
        self.0.tag_name().name()
    }

    /// Children of one of these names: `TaxTotal`, `InvoiceLine|CreditNoteLine`.
    pub fn children(self, names: &'a str) -> impl Iterator<Item = Element<'a>> {
        let named = move |node: &Node| node.is_element() && names.split('|').any(|name| name == node.tag_name().name());
        self.0.children().filter(named).map(Element)
    }

    /// The first element along a path of names: `SellerTradeParty/Name`.
    pub fn at(self, path: &'a str) -> Option<Element<'a>> {
        path.split('/').try_fold(self, |element, names| element.children(names).next())
    }

    /// Its text without space around, unless it is empty.
    pub fn text(self) -> Option<&'a str> {
        self.0.text().map(str::trim).filter(|text| !text.is_empty())
    }

    pub fn attribute(self, name: &str) -> Option<&'a str> {
        self.0.attribute(name).map(str::trim).filter(|text| !text.is_empty())
    }

    pub fn text_at(self, path: &'a str) -> Option<String> {
        self.at(path)?.text().map(|text| text.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    pub fn decimal_at(self, path: &'a str) -> Result<Option<Decimal>, EInvoiceError> {
        self.at(path).map_or(Ok(None), Element::decimal)
    }

    pub fn decimal(self) -> Result<Option<Decimal>, EInvoiceError> {
        self.typed("decimal number", |text| text.parse().ok())
    }

    pub fn date_at(self, path: &'a str) -> Result<Option<Date>, EInvoiceError> {
        let Some(element) = self.at(path) else { return Ok(None) };
        element.typed("date (YYYYMMDD or YYYY-MM-DD)", date)
    }

    fn typed<T>(self, expected: &'static str, read: impl Fn(&str) -> Option<T>) -> Result<Option<T>, EInvoiceError> {
        let Some(text) = self.text() else { return Ok(None) };
        let wrong = || EInvoiceError::Value {
            line: self.0.document().text_pos_at(self.0.range().start).row,
            element: self.name().to_owned(),
            text: text.to_owned(),
            expected,
        };
        read(text).map(Some).ok_or_else(wrong)
    }
}

/// `20240117` (format 102 of UNTDID 2379) or `2024-01-17`, a time or time zone behind it left out.
fn date(text: &str) -> Option<Date> {
    let digits = text.get(..8).filter(|start| start.bytes().all(|byte| byte.is_ascii_digit()));
    let day = |format, text| Date::strptime(format, text).ok();
    digits.map_or_else(|| day("%Y-%m-%d", text.get(..10)?), |digits| day("%Y%m%d", digits))
}
