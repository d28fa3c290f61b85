//! How business letters are laid out: the addressee's block in a window, the sender in small print, in a footer or by its domain.
//!
//! Captions are the subject of [`super::parties`]; here are the documents that have none. Receipts are no letters.

use crate::pattern::pattern;
use std::sync::LazyLock;

use regex::Regex;

use super::beliefs::Beliefs;
use super::keywords::{Keyword, KeywordSet};
use super::labels::BlockField;
use super::legal_form;
use super::parties;
use super::rows::ReadingOrder;
use super::runs::Run;
use crate::text::TextLine;

/// Of the belief in others, so much goes to whom the letter is addressed to.
const ADDRESSEE: f32 = 0.8;
/// ... and to the company that a domain or another print of its name belongs to.
const SENDER: f32 = 0.9;

/// Addressees stand in this part of the first page, from its top.
const WINDOW: f32 = 0.45;
/// From one line of a block to the next, in heights of the lines.
const LINE_STEP_MAX: f32 = 2.7;
/// Lines of a block begin this close to each other, in heights.
const INDENT_MAX: f32 = 0.8;
/// Heights of lines of one block differ at most by this share.
const SIZE_DIFFERENCE_MAX: f32 = 0.45;
/// A block has at least this many lines, its place among the last two of them.
const BLOCK_LINES_MIN: usize = 3;
const BLOCK_LINES_MAX: usize = 8;
/// A domain is that of a name whose word of at least this many letters it holds, among the first words.
const DOMAIN_LETTERS_MIN: usize = 5;
const DOMAIN_WORDS_MAX: usize = 4;

/// Postcodes with their place: `26579 BALTRUP`, `F-69003 LYON`, `1012 AB Amsterdam`, `TR29 6ZD`, `N41 XE58`, `D02 X285`.
static POSTCODE: LazyLock<Regex> = LazyLock::new(|| {
    let continental = r"\b(?:[A-Z]{1,2}[- ])?\d{4,5}(?: [A-Z]{2})? \p{Lu}\p{L}+";
    let british = r"\b[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}\b";
    let irish = r"\b[A-Z]\d[\dW] ?[A-Z\d]{4}\b";
    let american = r"\b[A-Z]{2} \d{5}\b";
    pattern(&format!("(?:{continental}|{british}|{irish}|{american})"))
});

/// Departments and persons that a letter is for the attention of; whom it is addressed to stands above.
static DEPARTMENT: LazyLock<Regex> = LazyLock::new(|| {
    let word = "accounts payable|accounts dep|purchase ledger|accounts office|buchhaltung|rechnungswesen|einkauf|service compta|comptabilit|service achats|service [ée]conomat|[ée]conomat|administrati|facilities|the proprietor|the licensee|the accounts|the manager|practice manager|the directors|the owner|the treasurer|the secretary";
    pattern(&format!(
        r"(?i)^\W*(?:(?:for the )?att(?:entio)?n|att\b|contact[eo]?\b|contatto\b|ansprechpartner|fao|f\.a\.o|t?/a\b|trading as|z\. ?hd|à l.attention|c/o|t\.a\.v|ter attentie|a/a\b|responsable\b|all.attenzione|{word})"
    ))
});

static SALUTATION: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)^\W*(?:(?:frau|her[rn]?[nm]{0,2}|firma|fa|an|company|messrs|mr|mrs|ms|mme|m\.|madame|monsieur|de heer|mevr(?:ouw)?|dhr|sra?|sres|se[ñn]or(?:a|es)?|spett(?:le|abile)?|egr|das|die|den|und|and|et)\b\W*)+$",
    )
});

/// `accounts@whitsandlinen.co.uk`, `www.friesenhof-gastro.de`, `kilbrackenhardware.ie`.
static DOMAIN: LazyLock<Regex> = LazyLock::new(|| {
    let ends = r"(?:ie|com|co\.uk|uk|de|at|ch|fr|be|nl|it|es|lu|eu|net|org|my)\b";
    pattern(&format!(r"(?i)(?:(?:@|www\.|https?://)\s?([a-z0-9][a-z0-9-]{{3,}})\.|\b([a-z0-9][a-z0-9-]{{3,}})\.{ends})"))
});

