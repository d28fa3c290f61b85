//! Which inputs a kernel sees along one axis: at the borders some of its taps fall outside the map and are left out, which is
//! what padding with zeros comes to.

use std::ops::Range;

use crate::layers::ConvSpec;

/// One axis of a convolution over a map.
#[derive(Debug, Clone, Copy)]
pub(super) struct Axis {
    /// Of the input.
    pub size: usize,
    /// Of the output.
    pub outputs: usize,
    kernel: usize,
    stride: usize,
    /// Zeros before the first input.
    padding: usize,
}

impl Axis {
    /// The vertical and the horizontal axis over a map of this height and width; `None` where the map is too small.
    pub fn both(spec: &ConvSpec, height: usize, width: usize) -> Option<(Self, Self)> {
        let (rows, columns) = spec.output_size(height, width)?;
        let axis = |size, outputs, kernel, stride, padding| Self { size, outputs, kernel, stride, padding };
        Some((
            axis(height, rows, spec.kernel.0, spec.stride.0, spec.padding.top),
            axis(width, columns, spec.kernel.1, spec.stride.1, spec.padding.left),
        ))
    }

    /// The taps that lie on the map for this output.
    pub fn taps(&self, output: usize) -> Range<usize> {
        let start = output * self.stride;
        self.padding.saturating_sub(start).min(self.kernel)..(self.size + self.padding).saturating_sub(start).min(self.kernel)
    }

    /// The input under a tap that lies on the map; for one that doesn't, any position.
    pub fn input(&self, output: usize, tap: usize) -> usize {
        (output * self.stride + tap).saturating_sub(self.padding)
    }

    /// The inputs that some outputs are made of, and the axis over these alone.
    pub fn part(&self, outputs: Range<usize>) -> (Range<usize>, Self) {
        let start = self.input(outputs.start, 0).min(self.size);
        let end = self.input(outputs.end, self.kernel).saturating_sub(self.stride).clamp(start, self.size);
        let padding = (self.padding + start).saturating_sub(outputs.start * self.stride);
        (start..end, Self { size: end - start, outputs: outputs.len(), padding, ..*self })
    }

    /// The outputs for which all taps lie on the map.
    pub fn interior(&self) -> Range<usize> {
        let start = self.padding.div_ceil(self.stride).min(self.outputs);
        let end = (self.size + self.padding).checked_sub(self.kernel).map_or(0, |last| last / self.stride + 1);
        start..end.clamp(start, self.outputs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn taps_and_interior_follow_the_padding() {
        let axis = Axis { size: 5, outputs: 3, kernel: 3, stride: 2, padding: 1 };
        assert_eq!([axis.taps(0), axis.taps(1), axis.taps(2)], [1..3, 0..3, 0..2]);
        assert_eq!(axis.interior(), 1..2);
        assert_eq!((axis.input(0, 1), axis.input(2, 0)), (0, 3));
    }

    #[test]
    fn a_part_has_the_taps_of_the_whole() {
        for (kernel, stride, padding) in [(3, 2, 1), (2, 1, 0), (5, 1, 2), (3, 1, 1), (1, 1, 0)] {
            let axis = Axis { size: 9, outputs: (9 + 2 * padding - kernel) / stride + 1, kernel, stride, padding };
            for (from, to) in (0..axis.outputs).flat_map(|from| (from + 1..=axis.outputs).map(move |to| (from, to))) {
                let (inputs, part) = axis.part(from..to);
                for output in from..to {
                    let taps = axis.taps(output);
                    assert_eq!(part.taps(output - from), taps, "{axis:?}, {from}..{to}");
                    assert_eq!(part.input(output - from, taps.start) + inputs.start, axis.input(output, taps.start));
                    assert!(inputs.contains(&axis.input(output, taps.end - 1)));
                }
            }
        }
    }

    #[test]
    fn a_map_smaller_than_the_kernel_has_no_interior() {
        let axis = Axis { size: 2, outputs: 2, kernel: 5, stride: 1, padding: 2 };
        assert_eq!([axis.taps(0), axis.taps(1)], [2..4, 1..3]);
        assert!(axis.interior().is_empty());
    }
}
