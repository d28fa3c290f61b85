//! Signs of lines that say whose name they may be: captions of parties, blocks of letters, domains, what is said again, large print.

use crate::understand::keywords::{Keyword, KeywordSet};
use crate::understand::letters::{self, Senders};
use crate::understand::parties::{self, Party};
use crate::understand::rows::ReadingOrder;

/// Numbers a line.
pub(super) const PARTY_SIGNS: usize = 15;

/// Of each line.
pub(super) fn signs(order: &ReadingOrder, keywords: &[KeywordSet]) -> Vec<[f32; PARTY_SIGNS]> {
    let owners = parties::announced(order);
    let senders = Senders::of(order);
    let addressee = letters::addressee(order, &parties::taken(&owners), &senders);
    let blocks = letters::blocks(order, |_| true);
    let mut block_of = vec![0; order.lines.len()];
    blocks.iter().enumerate().for_each(|(block, lines)| lines.iter().for_each(|line| block_of[*line] = block));
    let highest = order.lines.iter().map(|line| line.quad.height()).fold(1.0, f32::max);
    let of_contact = |line: &usize| keywords[*line].has_any(&[Keyword::Phone, Keyword::Mail, Keyword::Tax, Keyword::Registration]);
    let of_place = |line: &usize| letters::names_place(&order.lines[*line].text);
    let of_line = |line: usize| {
        let (text, block) = (order.lines[line].text.as_str(), &blocks[block_of[line]]);
        let is_of = |party: Party| f32::from(owners[line] == Some(party));
        [
            is_of(Party::Seller),
            is_of(Party::Buyer),
            is_of(Party::Place),
            f32::from(addressee.contains(&line)),
            f32::from(parties::names_nobody(text)),
            f32::from(letters::is_no_name(text)),
            f32::from(senders.begin_domain(text)),
            f32::from(senders.have_domain(text)),
            (senders.again(line) as f32 / 2.0).min(1.0),
            order.lines[line].quad.height() / highest,
            f32::from(keywords[line].has(Keyword::Bank)),
            f32::from(block[0] == line),
            (block.len() as f32 / 5.0).min(1.0),
            f32::from(block.iter().any(of_contact)),
            f32::from(block.iter().any(of_place)),
        ]
    };
    (0..order.lines.len()).map(of_line).collect()
}
