use proptest::prelude::*;

use super::super::testing::values;
use super::*;

/// The layer in floats, by its definition but for the activation.
fn plain(spec: ConvSpec, weight: &[f32], bias: &[f32], x: &[f32]) -> Vec<f32> {
    let product = |x: &[f32], c: usize| x.iter().zip(weight.iter().skip(c).step_by(spec.cout)).map(|(x, w)| x * w).sum::<f32>();
    x.chunks(spec.cin).flat_map(|x| (0..spec.cout).map(move |c| product(x, c) + bias[c])).collect()
}

proptest! {
    #[test]
    fn bytes_are_within_their_steps_of_the_definition(
        (cin, cout, pixels) in (prop_oneof![1usize..90, Just(CIN_MAX)], 1usize..70, 1usize..60),
        seed in any::<u64>(),
    ) {
        let spec = ConvSpec::dense(cin, cout, 1);
        let (weight, bias, x) = (values(cin * cout, seed), values(cout, seed ^ 1), values(pixels * cin, seed ^ 2));
        let expected = plain(spec, &weight, &bias, &x);
        // Half a step of either factor, the other being 1 at most; the range of an activation is 2 at most, a step of weights twice
        // as large where four are.
        let error_max = cin as f32 * (0.5 * 2.0 / STEPS + 0.5 * 2.0 / STEPS + 1e-4);
        let layers = Isa::available().into_iter().map(|isa| Quantised::new(spec, &weight, &bias, isa));
        let found: Vec<Vec<f32>> = layers.map(|layer| {
            let mut out = vec![0.0; pixels * cout];
            layer.pixels(&x, None, &mut out);
            out
        }).collect();
        for (i, (found, expected)) in found[0].iter().zip(&expected).enumerate() {
            prop_assert!((found - expected).abs() <= error_max, "value {i}: {found}, not {expected}");
        }
        prop_assert!(found.iter().all(|other| *other == found[0]), "all instructions give the same");
    }
}

/// Where four weights are large at once, and activations are as well, their products still fit.
#[test]
fn the_largest_sums_of_a_lane_fit() {
    let (weight, x) = ([[1.0; 16], [-1.0; 16]].concat(), [[1.0; 15].as_slice(), &[0.0]].concat());
    for isa in Isa::available() {
        let mut out = [0.0; 2];
        Quantised::new(ConvSpec::dense(16, 2, 1), &[weight[0], weight[16]].repeat(16), &[], isa).pixels(&x, None, &mut out);
        assert!((out[0] - 15.0).abs() < 0.1 && (out[1] + 15.0).abs() < 0.1, "{isa:?}: {out:?}");
    }
}

#[test]
fn activation_and_residual_come_last() {
    let spec = ConvSpec::dense(2, 1, 1).activation(Activation::Relu);
    for isa in Isa::available() {
        let mut out = [0.0; 2];
        Quantised::new(spec, &[1.0, -1.0], &[0.5], isa).pixels(&[1.0, 0.0, 0.0, 1.0], Some(&[10.0, 20.0]), &mut out);
        assert_eq!(out, [11.5, 20.0]);
    }
}

#[test]
fn flat_and_broken_pixels_do_no_harm() {
    for isa in Isa::available() {
        let layer = Quantised::new(ConvSpec::dense(9, 3, 1), &[1.0; 27], &[], isa);
        let mut out = [0.0; 6];
        layer.pixels(&[[2.0; 9], [f32::NAN; 9]].concat(), None, &mut out);
        assert!(out[..3].iter().all(|&sum| (sum - 18.0).abs() < 1e-4), "{out:?}");
    }
}
