//! Losses of the understanding network, each masked where a document's truth says nothing.

use candle_core::{Result, Tensor};
use candle_nn::ops::log_softmax;
use engine::understand::features::Features;
use engine::understand::labels::{BlockField, DOCUMENT_TYPES, Role, Tag};
use engine::understand::network::Logits;

use super::labels::Labels;

/// Share of the target that is spread over all classes (Szegedy et al. 2016).
const SMOOTHING: f64 = 0.1;

/// The document's type is the easiest of the three, but a type in doubt sends the whole document to a person.
const TYPE_WEIGHT: f64 = 1.0;

/// Score of what is not there.
const NOWHERE: f32 = -1e9;

/// Mean loss of a batch: of its lines' tags, of its documents' roles, of their runs, of their types.
pub fn loss(logits: &Logits, documents: &[(&Features, &Labels)]) -> Result<Tensor> {
    let tags = tag_loss(&logits.tags, documents)?;
    let roles = role_loss(&logits.roles, &logits.absent, documents)?;
    let runs = run_loss(&logits.runs, &logits.no_run, documents)?;
    let types = type_loss(&logits.types, documents)?;
    ((tags + roles)? + runs)? + (types * TYPE_WEIGHT)?
}

/// `-log(sum of the allowed tags' probabilities)`, smoothed where only one is allowed (partial labels: Cour et al. 2011).
fn tag_loss(logits: &Tensor, documents: &[(&Features, &Labels)]) -> Result<Tensor> {
    let sets: Vec<_> = documents.iter().flat_map(|(_, labels)| &labels.tags).copied().collect();
    let allowed: Vec<f32> = sets.iter().flat_map(|set| Tag::ALL.map(|tag| if set.has(tag) { 0.0 } else { NOWHERE })).collect();
    let single: Vec<f32> = sets.iter().map(|set| f32::from(Tag::ALL.iter().filter(|tag| set.has(**tag)).count() == 1)).collect();
    let count = sets.len();
    let device = logits.device();
    let log_p = log_softmax(logits, 1)?;
    let marginal = (&log_p + Tensor::from_vec(allowed, (count, Tag::COUNT), device)?)?.log_sum_exp(1)?;
    let spread = log_p.mean(1)?;
    let smoothing = (Tensor::from_vec(single, count, device)? * SMOOTHING)?;
    let smoothed = (marginal.mul(&smoothing.affine(-1.0, 1.0)?)? + spread.mul(&smoothing)?)?;
    smoothed.mean_all()?.neg()
}

/// `-log(sum of the right candidates' probabilities)` over a document's candidates of the role's kind and "absent" (marginal
/// likelihood of several right answers: Clark and Gardner 2018, arXiv:1710.10723).
fn role_loss(roles: &Tensor, absent: &Tensor, documents: &[(&Features, &Labels)]) -> Result<Tensor> {
    let mut choices = Choices { answers: Role::COUNT, rivals: roles.dim(0)?, ..Default::default() };
    let mut start = 0;
    for (d, (features, labels)) in documents.iter().enumerate() {
        for role in Role::ALL {
            let Some(playing) = &labels.roles[role as usize] else { continue };
            let of_kind = (0..features.candidates.len()).filter(|c| features.candidates[*c].kind == role.kind());
            choices.add(d, role as usize, of_kind.map(|c| start + c), playing.iter().map(|c| start + c));
        }
        start += features.candidates.len();
    }
    choices.loss(roles, absent)
}

/// The same over a document's runs of lines.
fn run_loss(runs: &Tensor, absent: &Tensor, documents: &[(&Features, &Labels)]) -> Result<Tensor> {
    let mut choices = Choices { answers: BlockField::COUNT, rivals: runs.dim(0)?, ..Default::default() };
    let mut start = 0;
    for (d, (features, labels)) in documents.iter().enumerate() {
        for field in BlockField::ALL {
            let Some(right) = &labels.runs[field as usize] else { continue };
            let is_right = |run: &usize| right.contains(&features.runs[*run].run.lines);
            let known: Vec<usize> = (0..features.runs.len()).filter(is_right).map(|run| start + run).collect();
            // A block that is none of the runs, since its lines lie apart, is neither right nor wrong.
            if known.is_empty() == right.is_empty() {
                choices.add(d, field as usize, start..start + features.runs.len(), known.into_iter());
            }
        }
        start += features.runs.len();
    }
    choices.loss(runs, absent)
}

