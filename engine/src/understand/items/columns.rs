//! Columns of a table of goods, known by their captions.

use std::ops::Range;

use super::cells::{Cell, Word, words};
use crate::understand::draft::Column;
use crate::understand::keywords::{Keyword, KeywordSet};
use crate::understand::rows::ReadingOrder;

/// At least this share of a caption row's words are captions.
const CAPTION_SHARE_MIN: f32 = 0.5;

/// The captions of a table and where they stand.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Columns(Vec<Caption>);

#[derive(Debug, Clone, PartialEq)]
struct Caption {
    /// `None`: a caption of something that no column of ours holds, such as the amount of tax.
    column: Option<Column>,
    left: f32,
    right: f32,
}

impl Columns {
    /// The columns that a row of captions announces; `None` where it is no such row.
    pub fn announced(order: &ReadingOrder, row: Range<usize>) -> Option<Self> {
        let words = words(order, row);
        if words.iter().any(|word| word.text.contains(|c: char| c.is_ascii_digit())) {
            return None;
        }
        let Announced { mut captions, unknown } = captions(&words);
        let has = |columns: &[Column]| captions.iter().any(|caption| caption.column.is_some_and(|column| columns.contains(&column)));
        let goods = has(&[Column::Description, Column::Code, Column::Quantity]);
        let money = has(&[Column::LineTotal, Column::UnitPrice]);
        let known = words.iter().filter(|word| caption(KeywordSet::find(word.text)).is_some()).count() as f32;
        let announced = goods && money && known >= CAPTION_SHARE_MIN * words.len() as f32;
        name_the_goods(&mut captions, unknown);
        announced.then_some(Self(captions))
    }

    /// Sorts the words of a row into cells, each to the nearest caption that takes it.
    pub fn cells<'a>(&self, words: Vec<Word<'a>>) -> Vec<Cell<'a>> {
        let mut cells: Vec<Cell> = Vec::new();
        for word in words {
            let Some(column) = self.column_of(&word) else { continue };
            match cells.iter_mut().find(|cell| cell.column == column) {
                Some(cell) => cell.words.push(word),
                None => cells.push(Cell { column, words: vec![word] }),
            }
        }
        cells
    }

    fn column_of(&self, word: &Word) -> Option<Column> {
        let takes = |caption: &&Caption| caption.column.is_none_or(|column| accepts(column, word));
        let nearest = self.0.iter().filter(takes).min_by(|a, b| a.distance(word).total_cmp(&b.distance(word)))?;
        nearest.column
    }
}

impl Caption {
    /// Pixels between the caption and the word: 0 or less where they overlap, the less the more.
    fn distance(&self, word: &Word) -> f32 {
        (word.quad.left() - self.right).max(self.left - word.quad.right())
    }
}

fn accepts(column: Column, word: &Word) -> bool {
    match column {
        Column::Description => true,
        Column::Code => word.text.contains(|c: char| c.is_ascii_digit()),
        Column::Unit => word.text.chars().count() <= 8,
        Column::LineTotal | Column::UnitPrice => word.number().is_some_and(|number| number.decimals >= 2),
        Column::Quantity => word.number().is_some(),
        Column::Discount | Column::VatRate => word.number().is_some() || word.text.ends_with('%'),
    }
}

/// Where no caption is one of descriptions: the first of two amounts is ("GOODS .. PRICE .. AMOUNT"), or an unknown one.
fn name_the_goods(captions: &mut Vec<Caption>, unknown: Option<Caption>) {
    let of = |column: Column| move |caption: &Caption| caption.column == Some(column);
    if captions.iter().any(of(Column::Description)) {
        return;
    }
    let amounts: Vec<usize> = (0..captions.len()).filter(|&i| of(Column::LineTotal)(&captions[i])).collect();
    match (amounts.as_slice(), unknown) {
        ([first, _, ..], _) if captions[*first + 1..].iter().any(of(Column::UnitPrice)) => {
            captions[*first].column = Some(Column::Description);
        }
        (_, Some(unknown)) => captions.push(Caption { column: Some(Column::Description), ..unknown }),
        (_, None) => {}
    }
}

/// The captions of a row, and the first of its lines that is none we know.
struct Announced {
    captions: Vec<Caption>,
    unknown: Option<Caption>,
}

/// Captions of the words; neighbouring words of one line may make up one caption ("UNIT PRICE").
fn captions(words: &[Word]) -> Announced {
    let mut captions: Vec<(usize, KeywordSet, Caption)> = Vec::new();
    let mut unknown = None;
    for word in words {
        let found = KeywordSet::find(word.text);
        let (left, right) = (word.quad.left(), word.quad.right());
        let last = captions.last_mut().filter(|(line, before, _)| *line == word.line && joins(*before, found));
        match last {
            Some((_, keywords, known)) => {
                *keywords = keywords.union(found);
                known.column = caption(*keywords).flatten();
                known.right = right;
            }
            None => match caption(found) {
                Some(column) => captions.push((word.line, found, Caption { column, left, right })),
                None => unknown = unknown.or(Some(Caption { column: None, left, right })),
            },
        }
    }
    Announced { captions: captions.into_iter().map(|(.., caption)| caption).collect(), unknown }
}

/// Whether a word goes on with the caption before it.
fn joins(before: KeywordSet, word: KeywordSet) -> bool {
    use Keyword::*;
    let pair = |a: &[Keyword], b: &[Keyword]| before.has_any(a) && word.has_any(b);
    caption(word).is_none()
        || pair(&[Description, Items], &[Code, Number])
        || pair(&[Unit], &[Price])
        || pair(&[Net, Gross], &[Price, Amount, Total])
        || pair(&[Tax], &[Rate, Amount, Total])
        || pair(&[Amount, Total, Price], &[Tax, Net, Gross, Included, Excluded, Currency])
        || pair(&[Total], &[Amount, Price])
}

/// What a caption of these words announces: `None` no caption, `Some(None)` one that is of no use.
fn caption(words: KeywordSet) -> Option<Option<Column>> {
    use Keyword::*;
    let column = if words.has(Code) {
        Some(Column::Code)
    } else if words.has_any(&[Description, Items]) {
        Some(Column::Description)
    } else if words.has(Quantity) {
        Some(Column::Quantity)
    } else if words.has(Discount) {
        Some(Column::Discount)
    } else if words.has(Price) && !words.has(Total) {
        Some(Column::UnitPrice)
    } else if words.has(Tax) && words.has_any(&[Amount, Total]) && !words.has_any(&[Included, Excluded]) {
        None
    } else if words.has_any(&[Amount, Total, Net, Gross]) {
        Some(Column::LineTotal)
    } else if words.has_any(&[Tax, Rate]) {
        Some(Column::VatRate)
    } else if words.has(Unit) {
        Some(Column::Unit)
    } else {
        return None;
    };
    Some(column)
}
