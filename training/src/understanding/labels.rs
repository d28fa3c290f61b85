//! What a document's truth says of its lines and candidates, and what it leaves open.

use std::ops::Range;

use datasets::sroie::Keys;
use engine::text::TextLine;
use engine::understand::candidates::{self, Candidate, Kind};
use engine::understand::keywords::{Keyword, KeywordSet};
use engine::understand::labels::{BlockField, DOCUMENT_TYPES, Role, Tag};
use engine::understand::rows::{ReadingOrder, horizontal_overlap};
use engine::understand::runs::{self, Run};
use proto::invoice::DocumentType;
use strsim::normalized_levenshtein;

/// Lines agree with a key from this similarity of letters and digits on.
const COMPANY_SIMILARITY_MIN: f64 = 0.85;
const ADDRESS_SIMILARITY_MIN: f64 = 0.88;

const COMPANY_LINES_MAX: usize = 3;
const ADDRESS_LINES_MAX: usize = 7;

/// Tags that a line may have; more than one where the truth does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TagSet(u16);

impl TagSet {
    pub const ANY: Self = Self((1 << Tag::COUNT) - 1);

    pub fn only(tag: Tag) -> Self {
        Self(1 << tag as u16)
    }

    pub fn without(self, tag: Tag) -> Self {
        Self(self.0 & !(1 << tag as u16))
    }

    pub fn has(self, tag: Tag) -> bool {
        self.0 & (1 << tag as u16) != 0
    }
}

/// The targets of one document, in reading order.
#[derive(Debug, Clone, PartialEq)]
pub struct Labels {
    pub tags: Vec<TagSet>,
    /// For each role the candidates that play it (none: absent), or `None` where the truth does not say.
    pub roles: [Option<Vec<usize>>; Role::COUNT],
    /// For each field the runs of lines that are it, each by its lines (none: absent), or `None` where the truth does not say.
    pub runs: [Option<Vec<Vec<usize>>>; BlockField::COUNT],
    /// Index into [`DOCUMENT_TYPES`].
    pub document_type: Option<usize>,
}

/// From the four strings of a SROIE receipt: the other fields stay open.
pub fn of_receipt(order: &ReadingOrder, candidates: &[Candidate], keys: &Keys) -> Labels {
    let company = best_run(order, &keys.company, COMPANY_LINES_MAX, COMPANY_SIMILARITY_MIN, company_similarity);
    let address = best_run(order, &keys.address, ADDRESS_LINES_MAX, ADDRESS_SIMILARITY_MIN, normalized_levenshtein);
    let rest = [(Tag::SupplierName, &company), (Tag::SupplierAddress, &address)]
        .into_iter()
        .filter(|(_, run)| run.is_some())
        .fold(TagSet::ANY, |set, (tag, _)| set.without(tag));
    let mut tags = vec![rest; order.lines.len()];
    if let Some(run) = &company {
        let name = letters_and_digits(&order.text(run.clone()));
        for (tags, line) in tags.iter_mut().zip(&order.lines) {
            // The name may stand again at the foot of the receipt: neither right nor wrong.
            if letters_and_digits(&line.text) == name {
                *tags = TagSet::ANY;
            }
        }
    }
    mark_proven_rows(order, candidates, &mut tags);
    let mut runs = [const { None }; BlockField::COUNT];
    runs[BlockField::SupplierName as usize] = company.clone().map(|run| again(order, run));
    runs[BlockField::SupplierAddress as usize] = address.clone().map(|run| vec![run.collect()]);
    for (tag, run) in [(Tag::SupplierName, company), (Tag::SupplierAddress, address)] {
        tags[run.unwrap_or(0..0)].fill(TagSet::only(tag));
    }
    let mut roles = [const { None }; Role::COUNT];
    roles[Role::Gross as usize] = with_value(candidates, Kind::Amount, amount(&keys.total));
    roles[Role::IssueDate as usize] = with_value(candidates, Kind::Date, date(&keys.date));
    let credit = order.lines.iter().any(|line| line.text.to_uppercase().contains("CREDIT NOTE"));
    let receipt = DOCUMENT_TYPES.iter().position(|t| *t == DocumentType::Receipt);
    Labels { tags, roles, runs, document_type: receipt.filter(|_| !credit) }
}

