//! The layers with weights of an ONNX graph, in the order in which it lists them.

use std::collections::HashMap;

use super::ImportError;
use super::onnx::{Graph, Initializer, Node};

/// How a layer's weights lie in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// `[cout, cin / groups, kh, kw]`
    Convolution,
    /// `[cin, cout, kh, kw]`
    TransposedConvolution,
    /// `[cin, cout]`
    Linear,
}

/// A convolution or linear layer with what was added to it: a bias, or a batch normalisation, folded in.
#[derive(Debug, Clone, PartialEq)]
pub struct Layer {
    pub layout: Layout,
    pub shape: Vec<usize>,
    pub weight: Vec<f32>,
    /// One value an output channel.
    pub bias: Option<Vec<f32>>,
}

/// Finds the layers of `graph`.
pub fn layers(graph: &Graph) -> Result<Vec<Layer>, ImportError> {
    let walk = Walk::new(graph);
    let laid_out = |node: &Node| match node.op_type.as_str() {
        "Conv" => Some(Layout::Convolution),
        "ConvTranspose" => Some(Layout::TransposedConvolution),
        "MatMul" => Some(Layout::Linear),
        _ => None,
    };
    graph.node.iter().filter_map(|node| Some(walk.layer(node, laid_out(node)?))).collect()
}

struct Walk<'a> {
    initializers: HashMap<&'a str, &'a Initializer>,
    consumers: HashMap<&'a str, Vec<&'a Node>>,
}

impl<'a> Walk<'a> {
    fn new(graph: &'a Graph) -> Self {
        let mut consumers: HashMap<&str, Vec<&Node>> = HashMap::new();
        for node in &graph.node {
            for input in &node.input {
                consumers.entry(input).or_default().push(node);
            }
        }
        Self { initializers: graph.initializer.iter().map(|i| (i.name.as_str(), i)).collect(), consumers }
    }

    fn layer(&self, node: &Node, layout: Layout) -> Result<Layer, ImportError> {
        let missing = || ImportError::Weights { node: node.output.first().cloned().unwrap_or_default() };
        let (weight, output) = node.input.get(1).zip(node.output.first()).ok_or_else(missing)?;
        let stored = self.initializers.get(weight.as_str()).ok_or_else(missing)?;
        let mut layer = Layer { layout, shape: stored.shape(), weight: stored.floats().ok_or_else(missing)?, bias: None };
        if let Some(next) = self.next(output) {
            match next.op_type.as_str() {
                "Add" => layer.bias = next.input.iter().find_map(|name| self.initializers.get(name.as_str())?.floats()),
                "BatchNormalization" => layer.fold(&self.normalisation(next).ok_or_else(missing)?),
                _ => {}
            }
        }
        Ok(layer)
    }

    /// What a map goes into, past the nodes that leave its values as they are; `None` where it goes into several.
    fn next(&self, output: &str) -> Option<&'a Node> {
        match self.consumers.get(output)?.as_slice() {
            [one] if matches!(one.op_type.as_str(), "Identity" | "Squeeze" | "Unsqueeze") => self.next(one.output.first()?),
            [one] => Some(one),
            _ => None,
        }
    }

    fn normalisation(&self, node: &Node) -> Option<Normalisation> {
        let input = |i: usize| self.initializers.get(node.input.get(i)?.as_str())?.floats();
        let epsilon = node.attribute.iter().find(|a| a.name == "epsilon").map_or(1e-5, |a| a.f);
        Some(Normalisation { scale: input(1)?, shift: input(2)?, mean: input(3)?, variance: input(4)?, epsilon })
    }
}

/// Batch normalisation at inference: `(x - mean) / sqrt(variance + epsilon) * scale + shift` a channel.
struct Normalisation {
    scale: Vec<f32>,
    shift: Vec<f32>,
    mean: Vec<f32>,
    variance: Vec<f32>,
    epsilon: f32,
}

impl Layer {
    /// A normalisation after a convolution without bias is the convolution with other weights and a bias.
    fn fold(&mut self, n: &Normalisation) {
        let factors: Vec<f32> = n.scale.iter().zip(&n.variance).map(|(scale, variance)| scale / (variance + n.epsilon).sqrt()).collect();
        let channel_weights = self.weight.len() / factors.len().max(1);
        for (weights, factor) in self.weight.chunks_mut(channel_weights.max(1)).zip(&factors) {
            weights.iter_mut().for_each(|w| *w *= factor);
        }
        self.bias = Some(n.shift.iter().zip(&n.mean).zip(&factors).map(|((shift, mean), factor)| shift - mean * factor).collect());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::onnx::Attribute;

    fn initializer(name: &str, dims: &[i64], values: &[f32]) -> Initializer {
        Initializer {
            name: name.into(),
            dims: dims.to_vec(),
            data_type: Initializer::FLOAT,
            float_data: values.to_vec(),
            ..Initializer::default()
        }
    }

    fn node(op: &str, input: &[&str], output: &str) -> Node {
        Node {
            op_type: op.into(),
            input: input.iter().map(|s| s.to_string()).collect(),
            output: vec![output.into()],
            attribute: Vec::new(),
        }
    }

    #[test]
    fn a_bias_is_found_behind_an_identity() {
        let graph = Graph {
            node: vec![node("Conv", &["x", "w"], "a"), node("Identity", &["a"], "b"), node("Add", &["b", "bias"], "c")],
            initializer: vec![initializer("w", &[2, 1, 1, 1], &[1.0, 2.0]), initializer("bias", &[1, 2, 1, 1], &[3.0, 4.0])],
        };
        assert_eq!(layers(&graph).unwrap()[0].bias, Some(vec![3.0, 4.0]));
    }

    #[test]
    fn an_add_of_two_maps_is_no_bias() {
        let graph = Graph {
            node: vec![node("Conv", &["x", "w"], "a"), node("Add", &["a", "x"], "b")],
            initializer: vec![initializer("w", &[1, 1, 1, 1], &[1.0])],
        };
        assert_eq!(layers(&graph).unwrap()[0].bias, None);
    }

    #[test]
    fn a_folded_normalisation_computes_the_same() {
        let mut normalisation = node("BatchNormalization", &["a", "scale", "shift", "mean", "variance"], "b");
        normalisation.attribute = vec![Attribute { name: "epsilon".into(), f: 0.0 }];
        let graph = Graph {
            node: vec![node("Conv", &["x", "w"], "a"), normalisation],
            initializer: vec![
                initializer("w", &[2, 1, 1, 1], &[1.0, 2.0]),
                initializer("scale", &[2], &[3.0, 5.0]),
                initializer("shift", &[2], &[0.5, -1.0]),
                initializer("mean", &[2], &[2.0, 4.0]),
                initializer("variance", &[2], &[4.0, 16.0]),
            ],
        };
        let layer = layers(&graph).unwrap().remove(0);
        let x = 7.0;
        let expected = [(x - 2.0) / 2.0 * 3.0 + 0.5, (2.0 * x - 4.0) / 4.0 * 5.0 - 1.0];
        let bias = layer.bias.unwrap();
        for c in 0..2 {
            assert!((layer.weight[c] * x + bias[c] - expected[c]).abs() < 1e-5);
        }
    }

    #[test]
    fn weights_that_are_not_in_the_file_are_an_error() {
        let graph = Graph { node: vec![node("Conv", &["x", "w"], "a")], initializer: Vec::new() };
        assert!(matches!(layers(&graph), Err(ImportError::Weights { node }) if node == "a"));
    }
}
