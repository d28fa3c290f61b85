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
static TITLED: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^\W*(?i:Mr|Mrs|Ms|Miss|Dr|Frau|Herrn?|Mme|Mlle|M\.|Monsieur|Madame|Mevr|Mevrouw|Dhr|De heer|Sig|Sig\.ra|Sr|Sra|Dña|D\.)\.?\s+\p{Lu}[\p{L}'’.-]*(?:\s+\p{Lu}[\p{L}'’.-]*){0,2}$",
    )
});

/// Forenames that are common where English, Irish, German, French, Dutch, Italian or Spanish is spoken, as [`letters::plain`] has them.
#[rustfmt::skip]
const FORENAMES: &[&str] = &[
    "aaron", "adam", "adele", "adrien", "agathe", "agnes", "aidan", "ailish", "aine", "aisling", "alain", "alan", "albert", "alberto", "alejandro",
    "alessandro", "alessia", "alex", "alexander", "alice", "alison", "alvaro", "amanda", "amy", "ana", "andrea", "andreas", "andrew", "angela", "angelika",
    "angelo", "anja", "ann", "anna", "anne", "anneke", "annette", "anthony", "antoine", "anton", "antonella", "antonio", "aoife", "armin", "arthur", "astrid",
    "audrey", "aurelie", "axel", "barbara", "barry", "bart", "bastien", "beatrice", "beatriz", "ben", "benedikt", "benoit", "bernadette", "bernard", "bernd",
    "bettina", "billy", "birgit", "bob", "bram", "brenda", "brendan", "brian", "bridget", "brigitte", "bruno", "caitriona", "carla", "carlo", "carlos",
    "carmel", "carmen", "caroline", "carsten", "cathal", "catherine", "cedric", "celine", "cesare", "chantal", "charles", "chiara", "chlo", "christa",
    "christian", "christine", "christoph", "christopher", "ciara", "ciaran", "cillian", "claire", "clare", "claudia", "clodagh", "colette", "colm", "conor",
    "corinne", "cormac", "cristina", "daan", "damien", "daniel", "daniela", "david", "davide", "dean", "declan", "deirdre", "delphine", "denis", "derek",
    "dermot", "desmond", "diana", "didier", "diego", "dieter", "dirk", "domenico", "dominic", "donal", "donnacha", "dorothea", "dympna", "eamon", "eamonn",
    "edward", "eileen", "eimear", "elaine", "elena", "elisa", "elizabeth", "elke", "ellen", "elodie", "els", "emer", "emilie", "emily", "emma", "enda",
    "enrico", "enriqu", "eoin", "eric", "erik", "esmee", "estelle", "esther", "eva", "fabio", "fabrice", "federico", "felix", "femke", "fergus", "fernando",
    "fintan", "fiona", "fionn", "florence", "florian", "francesca", "francesco", "francois", "frank", "franz", "gabriele", "gavin", "george", "geraldine",
    "gerard", "gerhard", "gianni", "gijs", "gilles", "giorgio", "giovanni", "gisela", "giulia", "giuseppe", "gonzalo", "gordon", "grace", "graham", "grainne",
    "greg", "guillaume", "gunter", "hannah", "hans", "hazel", "heather", "heike", "heinrich", "heinz", "helen", "helga", "hendrik", "henk", "henry",
    "hermann", "herve", "hilary", "holger", "horst", "hugh", "hugo", "ian", "ignacio", "imelda", "ines", "ingo", "ingrid", "irene", "isabel", "isabelle",
    "isla", "ivan", "jacinta", "jack", "jackie", "jacqus", "jade", "jakob", "james", "jan", "jane", "janet", "jasmine", "jason", "jasper", "javier", "jean",
    "jenny", "jens", "jerome", "jeron", "jessica", "jill", "jim", "jimmy", "jo", "joan", "jochen", "jodie", "johannes", "john", "jonathan", "joost", "jorg",
    "jose", "joseph", "josephine", "josh", "juan", "judith", "julia", "julie", "julien", "jurgen", "jutta", "karen", "karin", "kate", "katherine", "kathleen",
    "kathrin", "kathy", "katie", "katja", "kees", "keith", "kelly", "ken", "kerry", "kevin", "kieran", "killian", "kim", "kirsty", "klaus", "konrad", "kurt",
    "lars", "laura", "lauren", "laurent", "lee", "lena", "leo", "lewis", "liam", "linda", "lisa", "loic", "lorcan", "lorenzo", "lorna", "lothar", "lotte",
    "louise", "luc", "luca", "lucia", "lucie", "lucy", "luigi", "luis", "lynn", "maarten", "maggie", "mairead", "majella", "malcolm", "manfred", "manon",
    "manul", "marc", "marco", "margaret", "maria", "marian", "marie", "mario", "marion", "mark", "markus", "martha", "martin", "mary", "massimo", "mathieu",
    "matteo", "matthew", "matthias", "maura", "maurice", "mave", "megan", "melanie", "mercedes", "michal", "michele", "michelle", "mick", "migul", "mike",
    "miriam", "moira", "molly", "monica", "monika", "montserrat", "muireann", "nadia", "naomi", "natalie", "nathalie", "nathan", "neil", "nell", "niall",
    "nick", "nicola", "nicolas", "niels", "nigel", "nina", "nol", "nora", "noreen", "norman", "nuala", "nuria", "odile", "oisin", "olivia", "oonagh", "orla",
    "oscar", "pablo", "padraig", "pamela", "paolo", "pascal", "pat", "patricia", "patrick", "paul", "paula", "pauline", "pedro", "penny", "peter", "petra",
    "philip", "pierre", "pieter", "pietro", "pilar", "pippa", "polly", "priya", "rachel", "rafal", "raffale", "ralf", "ramon", "raul", "rebecca", "rhys",
    "riccardo", "richard", "rita", "rob", "robert", "roberto", "robin", "rocio", "roger", "roisin", "rol", "romain", "ron", "ronan", "rory", "rosa",
    "rosario", "rosemary", "rosie", "ross", "ruairi", "ruby", "russell", "ruth", "ruud", "ryan", "sally", "salvatore", "sam", "samul", "sander", "sandra",
    "sandrine", "saoirse", "sara", "sarah", "scott", "seamus", "sean", "sebastien", "sergio", "shane", "sharon", "sheila", "shirley", "silvia", "simon",
    "simone", "sinead", "siobhan", "sofia", "sophie", "sorcha", "stefan", "stefanie", "stefano", "steffen", "stephane", "stephanie", "stephen", "steve",
    "steven", "stuart", "su", "susan", "susanne", "suzanne", "sven", "sylvia", "sylvie", "tadhg", "tara", "teresa", "theresa", "thibault", "thierry",
    "thomas", "thorsten", "tim", "tobias", "tom", "tomas", "tony", "torsten", "tracy", "trevor", "ulrich", "ultan", "una", "ursula", "uwe", "valentina",
    "valerie", "vera", "veroniqu", "victoria", "vincent", "virginie", "volker", "walter", "wendy", "werner", "willem", "william", "wolfgang", "wouter",
    "yannick", "yves", "yvonne", "zo",
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

fn is_titled(text: &str) -> bool {
    TITLED.is_match(text.trim())
}

fn says_trade(text: &str) -> bool {
    TRADE.is_match(text) || legal_form::find(text).is_some()
}

/// Whether one line is a person and another one says where: who bears no title is one where the other says a trade.
pub(in crate::understand) fn is_person_at(person: &str, house: &str) -> bool {
    is_titled(person) || is_forenamed(person) && says_trade(house) && house.trim().starts_with(char::is_uppercase)
}

/// What is believed of a person and the line below, together or of the person alone, goes to that line, unless it is of an address.
pub(super) fn pass(order: &ReadingOrder, runs: &[Run], beliefs: &mut Beliefs) {
    let buyer = BlockField::CustomerName as usize;
    let text = |line: usize| order.lines[line].text.as_str();
    let is_place = |line: usize| names::is_place(text(line)) && !says_trade(text(line));
    let may_name =
        |line: usize| !letters::is_no_name(text(line)) && !has_digit(text(line)) && !is_caption_alone(text(line)) && !is_place(line);
    // `Lunchroom 't Hoekje`, and below it `De heer R. Postma`.
    for (at, run) in runs.iter().enumerate() {
        let [names @ .., last] = run.lines.as_slice() else { continue };
        let is_name_and_person = !names.is_empty() && is_titled(text(*last)) && !is_titled(text(names[0]));
        if let Some(heir) = runs.iter().position(|other| is_name_and_person && other.lines == names) {
            beliefs.runs[heir][buyer] += std::mem::take(&mut beliefs.runs[at][buyer]);
        }
    }
    let may_be_person: Vec<bool> = order.lines.iter().map(|line| is_titled(&line.text) || is_forenamed(&line.text)).collect();
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
