//! What a run needs to go on after a kill, in one safetensors file, replaced atomically.

use candle_core::{DType, Device, Tensor};
use candle_nn::{VarBuilder, VarMap};
use safetensors::SafeTensors;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Where a run stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    pub step: u64,
    /// Window of the data and batch within it that come next.
    pub window: u64,
    pub batch: usize,
    /// Best validation score so far.
    pub best: Option<f64>,
}

#[derive(Debug, thiserror::Error)]
pub enum CheckpointError {
    #[error("{}: cannot write the checkpoint", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("{}: cannot read the checkpoint", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{}: no checkpoint of a training run", path.display())]
    Format { path: PathBuf, source: Box<dyn std::error::Error + Send + Sync> },
    #[error("{}: cannot encode the weights", path.display())]
    Encode { path: PathBuf, source: Box<dyn std::error::Error + Send + Sync> },
}

/// Key of the progress in the file's metadata.
const PROGRESS: &str = "progress";

/// Writes tensors and metadata as safetensors; the file is whole or the old one.
pub fn write(path: &Path, tensors: &HashMap<String, Tensor>, metadata: HashMap<String, String>) -> Result<(), CheckpointError> {
    let encode = |source: Box<dyn std::error::Error + Send + Sync>| CheckpointError::Encode { path: path.to_owned(), source };
    let bytes = encode_tensors(tensors, metadata).map_err(encode)?;
    let partial = path.with_extension("partial");
    let io = |source| CheckpointError::Write { path: path.to_owned(), source };
    fs::write(&partial, bytes).map_err(io)?;
    fs::rename(&partial, path).map_err(io)
}

/// The bytes of a safetensors file.
pub fn encode_tensors(
    tensors: &HashMap<String, Tensor>,
    metadata: HashMap<String, String>,
) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
    Ok(safetensors::serialize(tensors, Some(metadata))?)
}

pub fn write_progress(path: &Path, state: &HashMap<String, Tensor>, progress: &Progress) -> Result<(), CheckpointError> {
    let text = serde_json::to_string(progress).map_err(|e| CheckpointError::Encode { path: path.to_owned(), source: e.into() })?;
    write(path, state, HashMap::from([(PROGRESS.to_owned(), text)]))
}

pub fn read_progress(path: &Path) -> Result<(HashMap<String, Tensor>, Progress), CheckpointError> {
    let bytes = fs::read(path).map_err(|source| CheckpointError::Read { path: path.to_owned(), source })?;
    let format = |source: Box<dyn std::error::Error + Send + Sync>| CheckpointError::Format { path: path.to_owned(), source };
    let (_, header) = SafeTensors::read_metadata(&bytes).map_err(|e| format(e.into()))?;
    let text = header.metadata().as_ref().and_then(|m| m.get(PROGRESS)).ok_or_else(|| format("no progress in its metadata".into()))?;
    let progress = serde_json::from_str(text).map_err(|e| format(e.into()))?;
    let state = decode_tensors(&bytes).map_err(|e| format(e.into()))?;
    Ok((state, progress))
}

/// The tensors of a safetensors file by name.
pub fn decode_tensors(bytes: &[u8]) -> candle_core::Result<HashMap<String, Tensor>> {
    candle_core::safetensors::load_buffer(bytes, &Device::Cpu)
}

/// A network on `variables`, with the weights `init` (every one by its name) or with random ones.
pub fn network<N>(
    variables: &VarMap,
    init: Option<&HashMap<String, Tensor>>,
    device: &Device,
    build: impl FnOnce(VarBuilder) -> candle_core::Result<N>,
) -> candle_core::Result<N> {
    let network = build(VarBuilder::from_varmap(variables, DType::F32, device))?;
    if let Some(init) = init {
        load_weights(variables, init)?;
    }
    Ok(network)
}

fn load_weights(variables: &VarMap, weights: &HashMap<String, Tensor>) -> candle_core::Result<()> {
    for (name, variable) in variables.data().lock().expect("no panic while it is held").iter() {
        let Some(weight) = weights.get(name) else { candle_core::bail!("the weights have no {name}") };
        variable.set(&weight.to_dtype(DType::F32)?.to_device(variable.device())?)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoint.safetensors");
        let state = HashMap::from([("weight/a".to_owned(), Tensor::new(&[1.0f32, 2.0], &Device::Cpu).unwrap())]);
        let progress = Progress { step: 7, window: 2, batch: 3, best: Some(0.5) };
        write_progress(&path, &state, &progress).unwrap();
        let (read, at) = read_progress(&path).unwrap();
        assert_eq!(at, progress);
        assert_eq!(read["weight/a"].to_vec1::<f32>().unwrap(), [1.0, 2.0]);
        assert!(!path.with_extension("partial").exists());
    }

    #[test]
    fn what_is_no_checkpoint_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("checkpoint.safetensors");
        assert!(matches!(read_progress(&path), Err(CheckpointError::Read { .. })));
        fs::write(&path, "hello").unwrap();
        assert!(matches!(read_progress(&path), Err(CheckpointError::Format { .. })));
        write(&path, &HashMap::new(), HashMap::new()).unwrap();
        assert!(matches!(read_progress(&path), Err(CheckpointError::Format { .. })));
    }
}
