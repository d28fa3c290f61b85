//! What stands in the columns of a table though it is of another one: numbers of items, days, codes and units among the descriptions.

use crate::pattern::pattern;
use std::sync::LazyLock;

use regex::Regex;

use super::super::announced::is_year;
use super::super::cells::{Cell, ONE, Word};
use super::super::goods::drop_positions;
use super::super::{CODE_DIGITS_MIN, MOST};
use super::{Captioned, Entry, NOTE, begins_with_code};
use crate::understand::draft::Column;

/// `23 Feb`, `08/12`, `Mon 4th May 2026`.
static DAY: LazyLock<Regex> = LazyLock::new(|| {
    let month = r"(?:jan|feb|m[aä]r|apr|ma[iy]|jun|jul|aug|sep|o[ck]t|nov|de[cz])\p{L}*\.?";
    pattern(&format!(
        r"(?i)^(?:\p{{L}}{{2,9}}\.?,? )?(?:\d{{1,2}}[./-]\d{{1,2}}(?:[./-](?:\d{{2}}){{0,2}})?|\d{{1,2}}(?:st|nd|rd|th|\.)? {month}(?: \d{{2,4}})?)$"
    ))
});

/// Whether a cell is one word that is a code: `NDS-PY6`, `H26/28`, `VATR60`.
fn is_one_code(cell: &Cell) -> bool {
    cell.words.len() == 1 && is_code(&cell.words[0])
}

pub(super) fn is_code(word: &Word) -> bool {
    let text = word.text.trim_end_matches([',', ';']);
    let has = |is: fn(char) -> bool| text.contains(is);
    text.len() > 2 && has(|c| c.is_ascii_digit()) && has(|c| c.is_ascii_uppercase()) && !has(char::is_lowercase)
}

/// `NAP-W`.
fn is_hyphened(word: &Word) -> bool {
    word.text.len() > 3 && word.text.contains('-') && word.text.bytes().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == b'-')
}

/// `981783`, `4361107347084`.
fn is_long_number(word: &Word) -> bool {
    const DIGITS_MIN: usize = 5;
    word.is_digits() && word.text.len() >= DIGITS_MIN
}

/// `FF`, `BOS`, `PAK`: a unit in capitals.
fn is_abbreviation(word: &Word) -> bool {
    (2..=3).contains(&word.text.len()) && word.text.bytes().all(|c| c.is_ascii_uppercase())
}

/// `L-1002C`, `L-N 04417/25`, `Partij 26-118`.
static LOT: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"(?i)^(?:L[-.: ]{1,2}[A-Z]{0,2}[- ]?\d[\w/.-]*|(?:partij|tht|mhd|lotto|partita)\b.*\d.*)$"));

impl<'a> Captioned<'a> {
    /// Puts what stands among the descriptions into its own column, or leaves it out.
    pub(super) fn part_columns(&mut self) {
        self.drop_what_is_no_rate();
        drop_positions(&mut self.entries.iter_mut().map(|entry| &mut entry.goods).collect::<Vec<_>>());
        self.drop_days();
        self.drop_notes();
        self.move_out(Column::Code, |word| is_code(word) || is_long_number(word) || is_hyphened(word));
        self.part_leading_codes();
        self.drop_leading_counts();
        self.move_out(Column::VatRate, |word| word.text.ends_with('%'));
        self.move_out(Column::Unit, |word| word.is_measure() || is_abbreviation(word));
        self.find_stacked_codes();
    }

    /// Below a caption of tax, 1 and 2 are codes that a legend explains, and numbers with odd hundredths amounts: no rates.
    fn drop_what_is_no_rate(&mut self) {
        const TENTH: i64 = ONE / 10;
        let rates = || self.entries.iter().filter_map(|entry| entry.goods.cell(Column::VatRate));
        let is_code = |cell: &Cell| matches!(cell.words.as_slice(), [word] if word.text.len() == 1 && word.is_digits());
        let is_amount = |cell: &Cell| !cell.words[0].text.ends_with('%') && cell.millionths().is_some_and(|value| value % TENTH != 0);
        let (codes, some) = (rates().all(is_code), rates().any(|cell| matches!(cell.words[0].text, "1" | "2")));
        if codes && some || rates().any(is_amount) {
            self.entries.iter_mut().for_each(|entry| entry.goods.cells.retain(|cell| cell.column != Column::VatRate));
        }
    }

    /// The days of deliveries stand before the descriptions, each a line of its own: `23 Feb | Attend site`.
    fn drop_days(&mut self) {
        let days = |entry: &Entry| {
            let words = entry.description().map(|cell| cell.words.as_slice()).unwrap_or_default();
            let day = words.iter().take_while(|word| word.line == words[0].line).count();
            if day < words.len() && DAY.is_match(words[0].whole.trim()) { day } else { 0 }
        };
        let found = self.entries.iter().filter(|entry| days(entry) > 0).count();
        if found == 0 || (found as f32) < MOST * self.entries.len() as f32 {
            return;
        }
        for entry in &mut self.entries {
            let day = days(entry);
            let description = entry.goods.cells.iter_mut().find(|cell| cell.column == Column::Description);
            description.into_iter().for_each(|cell| drop(cell.words.drain(..day)));
        }
    }

