//! The documents that are learnt from, and those that are measured on.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use datasets::sroie::{self, Keys, Receipt};
use datasets::synthetic::documents::DocumentGenerator;
use datasets::synthetic::typefaces::SYSTEM_FONTS;
use datasets::zugferd::{self, LabelledInvoice};
use datasets::{drawn, splits};
use engine::geometry::Quad;
use engine::text::{PageSize, TextLine};
use engine::understand::candidates::Candidate;
use engine::understand::find_candidates;
use engine::understand::rows::ReadingOrder;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use tokenizers::models::wordlevel::{WordLevel, WordLevelTrainer};
use tokenizers::normalizers::replace::ReplacePattern;
use tokenizers::normalizers::{Lowercase, Replace, Sequence};
use tokenizers::pre_tokenizers::whitespace::Whitespace;
use tokenizers::{AddedToken, DecoderWrapper, NormalizerWrapper, PostProcessorWrapper, PreTokenizerWrapper, TokenizerBuilder};

use super::labels::{self, Labels};
use super::{HeldBack, Options, page_size, variants};

/// Words of the vocabulary, and how often a word must stand to be one.
const WORDS_MAX: usize = 4096;
const WORD_COUNT_MIN: u64 = 2;
const UNKNOWN: &str = "[UNK]";

/// Share of the examples that are made up, synthetic or drawn, where there are others; and that of drawn ones alone.
const MADE_UP_SHARE: f64 = 0.4;
const DRAWN_SHARE: f64 = 0.25;

/// Receipts that are learnt from with their name broken into two lines, and with a brand above it, as shares.
const BROKEN_NAMES: f64 = 0.5;
const BRANDS: f64 = 0.4;

/// Pages without sums beside the synthetic documents, as a share of them.
const PAGES_WITHOUT_SUMS: f64 = 0.05;

/// A document with the text as printed and the labels found on it.
pub struct Document {
    pub id: String,
    pub lines: Vec<TextLine>,
    pub pages: Vec<PageSize>,
    labels: Labels,
    /// The candidates that the labels speak of.
    candidates: Vec<Candidate>,
}

impl Document {
    fn new(id: String, lines: Vec<TextLine>, pages: Vec<PageSize>, label: impl Fn(&ReadingOrder, &[Candidate]) -> Labels) -> Self {
        let order = ReadingOrder::new(&lines, &pages);
        let candidates = find_candidates(&order);
        let labels = label(&order, &candidates);
        Self { id, labels, candidates, lines, pages }
    }

    /// The labels, moved to the candidates of the same lines as misread: the one of the same kind that begins nearest. A role whose
    /// candidates all became unreadable is left open.
    pub fn labels_for(&self, order: &ReadingOrder, candidates: &[Candidate]) -> Labels {
        debug_assert_eq!(order.lines.len(), self.labels.tags.len(), "misreading leaves the lines in their places");
        let moved = |printed: &usize| {
            let printed = &self.candidates[*printed];
            let same = candidates.iter().enumerate().filter(|(_, c)| c.line == printed.line && c.kind == printed.kind);
            same.min_by_key(|(_, c)| c.range.start.abs_diff(printed.range.start)).map(|(i, _)| i)
        };
        let mut labels = self.labels.clone();
        for role in &mut labels.roles {
            *role = role.take().and_then(|playing| {
                let known: Vec<usize> = playing.iter().filter_map(moved).collect();
                (known.is_empty() == playing.is_empty()).then_some(known)
            });
        }
        labels
    }
}

/// All documents of a run.
#[derive(Default)]
pub struct Corpus {
    pub training: Vec<Document>,
    /// Indices into `training`: the receipts of a supplier, or one synthetic document. Groups are drawn alike often.
    pub groups: Vec<Vec<usize>>,
    /// How many of the groups, the last but the synthetic ones, are drawn documents.
    drawn: usize,
    /// How many of the groups, the last ones, are synthetic.
    synthetic: usize,
    /// Receipts of suppliers that training never sees.
    pub validation: Vec<(Document, Keys)>,
    /// The same as our networks read them, where that was asked for.
    pub read_validation: Vec<(Document, Keys)>,
    /// Synthetic documents in layouts that training never sees.
    pub synthetic_validation: Vec<(Document, proto::Invoice)>,
}

impl Corpus {
    /// Reads the folders of `options` in the layouts of SROIE and of the ZUGFeRD corpus, and makes synthetic documents. With own
    /// readings each receipt comes twice: as transcribed, and as it is read.
    pub fn read(options: &Options) -> Result<Self> {
        let mut corpus = Self::default();
        for folder in &options.data {
            if folder.join("box").is_dir() {
                corpus.add_receipts(folder, options)?;
            } else {
                corpus.add_invoices(folder)?;
            }
        }
        let printed = corpus.groups.len();
        for path in &options.drawn {
            corpus.add_labelled(drawn::read(path)?);
        }
        corpus.drawn = corpus.groups.len() - printed;
        corpus.add_synthetic(options.synthetic, options.seed)?;
        Ok(corpus)
    }