/// Adds to the runs' probabilities what the places of a letter's blocks say. `taken`: lines of a party that a caption announces; `addressee`: lines of
/// the block that shows whom the letter is for.
pub(super) fn weigh(order: &ReadingOrder, senders: &Senders, runs: &[Run], taken: &[bool], addressee: &[usize], beliefs: &mut Beliefs) {
    if let Some(name) = name_of(order, addressee) {
        let named = runs.iter().position(|run| run.lines == [name]);
        beliefs.believe(named, BlockField::CustomerName, ADDRESSEE);
    }
    let is_free = |line: usize| !taken[line] && !addressee.contains(&line);
    // What a caption announces needs no domain: a marketplace sends bills of others.
    let is_announced = beliefs.likeliest_run(BlockField::SupplierName).is_some_and(|best| runs[best].lines.iter().all(|line| taken[*line]));
    if !is_announced {
        beliefs.believe(sender(order, senders, runs, is_free, beliefs), BlockField::SupplierName, SENDER);
    }
    beliefs.believe(above(order, runs, is_free, beliefs), BlockField::SupplierName, SENDER);
}

/// The first line of the block in which a line without a legal form is believed to be the supplier's name: names stand above addresses.
fn above(order: &ReadingOrder, runs: &[Run], is_free: impl Fn(usize) -> bool, beliefs: &Beliefs) -> Option<usize> {
    let best = beliefs.likeliest_run(BlockField::SupplierName)?;
    let text = |line: usize| order.lines[line].text.as_str();
    let is_known = runs[best].lines.iter().any(|line| legal_form::find(text(*line)).is_some() || !is_free(*line));
    let says_else = |line: usize| {
        let said = KeywordSet::find(text(line));
        let is_caption = parties::is_caption_alone(text(line)) || parties::announces(text(line));
        is_no_name(text(line))
            || is_caption
            || said.has_any(&[Keyword::Invoice, Keyword::Date, Keyword::Number, Keyword::Customer, Keyword::Recipient, Keyword::Seller])
    };
    let may_be = |below: usize, line: &usize| goes_on(order, *line, below) && is_free(*line) && !says_else(*line);
    let up = |line: &usize| order.in_column(*line, -1).next().filter(|above| may_be(*line, above));
    let top = std::iter::successors(up(&runs[best].lines[0]).filter(|_| !is_known), up).last()?;
    runs.iter().position(|run| run.lines == [top])
}

/// Telephones, mail and web pages.
static CONTACT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)^\W*[a-z0-9-]{4,}\.(?:ie|com|co\.uk|uk|de|at|ch|fr|be|nl|it|es|lu|eu|net|org|com\.au|example)\W*$|^\W*(?:tel|t|ph|phone|fax|e-?mail|mob|mobile)\b\W*[(+\d]|\b(?:continued|overleaf|(?:page|pagina|página|seite|blatt) \d+)\b|\S@\S+\.|\bw{2,3}\.\w",
    )
});

/// `Herrn`, `Firma`: whoever is meant stands below.
pub(super) fn is_salutation(text: &str) -> bool {
    SALUTATION.is_match(text)
}

/// Whether a text is a line of an address, a department, a person or a telephone rather than a name.
pub(super) fn is_no_name(text: &str) -> bool {
    let count = |is: fn(char) -> bool| text.chars().filter(|c| is(*c)).count();
    is_address(text) || DEPARTMENT.is_match(text) || CONTACT.is_match(text) || count(|c| c.is_ascii_digit()) > count(char::is_alphabetic)
}

/// Whether a text is a telephone, an address of mail or a web page.
pub(super) fn is_contact(text: &str) -> bool {
    CONTACT.is_match(text)
}

/// Whether a text names a department or a person.
pub(super) fn is_department(text: &str) -> bool {
    DEPARTMENT.is_match(text)
}

