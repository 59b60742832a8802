//! A checked interface to the `gemm` crate's matrix product.
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
    pub fn new(values: &'a [f32], rows: usize, columns: usize) -> Self {
        Self::strided(values, rows, columns, columns)
    }

    /// Row-major, `row_stride` numbers from one row to the next.
    pub fn strided(values: &'a [f32], rows: usize, columns: usize, row_stride: usize) -> Self {
        assert!(reaches(values.len(), rows, columns, row_stride), "a matrix lies within its slice");
        Self { values, rows, columns, row_stride, column_stride: 1 }
    }

    /// The same values with rows and columns exchanged.
    pub fn transposed(self) -> Self {
        let Self { values, rows, columns, row_stride, column_stride } = self;
        Self { values, rows: columns, columns: rows, row_stride: column_stride, column_stride: row_stride }
    }
}

/// Whether rows that do not overlap end within `len`.
fn reaches(len: usize, rows: usize, columns: usize, row_stride: usize) -> bool {
    columns <= row_stride && (rows == 0 || (rows - 1) * row_stride + columns <= len)
}

/// `out = a b`, or `out += a b` with `add`; `out` is row-major with `row_stride` numbers from row to row.
///
/// One thread: callers divide the rows instead.
pub(super) fn multiply(out: &mut [f32], row_stride: usize, a: Matrix, b: Matrix, add: bool) {
    assert_eq!(a.columns, b.rows, "inner sizes agree");
    assert!(reaches(out.len(), a.rows, b.columns, row_stride), "the output lies within its slice");
    // SAFETY: every index that the sizes and strides of `a`, `b` and `out` reach is inside its slice (checked above and
    // in `Matrix::strided`; transposing reaches the same ones), and `out` is borrowed alone.
    unsafe {
        gemm::gemm(
            a.rows,
            b.columns,
            a.columns,
            out.as_mut_ptr(),
            1,
            row_stride as isize,
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