/// For each document and known answer one row of indices into the scores `[rivals, answers]` followed by those of "absent",
/// `[documents, answers]`.
#[derive(Default)]
struct Choices {
    answers: usize,
    rivals: usize,
    all: Vec<Vec<u32>>,
    right: Vec<Vec<u32>>,
}

impl Choices {
    /// What competes for an answer of a document, and what is right; nothing, where it is absent.
    fn add(&mut self, document: usize, answer: usize, rivals: impl Iterator<Item = usize>, right: impl Iterator<Item = usize>) {
        let score = |row: usize| (row * self.answers + answer) as u32;
        let absent = score(self.rivals + document);
        let right: Vec<u32> = right.map(score).collect();
        self.all.push(rivals.map(score).chain([absent]).collect());
        self.right.push(if right.is_empty() { vec![absent] } else { right });
    }

    /// Mean over the rows of `-log(probability of what is right)`.
    fn loss(&self, scores: &Tensor, absent: &Tensor) -> Result<Tensor> {
        let device = scores.device();
        if self.all.is_empty() {
            return Tensor::new(0.0f32, device);
        }
        let scores = Tensor::cat(&[scores.flatten_all()?, absent.flatten_all()?, Tensor::new(&[NOWHERE], device)?], 0)?;
        let nowhere = scores.elem_count() as u32 - 1;
        let columns = self.all.iter().map(Vec::len).max().unwrap_or(0);
        let log_sum = |rows: &[Vec<u32>]| {
            let filled = |row: &Vec<u32>| row.clone().into_iter().chain(std::iter::repeat(nowhere)).take(columns).collect::<Vec<_>>();
            let ids: Vec<u32> = rows.iter().flat_map(filled).collect();
            scores.index_select(&Tensor::new(ids, device)?, 0)?.reshape((rows.len(), columns))?.log_sum_exp(1)
        };
        (log_sum(&self.all)? - log_sum(&self.right)?)?.mean_all()
    }
}

