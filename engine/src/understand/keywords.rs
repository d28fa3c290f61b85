//! The words that tell what a number is: captions of invoices and receipts, in English, Malay, German and French.
//!
//! Characters that recognisers confuse (`O`/`0`, `I`/`1`/`L`, `S`/`5`, `B`/`8`) count as the same.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

/// Phrases at least this long are also found when the spaces around or within them were lost.
const GLUED_LENGTH_MIN: usize = 6;

macro_rules! keywords {
    ($($name:ident: [$($phrase:literal),+ $(,)?]),+ $(,)?) => {
        /// A group of words with one meaning.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Keyword { $($name),+ }

        impl Keyword {
            /// How many there are.
            pub const COUNT: usize = [$(Keyword::$name),+].len();
        }

        const PHRASES: [(Keyword, &[&str]); Keyword::COUNT] = [$((Keyword::$name, &[$($phrase),+])),+];
    };
}

keywords! {
    Total: ["TOTAL", "TOTALRM", "TOTALS", "TTL", "JUMLAH", "SUMME", "GESAMT", "GESAMTBETRAG", "GESAMTSUMME", "ENDBETRAG", "RECHNUNGSSUMME", "RECHNUNGSBETRAG", "TOTAAL"],
    Subtotal: ["SUBTOTAL", "SUB TOTAL", "STTL", "ZWISCHENSUMME", "SOUS TOTAL", "POSITIONSSUMME", "CARRIED FORWARD", "BROUGHT FORWARD", "SUBTOTAAL"],
    Grand: ["GRAND", "FINAL", "OVERALL"],
    Gross: ["GROSS", "BRUTTO", "TTC", "BRUTTOBETRAG", "BRUTTOSUMME"],
    Net: ["NET", "NETT", "NETTO", "HT", "GOODS", "NETTOBETRAG", "NETTOSUMME", "TAXABLE", "WARENWERT"],
    Amount: ["AMOUNT", "AMT", "BETRAG", "MONTANT", "VALUE", "SUM", "ENTGELT", "GESAMTPREIS", "NETTOWERT", "BEDRAG", "VALEUR", "EXTENDED", "EXTENSION", "GP", "WERT"],
    Due: ["DUE", "PAYABLE", "BALANCE", "ZAHLBETRAG", "A PAYER", "TO PAY", "OUTSTANDING", "TE BETALEN"],
    Cash: ["CASH", "TUNAI", "BAR", "ESPECES"],
    Change: ["CHANGE", "CHANGES", "BAKI", "RUECKGELD", "RENDU", "CHG"],
    Tender: ["TENDER", "TENDERED", "PAID", "PAYMENT", "PAY", "RECEIVED", "BAYAR", "BAYARAN", "GEGEBEN", "ACCEPTED"],
    Card: ["VISA", "MASTER", "MASTERCARD", "CARD", "DEBIT", "AMEX", "EFT", "MAESTRO", "CARTE"],
    Tax: ["TAX", "GST", "VAT", "SST", "MWST", "UST", "TVA", "CUKAI", "UMSATZSTEUER", "MEHRWERTSTEUER", "STEUER", "STEUERBETRAG", "BTW", "IVA", "T V A", "V A T", "I V A", "TAXE", "TAXES", "HST", "IMPOSTA", "ALIQUOTA", "ALIQ", "IMPUESTO", "IMPUESTOS"],
    Rounding: ["ROUND", "ROUNDED", "ROUNDING", "RND", "ADJ", "ADJUSTMENT", "ROUND OFF", "PEMBULATAN", "RUNDUNG"],
    Discount: ["DISC", "DISCOUNT", "RABATT", "ABSCHLAG", "REMISE", "SAVING", "SAVINGS", "SAVED", "NACHLASS", "REM", "RAB", "KORTING", "RABAIS"],
    Included: ["INCL", "INCLUSIVE", "INC", "INCLUDING", "INCLUDES", "INCLUDED", "INKL", "ENTHALTEN"],
    Excluded: ["EXCL", "EXCLUSIVE", "EXCLUDING", "EX", "BEFORE", "WITHOUT", "ZZGL"],
    Quantity: ["QTY", "QUANTITY", "MENGE", "QTE", "QUANTITE", "PCS", "ANZAHL", "CASES", "UNITS", "AANTAL", "PIECES", "STUECK", "HOURS", "UNITES", "HRS"],
    Items: ["ITEM", "ITEMS", "COUNT", "ARTICLE", "ARTICLES", "NO OF ITEMS"],
    Price: ["PRICE", "PREIS", "EINZELPREIS", "PRIX", "COST", "U P", "P U", "PU", "UNIT PRICE", "NETTOPREIS", "STUECKPREIS", "EINZEL", "E PREIS", "CHARGED AT", "PRIJS", "STUKPRIJS", "EENHEIDSPRIJS", "BRUTOPRIJS", "EP"],
    Rate: ["RATE", "SATZ", "TAUX"],
    Description: ["DESCRIPTION", "DESC", "PRODUCT", "PRODUCTS", "BEZEICHNUNG", "BESCHREIBUNG", "LEISTUNG", "DESIGNATION", "LIBELLE", "DETAILS", "PARTICULARS", "ARTIKEL", "OMSCHRIJVING", "PRESTATION"],
    Code: ["CODE", "SKU", "BARCODE", "ARTIKELNUMMER", "ART NR", "ARTIKEL NR", "ART NO", "ARTICLE NO", "GTIN", "EAN", "PRODUCT NO", "ITEM NO", "PLU", "ARTIKELNR", "ARTNR"],
    Unit: ["UNIT", "UOM", "U M", "PACK", "SIZE", "EINHEIT", "UNITE", "COND", "GEBINDE", "VPE", "FORMAT", "EENHEID", "PACKED", "EINH"],
    Service: ["SERVICE", "SVC", "CHARGE", "SERV", "DEPOSIT", "DELIVERY CHARGE", "CARRIAGE"],
    Summary: ["SUMMARY", "ANALYSIS", "BREAKDOWN", "AUFSTELLUNG"],
    Currency: ["RM", "MYR", "EUR", "EURO", "GBP", "USD", "CHF"],
    Invoice: ["INVOICE", "INV", "RECHNUNG", "HANDELSRECHNUNG", "FACTURE", "FACTUUR", "VERZAMELFACTUUR", "CREDITNOTA"],
    Receipt: ["RECEIPT", "RCPT", "SLIP", "QUITTUNG", "RESIT", "KASSENBON", "TICKET"],
    Bill: ["BILL", "CHECK", "CHK"],
    Number: ["NO", "NUMBER", "NR", "NUM", "NUMMER", "NUMERO", "RECHNUNGSNUMMER", "NBR", "HASH", "FACTUURNUMMER"],
    Document: ["DOC", "DOCUMENT", "TRANS", "TRX", "TXN", "TRANSACTION", "BELEG"],
    Reference: ["REF", "REFERENCE", "OUR REF", "YOUR REF", "REFERENZ"],
    Order: ["ORDER", "PO", "ORD", "BESTELLUNG", "AUFTRAG", "COMMANDE", "BESTELLNUMMER", "AUFTRAGSNUMMER"],
    Customer: ["CUSTOMER", "CUST", "ACCOUNT", "ACC", "A C", "KUNDE", "KUNDENNUMMER", "CLIENT", "MEMBER", "KUNDEN", "DEBITEURNUMMER", "DEBITEUR"],
    Delivery: ["DELIVERY", "DELIVERED", "DOCKET", "LIEFERSCHEIN", "LIVRAISON", "DISPATCH", "LIEFERDATUM", "SHIPPED", "LEISTUNGSDATUM", "BL", "LEISTUNGSZEIT", "LEISTUNGSNACHWEIS", "LEISTUNGSZEITRAUM", "LIEFERZEITRAUM", "PAKBON"],
    CreditNote: ["CREDIT NOTE", "CREDITNOTE", "GUTSCHRIFT", "AVOIR", "REFUND", "RECHNUNGSKORREKTUR", "CN"],
    Statement: ["STATEMENT", "KONTOAUSZUG", "RELEVE"],
    Date: ["DATE", "DATED", "DATUM", "TARIKH", "DT", "RECHNUNGSDATUM", "VOM", "FACTUURDATUM"],
    Terms: ["TERMS", "FAELLIG", "ECHEANCE", "DUE DATE", "PAY BY", "ZAHLBAR", "FAELLIGKEIT", "DAYS", "ZAHLUNGSZIEL", "TAGE", "TAGEN", "BIS ZUM", "VERVALDATUM"],
    Time: ["TIME", "UHR", "AM", "PM", "MASA", "HEURE"],
    Phone: ["TEL", "PHONE", "TELEPHONE", "HP", "MOBILE", "TELEFON", "H P", "T"],
    Fax: ["FAX", "F"],
    Mail: ["EMAIL", "E MAIL", "WWW", "WEBSITE", "COM", "HTTP"],
    Registration: ["REG", "REGISTRATION", "CO", "COMPANY", "ROC", "ID", "CRO", "HRB", "HANDELSREGISTER"],
    Till: ["TABLE", "POS", "CASHIER", "TERMINAL", "COUNTER", "STATION", "SERVER", "TILL", "OPERATOR", "STAFF", "KASSE"],
    Bank: ["IBAN", "BIC", "BANK", "SWIFT", "SORT CODE", "BANKACCOUNT"],
    Recipient: ["TO", "BILL TO", "SOLD TO", "SHIP TO", "INVOICE TO", "DELIVER TO", "ATTN", "EMPFAENGER", "RECHNUNGSEMPFAENGER", "KAEUFER", "BUYER", "BILLING ADDRESS", "INVOICE ADDRESS", "BILLED TO", "RECHNUNGSADRESSE", "RECHNUNGSANSCHRIFT", "ADRESSE DE FACTURATION", "FACTURE A", "FACTURER A", "DESTINATAIRE", "CONSIGNEE", "CHARGE TO", "RECHNUNG AN", "FACTUUR AAN"],
    Seller: ["SELLER", "FROM", "SUPPLIER", "VENDOR", "VERKAEUFER", "LIEFERANT", "ABSENDER", "VENDEUR", "FOURNISSEUR", "EMETTEUR", "EXPORTER", "ISSUED BY", "RECHNUNGSSTELLER", "SOLD BY"],
    Legal: ["SDN", "BHD", "ENTERPRISE", "TRADING", "LTD", "LIMITED", "GMBH", "INC", "LLC", "PLC", "AG", "KG", "MART", "RESTAURANT", "RESTORAN", "CAFE", "HARDWARE", "STORE", "SUPERMARKET", "S B", "PERNIAGAAN", "KEDAI", "DAC", "BREWERY", "WINES", "DISTRIBUTORS", "WHOLESALE", "FOODS", "MARKETING", "STATIONERY", "HOLDINGS", "INDUSTRIES"],
    Place: ["JALAN", "JLN", "TAMAN", "LOT", "LORONG", "STREET", "ROAD", "AVENUE", "LANE", "FLOOR", "LEVEL", "BLOCK", "BANDAR", "SELANGOR", "JOHOR", "KUALA", "LUMPUR", "MALAYSIA", "PETALING", "JAYA", "SHAH ALAM", "WILAYAH", "PERSEKUTUAN", "INDUSTRIAL", "ESTATE", "PARK", "CO", "COUNTY", "DUBLIN", "CORK", "GALWAY", "LIMERICK", "IRELAND", "STRASSE", "STR", "BUSINESS PARK", "QUAY", "SQUARE", "KAWASAN", "SEKSYEN", "SECTION", "KG", "KAMPUNG", "BATU", "PUSAT", "PERAK", "PENANG", "MELAKA", "JB", "KL"],
    Thanks: ["THANK", "THANKS", "WELCOME", "COME AGAIN", "RETURN", "RETURNABLE", "REFUNDABLE", "EXCHANGE", "GOODS SOLD", "DANKE", "MERCI", "TERIMA", "KASIH"],
}

