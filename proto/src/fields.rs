//! The fields of a document by name, as commands and people write them: `supplier.name`, `lines[2].quantity`.

use crate::{Field, Invoice};

impl Invoice {
    /// All fields that are present, in the document's order, each with its path.
    pub fn fields(&self) -> Vec<(String, &Field)> {
        let mut fields = Vec::new();
        let mut add = |path: String, field| fields.extend(Option::as_ref(field).map(|field| (path, field)));
        if let Some(supplier) = &self.supplier {
            add("supplier.name".into(), &supplier.name);
            add("supplier.address".into(), &supplier.address);
            add("supplier.vat_id".into(), &supplier.vat_id);
            add("supplier.phone".into(), &supplier.phone);
        }
        if let Some(customer) = &self.customer {
            add("customer.name".into(), &customer.name);
        }
        add("invoice_number".into(), &self.invoice_number);
        add("issue_date".into(), &self.issue_date);
        add("due_date".into(), &self.due_date);
        add("currency".into(), &self.currency);
        for (index, line) in self.lines.iter().enumerate() {
            add(format!("lines[{index}].code"), &line.code);
            add(format!("lines[{index}].description"), &line.description);
            add(format!("lines[{index}].quantity"), &line.quantity);
            add(format!("lines[{index}].unit"), &line.unit);
            add(format!("lines[{index}].unit_price"), &line.unit_price);
            add(format!("lines[{index}].discount"), &line.discount);
            add(format!("lines[{index}].vat_rate"), &line.vat_rate);
            add(format!("lines[{index}].line_total"), &line.line_total);
        }
        for (index, vat) in self.vat.iter().enumerate() {
            add(format!("vat[{index}].rate"), &vat.rate);
            add(format!("vat[{index}].net"), &vat.net);
            add(format!("vat[{index}].amount"), &vat.amount);
        }
        if let Some(totals) = &self.totals {
            add("totals.net".into(), &totals.net);
            add("totals.vat".into(), &totals.vat);
            add("totals.gross".into(), &totals.gross);
        }
        fields
    }
}

#[cfg(test)]
mod tests {
    use crate::{Field, Invoice, Line, Supplier};

    #[test]
    fn paths_follow_the_json_form() {
        let field = |text: &str| Some(Field { text: text.into(), ..Field::default() });
        let invoice = Invoice {
            supplier: Some(Supplier { vat_id: field("IE6388047V"), ..Supplier::default() }),
            issue_date: field("2026-03-12"),
            lines: vec![Line::default(), Line { quantity: field("24"), ..Line::default() }],
            ..Invoice::default()
        };
        let paths: Vec<_> = invoice.fields().into_iter().map(|(path, field)| (path, field.text.as_str())).collect();
        let expected = [("supplier.vat_id", "IE6388047V"), ("issue_date", "2026-03-12"), ("lines[1].quantity", "24")];
        assert_eq!(paths, expected.map(|(path, text)| (path.to_owned(), text)));
    }
}
