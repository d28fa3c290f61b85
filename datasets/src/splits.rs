//! Which documents are learnt from and which are measured on.
//!
//! Most SROIE receipts repeat a supplier, so a random split measures memory. The validation split holds whole suppliers: none
//! of its shops, nor a lookalike or a second scan of one of its receipts, stands in the rest.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use sha2::{Digest, Sha256};

use crate::sroie::{Duplicate, Receipt};

/// Layouts of synthetic documents that are only measured on.
pub const HELD_OUT_LAYOUTS: [&str; 7] = ["vintner", "web shop", "restaurant", "importer", "studio", "dairy", "bakery"];

/// Receipts in the validation split.
pub const SROIE_VALIDATION_RECEIPTS: usize = 100;
/// A supplier with more receipts than this would weigh too much in a score over a hundred.
const SUPPLIER_RECEIPTS_MAX: usize = 10;
/// From this similarity on, two company names are one supplier.
const COMPANY_SIMILARITY_MIN: f64 = 0.88;
/// From this similarity on, two addresses are one shop.
const ADDRESS_SIMILARITY_MIN: f64 = 0.93;

/// The ids of the committed validation split of SROIE's training part; all others may be learnt from.
pub fn sroie_validation() -> BTreeSet<&'static str> {
    ids(include_str!("../splits/sroie-validation.txt"))
}

/// The ids of the e-invoices of the ZUGFeRD corpus that are only measured on; none of their sellers stands in the others.
pub fn zugferd_validation() -> BTreeSet<&'static str> {
    ids(include_str!("../splits/zugferd-validation.txt"))
}

/// The ids of a list, one a line; `#` begins a comment.
pub fn ids(list: &str) -> BTreeSet<&str> {
    list.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')).collect()
}

/// Draws whole suppliers until `count` receipts are found: the procedure behind [`sroie_validation`].
///
/// Suppliers come in the order of a hash of their first id, which no release of a random generator can change; one that is too
/// large, or would exceed `count`, is passed over.
pub fn draw_validation<'a>(receipts: &'a [Receipt], duplicates: &[Duplicate], count: usize) -> BTreeSet<&'a str> {
    let mut suppliers = suppliers(receipts, duplicates);
    suppliers.sort_by_key(|ids| Sha256::digest(ids[0]));
    let mut drawn = BTreeSet::new();
    for ids in suppliers {
        if ids.len() <= SUPPLIER_RECEIPTS_MAX && drawn.len() + ids.len() <= count {
            drawn.extend(ids);
        }
    }
    drawn
}

/// One of several parts of a data set that share no supplier, for cross-validation: `2/5` is the second of five.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fold {
    /// From 1.
    part: usize,
    of: usize,
}

impl FromStr for Fold {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers = text.split_once('/').and_then(|(part, of)| Some(Self { part: part.parse().ok()?, of: of.parse().ok()? }));
        numbers.filter(|fold| (1..=fold.of).contains(&fold.part) && fold.of > 1).ok_or(format!("{text:?} is no part of a whole: 1/5, say"))
    }
}

impl Fold {
    /// The ids of the part: whole suppliers, the largest first, each put where there are the fewest receipts.
    pub fn ids<'a>(self, suppliers: &[Vec<&'a str>]) -> BTreeSet<&'a str> {
        let mut largest_first: Vec<&Vec<&str>> = suppliers.iter().collect();
        largest_first.sort_by_key(|ids| std::cmp::Reverse(ids.len()));
        let mut parts = vec![BTreeSet::new(); self.of];
        for ids in largest_first {
            if let Some(smallest) = parts.iter_mut().min_by_key(|part| part.len()) {
                smallest.extend(ids);
            }
        }
        parts.swap_remove(self.part - 1)
    }
}

/// The receipts' ids by supplier: similar companies, similar addresses and duplicates belong together. Ids are in order.
pub fn suppliers<'a>(receipts: &'a [Receipt], duplicates: &[Duplicate]) -> Vec<Vec<&'a str>> {
    let mut groups = DisjointSets::new(receipts.len());
    let positions: BTreeMap<&str, usize> = receipts.iter().enumerate().map(|(i, receipt)| (receipt.id.as_str(), i)).collect();
    for Duplicate(a, b) in duplicates {
        if let (Some(&a), Some(&b)) = (positions.get(a.as_str()), positions.get(b.as_str())) {
            groups.join(a, b);
        }
    }
    join_similar(&mut groups, receipts.iter().map(|r| r.keys.company.as_str()), COMPANY_SIMILARITY_MIN);
    join_similar(&mut groups, receipts.iter().map(|r| r.keys.address.as_str()), ADDRESS_SIMILARITY_MIN);
    let mut by_root: BTreeMap<usize, Vec<&str>> = BTreeMap::new();
    for (i, receipt) in receipts.iter().enumerate() {
        by_root.entry(groups.root(i)).or_default().push(&receipt.id);
    }
    let mut suppliers: Vec<Vec<&str>> = by_root.into_values().collect();
    suppliers.iter_mut().for_each(|ids| ids.sort_unstable());
    suppliers
}

fn join_similar<'a>(groups: &mut DisjointSets, labels: impl Iterator<Item = &'a str>, similarity_min: f64) {
    let mut distinct: BTreeMap<String, usize> = BTreeMap::new();
    for (i, label) in labels.enumerate() {
        let letters: String = label.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect();
        if !letters.is_empty() {
            groups.join(*distinct.entry(letters).or_insert(i), i);
        }
    }
    let distinct: Vec<(String, usize)> = distinct.into_iter().collect();
    for (i, (a, first)) in distinct.iter().enumerate() {
        for (b, second) in &distinct[i + 1..] {
            if similarity(a, b) >= similarity_min {
                groups.join(*first, *second);
            }
        }
    }
}

