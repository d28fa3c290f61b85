//! Who is who: what captions and legal forms say of names and addresses, beside the network.
//!
//! The network has seen some dozens of layouts and a few hundred companies; that what stands below `Buyer:` is the buyer holds for all.

mod broken;
mod captions;
mod nobody;
mod persons;

use crate::pattern::pattern;
use std::sync::LazyLock;

use rayon::prelude::*;
use regex::Regex;

use super::beliefs::Beliefs;
use super::candidates::Candidate;
use super::companies::letters;
use super::decode::OF_BUYER;
use super::draft::DocumentType;
use super::keywords::{Keyword, KeywordSet};
use super::labels::{BlockField, DOCUMENT_TYPES, Role};
use super::legal_form;
use super::letters::{self, Senders};
use super::names;
use super::rows::ReadingOrder;
use super::runs::Run;
pub(super) use captions::Party;
use captions::{BLOCK_GAP_MAX, BLOCK_LINES_MAX, Captions};
use nobody::{all_words, has_digit, is_number, is_trade_alone, says_tax_number};
pub(super) use nobody::{is_caption_alone, names_nobody};
pub(super) use persons::is_person_at;

/// How many times likelier a block is below the right caption, and less likely below the other's.
const CAPTION_FACTOR: f32 = 30.0;
/// A legal form without a name, a salutation without one.
const NO_NAME: f32 = 0.02;
/// What names nobody at all: a telephone, a caption.
const NOBODY: f32 = 0.0005;
/// A name and, below it, a company's name of two words and a legal form: of 36 suppliers whose receipts begin so, 33 go by the lower name.
const BRAND_AND_COMPANY: f32 = 0.03;
/// Of the belief that a party has no name, so much goes to the line below its caption.
const CAPTIONED_SHARE: f32 = 0.3;
/// ... and to a name behind its caption: `Sold to: The Anchor`.
const CAPTIONED_IN_LINE: f32 = 0.7;
/// A party's caption and a paragraph below it that names nobody else.
const CAPTIONED_NAME: f32 = 0.9;
/// A name without a legal form, and right below it a company's.
const BRAND_ALONE: f32 = 0.15;
/// A customer less believed takes no line from the supplier.
const CUSTOMER_MIN: f32 = 0.1;
/// A supplier that is the customer too.
const BOTH_PARTIES: f32 = 0.02;

/// Two names side by side.
const TWO_NAMES: f32 = 0.1;
/// ... at least this far apart, in heights of a line.
const COLUMN_GAP_MIN: f32 = 4.0;
/// From one line of a paragraph to the next, in line heights.
const PARAGRAPH_GAP_MAX: f32 = 1.6;
/// Lines of one block begin this close to each other, in line heights.
const INDENT_MAX: f32 = 0.6;
/// What stands further below a name is not of its block, in line heights.
const REACH_MAX: f32 = 18.0;
/// A name less believed tells nothing of what stands below it.
const NAME_MIN: f32 = 0.3;
/// How far a tax number in the buyer's block is believed to be the seller's, at least, that may be the only one, and any other one.
const ONLY_VAT_ID_MIN: f32 = 0.9;
const OTHER_VAT_ID_MIN: f32 = 0.02;
/// What is no candidate any more, whatever its caption says.
const RULED_OUT: f32 = 0.0;
/// Names of more words are sentences.
const NAME_WORDS_MAX: usize = 12;
/// Lines of a name that is a paragraph of its own.
const NAME_LINES_MAX: usize = 3;

impl Party {
    fn name(self) -> Option<BlockField> {
        match self {
            Self::Seller => Some(BlockField::SupplierName),
            Self::Buyer => Some(BlockField::CustomerName),
            Self::Place => None,
        }
    }
}

/// Whether a text is a caption of a party.
pub(super) fn announces(text: &str) -> bool {
    captions::caption(text).is_some()
}