/// A run, and all others that say the same.
fn again(order: &ReadingOrder, run: Range<usize>) -> Vec<Vec<usize>> {
    let said = |run: Range<usize>| letters_and_digits(&order.text(run));
    let (name, length) = (said(run.clone()), run.len());
    let starts = 0..=order.lines.len() - length;
    starts.filter(|start| said(*start..start + length) == name).map(|start| (start..start + length).collect()).collect()
}

/// Labels that the receipt itself proves: rows of sums by their words; and rows of goods where their last amounts, from the first
/// amount of the receipt to the first sum, add up to an amount among the sums.
fn mark_proven_rows(order: &ReadingOrder, candidates: &[Candidate], tags: &mut [TagSet]) {
    let last_amount = |row: &Range<usize>| candidates.iter().rfind(|c| c.kind == Kind::Amount && row.contains(&c.line)).map(|c| c.value);
    let rows: Vec<(Range<usize>, Option<i64>, bool)> =
        order.rows.iter().map(|row| (row.clone(), last_amount(row), KeywordSet::find(&order.text(row.clone())).has_any(&SUMS))).collect();
    let Some(first_sum) = rows.iter().position(|(_, amount, sums)| amount.is_some() && *sums) else { return };
    for (row, amount, sums) in &rows[first_sum..] {
        if amount.is_some() && *sums {
            tags[row.clone()].fill(TagSet::only(Tag::Summary));
        }
    }
    let Some(first) = rows[..first_sum].iter().position(|(_, amount, _)| amount.is_some()) else { return };
    let total: i64 = rows[first..first_sum].iter().filter_map(|(_, amount, _)| *amount).sum();
    let proven = total > 0 && rows[first_sum..].iter().any(|(_, amount, _)| *amount == Some(total));
    if proven {
        rows[first..first_sum].iter().for_each(|(row, ..)| tags[row.clone()].fill(TagSet::only(Tag::Item)));
    }
}

/// Words of the rows below the goods.
const SUMS: [Keyword; 6] = [Keyword::Total, Keyword::Subtotal, Keyword::Cash, Keyword::Change, Keyword::Rounding, Keyword::Tender];

pub fn letters_and_digits(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_uppercase).collect()
}

/// A line may go on after the name, with a registration number: then the name is its beginning.
fn company_similarity(key: &str, run: &str) -> f64 {
    let beginning: String = run.chars().take(key.chars().count()).collect();
    let rest = run.chars().count() - beginning.chars().count();
    (normalized_levenshtein(key, &beginning) - 0.001 * rest as f64).max(normalized_levenshtein(key, run))
}

/// The consecutive lines that agree best with `key`, the first of equals.
fn best_run(
    order: &ReadingOrder,
    key: &str,
    lines_max: usize,
    similarity_min: f64,
    similarity: impl Fn(&str, &str) -> f64,
) -> Option<Range<usize>> {
    let key = letters_and_digits(key);
    let texts: Vec<String> = order.lines.iter().map(|line| letters_and_digits(&line.text)).collect();
    let mut best: Option<(f64, Range<usize>)> = None;
    for start in 0..texts.len() {
        let mut run = String::new();
        for (end, text) in texts.iter().enumerate().skip(start).take(lines_max) {
            run.push_str(text);
            let plausible = !key.is_empty() && run.len() * 2 > key.len() && run.len() < 3 * key.len();
            let score = if plausible { similarity(&key, &run) } else { 0.0 };
            if score >= similarity_min && best.as_ref().is_none_or(|(known, _)| score > *known) {
                best = Some((score, start..end + 1));
            }
        }
    }
    best.map(|(_, run)| run)
}

fn amount(text: &str) -> Option<i64> {
    let first = |text: &str| candidates::find(0, text).into_iter().find(|c| c.kind == Kind::Amount).map(|c| c.value);
    first(text).or_else(|| text.trim().parse::<i64>().ok().map(|whole| 100 * whole))
}

fn date(text: &str) -> Option<i64> {
    candidates::find(0, text).into_iter().find(|c| c.kind == Kind::Date).map(|c| c.value)
}

/// The candidates with this value; open where there are none, for the transcript may be wrong.
fn with_value(candidates: &[Candidate], kind: Kind, value: Option<i64>) -> Option<Vec<usize>> {
    let value = value?;
    let found: Vec<usize> = (0..candidates.len()).filter(|i| candidates[*i].kind == kind && candidates[*i].value == value).collect();
    (!found.is_empty()).then_some(found)
}

