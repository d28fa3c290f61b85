//! Lines of a page to text: each is cut out ([`crop`]), run through the [`network`] at its own width and read off, along the best
//! path ([`decode`]) or together with a [`language`] model ([`beam`]), a doubtful one after a [`second_look`]. What looks alike is then told by
//! the word it stands in (`look_alikes.rs`), spaces that no print has are taken out (`spacing.rs`), and the sign before the decimals of amounts is
//! told by their page (`decimal_signs.rs`).
//!
//! Lines are never padded to a common width, which costs accuracy; they run side by side, each on one thread.

pub mod beam;
pub mod charset;
pub mod crop;
mod decimal_signs;
pub mod decode;
pub mod language;
mod look_alikes;
pub mod network;
pub mod second_look;
mod spacing;

use candle_core::{DType, Device};
use candle_nn::VarBuilder;
use image::GrayImage;
use rayon::prelude::*;
use thiserror::Error;

use crate::geometry::Quad;
use crate::kernels::{Buffer, FeatureMap, Packed, Shape, Threads};
use crate::resample::ResampleError;
use beam::Weights;
pub use decode::Reading;
use language::LanguageModel;
use network::{Config, Network};
use second_look::Look;

#[derive(Debug, Error)]
pub enum RecogniseError {
    #[error("can't bring line {line} to the recogniser's height")]
    Resample { line: usize, source: ResampleError },
    #[error("the recogniser failed on line {line}")]
    Network { line: usize, source: candle_core::Error },
}

/// Reads lines of text.
pub struct Recogniser {
    backend: Packed,
    network: Network<Packed>,
    language: Option<LanguageModel>,
}

impl Recogniser {
    /// From weights of [`Config::cellarbook`].
    pub fn from_safetensors(weights: &[u8]) -> candle_core::Result<Self> {
        let backend = Packed::new(Threads::One).in_bytes();
        let weights = VarBuilder::from_slice_safetensors(weights, DType::F32, &Device::Cpu)?;
        let network = Network::new(&backend, &Config::cellarbook(), weights)?;
        Ok(Self { backend, network, language: None })
    }

    /// Lets a language model have a say where the network is in doubt.
    pub fn with_language(self, model: LanguageModel) -> Self {
        Self { language: Some(model), ..self }
    }

    /// A reading for each quad, in their order; an empty one where there is nothing to read.
    pub fn read(&self, page: &GrayImage, quads: &[Quad]) -> Result<Vec<Reading>, RecogniseError> {
        let one_at_a_time = quads.par_iter().with_max_len(1).enumerate();
        let mended = |reading: Reading| Reading { text: spacing::mend(&look_alikes::mend(&reading.text)).into_owned(), ..reading };
        let mut readings: Vec<Reading> =
            one_at_a_time.map(|(line, quad)| self.read_one(page, quad, line).map(mended)).collect::<Result<_, _>>()?;
        decimal_signs::mend(&mut readings);
        Ok(readings)
    }

    fn read_one(&self, page: &GrayImage, quad: &Quad, line: usize) -> Result<Reading, RecogniseError> {
        let logits = |quad: &Quad| {
            let image = crop::line_image(page, quad).map_err(|source| RecogniseError::Resample { line, source })?;
            image.map(|image| self.logits(&image)).transpose().map_err(|source| RecogniseError::Network { line, source })
        };
        let Some(first) = logits(quad)? else { return Ok(Reading { text: String::new(), confidence: 0.0 }) };
        let Some(model) = &self.language else { return Ok(decode::best_path(first.values(), first.shape.c)) };
        let look = |logits: FeatureMap| {
            let candidates = beam::search(logits.values(), logits.shape.c, model, Weights::default());
            Look::new(logits, candidates)
        };
        let first = look(first);
        if !first.is_doubtful() {
            return Ok(first.best().reading());
        }
        let mut looks = vec![first];
        for shift in second_look::SHIFTS {
            looks.extend(logits(&second_look::moved(quad, shift))?.map(look));
        }
        Ok(second_look::agreed(&looks).reading())
    }

    /// What the network says of each column of a line: `[1, 1, columns, classes]`.
    pub fn logits(&self, line: &GrayImage) -> candle_core::Result<FeatureMap> {
        self.network.forward(&self.backend, &normalise(line))
    }
}

fn normalise(line: &GrayImage) -> FeatureMap {
    let shape = Shape { n: 1, h: line.height() as usize, w: line.width() as usize, c: 1 };
    let mut input = Buffer::unset(shape.len());
    for (to, &grey) in input.as_mut_slice().iter_mut().zip(line.as_raw()) {
        *to = input_value(grey);
    }
    FeatureMap::new(shape, input)
}

/// A grey value as the network sees it: black is -1, white 1.
pub fn input_value(grey: u8) -> f32 {
    f32::from(grey) / 127.5 - 1.0
}