/// Whose block each line stands in by the captions alone.
pub(super) fn announced(order: &ReadingOrder) -> Vec<Option<Party>> {
    Captions::of(order).parties(order)
}

/// Weighs the runs' probabilities by what captions and legal forms say.
pub(super) fn weigh(order: &ReadingOrder, candidates: &[Candidate], runs: &[Run], beliefs: &mut Beliefs) {
    let is_receipt = is_receipt(beliefs);
    let mut captions = Captions::of(order);
    let letter = (!is_receipt).then(|| Senders::of(order));
    let unannounced = letter.as_ref().filter(|_| !captions.announce_buyer());
    let addressee = unannounced.map(|senders| addressee(order, &captions.parties(order), senders)).unwrap_or_default();
    if addressee.is_empty() {
        captions.take_places_for_buyers();
    }
    let mut parties = captions.parties(order);
    addressee.iter().for_each(|line| parties[*line] = Some(Party::Buyer));
    let prints: Vec<String> = runs.iter().map(|run| print(order, &run.lines)).collect();
    hand_down(order, runs, beliefs);
    persons::pass(order, runs, beliefs);
    complete_salutations(order, runs, beliefs);
    believe_captions(order, &captions, runs, beliefs);
    let nobody = nobody(&prints, beliefs);
    let form = |(at, print): (usize, &String)| match nobody[at] {
        true => NOBODY,
        false if beliefs.is_negligible(at) => 1.0,
        false => by_form(print),
    };
    let by_form: Vec<f32> = prints.par_iter().enumerate().map(form).collect();
    let by_bank: Vec<f32> = (0..runs.len()).map(|run| if beliefs.is_negligible(run) { 1.0 } else { by_bank(order, &runs[run]) }).collect();
    multiply(&mut beliefs.runs, BlockField::CustomerName as usize, &by_bank);
    for field in BlockField::ALL {
        let by_form = |run: usize| if field == BlockField::SupplierAddress { 1.0 } else { by_form[run] };
        let factor = |(at, run): (usize, &Run)| by_caption(field, run, &parties) * by_form(at) * by_columns(order, run);
        multiply(&mut beliefs.runs, field as usize, &runs.iter().enumerate().map(factor).collect::<Vec<_>>());
    }
    believe_paragraphs(order, &captions, runs, beliefs);
    if let Some(senders) = &letter {
        [Party::Seller, Party::Buyer].iter().for_each(|party| hand_up(order, runs, &parties, *party, beliefs));
        letters::weigh(order, senders, runs, &taken(&parties), &addressee, beliefs);
    }
    broken::join(order, runs, BlockField::CustomerName, beliefs);
    if letter.is_some() {
        broken::join(order, runs, BlockField::SupplierName, beliefs);
    }
    // Whatever else speaks for them, captions and telephones are nobody.
    let named: Vec<f32> = self::nobody(&prints, beliefs).iter().map(|nobody| if *nobody { RULED_OUT } else { 1.0 }).collect();
    [BlockField::SupplierName, BlockField::CustomerName].iter().for_each(|field| multiply(&mut beliefs.runs, *field as usize, &named));
    part(runs, &prints, beliefs);
    weigh_vat_ids(order, candidates, &owners(order, runs, &prints, parties, beliefs), beliefs);
}

/// Which runs name nobody. A dense page has hundreds: nine in ten are negligible and are not searched for a dozen patterns.
fn nobody(prints: &[String], beliefs: &Beliefs) -> Vec<bool> {
    prints.par_iter().enumerate().map(|(at, print)| !beliefs.is_negligible(at) && names_nobody(print)).collect()
}