/// From a document whose every field is known with its place, as the generator makes them.
pub fn of_invoice(order: &ReadingOrder, candidates: &[Candidate], truth: &proto::Invoice) -> Labels {
    let mut tags = vec![TagSet::only(Tag::Other); order.lines.len()];
    let mut mark = |tag: Tag, field: Option<&proto::Field>| {
        for (line, text) in order.lines.iter().enumerate() {
            if field.is_some_and(|field| covers(field, text)) {
                tags[line] = TagSet::only(tag);
            }
        }
    };
    let totals = truth.totals.as_ref();
    for field in
        totals.into_iter().flat_map(|t| [&t.net, &t.vat, &t.gross]).chain(truth.vat.iter().flat_map(|v| [&v.rate, &v.net, &v.amount]))
    {
        mark(Tag::Summary, field.as_ref());
    }
    for item in &truth.lines {
        let cells =
            [&item.code, &item.description, &item.quantity, &item.unit, &item.unit_price, &item.discount, &item.vat_rate, &item.line_total];
        cells.into_iter().for_each(|cell| mark(Tag::Item, cell.as_ref()));
    }
    let supplier = truth.supplier.as_ref();
    mark(Tag::SupplierAddress, supplier.and_then(|s| s.address.as_ref()));
    mark(Tag::SupplierName, supplier.and_then(|s| s.name.as_ref()));
    mark(Tag::CustomerName, truth.customer.as_ref().and_then(|c| c.name.as_ref()));
    let fields = [
        (Role::Gross, totals.and_then(|t| t.gross.as_ref())),
        (Role::Net, totals.and_then(|t| t.net.as_ref())),
        (Role::Vat, totals.and_then(|t| t.vat.as_ref())),
        (Role::IssueDate, truth.issue_date.as_ref()),
        (Role::DueDate, truth.due_date.as_ref()),
        (Role::InvoiceNumber, truth.invoice_number.as_ref()),
        (Role::SupplierVatId, supplier.and_then(|s| s.vat_id.as_ref())),
        (Role::SupplierPhone, supplier.and_then(|s| s.phone.as_ref())),
    ];
    let mut roles = [const { None }; Role::COUNT];
    for (role, field) in fields {
        roles[role as usize] = playing(order, candidates, role, field);
    }
    let document_type = DOCUMENT_TYPES.iter().position(|t| *t == truth.document_type());
    let blocks = [
        supplier.and_then(|s| s.name.as_ref()),
        supplier.and_then(|s| s.address.as_ref()),
        truth.customer.as_ref().and_then(|c| c.name.as_ref()),
    ];
    let runs = blocks.map(|field| covered_run(order, field));
    Labels { tags: open_rows(order, tags), roles, runs, document_type }
}

/// From an e-invoice, which says values but not where they are printed: what the page prints alike is labelled, the rest stays open.
pub fn of_values(order: &ReadingOrder, candidates: &[Candidate], truth: &proto::Invoice) -> Labels {
    let totals = truth.totals.as_ref();
    let supplier = truth.supplier.as_ref();
    let value = |field: Option<&proto::Field>| field.map(|field| field.value.clone()).unwrap_or_default();
    let money = |field| with_value(candidates, Kind::Amount, amount(&value(field)));
    let day = |field| with_value(candidates, Kind::Date, date(&value(field)));
    let mut roles = [const { None }; Role::COUNT];
    roles[Role::Gross as usize] = money(totals.and_then(|t| t.gross.as_ref()));
    roles[Role::Net as usize] = money(totals.and_then(|t| t.net.as_ref()));
    roles[Role::Vat as usize] = money(totals.and_then(|t| t.vat.as_ref()));
    roles[Role::IssueDate as usize] = day(truth.issue_date.as_ref());
    roles[Role::DueDate as usize] = day(truth.due_date.as_ref());
    roles[Role::InvoiceNumber as usize] = with_text(order, candidates, Kind::Identifier, &value(truth.invoice_number.as_ref()));
    roles[Role::SupplierVatId as usize] = with_text(order, candidates, Kind::TaxNumber, &value(supplier.and_then(|s| s.vat_id.as_ref())));
    let all = runs::find(order);
    let printed = [
        (value(supplier.and_then(|s| s.name.as_ref())), 1.0),
        (value(supplier.and_then(|s| s.address.as_ref())), ADDRESS_SIMILARITY_MIN),
        (value(truth.customer.as_ref().and_then(|c| c.name.as_ref())), 1.0),
    ];
    let runs = printed.map(|(text, similarity_min)| saying(order, &all, &text, similarity_min));
    let known = BlockField::ALL.into_iter().filter(|field| runs[*field as usize].is_some());
    let rest = known.fold(TagSet::ANY, |set, field| set.without(field.tag()));
    let mut tags = vec![rest; order.lines.len()];
    mark_rows(order, candidates, truth, &mut tags);
    for field in BlockField::ALL {
        let lines = runs[field as usize].iter().flatten().flatten();
        lines.for_each(|line| tags[*line] = TagSet::only(field.tag()));
    }
    Labels { tags, roles, runs, document_type: DOCUMENT_TYPES.iter().position(|t| *t == truth.document_type()) }
}

