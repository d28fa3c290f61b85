//! The mean of the weights of several runs from one start: as sure as all of them together, at the price of one.
//!
//! Wortsman et al., "Model soups: averaging weights of multiple fine-tuned models improves accuracy without increasing inference
//! time", 2022, <https://arxiv.org/abs/2203.05482>.

use crate::checkpoint::{self, CheckpointError};
use candle_core::Tensor;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

#[derive(Debug, thiserror::Error)]
pub enum AverageError {
    #[error("{}: cannot be read", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{}: no weights in safetensors", path.display())]
    Decode { path: PathBuf, source: candle_core::Error },
    #[error("{}: other weights than those of {}: {tensor}", path.display(), first.display())]
    Unlike { path: PathBuf, first: PathBuf, tensor: String },
    #[error("the weights cannot be averaged")]
    Mean(#[source] candle_core::Error),
    #[error("no files to average")]
    Nothing,
    #[error(transparent)]
    Write(#[from] CheckpointError),
}

/// Writes the mean of the weights in `files` to `out`. All hold the same tensors, of the same shapes.
pub fn average(files: &[PathBuf], out: &Path) -> Result<(), AverageError> {
    let (first, others) = files.split_first().ok_or(AverageError::Nothing)?;
    let mut sum = read(first)?;
    for path in others {
        let weights = read(path)?;
        let unlike = |tensor: &str| AverageError::Unlike { path: path.clone(), first: first.clone(), tensor: tensor.to_owned() };
        if let Some(extra) = weights.keys().find(|name| !sum.contains_key(*name)) {
            return Err(unlike(extra));
        }
        for (name, total) in &mut sum {
            let tensor = weights.get(name).filter(|tensor| tensor.shape() == total.shape()).ok_or_else(|| unlike(name))?;
            *total = (&*total + tensor).map_err(AverageError::Mean)?;
        }
    }
    let share = 1.0 / files.len() as f64;
    let mean = sum.into_iter().map(|(name, total)| Ok((name, (total * share)?))).collect::<candle_core::Result<_>>();
    Ok(checkpoint::write(out, &mean.map_err(AverageError::Mean)?, HashMap::from([("runs".to_owned(), files.len().to_string())]))?)
}

fn read(path: &Path) -> Result<HashMap<String, Tensor>, AverageError> {
    let bytes = fs::read(path).map_err(|source| AverageError::Read { path: path.to_owned(), source })?;
    checkpoint::decode_tensors(&bytes).map_err(|source| AverageError::Decode { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::Device;

    fn file(folder: &Path, name: &str, tensors: &[(&str, &[f32])]) -> PathBuf {
        let tensor = |&(name, values): &(&str, &[f32])| (name.to_owned(), Tensor::new(values, &Device::Cpu).unwrap());
        let path = folder.join(name);
        checkpoint::write(&path, &tensors.iter().map(tensor).collect(), HashMap::new()).unwrap();
        path
    }

    #[test]
    fn the_mean_of_three() {
        let folder = tempfile::tempdir().unwrap();
        let files = [1.0f32, 2.0, 6.0].map(|x| file(folder.path(), &format!("{x}"), &[("a", &[x, 0.0]), ("b", &[3.0 * x])]));
        let out = folder.path().join("mean.safetensors");
        average(&files, &out).unwrap();
        let mean = read(&out).unwrap();
        assert_eq!(mean["a"].to_vec1::<f32>().unwrap(), [3.0, 0.0]);
        assert_eq!(mean["b"].to_vec1::<f32>().unwrap(), [9.0]);
    }

    #[test]
    fn weights_of_another_network_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let first = file(folder.path(), "first", &[("a", &[1.0])]);
        let out = folder.path().join("mean.safetensors");
        for (name, tensors) in [
            ("wider", [("a", [1.0f32, 2.0].as_slice())].as_slice()),
            ("more", &[("a", &[1.0]), ("b", &[1.0])]),
            ("others", &[("b", &[1.0])]),
        ] {
            let other = file(folder.path(), name, tensors);
            let error = average(&[first.clone(), other], &out).unwrap_err();
            assert!(matches!(error, AverageError::Unlike { .. }) && error.to_string().contains(name), "{error}");
        }
        assert!(matches!(average(&[], &out), Err(AverageError::Nothing)) && !out.exists());
    }
}
