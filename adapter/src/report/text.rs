//! The report as printed.

use std::fmt;

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};

use super::{Amount, Inventory, Report, Waiting};

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.name.as_ref().map_or_else(|| self.business.clone(), |name| format!("{name} ({})", self.business));
        writeln!(f, "Books of {name}, {} to {}, in {}\n", self.from, self.to, self.currency)?;
        writeln!(f, "{}\n", self.turnover())?;
        writeln!(f, "{}\n", self.cash_table())?;
        writeln!(f, "{}\n", self.vat_table())?;
        writeln!(f, "{}\n", stock_table(&self.inventory))?;
        if self.waiting.is_empty() { writeln!(f, "Nothing waits for you.") } else { writeln!(f, "{}", waiting_table(&self.waiting)) }
    }
}

impl Report {
    fn turnover(&self) -> Table {
        let mut table = table(["", "Gross", "VAT", "Net", "Lines", "From"]);
        let row = |title: &str, amounts: [Amount; 3], lines: i64, from: String| {
            let [gross, vat, net] = amounts.map(|amount| amount.to_string());
            [title.to_owned(), gross, vat, net, lines.to_string(), from]
        };
        let (sales, purchases) = (&self.sales, &self.purchases);
        let transactions = counted(sales.transactions, "transaction");
        table.add_row(row("Sales", [sales.gross, sales.vat, sales.net], sales.lines, transactions));
        let documents = counted(purchases.documents, "document");
        table.add_row(row("Purchases", [purchases.gross, purchases.vat, purchases.net], purchases.lines, documents));
        align_right(&mut table, 1..5);
        table
    }

    fn cash_table(&self) -> Table {
        let mut table = table(["Cash", "Opening", "In", "Out", "Closing", "Owed to suppliers"]);
        let cash = &self.cash;
        let amounts = [cash.opening, cash.received, cash.paid, cash.closing, cash.owed].map(|amount| amount.to_string());
        table.add_row(std::iter::once(String::new()).chain(amounts));
        align_right(&mut table, 1..6);
        table
    }

    fn vat_table(&self) -> Table {
        let mut table = table(["VAT return", "T1 on sales", "T2 on purchases", "T3 payable", "T4 repayable"]);
        let vat = &self.vat_return;
        table.add_row(std::iter::once(String::new()).chain([vat.t1, vat.t2, vat.t3, vat.t4].map(|amount| amount.to_string())));
        align_right(&mut table, 1..5);
        table
    }
}

fn counted(count: i64, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

fn stock_table(inventory: &[Inventory]) -> Table {
    let mut table = table(["Stock", "Unit", "Received", "Sold", "Lost", "On hand", "Net sales", "Cost", "Margin", ""]);
    let amount = |amount: Option<Amount>| amount.map_or_else(|| "?".to_owned(), |amount| amount.to_string());
    for product in inventory {
        let lost = product.wasted + product.lost_in_serving - product.counted;
        let [received, sold, lost, on_hand] = [product.received, product.sold, lost, product.on_hand].map(|quantity| quantity.to_string());
        let [net, cost, margin] = [Some(product.net_sales), product.cost_of_sales, product.margin].map(amount);
        let (name, unit, flags) = (product.product.clone(), product.unit.clone(), product.flags.join(", "));
        table.add_row([name, unit, received, sold, lost, on_hand, net, cost, margin, flags]);
    }
    align_right(&mut table, 2..9);
    table
}

fn waiting_table(waiting: &[Waiting]) -> Table {
    let mut table = table(["Waits for you", "", "Why"]);
    for group in waiting {
        table.add_row([group.what.clone(), group.count.to_string(), group.reason.clone()]);
    }
    align_right(&mut table, 1..2);
    table
}

fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic).set_header(header);
    table
}

fn align_right(table: &mut Table, columns: std::ops::Range<usize>) {
    for index in columns {
        if let Some(column) = table.column_mut(index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
}