/// The block of a letter that says whom it is for, where no caption does.
fn addressee(order: &ReadingOrder, parties: &[Option<Party>], senders: &Senders) -> Vec<usize> {
    let block = letters::addressee(order, &taken(parties), senders);
    let is_company = |line: &usize| legal_form::own_words(&order.lines[*line].text).is_some_and(|words| words > 0);
    let is_senders = block.iter().any(is_company) && !(0..order.lines.len()).any(|line| !block.contains(&line) && is_company(&line));
    let says_tax = block.iter().any(|line| KeywordSet::find(&order.lines[*line].text).has(Keyword::Tax));
    // The only company of a document, with its tax number, has sent it.
    if is_senders && says_tax { Vec::new() } else { block }
}

pub(super) fn taken(parties: &[Option<Party>]) -> Vec<bool> {
    parties.iter().map(Option::is_some).collect()
}

fn is_receipt(beliefs: &Beliefs) -> bool {
    DOCUMENT_TYPES.iter().zip(beliefs.types).any(|(kind, probability)| *kind == DocumentType::Receipt && probability >= 0.5)
}

fn print(order: &ReadingOrder, lines: &[usize]) -> String {
    lines.iter().map(|line| order.lines[*line].text.trim()).collect::<Vec<_>>().join(" ")
}

fn by_caption(field: BlockField, run: &Run, parties: &[Option<Party>]) -> f32 {
    let own = match field {
        BlockField::SupplierName | BlockField::SupplierAddress => Party::Seller,
        BlockField::CustomerName => Party::Buyer,
    };
    let all = |is: fn(Party, Party) -> bool| run.lines.iter().all(|line| parties[*line].is_some_and(|party| is(party, own)));
    match (all(|party, own| party == own), all(|party, own| party != own)) {
        (true, _) => CAPTION_FACTOR,
        (_, true) => 1.0 / CAPTION_FACTOR,
        _ => 1.0,
    }
}

/// How much less a print is believed to be a name for its form, unless it names nobody anyway.
fn by_form(print: &str) -> f32 {
    let is_of_terms = has_digit(print) && KeywordSet::find(print).has(Keyword::Terms) && legal_form::find(print).is_none();
    if print.split_whitespace().count() > NAME_WORDS_MAX || is_of_terms {
        return NO_NAME;
    }
    if legal_form::own_words(print) == Some(0) && legal_form::is_at_end(print)
        || is_trade_alone(print)
        || letters::is_no_name(print)
        || says_tax_number(print)
        || is_number(print)
    {
        return NO_NAME;
    }
    1.0
}

/// How much less a company is believed to be the customer above the number of its register or of its account: whoever is to be paid prints these.
fn by_bank(order: &ReadingOrder, run: &Run) -> f32 {
    static OF_SENDER: LazyLock<Regex> = LazyLock::new(|| {
        pattern(
            r"(?i)\b(?:kvk|siret|r\.?c\.?s|hrb|hra|firmenbuch|registered (?:in|no|office)|company (?:reg|no)|co\.? reg|iban|bic|bankrekening|bankverbindung|sort code|cro no)\b",
        )
    });
    let is_company = run.lines.iter().any(|line| legal_form::own_words(&order.lines[*line].text).is_some_and(|words| words > 0));
    let top = order.lines[run.lines[0]].quad;
    let is_near = |line: &usize| order.lines[*line].quad.top() - top.bottom() <= REACH_MAX * order.line_height();
    let mut below = order.in_column(run.lines[0], 1).take(BLOCK_LINES_MAX).take_while(is_near);
    if is_company && below.any(|line| OF_SENDER.is_match(&order.lines[line].text)) { 1.0 / CAPTION_FACTOR } else { 1.0 }
}

/// What stands side by side, far apart, is two names, and so is a company with a person or a department.
fn by_columns(order: &ReadingOrder, run: &Run) -> f32 {
    let apart = |pair: &[usize]| {
        let (left, right) = (order.lines[pair[0]].quad, order.lines[pair[1]].quad);
        order.row_of[pair[0]] == order.row_of[pair[1]] && right.left() - left.right() > COLUMN_GAP_MIN * left.height()
    };
    let says_who = run.lines.len() > 1 && run.lines.iter().any(|line| letters::is_department(&order.lines[*line].text));
    if says_who || run.lines.windows(2).any(apart) { TWO_NAMES } else { 1.0 }
}

