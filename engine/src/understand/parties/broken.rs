//! Names that are broken into two rows.

use crate::pattern::pattern;
use std::sync::LazyLock;

use regex::Regex;

use super::nobody::{has_digit, names_nobody};
use crate::understand::beliefs::Beliefs;
use crate::understand::labels::BlockField;
use crate::understand::legal_form;
use crate::understand::letters;
use crate::understand::rows::ReadingOrder;
use crate::understand::runs::Run;

/// A name in two rows, the second of which is no name by itself: `Hotel De | Ooievaar B.V.`, `Burgerladen Konstanz | GmbH & Co. KG`.
pub(super) fn join(order: &ReadingOrder, runs: &[Run], field: BlockField, beliefs: &mut Beliefs) {
    let text = |line: usize| order.lines[line].text.trim();
    let Some(best) = beliefs.likeliest_run(field) else { return };
    let field = field as usize;
    let [line] = runs[best].lines[..] else { return };
    let own_words = |line: usize| legal_form::own_words(text(line));
    let may_name = |line: usize| !has_digit(text(line)) && !names_nobody(text(line)) && !letters::is_no_name(text(line));
    let begins = |line: usize| own_words(line).is_none() && may_name(line);
    let says_trade_alone = |line: usize| text(line).split_whitespace().all(|word| TRADE.is_match(word) || legal_form::find(word).is_some());
    let is_short = |line: usize| matches!(own_words(line), Some(0 | 1)) || own_words(line).is_some() && says_trade_alone(line);
    let is_rest = |line: usize| is_short(line) && legal_form::is_at_end(text(line)) && !has_digit(text(line));
    let is_broken = |below: usize| GOES_ON.is_match(text(line)) || text(below).starts_with('&');
    let below = order.in_column(line, 1).next();
    let pair = match own_words(line) {
        _ if may_name(line) && below.is_some_and(|below| is_broken(below) && may_name(below)) => below.map(|below| [line, below]),
        None if begins(line) => below.filter(|below| is_rest(*below)).map(|below| [line, below]),
        Some(words) if is_rest(line) && (words == 0 || says_trade_alone(line)) => {
            order.in_column(line, -1).next().filter(|above| begins(*above)).map(|above| [above, line])
        }
        _ => None,
    };
    let pair = pair.filter(|[above, below]| letters::goes_on(order, *above, *below));
    if let Some(whole) = pair.and_then(|pair| runs.iter().position(|run| run.lines == pair)) {
        beliefs.runs[whole][field] += std::mem::take(&mut beliefs.runs[best][field]);
    }
}

/// A word of a trade, which a name has beside its own.
static TRADE: LazyLock<Regex> = LazyLock::new(|| {
    let trades = "drinks|distribut(?:ors?|ion)|wholesalers?|foods?|coffee|roasters|brewery|brewing|wines?|merchants|bakers|bakery|dairy|dairies|services|supplies|linen|laundry|meats|butchers|fruit|veg|vegetables|fish|seafood|catering|kaas|delicatessen|packaging|hygiene|staffing|hospitality|&|and|et|und|en";
    pattern(&format!(r"(?i)^(?:{trades})$"))
});

/// No name ends so: `Hocking &`, `Silva Foods t/a The`.
static GOES_ON: LazyLock<Regex> = LazyLock::new(|| pattern(r"(?i)(?:&|\+|\b(?:and|und|et|y|of|the|t/as?|trading as))$"));
