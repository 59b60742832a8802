//! Who observes the progress of a long computation, and may stop it.

/// The observer of a long computation: told of progress, asked whether to stop. The library itself prints nothing.
pub trait Watch: Send + Sync {
    /// `done` of `total` units (images, steps) of `task` are finished.
    fn advance(&self, task: &str, done: usize, total: usize);

    /// A line worth keeping, such as the scores of an epoch.
    fn note(&self, line: &str);

    /// Whether to stop at the next safe point.
    fn is_stopped(&self) -> bool;
}

/// No observer: silent, never stopped.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unwatched;

impl Watch for Unwatched {
    fn advance(&self, _: &str, _: usize, _: usize) {}
    fn note(&self, _: &str) {}
    fn is_stopped(&self) -> bool {
        false
    }
}
