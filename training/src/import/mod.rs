//! Weights of PP-OCRv6 (ONNX) to weights of our networks (safetensors).
//!
//! Our networks construct their layers in the order in which data passes them, and so does the graph list them: the two lists
//! are laid side by side, shapes are checked, weights turned into our layouts.

mod graph;
pub mod onnx;

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use candle_core::{DType, Device};
use candle_nn::VarBuilder;
use engine::layers::{Backend, Connection, ConvSpec};
use engine::{localise, recognise};
use prost::Message;
use safetensors::tensor::{Dtype, TensorView};
use thiserror::Error;

use graph::{Layer, Layout};

/// What is imported: a network of PP-OCRv6, of the sizes that the configuration says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    Detector {
        config: localise::network::Config,
    },
    /// The classes are those of the dictionary: a character a line.
    Recogniser {
        config: recognise::network::Config,
        dictionary: PathBuf,
    },
}

impl Source {
    /// The published detector.
    pub fn detector() -> Self {
        Self::Detector { config: localise::network::Config::pp_ocrv6_tiny() }
    }

    /// The published recogniser.
    pub fn recogniser(dictionary: PathBuf) -> Self {
        Self::Recogniser { config: recognise::network::Config::pp_ocrv6_tiny(), dictionary }
    }
}

#[derive(Debug, Error)]
pub enum ImportError {
    #[error("can't read {path}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("{path} is no ONNX file")]
    Decode { path: PathBuf, source: prost::DecodeError },
    #[error("{path} holds no graph")]
    Empty { path: PathBuf },
    #[error("the weights of node {node} are not in the file as 32-bit floats")]
    Weights { node: String },
    #[error("the graph has {found} layers with weights, the network {expected}")]
    LayerCount { expected: usize, found: usize },
    #[error("layer {layer}: the graph has weights of shape {found:?}, which don't fit {expected:?}")]
    Shape { layer: String, expected: Box<ConvSpec>, found: Vec<usize> },
    #[error("the dictionary has no {character:?}")]
    Character { character: char },
    #[error("can't construct the network")]
    Network { source: candle_core::Error },
    #[error("can't lay the tensors out as safetensors")]
    Tensors { source: safetensors::SafeTensorError },
    #[error("can't write {path}")]
    Write { path: PathBuf, source: std::io::Error },
}

/// Reads the ONNX file and writes the weights of our network to `out`.
pub fn import(onnx: &Path, source: &Source, out: &Path) -> Result<(), ImportError> {
    let bytes = read(onnx)?;
    let model = onnx::Model::decode(bytes.as_slice()).map_err(|source| ImportError::Decode { path: onnx.into(), source })?;
    let graph = model.graph.ok_or_else(|| ImportError::Empty { path: onnx.into() })?;
    let mut layers = graph::layers(&graph)?;
    if let Source::Recogniser { dictionary, .. } = source {
        let text = String::from_utf8_lossy(&read(dictionary)?).into_owned();
        if let Some(classifier) = layers.last_mut() {
            keep_columns(classifier, &columns_of_charset(&text)?);
        }
    }
    let tensors = convert(&slots(source)?, &layers)?;
    std::fs::write(out, serialise(&tensors, source)?).map_err(|source| ImportError::Write { path: out.into(), source })
}

fn read(path: &Path) -> Result<Vec<u8>, ImportError> {
    std::fs::read(path).map_err(|source| ImportError::Read { path: path.into(), source })
}

/// The places of our network that want weights, in order.
fn slots(source: &Source) -> Result<Vec<(String, ConvSpec)>, ImportError> {
    let backend = Listing::default();
    let nothing = VarBuilder::zeros(DType::F32, &Device::Cpu);
    match source {
        Source::Detector { config } => localise::network::Network::new(&backend, config, nothing).map(drop),
        Source::Recogniser { config, .. } => recognise::network::Network::new(&backend, config, nothing).map(drop),
    }
    .map_err(|source| ImportError::Network { source })?;
    Ok(backend.slots.into_inner())
}

/// A backend that computes nothing and lists the layers that a network constructs.
#[derive(Default)]
struct Listing {
    slots: RefCell<Vec<(String, ConvSpec)>>,
}

impl Backend for Listing {
    type Map = ();
    type Conv = ();

