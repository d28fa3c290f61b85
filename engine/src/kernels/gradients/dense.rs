//! Dense convolution as matrix products: each band of output rows gathers its patches (im2col) and multiplies them.

use super::Sizes;
use super::matrix::{Matrix, Target, multiply};
use crate::layers::ConvSpec;
use rayon::prelude::*;

/// Patches gathered at a time stay within a core's second-level cache.
const PATCH_VALUES_MAX: usize = 64 * 1024;

pub(super) fn forward(spec: &ConvSpec, sizes: Sizes, x: &[f32], weight: &[f32], bias: &[f32], out: &mut [f32]) {
    let weight = Matrix::new(weight, spec.cout);
    let image = sizes.h * sizes.w * spec.cin;
    let band = Band::new(spec, sizes);
    let bands = sizes.oh.div_ceil(band.rows);
    // One image's last band is shorter, so the output is first cut into images.
    out.par_chunks_mut(sizes.oh * sizes.ow * spec.cout).zip(x.par_chunks(image)).for_each(|(out, x)| {
        out.par_chunks_mut(band.rows * sizes.ow * spec.cout).enumerate().for_each_init(Vec::new, |patches, (i, out)| {
            debug_assert!(i < bands);
            for row in out.chunks_exact_mut(spec.cout) {
                row.copy_from_slice(bias);
            }
            let rows = out.len() / (sizes.ow * spec.cout);
            multiply(band.gather(x, i * band.rows, rows, patches), weight, out, Target::Accumulate);
        });
    });
}

/// Gradients of the input, the weights and the bias, from the gradient of the convolution's sum (before the activation).
pub(super) fn backward(spec: &ConvSpec, sizes: Sizes, x: &[f32], weight: &[f32], dy: &[f32]) -> (Vec<f32>, Vec<f32>, Vec<f32>) {
    let image = sizes.h * sizes.w * spec.cin;
    let band = Band::new(spec, sizes);
    let weight_matrix = Matrix::new(weight, spec.cout);
    let mut dx = vec![0.0; x.len()];
    let zeros = || (vec![0.0; weight.len()], vec![0.0; spec.cout]);
    let (dweight, dbias) = dx
        .par_chunks_mut(image)
        .zip(x.par_chunks(image))
        .zip(dy.par_chunks(sizes.oh * sizes.ow * spec.cout))
        .fold(zeros, |(mut dweight, mut dbias), ((dx, x), dy)| {
            let (mut patches, mut dpatches) = (Vec::new(), Vec::new());
            for (i, dy) in dy.chunks(band.rows * sizes.ow * spec.cout).enumerate() {
                let (first, rows) = (i * band.rows, dy.len() / (sizes.ow * spec.cout));
                for row in dy.chunks_exact(spec.cout) {
                    dbias.iter_mut().zip(row).for_each(|(sum, value)| *sum += value);
                }
                let dy = Matrix::new(dy, spec.cout);
                multiply(band.gather(x, first, rows, &mut patches).transposed(), dy, &mut dweight, Target::Accumulate);
                if band.is_identity() {
                    let from = first * sizes.ow * spec.cin;
                    multiply(dy, weight_matrix.transposed(), &mut dx[from..][..rows * sizes.ow * spec.cin], Target::Overwrite);
                } else {
                    dpatches.resize(rows * sizes.ow * band.depth, 0.0);
                    multiply(dy, weight_matrix.transposed(), &mut dpatches, Target::Overwrite);
                    band.scatter(&dpatches, first, rows, dx);
                }
            }
            (dweight, dbias)
        })
        .reduce(zeros, |mut a, b| {
            a.0.iter_mut().zip(b.0).for_each(|(a, b)| *a += b);
            a.1.iter_mut().zip(b.1).for_each(|(a, b)| *a += b);
            a
        });
    (dx, dweight, dbias)
}

/// How patches are gathered from an image: output rows `[first, first + rows)` at a time.
struct Band<'a> {
    spec: &'a ConvSpec,
    sizes: Sizes,
    rows: usize,
    /// Values of a patch.
    depth: usize,
}

impl<'a> Band<'a> {
    fn new(spec: &'a ConvSpec, sizes: Sizes) -> Self {
        let depth = spec.kernel.0 * spec.kernel.1 * spec.cin;
        let rows = (PATCH_VALUES_MAX / (sizes.ow * depth)).clamp(1, sizes.oh.max(1));
        Self { spec, sizes, rows, depth }
    }

    /// Whether the patches are the image itself.
    fn is_identity(&self) -> bool {
        self.spec.kernel == (1, 1) && self.spec.stride == (1, 1) && self.spec.padding == crate::layers::Padding::default()
    }

    /// `[rows * ow, kh * kw * cin]`
    fn gather<'b>(&self, x: &'b [f32], first: usize, rows: usize, patches: &'b mut Vec<f32>) -> Matrix<'b> {
        let (ow, cin) = (self.sizes.ow, self.spec.cin);
        if self.is_identity() {
            return Matrix::new(&x[first * ow * cin..][..rows * ow * cin], cin);
        }
        patches.clear();
        patches.resize(rows * ow * self.depth, 0.0);
        for (patch, position) in patches.chunks_exact_mut(self.depth).zip(0..) {
            for (in_patch, in_image, length) in self.runs(first + position / ow, position % ow) {
                patch[in_patch..][..length].copy_from_slice(&x[in_image..][..length]);
            }
        }
        Matrix::new(patches, self.depth)
    }

    /// Adds the patches' gradients where the patches were gathered.
    fn scatter(&self, dpatches: &[f32], first: usize, rows: usize, dx: &mut [f32]) {
        let ow = self.sizes.ow;
        debug_assert_eq!(dpatches.len(), rows * ow * self.depth);
        for (patch, position) in dpatches.chunks_exact(self.depth).zip(0..) {
            for (in_patch, in_image, length) in self.runs(first + position / ow, position % ow) {
                let target = &mut dx[in_image..][..length];
                target.iter_mut().zip(&patch[in_patch..][..length]).for_each(|(sum, value)| *sum += value);
            }
        }
    }

    /// The stretches of one patch that lie inside the image: (offset in the patch, offset in the image, length).
    fn runs(&self, oy: usize, ox: usize) -> impl Iterator<Item = (usize, usize, usize)> + use<> {
        let Sizes { h, w, .. } = self.sizes;
        let (kh, kw) = self.spec.kernel;
        let cin = self.spec.cin;
        let top = oy * self.spec.stride.0;
        let left = ox * self.spec.stride.1;
        let padding = self.spec.padding;
        // Columns of the kernel that fall on the image.
        let from = padding.left.saturating_sub(left).min(kw);
        let to = kw.min((w + padding.left).saturating_sub(left)).max(from);
        (0..kh).filter_map(move |ky| {
            let y = (top + ky).checked_sub(padding.top).filter(|&y| y < h)?;
            (to > from).then(|| ((ky * kw + from) * cin, (y * w + left + from - padding.left) * cin, (to - from) * cin))
        })
    }
}
