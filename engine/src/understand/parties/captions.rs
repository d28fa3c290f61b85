//! Captions of parties: who buys, who sells, and where goods were brought.

use crate::pattern::pattern;
use std::sync::LazyLock;

use regex::Regex;

use super::{is_caption_alone, letters};
use crate::text::TextLine;
use crate::understand::keywords::{Keyword, KeywordSet};
use crate::understand::rows::ReadingOrder;

/// Words of a caption that says nothing else.
const CAPTION_WORDS_MAX: usize = 2;
/// Lines that belong to a caption.
pub(super) const BLOCK_LINES_MAX: usize = 9;
/// From one line of a block to the next, in line heights.
pub(super) const BLOCK_GAP_MAX: f32 = 2.5;

/// Captions of buyers that no keyword is in.
static BUYER: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)^\W*(?:(?:cliente|sold to|cust)\W{1,3}[\d./-]+|cust a/?c|(?:.{0,30}\b)?(?:rendered|services|supplied|sold)\b.{0,30}\bto|cliente|adresse de facturation|factuuradres|indirizzo di fatturazione|direcci[óo]n de facturaci[óo]n|facturado a|facturar a|destinatario|klant|pour|aan|doit|vendu [àa]|fatturato a|nabywca|odb[eě]ratel|besteller|auftraggeber|cessionario(?:/committente)?(?: \(cliente\))?|acquirente|afnemer|bought by|prepared (?:for|by \(customer\))|rechnungsempf[äa]nger|faktureres til|k[øo]ber|billing|factur[ée] [àa]|m/s|sold-to party|spett\.?(?:le|abile))\W*$",
    )
});

/// Captions of the place that goods are brought to.
static PLACE: LazyLock<Regex> = LazyLock::new(|| {
    let words = "deliver(?:ed|y)? (?:to|address)|(?:place|point) of delivery|delivery(?: address| point)?|ship(?:ped|ping)?[- ](?:to|address)(?: address| party)?|site(?: address)?|adresse de livraison|livr[ée] [àa]|lieu de livraison|liefer(?:adresse|anschrift|ort)|lieferung an|afleveradres|leveringsadres|direcci[óo]n de entrega|enviar a|bezorgadres|leveres til|spedita a|spedire a|destinazione(?: merce)?|(?:luogo di )?consegna";
    pattern(&format!(r"(?i)^\W*(?:{words})\W*$"))
});

/// Whom the letter to a company is for.
static CONTACT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?i)^\W*(?:herr[n]?|frau|mrs?|ms|z\. ?hd\.?|attn?\.?|attention|fao|for the attention of|c/o|t/a|trading as)\b[\s.:]+\w")
});

/// Also as it is misread.
static SLASH: LazyLock<Regex> = LazyLock::new(|| pattern(r"/| [Il|] "));

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::understand) enum Party {
    Seller,
    Buyer,
    /// Goods were brought there: nobody's name, unless nothing else says who buys.
    Place,
}

/// ... and of sellers.
static SELLER: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)^\W*(?:dr\.? to|emisor|cedente/prestatore(?: \(fornitore\))?|proveedor|fornitore)\W*$"));

/// The parties that a document's lines announce.
pub(super) struct Captions(Vec<Option<Party>>);

impl Captions {
    pub fn of(order: &ReadingOrder) -> Self {
        let goes_on = |line: usize| {
            let quad = order.lines[line].quad;
            let close = |next: &usize| order.lines[*next].quad.left() - quad.right() <= quad.height();
            order.row(line).find(|next| *next > line).filter(close).is_some_and(|next| is_caption_alone(&order.lines[next].text))
        };
        // `Customer | no.` is a caption in two lines.
        let party = |(line, text): (usize, &&TextLine)| caption(&text.text).filter(|_| !goes_on(line));
        Self(order.lines.iter().enumerate().map(party).collect())
    }

    pub fn announce_buyer(&self) -> bool {
        self.0.contains(&Some(Party::Buyer))
    }

    /// Where nothing else says who buys, it is whom goods were brought to.
    pub fn take_places_for_buyers(&mut self) {
        if !self.announce_buyer() {
            self.0.iter_mut().filter(|party| **party == Some(Party::Place)).for_each(|party| *party = Some(Party::Buyer));
        }
    }

    /// The lines that announce a party.
    pub fn iter(&self) -> impl Iterator<Item = (usize, Party)> {
        self.0.iter().enumerate().filter_map(|(line, party)| Some((line, (*party)?)))
    }

    pub fn announce(&self, line: usize) -> bool {
        self.0[line].is_some()
    }

    /// What stands below a caption of one party, or right behind it, by line.
    pub fn parties(&self, order: &ReadingOrder) -> Vec<Option<Party>> {
        let mut parties = vec![None; order.lines.len()];
        for (at, party) in self.iter() {
            self.block(order, at).into_iter().for_each(|line| parties[line] = Some(party));
        }
        self.addressees(order, &mut parties);
        parties
    }

    /// The lines of the party that a caption announces: below it, or right behind it.
    pub fn block(&self, order: &ReadingOrder, caption: usize) -> Vec<usize> {
        self.behind(order, caption).map_or_else(|| self.below(order, caption).collect(), |behind| vec![behind])
    }

    /// Whether what a caption announces stands behind it, with other captions below.
    pub fn is_in_list(&self, order: &ReadingOrder, caption: usize) -> bool {
        self.behind(order, caption).is_some()
    }