/// The runs that say a text, where there are any.
fn saying(order: &ReadingOrder, runs: &[Run], text: &str, similarity_min: f64) -> Option<Vec<Vec<usize>>> {
    let text = letters_and_digits(text);
    let similarity = |run: &Run| {
        let said: String = run.lines.iter().map(|line| letters_and_digits(&order.lines[*line].text)).collect();
        if said.len().abs_diff(text.len()) * 4 > text.len() { 0.0 } else { normalized_levenshtein(&said, &text) }
    };
    let best = runs.iter().map(similarity).fold(0.0, f64::max);
    let says = |run: &&Run| similarity(run) == best;
    (!text.is_empty() && best >= similarity_min).then(|| runs.iter().filter(says).map(|run| run.lines.clone()).collect())
}

/// Rows of goods by their totals, and of sums by the invoice's.
fn mark_rows(order: &ReadingOrder, candidates: &[Candidate], truth: &proto::Invoice, tags: &mut [TagSet]) {
    let of = |fields: Vec<Option<&proto::Field>>| -> Vec<i64> { fields.into_iter().flatten().filter_map(|f| amount(&f.value)).collect() };
    let goods = of(truth.lines.iter().map(|line| line.line_total.as_ref()).collect());
    let sums = of(truth.totals.iter().flat_map(|t| [t.net.as_ref(), t.vat.as_ref(), t.gross.as_ref()]).collect());
    let prices = of(truth.lines.iter().map(|line| line.unit_price.as_ref()).collect());
    for row in &order.rows {
        let amounts: Vec<i64> = candidates.iter().filter(|c| c.kind == Kind::Amount && row.contains(&c.line)).map(|c| c.value).collect();
        let has = |values: &[i64]| amounts.iter().any(|amount| values.contains(amount));
        if has(&goods) && has(&prices) && amounts.len() > 1 {
            tags[row.clone()].fill(TagSet::only(Tag::Item));
        } else if has(&sums) && KeywordSet::find(&order.text(row.clone())).has_any(&SUM_WORDS) {
            tags[row.clone()].fill(TagSet::only(Tag::Summary));
        }
    }
}

/// Words of the rows of an invoice's sums.
const SUM_WORDS: [Keyword; 6] = [Keyword::Total, Keyword::Subtotal, Keyword::Gross, Keyword::Net, Keyword::Tax, Keyword::Due];

/// The candidates that print a text; open where there are none.
fn with_text(order: &ReadingOrder, candidates: &[Candidate], kind: Kind, text: &str) -> Option<Vec<usize>> {
    let text = letters_and_digits(text);
    let says = |c: &Candidate| c.kind == kind && letters_and_digits(&order.lines[c.line].text[c.range.clone()]) == text;
    let found: Vec<usize> = (0..candidates.len()).filter(|i| says(&candidates[*i])).collect();
    (!text.is_empty() && !found.is_empty()).then_some(found)
}

/// Of a page that is no document of trade: every field is absent.
pub fn of_nothing(order: &ReadingOrder) -> Labels {
    let document_type = DOCUMENT_TYPES.iter().position(|t| *t == DocumentType::Other);
    Labels {
        tags: vec![TagSet::ANY; order.lines.len()],
        roles: std::array::from_fn(|_| Some(Vec::new())),
        runs: std::array::from_fn(|_| Some(Vec::new())),
        document_type,
    }
}

