//! Several layers at a time, a band of rows after the other: what lies between the layers stays in the second-level cache.

use std::ops::Range;

use candle_core::{Result, bail};

use super::dense::{Dense, Slot};
use super::depthwise::Depthwise;
use super::map::{Buffer, FeatureMap, Shape};
use super::ops;
use super::packed::{Packed, axes};
use super::pointwise::Pointwise;
use crate::layers::{Activation, ConvSpec, Level, Padding, StemOf};

/// Pixels between the two halves of a perceptron: their hidden values stay in the second-level cache.
const PIXELS_OF_PERCEPTRON: usize = 48;

/// Two pointwise layers, the second reading the first's output.
#[derive(Clone, Copy)]
pub(super) struct Perceptron<'a> {
    expand: Pointwise<'a>,
    project: Pointwise<'a>,
    /// Whether the input is added to the output.
    residual: bool,
}

impl<'a> Perceptron<'a> {
    pub fn new(expand: Pointwise<'a>, project: Pointwise<'a>, residual: bool) -> Result<Self> {
        let (first, second) = (expand.spec(), project.spec());
        if second.cin != first.cout || residual && first.cin != second.cout {
            bail!("{first:?} and {second:?} make no perceptron");
        }
        Ok(Self { expand, project, residual })
    }

    /// Room for what lies between.
    fn scratch(&self) -> Buffer {
        Buffer::unset(PIXELS_OF_PERCEPTRON * (self.expand.spec().cout + self.expand.spec().cin))
    }

    /// `[pixels, cin] -> [pixels, cout]`, the input scaled by a gate a channel, if there is one.
    fn pixels(&self, x: &[f32], gate: Option<&[f32]>, scratch: &mut Buffer, out: &mut [f32]) {
        let (cin, hidden, cout) = (self.expand.spec().cin, self.expand.spec().cout, self.project.spec().cout);
        let (between, scaled) = scratch.as_mut_slice().split_at_mut(PIXELS_OF_PERCEPTRON * hidden);
        for (x, out) in x.chunks(PIXELS_OF_PERCEPTRON * cin).zip(out.chunks_mut(PIXELS_OF_PERCEPTRON * cout)) {
            let x = match gate {
                Some(gate) => {
                    ops::scale_pixels(x, gate, &mut scaled[..x.len()]);
                    &scaled[..x.len()]
                }
                None => x,
            };
            let between = &mut between[..x.len() / cin * hidden];
            self.expand.pixels(x, None, between);
            self.project.pixels(between, self.residual.then_some(x), out);
        }
    }
}

impl Packed {
    /// A perceptron on the pixels of `x`, scaled by gates `[n, 1, 1, c]` if there are any.
    pub(super) fn perceptron_of(&self, perceptron: Perceptron, x: &FeatureMap, gates: Option<&FeatureMap>) -> FeatureMap {
        let (cin, cout) = (perceptron.expand.spec().cin, perceptron.project.spec().cout);
        let work = |image: usize, scratch: &mut Buffer, first: usize, band: &mut [f32]| {
            let x = &x.image(image)[first * cin..][..band.len() / cout * cin];
            perceptron.pixels(x, gates.map(|gates| gates.image(image)), scratch, band);
        };
        self.by_image(Shape { c: cout, ..x.shape }, cout, self.rows_of_band(cout), || perceptron.scratch(), work)
    }

    /// A depthwise convolution followed by what `work` makes of a band of its rows: `[pixels, c] -> [pixels, cout]`.
    fn behind_depthwise<T>(
        &self,
        depthwise: &Depthwise,
        x: &FeatureMap,
        cout: usize,
        scratch: impl Fn() -> T + Sync + Send,
        work: impl Fn(&[f32], &mut T, &mut [f32]) + Sync + Send,
    ) -> Result<FeatureMap> {
        let axes = axes(&depthwise.spec, x.shape)?;
        let shape = Shape { n: x.shape.n, h: axes.0.outputs, w: axes.1.outputs, c: cout };
        let mixed_row = shape.w * depthwise.spec.cout;
        let rows = self.rows_of_band(mixed_row.max(shape.row()));
        let both = || (Buffer::unset(rows * mixed_row), scratch());
        Ok(self.by_image(shape, shape.row(), rows, both, |image, (mixed, scratch), first, band| {
            let mixed = &mut mixed.as_mut_slice()[..band.len() / shape.row() * mixed_row];
            depthwise.rows(x.image(image), axes, first, mixed);
            work(mixed, scratch, band);
        }))
    }

