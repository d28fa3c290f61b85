//! Matrix products on slices, with candle's own `gemm` beneath.
#![allow(unsafe_code)]

/// A row-major matrix, or the transpose of one.
#[derive(Clone, Copy)]
pub(super) struct Matrix<'a> {
    values: &'a [f32],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a> Matrix<'a> {
    /// `values` as rows of `columns`.
    pub(super) fn new(values: &'a [f32], columns: usize) -> Self {
        assert!(columns > 0 && values.len().is_multiple_of(columns), "{} values are no rows of {columns}", values.len());
        Self { values, rows: values.len() / columns, columns, row_stride: columns, column_stride: 1 }
    }

    pub(super) fn transposed(self) -> Self {
        Self { rows: self.columns, columns: self.rows, row_stride: self.column_stride, column_stride: self.row_stride, ..self }
    }
}

/// What becomes of the values that a product's target holds.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Target {
    Overwrite,
    Accumulate,
}

/// `out = a b` or `out += a b`, `out` row-major `[a.rows, b.columns]`. One thread: the callers work on crops in parallel.
pub(super) fn multiply(a: Matrix, b: Matrix, out: &mut [f32], target: Target) {
    assert_eq!(a.columns, b.rows, "inner dimensions");
    assert_eq!(out.len(), a.rows * b.columns, "size of the product");
    // SAFETY: `Matrix::new` has checked that rows x columns values lie behind each pointer with these strides, the target's
    // size was just checked, and it is borrowed apart from the sources.
    unsafe {
        gemm::gemm(
            a.rows,
            b.columns,
            a.columns,
            out.as_mut_ptr(),
            1,
            b.columns as isize,
            target == Target::Accumulate,
            a.values.as_ptr(),
            a.column_stride as isize,
            a.row_stride as isize,
            b.values.as_ptr(),
            b.column_stride as isize,
            b.row_stride as isize,
            1.0,
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_of_every_orientation() {
        let a = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]; // 2x3
        let b = [1.0, 0.0, 2.0, 1.0, 0.0, 3.0]; // 3x2
        let mut out = [0.0; 4];
        multiply(Matrix::new(&a, 3), Matrix::new(&b, 2), &mut out, Target::Overwrite);
        assert_eq!(out, [5.0, 11.0, 14.0, 23.0]);
        multiply(Matrix::new(&b, 2).transposed(), Matrix::new(&a, 3).transposed(), &mut out, Target::Accumulate);
        assert_eq!(out, [5.0 + 5.0, 11.0 + 14.0, 14.0 + 11.0, 23.0 + 23.0]);
    }
}
