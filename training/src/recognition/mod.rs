//! Training of the recogniser: CTC on lines cut from receipts (case-folded) and on synthetic lines (exact).

mod augment;
mod context;
mod lines;
mod recompose;
mod reprint;

pub use lines::{LineBatch, LineError, Lines};
pub use recompose::Recomposer;

use crate::checkpoint;
use crate::ctc::ctc_loss;
use crate::fit::{Loss, Task};
use crate::metrics::recognition::{CharacterErrors, Form, words};
use crate::metrics::{Tally, recognition::bag_of_words};
use crate::receipts::Receipts;
use candle_core::{Device, Result, Tensor};
use candle_nn::VarMap;
use engine::geometry::Quad;
use engine::kernels::gradients::Gradients;
use engine::recognise::Recogniser;
use engine::recognise::network::{Config, LINE_HEIGHT, Network};

/// The recogniser in training.
pub struct Recognition {
    network: Network<Gradients>,
    device: Device,
    /// Held-back receipts, read with their labelled boxes.
    held_back: Receipts,
}

impl Recognition {
    /// A network with the weights `init` (safetensors) in `variables`, or with random ones. Weights of the published network will
    /// do: blocks of context that are not in them start as if they were not there.
    pub fn new(variables: &VarMap, init: Option<&[u8]>, device: Device, held_back: Receipts) -> Result<Self> {
        let config = Config::cellarbook();
        let init = init.map(checkpoint::decode_tensors).transpose()?.map(|init| context::grown(init, &config)).transpose()?;
        let network = checkpoint::network(variables, init.as_ref(), &device, |weights| Network::new(&Gradients, &config, weights))?;
        Ok(Self { network, device, held_back })
    }
}

impl Task for Recognition {
    type Batch = LineBatch;

    fn loss(&self, batch: &LineBatch) -> Result<Loss> {
        let samples = batch.targets.len();
        let lines = Tensor::from_slice(&batch.pixels, (samples, LINE_HEIGHT, batch.width, 1), &self.device)?;
        let logits = self.network.forward(&Gradients, &lines)?.squeeze(1)?;
        let (value, tensor) = ctc_loss(&logits, &batch.targets)?;
        Ok(Loss { value, tensor, samples })
    }

    /// Word F1 (letters and digits), line accuracy and character accuracy in the labelled boxes.
    fn validate(&self, weights: &[u8]) -> std::result::Result<Vec<(&'static str, f64)>, Box<dyn std::error::Error + Send + Sync>> {
        let recogniser = Recogniser::from_safetensors(weights)?;
        let (mut tally, mut errors) = (Tally::default(), CharacterErrors::default());
        let (mut right, mut lines) = (0, 0);
        for (receipt, page) in self.held_back.iter() {
            let quads: Vec<Quad> = receipt.lines.iter().map(|line| line.quad).collect();
            let readings = recogniser.read(page, &quads)?;
            let truth = || receipt.lines.iter().map(|line| line.text.as_str());
            tally += bag_of_words(truth(), readings.iter().map(|r| r.text.as_str()), Form::LettersAndDigits);
            for (truth, reading) in truth().zip(&readings) {
                let (truth, read) = (truth.to_uppercase(), reading.text.to_uppercase());
                errors += CharacterErrors::of(&truth, &read);
                right += usize::from(words([truth.as_str()], Form::Exact) == words([read.as_str()], Form::Exact));
                lines += 1;
            }
        }
        let accuracy = right as f64 / f64::max(lines as f64, 1.0);
        Ok(vec![("word F1", tally.f1()), ("line accuracy", accuracy), ("character accuracy", 1.0 - errors.rate())])
    }
}