/// The line below a caption of a party, or right behind it, names it, also where the network sees nobody.
fn believe_captions(order: &ReadingOrder, captions: &Captions, runs: &[Run], beliefs: &mut Beliefs) {
    for (line, party) in captions.iter() {
        let Some(field) = party.name() else { continue };
        let absent = 1.0 - beliefs.runs.iter().map(|run| run[field as usize]).sum::<f32>();
        let block = captions.block(order, line);
        let named = block.iter().find(|line| names::NAME_CAPTION.is_match(&order.lines[**line].text));
        let of_line = |line: &usize| runs.iter().position(|run| run.lines == [*line]);
        if let Some(named) = named.and_then(of_line) {
            beliefs.believe(Some(named), field, CAPTIONED_NAME);
        } else if let Some(first) = block.first().and_then(of_line) {
            beliefs.runs[first][field as usize] += CAPTIONED_SHARE * absent.max(0.0);
        }
    }
    let buyer = BlockField::CustomerName as usize;
    let absent = 1.0 - beliefs.runs.iter().map(|run| run[buyer]).sum::<f32>();
    let is_captioned = |run: &Run| run.lines.len() == 1 && names::BUYER_CAPTION.is_match(&order.lines[run.lines[0]].text);
    if let Some(captioned) = runs.iter().position(is_captioned) {
        beliefs.runs[captioned][buyer] += CAPTIONED_IN_LINE * absent.max(0.0);
    }
    let is_of_docket = |run: &Run| run.lines.len() == 1 && names::DOCKET_BUYER.is_match(order.lines[run.lines[0]].text.trim());
    beliefs.believe(runs.iter().position(is_of_docket), BlockField::CustomerName, CAPTIONED_NAME);
}

/// What is believed of a party's line below the first one of its block goes to that: the name stands above.
fn hand_up(order: &ReadingOrder, runs: &[Run], parties: &[Option<Party>], party: Party, beliefs: &mut Beliefs) {
    let Some(field) = party.name() else { return };
    let Some(best) = beliefs.likeliest_run(field) else { return };
    let field = field as usize;
    let text = |line: usize| order.lines[line].text.as_str();
    let says_else = |text: &str| letters::is_no_name(text) || is_caption_alone(text) || is_number(text) || says_tax_number(text);
    let is_name = |line: &usize| parties[*line] == Some(party) && !says_else(text(*line));
    let is_captioned = names::NAME_CAPTION.is_match(text(runs[best].lines[0]));
    if is_captioned || !runs[best].lines.iter().all(|line| parties[*line] == Some(party)) {
        return;
    }
    let above = |line: &usize| order.in_column(*line, -1).next().filter(is_name);
    let top = std::iter::successors(runs[best].before.filter(is_name), above).last().unwrap_or(runs[best].lines[0]);
    // A person, and below it the company: `Deirdre Fallon`, `Tea & Umbrage Café Ltd`; or their house: `Mrs Sheila Brophy`, `The Abbey Tavern`.
    let is_house = |line: usize| is_person_at(text(top), text(line)) && !has_digit(text(line));
    let names_it = |line: &usize| is_name(line) && (is_company(text(*line)) || is_house(*line));
    let company = order.in_column(top, 1).next().filter(names_it);
    let named = company.filter(|_| legal_form::find(text(top)).is_none()).unwrap_or(top);
    let heir = runs.iter().position(|run| run.lines == [named]);
    if let Some(heir) = heir.filter(|heir| *heir != best && !runs[best].lines.contains(&runs[*heir].lines[0])) {
        beliefs.runs[heir][field] += std::mem::take(&mut beliefs.runs[best][field]);
    }
}

