//! The network's answers as probabilities.

use candle_core::{Result, Tensor};
use candle_nn::ops;

use super::features::Features;
use super::labels::{BlockField, DOCUMENT_TYPES, Role, Tag};
use super::network::Logits;

/// What is believed less is no field of a document, whatever is said for it.
const NEGLIGIBLE: f32 = 1e-6;

/// What the network believes of one document.
#[derive(Debug, Clone)]
pub struct Beliefs {
    /// For each line the probability of each tag.
    pub tags: Vec<[f32; Tag::COUNT]>,
    /// For each candidate the probability that it plays each role; over the candidates of a document and "absent" they sum to 1.
    pub roles: Vec<[f32; Role::COUNT]>,
    /// For each run the probability that it is each field; over the runs of a document and "absent" they sum to 1.
    pub runs: Vec<[f32; BlockField::COUNT]>,
    pub types: [f32; DOCUMENT_TYPES.len()],
}

impl Beliefs {
    /// From the logits of a batch that holds this document only.
    pub fn new(features: &Features, logits: &Logits) -> Result<Self> {
        let tags = rows(&ops::softmax(&logits.tags, 1)?)?;
        let scores: Vec<[f32; Role::COUNT]> = rows(&logits.roles)?;
        let absent: Vec<[f32; Role::COUNT]> = rows(&logits.absent)?;
        let types: Vec<[f32; DOCUMENT_TYPES.len()]> = rows(&ops::softmax(&logits.types, 1)?)?;
        let mut roles = vec![[0.0; Role::COUNT]; features.candidates.len()];
        for role in Role::ALL {
            let rivals: Vec<usize> = (0..features.candidates.len()).filter(|c| features.candidates[*c].kind == role.kind()).collect();
            compete(role as usize, &rivals, &scores, &absent, &mut roles);
        }
        let scores: Vec<[f32; BlockField::COUNT]> = rows(&logits.runs)?;
        let absent: Vec<[f32; BlockField::COUNT]> = rows(&logits.no_run)?;
        let mut runs = vec![[0.0; BlockField::COUNT]; features.runs.len()];
        let rivals: Vec<usize> = (0..runs.len()).collect();
        for field in BlockField::ALL {
            compete(field as usize, &rivals, &scores, &absent, &mut runs);
        }
        Ok(Self { tags, roles, runs, types: types.first().copied().unwrap_or_default() })
    }

    /// The mean of several networks' beliefs about one document; `None` without any.
    pub fn mean(all: &[Self]) -> Option<Self> {
        let mut mean = all.first()?.clone();
        let share = 1.0 / all.len() as f32;
        let average = |mean: &mut [f32], pick: &dyn Fn(&Self) -> Vec<f32>| {
            mean.fill(0.0);
            all.iter().for_each(|one| mean.iter_mut().zip(pick(one)).for_each(|(mean, p)| *mean += share * p));
        };
        for i in 0..mean.tags.len() {
            average(&mut mean.tags[i], &|one| one.tags[i].to_vec());
        }
        for i in 0..mean.roles.len() {
            average(&mut mean.roles[i], &|one| one.roles[i].to_vec());
        }
        for i in 0..mean.runs.len() {
            average(&mut mean.runs[i], &|one| one.runs[i].to_vec());
        }
        average(&mut mean.types, &|one| one.types.to_vec());
        Some(mean)
    }

    /// Moves a share of what is believed of all runs, and of "absent", to this one, if there is one.
    pub fn believe(&mut self, named: Option<usize>, field: BlockField, share: f32) {
        if let Some(named) = named {
            self.runs.iter_mut().for_each(|run| run[field as usize] *= 1.0 - share);
            self.runs[named][field as usize] += share;
        }
    }

    /// Whether a run is believed to be no field at all.
    pub fn is_negligible(&self, run: usize) -> bool {
        self.runs[run].iter().all(|believed| *believed < NEGLIGIBLE)
    }

    /// The run that is most believed to be a field; of equals the last.
    pub fn likeliest_run(&self, field: BlockField) -> Option<usize> {
        let believed = |run: &usize| self.runs[*run][field as usize];
        (0..self.runs.len()).max_by(|a, b| believed(a).total_cmp(&believed(b)))
    }
}

/// The probabilities of what competes for an answer with "absent": a softmax.
fn compete<const N: usize>(answer: usize, rivals: &[usize], scores: &[[f32; N]], absent: &[[f32; N]], probabilities: &mut [[f32; N]]) {
    let absent = absent.first().map_or(0.0, |absent| absent[answer]);
    let largest = rivals.iter().map(|rival| scores[*rival][answer]).fold(absent, f32::max);
    let total = (absent - largest).exp() + rivals.iter().map(|rival| (scores[*rival][answer] - largest).exp()).sum::<f32>();
    for &rival in rivals {
        probabilities[rival][answer] = (scores[rival][answer] - largest).exp() / total;
    }
}

fn rows<const N: usize>(matrix: &Tensor) -> Result<Vec<[f32; N]>> {
    let rows = matrix.to_vec2::<f32>()?;
    Ok(rows.into_iter().map(|row| std::array::from_fn(|i| row[i])).collect())
}