    fn conv(&self, spec: ConvSpec, weights: VarBuilder) -> candle_core::Result<()> {
        self.slots.borrow_mut().push((weights.prefix(), spec));
        Ok(())
    }
    fn forward(&self, (): &(), (): &()) -> candle_core::Result<()> {
        Ok(())
    }
    fn add(&self, (): &(), (): &()) -> candle_core::Result<()> {
        Ok(())
    }
    fn scale(&self, (): &(), (): &()) -> candle_core::Result<()> {
        Ok(())
    }
    fn mean(&self, (): &()) -> candle_core::Result<()> {
        Ok(())
    }
    fn concat(&self, _: &[&()]) -> candle_core::Result<()> {
        Ok(())
    }
    fn upsample(&self, (): &(), _: usize) -> candle_core::Result<()> {
        Ok(())
    }
    fn max_pool_2x2(&self, (): &()) -> candle_core::Result<()> {
        Ok(())
    }
    fn average_pool(&self, (): &(), _: (usize, usize)) -> candle_core::Result<()> {
        Ok(())
    }
    fn depth_to_space(&self, (): &()) -> candle_core::Result<()> {
        Ok(())
    }
}

/// For each class of ours, its column in PP-OCR's classifier: the blank, then the dictionary, then the space.
fn columns_of_charset(dictionary: &str) -> Result<Vec<usize>, ImportError> {
    let mut columns: HashMap<&str, usize> = dictionary.lines().zip(1..).collect();
    columns.insert(" ", dictionary.lines().count() + 1);
    let characters = recognise::charset::CHARACTERS.chars().map(|character| {
        let column = columns.get(character.encode_utf8(&mut [0; 4]) as &str);
        column.copied().ok_or(ImportError::Character { character })
    });
    std::iter::once(Ok(recognise::charset::BLANK)).chain(characters).collect()
}

/// Narrows a linear layer to some of its outputs; does nothing to a layer that lacks them, whose shape is complained about later.
fn keep_columns(layer: &mut Layer, columns: &[usize]) {
    let &[cin, cout] = layer.shape.as_slice() else { return };
    if columns.iter().any(|&c| c >= cout) {
        return;
    }
    layer.weight = layer.weight.chunks(cout).flat_map(|row| columns.iter().map(|&c| row[c])).collect();
    layer.bias = layer.bias.as_ref().map(|bias| columns.iter().map(|&c| bias[c]).collect());
    layer.shape = vec![cin, columns.len()];
}

struct Values {
    shape: Vec<usize>,
    values: Vec<f32>,
}

fn convert(slots: &[(String, ConvSpec)], layers: &[Layer]) -> Result<BTreeMap<String, Values>, ImportError> {
    if slots.len() != layers.len() {
        return Err(ImportError::LayerCount { expected: slots.len(), found: layers.len() });
    }
    let mut tensors = BTreeMap::new();
    for ((name, spec), layer) in slots.iter().zip(layers) {
        let misfit = || ImportError::Shape { layer: name.clone(), expected: Box::new(*spec), found: layer.shape.clone() };
        tensors.insert(format!("{name}.weight"), weight(spec, layer).ok_or_else(misfit)?);
        if spec.bias {
            let values = bias(spec, layer).ok_or_else(misfit)?;
            tensors.insert(format!("{name}.bias"), Values { shape: vec![spec.cout], values });
        }
    }
    Ok(tensors)
}

/// Weights in our layout (see [`engine::layers`]), if they fit.
fn weight(spec: &ConvSpec, layer: &Layer) -> Option<Values> {
    let (kh, kw) = spec.kernel;
    let w = &layer.weight;
    let (shape, values) = match (layer.layout, spec.connection, layer.shape.as_slice()) {
        (Layout::Convolution, Connection::Depthwise, &[cout, 1, h, wd]) if cout == spec.cout && (h, wd) == (kh, kw) => {
            let taps = kh * kw;
            (vec![kh, kw, cout], (0..taps).flat_map(|tap| (0..cout).map(move |c| w[c * taps + tap])).collect())
        }
        (Layout::Convolution, Connection::Dense, &[cout, cin, h, wd]) if cout == spec.cout && (h, wd) == (kh, kw) => {
            (vec![kh, kw, spec.cin, cout], dense(w, cout, cin, kh * kw, spec.cin)?)
        }
        (Layout::Linear, Connection::Dense, &[cin, cout]) if (cin, cout) == (spec.cin, spec.cout) && (kh, kw) == (1, 1) => {
            (vec![1, 1, cin, cout], w.clone())
        }
        // As a 1x1 convolution to the four pixels that each pixel becomes.
        (Layout::TransposedConvolution, Connection::Dense, &[cin, cout, 2, 2]) if (cin, 4 * cout) == (spec.cin, spec.cout) => {
            let of_input = |i: usize| (0..4).flat_map(move |pixel| (0..cout).map(move |o| w[(i * cout + o) * 4 + pixel]));
            (vec![1, 1, cin, 4 * cout], (0..cin).flat_map(of_input).collect())
        }
        _ => return None,
    };
    Some(Values { shape, values })
}