    /// The lines below a caption, close to each other.
    fn below(&self, order: &ReadingOrder, caption: usize) -> impl Iterator<Item = usize> {
        let mut above = caption;
        order.in_column(caption, 1).take(BLOCK_LINES_MAX).take_while(move |line| {
            let gap = order.lines[*line].quad.centre().y - order.lines[std::mem::replace(&mut above, *line)].quad.centre().y;
            gap <= BLOCK_GAP_MAX * order.line_height() && !self.announce(*line)
        })
    }

    /// `Customer | Bodhrán Street Taverns Limited` in a list of captions and values: nothing but other captions below it.
    fn behind(&self, order: &ReadingOrder, caption: usize) -> Option<usize> {
        let text = |line: usize| order.lines[line].text.as_str();
        let of_list = self.below(order, caption).next().is_none_or(|line| is_caption_alone(text(line)));
        let behind = order.row(caption).find(|line| *line > caption && !self.announce(*line));
        behind.filter(|line| {
            of_list && text(*line).contains(char::is_alphabetic) && !is_caption_alone(text(*line)) && !letters::is_no_name(text(*line))
        })
    }

    /// A company and, below it, whom the letter is for: the company is the buyer.
    fn addressees(&self, order: &ReadingOrder, parties: &mut [Option<Party>]) {
        let height = order.line_height();
        for (contact, line) in order.lines.iter().enumerate().filter(|(_, line)| CONTACT.is_match(&line.text)) {
            let above = order.in_column(contact, -1).next();
            let is_block = |above: &usize| {
                let company = order.lines[*above];
                let gap = line.quad.centre().y - company.quad.centre().y;
                gap <= BLOCK_GAP_MAX * height && (line.quad.left() - company.quad.left()).abs() <= height
            };
            if let Some(company) = above.filter(is_block).filter(|above| !self.announce(*above) && parties[*above].is_none()) {
                parties[company] = Some(Party::Buyer);
            }
        }
    }
}

/// The party that a line announces, if it says nothing else: `Buyer:`, `Bill to`, `Buyer / Bill to`, `Account / Sold to`.
pub(super) fn caption(text: &str) -> Option<Party> {
    let whole = [(&PLACE, Party::Place), (&BUYER, Party::Buyer), (&SELLER, Party::Seller)];
    if let Some((_, party)) = whole.iter().find(|(pattern, _)| pattern.is_match(text)) {
        return Some(*party);
    }
    let parts: Vec<&str> = SLASH.split(text).filter(|part| !part.trim().is_empty()).collect();
    let mut captions = parts.iter().filter_map(|part| single_caption(part));
    let first = captions.next()?;
    let of_others = |part: &&str| single_caption(part).is_none() && !is_caption_alone(part);
    (captions.all(|other| other == first) && !parts.iter().any(of_others)).then_some(first)
}

fn single_caption(text: &str) -> Option<Party> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).count();
    let is_short = (1..=CAPTION_WORDS_MAX).contains(&words) && !super::has_digit(text);
    let keywords = KeywordSet::find(text);
    let upper = text.to_uppercase();
    let of_parties =
        || super::all_words(text, |word| KeywordSet::find(word).has_any(&[Keyword::Seller, Keyword::Recipient, Keyword::Customer]));
    let announces = text.trim_end().ends_with(':')
        || [" TO", "ADDRESS", "ADRESSE", " À", " AN", " AAN"].iter().any(|word| upper.trim_end().ends_with(word))
        || of_parties();
    // An account is one's number.
    let is_short = is_short && !["ACC", "A/C", "NUM", "NR"].iter().any(|number| upper.contains(number));
    match (is_short && announces, keywords.has(Keyword::Seller), keywords.has_any(&[Keyword::Recipient, Keyword::Customer])) {
        (true, true, false) => Some(Party::Seller),
        // There is a Käufer in Verkäufer.
        (true, true, true) if words == 1 => Some(Party::Seller),
        (true, false, true) => Some(Party::Buyer),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captions_of_parties() {
        for (text, party) in [
            ("Verkäufer:", Some(Party::Seller)),
            ("Käufer:", Some(Party::Buyer)),
            ("Bill to", Some(Party::Buyer)),
            ("INVOICE TO", Some(Party::Buyer)),
            ("Buyer / Bill to", Some(Party::Buyer)),
            ("ACCOUNT / SOLD TO", Some(Party::Buyer)),
            ("ACCOUNT I SOLD TO", Some(Party::Buyer)),
            ("Cliente:", Some(Party::Buyer)),
            ("DELIVER TO", Some(Party::Place)),
            ("Place of delivery", Some(Party::Place)),
            ("Adresse de livraison", Some(Party::Place)),
            ("Customer No.", None),
            ("Account No", None),
            ("Seller information", None),
            ("Delivery charge", None),
            ("Cliente 430.01187", Some(Party::Buyer)),
            ("Sold to: 30551", Some(Party::Buyer)),
            ("CUST 40918", Some(Party::Buyer)),
            ("Dr. to", Some(Party::Seller)),
            ("rendered the 5th June 2026 to", Some(Party::Buyer)),
            ("Monthly statement of services to", Some(Party::Buyer)),
            ("Please return this slip to", None),
        ] {
            assert_eq!(caption(text), party, "{text}");
        }
    }
}