    pub(super) fn mixed_perceptron_of(&self, depthwise: &Depthwise, perceptron: Perceptron, x: &FeatureMap) -> Result<FeatureMap> {
        let work = |mixed: &[f32], scratch: &mut Buffer, out: &mut [f32]| perceptron.pixels(mixed, None, scratch, out);
        self.behind_depthwise(depthwise, x, perceptron.project.spec().cout, || perceptron.scratch(), work)
    }

    pub(super) fn separable_of(&self, depthwise: &Depthwise, pointwise: Pointwise, x: &FeatureMap) -> Result<FeatureMap> {
        self.behind_depthwise(depthwise, x, pointwise.spec().cout, || (), |mixed, (), out| pointwise.pixels(mixed, None, out))
    }

    /// A band is made of the rows of each map that it needs, those that two bands share made twice: whole, these maps are four and
    /// eight times as large as the result, and would go through memory.
    pub(super) fn stem_of(&self, stem: StemOf<&Dense>, x: &FeatureMap) -> Result<FeatureMap> {
        let StemOf { first, branch: [narrow, widen], join } = stem;
        let keeps_size = |conv: &Dense| (conv.spec.kernel, conv.spec.stride, conv.spec.padding) == ((2, 2), (1, 1), Padding::EVEN);
        let (c, c_of_both) = (first.spec.cout, first.spec.cout + widen.spec.cout);
        let fits = [(narrow.spec.cin, c), (widen.spec.cin, narrow.spec.cout), (join.spec.cin, c_of_both)];
        if !keeps_size(narrow) || !keeps_size(widen) || fits.iter().any(|(cin, channels)| cin != channels) {
            bail!("{:?} make no stem", [first, narrow, widen, join].map(|conv| conv.spec));
        }
        let of_first = axes(&first.spec, x.shape)?;
        let seen = Shape { n: x.shape.n, h: of_first.0.outputs, w: of_first.1.outputs, c };
        let (of_narrow, of_widen, of_join) = (axes(&narrow.spec, seen)?, axes(&widen.spec, seen)?, axes(&join.spec, seen)?);
        let shape = Shape { n: seen.n, h: of_join.0.outputs, w: of_join.1.outputs, c: join.spec.cout };
        let columns = || Buffer::unset(seen.row());
        Ok(self.by_image(shape, shape.row(), self.rows_of_band(shape.row()), columns, |image, columns, top, band| {
            let (rows_of_both, join_axis) = of_join.0.part(top..top + band.len() / shape.row());
            let (rows_narrow, widen_axis) = of_widen.0.part(rows_of_both.clone());
            let (rows_seen, narrow_axis) = of_narrow.0.part(rows_narrow.clone());
            let (rows, first_axis) = of_first.0.part(rows_seen.clone());
            let strip = |rows: &Range<usize>, c: usize| Buffer::unset(rows.len() * seen.w * c);
            let (mut map, mut narrowed, mut both) =
                (strip(&rows_seen, c), strip(&rows_narrow, narrow.spec.cout), strip(&rows_of_both, c_of_both));
            let (map, narrowed, both) = (map.as_mut_slice(), narrowed.as_mut_slice(), both.as_mut_slice());

            let x = &x.image(image)[rows.start * x.shape.row()..rows.end * x.shape.row()];
            first.rows(x, (first_axis, of_first.1), 0, map);
            narrow.rows(map, (narrow_axis, of_narrow.1), 0, narrowed);
            widen.rows_into(Slot { channels: c_of_both, first: c }, narrowed, (widen_axis, of_widen.1), 0, both);
            for (y, to) in both.chunks_exact_mut(seen.w * c_of_both).enumerate() {
                let row = |y: usize| map.get(y * seen.row()..(y + 1) * seen.row());
                ops::max_pool_row((row(y).unwrap_or_default(), row(y + 1)), c, columns.as_mut_slice(), c_of_both, to);
            }
            join.rows(both, (join_axis, of_join.1), 0, band);
        }))
    }

