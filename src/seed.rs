//! One seed splits into named streams, so that adding a draw to one never shifts another.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use sha2::{Digest, Sha256};

/// The generator of every stream: portable, so the same seed gives the same draws on every machine.
pub type Stream = ChaCha8Rng;

/// The seed of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct Seed(pub u64);

impl Seed {
    /// The stream called `name` (`init`, `shuffle`, `augment`, ...).
    ///
    /// ```
    /// use rand::Rng;
    /// use retrace::seed::Seed;
    /// assert_eq!(Seed(1).stream("init").next_u64(), Seed(1).stream("init").next_u64());
    /// assert_ne!(Seed(1).stream("init").next_u64(), Seed(1).stream("shuffle").next_u64());
    /// ```
    pub fn stream(self, name: &str) -> Stream {
        self.child(name, 0)
    }

    /// The stream of one item (an epoch, a photo, a layer) below `name`.
    ///
    /// ```text
    /// key = SHA-256(seed as 8 bytes, item as 8 bytes, name)
    /// ```
    pub fn child(self, name: &str, item: u64) -> Stream {
        let mut hash = Sha256::new();
        hash.update(self.0.to_le_bytes());
        hash.update(item.to_le_bytes());
        hash.update(name.as_bytes());
        Stream::from_seed(hash.finalize().into())
    }
}
