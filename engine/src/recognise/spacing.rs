//! Spaces that no print has and the network reads: inside brackets, between initials, for one of a date's hyphens. Of 4,800 brackets and
//! initials in the training receipts' transcripts, 13 have one.

use crate::pattern::pattern;
use std::borrow::Cow;
use std::sync::LazyLock;

use regex::Regex;

static BEHIND_OPENING: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?P<bracket>\() (?P<next>[\p{L}\d])"));
static BEFORE_CLOSING: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?P<last>[\p{L}\d]) \)"));
/// `D. E`, which end where a word would go on: `J. K. Smith` has its spaces.
static INITIALS: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?P<before>^|[ (,])(?P<first>[A-Z])\. (?P<second>[A-Z])(?P<end>[.,)]*$|[,)])"));
/// `24 MAR-2018`, which nobody writes: a hyphen was read as a space.
static DATE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"\b(?P<day>\d{1,2}) (?P<month>(?i:JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC))-(?P<year>\d{4}|\d{2})\b")
});

/// The text without such spaces.
pub fn mend(text: &str) -> Cow<'_, str> {
    if !text.contains(['(', ')', '.', '-']) {
        return Cow::Borrowed(text);
    }
    let text = BEHIND_OPENING.replace_all(text, "${bracket}${next}");
    let text = BEFORE_CLOSING.replace_all(&text, "${last})");
    let text = DATE.replace_all(&text, "${day}-${month}-${year}");
    Cow::Owned(INITIALS.replace_all(&text, "${before}${first}.${second}${end}").into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brackets_initials_and_dates() {
        for (read, meant) in [
            ("S.H.H. MOTOR (SUNGAI RENGIT ) SDN. BHD.", "S.H.H. MOTOR (SUNGAI RENGIT) SDN. BHD."),
            ("( 12345-X )", "(12345-X)"),
            ("KLANG, SELANGOR D. E, MALAYSIA", "KLANG, SELANGOR D.E, MALAYSIA"),
            ("SELANGOR D. E.", "SELANGOR D.E."),
            ("DATE 24 MAR-2018 10:20", "DATE 24-MAR-2018 10:20"),
            // As they are.
            ("J. K. Smith", "J. K. Smith"),
            ("Smith, J. K. & Sons", "Smith, J. K. & Sons"),
            ("No. 4, Unit B. Cork", "No. 4, Unit B. Cork"),
            ("a ( - ) b", "a ( - ) b"),
        ] {
            assert_eq!(mend(read), meant, "{read}");
        }
    }
}