/// Where a caption, maybe a number, and a paragraph of its own stand above an address, the paragraph is the name, in as many lines as it has.
fn believe_paragraphs(order: &ReadingOrder, captions: &Captions, runs: &[Run], beliefs: &mut Beliefs) {
    for (line, party) in captions.iter() {
        let Some(field) = party.name() else { continue };
        let Some(name) = paragraph(order, captions, line) else { continue };
        beliefs.believe(runs.iter().position(|run| run.lines == name), field, CAPTIONED_NAME);
    }
}

/// The name below a caption: lines without digits, closer to each other than to the line with digits that follows.
fn paragraph(order: &ReadingOrder, captions: &Captions, caption: usize) -> Option<Vec<usize>> {
    let text = |line: usize| order.lines[line].text.as_str();
    let gap = |above: usize, line: usize| (order.lines[line].quad.centre().y - order.lines[above].quad.centre().y) / order.line_height();
    if captions.is_in_list(order, caption) {
        return None;
    }
    let mut name: Vec<usize> = Vec::new();
    let mut above = caption;
    for line in order.in_column(caption, 1).take(BLOCK_LINES_MAX).take_while(|line| !captions.announce(*line)) {
        let closely = gap(std::mem::replace(&mut above, line), line);
        match name.is_empty() {
            true if closely > BLOCK_GAP_MAX => return None,
            true if is_number(text(line)) => {}
            false if closely > PARAGRAPH_GAP_MAX => return has_digit(text(line)).then_some(name),
            _ if has_digit(text(line)) || name.len() == NAME_LINES_MAX => return None,
            _ => name.push(line),
        }
    }
    None
}

/// Whose block each line stands in: below a caption, or where lines begin below a name that nobody else's stands above.
fn owners(order: &ReadingOrder, runs: &[Run], prints: &[String], mut parties: Vec<Option<Party>>, beliefs: &Beliefs) -> Vec<Option<Party>> {
    let names = [Party::Seller, Party::Buyer].map(|party| (party, lines_of_name(runs, prints, party, beliefs)));
    let (indent, reach) = (INDENT_MAX * order.line_height(), REACH_MAX * order.line_height());
    for line in (0..order.lines.len()).filter(|line| parties[*line].is_none()).collect::<Vec<_>>() {
        let quad = order.lines[line].quad;
        let begins_below = |name: &usize| {
            let above = order.lines[*name].quad;
            let below = (0.0..=reach).contains(&(quad.top() - above.top()));
            below && order.lines[*name].page == order.lines[line].page && (above.left() - quad.left()).abs() <= indent
        };
        let of = |(party, lines): &(Party, Vec<usize>)| lines.iter().any(begins_below).then_some(*party);
        parties[line] = match names.each_ref().map(of) {
            [Some(party), None] | [None, Some(party)] => Some(party),
            _ => None,
        };
    }
    parties
}

/// The first lines of all prints of the name that is believed to be a party's.
fn lines_of_name(runs: &[Run], prints: &[String], party: Party, beliefs: &Beliefs) -> Vec<usize> {
    let Some(field) = party.name() else { return Vec::new() };
    let Some(best) = beliefs.likeliest_run(field).filter(|best| beliefs.runs[*best][field as usize] >= NAME_MIN) else { return Vec::new() };
    (0..runs.len()).filter(|run| prints[*run] == prints[best]).map(|run| runs[run].lines[0]).collect()
}

