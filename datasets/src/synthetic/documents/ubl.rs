//! A deal as an e-invoice: OASIS UBL 2.1 with what EN 16931 asks for.

use std::fmt::Write as _;

use engine::understand::draft::DocumentType;

use super::deal::{Deal, Item, Party};
use super::figures::decimal;

/// Prints of units and their codes in UN/ECE Recommendation 20, packages with an X before (Recommendation 21).
const UNIT_CODES: [(&str, &str); 7] =
    [("KEG", "XKG"), ("CASE", "XCS"), ("BTL", "XBO"), ("BOX", "XBX"), ("PACK", "XPK"), ("KG", "KGM"), ("LTR", "LTR")];
/// A piece.
const PIECE: &str = "H87";

/// The XML of an invoice or a credit note; prices are without VAT.
pub fn ubl(deal: &Deal) -> String {
    let credit = deal.document_type == DocumentType::CreditNote;
    let (root, code_name, code) = if credit { ("CreditNote", "CreditNoteTypeCode", 381) } else { ("Invoice", "InvoiceTypeCode", 380) };
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<{root} xmlns=\"urn:oasis:names:specification:ubl:schema:xsd:{root}-2\"\n    \
         xmlns:cac=\"urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2\"\n    \
         xmlns:cbc=\"urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2\">\n"
    );
    let currency = deal.country.currency();
    let money = |name: &str, cents: i64| format!("<cbc:{name} currencyID=\"{currency}\">{}</cbc:{name}>", decimal(cents, 2, false));
    let mut line = |text: String| xml.push_str(&(text + "\n"));
    line("  <cbc:CustomizationID>urn:cen.eu:en16931:2017</cbc:CustomizationID>".into());
    line(format!("  <cbc:ID>{}</cbc:ID>", escaped(&deal.number)));
    line(format!("  <cbc:IssueDate>{}</cbc:IssueDate>", deal.issued));
    if !credit {
        line(format!("  <cbc:DueDate>{}</cbc:DueDate>", deal.due));
    }
    line(format!("  <cbc:{code_name}>{code}</cbc:{code_name}>"));
    line(format!("  <cbc:DocumentCurrencyCode>{currency}</cbc:DocumentCurrencyCode>"));
    line(format!("  <cac:AccountingSupplierParty>{}</cac:AccountingSupplierParty>", party(&deal.supplier)));
    line(format!("  <cac:AccountingCustomerParty>{}</cac:AccountingCustomerParty>", party(&deal.customer)));
    let mut taxes = money("TaxAmount", deal.vat_cents);
    for row in &deal.vat {
        let (net, vat, rate) = (money("TaxableAmount", row.net_cents), money("TaxAmount", row.vat_cents), category(row.rate_permille));
        taxes += &format!("\n    <cac:TaxSubtotal>{net}{vat}<cac:TaxCategory>{rate}</cac:TaxCategory></cac:TaxSubtotal>");
    }
    line(format!("  <cac:TaxTotal>{taxes}</cac:TaxTotal>"));
    let sums = [
        ("LineExtensionAmount", deal.net_cents),
        ("TaxExclusiveAmount", deal.net_cents),
        ("TaxInclusiveAmount", deal.gross_cents),
        ("PayableAmount", deal.gross_cents),
    ];
    let sums: String = sums.iter().map(|(name, cents)| money(name, *cents)).collect();
    line(format!("  <cac:LegalMonetaryTotal>{sums}</cac:LegalMonetaryTotal>"));
    let (line_name, quantity_name) = if credit { ("CreditNoteLine", "CreditedQuantity") } else { ("InvoiceLine", "InvoicedQuantity") };
    for (i, item) in deal.items.iter().enumerate() {
        line(format!("  <cac:{line_name}>\n    <cbc:ID>{}</cbc:ID>", i + 1));
        let (unit, quantity) = (unit_code(&item.unit), decimal(item.quantity_milli, 3, true));
        line(format!("    <cbc:{quantity_name} unitCode=\"{unit}\">{quantity}</cbc:{quantity_name}>"));
        line(format!("    {}{}", money("LineExtensionAmount", item.total_cents), allowance(item, &money)));
        line(format!("    {}", goods(item)));
        line(format!("    <cac:Price>{}</cac:Price>\n  </cac:{line_name}>", money("PriceAmount", item.unit_price_cents)));
    }
    line(format!("</{root}>"));
    xml
}

