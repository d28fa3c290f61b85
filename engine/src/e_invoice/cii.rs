//! UN/CEFACT Cross Industry Invoice: D16B as in Factur-X, ZUGFeRD 2 and XRechnung, and the form of ZUGFeRD 1.0, which has other
//! names for the same parts.

use super::element::Element;
use super::{EInvoice, EInvoiceError, Line, Party, Tax, Totals, document_type, taken_off, unit_price};

pub(super) fn read(root: Element<'_>) -> Result<EInvoice, EInvoiceError> {
    let part = |names| root.at(names).unwrap_or(root);
    let document = part("ExchangedDocument|HeaderExchangedDocument");
    let trade = part("SupplyChainTradeTransaction|SpecifiedSupplyChainTradeTransaction");
    let agreement = trade.at("ApplicableHeaderTradeAgreement|ApplicableSupplyChainTradeAgreement").unwrap_or(trade);
    let settlement = trade.at("ApplicableHeaderTradeSettlement|ApplicableSupplyChainTradeSettlement").unwrap_or(trade);
    let currency = settlement.text_at("InvoiceCurrencyCode");
    let totals = totals(settlement, currency.as_deref())?;
    Ok(EInvoice {
        document_type: document_type(document.text_at("TypeCode").as_deref(), &totals),
        number: document.text_at("ID"),
        issued: document.date_at("IssueDateTime/DateTimeString")?,
        due: settlement.date_at("SpecifiedTradePaymentTerms/DueDateDateTime/DateTimeString")?,
        currency,
        seller: agreement.at("SellerTradeParty").map(party).unwrap_or_default(),
        buyer: agreement.at("BuyerTradeParty").map(party).unwrap_or_default(),
        lines: trade.children("IncludedSupplyChainTradeLineItem").filter(has_amount).map(line).collect::<Result<_, _>>()?,
        taxes: settlement.children("ApplicableTradeTax").map(tax).collect::<Result<_, _>>()?,
        totals,
    })
}

/// A line may be a mere note.
fn has_amount(line: &Element<'_>) -> bool {
    line.at("SpecifiedTradeProduct").is_some()
}

fn party(party: Element<'_>) -> Party {
    let address = party.at("PostalTradeAddress").map(|address| {
        let parts = ["LineOne", "LineTwo", "LineThree", "PostcodeCode", "CityName"].map(|part| address.text_at(part));
        parts.into_iter().flatten().collect::<Vec<_>>().join(" ")
    });
    let registrations = || party.children("SpecifiedTaxRegistration").filter_map(|registration| registration.at("ID"));
    Party {
        name: party.text_at("Name"),
        address: address.filter(|address| !address.is_empty()),
        vat_id: registrations().find(|id| id.attribute("schemeID") == Some("VA")).and_then(Element::text).map(str::to_owned),
        phone: party.text_at("DefinedTradeContact/TelephoneUniversalCommunication/CompleteNumber"),
    }
}

fn line(line: Element<'_>) -> Result<Line, EInvoiceError> {
    let part = |names| line.at(names).unwrap_or(line);
    let product = part("SpecifiedTradeProduct");
    let agreement = part("SpecifiedLineTradeAgreement|SpecifiedSupplyChainTradeAgreement");
    let quantity = line.at("SpecifiedLineTradeDelivery|SpecifiedSupplyChainTradeDelivery").and_then(|part| part.at("BilledQuantity"));
    let settlement = part("SpecifiedLineTradeSettlement|SpecifiedSupplyChainTradeSettlement");
    let summation = "SpecifiedTradeSettlementLineMonetarySummation|SpecifiedTradeSettlementMonetarySummation/LineTotalAmount";
    Ok(Line {
        code: product.text_at("SellerAssignedID"),
        description: product.text_at("Name"),
        quantity: quantity.map_or(Ok(None), Element::decimal)?,
        unit: quantity.and_then(|quantity| quantity.attribute("unitCode")).map(str::to_owned),
        price: unit_price(agreement.at("NetPriceProductTradePrice"), "ChargeAmount", "BasisQuantity")?,
        discount: taken_off(settlement.children("SpecifiedTradeAllowanceCharge"), "ActualAmount", "ChargeIndicator/Indicator")?,
        vat_rate: settlement.decimal_at("ApplicableTradeTax/RateApplicablePercent|ApplicablePercent")?,
        total: settlement.decimal_at(summation)?,
    })
}

fn tax(tax: Element<'_>) -> Result<Tax, EInvoiceError> {
    Ok(Tax {
        rate: tax.decimal_at("RateApplicablePercent|ApplicablePercent")?,
        net: tax.decimal_at("BasisAmount")?,
        amount: tax.decimal_at("CalculatedAmount")?,
    })
}

fn totals(settlement: Element<'_>, currency: Option<&str>) -> Result<Totals, EInvoiceError> {
    let summation = "SpecifiedTradeSettlementHeaderMonetarySummation|SpecifiedTradeSettlementMonetarySummation";
    let Some(sums) = settlement.at(summation) else { return Ok(Totals::default()) };
    // BT-111 stands beside BT-110: the same VAT in the currency of the seller's books.
    let in_currency = |amount: &Element<'_>| currency.is_none() || amount.attribute("currencyID").is_none_or(|c| Some(c) == currency);
    let vat = sums.children("TaxTotalAmount").find(in_currency);
    Ok(Totals {
        lines: sums.decimal_at("LineTotalAmount")?,
        allowances: sums.decimal_at("AllowanceTotalAmount")?,
        charges: sums.decimal_at("ChargeTotalAmount")?,
        net: sums.decimal_at("TaxBasisTotalAmount")?,
        vat: vat.map_or(Ok(None), Element::decimal)?,
        gross: sums.decimal_at("GrandTotalAmount")?,
    })
}
