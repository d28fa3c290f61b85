//! Receipts whose head is set otherwise: what few suppliers do, for the network to have seen it.

use datasets::sroie::Receipt;
use engine::geometry::{Point, Quad};
use engine::text::TextLine;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::labels::letters_and_digits;

/// From one line to the next, in heights.
const PITCH: f32 = 1.25;
/// The print of a brand, in heights of the name below it.
const BRAND_HEIGHT: std::ops::Range<f32> = 0.8..1.5;
/// Forms of companies, which tend to stand on a line of their own when a name is broken.
const LEGAL_FORMS: [&str; 6] = ["SDN", "S/B", "ENTERPRISE", "TRADING", "LTD", "(M)"];

/// The receipt's lines with its name broken into two; `None` where it is no line of several words.
pub fn broken_name(lines: &[TextLine], company: &str, rng: &mut ChaCha8Rng) -> Option<Vec<TextLine>> {
    let at = name_line(lines, company)?;
    let line = &lines[at];
    let ends_a_name = |space: &usize| *space > 0 && is_rest_of_a_name(&line.text[space + 1..]);
    let spaces: Vec<usize> = line.text.trim_end().match_indices(' ').map(|(i, _)| i).filter(ends_a_name).collect();
    let before_form = spaces.iter().copied().find(|i| legal_form(&line.text[i + 1..]) == Some(0));
    let random = (!spaces.is_empty()).then(|| spaces[rng.random_range(0..spaces.len())])?;
    let space = before_form.filter(|_| rng.random_bool(0.5)).unwrap_or(random);
    let (first, second) = (&line.text[..space], &line.text[space + 1..]);
    let mut set = with_room_below(lines, at);
    let part = |text: &str, rows: f32| {
        let share = text.chars().count() as f32 / line.text.chars().count() as f32;
        TextLine { text: text.into(), quad: moved(&narrowed(&line.quad, share), rows * PITCH * line.quad.height()), ..line.clone() }
    };
    set[at] = part(first, 0.0);
    set.insert(at + 1, part(second, 1.0));
    Some(set)
}

/// Whether the second row of a name says no name of its own: at most a word before the legal form, or what an `&` goes on with. Two words
/// and a form below another name are nearly always the company behind a brand.
fn is_rest_of_a_name(text: &str) -> bool {
    let words = |text: &str| text.split(|c: char| !c.is_alphanumeric()).filter(|word| word.len() > 1).count();
    text.starts_with('&') || legal_form(text).is_none_or(|form| words(&text[..form]) < 2)
}

/// Where the legal form begins, in bytes.
fn legal_form(text: &str) -> Option<usize> {
    let upper = text.to_ascii_uppercase();
    LEGAL_FORMS.iter().filter_map(|form| upper.find(form)).min()
}

/// The receipt's lines with a brand above the name.
pub fn with_brand(lines: &[TextLine], company: &str, brand: &str, rng: &mut ChaCha8Rng) -> Option<Vec<TextLine>> {
    let at = name_line(lines, company)?;
    let name = &lines[at];
    let mut set = with_room_below(lines, at);
    let share = brand.chars().count() as f32 / name.text.chars().count().max(1) as f32;
    let height = rng.random_range(BRAND_HEIGHT);
    let quad = narrowed(&name.quad, (share * height).clamp(0.2, 1.6));
    let lift = (height - 1.0) * name.quad.height();
    let Quad([a, b, c, d]) = quad;
    let up = |p: Point| Point { y: p.y - lift, ..p };
    set[at] = TextLine { text: name.text.clone(), quad: moved(&name.quad, PITCH * name.quad.height()), ..name.clone() };
    set.insert(at, TextLine { text: brand.into(), quad: Quad([up(a), up(b), c, d]), ..name.clone() });
    Some(set)
}

