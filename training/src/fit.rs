//! The training loop that the networks share: batches made ahead on a thread of their own, steps, a curve, checkpoints.

use crate::checkpoint::{self, CheckpointError, Progress};
use crate::curve::{Curve, CurveError};
use crate::optimise::{Optimiser, Recipe};
use candle_core::Tensor;
use candle_nn::VarMap;
use indicatif::{ProgressBar, ProgressStyle};
use std::collections::HashMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

/// Windows of batches that are made ahead.
const WINDOWS_AHEAD: usize = 2;
/// Weight of the newest loss in the one that is shown.
const SHOWN_LOSS_SHARE: f32 = 0.02;
/// Where stderr is no terminal, and so shows no bar.
const STEPS_A_LOG_LINE: u64 = 20;

/// Where batches come from: window `i` is the same whenever it is asked for, so that a run can go on where it stopped.
pub trait Source: Send + 'static {
    type Batch: Send + 'static;
    type Error: std::error::Error + Send + Sync + 'static;

    fn window(&mut self, index: u64) -> Result<Vec<Self::Batch>, Self::Error>;
}

/// A network in training.
pub trait Task {
    type Batch;

    /// The loss's value and a tensor whose gradient is the loss's; `size` of the batch in samples.
    fn loss(&self, batch: &Self::Batch) -> candle_core::Result<Loss>;
    /// Figures on held-back data with these weights (safetensors), the first of which decides; larger is better.
    fn validate(&self, weights: &[u8]) -> Result<Vec<(&'static str, f64)>, Box<dyn std::error::Error + Send + Sync>>;
}

pub struct Loss {
    pub value: f32,
    pub tensor: Tensor,
    pub samples: usize,
}

/// How a run goes.
#[derive(Debug, Clone)]
pub struct Schedule {
    pub recipe: Recipe,
    pub out: PathBuf,
    pub resume: bool,
    /// Batches whose gradients a step descends together.
    pub batches_a_step: usize,
    pub validate_every_steps: u64,
    pub checkpoint_every: Duration,
    /// Goes into the weights' metadata.
    pub metadata: HashMap<String, String>,
}

#[derive(Debug, thiserror::Error)]
pub enum FitError {
    #[error("{}: cannot make the folder", path.display())]
    Folder { path: PathBuf, source: io::Error },
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    #[error(transparent)]
    Curve(#[from] CurveError),
    #[error("making a batch failed")]
    Batch(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the network failed at step {step}")]
    Step { step: u64, source: candle_core::Error },
    #[error("validation failed at step {step}")]
    Validation { step: u64, source: Box<dyn std::error::Error + Send + Sync> },
    #[error("{}: holds a run already; --resume goes on with it", .0.display())]
    Occupied(PathBuf),
}

/// Trains until the recipe's last step. Writes `checkpoint.safetensors`, `best.safetensors`, at the end
/// `last.safetensors`, `curve.csv` and `curve.png`.
pub fn fit<T: Task, S: Source<Batch = T::Batch>>(task: &T, variables: &VarMap, source: S, schedule: &Schedule) -> Result<(), FitError> {
    fs::create_dir_all(&schedule.out).map_err(|source| FitError::Folder { path: schedule.out.clone(), source })?;
    let mut run = Run::start(task, variables, schedule)?;
    let batches = batches_ahead(source, run.progress.window);
    let mut skip = run.progress.batch;
    while run.progress.step < schedule.recipe.steps {
        let Ok(window) = batches.recv() else { break };
        for batch in window.map_err(FitError::Batch)?.into_iter().skip(std::mem::take(&mut skip)) {
            run.progress.batch += 1;
            run.learn(&batch)?;
            if run.progress.step >= schedule.recipe.steps {
                break;
            }
        }
        run.progress.window += 1;
        run.progress.batch = 0;
    }
    run.validate()?;
    run.checkpoint()?;
    Ok(checkpoint::write(&schedule.out.join("last.safetensors"), &run.optimiser.mean_weights(), schedule.metadata.clone())?)
}

type Window<B> = Result<Vec<B>, Box<dyn std::error::Error + Send + Sync>>;

fn batches_ahead<S: Source>(mut source: S, first: u64) -> Receiver<Window<S::Batch>> {
    let (sender, receiver) = sync_channel(WINDOWS_AHEAD);
    thread::spawn(move || {
        for index in first.. {
            // The receiver is gone when the run has ended.
            if sender.send(source.window(index).map_err(Into::into)).is_err() {
                return;
            }
        }
    });
    receiver
}

struct Run<'a, T> {
    task: &'a T,
    schedule: &'a Schedule,
    optimiser: Optimiser,
    progress: Progress,
    curve: Curve,
    bar: ProgressBar,
    shown_loss: Option<f32>,
    gathered: Gathered,
    last_checkpoint: Instant,
}

/// What the batches of the step to come have shown.
#[derive(Default)]
struct Gathered {
    batches: usize,
    samples: usize,
    loss: f32,
    time: Duration,
}

impl<'a, T: Task> Run<'a, T> {
    fn start(task: &'a T, variables: &VarMap, schedule: &'a Schedule) -> Result<Self, FitError> {
        let step = |source| FitError::Step { step: 0, source };
        let mut optimiser = Optimiser::of(variables, schedule.recipe).map_err(step)?;
        let file = checkpoint_file(&schedule.out);
        let mut progress = Progress { step: 0, window: 0, batch: 0, best: None };
        if schedule.resume && file.exists() {
            let (state, at) = checkpoint::read_progress(&file)?;
            optimiser.restore(at.step, &state).map_err(step)?;
            progress = at;
        } else if file.exists() {
            return Err(FitError::Occupied(schedule.out.clone()));
        }
        let curve = Curve::open(&schedule.out, progress.step)?;
        let mut run = Self {
            task,
            schedule,
            optimiser,
            bar: bar(schedule.recipe.steps, progress.step),
            progress,
            curve,
            shown_loss: None,
            gathered: Gathered::default(),
            last_checkpoint: Instant::now(),
        };
        if run.progress.step == 0 {
            run.validate()?;
        }
        Ok(run)
    }

