//! How much memory a computation takes, in a program that counts its allocations.

use crate::{Error, Result};
use mimalloc::MiMalloc;
use peakmem_alloc::{PeakMemAlloc, PeakMemAllocTrait};

/// The allocator of the `retrace` program: mimalloc, with a count of the bytes held.
///
/// A program counts its memory after one declaration:
///
/// ```standalone_crate
/// use retrace::memory::{ALLOCATOR, Allocator, peak};
///
/// #[global_allocator]
/// static COUNTED: &Allocator = &ALLOCATOR;
///
/// let (sum, bytes) = peak(|| {
///     let ones = vec![1_u8; 1 << 20];
///     drop(vec![0_u8; 4096]); // is gone before the next one comes
///     drop(vec![0_u8; 4096]);
///     ones.iter().map(|one| u32::from(*one)).sum::<u32>()
/// })?;
/// assert_eq!((sum, bytes), (1 << 20, (1 << 20) + 4096));
/// # Ok::<(), retrace::Error>(())
/// ```
pub static ALLOCATOR: Allocator = PeakMemAlloc::new(MiMalloc);

/// mimalloc, counted.
pub type Allocator = PeakMemAlloc<MiMalloc>;

/// The result of a call, and the most bytes that the whole program held during it beyond those held before.
///
/// Memory of a GPU is not among them. One call at a time: the count is the program's, and starts anew with each.
///
/// # Errors
/// A program that takes its memory from elsewhere than [`ALLOCATOR`].
pub fn peak<T>(call: impl FnOnce() -> T) -> Result<(T, usize)> {
    ALLOCATOR.reset_peak_memory();
    // One byte that is not optimised away shows whether allocations are counted.
    drop(std::hint::black_box(Box::new(1_u8)));
    if ALLOCATOR.get_peak_memory() == 0 {
        return Err(Error::value(
            "memory",
            "a program whose global allocator is `retrace::memory::ALLOCATOR`",
            "an allocator that does not count",
        ));
    }
    ALLOCATOR.reset_peak_memory();
    let given = call();
    Ok((given, ALLOCATOR.get_peak_memory()))
}

#[cfg(test)]
mod tests {
    #[test]
    fn peak_needs_a_counting_allocator() {
        // Unit tests take their memory from the system.
        let error = super::peak(|| ()).unwrap_err().to_string();
        assert!(error.starts_with("memory: expected a program whose global allocator is"), "{error}");
    }
}
