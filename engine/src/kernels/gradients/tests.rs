//! Every layer against its plain form, and its gradient against finite differences.

use super::*;
use crate::layers::Padding;
use candle_core::{Device, Var};
use candle_nn::{Linear, Module};

/// Multiples of the golden ratio, pushed off zero: neighbours lie far apart, so that no step of a difference crosses a tie
/// of the maximum.
fn varied(shape: impl Into<Shape>, seed: f32) -> Tensor {
    let shape = shape.into();
    let values: Vec<f32> =
        (1..=shape.elem_count()).map(|i| 2.0 * (i as f32 * 0.618_034 + seed * 0.37).fract() - 1.0).map(|v| v + 0.05 * v.signum()).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

fn specs() -> Vec<ConvSpec> {
    let uneven = Padding { top: 0, left: 0, bottom: 1, right: 1 };
    vec![
        ConvSpec::dense(3, 5, 1).activation(Activation::Gelu),
        ConvSpec::dense(3, 4, 3).stride((2, 2)).activation(Activation::Relu),
        ConvSpec { kernel: (2, 2), padding: uneven, ..ConvSpec::dense(2, 3, 1) },
        ConvSpec::dense(4, 2, 3).without_bias().activation(Activation::HardSwish),
        ConvSpec::depthwise(3, (3, 3)).activation(Activation::Sigmoid),
        ConvSpec::depthwise(4, (3, 3)).stride((2, 1)),
        ConvSpec::depthwise(3, (5, 5)).stride((2, 2)).activation(Activation::HardSigmoid { slope: 0.2 }),
        ConvSpec::depthwise(2, (1, 5)).activation(Activation::HardSwish),
    ]
}

fn conv(spec: ConvSpec) -> Conv {
    let (kh, kw) = spec.kernel;
    let weight = match spec.connection {
        Connection::Dense => varied((kh, kw, spec.cin, spec.cout), 1.0),
        Connection::Depthwise => varied((kh, kw, spec.cout), 1.0),
    };
    let bias = if spec.bias { varied(spec.cout, 2.0) } else { Tensor::zeros(spec.cout, candle_core::DType::F32, &Device::Cpu).unwrap() };
    Conv { spec, weight, bias }
}

fn assert_close(name: &str, a: &Tensor, b: &Tensor, tolerance: f32) {
    assert_eq!(a.dims(), b.dims(), "{name}");
    let worst = (a - b).unwrap().abs().unwrap().flatten_all().unwrap().max(0).unwrap().to_scalar::<f32>().unwrap();
    assert!(worst < tolerance, "{name}: differs by {worst}");
}

/// The gradient of `sum(weights * f(x))` by the backward pass and by central differences.
fn check_gradient(name: &str, at: &Tensor, f: impl Fn(&Tensor) -> Result<Tensor>) {
    let x = Var::from_tensor(at).unwrap();
    let y = f(x.as_tensor()).unwrap();
    let weights = varied(y.shape().clone(), 3.0);
    let loss = |x: &Tensor| (f(x).unwrap() * &weights).unwrap().sum_all().unwrap();
    let gradients = loss(x.as_tensor()).backward().unwrap();
    let gradient: Vec<f32> = gradients.get(x.as_tensor()).expect("a gradient").flatten_all().unwrap().to_vec1().unwrap();
    let values: Vec<f32> = at.flatten_all().unwrap().to_vec1().unwrap();
    const STEP: f32 = 4e-3;
    let shifted = |i: usize, by: f32| {
        let mut values = values.clone();
        values[i] += by;
        loss(&Tensor::from_vec(values, at.shape(), &Device::Cpu).unwrap()).to_scalar::<f32>().unwrap()
    };
    for (i, &gradient) in gradient.iter().enumerate() {
        let numeric = (shifted(i, STEP) - shifted(i, -STEP)) / (2.0 * STEP);
        assert!((gradient - numeric).abs() < 2e-2 * (1.0 + numeric.abs()), "{name}[{i}]: {gradient}, by differences {numeric}");
    }
}

#[test]
fn convolutions_equal_their_plain_form() {
    for spec in specs() {
        let conv = conv(spec);
        let x = varied((2, 6, 7, spec.cin), 0.0);
        let expected = plain::convolution(&spec, &x, &conv.weight, &conv.bias).unwrap();
        assert_close(&format!("{spec:?}"), &Gradients.forward(&conv, &x).unwrap(), &expected, 2e-5);
    }
}

#[test]
fn gradients_of_convolutions() {
    for spec in specs() {
        let conv = conv(spec);
        let x = varied((2, 4, 5, spec.cin), 0.5);
        let name = format!("{spec:?}");
        check_gradient(&format!("{name} x"), &x, |x| Gradients.forward(&conv, x));
        check_gradient(&format!("{name} weight"), &conv.weight, |w| Gradients.forward(&Conv { weight: w.clone(), ..conv.clone() }, &x));
        if spec.bias {
            check_gradient(&format!("{name} bias"), &conv.bias, |b| Gradients.forward(&Conv { bias: b.clone(), ..conv.clone() }, &x));
        }
    }
}

/// A layer without weights under its name.
type Layer = (&'static str, fn(&Tensor) -> Result<Tensor>, fn(&Tensor) -> Result<Tensor>);

const LAYERS: [Layer; 5] = [
    ("mean", |x| Gradients.mean(x), |x| x.mean_keepdim((1, 2))),
    ("upsample", |x| Gradients.upsample(x, 2), |x| plain::upsample(x, 2)),
    ("max pool", |x| Gradients.max_pool_2x2(x), plain::max_pool_2x2),
    ("average pool", |x| Gradients.average_pool(x, (3, 2)), |x| plain::average_pool(x, (3, 2))),
    ("depth to space", |x| Gradients.depth_to_space(x), plain::depth_to_space),
];

#[test]
fn other_layers_equal_their_plain_form_and_differences() {
    for (name, layer, plain) in LAYERS {
        let x = varied((2, 4, 5, 8), 0.0);
        assert_close(name, &layer(&x).unwrap(), &plain(&x).unwrap(), 1e-5);
        check_gradient(name, &x, layer);
    }
}

#[test]
fn gradients_of_the_gate() {
    let (x, gate) = (varied((2, 3, 4, 5), 0.0), varied((2, 1, 1, 5), 1.0));
    assert_close("scale", &Gradients.scale(&x, &gate).unwrap(), &x.broadcast_mul(&gate).unwrap(), 1e-6);
    check_gradient("scale x", &x, |x| Gradients.scale(x, &gate));
    check_gradient("scale gate", &gate, |gate| Gradients.scale(&x, gate));
}

#[test]
fn a_linear_layer_equals_candles_and_differences() {
    let (x, weight, bias) = (varied((4, 3), 0.0), varied((5, 3), 1.0), varied(5, 2.0));
    let layer = |weight: &Tensor, bias: &Tensor| Linear::new(weight.clone(), Some(bias.clone()));
    let rows = [x.clone(), x.narrow(0, 1, 2).unwrap(), varied((3, 4), 0.0).t().unwrap()];
    for x in rows {
        let plain = layer(&weight, &bias).forward(&x).unwrap();
        assert_close("affine", &affine(&layer(&weight, &bias), &x).unwrap(), &plain, 1e-6);
    }
    check_gradient("affine x", &x, |x| affine(&layer(&weight, &bias), x));
    check_gradient("affine weight", &weight, |weight| affine(&layer(weight, &bias), &x));
    check_gradient("affine bias", &bias, |bias| affine(&layer(&weight, bias), &x));
    assert!(affine(&layer(&weight, &bias), &varied((4, 2), 0.0)).is_err());
}

#[test]
fn concatenation_has_a_gradient() {
    let other = varied((1, 3, 2, 2), 1.0);
    check_gradient("concat", &varied((1, 3, 2, 3), 0.0), |x| Gradients.concat(&[x, &other]));
}

#[test]
fn a_map_that_does_not_fit_is_an_error() {
    let conv = conv(ConvSpec::dense(3, 4, 1));
    assert!(Gradients.forward(&conv, &varied((1, 2, 2, 5), 0.0)).is_err());
}