/// Rows with a known cell of the table or of the sums: their other lines, captions mostly, may share its tag.
fn open_rows(order: &ReadingOrder, mut tags: Vec<TagSet>) -> Vec<TagSet> {
    for row in &order.rows {
        for tag in [Tag::Item, Tag::Summary] {
            if tags[row.clone()].contains(&TagSet::only(tag)) {
                tags[row.clone()].iter_mut().filter(|set| **set == TagSet::only(Tag::Other)).for_each(|set| *set = TagSet::only(tag));
            }
        }
    }
    tags
}

/// The lines that a field covers. A field that is printed but covers none stays open.
fn covered_run(order: &ReadingOrder, field: Option<&proto::Field>) -> Option<Vec<Vec<usize>>> {
    let Some(field) = field.filter(|field| !field.text.is_empty()) else { return Some(Vec::new()) };
    let lines: Vec<usize> = (0..order.lines.len()).filter(|line| covers(field, order.lines[*line])).collect();
    (!lines.is_empty()).then(|| vec![lines])
}

/// Whether the line's middle lies in the field's quad.
fn covers(field: &proto::Field, line: &TextLine) -> bool {
    let Some(quad) = quad_on_page(field, line.page) else { return false };
    let centre = line.quad.centre();
    (quad.top()..=quad.bottom()).contains(&centre.y) && horizontal_overlap(&quad, &line.quad) > 0.5
}

fn quad_on_page(field: &proto::Field, page: usize) -> Option<engine::geometry::Quad> {
    let coordinates: [f32; 8] = field.quad.iter().map(|c| *c as f32).collect::<Vec<_>>().try_into().ok()?;
    (field.page == Some(page as u32)).then(|| engine::geometry::Quad::from_coordinates(coordinates))
}

/// The candidates that print the field's value. A field that is printed but was not found among the candidates stays open.
fn playing(order: &ReadingOrder, candidates: &[Candidate], role: Role, field: Option<&proto::Field>) -> Option<Vec<usize>> {
    let Some(field) = field.filter(|field| !field.text.is_empty()) else { return Some(Vec::new()) };
    let same_text = |c: &Candidate| letters_and_digits(&order.lines[c.line].text[c.range.clone()]) == letters_and_digits(&field.text);
    let value = candidates::find(0, &field.text).into_iter().find(|c| c.kind == role.kind()).map(|c| c.value);
    let of_kind = |i: &usize| candidates[*i].kind == role.kind();
    let at_place = |i: &usize| covers_candidate(field, order, &candidates[*i]);
    let matching = |i: &usize| Some(candidates[*i].value) == value || same_text(&candidates[*i]);
    let placed: Vec<usize> = (0..candidates.len()).filter(of_kind).filter(matching).filter(at_place).collect();
    // Every other place where the same value is printed is as good: the total often stands twice.
    let value = placed.first().map(|i| candidates[*i].value)?;
    Some((0..candidates.len()).filter(of_kind).filter(|i| candidates[*i].value == value).collect())
}

