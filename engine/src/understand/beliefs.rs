//! The network's answers as probabilities.

use candle_core::{Result, Tensor};
use candle_nn::ops;

use super::features::Features;
use super::labels::{DOCUMENT_TYPES, Role, Tag};
use super::network::Logits;

/// What the network believes of one document.
#[derive(Debug, Clone)]
pub struct Beliefs {
    /// For each line the probability of each tag.
    pub tags: Vec<[f32; Tag::COUNT]>,
    /// For each candidate the probability that it plays each role; over the candidates of a document and "absent" they sum to 1.
    pub roles: Vec<[f32; Role::COUNT]>,
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
            let r = role as usize;
            let rivals: Vec<usize> = (0..features.candidates.len()).filter(|c| features.candidates[*c].kind == role.kind()).collect();
            let absent = absent.first().map_or(0.0, |absent| absent[r]);
            let largest = rivals.iter().map(|c| scores[*c][r]).fold(absent, f32::max);
            let total = (absent - largest).exp() + rivals.iter().map(|c| (scores[*c][r] - largest).exp()).sum::<f32>();
            for c in rivals {
                roles[c][r] = (scores[c][r] - largest).exp() / total;
            }
        }
        Ok(Self { tags, roles, types: types.first().copied().unwrap_or_default() })
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
        average(&mut mean.types, &|one| one.types.to_vec());
        Some(mean)
    }
}

fn rows<const N: usize>(matrix: &Tensor) -> Result<Vec<[f32; N]>> {
    let rows = matrix.to_vec2::<f32>()?;
    Ok(rows.into_iter().map(|row| std::array::from_fn(|i| row[i])).collect())
}