/// A tax number in the buyer's block is the buyer's. `owners`: of each line; what stands right of its caption is of the same party.
fn weigh_vat_ids(order: &ReadingOrder, candidates: &[Candidate], owners: &[Option<Party>], beliefs: &mut Beliefs) {
    let text = |line: usize| order.lines[line].text.as_str();
    let owner = |line: usize| {
        let before = order.row(line).take_while(|before| *before < line).last();
        let caption = before.filter(|before| KeywordSet::find(text(*before)).has(Keyword::Tax));
        let is_buyers = caption.is_some_and(|caption| OF_BUYER.is_match(text(caption)));
        if is_buyers { Some(Party::Buyer) } else { owners[line].or_else(|| owners[caption?]) }
    };
    let vat_id = Role::SupplierVatId as usize;
    let owners: Vec<Option<Party>> = candidates.iter().map(|candidate| owner(candidate.line)).collect();
    let is_anothers = |at: usize| owners[at] != Some(Party::Buyer) && beliefs.roles[at][vat_id] >= OTHER_VAT_ID_MIN;
    // Few sellers print none: the only number that is believed is the seller's, wherever it stands.
    let is_only = !(0..candidates.len()).any(is_anothers);
    let factor = |at: usize| match owners[at] {
        Some(Party::Seller) => CAPTION_FACTOR,
        Some(Party::Buyer) if is_only && beliefs.roles[at][vat_id] >= ONLY_VAT_ID_MIN => 1.0,
        Some(Party::Buyer) => RULED_OUT,
        _ => 1.0,
    };
    let factors: Vec<f32> = (0..candidates.len()).map(factor).collect();
    multiply(&mut beliefs.roles, vat_id, &factors);
}

/// A salutation in a line of its own has the name below it.
fn complete_salutations(order: &ReadingOrder, runs: &[Run], beliefs: &mut Beliefs) {
    let fields = [BlockField::SupplierName, BlockField::CustomerName].map(|field| field as usize);
    for (at, run) in runs.iter().enumerate() {
        if beliefs.is_negligible(at) || !letters::is_salutation(&print(order, &run.lines)) {
            continue;
        }
        let Some(after) = run.after.filter(|after| is_below(order, run, *after)) else { continue };
        let Some(whole) = runs.iter().position(|other| other.lines.iter().eq(run.lines.iter().chain([&after]))) else { continue };
        for field in fields {
            beliefs.runs[whole][field] += std::mem::take(&mut beliefs.runs[at][field]);
        }
    }
}

/// What is believed of a brand, alone or together with the company right below it, goes to the company.
fn hand_down(order: &ReadingOrder, runs: &[Run], beliefs: &mut Beliefs) {
    let name = BlockField::SupplierName as usize;
    for (at, run) in runs.iter().enumerate() {
        if beliefs.is_negligible(at) {
            continue;
        }
        let Some((company, kept)) = company_below(order, run) else { continue };
        if let Some(heir) = runs.iter().position(|other| other.lines == [company]) {
            let share = (1.0 - kept) * beliefs.runs[at][name];
            beliefs.runs[at][name] -= share;
            beliefs.runs[heir][name] += share;
        }
    }
}

/// The company's line that ends a run which begins with a brand, or stands right below it, and how much of its belief such a run keeps.
fn company_below(order: &ReadingOrder, run: &Run) -> Option<(usize, f32)> {
    let is_brand = |lines: &[usize]| !lines.is_empty() && lines.iter().all(|line| legal_form::find(&order.lines[*line].text).is_none());
    let (last, above) = run.lines.split_last()?;
    if is_brand(above) && is_company(&order.lines[*last].text) {
        return Some((*last, BRAND_AND_COMPANY));
    }
    let company = |line: &usize| is_company(&order.lines[*line].text);
    let after = run.after.filter(|after| is_below(order, run, *after))?;
    // The place of the shop may stand between them.
    let place = Some(after).filter(|after| !company(after) && !has_digit(&order.lines[*after].text));
    let next = place.and_then(|place| order.in_column(place, 1).next().filter(|next| is_close(order, place, *next)));
    let company = Some(after).filter(company).or(next.filter(company))?;
    is_brand(&run.lines).then_some((company, BRAND_ALONE))
}

/// Whether a line stands closely below a run.
fn is_below(order: &ReadingOrder, run: &Run, line: usize) -> bool {
    is_close(order, run.lines[run.lines.len() - 1], line)
}

