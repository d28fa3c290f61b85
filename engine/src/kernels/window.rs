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
    fn a_map_smaller_than_the_kernel_has_no_interior() {
        let axis = Axis { size: 2, outputs: 2, kernel: 5, stride: 1, padding: 2 };
        assert_eq!([axis.taps(0), axis.taps(1)], [2..4, 1..3]);
        assert!(axis.interior().is_empty());
    }
}
