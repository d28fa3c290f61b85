//! Words to candidate fields and line items.
//!
//! Lines are put in reading order ([`rows`]), candidates for values are found by shape ([`candidates`]), both are described by
//! numbers ([`features`]), a small transformer says what they are ([`network`]), and its answers become the draft
//! ([`decode`], [`items`]).

pub mod batch;
pub mod beliefs;
pub mod candidates;
mod companies;
mod decode;
pub mod draft;
pub mod features;
mod items;
pub mod keywords;
mod kind;
pub mod labels;
mod legal_form;
mod letters;
mod names;
pub mod network;
mod parties;
mod payment;
pub mod rows;
pub mod runs;
mod specimen;
#[cfg(test)]
mod testing;
mod vat;
pub mod vocabulary;

use candle_core::{DType, Device};
use candle_nn::VarBuilder;
use rayon::prelude::*;
use safetensors::SafeTensors;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::text::{PageSize, TextLine};
use batch::Batch;
use beliefs::Beliefs;
use candidates::Candidate;
use draft::{DocumentType, Draft};
use features::Features;
use network::{Config, Network, Serving};
use rows::ReadingOrder;
use runs::Run;
use vocabulary::Vocabulary;

/// Name of the metadata entry of the weights file that holds its [`Header`] as JSON.
pub const METADATA_KEY: &str = "understanding";

/// What the weights file says of itself.
#[derive(Debug, Serialize, Deserialize)]
pub struct Header {
    /// Networks in the file, as tensors `0.*`, `1.*` ...
    pub members: Vec<Config>,
    /// The vocabulary in the JSON form of `tokenizers`.
    pub vocabulary: String,
}

/// Lines beyond this many are not read: no document of goods is so long, and memory has a bound.
const LINES_MAX: usize = 4000;

#[derive(Debug, Error)]
pub enum UnderstandError {
    #[error("the understanding weights are no safetensors file")]
    NotSafetensors(#[source] safetensors::SafeTensorError),
    #[error("the understanding weights lack the metadata entry {METADATA_KEY:?}: they were not written by `train understanding`")]
    HeaderMissing,
    #[error("the metadata entry {METADATA_KEY:?} of the understanding weights cannot be read")]
    Header(#[source] serde_json::Error),
    #[error("the vocabulary in the understanding weights cannot be read")]
    Vocabulary(#[source] tokenizers::Error),
    #[error("the understanding weights do not fit the network")]
    Weights(#[source] candle_core::Error),
    #[error("a line could not be split into words")]
    Words(#[source] tokenizers::Error),
    #[error("the understanding network failed")]
    Network(#[source] candle_core::Error),
}

/// Several networks, trained from different seeds, whose probabilities are averaged; and their vocabulary.
pub struct Understander {
    networks: Vec<Network>,
    vocabulary: Vocabulary,
}

impl Understander {
    /// From a file as `train understanding` writes it; the vocabulary stands in its metadata.
    pub fn from_safetensors(bytes: &[u8]) -> Result<Self, UnderstandError> {
        let (_, entries) = SafeTensors::read_metadata(bytes).map_err(UnderstandError::NotSafetensors)?;
        let header = entries.metadata().as_ref().and_then(|entries| entries.get(METADATA_KEY)).ok_or(UnderstandError::HeaderMissing)?;
        let header: Header = serde_json::from_str(header).map_err(UnderstandError::Header)?;
        let vocabulary = Vocabulary::from_json(&header.vocabulary).map_err(UnderstandError::Vocabulary)?;
        let weights = VarBuilder::from_slice_safetensors(bytes, DType::F32, &Device::Cpu).map_err(UnderstandError::Weights)?;
        let network = |(member, config)| Network::new(config, weights.pp(member)).map_err(UnderstandError::Weights);
        Ok(Self { networks: header.members.iter().enumerate().map(network).collect::<Result<_, _>>()?, vocabulary })
    }

    /// What the lines of a document may mean. A document without text is of type `OTHER` and has no fields.
    pub fn draft(&self, lines: &[TextLine], pages: &[PageSize]) -> Result<Draft, UnderstandError> {
        let order = ReadingOrder::new(&lines[..lines.len().min(LINES_MAX)], pages);
        let candidates = find_candidates(&order);
        let runs = runs::find(&order);
        let Some(mut beliefs) = self.beliefs(&order, &candidates, &runs)? else { return Ok(blank()) };
        beliefs.types = kind::probabilities(&order, &candidates, beliefs.types);
        parties::weigh(&order, &candidates, &runs, &mut beliefs);
        Ok(decode::draft(&order, &candidates, &runs, &beliefs))
    }

    /// Reads a document of its own and forgets it: the patterns that documents are read with are compiled when they are first needed,
    /// which takes twice as long as reading a receipt.
    pub fn warm_up(&self) {
        let (lines, pages) = specimen::lines();
        if let Err(error) = self.draft(&lines, &pages) {
            tracing::warn!(%error, "the specimen cannot be read");
        }
    }

    /// The networks' mean probabilities; `None` where there is nothing to read.
    fn beliefs(&self, order: &ReadingOrder, candidates: &[Candidate], runs: &[Run]) -> Result<Option<Beliefs>, UnderstandError> {
        if order.lines.is_empty() {
            return Ok(None);
        }
        let features = Features::new(order, candidates, runs, &self.vocabulary).map_err(UnderstandError::Words)?;
        let batch = Batch::new(&[&features], &Device::Cpu).map_err(UnderstandError::Network)?;
        let one = |network: &Network| Beliefs::new(&features, &network.forward(&batch, &mut Serving)?);
        let all = self.networks.par_iter().map(one).collect::<candle_core::Result<Vec<_>>>().map_err(UnderstandError::Network)?;
        Ok(Beliefs::mean(&all))
    }
}

/// The candidates of all lines, in reading order.
pub fn find_candidates(order: &ReadingOrder) -> Vec<Candidate> {
    order.lines.iter().enumerate().flat_map(|(i, line)| candidates::find(i, &line.text)).collect()
}

fn blank() -> Draft {
    Draft {
        document_type: DocumentType::Other,
        document_type_probability: 1.0,
        header: Vec::new(),
        items: Vec::new(),
        vat: Vec::new(),
        longer_names: Vec::new(),
        rate_codes: Vec::new(),
        payment: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHIPPED: &[u8] = include_bytes!("../../models/understand.safetensors");

    #[test]
    fn shipped_weights_fit_and_a_page_without_text_has_no_fields() {
        let understander = Understander::from_safetensors(SHIPPED).unwrap();
        let page = [PageSize { width: 100, height: 100 }];
        assert_eq!(understander.draft(&[], &page).unwrap(), blank());
    }

    #[test]
    fn files_that_are_no_weights_are_refused() {
        assert!(matches!(Understander::from_safetensors(b"no weights"), Err(UnderstandError::NotSafetensors(_))));
        let foreign = include_bytes!("../../models/recognise.safetensors");
        assert!(matches!(Understander::from_safetensors(foreign), Err(UnderstandError::HeaderMissing)));
    }
}
