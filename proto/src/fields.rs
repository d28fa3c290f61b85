//! The fields of a document by name, as commands and people write them: `supplier.name`, `lines[2].quantity`.

use crate::{Field, Invoice, Line, Supplier, Totals, Vat};

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

    /// The place of a field, present or not. A row one past the last is added. `None`: the path names no field.
    pub fn field_mut(&mut self, path: &str) -> Option<&mut Option<Field>> {
        if let Some((list, index, name)) = row_path(path) {
            return match list {
                "lines" => line_field(row_mut(&mut self.lines, index)?, name),
                "vat" => vat_field(row_mut(&mut self.vat, index)?, name),
                _ => None,
            };
        }
        match path.split_once('.').unwrap_or(("", path)) {
            ("", "invoice_number") => Some(&mut self.invoice_number),
            ("", "issue_date") => Some(&mut self.issue_date),
            ("", "due_date") => Some(&mut self.due_date),
            ("", "currency") => Some(&mut self.currency),
            ("supplier", name) => supplier_field(self.supplier.get_or_insert_default(), name),
            ("customer", "name") => Some(&mut self.customer.get_or_insert_default().name),
            ("totals", name) => totals_field(self.totals.get_or_insert_default(), name),
            _ => None,
        }
    }
}

/// `lines[2].quantity` -> (`lines`, 2, `quantity`)
fn row_path(path: &str) -> Option<(&str, usize, &str)> {
    let (list, rest) = path.split_once('[')?;
    let (index, name) = rest.split_once("].")?;
    Some((list, index.parse().ok()?, name))
}

fn row_mut<Row: Default>(rows: &mut Vec<Row>, index: usize) -> Option<&mut Row> {
    if index == rows.len() {
        rows.push(Row::default());
    }
    rows.get_mut(index)
}

fn supplier_field<'a>(supplier: &'a mut Supplier, name: &str) -> Option<&'a mut Option<Field>> {
    match name {
        "name" => Some(&mut supplier.name),
        "address" => Some(&mut supplier.address),
        "vat_id" => Some(&mut supplier.vat_id),
        "phone" => Some(&mut supplier.phone),
        _ => None,
    }
}

fn line_field<'a>(line: &'a mut Line, name: &str) -> Option<&'a mut Option<Field>> {
    match name {
        "code" => Some(&mut line.code),
        "description" => Some(&mut line.description),
        "quantity" => Some(&mut line.quantity),
        "unit" => Some(&mut line.unit),
        "unit_price" => Some(&mut line.unit_price),
        "discount" => Some(&mut line.discount),
        "vat_rate" => Some(&mut line.vat_rate),
        "line_total" => Some(&mut line.line_total),
        _ => None,
    }
}

fn vat_field<'a>(vat: &'a mut Vat, name: &str) -> Option<&'a mut Option<Field>> {
    match name {
        "rate" => Some(&mut vat.rate),
        "net" => Some(&mut vat.net),
        "amount" => Some(&mut vat.amount),
        _ => None,
    }
}

fn totals_field<'a>(totals: &'a mut Totals, name: &str) -> Option<&'a mut Option<Field>> {
    match name {
        "net" => Some(&mut totals.net),
        "vat" => Some(&mut totals.vat),
        "gross" => Some(&mut totals.gross),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::{Field, Invoice, Line, Supplier};

    const PATHS: [&str; 23] = [
        "supplier.name",
        "supplier.address",
        "supplier.vat_id",
        "supplier.phone",
        "customer.name",
        "invoice_number",
        "issue_date",
        "due_date",
        "currency",
        "lines[0].code",
        "lines[0].description",
        "lines[0].quantity",
        "lines[0].unit",
        "lines[0].unit_price",
        "lines[0].discount",
        "lines[0].vat_rate",
        "lines[0].line_total",
        "vat[0].rate",
        "vat[0].net",
        "vat[0].amount",
        "totals.net",
        "totals.vat",
        "totals.gross",
    ];

    #[test]
    fn every_field_is_written_and_read_by_the_same_path() {
        let mut invoice = Invoice::default();
        for path in PATHS {
            *invoice.field_mut(path).unwrap() = Some(Field { text: path.into(), ..Field::default() });
        }
        let read: Vec<_> = invoice.fields().into_iter().map(|(path, field)| (path, field.text.clone())).collect();
        assert_eq!(read, PATHS.map(|path| (path.to_owned(), path.to_owned())));
        for path in
            ["", "lines", "lines[1]", "lines[2].code", "lines[0].colour", "lines[x].code", "rows[0].code", "totals.sum", "supplier", "a.b"]
        {
            assert!(invoice.field_mut(path).is_none(), "{path}");
        }
    }

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
