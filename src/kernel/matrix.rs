//! A checked face of the `gemm` crate's matrix product.
#![allow(unsafe_code)]

use gemm::Parallelism;

/// A matrix in a slice, row-major or seen transposed.
#[derive(Clone, Copy)]
pub(super) struct Matrix<'a> {
    values: &'a [f32],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a> Matrix<'a> {
    /// `values` as `rows` x `columns`, row-major.
    pub(super) fn new(values: &'a [f32], rows: usize, columns: usize) -> Self {
        assert_eq!(values.len(), rows * columns, "a matrix fills its slice");
        Self { values, rows, columns, row_stride: columns, column_stride: 1 }
    }

    /// The same values with rows and columns exchanged.
    pub(super) fn transposed(self) -> Self {
        let Self { values, rows, columns, row_stride, column_stride } = self;
        Self { values, rows: columns, columns: rows, row_stride: column_stride, column_stride: row_stride }
    }
}

/// `out = a b`, or `out += a b` with `add`; `out` is row-major. One thread: callers divide the batch instead.
pub(super) fn multiply(out: &mut [f32], a: Matrix, b: Matrix, add: bool) {
    assert_eq!(a.columns, b.rows, "inner sizes agree");
    assert_eq!(out.len(), a.rows * b.columns, "the output fills its slice");
    // SAFETY: both matrices fill their slices (`Matrix::new`) and the output has rows x columns values, row-major, so
    // every index that these sizes and strides reach is inside its slice; `out` is borrowed alone.
    unsafe {
        gemm::gemm(
            a.rows,
            b.columns,
            a.columns,
            out.as_mut_ptr(),
            1,
            b.columns as isize,
            add,
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
            Parallelism::None,
        );
    }
}
