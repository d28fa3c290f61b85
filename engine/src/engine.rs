//! The whole way of a document: page, localise, recognise, understand, reconcile.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{
        Arc, Once,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use proto::{Invoice, Model};
use sha2::{Digest, Sha256};

use crate::{
    e_invoice,
    geometry::Quad,
    localise::{LocaliseError, Localiser},
    page::{self, Document, DocumentError, Page},
    recognise::{Reading, RecogniseError, Recogniser, crop, language::LanguageModel},
    reconcile,
    register::{Register, RegisterError},
    text::TextLine,
    understand::{UnderstandError, Understander},
    upright,
};

/// The files of a models folder: one for each network, and the recogniser's language model.
pub const WEIGHT_FILES: [&str; 4] = ["localise.safetensors", "recognise.safetensors", "language.safetensors", "understand.safetensors"];

/// Suppliers of the documents that the weights were trained on, in a models folder; there need be none.
pub const REGISTER_FILE: &str = "suppliers.jsonl";

/// A line that the recogniser is less sure of, in the mean of its characters, is no text that can be read: handwriting, logos, stamps,
/// the pattern of a table. On receipts of unseen suppliers nine in ten of such lines are in no transcript.
const CONFIDENCE_MIN: f32 = 0.7;

/// Reads documents. Holds the weights; safe to share between threads.
pub struct Engine {
    localiser: Localiser,
    recogniser: Recogniser,
    understander: Arc<Understander>,
    register: Register,
    model: Model,
}

