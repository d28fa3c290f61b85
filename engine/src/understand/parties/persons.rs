//! Persons, whose company stands beside their names.

use crate::pattern::pattern;
use std::sync::LazyLock;

use regex::Regex;

use super::nobody::has_digit;
use super::{is_caption_alone, is_close};
use crate::understand::beliefs::Beliefs;
use crate::understand::labels::BlockField;
use crate::understand::legal_form;
use crate::understand::letters;
use crate::understand::names;
use crate::understand::rows::ReadingOrder;
use crate::understand::runs::Run;

/// `Mrs Sheila Brophy`, `Dhr. Bart Desmet`: someone at the company below.
pub(in crate::understand) static PERSON: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^\W*(?i:Mr|Mrs|Ms|Miss|Dr|Frau|Herrn?|Mme|Mlle|M\.|Monsieur|Madame|Mevr|Mevrouw|Dhr|De heer|Sig|Sig\.ra|Sr|Sra|Dña|D\.)\.?\s+\p{Lu}[\p{L}'’.-]*(?:\s+\p{Lu}[\p{L}'’.-]*){0,2}$",
    )
});

/// Forenames that are common where English, Irish, German, French, Dutch, Italian or Spanish is spoken, in lower case.
#[rustfmt::skip]
const FORENAMES: &[&str] = &[
    "aaron", "adam", "adele", "agnes", "aidan", "aine", "alan", "alex", "alice", "alison", "amanda", "amy", "andrea", "andreas", "andrew", "angela", "anja", "ann",
    "anna", "anne", "anthony", "antonio", "aoife", "arthur", "barbara", "barry", "bart", "ben", "bernd", "birgit", "brenda", "brian", "bridget", "caitriona",
    "carla", "carlo", "carlos", "carmen", "caroline", "catherine", "charles", "chloe", "christian", "christine", "christopher", "ciara", "claire", "clare", "claudia",
    "colm", "conor", "cormac", "daniel", "daniela", "david", "dean", "declan", "deirdre", "dermot", "derek", "diana", "dieter", "dirk", "dominic", "donal", "edward",
    "eileen", "elaine", "elena", "elizabeth", "ellen", "emily", "emma", "eoin", "erik", "eva", "fergus", "fiona", "francesca", "francesco", "frank", "gavin",
    "george", "gerard", "giulia", "giuseppe", "gordon", "grace", "grainne", "hannah", "hans", "helen", "helga", "henry", "ian", "imelda", "ines", "ingrid", "isabel",
    "jack", "james", "jan", "jane", "janet", "jason", "javier", "jean", "jens", "jo", "joan", "joe", "john", "jonathan", "jose", "joseph", "juan", "judith", "julia", "julie",
    "jutta", "karen", "karin", "kate", "kathleen", "keith", "kevin", "klaus", "laura", "lena", "liam", "linda", "lisa", "lorenzo", "louise", "luca", "lucy", "luis",
    "maeve", "marco", "margaret", "maria", "marie", "mario", "mark", "martin", "mary", "matthew", "maurice", "michael", "michelle", "miriam", "monika", "moira",
    "nadia", "nell", "niall", "nicola", "nina", "noel", "nora", "nuala", "olivia", "orla", "oscar", "pat", "patricia", "patrick", "paul", "paula", "peter", "petra", "philip",
    "pierre", "priya", "rachel", "ralf", "rebecca", "richard", "robert", "roisin", "ruth", "sandra", "sarah", "sean", "sheila", "simon", "siobhan",
];

/// What houses that buy for a trade are called.
static TRADE: LazyLock<Regex> = LazyLock::new(|| {
    let english = "bar|pub|inn|arms|taverns?|caf[eé]|coffee|hotel|restaurants?|bistro|kitchen|shop|stores?|(?:tea ?|larder |dining )?rooms?|deli|bakery|lounge|guest ?house|b ?& ?b|foods?|catering|larder|grill|diner|brewery|market|takeaway|salon|spa|gallery|school|club";
    let others = "gasthof|gasthaus|wirtshaus|hostal|trattoria|osteria|pizzeria|brasserie|auberge|taverne|bodega|mes[óo]n|taberna|ristorante|albergo|eetcaf[eé]|herberg|lunchroom|boulangerie|epicerie|[ée]picerie|boutique";
    pattern(&format!(r"(?i)^\W*the \p{{L}}|\b(?:{english}|{others})\b"))
});