    fn add_receipts(&mut self, folder: &Path, options: &Options) -> Result<()> {
        let rng = &mut ChaCha8Rng::seed_from_u64(options.seed);
        let receipts = sroie::read(folder)?;
        let readings = options.readings.as_ref().map(|source| source.readings(&receipts, &options.out)).transpose()?.unwrap_or_default();
        let duplicates = sroie::read_duplicates(folder).unwrap_or_default();
        let suppliers = splits::suppliers(&receipts, &duplicates);
        let listed: String;
        let held_out: BTreeSet<&str> = match &options.held_back {
            HeldBack::Validation => splits::sroie_validation(),
            HeldBack::Listed(path) => {
                listed = fs::read_to_string(path).with_context(|| format!("{}: cannot be read", path.display()))?;
                splits::ids(&listed)
            }
            HeldBack::Fold(fold) => {
                let ids = fold.ids(&suppliers);
                let path = options.out.join("held-back.txt");
                let list: String = ids.iter().map(|id| format!("{id}\n")).collect();
                fs::write(&path, list).with_context(|| format!("{}: cannot be written", path.display()))?;
                ids
            }
        };
        let mut by_id: BTreeMap<&str, &Receipt> = receipts.iter().map(|receipt| (receipt.id.as_str(), receipt)).collect();
        // No supplier that is measured on lends its name.
        let known: Vec<&Receipt> = receipts.iter().filter(|receipt| !held_out.contains(receipt.id.as_str())).collect();
        for supplier in suppliers {
            let mut group = Vec::new();
            for id in supplier {
                let receipt = by_id.remove(id).with_context(|| format!("receipt {id} has two suppliers"))?;
                let transcribed = labelled(receipt, &receipt.lines)?;
                let read = readings.get(id).map(|lines| labelled(receipt, lines)).transpose()?;
                if held_out.contains(id) {
                    self.validation.push((transcribed, receipt.keys.clone()));
                    self.read_validation.extend(read.map(|document| (document, receipt.keys.clone())));
                } else {
                    let first = self.training.len();
                    self.training.extend([Some(transcribed), read].into_iter().flatten());
                    for lines in set_otherwise(receipt, known[rng.random_range(0..known.len())], rng) {
                        self.training.push(labelled(receipt, &lines)?);
                    }
                    group.extend(first..self.training.len());
                }
            }
            self.groups.extend((!group.is_empty()).then_some(group));
        }
        Ok(())
    }

    /// E-invoices by their text layers.
    fn add_invoices(&mut self, folder: &Path) -> Result<()> {
        let held_out = splits::zugferd_validation();
        self.add_labelled(zugferd::read(folder)?.into_iter().filter(|invoice| !held_out.contains(invoice.id.as_str())));
        Ok(())
    }

    /// Documents whose values are known, but not where they are printed.
    fn add_labelled(&mut self, documents: impl IntoIterator<Item = LabelledInvoice>) {
        for invoice in documents {
            let pages = invoice.truth.pages.iter().map(|page| PageSize { width: page.width, height: page.height }).collect();
            let label = |order: &ReadingOrder, candidates: &[Candidate]| labels::of_values(order, candidates, &invoice.truth);
            self.groups.push(vec![self.training.len()]);
            self.training.push(Document::new(invoice.id.clone(), invoice.lines, pages, label));
        }
    }

    fn add_synthetic(&mut self, count: usize, seed: u64) -> Result<()> {
        if count == 0 {
            return Ok(());
        }
        let generator =
            DocumentGenerator::new(Path::new(SYSTEM_FONTS), seed).context("no synthetic documents: the generator has no fonts")?;
        for index in 0..count as u64 {
            let made = generator.text(index);
            let size = |page: &proto::Page| PageSize { width: page.width, height: page.height };
            let pages = made.truth.pages.iter().map(size).collect();
            let label = |order: &ReadingOrder, candidates: &[Candidate]| labels::of_invoice(order, candidates, &made.truth);
            let document = Document::new(format!("synthetic-{index}"), made.lines, pages, label);
            if splits::HELD_OUT_LAYOUTS.contains(&made.layout) {
                self.synthetic_validation.push((document, made.truth));
                continue;
            }
            self.groups.push(vec![self.training.len()]);
            self.training.push(document);
            self.synthetic += 1;
        }
        self.add_pages_without_sums(seed)
    }