fn covers_candidate(field: &proto::Field, order: &ReadingOrder, candidate: &Candidate) -> bool {
    let line = order.lines[candidate.line];
    let place = engine::understand::rows::part_of(line, &candidate.range);
    quad_on_page(field, line.page)
        .is_some_and(|quad| (place.top()..=place.bottom()).contains(&quad.centre().y) && horizontal_overlap(&quad, &place) > 0.3)
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::geometry::Quad;
    use engine::text::PageSize;
    use engine::understand::find_candidates;

    fn lines(texts: &[&str]) -> Vec<TextLine> {
        let line = |(i, text): (usize, &&str)| TextLine {
            page: 0,
            quad: Quad::from_edges(0.0, 30.0 * i as f32, 200.0, 30.0 * i as f32 + 20.0),
            text: text.to_string(),
            confidence: 1.0,
        };
        texts.iter().enumerate().map(line).collect()
    }

    #[test]
    fn keys_find_their_lines_and_leave_the_rest_open() {
        let lines = lines(&[
            "ACME TRADING SDN BHD (1234-X)",
            "NO. 1, JALAN DUA,",
            "50000 KUALA LUMPUR",
            "DATE 01/02/2018",
            "TOTAL 9.00",
            "CASH 10.00",
            "ROUNDED 9.00",
        ]);
        let pages = [PageSize { width: 300, height: 300 }];
        let order = ReadingOrder::new(&lines, &pages);
        let candidates = find_candidates(&order);
        let keys = Keys {
            company: "ACME TRADING SDN BHD".into(),
            date: "01/02/2018".into(),
            address: "NO. 1, JALAN DUA, 50000 KUALA LUMPUR".into(),
            total: "RM 9.00".into(),
        };
        let labels = of_receipt(&order, &candidates, &keys);
        let rest = TagSet::ANY.without(Tag::SupplierName).without(Tag::SupplierAddress);
        assert_eq!(
            labels.tags[..4],
            [TagSet::only(Tag::SupplierName), TagSet::only(Tag::SupplierAddress), TagSet::only(Tag::SupplierAddress), rest]
        );
        let total: Vec<usize> = labels.roles[Role::Gross as usize].clone().unwrap();
        assert_eq!(total.iter().map(|i| candidates[*i].line).collect::<Vec<_>>(), [4, 6]);
        // A sum by its word: nothing before it holds an amount, so no goods are proven.
        assert_eq!(labels.tags[4..], [TagSet::only(Tag::Summary); 3]);
        let runs = |field: BlockField| labels.runs[field as usize].clone();
        assert_eq!(runs(BlockField::SupplierName), Some(vec![vec![0]]));
        assert_eq!(runs(BlockField::SupplierAddress), Some(vec![vec![1, 2]]));
        assert_eq!(runs(BlockField::CustomerName), None);
        assert_eq!(labels.roles[Role::Vat as usize], None);
        assert_eq!(labels.roles[Role::IssueDate as usize].as_ref().unwrap().len(), 1);
    }

    #[test]
    fn values_of_an_e_invoice_are_found_where_they_are_printed() {
        let lines = lines(&["ACME", "GMBH", "TOTAL 9.00", "ACME GMBH", "INVOICE 01.02.2018", "STOUT 4.50 9.00"]);
        let pages = [PageSize { width: 300, height: 300 }];
        let order = ReadingOrder::new(&lines, &pages);
        let candidates = find_candidates(&order);
        let field = |value: &str| Some(proto::Field { value: value.into(), ..Default::default() });
        let truth = proto::Invoice {
            supplier: Some(proto::Supplier { name: field("Acme GmbH"), vat_id: field("DE1"), ..Default::default() }),
            totals: Some(proto::Totals { gross: field("9.00"), ..Default::default() }),
            issue_date: field("2018-02-01"),
            lines: vec![proto::Line { unit_price: field("4.50"), line_total: field("9.00"), ..Default::default() }],
            ..Default::default()
        };
        let labels = of_values(&order, &candidates, &truth);
        assert_eq!(labels.runs, [Some(vec![vec![0, 1], vec![3]]), None, None]);
        assert_eq!(labels.roles[Role::IssueDate as usize].as_ref().map(Vec::len), Some(1));
        assert_eq!(labels.roles[Role::SupplierVatId as usize], None, "not printed");
        let (name, rest) = (TagSet::only(Tag::SupplierName), TagSet::ANY.without(Tag::SupplierName));
        assert_eq!(labels.tags, [name, name, TagSet::only(Tag::Summary), name, rest, TagSet::only(Tag::Item)]);
    }

    #[test]
    fn goods_are_proven_by_their_sum() {
        let pages = [PageSize { width: 300, height: 300 }];
        let goods = |texts: &[&str]| {
            let lines = lines(texts);
            let order = ReadingOrder::new(&lines, &pages);
            let labels = of_receipt(&order, &find_candidates(&order), &Keys::default());
            labels.tags.iter().filter(|tags| **tags == TagSet::only(Tag::Item)).count()
        };
        assert_eq!(goods(&["SHOP", "STOUT 5.00", "WITH LIME", "2 X 1.50 3.00", "SUBTOTAL 8.00", "TOTAL 9.84"]), 3);
        assert_eq!(goods(&["SHOP", "STOUT 5.00", "2 X 1.50 3.00", "TOTAL 9.00"]), 0);
    }
}