    /// The gains are multiplied into the weights, so that the convolution does it all.
    pub(super) fn excited_of(&self, conv: &Dense, x: &FeatureMap, gate: &FeatureMap, coarser: Option<&FeatureMap>) -> Result<FeatureMap> {
        let ConvSpec { cin, cout, activation, .. } = conv.spec;
        if !conv.is_pointwise() || activation != Activation::None || gate.shape != (Shape { n: x.shape.n, h: 1, w: 1, c: cout }) {
            bail!("{:?} can't be excited by gates {:?}", conv.spec, gate.shape);
        }
        let shape = Shape { c: cout, ..x.shape };
        if coarser.is_some_and(|coarser| Shape { h: 2 * coarser.shape.h, w: 2 * coarser.shape.w, ..coarser.shape } != shape) {
            bail!("the coarser map doesn't have half the size of {shape:?}");
        }
        let convs: Vec<Dense> = (0..x.shape.n).map(|image| conv.scaled(&ops::gains(gate.image(image)))).collect();
        Ok(self.by_image(
            shape,
            shape.row(),
            self.rows_of_band(shape.row()),
            || (),
            |image, (), first, band| {
                convs[image].pixels(&x.image(image)[first * x.shape.row()..][..band.len() / cout * cin], None, band);
                for (y, row) in (first..).zip(band.chunks_exact_mut(shape.row())).filter(|_| coarser.is_some()) {
                    coarser.iter().for_each(|coarser| ops::add_upsampled_row(coarser, image, y, row));
                }
            },
        ))
    }

    /// A band of rows at the finest resolution at a time.
    pub(super) fn joined_of(&self, levels: &[Level<FeatureMap>], conv: &Dense) -> Result<FeatureMap> {
        let Some(first) = levels.first() else { bail!("there are no maps to join") };
        let size = |level: &Level<FeatureMap>| Shape {
            c: 1,
            h: level.map.shape.h * level.factor,
            w: level.map.shape.w * level.factor,
            ..level.map.shape
        };
        let beside = Shape { c: levels.iter().map(|level| level.map.shape.c).sum(), ..size(first) };
        let fits = |level: &Level<FeatureMap>| size(level) == size(first) && level.gate.shape == (Shape { h: 1, w: 1, ..level.map.shape });
        if beside.c != conv.spec.cin || !levels.iter().all(fits) {
            let maps: Vec<_> = levels.iter().map(|level| (level.map.shape, level.factor)).collect();
            bail!("can't join maps of {maps:?} by {:?}", conv.spec);
        }
        let (vertical, horizontal) = axes(&conv.spec, beside)?;
        let shape = Shape { n: beside.n, h: vertical.outputs, w: horizontal.outputs, c: conv.spec.cout };
        let gains: Vec<Vec<f32>> = levels.iter().map(|level| ops::gains(level.gate.values())).collect();
        let scaled = || Buffer::unset(levels.iter().map(|level| level.map.shape.row()).max().unwrap_or(0));
        Ok(self.by_image(shape, shape.row(), self.rows_of_band(shape.row()), scaled, |image, scaled, top, band| {
            let (rows, axis) = vertical.part(top..top + band.len() / shape.row());
            let mut strip = Buffer::unset(rows.len() * beside.row());
            for (y, row) in rows.zip(strip.as_mut_slice().chunks_exact_mut(beside.row())) {
                let mut channel = 0;
                for (level, gains) in levels.iter().zip(&gains) {
                    let Shape { c, .. } = level.map.shape;
                    let scaled = &mut scaled.as_mut_slice()[..level.map.shape.row()];
                    ops::scale_pixels(level.map.row(image, y / level.factor), &gains[image * c..][..c], scaled);
                    ops::spread(scaled, level.factor, Slot { channels: beside.c, first: channel }, c, row);
                    channel += c;
                }
            }
            conv.rows(strip.as_slice(), (axis, horizontal), 0, band);
        }))
    }