    /// Pages that are no documents of trade: the lines of several documents that hold neither digits nor names, in one column.
    fn add_pages_without_sums(&mut self, seed: u64) -> Result<()> {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let printed = self.training.len();
        for index in 0..(self.synthetic as f64 * PAGES_WITHOUT_SUMS) as usize {
            let mut lines: Vec<TextLine> = Vec::new();
            while lines.len() < rng.random_range(3..40) {
                let document = &self.training[rng.random_range(0..printed)];
                let line = &document.lines[rng.random_range(0..document.lines.len())];
                if !line.text.contains(|c: char| c.is_ascii_digit()) {
                    let top = 40.0 * lines.len() as f32;
                    let quad = Quad::from_edges(80.0, top, 80.0 + line.quad.width(), top + 28.0);
                    lines.push(TextLine { page: 0, quad, ..line.clone() });
                }
            }
            let pages = vec![PageSize { width: 1240, height: 1754 }];
            let document = Document::new(format!("no-sums-{index}"), lines, pages, |order, _| labels::of_nothing(order));
            self.groups.push(vec![self.training.len()]);
            self.training.push(document);
            self.synthetic += 1;
        }
        Ok(())
    }

    /// A group at random, synthetic and drawn ones together in their shares.
    pub fn draw_group(&self, rng: &mut ChaCha8Rng) -> usize {
        let printed = self.groups.len() - self.drawn - self.synthetic;
        let share = |count: usize, share: f64| if count == 0 { 0.0 } else { share };
        let drawn_share = share(self.drawn, DRAWN_SHARE);
        let kinds = [
            (printed, share(printed, 1.0 - MADE_UP_SHARE)),
            (self.drawn, drawn_share),
            (self.synthetic, share(self.synthetic, MADE_UP_SHARE - drawn_share)),
        ];
        let mut at = rng.random_range(0.0..kinds.iter().map(|(_, share)| share).sum());
        let mut start = 0;
        for (count, share) in kinds {
            if at < share {
                return start + rng.random_range(0..count);
            }
            (at, start) = (at - share, start + count);
        }
        rng.random_range(0..self.groups.len())
    }
}

/// Variants of a receipt's lines, with a brand from another.
fn set_otherwise(receipt: &Receipt, other: &Receipt, rng: &mut ChaCha8Rng) -> Vec<Vec<TextLine>> {
    let company = &receipt.keys.company;
    let broken = rng.random_bool(BROKEN_NAMES).then(|| variants::broken_name(&receipt.lines, company, rng)).flatten();
    let brand = rng.random_bool(BRANDS).then(|| variants::brand(other, rng)).flatten();
    let branded = brand.and_then(|brand| variants::with_brand(&receipt.lines, company, &brand, rng));
    [broken, branded].into_iter().flatten().collect()
}

/// A receipt in one form of its text, with the labels of its keys.
fn labelled(receipt: &Receipt, lines: &[TextLine]) -> Result<Document> {
    let pages = vec![page_size(&receipt.image)?];
    let label = |order: &ReadingOrder, candidates: &[Candidate]| labels::of_receipt(order, candidates, &receipt.keys);
    Ok(Document::new(receipt.id.clone(), lines.to_vec(), pages, label))
}

/// A trained vocabulary.
pub struct TrainedVocabulary {
    /// In the form of `tokenizers`.
    pub json: String,
    pub size: usize,
}

/// The frequent words of the training documents, in lower case with digits as `0`; id 0 stands for all others.
pub fn vocabulary(documents: &[Document]) -> Result<TrainedVocabulary> {
    let failed = |e: tokenizers::Error| anyhow::anyhow!(e).context("the vocabulary cannot be trained");
    let digits = Replace::new(ReplacePattern::Regex(r"\d".into()), "0").map_err(failed)?;
    let normalizer: NormalizerWrapper = Sequence::new(vec![Lowercase.into(), digits.into()]).into();
    let model = WordLevel::builder().unk_token(UNKNOWN.into()).build().map_err(failed)?;
    let mut tokenizer = TokenizerBuilder::<WordLevel, NormalizerWrapper, PreTokenizerWrapper, PostProcessorWrapper, DecoderWrapper>::new()
        .with_model(model)
        .with_normalizer(Some(normalizer))
        .with_pre_tokenizer(Some(Whitespace.into()))
        .build()
        .map_err(failed)?;
    let mut trainer = WordLevelTrainer::builder()
        .min_frequency(WORD_COUNT_MIN)
        .vocab_size(WORDS_MAX)
        .show_progress(false)
        .special_tokens(vec![AddedToken::from(UNKNOWN, true)])
        .build()
        .context("the vocabulary's trainer cannot be built")?;
    let texts = documents.iter().flat_map(|document| document.lines.iter().map(|line| line.text.as_str()));
    tokenizer.train(&mut trainer, texts).map_err(failed)?;
    Ok(TrainedVocabulary { json: tokenizer.to_string(false).map_err(failed)?, size: tokenizer.get_vocab_size(true) })
}