/// Measured by the upper line where it is larger than others: a brand.
fn is_close(order: &ReadingOrder, above: usize, below: usize) -> bool {
    let height = order.line_height().max(order.lines[above].quad.height());
    order.lines[below].quad.centre().y - order.lines[above].quad.centre().y <= BLOCK_GAP_MAX * height
}

/// Whether a line is a company's whole name: two words, initials and a word (`T.A.S LEISURE`), or a word and a country (`TRENDYMAX (M)`),
/// before a legal form.
fn is_company(text: &str) -> bool {
    let is_word = |word: &&str| word.chars().filter(|c| c.is_alphanumeric()).count() > 1 || word.starts_with('(') && word.ends_with(')');
    let own_words = |form: std::ops::Range<usize>| text[..form.start].split_whitespace().filter(is_word).count();
    // `Unit 3, Severn Trading Estate` is where a company is.
    let is_place = |form: &std::ops::Range<usize>| has_digit(&text[..form.start]);
    !text.trim_start().starts_with('&') && legal_form::find(text).filter(|form| !is_place(form)).is_some_and(|form| own_words(form) >= 2)
}

/// Multiplies the probabilities of all that compete for an answer; with "absent" they still sum to 1.
fn multiply<const N: usize>(rivals: &mut [[f32; N]], answer: usize, factors: &[f32]) {
    let absent = (1.0 - rivals.iter().map(|rival| rival[answer]).sum::<f32>()).max(0.0);
    rivals.iter_mut().zip(factors).for_each(|(rival, factor)| rival[answer] *= factor);
    let whole = absent + rivals.iter().map(|rival| rival[answer]).sum::<f32>();
    if whole > 0.0 {
        rivals.iter_mut().for_each(|rival| rival[answer] /= whole);
    }
}

/// No company sells to itself: where both names are the same lines, or say the same, the one gives way that loses less.
fn part(runs: &[Run], prints: &[String], beliefs: &mut Beliefs) {
    let letters: Vec<String> = prints.iter().map(|print| letters(print)).collect();
    let same = |a: usize, b: usize| letters[a] == letters[b] || runs[a].lines.iter().any(|line| runs[b].lines.contains(line));
    let of = |beliefs: &Beliefs, run: usize, field: BlockField| beliefs.runs[run][field as usize];
    let best = |beliefs: &Beliefs, field: BlockField, not: Option<usize>| {
        let free = (0..runs.len()).filter(|run| not.is_none_or(|other| !same(*run, other)));
        let believed = free.filter(|run| of(beliefs, *run, field) > 0.0);
        believed.max_by(|a, b| of(beliefs, *a, field).total_cmp(&of(beliefs, *b, field)))
    };
    let (supplier, customer) = (BlockField::SupplierName, BlockField::CustomerName);
    let (Some(seller), Some(buyer)) = (best(beliefs, supplier, None), best(beliefs, customer, None)) else { return };
    if !same(seller, buyer) {
        return;
    }
    let loss = |field: BlockField, kept: usize, given: usize| {
        let next = best(beliefs, field, Some(kept)).map_or(0.0, |run| of(beliefs, run, field));
        next / of(beliefs, given, field).max(f32::MIN_POSITIVE)
    };
    // A document has a supplier, but need have no customer.
    let has_customer = of(beliefs, buyer, customer) >= CUSTOMER_MIN;
    let supplier_yields = has_customer && loss(supplier, buyer, seller) > loss(customer, seller, buyer);
    let (yields, kept) = if supplier_yields { (supplier, buyer) } else { (customer, seller) };
    let factors: Vec<f32> = (0..runs.len()).map(|run| if same(run, kept) { BOTH_PARTIES } else { 1.0 }).collect();
    multiply(&mut beliefs.runs, yields as usize, &factors);
}

#[cfg(test)]
mod tests;