    /// A pointwise layer and a change of places can be swapped: the second convolution runs on four pixels at a time, before
    /// either change of places.
    pub(super) fn quadruple_of(&self, first: &Dense, second: &Dense, x: &FeatureMap) -> Result<FeatureMap> {
        if first.spec.cout != 4 * second.spec.cin || !second.spec.cout.is_multiple_of(4) {
            bail!("{:?} and {:?} don't double twice", first.spec, second.spec);
        }
        let second = second.side_by_side(4);
        let perceptron = Perceptron::new(Pointwise::in_floats(first)?, Pointwise::in_floats(&second)?, false)?;
        let Shape { n, h, w, c } = x.shape;
        let shape = Shape { n, h: 4 * h, w: 4 * w, c: second.spec.cout / 16 };
        let scratch = || (perceptron.scratch(), Buffer::unset(w * second.spec.cout));
        Ok(self.by_image(shape, 4 * shape.row(), self.rows_of_band(4 * shape.row()), scratch, |image, (scratch, row), first, band| {
            for (y, band) in (first..).zip(band.chunks_exact_mut(4 * shape.row())) {
                perceptron.pixels(&x.image(image)[y * w * c..][..w * c], None, scratch, row.as_mut_slice());
                ops::depth_to_space_twice(row.as_slice(), shape.c, band);
            }
        }))
    }
}

#[cfg(test)]
mod tests {
    use candle_nn::VarBuilder;
    use proptest::prelude::*;

    use super::super::packed::{Conv, Threads};
    use super::super::quantised::Quantised;
    use super::super::simd::Isa;
    use super::super::testing::{assert_close, values};
    use super::*;
    use crate::layers::Backend;

    /// Layers one by one, as the trait composes them.
    struct Composed(Packed);

    impl Backend for Composed {
        type Map = FeatureMap;
        type Conv = Conv;

        fn conv(&self, spec: ConvSpec, weights: VarBuilder) -> Result<Conv> {
            self.0.conv(spec, weights)
        }
        fn forward(&self, conv: &Conv, x: &FeatureMap) -> Result<FeatureMap> {
            self.0.forward(conv, x)
        }
        fn add(&self, a: &FeatureMap, b: &FeatureMap) -> Result<FeatureMap> {
            self.0.add(a, b)
        }
        fn scale(&self, x: &FeatureMap, gate: &FeatureMap) -> Result<FeatureMap> {
            self.0.scale(x, gate)
        }
        fn mean(&self, x: &FeatureMap) -> Result<FeatureMap> {
            self.0.mean(x)
        }
        fn concat(&self, maps: &[&FeatureMap]) -> Result<FeatureMap> {
            self.0.concat(maps)
        }
        fn upsample(&self, x: &FeatureMap, factor: usize) -> Result<FeatureMap> {
            self.0.upsample(x, factor)
        }
        fn max_pool_2x2(&self, x: &FeatureMap) -> Result<FeatureMap> {
            self.0.max_pool_2x2(x)
        }
        fn average_pool(&self, x: &FeatureMap, size: (usize, usize)) -> Result<FeatureMap> {
            self.0.average_pool(x, size)
        }
        fn depth_to_space(&self, x: &FeatureMap) -> Result<FeatureMap> {
            self.0.depth_to_space(x)
        }
    }

    fn map(shape: Shape, seed: u64) -> FeatureMap {
        FeatureMap::from_slice(shape, &values(shape.len(), seed))
    }

