//! Training of the understanding network: a few small networks, each from its own seed, on receipts and synthetic documents.
//!
//! Strong regularisation matters more than size: noise in the text, hidden words, moved places, dropout, smoothing, and suppliers
//! drawn alike often however many receipts each has.

mod evaluation;
mod initial;
mod labels;
mod loss;
mod noise;
mod readings;
mod sources;
mod variants;

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use datasets::splits::Fold;
use datasets::sroie::Receipt;
use engine::engine::Engine;
use engine::text::{PageSize, TextLine};
use engine::understand::batch::Batch;
use engine::understand::features::Features;
use engine::understand::network::{Config, Mixing, Network};
use engine::understand::rows::ReadingOrder;
use engine::understand::vocabulary::Vocabulary;
use engine::understand::{Header, METADATA_KEY, Understander, find_candidates, runs};
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use tracing::info;

use crate::optimise::{Optimiser, Recipe};
use initial::SeededVariables;
use labels::Labels;
use noise::Dropout;
use readings::Readings;
use sources::{Corpus, Document};

/// Without its length.
const RECIPE: Recipe =
    Recipe { learning_rate: 1e-3, warm_up_steps: 100, steps: 0, weight_decay: 0.01, gradient_norm_max: 5.0, mean_decay: 0.998 };
const DOCUMENTS_A_STEP: usize = 8;

/// Sizes of the shipped networks.
const TABLE: usize = 64;
const WIDTH: usize = 128;
const HEADS: usize = 4;
const LAYERS: usize = 2;
const CONTEXT: usize = 16;
const RANKER: usize = 48;

/// How networks differ.
struct Form {
    mixing: Mixing,
    wide: bool,
}

/// The members in turn take these forms: networks that err differently are worth more together.
const FORMS: [Form; 2] = [Form { mixing: Mixing::Attention, wide: true }, Form { mixing: Mixing::Convolution, wide: false }];

impl Form {
    fn config(&self, words: usize, layout: bool) -> Config {
        let Self { mixing, wide } = *self;
        Config { mixing, wide, layout, layers: LAYERS, words, table: TABLE, width: WIDTH, heads: HEADS, context: CONTEXT, ranker: RANKER }
    }
}

/// What to train on, where to write, how long.
#[derive(Debug, Clone)]
pub struct Options {
    /// SROIE folders; synthetic documents are made on the way.
    pub data: Vec<PathBuf>,
    /// Files of drawn documents ([`datasets::drawn`]).
    pub drawn: Vec<PathBuf>,
    pub out: PathBuf,
    /// Steps a member.
    pub steps: usize,
    /// Networks, whose probabilities the engine averages.
    pub members: usize,
    pub seed: u64,
    /// Our own readings of the receipts, to learn from beside their transcripts.
    pub readings: Option<ReadingsFrom>,
    /// The receipts to measure on.
    pub held_back: HeldBack,
    /// Synthetic documents to draw from.
    pub synthetic: usize,
    /// Whether the networks see where lines stand.
    pub layout: bool,
    /// Members that an earlier run finished are taken from `out`.
    pub resume: bool,
    pub device: Device,
}

/// Receipts that are measured on and not learnt from.
#[derive(Debug, Clone)]
pub enum HeldBack {
    /// The committed validation split.
    Validation,
    /// A part of all receipts, for cross-validation; its ids are written into `held-back.txt` of the run.
    Fold(Fold),
    /// Those of a list of ids.
    Listed(PathBuf),
}

/// Where our own readings of the receipts come from.
#[derive(Debug, Clone)]
pub enum ReadingsFrom {
    /// Read now, with the built-in weights or those in a folder, and kept in `readings.json` of the run.
    Pictures { models: Option<PathBuf> },
    /// What an earlier run kept.
    File(PathBuf),
}

impl ReadingsFrom {
    fn readings(&self, receipts: &[Receipt], out: &Path) -> Result<Readings> {
        match self {
            Self::File(path) => readings::kept(path),
            Self::Pictures { models } => {
                let engine = models.as_deref().map_or_else(Engine::built_in, Engine::load)?;
                let readings = readings::read(&engine, receipts)?;
                readings::keep(&readings, &out.join("readings.json"))?;
                Ok(readings)
            }
        }
    }
}

/// Trains, writes `understand.safetensors` into `options.out`, and logs the figures on the validation receipts.
pub fn train(options: &Options) -> Result<()> {
    ensure!(options.members > 0, "an understanding model needs at least one network (members)");
    fs::create_dir_all(&options.out).with_context(|| format!("cannot make the folder {}", options.out.display()))?;
    let corpus = Corpus::read(options)?;
    info!(training = corpus.training.len(), groups = corpus.groups.len(), validation = corpus.validation.len(), "documents read");
    let vocabulary = sources::vocabulary(&corpus.training)?;
    let configs: Vec<Config> =
        FORMS.iter().cycle().take(options.members).map(|form| form.config(vocabulary.size, options.layout)).collect();
    let words = Vocabulary::from_json(&vocabulary.json).map_err(|e| anyhow::anyhow!(e)).context("the new vocabulary cannot be read")?;
    let path = |member: usize| options.out.join(format!("member-{member}.safetensors"));
    let bars = MultiProgress::new();
    configs.par_iter().enumerate().filter(|(member, _)| !(options.resume && path(*member).exists())).try_for_each(|(member, config)| {
        let seed = options.seed + member as u64;
        let bar = bars.add(progress(options.steps));
        Member { options, corpus: &corpus, vocabulary: &words, config: *config, seed }.train(&path(member), &bar)
    })?;
    let mut tensors: Vec<(String, Tensor)> = Vec::new();
    for member in 0..options.members {
        let path = path(member);
        let weights = candle_core::safetensors::load(&path, &Device::Cpu).with_context(|| format!("cannot read {}", path.display()))?;
        let half = |(name, tensor): (String, Tensor)| Ok((format!("{member}.{name}"), tensor.to_dtype(DType::F16)?));
        tensors.extend(weights.into_iter().map(half).collect::<Result<Vec<_>>>()?);
    }
    tensors.sort_by(|a, b| a.0.cmp(&b.0));
    let header = Header { members: configs, vocabulary: vocabulary.json };
    let path = options.out.join("understand.safetensors");
    write(&path, &tensors, &header)?;
    let bytes = fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    info!(path = %path.display(), "written");
    let understander = Understander::from_safetensors(&bytes)?;
    println!("as transcribed:\n{}", evaluation::receipts(&understander, &corpus.validation)?);
    if !corpus.read_validation.is_empty() {
        println!("as read:\n{}", evaluation::receipts(&understander, &corpus.read_validation)?);
    }
    println!("{}", evaluation::invoices(&understander, &corpus.synthetic_validation)?);
    Ok(())
}