fn is_address(text: &str) -> bool {
    static STREET: LazyLock<Regex> = LazyLock::new(|| {
        let unit = r"(?:unit|suite|floor|level|z\.?a\.?|z\.?i\.?) \w";
        let french = r"\d+\w?,? (?:bis |ter )?(?:rue|avenue|av\.|quai|place|chemin|route|boulevard|bd|impasse|all[ée]e)\b";
        let german = r"\p{L}[\p{L} .-]*(?:stra(?:ß|ss)e|str\.|weg|gasse|platz|laan|straat|kade|dijk) \d+\w?\W*$";
        let southern = r"(?:via|viale|piazza|piazzale|corso|vicolo|largo|calle|c/|avda\.?|avenida|plaza|paseo|r[úu]a|ul\.) .*\d";
        let english = r"(?:\d+(?:[a-z]|-\d+)?,? (?:[\p{L}'’.]+ ){1,3}|block \w+, .*)(?:street|st|road|rd|lane|avenue|ave|terrace|quay|drive|close|hill|row|crescent|gardens)\W*$";
        pattern(&format!(r"(?i)^\W*(?:{unit}|{french}|{german}|{southern}|{english})"))
    });
    legal_form::find(text).is_none() && (POSTCODE.is_match(text) || STREET.is_match(text))
}

/// Whether a text names a place by its postcode.
pub(super) fn names_place(text: &str) -> bool {
    POSTCODE.is_match(text)
}

/// The lines of the lowest block in the window that ends with a place and says nothing of telephones, taxes or numbers before it: the sender's
/// stands above.
pub(super) fn addressee(order: &ReadingOrder, taken: &[bool], senders: &Senders) -> Vec<usize> {
    let is_senders = |block: &Vec<usize>| name_of(order, block).is_some_and(|name| senders.begin_domain(&order.lines[name].text));
    let is_free = |block: &Vec<usize>| !block.iter().all(|line| taken[*line]) && !is_senders(block);
    let block = blocks(order, |line| in_window(order, line))
        .into_iter()
        .filter(is_free)
        .rfind(|block| is_addressed(order, block))
        .unwrap_or_default();
    // Above the name there may be the sender's address in small print.
    let name = name_of(order, &block);
    block.into_iter().skip_while(|line| Some(*line) != name).collect()
}

fn in_window(order: &ReadingOrder, line: usize) -> bool {
    let window = order.pages.first().map_or(0.0, |page| WINDOW * page.height as f32);
    order.lines[line].page == 0 && order.lines[line].quad.bottom() < window
}

/// Blocks of lines below each other, from top to bottom; they start with lines that may start one.
pub(super) fn blocks(order: &ReadingOrder, starts: impl Fn(usize) -> bool) -> Vec<Vec<usize>> {
    let mut taken = vec![false; order.lines.len()];
    let mut blocks = Vec::new();
    for start in (0..order.lines.len()).filter(|line| starts(*line)) {
        if taken[start] {
            continue;
        }
        let below = |line: &usize| order.in_column(*line, 1).next().filter(|next| !taken[*next] && goes_on(order, *line, *next));
        let block: Vec<usize> = std::iter::successors(Some(start), below).take(BLOCK_LINES_MAX).collect();
        block.iter().for_each(|line| taken[*line] = true);
        blocks.push(block);
    }
    blocks
}

/// Whether a line belongs to the block of the one above it.
pub(super) fn goes_on(order: &ReadingOrder, above: usize, below: usize) -> bool {
    let (above, below) = (order.lines[above].quad, order.lines[below].quad);
    let height = above.height().max(below.height());
    let alike = above.height().min(below.height()) >= (1.0 - SIZE_DIFFERENCE_MAX) * height;
    alike && below.centre().y - above.centre().y <= LINE_STEP_MAX * height && (below.left() - above.left()).abs() <= INDENT_MAX * height
}