    fn learn(&mut self, batch: &T::Batch) -> Result<(), FitError> {
        let fail = |source| FitError::Step { step: self.progress.step, source };
        let started = Instant::now();
        let share = 1.0 / self.schedule.batches_a_step as f64;
        let loss = self.task.loss(batch).map_err(fail)?;
        let gradients = loss.tensor.backward().map_err(fail)?;
        self.optimiser.gather(&gradients, share).map_err(fail)?;
        self.gathered.batches += 1;
        self.gathered.samples += loss.samples;
        self.gathered.loss += loss.value * share as f32;
        self.gathered.time += started.elapsed();
        if self.gathered.batches < self.schedule.batches_a_step { Ok(()) } else { self.step() }
    }

    fn step(&mut self) -> Result<(), FitError> {
        self.optimiser.descend().map_err(|source| FitError::Step { step: self.progress.step, source })?;
        self.progress.step = self.optimiser.step();
        self.show();
        if self.progress.step.is_multiple_of(self.schedule.validate_every_steps) && self.progress.step < self.schedule.recipe.steps {
            self.validate()?;
        }
        if self.last_checkpoint.elapsed() >= self.schedule.checkpoint_every { self.checkpoint() } else { Ok(()) }
    }

    fn show(&mut self) {
        let Gathered { samples, loss, time, .. } = std::mem::take(&mut self.gathered);
        let shown = self.shown_loss.map_or(loss, |shown| shown + SHOWN_LOSS_SHARE * (loss - shown));
        self.shown_loss = Some(shown);
        self.curve.loss(self.progress.step, loss);
        let message = format!("loss {shown:.4}, {:.0} samples/s", samples as f64 / time.as_secs_f64());
        if self.bar.is_hidden() && self.progress.step.is_multiple_of(STEPS_A_LOG_LINE) {
            eprintln!("step {} of {}: {message}", self.progress.step, self.schedule.recipe.steps);
        }
        self.bar.set_message(message);
        self.bar.set_position(self.progress.step);
    }

    fn validate(&mut self) -> Result<(), FitError> {
        let step = self.progress.step;
        let fail = |source| FitError::Validation { step, source };
        let weights = self.optimiser.mean_weights();
        let bytes = checkpoint::encode_tensors(&weights, self.schedule.metadata.clone()).map_err(fail)?;
        let figures = self.task.validate(&bytes).map_err(fail)?;
        let text: Vec<String> = figures.iter().map(|(name, value)| format!("{name} {value:.4}")).collect();
        let loss = self.shown_loss.map_or(String::new(), |loss| format!("loss {loss:.4}, "));
        self.bar.suspend(|| eprintln!("step {step}: {loss}{}", text.join(", ")));
        self.curve.figures(step, &figures)?;
        let score = figures.first().map(|f| f.1);
        if score > self.progress.best {
            self.progress.best = score;
            checkpoint::write(&self.schedule.out.join("best.safetensors"), &weights, self.schedule.metadata.clone())?;
        }
        Ok(())
    }

