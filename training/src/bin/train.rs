//! `train localisation|recognition|language|understanding|average|import`: makes the weights that the engine serves.

use anyhow::{Context, Result, bail};
use candle_core::Device;
use candle_nn::VarMap;
use clap::{Args, Parser, Subcommand, ValueEnum};
use datasets::drawn;
use datasets::splits::{self, Fold};
use datasets::sroie::{self, Receipt};
use datasets::synthetic::documents::DocumentGenerator;
use datasets::synthetic::lines::{LineGenerator, line_text};
use engine::engine::REGISTER_FILE;
use engine::localise::Localiser;
use engine::register::KnownSupplier;
use engine::{localise, recognise};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;
use training::average::average;
use training::fit::{Schedule, fit};
use training::import::{Source as Origin, import};
use training::localisation::{Localisation, Pages};
use training::optimise::Recipe;
use training::receipts::{Receipts, split};
use training::recognition::{Lines, Recognition, Recomposer};
use training::understanding::{HeldBack, Options, ReadingsFrom};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Trains the networks of Cellarbook.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    network: Command,
}

#[derive(Subcommand)]
enum Command {
    /// The localiser: where on a page there is text.
    Localisation(LocalisationArgs),
    /// The recogniser: lines of text to characters.
    Recognition(RecognitionArgs),
    /// The recogniser's language model: which character follows which.
    Language(LanguageArgs),
    /// Understanding: what the lines of a document mean.
    Understanding(UnderstandingArgs),
    /// The register of the suppliers of the training receipts.
    Register(RegisterArgs),
    /// The mean of the weights of several runs from one start.
    Average(AverageArgs),
    /// Weights of PP-OCRv6 (ONNX) in our networks' form.
    #[command(subcommand)]
    Import(ImportCommand),
}

#[derive(Subcommand)]
enum ImportCommand {
    /// The tiny detector.
    Localisation(ImportArgs),
    /// The tiny recogniser, its head cut to our characters.
    Recognition {
        #[command(flatten)]
        files: ImportArgs,
        /// The dictionary of its classes: a character a line.
        #[arg(long)]
        dictionary: PathBuf,
    },
}

#[derive(Args)]
struct AverageArgs {
    /// Safetensors files of one network.
    #[arg(required = true, num_args = 1..)]
    weights: Vec<PathBuf>,
    /// The safetensors file to write.
    #[arg(long)]
    out: PathBuf,
}

