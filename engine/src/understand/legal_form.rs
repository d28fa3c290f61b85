//! Legal forms of companies: what stands before one is the whole name.

use crate::pattern::pattern;
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

static LEGAL_FORM: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?i)\b(?:S[D0O]N\.? ?,?BH[D0O]|S/B|SB|BHD|LTD|LIMITED|GMBH|PLC|LLC|L\.?L\.?P|INC|DAC|AG|KG|OHG|GBR|UG|B\.?V|N\.V|S\.?R\.?L|S\.P\.A|APS|LDA|PTY|TEORANTA|CLG|SARL|SASU|SAS|SA|EURL|EG|E\.K|MBB|KGAA|SPRL|SRL|SPA|BVBA|KFT|S\.R\.O|S\.N\.C|S\.L\.?U?|S\.A\.S?|E\.U|SP\.? ?Z ?O\.? ?O|(?-i:OG|UC|CIC|MBH|VOF|SNC|SCEA|GAEC|EARL)|V\.O\.F|COMM\.? ?V|UNLIMITED COMPANY|CO|ENTERPRISE|TRADING)\b",
    )
});

/// An Irish county behind `Co.`, which is no company then.
static COUNTY: LazyLock<Regex> = LazyLock::new(|| {
    let counties = "Antrim|Armagh|Carlow|Cavan|Clare|Cork|Derry|Donegal|Down|Dublin|Fermanagh|Galway|Kerry|Kildare|Kilkenny|Laois|Leitrim|Limerick|\
                    Longford|Louth|Mayo|Meath|Monaghan|Offaly|Roscommon|Sligo|Tipperary|Tyrone|Waterford|Westmeath|Wexford|Wicklow";
    pattern(&format!(r"(?i)^\.? (?:{counties})\b"))
});

/// The first legal form in a text.
pub fn find(text: &str) -> Option<Range<usize>> {
    forms(text).next()
}

/// All of them.
pub fn all(text: &str) -> Vec<Range<usize>> {
    forms(text).collect()
}

fn forms(text: &str) -> impl Iterator<Item = Range<usize>> {
    let is_county = move |form: &regex::Match| form.as_str().eq_ignore_ascii_case("co") && COUNTY.is_match(&text[form.end()..]);
    let is_cooperative = move |form: &regex::Match| text[form.end()..].to_lowercase().starts_with("-op");
    LEGAL_FORM.find_iter(text).filter(move |form| !is_county(form) && !is_cooperative(form)).map(|form| form.range())
}

/// Whether a text ends with one, as names do but for those that begin with it: `SARL MORVAN ET FILLES`.
pub fn is_at_end(text: &str) -> bool {
    forms(text).last().is_some_and(|form| !text[form.end..].contains(char::is_alphanumeric))
}

/// Words of at least two letters before the legal form, which make the name; `None` where there is no legal form.
pub fn own_words(text: &str) -> Option<usize> {
    let form = find(text)?;
    Some(text[..form.start].split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 1).count())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_end_names_or_begin_them() {
        for (text, at_end) in [("Ooievaar B.V.", true), ("GmbH & Co. KG", true), ("SARL MORVAN ET FILLES", false), ("The Anchor", false)] {
            assert_eq!(is_at_end(text), at_end, "{text}");
        }
    }

    #[test]
    fn words_before_a_legal_form_make_the_name() {
        for (text, words) in [
            ("SDN BHD", Some(0)),
            ("STATIONERY SDN. BHD", Some(1)),
            ("KMF FOODICIOUS SDN BHD", Some(2)),
            ("ACME WINES LTD", Some(2)),
            ("SUSHI MENTAI", None),
            ("VLTAVAN SKLO s.r.o.", Some(2)),
            ("Fabryka Mebli Drzewniak Sp. z o.o.", Some(3)),
            ("Cazalilla Real, S.L.", Some(2)),
            ("Kilcolman, Co. Kerry", None),
            ("Acme, Co. Kerry, Ltd", Some(3)),
            ("Sheelin Co-operative Society Ltd", Some(4)),
        ] {
            assert_eq!(own_words(text), words, "{text}");
        }
    }
}