/// The keywords found in a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KeywordSet(u64);

const _: () = assert!(Keyword::COUNT <= u64::BITS as usize, "a keyword set is 64 bits");

impl KeywordSet {
    /// Finds the keywords of `text`.
    pub fn find(text: &str) -> Self {
        let spaced = folded(text);
        let glued: String = spaced.chars().filter(|c| *c != ' ').collect();
        SPACED.found_in(&spaced).union(GLUED.found_in(&glued))
    }

    pub fn has(self, keyword: Keyword) -> bool {
        self.0 & (1 << keyword as u64) != 0
    }

    pub fn has_any(self, keywords: &[Keyword]) -> bool {
        keywords.iter().any(|keyword| self.has(*keyword))
    }

    pub fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// One number a keyword: 1 where it was found.
    pub fn indicators(self) -> impl Iterator<Item = f32> {
        (0..Keyword::COUNT).map(move |i| (self.0 >> i & 1) as f32)
    }
}

/// All phrases, to be found in one pass over a text (Aho and Corasick 1975).
struct Finder {
    automaton: AhoCorasick,
    /// The keyword of each phrase.
    keywords: Vec<Keyword>,
}

impl Finder {
    fn new(phrases: impl Iterator<Item = (Keyword, String)>) -> Self {
        let (keywords, phrases): (Vec<Keyword>, Vec<String>) = phrases.unzip();
        Self { automaton: AhoCorasick::new(phrases).expect("the phrases are constants that a test searches for"), keywords }
    }