#[derive(Args)]
struct ImportArgs {
    /// The ONNX file.
    onnx: PathBuf,
    /// The safetensors file to write.
    #[arg(long)]
    out: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
enum DeviceKind {
    Cpu,
    Cuda,
}

/// What all networks' runs have in common.
#[derive(Args)]
struct RunArgs {
    /// Folders with training data in SROIE's layout (img/, box/, key/); the committed validation receipts are held back.
    #[arg(long, env = "CELLARBOOK_DATA", required = true, num_args = 1..)]
    data: Vec<PathBuf>,
    /// Where weights, checkpoint and curve go.
    #[arg(long, env = "CELLARBOOK_OUT")]
    out: PathBuf,
    /// Weights to start from; by default those that the product ships.
    #[arg(long, env = "CELLARBOOK_INIT")]
    init: Option<PathBuf>,
    /// Length of the run; the learning rate falls towards its end.
    #[arg(long, env = "CELLARBOOK_STEPS", default_value_t = 6000)]
    steps: u64,
    #[arg(long, env = "CELLARBOOK_LEARNING_RATE")]
    learning_rate: Option<f64>,
    /// Batches whose gradients a step descends together.
    #[arg(long, env = "CELLARBOOK_BATCHES_A_STEP", default_value = "2")]
    batches_a_step: NonZeroUsize,
    #[arg(long, env = "CELLARBOOK_SEED", default_value_t = 1)]
    seed: u64,
    #[arg(long, env = "CELLARBOOK_DEVICE", value_enum, default_value = "cpu")]
    device: DeviceKind,
    /// Goes on with the run in --out.
    #[arg(long)]
    resume: bool,
    #[arg(long, env = "CELLARBOOK_VALIDATE_EVERY", default_value_t = 500)]
    validate_every: u64,
    /// Receipts of the validation split that are read at each validation.
    #[arg(long, env = "CELLARBOOK_VALIDATE_RECEIPTS", default_value_t = 100)]
    validate_receipts: usize,
}

#[derive(Args)]
struct LocalisationArgs {
    #[command(flatten)]
    run: RunArgs,
    /// Fonts of the synthetic pages; without it only the data are learnt from.
    #[arg(long, env = "CELLARBOOK_FONTS")]
    fonts: Option<PathBuf>,
}

#[derive(Args)]
struct RecognitionArgs {
    #[command(flatten)]
    run: RunArgs,
    /// Fonts of the synthetic lines; without it only the data are learnt from.
    #[arg(long, env = "CELLARBOOK_FONTS")]
    fonts: Option<PathBuf>,
    /// Files of lines or of documents, parts of which the synthetic lines say: `datasets/drawn/lines.txt.gz`, `documents.ndjson.gz`
    #[arg(long, num_args = 1.., requires = "fonts")]
    drawn: Vec<PathBuf>,
    /// Cuts every second line out as the localiser sees it, not as it is labelled.
    #[arg(long, env = "CELLARBOOK_OWN_BOXES")]
    own_boxes: bool,
    /// The localiser's weights; by default those that the product ships.
    #[arg(long, env = "CELLARBOOK_LOCALISER", value_name = "FILE")]
    localiser: Option<PathBuf>,
}

#[derive(Args)]
struct LanguageArgs {
    /// Folders with training data in SROIE's layout; the committed validation receipts are held back.
    #[arg(long, env = "CELLARBOOK_DATA", required = true, num_args = 1..)]
    data: Vec<PathBuf>,
    /// Where `language.safetensors` goes.
    #[arg(long, env = "CELLARBOOK_OUT")]
    out: PathBuf,
    /// Lines of the generator to count beside the transcripts.
    #[arg(long, default_value_t = 20_000)]
    synthetic: u64,
    /// Files whose lines are counted too, each text once: `datasets/drawn/lines.txt.gz`, `documents.ndjson.gz`
    #[arg(long, num_args = 1..)]
    drawn: Vec<PathBuf>,
    #[arg(long, env = "CELLARBOOK_SEED", default_value_t = 1)]
    seed: u64,
}

#[derive(Args)]
struct RegisterArgs {
    /// Folders with training data in SROIE's layout; the committed validation receipts are left out.
    #[arg(long, env = "CELLARBOOK_DATA", required = true, num_args = 1..)]
    data: Vec<PathBuf>,
    /// Where `suppliers.jsonl` goes.
    #[arg(long, env = "CELLARBOOK_OUT")]
    out: PathBuf,
    /// Leaves these receipts out instead: an id a line.
    #[arg(long, value_name = "FILE")]
    without: Option<PathBuf>,
}

#[derive(Args)]
struct UnderstandingArgs {
    /// Folders with training data in SROIE's layout; the committed validation receipts are held back.
    #[arg(long, env = "CELLARBOOK_DATA", required = true, num_args = 1..)]
    data: Vec<PathBuf>,
    #[arg(long, env = "CELLARBOOK_OUT")]
    out: PathBuf,
    /// Steps a network.
    #[arg(long, env = "CELLARBOOK_STEPS", default_value_t = 700)]
    steps: usize,
    /// Networks of different seeds, whose probabilities are averaged.
    #[arg(long, default_value_t = 2)]
    members: usize,
    #[arg(long, env = "CELLARBOOK_SEED", default_value_t = 1)]
    seed: u64,
    /// Learns from the receipts as the shipped networks read them too, not from their transcripts alone.
    #[arg(long, env = "CELLARBOOK_OWN_READINGS")]
    own_readings: bool,
    /// Weights to read the receipts with, instead of the built-in ones.
    #[arg(long, env = "CELLARBOOK_MODELS", value_name = "DIR", requires = "own_readings")]
    models: Option<PathBuf>,
    /// Takes the readings that an earlier run kept (readings.json) instead of reading anew.
    #[arg(long, value_name = "FILE", conflicts_with = "own_readings")]
    readings: Option<PathBuf>,
    /// Holds back one of several parts of the receipts that share no supplier, instead of the validation split (cross-validation).
    #[arg(long, value_name = "PART/PARTS")]
    fold: Option<Fold>,
    /// Holds back the receipts of a list, an id a line, instead of the validation split.
    #[arg(long, value_name = "FILE", conflicts_with = "fold")]
    held_back: Option<PathBuf>,
    /// Files of drawn documents to learn from too: `datasets/drawn/documents.ndjson.gz`
    #[arg(long, num_args = 1..)]
    drawn: Vec<PathBuf>,
    /// Synthetic documents to draw from.
    #[arg(long, default_value_t = 1500)]
    synthetic: usize,
    /// Hides where lines stand, to see what layout is worth (ablation)
    #[arg(long)]
    without_layout: bool,
    #[arg(long, env = "CELLARBOOK_DEVICE", value_enum, default_value = "cpu")]
    device: DeviceKind,
    /// Keeps the networks that the run in --out has finished.
    #[arg(long)]
    resume: bool,
}

/// What a receipt's transcript counts in the language model beside a line that is made up: it is what was printed, misspelt as it was.
const TRANSCRIPT_WEIGHT: f32 = 3.0;

const CHECKPOINT_EVERY: Duration = Duration::from_secs(120);
const WARM_UP_STEPS: u64 = 100;

fn main() -> Result<()> {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_target(false).init();
    match Cli::parse().network {
        Command::Localisation(args) => localisation(&args),
        Command::Recognition(args) => recognition(&args),
        Command::Language(args) => language(&args),
        Command::Understanding(args) => understanding(args),
        Command::Register(args) => register(&args),
        Command::Average(AverageArgs { weights, out }) => Ok(average(&weights, &out)?),
        Command::Import(ImportCommand::Localisation(files)) => {
            Ok(import(&files.onnx, &Origin::Detector { config: localise::network::Config::pp_ocrv6_tiny() }, &files.out)?)
        }
        Command::Import(ImportCommand::Recognition { files, dictionary }) => {
            Ok(import(&files.onnx, &Origin::Recogniser { dictionary, config: recognise::network::Config::pp_ocrv6_tiny() }, &files.out)?)
        }
    }
}

const SHIPPED_LOCALISER: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../engine/models/localise.safetensors"));

fn localisation(args: &LocalisationArgs) -> Result<()> {
    let run = &args.run;
    let (train, held_back) = receipts(run)?;
    if train.is_empty() {
        bail!("--data holds no receipts beside those of the validation split");
    }
    let seen = train.localised(&Localiser::from_safetensors(SHIPPED_LOCALISER)?)?;
    let train = train.along_text(&seen);
    let init = run.init.as_deref().map(read_weights).transpose()?;
    let variables = VarMap::new();
    let task = Localisation::new(&variables, Some(init.as_deref().unwrap_or(SHIPPED_LOCALISER)), device(run.device)?, held_back)
        .context("the weights to start from are no localiser's")?;
    let generator = args.fonts.as_deref().map(|fonts| DocumentGenerator::new(fonts, run.seed)).transpose()?;
    fit(&task, &variables, Pages::new(train, generator, run.seed), &schedule(run, "localise", 1e-4)).context("the run ended early")
}

fn recognition(args: &RecognitionArgs) -> Result<()> {
    const SHIPPED: &[u8] = include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/../engine/models/recognise.safetensors"));
    let run = &args.run;
    let (train, held_back) = receipts(run)?;
    let said = texts(&args.drawn)?;
    let generator = args.fonts.as_deref().map(|fonts| LineGenerator::new(fonts, run.seed)).transpose()?;
    let generator = generator.map(|generator| generator.saying(said));
    let init = run.init.as_deref().map(read_weights).transpose()?;
    let variables = VarMap::new();
    let task = Recognition::new(&variables, Some(init.as_deref().unwrap_or(SHIPPED)), device(run.device)?, held_back)
        .context("the weights to start from are no recogniser's")?;
    let localiser = args.localiser.as_deref().map(read_weights).transpose()?;
    let localiser = Localiser::from_safetensors(localiser.as_deref().unwrap_or(SHIPPED_LOCALISER))
        .context("--localiser names no weights of a localiser")?;
    let recomposer = Recomposer::from_safetensors(SHIPPED).context("the product's recogniser cannot take lines to pieces")?;
    let seen = train.localised(&localiser)?;
    let mut lines = Lines::new(train.along_text(&seen), generator, run.seed).recomposed(recomposer);
    if args.own_boxes {
        lines = lines.with_own_boxes(&seen);
    }
    eprintln!("{} labelled lines", lines.labelled());
    fit(&task, &variables, lines, &schedule(run, "recognise", 2e-4)).context("the run ended early")
}

fn schedule(run: &RunArgs, network: &str, learning_rate: f64) -> Schedule {
    Schedule {
        recipe: Recipe {
            learning_rate: run.learning_rate.unwrap_or(learning_rate),
            warm_up_steps: WARM_UP_STEPS.min(run.steps / 10).max(1),
            steps: run.steps,
            weight_decay: 1e-2,
            gradient_norm_max: 5.0,
            mean_decay: 0.995,
        },
        out: run.out.clone(),
        resume: run.resume,
        batches_a_step: run.batches_a_step.get(),
        validate_every_steps: run.validate_every.max(1),
        checkpoint_every: CHECKPOINT_EVERY,
        metadata: HashMap::from([("network".to_owned(), network.to_owned())]),
    }
}

fn language(args: &LanguageArgs) -> Result<()> {
    let (train, _) = split(read_receipts(&args.data)?);
    let transcripts = train.iter().flat_map(|receipt| &receipt.lines).map(|line| line.text.trim().to_owned());
    let generated = (0..args.synthetic).map(|index| line_text(args.seed, index));
    let drawn = texts(&args.drawn)?.into_iter().collect::<BTreeSet<_>>();
    let made_up = generated.chain(drawn).map(|text| (text, 1.0));
    let lines: Vec<(String, f32)> = transcripts.map(|text| (text, TRANSCRIPT_WEIGHT)).chain(made_up).collect();
    let path = args.out.join("language.safetensors");
    fs::create_dir_all(&args.out).with_context(|| format!("{}: cannot make the folder", args.out.display()))?;
    training::language::write(&training::language::model(lines.iter().map(|(text, weight)| (text.as_str(), *weight))), &path)
        .with_context(|| format!("{}: cannot write the language model", path.display()))?;
    eprintln!("{}: counted {} lines", path.display(), lines.len());
    Ok(())
}

fn register(args: &RegisterArgs) -> Result<()> {
    let mut receipts = read_receipts(&args.data)?;
    match &args.without {
        None => receipts = split(receipts).0,
        Some(list) => {
            let ids = fs::read_to_string(list).with_context(|| format!("{}: cannot be read", list.display()))?;
            let ids = splits::ids(&ids);
            receipts.retain(|receipt| !ids.contains(receipt.id.as_str()));
        }
    }
    let mut documents: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for Receipt { keys, .. } in receipts.iter().filter(|receipt| !receipt.keys.company.is_empty()) {
        *documents.entry((&keys.company, &keys.address)).or_default() += 1;
    }
    let line = |((name, address), documents): (&(&str, &str), &usize)| {
        let address = (!address.is_empty()).then(|| (*address).to_owned());
        serde_json::to_string(&KnownSupplier { name: (*name).to_owned(), address, vat_id: None, documents: *documents })
    };
    let lines: Vec<String> = documents.iter().map(line).collect::<Result<_, _>>()?;
    let path = args.out.join(REGISTER_FILE);
    fs::create_dir_all(&args.out).with_context(|| format!("{}: cannot make the folder", args.out.display()))?;
    fs::write(&path, lines.join("\n") + "\n").with_context(|| format!("{}: cannot be written", path.display()))?;
    eprintln!("{}: {} suppliers of {} receipts", path.display(), lines.len(), receipts.len());
    Ok(())
}

fn understanding(args: UnderstandingArgs) -> Result<()> {
    let UnderstandingArgs {
        data,
        drawn,
        out,
        steps,
        members,
        seed,
        own_readings,
        models,
        readings,
        fold,
        held_back,
        synthetic,
        without_layout,
        resume,
        ..
    } = args;
    let readings = readings.map(ReadingsFrom::File).or(own_readings.then_some(ReadingsFrom::Pictures { models }));
    let held_back = fold.map(HeldBack::Fold).or(held_back.map(HeldBack::Listed)).unwrap_or(HeldBack::Validation);
    training::understanding::train(&Options {
        data,
        drawn,
        out,
        steps,
        members,
        seed,
        readings,
        held_back,
        synthetic,
        layout: !without_layout,
        resume,
        device: device(args.device)?,
    })
}

/// What these files say, line by line.
fn texts(files: &[PathBuf]) -> Result<Vec<String>> {
    let mut all = Vec::new();
    for path in files {
        all.extend(drawn::texts(path)?);
    }
    Ok(all)
}

/// The receipts to train on and those held back.
fn receipts(run: &RunArgs) -> Result<(Receipts, Receipts)> {
    let (train, mut held_back) = split(read_receipts(&run.data)?);
    held_back.truncate(run.validate_receipts);
    Ok((Receipts::load(train)?, Receipts::load(held_back)?))
}

fn read_receipts(folders: &[PathBuf]) -> Result<Vec<Receipt>> {
    let mut all = Vec::new();
    for folder in folders {
        all.extend(sroie::read(folder)?);
    }
    Ok(all)
}

fn read_weights(path: &Path) -> Result<Vec<u8>> {
    fs::read(path).with_context(|| format!("{}: cannot read the weights", path.display()))
}

fn device(kind: DeviceKind) -> Result<Device> {
    match kind {
        DeviceKind::Cpu => Ok(Device::Cpu),
        DeviceKind::Cuda if !cfg!(feature = "cuda") => bail!("this build has no CUDA: build with --features cuda"),
        // Without a driver cudarc panics instead of returning an error.
        DeviceKind::Cuda => match std::panic::catch_unwind(|| Device::new_cuda(0)) {
            Ok(device) => device.context("no usable CUDA device"),
            Err(_) => bail!("no CUDA driver on this machine"),
        },
    }
}
