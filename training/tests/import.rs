//! Imported networks compute what ONNX Runtime computes, with every set of instructions of this machine.
//! `training/reference/make_reference.py` wrote what is compared with.

#![allow(clippy::unwrap_used)] // a test may panic

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use candle_core::{DType, Device, Tensor};
use candle_nn::VarBuilder;
use engine::blocks::StageConfig;
use engine::kernels::{FeatureMap, Isa, Packed, Shape, Threads};
use engine::recognise::charset;
use engine::{localise, recognise};
use training::import::{Source, import};

fn reference(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference").join(name)
}

/// The published files, which not every machine has.
fn published(name: &str) -> Option<PathBuf> {
    let shared =
        std::env::var_os("CELLARBOOK_SHARED").map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"), PathBuf::from);
    let path = shared.join("models/pp-ocrv6").join(name);
    if path.exists() {
        return Some(path);
    }
    eprintln!("skipped: there is no {}", path.display());
    None
}

struct Case {
    input: FeatureMap,
    /// Rows of values.
    expected: Vec<Vec<f32>>,
}

fn case(name: &str) -> Case {
    let tensors: HashMap<String, Tensor> = candle_core::safetensors::load(reference(name), &Device::Cpu).unwrap();
    let (h, w) = tensors["input"].dims2().unwrap();
    let input = tensors["input"].flatten_all().unwrap().to_vec1().unwrap();
    Case { input: FeatureMap::from_slice(Shape { n: 1, h, w, c: 1 }, &input), expected: tensors["output"].to_vec2().unwrap() }
}

/// The weights that `import` writes for this file.
fn imported(onnx: &Path, source: &Source) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("weights.safetensors");
    import(onnx, source, &out).unwrap();
    std::fs::read(out).unwrap()
}

fn backends() -> impl Iterator<Item = Packed> {
    Isa::available().into_iter().flat_map(|isa| [Packed::with_isa(isa, Threads::One), Packed::with_isa(isa, Threads::All)])
}

fn assert_close(found: &FeatureMap, expected: &[Vec<f32>], tolerance: f32) {
    let (rows, columns) = (expected.len(), found.values().len() / expected.len());
    for (i, (row, expected)) in found.values().chunks(columns).zip(expected).enumerate() {
        for (j, (a, b)) in row.iter().zip(expected).enumerate() {
            assert!((a - b).abs() < tolerance, "row {i} of {rows}, column {j}: {a}, not {b}");
        }
    }
}

fn check_detector(onnx: &Path, config: localise::network::Config, case: &Case, tolerance: f32) {
    let weights = imported(onnx, &Source::Detector { config: config.clone() });
    for backend in backends() {
        let weights = VarBuilder::from_slice_safetensors(&weights, DType::F32, &Device::Cpu).unwrap();
        let network = localise::network::Network::new(&backend, &config, weights).unwrap();
        assert_close(&network.forward(&backend, &case.input).unwrap(), &case.expected, tolerance);
    }
}

/// Compares the classes that the reference holds: the blank and printable ASCII, which are the first of ours.
fn check_recogniser(onnx: &Path, config: recognise::network::Config, dictionary: PathBuf, case: &Case, tolerance: f32) {
    let weights = imported(onnx, &Source::Recogniser { config: config.clone(), dictionary });
    for backend in backends() {
        let weights = VarBuilder::from_slice_safetensors(&weights, DType::F32, &Device::Cpu).unwrap();
        let network = recognise::network::Network::new(&backend, &config, weights).unwrap();
        let logits = network.forward(&backend, &case.input).unwrap();
        assert_eq!((logits.shape.h, logits.shape.w), (1, case.expected.len()));
        // The graph ends in a softmax, and so does what must agree; logits of 40 have no absolute precision of 1e-3 in 32 bits.
        let columns = logits.values().chunks(logits.shape.c).zip(&case.expected);
        for (column, (found, expected)) in columns.enumerate() {
            for (a, b) in softmax(&found[..expected.len()]).zip(softmax(expected)) {
                assert!((a - b).abs() < tolerance, "column {column}: probability {a}, not {b}");
            }
            let largest = expected.iter().fold(1.0, |largest: f32, l| largest.max(l.abs()));
            for (a, b) in found.iter().zip(expected) {
                assert!((a - b).abs() < tolerance * largest, "column {column}: logit {a}, not {b}");
            }
        }
    }
}

fn softmax(logits: &[f32]) -> impl Iterator<Item = f32> {
    let largest = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f32 = logits.iter().map(|l| (l - largest).exp()).sum();
    logits.iter().map(move |l| (l - largest).exp() / sum)
}

#[test]
fn the_published_detector() {
    let Some(onnx) = published("det_tiny.onnx") else { return };
    check_detector(&onnx, localise::network::Config::pp_ocrv6_tiny(), &case("localise.safetensors"), 1e-3);
}

#[test]
fn the_published_recogniser() {
    let (Some(onnx), Some(dictionary)) = (published("rec_tiny.onnx"), published("dict_tiny.txt")) else { return };
    let config = recognise::network::Config::pp_ocrv6_tiny();
    check_recogniser(&onnx, config, dictionary, &case("recognise.safetensors"), 1e-3);
}

#[test]
fn a_recogniser_of_a_quarter_of_the_channels() {
    let config = recognise::network::Config {
        stem: 6,
        stages: vec![
            StageConfig::new(12, &[true, false]),
            StageConfig::new(24, &[true, false]),
            StageConfig::new(40, &[true, false, false]),
        ],
        head: 20,
        ..recognise::network::Config::pp_ocrv6_tiny()
    };
    let folder = tempfile::tempdir().unwrap();
    let dictionary = folder.path().join("dictionary.txt");
    // The graph has 256 classes: the blank, our characters, others, the space.
    let characters = charset::CHARACTERS.chars().filter(|&c| c != ' ').chain('\u{e000}'..).take(254);
    std::fs::write(&dictionary, characters.map(|c| format!("{c}\n")).collect::<String>()).unwrap();
    check_recogniser(&reference("recognise_quarter.onnx"), config, dictionary, &case("recognise_quarter.safetensors"), 1e-4);
}