fn write(path: &Path, tensors: &[(String, Tensor)], header: &Header) -> Result<()> {
    let metadata = HashMap::from([(METADATA_KEY.to_string(), serde_json::to_string(header)?)]);
    let views = tensors.iter().map(|(name, tensor)| (name, tensor));
    safetensors::serialize_to_file(views, Some(metadata), path).with_context(|| format!("cannot write {}", path.display()))
}

/// One network on its way.
struct Member<'a> {
    options: &'a Options,
    corpus: &'a Corpus,
    vocabulary: &'a Vocabulary,
    config: Config,
    seed: u64,
}

impl Member<'_> {
    /// Trains and writes the weights to `path`.
    fn train(&self, path: &Path, bar: &ProgressBar) -> Result<()> {
        let variables = SeededVariables::new(self.seed);
        let weights = VarBuilder::from_backend(Box::new(variables.clone()), DType::F32, self.options.device.clone());
        let network = Network::new(&self.config, weights)?;
        let mut optimiser = Optimiser::new(variables.variables(), Recipe { steps: self.options.steps as u64, ..RECIPE })?;
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed ^ 0x5eed);
        let mut mean = None;
        for step in 0..self.options.steps {
            let loss = self.step(&network, &mut optimiser, &mut rng)?;
            ensure!(loss.is_finite(), "the loss became {loss} at step {step}");
            let smooth = mean.map_or(loss, |mean: f32| 0.98 * mean + 0.02 * loss);
            mean = Some(smooth);
            bar.set_message(format!("loss {smooth:.3}"));
            bar.inc(1);
        }
        bar.finish();
        // Written beside and renamed, so that a kill leaves no half a file for `--resume`.
        let partial = path.with_extension("partial");
        candle_core::safetensors::save(&optimiser.mean_weights(), &partial)
            .with_context(|| format!("cannot write {}", partial.display()))?;
        fs::rename(&partial, path).with_context(|| format!("cannot write {}", path.display()))?;
        info!(seed = self.seed, loss = mean, "member trained");
        Ok(())
    }

    fn step(&self, network: &Network, optimiser: &mut Optimiser, rng: &mut ChaCha8Rng) -> Result<f32> {
        let examples: Vec<(Features, Labels)> = (0..DOCUMENTS_A_STEP).map(|_| self.example(rng)).collect::<Result<_>>()?;
        let features: Vec<&Features> = examples.iter().map(|(features, _)| features).collect();
        let batch = Batch::new(&features, &self.options.device)?;
        let logits = network.forward(&batch, &mut Dropout(rng))?;
        let pairs: Vec<(&Features, &Labels)> = examples.iter().map(|(features, labels)| (features, labels)).collect();
        let loss = loss::loss(&logits, &pairs)?;
        optimiser.gather(&loss.backward()?, 1.0)?;
        optimiser.descend()?;
        Ok(loss.to_scalar()?)
    }

    /// A document of a supplier drawn at random, with noise.
    fn example(&self, rng: &mut ChaCha8Rng) -> Result<(Features, Labels)> {
        let group = &self.corpus.groups[self.corpus.draw_group(rng)];
        let document = &self.corpus.training[group[rng.random_range(0..group.len())]];
        let lines = noise::misread(&document.lines, rng);
        let (mut features, labels) = example(&lines, document, self.vocabulary)?;
        noise::blur(&mut features.lines, rng);
        Ok((features, labels))
    }
}

/// Features of the lines as read, and labels found on them as they were printed.
fn example(lines: &[TextLine], document: &Document, vocabulary: &Vocabulary) -> Result<(Features, Labels)> {
    let order = ReadingOrder::new(lines, &document.pages);
    let candidates = find_candidates(&order);
    let features = Features::new(&order, &candidates, &runs::find(&order), vocabulary).map_err(|e| anyhow::anyhow!(e))?;
    Ok((features, document.labels_for(&order, &candidates)))
}

fn progress(steps: usize) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:30} {pos}/{len} steps, {per_sec}, {eta} left, {msg}");
    ProgressBar::new(steps as u64).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

/// The size of a receipt's picture, of which only the proportions matter here.
fn page_size(image: &Path) -> Result<PageSize> {
    let (width, height) = image::image_dimensions(image).with_context(|| format!("cannot read the size of {}", image.display()))?;
    Ok(PageSize { width, height })
}