    fn checkpoint(&mut self) -> Result<(), FitError> {
        checkpoint::write_progress(&checkpoint_file(&self.schedule.out), &self.optimiser.state(), &self.progress)?;
        self.curve.write()?;
        self.last_checkpoint = Instant::now();
        Ok(())
    }
}

fn checkpoint_file(out: &Path) -> PathBuf {
    out.join("checkpoint.safetensors")
}

fn bar(steps: u64, from: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}, {eta} left").unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(steps).with_position(from).with_style(style)
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_core::{DType, Device};

    /// Learns the mean of the numbers it is shown.
    struct Mean {
        x: Tensor,
    }

    struct Numbers;

    impl Source for Numbers {
        type Batch = f32;
        type Error = io::Error;

        fn window(&mut self, index: u64) -> Result<Vec<f32>, io::Error> {
            Ok((0..3).map(|i| 2.0 + (index as f32 * 3.0 + i as f32).sin()).collect())
        }
    }

    impl Task for Mean {
        type Batch = f32;

        fn loss(&self, batch: &f32) -> candle_core::Result<Loss> {
            let tensor = (&self.x - f64::from(*batch))?.sqr()?.sum_all()?;
            Ok(Loss { value: tensor.to_scalar()?, tensor, samples: 1 })
        }

        fn validate(&self, weights: &[u8]) -> Result<Vec<(&'static str, f64)>, Box<dyn std::error::Error + Send + Sync>> {
            let x = candle_core::safetensors::load_buffer(weights, &Device::Cpu)?["x"].to_vec1::<f32>()?[0];
            Ok(vec![("closeness", -f64::from((x - 2.0).abs()))])
        }
    }

    fn run(out: &Path, steps: u64, resume: bool) -> Result<f32, FitError> {
        let variables = VarMap::new();
        let x = variables.get(1, "x", candle_nn::Init::Const(0.0), DType::F32, &Device::Cpu).unwrap();
        let recipe =
            Recipe { learning_rate: 0.05, warm_up_steps: 5, steps: 100, weight_decay: 0.0, gradient_norm_max: 5.0, mean_decay: 0.9 };
        let schedule = Schedule {
            // A killed run: the recipe is that of the whole run, but it ends early.
            recipe: Recipe { steps, ..recipe },
            out: out.to_owned(),
            resume,
            batches_a_step: 2,
            validate_every_steps: 20,
            checkpoint_every: Duration::from_secs(3600),
            metadata: HashMap::new(),
        };
        fit(&Mean { x: x.clone() }, &variables, Numbers, &schedule)?;
        Ok(x.to_vec1::<f32>().unwrap()[0])
    }

    #[test]
    fn a_run_learns_and_leaves_its_files() {
        let folder = tempfile::tempdir().unwrap();
        let x = run(folder.path(), 100, false).unwrap();
        assert!((x - 2.0).abs() < 0.7, "{x}");
        for file in ["checkpoint.safetensors", "best.safetensors", "last.safetensors", "curve.csv", "curve.png"] {
            assert!(folder.path().join(file).exists(), "{file}");
        }
    }

    #[test]
    fn a_resumed_run_goes_on_at_the_batch_where_it_stopped() {
        let folder = tempfile::tempdir().unwrap();
        run(folder.path(), 40, false).unwrap();
        assert!(matches!(run(folder.path(), 50, false), Err(FitError::Occupied(_))));
        let (_, progress) = checkpoint::read_progress(&checkpoint_file(folder.path())).unwrap();
        assert_eq!(progress.step, 40);
        run(folder.path(), 50, true).unwrap();
        let (_, progress) = checkpoint::read_progress(&checkpoint_file(folder.path())).unwrap();
        assert_eq!(progress.step, 50);
        let curve = fs::read_to_string(folder.path().join("curve.csv")).unwrap();
        assert!(curve.lines().any(|l| l.starts_with("40,")) && curve.lines().any(|l| l.starts_with("50,")), "{curve}");
    }
}
