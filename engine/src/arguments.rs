//! What all programs with an engine ask for on their command lines.

use std::{fs, num::NonZeroUsize, path::PathBuf};

use clap::Args;

use crate::engine::{Engine, LoadError};

#[derive(Debug, Args)]
pub struct EngineArgs {
    /// Weights to use instead of the built-in ones
    #[arg(long, value_name = "DIR", env = "CELLARBOOK_MODELS")]
    models: Option<PathBuf>,
    /// Suppliers that you know, to read them better: a JSON object a line, as `correct suppliers` prints them
    #[arg(long, value_name = "FILE", env = "CELLARBOOK_REGISTER")]
    register: Option<PathBuf>,
    /// Threads to compute with [default: as many as there are cores]
    #[arg(long, value_name = "N", env = "CELLARBOOK_THREADS")]
    threads: Option<NonZeroUsize>,
}

/// Why there is no engine.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Load(#[from] LoadError),
    #[error("cannot start threads")]
    Threads(#[from] rayon::ThreadPoolBuildError),
}

impl EngineArgs {
    /// The engine that was asked for; sets the number of threads of the whole process.
    pub fn engine(&self) -> Result<Engine, StartError> {
        if let Some(threads) = self.threads {
            rayon::ThreadPoolBuilder::new().num_threads(threads.get()).build_global()?;
        }
        let engine = self.models.as_deref().map_or_else(Engine::built_in, Engine::load)?;
        let Some(path) = &self.register else { return Ok(engine) };
        let suppliers = fs::read_to_string(path).map_err(|source| LoadError::Read { path: path.clone(), source })?;
        Ok(engine.knowing(&suppliers)?)
    }
}