/// `[cout, cin, taps] -> [taps, channels, cout]`. One channel in place of several is their sum: what a grey picture gives.
fn dense(w: &[f32], cout: usize, cin: usize, taps: usize, channels: usize) -> Option<Vec<f32>> {
    let at = |o: usize, i: usize, tap: usize| w[(o * cin + i) * taps + tap];
    let mut values = Vec::with_capacity(taps * channels * cout);
    for tap in 0..taps {
        match channels {
            1 => values.extend((0..cout).map(|o| (0..cin).map(|i| at(o, i, tap)).sum::<f32>())),
            _ if channels == cin => values.extend((0..cin).flat_map(|i| (0..cout).map(move |o| at(o, i, tap)))),
            _ => return None,
        }
    }
    Some(values)
}

fn bias(spec: &ConvSpec, layer: &Layer) -> Option<Vec<f32>> {
    let bias = layer.bias.as_ref()?;
    let times = if layer.layout == Layout::TransposedConvolution { 4 } else { 1 };
    (bias.len() * times == spec.cout).then(|| bias.repeat(times))
}

fn serialise(tensors: &BTreeMap<String, Values>, source: &Source) -> Result<Vec<u8>, ImportError> {
    let (network, origin) = match source {
        Source::Detector { .. } => ("localise", "PP-OCRv6 detector, tiny (PaddleOCR, Apache-2.0)"),
        Source::Recogniser { .. } => ("recognise", "PP-OCRv6 recogniser, tiny (PaddleOCR, Apache-2.0), classes cut to the charset"),
    };
    let metadata = HashMap::from([("network".to_owned(), network.to_owned()), ("source".to_owned(), origin.to_owned())]);
    let bytes: BTreeMap<&String, Vec<u8>> =
        tensors.iter().map(|(name, t)| (name, t.values.iter().flat_map(|v| v.to_le_bytes()).collect())).collect();
    let views = bytes.iter().map(|(name, bytes)| Ok((*name, TensorView::new(Dtype::F32, tensors[*name].shape.clone(), bytes)?)));
    let views = views.collect::<Result<Vec<_>, _>>();
    views.and_then(|views| safetensors::serialize(views, Some(metadata))).map_err(|source| ImportError::Tensors { source })
}

#[cfg(test)]
mod tests {
    use super::*;
    use engine::layers::Activation;

    #[test]
    fn a_dense_convolution_is_transposed_to_taps_inputs_outputs() {
        let layer = Layer { layout: Layout::Convolution, shape: vec![2, 2, 1, 2], weight: (0..8).map(|v| v as f32).collect(), bias: None };
        let spec = ConvSpec { kernel: (1, 2), ..ConvSpec::dense(2, 2, 1) };
        let Values { shape, values } = weight(&spec, &layer).unwrap();
        assert_eq!(shape, [1, 2, 2, 2]);
        assert_eq!(values, [0.0, 4.0, 2.0, 6.0, 1.0, 5.0, 3.0, 7.0]);
    }

    #[test]
    fn colours_become_one_grey_channel() {
        let layer = Layer { layout: Layout::Convolution, shape: vec![1, 3, 1, 1], weight: vec![1.0, 10.0, 100.0], bias: None };
        assert_eq!(weight(&ConvSpec::dense(1, 1, 1), &layer).unwrap().values, [111.0]);
    }

    #[test]
    fn a_transposed_convolution_becomes_a_linear_layer_to_four_pixels() {
        // one input, two outputs: pixels (dy, dx) of the first 0..4, of the second 4..8
        let layer = Layer {
            layout: Layout::TransposedConvolution,
            shape: vec![1, 2, 2, 2],
            weight: (0..8).map(|v| v as f32).collect(),
            bias: Some(vec![1.0, 2.0]),
        };
        let spec = ConvSpec::dense(1, 8, 1).activation(Activation::Relu);
        assert_eq!(weight(&spec, &layer).unwrap().values, [0.0, 4.0, 1.0, 5.0, 2.0, 6.0, 3.0, 7.0]);
        assert_eq!(bias(&spec, &layer).unwrap(), [1.0, 2.0].repeat(4));
    }

    #[test]
    fn a_missing_character_is_named() {
        assert!(matches!(columns_of_charset("a\nb\n"), Err(ImportError::Character { character: '!' })));
    }

    #[test]
    fn a_graph_of_another_network_is_refused() {
        let slots = slots(&Source::detector()).unwrap();
        assert!(matches!(convert(&slots, &[]), Err(ImportError::LayerCount { found: 0, .. })));
        let layer = Layer { layout: Layout::Linear, shape: vec![3, 3], weight: vec![0.0; 9], bias: None };
        let layers = vec![layer; slots.len()];
        assert!(matches!(convert(&slots, &layers), Err(ImportError::Shape { layer, .. }) if layer == "stem.first"));
    }
}