    fn dense(spec: ConvSpec, isa: Isa, seed: u64) -> Conv {
        let weights = values(spec.kernel.0 * spec.kernel.1 * spec.cin * spec.cout, seed);
        Conv::Dense(Dense::new(spec, &weights, &values(spec.cout, seed ^ 7), isa))
    }

    fn quantised(spec: ConvSpec, isa: Isa, seed: u64) -> Conv {
        Conv::Quantised(Quantised::new(spec, &values(spec.cin * spec.cout, seed), &values(spec.cout, seed ^ 7), isa))
    }

    fn depthwise(channels: usize, kernel: (usize, usize), stride: (usize, usize), isa: Isa, seed: u64) -> Conv {
        let spec = ConvSpec::depthwise(channels, kernel).stride(stride);
        Conv::Depthwise(Depthwise::new(spec, &values(kernel.0 * kernel.1 * channels, seed), &values(channels, seed ^ 7), isa))
    }

    /// Every set of instructions, on one thread and on all.
    fn backends() -> impl Iterator<Item = (Isa, Packed)> {
        Isa::available().into_iter().flat_map(|isa| [Threads::One, Threads::All].map(|threads| (isa, Packed::with_isa(isa, threads))))
    }

    fn any_shape() -> impl Strategy<Value = Shape> {
        (1usize..3, 1usize..12, 1usize..70, 1usize..36).prop_map(|(n, h, w, c)| Shape { n, h, w, c })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(48))]

        #[test]
        fn perceptrons_equal_their_layers(shape in any_shape(), (hidden, cout) in (1usize..70, 1usize..36), residual in any::<bool>(), seed in any::<u64>()) {
            let cout = if residual { shape.c } else { cout };
            let (x, gate) = (map(shape, seed), map(Shape { h: 1, w: 1, ..shape }, seed ^ 1));
            for ((isa, packed), layer) in backends().flat_map(|backend| [dense, quantised].map(|layer| (backend, layer))) {
                let expand = layer(ConvSpec::dense(shape.c, hidden, 1).activation(Activation::Gelu), isa, seed ^ 2);
                let project = layer(ConvSpec::dense(hidden, cout, 1), isa, seed ^ 3);
                let mix = depthwise(shape.c, (3, 5), (2, 1), isa, seed ^ 4);
                let one_by_one = Composed(packed);
                assert_close(
                    &packed.perceptron(&expand, &project, &x, residual).unwrap(),
                    &one_by_one.perceptron(&expand, &project, &x, residual).unwrap(),
                );
                assert_close(
                    &packed.gated_perceptron(&expand, &project, &x, &gate, residual).unwrap(),
                    &one_by_one.gated_perceptron(&expand, &project, &x, &gate, residual).unwrap(),
                );
                assert_close(
                    &packed.mixed_perceptron(&mix, &expand, &project, &x, residual).unwrap(),
                    &one_by_one.mixed_perceptron(&mix, &expand, &project, &x, residual).unwrap(),
                );
                assert_close(
                    &packed.separable(&mix, &expand, &x).unwrap(),
                    &one_by_one.separable(&mix, &expand, &x).unwrap(),
                );
            }
        }

        #[test]
        fn stems_equal_their_layers(shape in any_shape(), (narrow, wide, cout) in (1usize..20, 1usize..20, 1usize..20), seed in any::<u64>()) {
            let x = map(Shape { h: 4 * shape.h, ..shape }, seed);
            let relu = |spec: ConvSpec| spec.activation(Activation::Relu);
            let halve = |cin, cout| relu(ConvSpec::dense(cin, cout, 3).stride((2, 2)));
            let even = |cin, cout| relu(ConvSpec { padding: Padding::EVEN, ..ConvSpec::dense(cin, cout, 2) });
            for (isa, packed) in backends() {
                let branch = [dense(even(wide, narrow), isa, seed ^ 2), dense(even(narrow, wide + 3), isa, seed ^ 3)];
                let (first, join) = (dense(halve(shape.c, wide), isa, seed ^ 1), dense(halve(2 * wide + 3, cout), isa, seed ^ 4));
                let stem = StemOf { first: &first, branch: [&branch[0], &branch[1]], join: &join };
                assert_close(&packed.stem(stem, &x).unwrap(), &Composed(packed).stem(stem, &x).unwrap());
            }
        }

        #[test]
        fn excited_maps_equal_their_layers(shape in any_shape(), cout in 1usize..36, factors in prop::collection::vec(0u32..3, 1..4), seed in any::<u64>()) {
            let shape = Shape { h: 2 * shape.h, w: 2 * shape.w, ..shape };
            let (x, gate) = (map(shape, seed), map(Shape { h: 1, w: 1, c: cout, ..shape }, seed ^ 1));
            let coarser = map(Shape { h: shape.h / 2, w: shape.w / 2, c: cout, ..shape }, seed ^ 2);
            let level = |(i, factor): (usize, &u32)| {
                let (factor, c) = (2usize.pow(*factor), 1 + (cout + 5 * i) % 20);
                let size = |side: usize| 4 / factor * side;
                let seed = seed ^ i as u64;
                let map = |h, w| map(Shape { h, w, c, ..shape }, seed);
                Level { map: map(size(shape.h), size(shape.w)), gate: map(1, 1), factor }
            };
            let levels: Vec<_> = factors.iter().enumerate().map(level).collect();
            for (isa, packed) in backends() {
                let conv = dense(ConvSpec::dense(shape.c, cout, 1), isa, seed ^ 3);
                let one_by_one = Composed(packed);
                for coarser in [None, Some(&coarser)] {
                    assert_close(
                        &packed.excited(&conv, &x, &gate, coarser).unwrap(),
                        &one_by_one.excited(&conv, &x, &gate, coarser).unwrap(),
                    );
                }
                let channels = levels.iter().map(|level| level.map.shape.c).sum();
                let join = dense(ConvSpec::dense(channels, cout, 3).activation(Activation::Relu), isa, seed ^ 4);
                assert_close(&packed.joined(&levels, &join).unwrap(), &one_by_one.joined(&levels, &join).unwrap());
            }
        }

        #[test]
        fn doubling_twice_equals_its_layers(shape in any_shape(), (between, cout) in (1usize..12, 1usize..4), seed in any::<u64>()) {
            let x = map(shape, seed);
            for (isa, packed) in backends() {
                let first = dense(ConvSpec::dense(shape.c, 4 * between, 1).activation(Activation::Relu), isa, seed ^ 1);
                let second = dense(ConvSpec::dense(between, 4 * cout, 1).activation(Activation::Sigmoid), isa, seed ^ 2);
                assert_close(
                    &packed.quadruple([&first, &second], &x).unwrap(),
                    &Composed(packed).quadruple([&first, &second], &x).unwrap(),
                );
            }
        }
    }

    #[test]
    fn layers_that_do_not_fit_are_refused() {
        let packed = Packed::new(Threads::One);
        let x = map(Shape { n: 1, h: 4, w: 4, c: 6 }, 1);
        let conv = |cin, cout| dense(ConvSpec::dense(cin, cout, 1), Isa::detect(), 1);
        assert!(packed.perceptron(&conv(6, 8), &conv(9, 6), &x, false).is_err());
        assert!(packed.gated_perceptron(&conv(6, 8), &conv(8, 6), &x, &x, false).is_err());
        assert!(packed.excited(&conv(6, 8), &x, &map(Shape { n: 1, h: 1, w: 1, c: 6 }, 1), None).is_err());
        assert!(packed.quadruple([&conv(6, 8), &conv(3, 4)], &x).is_err());
        assert!(packed.separable(&conv(6, 6), &conv(6, 8), &x).is_err());
        assert!(packed.joined(&[], &conv(6, 8)).is_err());
        let pointwise = conv(6, 6);
        let stem = StemOf { first: &pointwise, branch: [&pointwise, &pointwise], join: &conv(12, 4) };
        assert!(packed.stem(stem, &x).is_err(), "its branch must look at 2x2 pixels");
    }
}