fn is_addressed(order: &ReadingOrder, block: &[usize]) -> bool {
    use Keyword::*;
    const OTHERS: [Keyword; 4] = [Mail, Invoice, Bank, Seller];
    /// With a number.
    const NUMBERED: [Keyword; 10] = [Phone, Fax, Tax, Date, Terms, Total, Amount, Due, Quantity, Price];
    let text = |line: &usize| order.lines[*line].text.as_str();
    // A country may follow, or the addressee's tax number.
    let Some(place) = block.iter().rposition(|line| POSTCODE.is_match(text(line))) else { return false };
    let address = &block[..=place];
    // There is a Steuer in Steuerkanzlei, and a lone letter, such as that of a legal form, is also a caption of telephones.
    let numbers = |line: &usize| text(line).contains(|c: char| c.is_ascii_digit());
    let says_else = |line: &usize| {
        let said = KeywordSet::find(text(line));
        let is_of_address = is_address(text(line)) || DEPARTMENT.is_match(text(line));
        !is_of_address && (said.has_any(&OTHERS) || said.has_any(&NUMBERED) && numbers(line))
    };
    address.len() >= BLOCK_LINES_MIN && place + 3 >= block.len() && !address.iter().any(says_else)
}

/// The line that names the addressee: the first that is no salutation, caption, number or return address.
fn name_of(order: &ReadingOrder, block: &[usize]) -> Option<usize> {
    let text = |line: usize| order.lines[line].text.as_str();
    let is_name = |line: &usize| {
        let words = text(*line).split_whitespace().count();
        let announces = KeywordSet::find(text(*line)).has_any(&[Keyword::Customer, Keyword::Recipient]) && words <= 2;
        let caption = announces || parties::announces(text(*line));
        !SALUTATION.is_match(text(*line)) && !DEPARTMENT.is_match(text(*line)) && !POSTCODE.is_match(text(*line)) && !caption
    };
    let first = block.iter().position(is_name)?;
    // `Mrs S Bhattacharya`, and below it whom she works for.
    let below = block
        .get(first + 1)
        .filter(|below| is_name(below) && !is_no_name(text(**below)) && !text(**below).contains(|c: char| c.is_ascii_digit()));
    let house = below.filter(|below| parties::is_person_at(text(block[first]), text(**below)));
    Some(*house.unwrap_or(&block[first]))
}

/// The run that names the supplier beyond the network's belief: one that a domain of the document belongs to; better, a company's that a domain belongs
/// to, or that begins as what is believed to be the supplier's name but has no legal form.
fn sender(order: &ReadingOrder, senders: &Senders, runs: &[Run], is_free: impl Fn(usize) -> bool, beliefs: &Beliefs) -> Option<usize> {
    let supplier = BlockField::SupplierName as usize;
    let best = beliefs.likeliest_run(BlockField::SupplierName)?;
    let text = |line: usize| order.lines[line].text.as_str();
    // `www.acme.co.uk` ends in no legal form.
    let is_company = |line: usize| legal_form::own_words(text(line)).is_some_and(|words| words > 0) && !CONTACT.is_match(text(line));
    let believed = text(runs[best].lines[0]);
    let has_domain = |name: &str| senders.have_domain(name);
    let begins_domain = |name: &str| senders.begin_domain(name);
    let is_best = is_free(runs[best].lines[0]);
    let better = |line: &usize| is_company(*line) && is_free(*line) && begins_domain(text(*line));
    let is_whole = begins_domain(believed) || !(0..order.lines.len()).any(|line| better(&line));
    // A name broken before its legal form, or without one.
    let by_domain = || {
        let first = |run: &usize| text(runs[*run].lines[0]);
        let is_name = |run: &usize| {
            runs[*run].lines.len() == 1 && is_free(runs[*run].lines[0]) && !is_no_name(first(run)) && words(first(run)).count() > 1
        };
        let belief = |run: &usize| beliefs.runs[*run][supplier];
        let likeliest = |has: &dyn Fn(&str) -> bool| {
            (0..runs.len()).filter(is_name).filter(|run| has(first(run))).max_by(|a, b| belief(a).total_cmp(&belief(b)))
        };
        let begins = || likeliest(&begins_domain).filter(|_| !begins_domain(believed));
        begins().or_else(|| likeliest(&has_domain).filter(|_| is_no_name(believed)))
    };
    if is_best && is_whole && runs[best].lines.iter().any(|line| is_company(*line)) {
        return if has_domain(believed) { Some(best) } else { by_domain() };
    }
    let begins_alike = |name: &str| words(name).next().is_some_and(|first| words(believed).next() == Some(first));
    let names = |line: &usize| {
        let of_bank = KeywordSet::find(text(*line)).has(Keyword::Bank);
        is_company(*line) && !of_bank && is_free(*line) && (begins_alike(text(*line)) || has_domain(text(*line)))
    };
    let company = (0..order.lines.len()).filter(names).min_by_key(|line| (!begins_domain(text(*line)), text(*line).len()));
    let alone = company.and_then(|line| runs.iter().position(|run| run.lines == [line]));
    let named = alone.or_else(by_domain).or_else(|| (is_best && has_domain(believed) && !is_no_name(believed)).then_some(best));
    let is_doubtful = || is_best && !is_company(runs[best].lines[0]) && !senders.recurs(runs[best].lines[0]);
    named.or_else(|| if is_doubtful() { recurring(order, senders, runs, is_free, beliefs) } else { None })
}