/// What a shop may call itself: the first words of a company's name, before its legal form.
pub fn brand(receipt: &Receipt, rng: &mut ChaCha8Rng) -> Option<String> {
    let name = receipt.keys.company.to_uppercase();
    let end = legal_form(&name).unwrap_or(name.len());
    let words: Vec<&str> = name[..end].split_whitespace().take(rng.random_range(1..5)).collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// The line that says the name and at most a number after it.
fn name_line(lines: &[TextLine], company: &str) -> Option<usize> {
    let name = letters_and_digits(company);
    (name.len() > 3).then(|| lines.iter().position(|line| letters_and_digits(&line.text).starts_with(&name)))?
}

/// The lines, those below one of them moved down by a row.
fn with_room_below(lines: &[TextLine], at: usize) -> Vec<TextLine> {
    let (level, room) = (lines[at].quad.centre().y, PITCH * lines[at].quad.height());
    let below = |line: &TextLine| line.quad.centre().y > level + 0.5 * lines[at].quad.height();
    let place = |line: &TextLine| if below(line) { TextLine { quad: moved(&line.quad, room), ..line.clone() } } else { line.clone() };
    lines.iter().map(place).collect()
}

fn moved(quad: &Quad, down: f32) -> Quad {
    Quad(quad.0.map(|p| Point { y: p.y + down, ..p }))
}

/// The quad at a share of its width, about its middle.
fn narrowed(quad: &Quad, share: f32) -> Quad {
    let middle = quad.centre().x;
    Quad(quad.0.map(|p| Point { x: middle + (p.x - middle) * share, ..p }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    fn lines() -> Vec<TextLine> {
        let line = |(i, text): (usize, &&str)| TextLine {
            page: 0,
            quad: Quad::from_edges(0.0, 40.0 * i as f32, 200.0, 40.0 * i as f32 + 20.0),
            text: text.to_string(),
            confidence: 1.0,
        };
        ["TAX INVOICE", "ACME FINE WINES SDN BHD (12-X)", "NO. 1, JALAN DUA"].iter().enumerate().map(line).collect()
    }

    fn texts(lines: &[TextLine]) -> Vec<&str> {
        lines.iter().map(|line| line.text.as_str()).collect()
    }

    #[test]
    fn a_broken_name_says_the_same_in_two_rows() {
        for seed in 0..20 {
            let set = broken_name(&lines(), "ACME FINE WINES SDN BHD", &mut ChaCha8Rng::seed_from_u64(seed)).unwrap();
            assert_eq!(set.len(), 4);
            assert_eq!(format!("{} {}", set[1].text, set[2].text), "ACME FINE WINES SDN BHD (12-X)");
            assert!(set.windows(2).all(|pair| pair[0].quad.bottom() <= pair[1].quad.top()), "{set:?}");
        }
        assert!(broken_name(&lines(), "OTHER", &mut ChaCha8Rng::seed_from_u64(1)).is_none());
    }

    #[test]
    fn a_second_row_says_no_name_of_its_own() {
        for (text, is_rest) in [
            ("SDN BHD", true),
            ("ENTERPRISE (SETIA ALAM) SDN BHD", true),
            ("STATIONERY SDN. BHD", true),
            ("& TEA LEAF (M) SDN. BHD.", true),
            ("BAKERY", true),
            ("LITTLE CRAVINGS SDN BHD", false),
        ] {
            assert_eq!(is_rest_of_a_name(text), is_rest, "{text}");
        }
    }

    #[test]
    fn a_brand_stands_above_the_name() {
        let set = with_brand(&lines(), "ACME FINE WINES SDN BHD", "THE CELLAR", &mut ChaCha8Rng::seed_from_u64(3)).unwrap();
        assert_eq!(texts(&set), ["TAX INVOICE", "THE CELLAR", "ACME FINE WINES SDN BHD (12-X)", "NO. 1, JALAN DUA"]);
        assert!(set.windows(2).all(|pair| pair[0].quad.centre().y < pair[1].quad.centre().y));
    }
}
