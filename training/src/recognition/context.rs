//! Blocks of context for a network that has none: each starts as the identity, so that the network reads as it did before, and
//! grows from there (Chen et al., "Net2Net", 2016, <https://arxiv.org/abs/1511.05641>).

use candle_core::{DType, Device, Result, Tensor};
use engine::blocks::EXPANSION;
use engine::recognise::network::Config;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::collections::HashMap;

/// The weights with blocks of context added where `weights` has none.
pub fn grown(mut weights: HashMap<String, Tensor>, config: &Config) -> Result<HashMap<String, Tensor>> {
    let Some(channels) = config.stages.last().map(|stage| stage.channels) else { return Ok(weights) };
    for block in 0..config.context {
        for (name, tensor) in identity(channels, config.context_kernel, block as u64)? {
            weights.entry(format!("context.{block}.{name}")).or_insert(tensor);
        }
    }
    Ok(weights)
}

/// A block that gives back what it gets: its filter hands on the middle column, and what its perceptron would add is zero.
fn identity(channels: usize, kernel: usize, seed: u64) -> Result<[(&'static str, Tensor); 6]> {
    let device = &Device::Cpu;
    let hidden = EXPANSION * channels;
    let mut filter = vec![0f32; kernel * channels];
    filter[kernel / 2 * channels..][..channels].fill(1.0);
    // Uniform, so wide that the hidden values keep the input's deviation.
    let bound = (3.0 / channels as f32).sqrt();
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let expand = (0..channels * hidden).map(|_| rng.random_range(-bound..bound)).collect::<Vec<f32>>();
    Ok([
        ("depthwise.weight", Tensor::from_vec(filter, (1, kernel, channels), device)?),
        ("depthwise.bias", Tensor::zeros(channels, DType::F32, device)?),
        ("expand.weight", Tensor::from_vec(expand, (1, 1, channels, hidden), device)?),
        ("expand.bias", Tensor::zeros(hidden, DType::F32, device)?),
        ("project.weight", Tensor::zeros((1, 1, hidden, channels), DType::F32, device)?),
        ("project.bias", Tensor::zeros(channels, DType::F32, device)?),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use candle_nn::VarBuilder;
    use engine::kernels::gradients::Gradients;
    use engine::recognise::network::{LINE_HEIGHT, Network};

    #[test]
    fn a_grown_network_reads_as_before() {
        let shallow = Config { context: 0, ..Config::cellarbook() };
        let variables = candle_nn::VarMap::new();
        let builder = VarBuilder::from_varmap(&variables, DType::F32, &Device::Cpu);
        let before = Network::new(&Gradients, &shallow, builder).unwrap();
        let weights: HashMap<_, _> =
            variables.data().lock().unwrap().iter().map(|(name, v)| (name.clone(), v.as_tensor().clone())).collect();
        let grown = grown(weights, &Config::cellarbook()).unwrap();
        let after = Network::new(&Gradients, &Config::cellarbook(), VarBuilder::from_tensors(grown, DType::F32, &Device::Cpu)).unwrap();
        let line = Tensor::rand(-1f32, 1f32, (1, LINE_HEIGHT, 40, 1), &Device::Cpu).unwrap();
        let read =
            |network: &Network<Gradients>| network.forward(&Gradients, &line).unwrap().flatten_all().unwrap().to_vec1::<f32>().unwrap();
        assert!(read(&before).iter().zip(read(&after)).all(|(a, b)| (a - b).abs() < 1e-5));
    }
}