/// `2 lcs(a, b) / (|a| + |b|)`, the longest common subsequence over characters: 1 for equal strings, 0 for disjoint ones.
fn similarity(a: &str, b: &str) -> f64 {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.is_empty() && b.is_empty() {
        return 1.0;
    }
    let mut row = vec![0usize; b.len() + 1];
    for &left in &a {
        let mut diagonal = 0;
        for (j, &right) in b.iter().enumerate() {
            let above = row[j + 1];
            row[j + 1] = if left == right { diagonal + 1 } else { above.max(row[j]) };
            diagonal = above;
        }
    }
    2.0 * row[b.len()] as f64 / (a.len() + b.len()) as f64
}

/// Union-find.
struct DisjointSets(Vec<usize>);

impl DisjointSets {
    fn new(count: usize) -> Self {
        Self((0..count).collect())
    }

    fn root(&self, mut i: usize) -> usize {
        while self.0[i] != i {
            i = self.0[i];
        }
        i
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        self.0[a.max(b)] = a.min(b);
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::sroie::{self, Keys};

    fn receipt(id: &str, company: &str, address: &str) -> Receipt {
        let keys = Keys { company: company.into(), address: address.into(), ..Keys::default() };
        Receipt { id: id.into(), image: PathBuf::new(), lines: Vec::new(), keys }
    }

    #[test]
    fn similarity_is_that_of_the_longest_common_subsequence() {
        for (a, b, expected) in [("", "", 1.0), ("A", "", 0.0), ("ABCD", "ABCD", 1.0), ("ABCD", "ACD", 6.0 / 7.0), ("AB", "BA", 0.5)] {
            assert!((similarity(a, b) - expected).abs() < 1e-12, "{a} {b}");
        }
    }

    #[test]
    fn suppliers_join_over_company_address_and_duplicates() {
        let receipts = [
            receipt("1", "ACME TRADING SDN BHD", "1 HIGH STREET, SOMEWHERE"),
            receipt("2", "Acme Trading Sdn. Bhd.", ""),
            receipt("3", "OTHER NAME", "1 high street somewhere"),
            receipt("4", "FAR AWAY", "9 LOW ROAD"),
            receipt("5", "", "22 ELSEWHERE"),
            receipt("6", "", ""),
        ];
        assert_eq!(suppliers(&receipts, &[Duplicate("4".into(), "5".into())]), [vec!["1", "2", "3"], vec!["4", "5"], vec!["6"]]);
        assert!(suppliers(&receipts, &[]).iter().map(Vec::len).eq([3, 1, 1, 1]));
    }

    #[test]
    fn a_draw_takes_whole_suppliers() {
        let receipts: Vec<Receipt> = (0..60).map(|i| receipt(&format!("{i:02}"), ["A", "BB", "CCC", "DDDD", "EEEEE"][i % 5], "")).collect();
        assert_eq!(draw_validation(&receipts, &[], 30).len(), 0, "each has twelve receipts, too many");
        let drawn = draw_validation(&receipts[..30], &[], 15);
        assert_eq!(drawn.len(), 12, "two suppliers of six fit");
        let remainders: BTreeSet<usize> = drawn.iter().map(|id| id.parse::<usize>().unwrap() % 5).collect();
        assert_eq!(remainders.len(), 2);
    }

    #[test]
    fn folds_take_whole_suppliers_and_together_everything() {
        let suppliers = [vec!["a", "b", "c"], vec!["d"], vec!["e", "f"], vec!["g"]];
        let parts: Vec<BTreeSet<&str>> = ["1/3", "2/3", "3/3"].map(|fold| fold.parse::<Fold>().unwrap().ids(&suppliers)).to_vec();
        assert_eq!(parts, [["a", "b", "c"].into(), ["e", "f"].into(), BTreeSet::from(["d", "g"])]);
        for wrong in ["", "3", "0/3", "4/3", "1/1", "a/b"] {
            assert!(wrong.parse::<Fold>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_committed_split_has_a_hundred_receipts() {
        assert_eq!(sroie_validation().len(), SROIE_VALIDATION_RECEIPTS);
    }

    #[test]
    fn no_seller_is_learnt_from_and_measured_on() {
        let Some(root) = crate::shared_data("data/invoices/zugferd-corpus") else { return };
        let seller =
            |invoice: &crate::zugferd::LabelledInvoice| invoice.truth.supplier.as_ref()?.name.as_ref().map(|name| name.text.clone());
        let (held_out, learnt): (Vec<_>, Vec<_>) =
            crate::zugferd::read(&root).unwrap().into_iter().partition(|invoice| zugferd_validation().contains(invoice.id.as_str()));
        assert_eq!(held_out.len(), zugferd_validation().len());
        let learnt: BTreeSet<_> = learnt.iter().filter_map(seller).collect();
        assert!(!learnt.is_empty() && held_out.iter().filter_map(seller).all(|seller| !learnt.contains(&seller)));
    }

    #[test]
    fn the_committed_split_is_what_the_procedure_draws() {
        let Some(root) = crate::shared_data("data/sroie") else { return };
        let receipts = sroie::read(&root).unwrap();
        let duplicates = sroie::read_duplicates(&root).unwrap();
        assert_eq!(draw_validation(&receipts, &duplicates, SROIE_VALIDATION_RECEIPTS), sroie_validation());
        let sizes: BTreeSet<usize> =
            suppliers(&receipts, &duplicates).iter().filter(|ids| sroie_validation().contains(ids[0])).map(Vec::len).collect();
        assert!(sizes.len() >= 4, "suppliers of mixed sizes: {sizes:?}");
    }
}
