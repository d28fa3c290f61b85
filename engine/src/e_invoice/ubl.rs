//! OASIS UBL 2.1: invoices and credit notes.

use proto::invoice::DocumentType;

use super::element::Element;
use super::{EInvoice, EInvoiceError, Line, Party, Tax, Totals, document_type, taken_off, unit_price};

pub(super) fn read(root: Element<'_>) -> Result<EInvoice, EInvoiceError> {
    let totals = totals(root)?;
    let document_type = match root.name() {
        "CreditNote" => DocumentType::CreditNote,
        _ => document_type(root.text_at("InvoiceTypeCode").as_deref(), &totals),
    };
    let due = match root.date_at("DueDate")? {
        None => root.date_at("PaymentMeans/PaymentDueDate")?,
        due => due,
    };
    // BT-111, the same VAT in the currency of the seller's books, has no subtotals.
    let taxes = root.children("TaxTotal").flat_map(|total| total.children("TaxSubtotal"));
    Ok(EInvoice {
        document_type,
        number: root.text_at("ID"),
        issued: root.date_at("IssueDate")?,
        due,
        currency: root.text_at("DocumentCurrencyCode"),
        seller: root.at("AccountingSupplierParty/Party").map(party).unwrap_or_default(),
        buyer: root.at("AccountingCustomerParty/Party").map(party).unwrap_or_default(),
        lines: root.children("InvoiceLine|CreditNoteLine").map(line).collect::<Result<_, _>>()?,
        taxes: taxes.map(tax).collect::<Result<_, _>>()?,
        totals,
    })
}

fn party(party: Element<'_>) -> Party {
    let address = party.at("PostalAddress").map(|address| {
        let parts = ["StreetName", "AdditionalStreetName", "AddressLine/Line", "PostalZone", "CityName"].map(|part| address.text_at(part));
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    });
    let is_vat = |scheme: &Element<'_>| scheme.text_at("TaxScheme/ID").is_none_or(|id| id.eq_ignore_ascii_case("VAT"));
    Party {
        // BT-27 before BT-28, the name on the door.
        name: party.text_at("PartyLegalEntity/RegistrationName").or_else(|| party.text_at("PartyName/Name")),
        address: address.filter(|address| !address.is_empty()),
        vat_id: party.children("PartyTaxScheme").find(is_vat).and_then(|scheme| scheme.text_at("CompanyID")),
        phone: party.text_at("Contact/Telephone"),
    }
}

fn line(line: Element<'_>) -> Result<Line, EInvoiceError> {
    let quantity = line.at("InvoicedQuantity|CreditedQuantity");
    Ok(Line {
        code: line.text_at("Item/SellersItemIdentification/ID"),
        description: line.text_at("Item/Name").or_else(|| line.text_at("Item/Description")),
        quantity: quantity.map_or(Ok(None), Element::decimal)?,
        unit: quantity.and_then(|quantity| quantity.attribute("unitCode")).map(str::to_owned),
        price: unit_price(line.at("Price"), "PriceAmount", "BaseQuantity")?,
        discount: taken_off(line.children("AllowanceCharge"), "Amount", "ChargeIndicator")?,
        vat_rate: line.decimal_at("Item/ClassifiedTaxCategory/Percent")?,
        total: line.decimal_at("LineExtensionAmount")?,
    })
}

fn tax(tax: Element<'_>) -> Result<Tax, EInvoiceError> {
    Ok(Tax { rate: tax.decimal_at("TaxCategory/Percent")?, net: tax.decimal_at("TaxableAmount")?, amount: tax.decimal_at("TaxAmount")? })
}

fn totals(root: Element<'_>) -> Result<Totals, EInvoiceError> {
    let Some(sums) = root.at("LegalMonetaryTotal") else { return Ok(Totals::default()) };
    let currency = root.text_at("DocumentCurrencyCode");
    let in_currency = |amount: &Element<'_>| amount.attribute("currencyID").is_none_or(|c| currency.as_deref().is_none_or(|d| c == d));
    let vat = root.children("TaxTotal").filter_map(|total| total.at("TaxAmount")).find(in_currency);
    Ok(Totals {
        lines: sums.decimal_at("LineExtensionAmount")?,
        allowances: sums.decimal_at("AllowanceTotalAmount")?,
        charges: sums.decimal_at("ChargeTotalAmount")?,
        net: sums.decimal_at("TaxExclusiveAmount")?,
        vat: vat.map_or(Ok(None), Element::decimal)?,
        gross: sums.decimal_at("TaxInclusiveAmount")?,
    })
}