/// What the discount takes off quantity x price.
fn allowance(item: &Item, money: &impl Fn(&str, i64) -> String) -> String {
    let full = super::deal::divide_rounded(item.quantity_milli * item.unit_price_cents, 1000);
    if full == item.total_cents {
        return String::new();
    }
    let amount = money("Amount", full - item.total_cents);
    format!("<cac:AllowanceCharge><cbc:ChargeIndicator>false</cbc:ChargeIndicator>{amount}</cac:AllowanceCharge>")
}

fn goods(item: &Item) -> String {
    let mut xml = format!("<cac:Item><cbc:Name>{}</cbc:Name>", escaped(&item.description));
    if !item.code.is_empty() {
        let _ = write!(xml, "<cac:SellersItemIdentification><cbc:ID>{}</cbc:ID></cac:SellersItemIdentification>", escaped(&item.code));
    }
    let _ = write!(xml, "<cac:ClassifiedTaxCategory>{}</cac:ClassifiedTaxCategory></cac:Item>", category(item.rate_permille));
    xml
}

/// Standard rate or zero rate, and the percentage.
fn category(rate_permille: i64) -> String {
    let id = if rate_permille == 0 { "Z" } else { "S" };
    let percent = decimal(rate_permille, 1, true);
    format!("<cbc:ID>{id}</cbc:ID><cbc:Percent>{percent}</cbc:Percent><cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme>")
}

fn party(party: &Party) -> String {
    let [first, rest @ ..] = party.address.as_slice() else { return String::new() };
    format!(
        "<cac:Party>\n    <cac:PostalAddress><cbc:StreetName>{}</cbc:StreetName><cbc:CityName>{}</cbc:CityName></cac:PostalAddress>\n    \
         <cac:PartyTaxScheme><cbc:CompanyID>{}</cbc:CompanyID><cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme></cac:PartyTaxScheme>\n    \
         <cac:PartyLegalEntity><cbc:RegistrationName>{}</cbc:RegistrationName></cac:PartyLegalEntity>\n    \
         <cac:Contact><cbc:Telephone>{}</cbc:Telephone></cac:Contact>\n  </cac:Party>",
        escaped(first),
        escaped(&rest.join(", ")),
        escaped(&party.vat_id),
        escaped(&party.name),
        escaped(&party.phone),
    )
}

fn unit_code(unit: &str) -> &'static str {
    let unit = unit.to_uppercase();
    UNIT_CODES.iter().find(|(print, _)| *print == unit).map_or(PIECE, |(_, code)| code)
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synthetic::dice::Dice;
    use crate::synthetic::documents::region::Country;
    use proptest::prelude::*;

    proptest! {
        /// What the engine reads is what the deal says, and every rule holds.
        #[test]
        fn the_engine_reads_what_was_written(seed: u64, credit: bool) {
            let mut dice = Dice::new(seed, 0);
            let country = Country::draw(&mut dice);
            let deal = Deal::draw(&mut dice, if credit { DocumentType::CreditNote } else { DocumentType::Invoice }, country);
            let read = engine::e_invoice::read(ubl(&deal).as_bytes()).unwrap();
            prop_assert_eq!(read.document_type, deal.document_type);
            let number = deal.number.split_whitespace().collect::<Vec<_>>().join(" ");
            prop_assert_eq!(read.number.as_deref(), Some(number.as_str()));
            prop_assert_eq!(read.issued, Some(deal.issued));
            prop_assert_eq!(read.seller.vat_id.as_deref(), Some(deal.supplier.vat_id.as_str()));
            let cents = |amount: Option<rust_decimal::Decimal>| amount.map(|a| (a * rust_decimal::Decimal::ONE_HUNDRED).to_string().parse::<f64>().unwrap() as i64);
            prop_assert_eq!(cents(read.totals.gross), Some(deal.gross_cents));
            let totals: Vec<_> = read.lines.iter().map(|line| cents(line.total)).collect();
            prop_assert_eq!(totals, deal.items.iter().map(|item| Some(item.total_cents)).collect::<Vec<_>>());
            let merged = engine::e_invoice::merge(proto::Invoice::default(), &read);
            prop_assert!(merged.checks.iter().all(|check| check.passed), "{:?}", merged.checks);
        }
    }
}