/// The likeliest line that other lines say again: names stand in heads, feet, lines of banks and slips of payment.
fn recurring(order: &ReadingOrder, senders: &Senders, runs: &[Run], is_free: impl Fn(usize) -> bool, beliefs: &Beliefs) -> Option<usize> {
    let text = |line: usize| order.lines[line].text.as_str();
    let is_name = |line: usize| {
        use Keyword::*;
        const OTHERS: [Keyword; 12] = [Total, Subtotal, Amount, Due, Net, Gross, Tax, Quantity, Price, Delivery, Order, Terms];
        let says_else = is_no_name(text(line)) || parties::announces(text(line)) || KeywordSet::find(text(line)).has_any(&OTHERS);
        is_free(line) && !says_else && !text(line).contains(|c: char| c.is_ascii_digit()) && text(line).split_whitespace().count() > 1
    };
    let recur = (0..runs.len()).filter(|run| matches!(runs[*run].lines[..], [line] if is_name(line) && senders.recurs(line)));
    let belief = |run: &usize| beliefs.runs[*run][BlockField::SupplierName as usize];
    recur.max_by(|a, b| belief(a).total_cmp(&belief(b)).then(b.cmp(a)))
}

/// What tells whose name is the sender's: the document's domains, and what its lines say again.
pub(super) struct Senders {
    domains: Vec<String>,
    /// Of each line.
    letters: Vec<String>,
}

impl Senders {
    pub fn of(order: &ReadingOrder) -> Self {
        let of_line = |line: &&TextLine| {
            let found = DOMAIN.captures_iter(&line.text).filter_map(|found| found.get(1).or(found.get(2)));
            found.map(|domain| plain(domain.as_str())).collect::<Vec<_>>()
        };
        let domains = order.lines.iter().flat_map(of_line).collect();
        Self { domains, letters: order.lines.iter().map(|line| plain(&line.text)).collect() }
    }

    /// Whether a domain begins with a name's first word.
    pub fn begin_domain(&self, name: &str) -> bool {
        words(name).next().is_some_and(|word| self.domains.iter().any(|domain| domain.starts_with(&word)))
    }

    /// Whether a domain holds one of a name's first words.
    pub fn have_domain(&self, name: &str) -> bool {
        let mut words = words(name).take(DOMAIN_WORDS_MAX).filter(|word| word.len() >= DOMAIN_LETTERS_MIN);
        words.any(|word| self.domains.iter().any(|domain| domain.contains(&word)))
    }

