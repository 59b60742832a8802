//! Scratch memory of kernels, kept from call to call: fresh memory costs a page fault for every 4 kB.

use std::cell::RefCell;

thread_local! {
    /// Buffers that are not in use; a kernel that needs a second one while it holds the first takes the next.
    static FREE: RefCell<Vec<Vec<f32>>> = const { RefCell::new(Vec::new()) };
}

/// Lends `len` numbers of any value.
pub(super) fn with_scratch<R>(len: usize, run: impl FnOnce(&mut [f32]) -> R) -> R {
    let mut scratch = FREE.with_borrow_mut(Vec::pop).unwrap_or_default();
    if scratch.len() < len {
        scratch.resize(len, 0.0);
    }
    let result = run(&mut scratch[..len]);
    FREE.with_borrow_mut(|free| free.push(scratch));
    result
}