    fn found_in(&self, text: &str) -> KeywordSet {
        let keyword = |found: aho_corasick::Match| self.keywords[found.pattern().as_usize()];
        KeywordSet(self.automaton.find_overlapping_iter(text).fold(0, |set, found| set | 1 << keyword(found) as u64))
    }
}

fn phrases() -> impl Iterator<Item = (Keyword, String)> {
    PHRASES.iter().flat_map(|(keyword, phrases)| phrases.iter().map(|phrase| (*keyword, folded(phrase))))
}

/// Phrases between spaces.
static SPACED: LazyLock<Finder> = LazyLock::new(|| Finder::new(phrases()));

/// Phrases without spaces, long enough not to be found by chance.
static GLUED: LazyLock<Finder> = LazyLock::new(|| {
    let glued = phrases().map(|(keyword, phrase)| (keyword, phrase.replace(' ', "")));
    Finder::new(glued.filter(|(_, phrase)| phrase.len() >= GLUED_LENGTH_MIN))
});

/// Upper case, one space between and around words, confusable characters made equal, umlauts written out.
fn folded(text: &str) -> String {
    let mut folded = String::with_capacity(text.len() + 2);
    folded.push(' ');
    for c in text.chars().flat_map(char::to_uppercase) {
        match c {
            '0' | 'O' => folded.push('O'),
            'Ö' => folded.push_str("OE"),
            '1' | 'I' | 'L' | '|' => folded.push('I'),
            '5' | 'S' => folded.push('S'),
            '8' | 'B' => folded.push('B'),
            'Ä' => folded.push_str("AE"),
            'Ü' => folded.push_str("UE"),
            'É' | 'È' | 'Ê' => folded.push('E'),
            'À' | 'Â' => folded.push('A'),
            'Ç' => folded.push('C'),
            '#' | '°' => folded.push_str(" HASH "),
            _ if c.is_alphanumeric() => folded.push(c),
            _ if !folded.ends_with(' ') => folded.push(' '),
            _ => {}
        }
    }
    if !folded.ends_with(' ') {
        folded.push(' ');
    }
    folded
}

#[cfg(test)]
mod tests {
    use super::Keyword::*;
    use super::*;

    #[test]
    fn finds_captions_through_reading_errors() {
        let cases: [(&str, &[Keyword], &[Keyword]); 8] = [
            ("TOTAL AMOUNT:", &[Total, Amount], &[Subtotal, Net]),
            ("T0TA1", &[Total], &[]),
            ("SUBTOTALRM", &[Subtotal], &[]),
            ("Sub-Total", &[Subtotal, Total], &[]),
            ("CABINET", &[], &[Net]),
            ("Fälligkeit", &[Terms], &[]),
            ("INVOICE #", &[Invoice, Number], &[]),
            ("A TAXI", &[], &[Tax]),
        ];
        for (text, present, absent) in cases {
            let found = KeywordSet::find(text);
            assert!(present.iter().all(|k| found.has(*k)), "{text}: expected {present:?}");
            assert!(!found.has_any(absent), "{text}: not expected {absent:?}");
        }
    }
}