/// Why an engine has no weights to work with.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    #[error("cannot read the weights {}", path.display())]
    Read { path: PathBuf, source: std::io::Error },
    #[error("the weights of the localiser cannot be used")]
    Localiser(#[source] candle_core::Error),
    #[error("the weights of the recogniser cannot be used")]
    Recogniser(#[source] candle_core::Error),
    #[error("the language model of the recogniser cannot be used")]
    Language(#[source] candle_core::Error),
    #[error("the weights of the understander cannot be used")]
    Understander(#[source] UnderstandError),
    #[error("the register of suppliers cannot be used")]
    Register(#[source] RegisterError),
}

/// Why a document gives no fields.
#[derive(Debug, thiserror::Error)]
pub enum ExtractError {
    #[error(transparent)]
    Document(#[from] DocumentError),
    #[error("the document has no files")]
    NoFiles,
    #[error("the extraction was cancelled")]
    Cancelled,
    #[error("finding lines on page {} failed", .page + 1)]
    Localise { page: usize, source: LocaliseError },
    #[error("reading lines on page {} failed", .page + 1)]
    Recognise { page: usize, source: RecogniseError },
    #[error("understanding the text failed")]
    Understand(#[source] UnderstandError),
}

/// A document with what was needed on the way.
#[derive(Debug)]
pub struct Extraction {
    pub invoice: Invoice,
    pub pages: Vec<Page>,
    pub timings: Timings,
}

/// Time spent in each stage, over all pages.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Timings {
    pub page: Duration,
    pub localise: Duration,
    pub recognise: Duration,
    pub understand: Duration,
    pub reconcile: Duration,
}

impl Timings {
    /// Each stage by its name, in order.
    pub fn stages(&self) -> [(&'static str, Duration); 5] {
        [
            ("page", self.page),
            ("localise", self.localise),
            ("recognise", self.recognise),
            ("understand", self.understand),
            ("reconcile", self.reconcile),
        ]
    }
}

/// Which page is being read, and the clock that runs.
struct At<'a> {
    page: usize,
    timings: &'a mut Timings,
}

/// Tells a running extraction that nobody waits for it any more; it ends before its next stage.
#[derive(Debug, Clone, Default)]
pub struct Cancel(Arc<AtomicBool>);

impl Cancel {
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn check(&self) -> Result<(), ExtractError> {
        if self.0.load(Ordering::Relaxed) { Err(ExtractError::Cancelled) } else { Ok(()) }
    }
}

impl Engine {
    /// With the weights that are part of the program.
    pub fn built_in() -> Result<Self, LoadError> {
        let weights: [&[u8]; 4] = [
            include_bytes!("../models/localise.safetensors"),
            include_bytes!("../models/recognise.safetensors"),
            include_bytes!("../models/language.safetensors"),
            include_bytes!("../models/understand.safetensors"),
        ];
        let engine = Self::from_weights(concat!("cellarbook ", env!("CARGO_PKG_VERSION")), weights)?;
        engine.knowing(include_str!("../models/suppliers.jsonl"))
    }

    /// Knows more suppliers: lines of a register, a JSON object each.
    pub fn knowing(self, suppliers: &str) -> Result<Self, LoadError> {
        Ok(Self { register: self.register.and(suppliers).map_err(LoadError::Register)?, ..self })
    }

    /// With the [`WEIGHT_FILES`] of a folder, and its [`REGISTER_FILE`] where there is one.
    pub fn load(folder: &Path) -> Result<Self, LoadError> {
        let read = |file| {
            let path = folder.join(file);
            fs::read(&path).map_err(|source| LoadError::Read { path, source })
        };
        let [localise, recognise, language, understand] = WEIGHT_FILES.map(read);
        let name = folder.file_name().unwrap_or(folder.as_os_str()).to_string_lossy();
        let engine = Self::from_weights(&name, [&localise?, &recognise?, &language?, &understand?])?;
        let path = folder.join(REGISTER_FILE);
        match fs::read_to_string(&path) {
            Ok(suppliers) => engine.knowing(&suppliers),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(engine),
            Err(source) => Err(LoadError::Read { path, source }),
        }
    }

    fn from_weights(name: &str, weights: [&[u8]; 4]) -> Result<Self, LoadError> {
        let [localise, recognise, language, understand] = weights;
        // Side by side: who starts the program for one receipt waits for this.
        let ((localiser, recogniser, sha256), (language, understander)) = rayon::join(
            || (Localiser::from_safetensors(localise), Recogniser::from_safetensors(recognise), sha256(&weights)),
            || (LanguageModel::from_safetensors(language), Understander::from_safetensors(understand)),
        );
        let (localiser, recogniser) = (localiser.map_err(LoadError::Localiser)?, recogniser.map_err(LoadError::Recogniser)?);
        let understander = Arc::new(understander.map_err(LoadError::Understander)?);
        warm_up(&understander);
        Ok(Self {
            localiser,
            recogniser: recogniser.with_language(language.map_err(LoadError::Language)?),
            understander,
            register: Register::default(),
            model: Model { name: name.into(), sha256 },
        })
    }

    /// Which weights this engine reads with.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// Reads the `files` of one document, in page order; `source` is its name in the result.
    pub fn extract(&self, source: &str, files: &[Vec<u8>]) -> Result<Invoice, ExtractError> {
        Ok(self.extract_with_pages(source, files, &Cancel::default())?.invoice)
    }

    /// As [`Self::extract`], with the pages and the time that each stage took.
    pub fn extract_with_pages(&self, source: &str, files: &[Vec<u8>], cancel: &Cancel) -> Result<Extraction, ExtractError> {
        if files.is_empty() {
            return Err(ExtractError::NoFiles);
        }
        let mut timings = Timings::default();
        let Document { mut pages, e_invoice } = timed(&mut timings.page, || page::read(files))?;
        let mut lines = Vec::new();
        for (index, page) in pages.iter_mut().enumerate() {
            cancel.check()?;
            lines.extend(self.read_page(page, &mut At { page: index, timings: &mut timings })?);
        }
        cancel.check()?;
        let read = self.understand(source, &lines, &pages, &mut timings)?;
        let mut invoice = match e_invoice {
            None => read,
            Some(Ok(e_invoice)) => timed(&mut timings.reconcile, || e_invoice::merge(read, &e_invoice)),
            Some(Err(error)) => e_invoice::unreadable(read, &error),
        };
        invoice.model = Some(self.model.clone());
        Ok(Extraction { invoice, pages, timings })
    }

    /// The lines of a single page in reading order, the page being taken as upright.
    pub fn read_text(&self, page: &Page) -> Result<Vec<TextLine>, ExtractError> {
        if let Some(lines) = &page.native_text {
            return Ok(lines.clone());
        }
        let at = &mut At { page: 0, timings: &mut Timings::default() };
        let quads = self.localise(page, at)?;
        let readings = self.recognise(page, &quads, at)?;
        Ok(to_lines(0, quads, readings))
    }

    /// What given lines of text mean: the document without reading its pages.
    pub fn understand_lines(&self, source: &str, lines: &[TextLine], pages: &[Page]) -> Result<Invoice, ExtractError> {
        let mut invoice = self.understand(source, lines, pages, &mut Timings::default())?;
        invoice.model = Some(self.model.clone());
        Ok(invoice)
    }

    /// The lines of a page in reading order; a page that lies on its side or upside down is set upright first.
    fn read_page(&self, page: &mut Page, at: &mut At) -> Result<Vec<TextLine>, ExtractError> {
        if let Some(lines) = &page.native_text {
            return Ok(lines.clone());
        }
        let mut quads = self.localise(page, at)?;
        if upright::lies_sideways(&quads) {
            *page = upright::turn_clockwise(page);
            quads = self.localise(page, at)?;
        }
        let mut readings = self.recognise(page, &quads, at)?;
        if upright::is_doubtful(&readings) {
            let turned = upright::turn_round(page);
            let turned_quads = upright::turn_quads_round(page, &quads);
            // A poor print is doubtful too, so a few lines decide before the whole page is read again.
            let (telling, before) = upright::longest(&turned_quads, readings.iter().rev());
            if upright::reads_better(&self.recognise(&turned, &telling, at)?, &before) {
                readings = self.recognise(&turned, &turned_quads, at)?;
                (*page, quads) = (turned, turned_quads);
            }
        }
        Ok(to_lines(at.page, quads, readings))
    }

    fn localise(&self, page: &Page, at: &mut At) -> Result<Vec<Quad>, ExtractError> {
        let quads = timed(&mut at.timings.localise, || self.localiser.quads(&page.image));
        quads.map_err(|source| ExtractError::Localise { page: at.page, source })
    }

    fn recognise(&self, page: &Page, quads: &[Quad], at: &mut At) -> Result<Vec<Reading>, ExtractError> {
        let readings = timed(&mut at.timings.recognise, || {
            let cut_back: Vec<Quad> = quads.iter().map(crop::cut_back).collect();
            self.recogniser.read(&page.image, &cut_back)
        });
        readings.map_err(|source| ExtractError::Recognise { page: at.page, source })
    }

    fn understand(&self, source: &str, lines: &[TextLine], pages: &[Page], timings: &mut Timings) -> Result<Invoice, ExtractError> {
        let sizes: Vec<_> = pages.iter().map(Page::size).collect();
        let draft = timed(&mut timings.understand, || self.understander.draft(lines, &sizes)).map_err(ExtractError::Understand)?;
        let pages: Vec<_> = pages.iter().map(proto_page).collect();
        Ok(timed(&mut timings.reconcile, || reconcile::reconcile(source, &draft, lines, &pages, &self.register)))
    }
}

/// Makes ready, once in a process and beside the reading of the first page, what its understanding would wait for.
fn warm_up(understander: &Arc<Understander>) {
    static FIRST: Once = Once::new();
    FIRST.call_once(|| {
        let understander = Arc::clone(understander);
        rayon::spawn(move || understander.warm_up());
    });
}

fn proto_page(page: &Page) -> proto::Page {
    let size = page.size();
    proto::Page { width: size.width, height: size.height, rotation_degrees: page.rotation_degrees }
}

/// Quads without a character, and those that hold no legible text, are dropped.
fn to_lines(page: usize, quads: Vec<Quad>, readings: Vec<Reading>) -> Vec<TextLine> {
    let is_legible = |reading: &Reading| reading.confidence >= CONFIDENCE_MIN && !reading.text.trim().is_empty();
    let pairs = quads.into_iter().zip(readings).filter(|(_, reading)| is_legible(reading));
    pairs.map(|(quad, Reading { text, confidence })| TextLine { page, quad, text, confidence }).collect()
}

/// Of the weights in their order, in hexadecimal.
fn sha256(weights: &[&[u8]]) -> String {
    let digest = weights.iter().fold(Sha256::new(), |hash, weights| hash.chain_update(weights)).finalize();
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn timed<T>(total: &mut Duration, stage: impl FnOnce() -> T) -> T {
    let start = Instant::now();
    let result = stage();
    *total += start.elapsed();
    result
}