    /// Notes in a line of their own beside a description: `Partij 26-118 · THT 14-09-2026`.
    fn drop_notes(&mut self) {
        let is_note = |word: &Word| NOTE.is_match(word.whole) || LOT.is_match(word.whole.trim());
        let descriptions =
            self.entries.iter_mut().flat_map(|entry| &mut entry.goods.cells).filter(|cell| cell.column == Column::Description);
        for cell in descriptions.filter(|cell| !cell.words.iter().all(is_note)) {
            cell.words.retain(|word| !is_note(word));
        }
    }

    /// Words of a column that no caption explains stand among the descriptions, each a line of its own: where most items have one, it is that column.
    fn move_out(&mut self, column: Column, is: impl Fn(&Word) -> bool) {
        let is_own = |word: &Word| word.whole.trim() == word.text && is(word);
        let place = |entry: &Entry| {
            let words = &entry.description()?.words;
            words.iter().position(is_own).filter(|_| words.len() > 1)
        };
        let places: Vec<Option<usize>> = self.entries.iter().map(place).collect();
        let found = places.iter().flatten().count();
        let is_known = self.entries.iter().any(|entry| entry.goods.has(column));
        if is_known || found < 2 || (found as f32) < MOST * places.len() as f32 {
            return;
        }
        for (entry, place) in self.entries.iter_mut().zip(places) {
            let description = entry.goods.cells.iter_mut().find(|cell| cell.column == Column::Description);
            if let Some(word) = description.zip(place).map(|(cell, place)| cell.words.remove(place)) {
                entry.goods.cells.push(Cell { column, words: vec![word] });
            }
        }
    }

    /// Codes that no caption explains stand before the descriptions, in one line with them: `CHI969 Chip box`, `5122 PAT test`.
    fn part_leading_codes(&mut self) {
        let leads = |entry: &Entry<'a>| {
            let words = entry.description().map(|cell| cell.words.as_slice()).unwrap_or_default();
            let of_one_line = words.len() > 1 && words[0].line == words[1].line;
            let is_long = |word: &Word| word.text.len() >= CODE_DIGITS_MIN && (is_code(word) || word.is_digits() && !is_year(word.text));
            of_one_line && is_long(&words[0])
        };
        let found = self.entries.iter().filter(|entry| leads(entry)).count();
        let is_known = self.entries.iter().any(|entry| entry.goods.has(Column::Code));
        if is_known || found < 2 || (found as f32) < MOST * self.entries.len() as f32 {
            return;
        }
        for entry in self.entries.iter_mut().filter(|entry| leads(entry)) {
            let description = entry.goods.cells.iter_mut().find(|cell| cell.column == Column::Description);
            let code = description.map(|cell| cell.words.remove(0));
            entry.goods.cells.extend(code.map(|code| Cell { column: Column::Code, words: vec![code] }));
        }
    }

    /// Numbers of packages, in one line with the descriptions: every one of them begins with a number, beside quantities that other columns hold.
    fn drop_leading_counts(&mut self) {
        const DIGITS_MAX: usize = 3;
        let counted = |entry: &Entry| {
            let words = entry.description().map(|cell| cell.words.as_slice()).unwrap_or_default();
            let is_count = |word: &Word| word.is_digits() && word.text.len() <= DIGITS_MAX;
            words.len() > 1 && words[0].line == words[1].line && is_count(&words[0]) && words[1..].iter().any(Word::has_letters)
        };
        if self.entries.len() < 2 || !self.entries.iter().all(|entry| entry.goods.is_proven() && counted(entry)) {
            return;
        }
        let descriptions =
            self.entries.iter_mut().flat_map(|entry| &mut entry.goods.cells).filter(|cell| cell.column == Column::Description);
        descriptions.for_each(|cell| cell.words = cell.words.split_off(1));
    }

    /// Where most descriptions are single codes, each with a text below it, those texts are the descriptions; where a code stands below most, it is theirs.
    fn find_stacked_codes(&mut self) {
        let has_code = self.entries.iter().any(|entry| entry.goods.has(Column::Code));
        if has_code || self.columns.code_above_description() || self.columns.code_below_description() {
            return;
        }
        let is_number = |cell: &Cell| cell.words.len() == 1 && is_long_number(&cell.words[0]);
        let is_code = |cell: &Cell| is_one_code(cell) || is_number(cell);
        let above = |entry: &Entry<'a>| entry.description().is_some_and(is_code) && entry.below_description().is_some();
        let beneath = |entry: &Entry<'a>| {
            entry.description().is_some_and(|cell| !is_one_code(cell)) && entry.below_description().is_some_and(begins_with_code)
        };
        let most = |is: &dyn Fn(&Entry<'a>) -> bool| {
            let count = self.entries.iter().filter(|entry| is(entry)).count();
            count > 0 && count as f32 >= MOST * self.entries.len() as f32
        };
        let (above, beneath) = (most(&above), self.entries.len() > 1 && most(&beneath));
        if above || beneath {
            self.columns.stack_codes(above);
        }
    }
}