/// Whether a line is a forename and one or two more words: `Nora Feeney`.
fn is_forenamed(text: &str) -> bool {
    let words: Vec<&str> = text.split_whitespace().collect();
    let is_word = |word: &&str| word.starts_with(char::is_uppercase) && word.chars().all(|c| c.is_alphabetic() || "'’.-".contains(c));
    let is_forename = || words.first().is_some_and(|first| FORENAMES.contains(&letters::plain(first).as_str()));
    matches!(words.len(), 2 | 3) && words.iter().all(is_word) && is_forename() && !says_trade(text)
}

fn says_trade(text: &str) -> bool {
    TRADE.is_match(text) || legal_form::find(text).is_some()
}

/// Whether one line is a person and another one says where: who bears no title is one where the other says a trade.
pub(in crate::understand) fn is_person_at(person: &str, house: &str) -> bool {
    PERSON.is_match(person.trim()) || is_forenamed(person) && says_trade(house)
}

/// What is believed of a person and the line below, together or of the person alone, goes to that line, unless it is of an address.
pub(super) fn pass(order: &ReadingOrder, runs: &[Run], beliefs: &mut Beliefs) {
    let buyer = BlockField::CustomerName as usize;
    let text = |line: usize| order.lines[line].text.as_str();
    let is_place = |line: usize| names::is_place(text(line)) && !says_trade(text(line));
    let may_name = |line: usize| !letters::is_no_name(text(line)) && !has_digit(text(line)) && !is_caption_alone(text(line)) && !is_place(line);
    let is_titled = |line: usize| PERSON.is_match(text(line).trim());
    // `Lunchroom 't Hoekje`, and below it `De heer R. Postma`.
    for (at, run) in runs.iter().enumerate() {
        let [names @ .., last] = run.lines.as_slice() else { continue };
        let is_name_and_person = !names.is_empty() && is_titled(*last) && !is_titled(names[0]);
        if let Some(heir) = runs.iter().position(|other| is_name_and_person && other.lines == names) {
            beliefs.runs[heir][buyer] += std::mem::take(&mut beliefs.runs[at][buyer]);
        }
    }
    let may_be_person: Vec<bool> = order.lines.iter().map(|line| PERSON.is_match(line.text.trim()) || is_forenamed(&line.text)).collect();
    for (at, run) in runs.iter().enumerate().filter(|(_, run)| may_be_person[run.lines[0]]) {
        let is_person_by = |name: usize| is_person_at(text(run.lines[0]), text(name));
        let close = |above: usize, below: usize| is_close(order, above, below) && may_name(above) && may_name(below);
        let rest = match run.lines.as_slice() {
            [person] => {
                let below = run.after.filter(|after| close(*person, *after) && is_person_by(*after));
                below.or(run.before.filter(|before| close(*before, *person) && is_person_by(*before))).map(|name| vec![name])
            }
            [_, rest @ ..] => Some(rest.to_vec()).filter(|rest| may_name(rest[0]) && is_person_by(rest[0])),
            [] => None,
        };
        if let Some(heir) = rest.and_then(|rest| runs.iter().position(|other| other.lines == rest)) {
            beliefs.runs[heir][buyer] += std::mem::take(&mut beliefs.runs[at][buyer]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn persons_bear_forenames_and_houses_do_not() {
        for (text, is_person) in [
            ("Nora Feeney", true),
            ("Róisín Ní Bhriain", true),
            ("Declan O'Dwyer", true),
            ("Nora Feeney & Sons", false),
            ("Patrick Street", true),
            ("Mary's Kitchen", false),
            ("Grace Coffee", false),
            ("The Tin Whistle", false),
            ("NORA", false),
            ("Nora 12 Feeney", false),
        ] {
            assert_eq!(is_forenamed(text), is_person, "{text}");
        }
        for (text, trade) in [
            ("The Tin Whistle", true),
            ("Potting Shed Farm Shop", true),
            ("Kilbarron Ltd", true),
            ("Athlone", false),
            ("Barrow Street", false),
        ] {
            assert_eq!(says_trade(text), trade, "{text}");
        }
    }
}