    /// How many other lines hold what a line says; none where that is little.
    pub fn again(&self, line: usize) -> usize {
        const LETTERS_MIN: usize = 8;
        let said = &self.letters[line];
        let again = |other: &usize| *other != line && self.letters[*other].contains(said);
        if said.len() >= LETTERS_MIN { (0..self.letters.len()).filter(again).count() } else { 0 }
    }

    /// Whether at least two other lines hold what a line says.
    pub fn recurs(&self, line: usize) -> bool {
        const TIMES_MIN: usize = 2;
        self.again(line) >= TIMES_MIN
    }
}

/// Words of more than two letters, in lower case.
fn words(text: &str) -> impl Iterator<Item = String> {
    text.split(|c: char| !c.is_alphanumeric()).map(plain).filter(|word| word.len() > 2)
}

/// Domains have none.
fn without_accent(letter: char) -> char {
    match letter {
        'à' | 'á' | 'â' | 'ä' => 'a',
        'ç' => 'c',
        'è' | 'é' | 'ê' | 'ë' => 'e',
        'í' | 'î' | 'ï' => 'i',
        'ñ' => 'n',
        'ó' | 'ô' | 'ö' => 'o',
        'ú' | 'û' | 'ü' => 'u',
        _ => letter,
    }
}

/// Letters and digits, in lower case, without accents.
pub(super) fn plain(text: &str) -> String {
    let plain: String = text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).map(without_accent).collect();
    ["ae", "oe", "ue"].iter().fold(plain, |plain, umlaut| plain.replace(umlaut, &umlaut[..1]))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Quad;
    use crate::text::PageSize;
    use crate::understand::labels::{DOCUMENT_TYPES, Tag};
    use crate::understand::runs;

    const PAGES: [PageSize; 1] = [PageSize { width: 1000, height: 1400 }];

    /// Names of supplier and customer on a page of lines (left, top, text); the network believes that the supplier is `believed`.
    fn names(lines: &[(f32, f32, &str)], believed: &str) -> [Option<String>; 2] {
        let line = |(x, y, text): &(f32, f32, &str)| TextLine {
            page: 0,
            quad: Quad::from_edges(*x, *y, x + 10.0 * text.chars().count() as f32, y + 20.0),
            text: text.to_string(),
            confidence: 1.0,
        };
        let lines: Vec<TextLine> = lines.iter().map(line).collect();
        let order = ReadingOrder::new(&lines, &PAGES);
        let runs = runs::find(&order);
        let text = |run: &Run| order.lines[run.lines[0]].text.clone();
        let belief = |run: &Run| [if run.lines.len() == 1 && text(run) == believed { 0.8 } else { 0.0 }, 0.0, 0.0];
        let mut beliefs = Beliefs {
            tags: vec![[0.0; Tag::COUNT]; lines.len()],
            roles: Vec::new(),
            runs: runs.iter().map(belief).collect(),
            types: [0.0; DOCUMENT_TYPES.len()],
        };
        let free = vec![false; lines.len()];
        let senders = Senders::of(&order);
        weigh(&order, &senders, &runs, &free, &addressee(&order, &free, &senders), &mut beliefs);
        [BlockField::SupplierName, BlockField::CustomerName].map(|field| {
            let best = beliefs.likeliest_run(field)?;
            (beliefs.runs[best][field as usize] > 0.0).then(|| text(&runs[best]))
        })
    }

    #[test]
    fn a_window_shows_whom_a_letter_is_for_and_a_domain_who_sends_it() {
        let letter = [
            (450.0, 40.0, "whitsand"),
            (430.0, 70.0, "fine linen for hotels"),
            (100.0, 200.0, "Herrn/Firma"),
            (100.0, 225.0, "The Gannet Rock Hotel"),
            (100.0, 250.0, "FAO Purchase Ledger"),
            (100.0, 275.0, "Headland Road"),
            (100.0, 300.0, "Cornwall TR29 6ZD"),
            (700.0, 225.0, "Invoice 118842"),
            (100.0, 900.0, "Whitsand Linen Hire Limited, Kiln Quay"),
            (100.0, 930.0, "accounts@whitsandlinen.co.uk"),
        ];
        let [supplier, customer] = names(&letter, "fine linen for hotels");
        assert_eq!(customer.as_deref(), Some("The Gannet Rock Hotel"));
        assert_eq!(supplier.as_deref(), Some("Whitsand Linen Hire Limited, Kiln Quay"));
        assert_eq!(names(&letter[..9], "Whitsand Linen Hire Limited, Kiln Quay")[0], supplier, "a company that is believed stays");
        let brand =
            [(450.0, 40.0, "Kilbracken Hardware & Garden"), (450.0, 70.0, "The Square"), (450.0, 95.0, "www.kilbrackenhardware.ie")];
        assert_eq!(names(&brand, "Kilbracken Hardware & Garden")[0].as_deref(), Some("Kilbracken Hardware & Garden"));
    }

    #[test]
    fn a_name_stands_above_its_address_and_is_said_again() {
        let block = [(100.0, 40.0, "Fogarty & Riain Interiors"), (100.0, 65.0, "The Old Forge"), (100.0, 90.0, "Stradbally Road")];
        assert_eq!(names(&block, "The Old Forge")[0].as_deref(), Some("Fogarty & Riain Interiors"));
        let said_again = [
            (100.0, 40.0, "Brewery round"),
            (700.0, 40.0, "Nine Elbows Beerworks"),
            (100.0, 900.0, "Please pay Nine Elbows Beerworks, sort code 40-11-82"),
            (100.0, 960.0, "To: Nine Elbows Beerworks"),
        ];
        assert_eq!(names(&said_again, "Brewery round")[0].as_deref(), Some("Nine Elbows Beerworks"));
        let mail = [(100.0, 40.0, "Pippa Ackroyd"), (100.0, 160.0, "hello@ackroydtea.co.uk")];
        assert_eq!(names(&mail, "hello@ackroydtea.co.uk")[0].as_deref(), Some("Pippa Ackroyd"));
    }

    #[test]
    fn telephones_mail_and_departments_are_no_names() {
        for (text, expected) in [
            ("Tel (01637) 555290", true),
            ("accounts@acme.example", true),
            ("www.acme.co.uk", true),
            ("For the attention of Mr T. Adeyemi", true),
            ("t/a The Print Room", true),
            ("continued overleaf", true),
            ("Telford Wines", false),
            ("T & J Phelan", false),
        ] {
            assert_eq!(is_no_name(text), expected, "{text}");
        }
        assert!(is_salutation("Herrn und Frau") && is_salutation("Company") && !is_salutation("Company Wines"));
    }

    #[test]
    fn the_senders_own_block_is_no_addressee() {
        let block =
            [(100.0, 40.0, "The Old Mill"), (100.0, 65.0, "Tel. 01 555"), (100.0, 90.0, "High Street"), (100.0, 115.0, "Galway H91 X4P2")];
        assert_eq!(names(&block, "")[1], None);
        let low = block.map(|(x, y, text)| (x, y + 900.0, if text.starts_with("Tel") { "Main Street" } else { text }));
        assert_eq!(names(&low, "")[1], None, "below the window");
    }

    #[test]
    fn addresses_are_told_from_names() {
        for (text, expected) in [
            ("Am Binnenhafen 22 - 26725 Osterwarf", true),
            ("Unit 2, The Creamery Yard", true),
            ("Co. Cork P51 W8E3", true),
            ("Kanturk P51 W8E3", true),
            ("Headland Road TR29 6ZD", true),
            ("Piazza Mazzini 9 – suonare retro", true),
            ("Via Roma Pizzeria", false),
            ("35-0 Friary Lane", true),
            ("3a High Street", true),
            ("Block 36, Station Road", true),
            ("42 High Street Kitchen", false),
            ("99 SPEED MART S/B", false),
            ("Friesenhof Gastro eG", false),
            ("The Unit Bar", false),
        ] {
            assert_eq!(is_address(text), expected, "{text}");
        }
    }
}