/// Cross entropy over the documents whose type is known.
fn type_loss(logits: &Tensor, documents: &[(&Features, &Labels)]) -> Result<Tensor> {
    let known: Vec<(u32, usize)> =
        documents.iter().enumerate().filter_map(|(d, (_, labels))| Some((d as u32, labels.document_type?))).collect();
    let device = logits.device();
    if known.is_empty() {
        return Tensor::new(0.0f32, device);
    }
    let rows: Vec<u32> = known.iter().map(|(d, _)| *d).collect();
    let off = SMOOTHING as f32 / DOCUMENT_TYPES.len() as f32;
    let target: Vec<f32> = known
        .iter()
        .flat_map(|(_, right)| (0..DOCUMENT_TYPES.len()).map(move |t| if t == *right { 1.0 - SMOOTHING as f32 + off } else { off }))
        .collect();
    let log_p = log_softmax(&logits.index_select(&Tensor::new(rows, device)?, 0)?, 1)?;
    let target = Tensor::from_vec(target, (known.len(), DOCUMENT_TYPES.len()), device)?;
    ((log_p * target)?.sum_all()? / known.len() as f64)?.neg()
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;
    use crate::understanding::labels::TagSet;
    use engine::understand::candidates::Kind;
    use engine::understand::features::{CandidateFeatures, Features, RUN_SIGNS, RunFeatures};
    use engine::understand::runs::Run;

    /// A document of one line, with candidates of these kinds.
    fn document(kinds: &[Kind]) -> Features {
        let candidates = kinds.iter().map(|kind| CandidateFeatures { kind: *kind, line: 0, signs: Vec::new() }).collect();
        Features { lines: Vec::new(), neighbours: Vec::new(), candidates, runs: Vec::new(), document: Vec::new() }
    }

    fn labels(tags: Vec<TagSet>, gross: Option<Vec<usize>>) -> Labels {
        let mut roles = [const { None }; Role::COUNT];
        roles[Role::Gross as usize] = gross;
        Labels { tags, roles, runs: [const { None }; BlockField::COUNT], document_type: None }
    }

    fn scalar(tensor: Tensor) -> f32 {
        tensor.to_scalar().unwrap()
    }

    #[test]
    fn a_line_that_may_be_several_things_costs_what_it_leaves_out() {
        let logits = Tensor::zeros((1, Tag::COUNT), candle_core::DType::F32, &Device::Cpu).unwrap();
        let features = document(&[]);
        let cost = |set| scalar(tag_loss(&logits, &[(&features, &labels(vec![set], None))]).unwrap());
        assert!(cost(TagSet::ANY).abs() < 1e-6);
        // Six equally probable tags: -ln(5/6) without one, ln 6 for one (smoothing changes nothing at equality).
        assert!((cost(TagSet::ANY.without(Tag::Item)) - (6f32 / 5.0).ln()).abs() < 1e-5);
        assert!((cost(TagSet::only(Tag::Item)) - 6f32.ln()).abs() < 1e-5);
    }

    #[test]
    fn a_role_is_shared_by_the_candidates_of_its_kind_and_absence() {
        // Amounts 0 and 2 with scores ln 2 and ln 3, absence 0 = ln 1; the date between them is no rival.
        let mut scores = vec![0.0f32; 4 * Role::COUNT];
        scores[Role::Gross as usize] = 2f32.ln();
        scores[Role::COUNT + Role::Gross as usize] = 50.0;
        scores[2 * Role::COUNT + Role::Gross as usize] = 3f32.ln();
        let roles = Tensor::from_vec(scores, (4, Role::COUNT), &Device::Cpu).unwrap();
        let absent = Tensor::zeros((1, Role::COUNT), candle_core::DType::F32, &Device::Cpu).unwrap();
        let features = document(&[Kind::Amount, Kind::Date, Kind::Amount]);
        let cost = |gross| scalar(role_loss(&roles, &absent, &[(&features, &labels(Vec::new(), gross))]).unwrap());
        assert!((cost(Some(vec![2])) - 2f32.ln()).abs() < 1e-5);
        assert!((cost(Some(vec![0, 2])) - (6f32 / 5.0).ln()).abs() < 1e-5);
        assert!((cost(Some(Vec::new())) - 6f32.ln()).abs() < 1e-5);
        assert_eq!(cost(None), 0.0);
    }

    #[test]
    fn a_field_is_shared_by_the_runs_of_its_document() {
        let run = |lines: &[usize]| RunFeatures { run: Run { lines: lines.to_vec(), before: None, after: None }, signs: [0.0; RUN_SIGNS] };
        let features = Features { runs: vec![run(&[0]), run(&[0, 1])], ..document(&[]) };
        let name = |right: Option<Vec<Vec<usize>>>| Labels { runs: [right, None, None], ..labels(Vec::new(), None) };
        let scores: Vec<f32> = [2f32.ln(), 3f32.ln(), 50.0].iter().flat_map(|score| [*score, 9.0, 9.0]).collect();
        let runs = Tensor::from_vec(scores, (3, BlockField::COUNT), &Device::Cpu).unwrap();
        let absent = Tensor::zeros((1, BlockField::COUNT), candle_core::DType::F32, &Device::Cpu).unwrap();
        let cost = |right| scalar(run_loss(&runs, &absent, &[(&features, &name(right))]).unwrap());
        assert!((cost(Some(vec![vec![0, 1]])) - 2f32.ln()).abs() < 1e-5);
        assert!((cost(Some(Vec::new())) - 6f32.ln()).abs() < 1e-5);
        assert_eq!(cost(Some(vec![vec![1, 2]])), 0.0, "none of the runs");
        assert_eq!(cost(None), 0.0);
    }
}
