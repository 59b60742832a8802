use super::named::Tensors;
use crate::Result;
use crate::model::Parameters;

/// The state that a training saves so that it can be resumed.
///
/// Several networks or optimisers share one map of names by [`join`](super::named::join) and
/// [`part`](super::named::part).
pub trait Resume {
    /// Every tensor that is trained, running statistics included: what is kept of the best epoch.
    ///
    /// # Errors
    /// A failing tensor operation.
    fn trained(&self) -> Result<Tensors>;

    /// Restores tensors that [`Resume::trained`] gave.
    ///
    /// # Errors
    /// Tensors of another network.
    fn load(&mut self, trained: &Tensors) -> Result<()>;

    /// Further state for resuming: moments of optimisers, queues; nothing unless said otherwise.
    ///
    /// # Errors
    /// A failing tensor operation.
    fn state(&self) -> Result<Tensors> {
        Ok(Tensors::new())
    }

    /// Restores what [`Resume::state`] gave.
    ///
    /// # Errors
    /// A state of another network or optimiser.
    fn restore(&mut self, _state: Tensors) -> Result<()> {
        Ok(())
    }
}

/// Every tensor; nothing beside them.
impl Resume for Parameters {
    fn trained(&self) -> Result<Tensors> {
        Ok(self.tensors())
    }

    fn load(&mut self, trained: &Tensors) -> Result<()> {
        Self::load(self, trained)?;
        Ok(())
    }
}
