//! What a build without the feature `hub` says of the verbs that need it.

use clap::Args;
use retrace::{Error, Result};

/// Whatever was typed: it is not read.
#[derive(Debug, Args)]
pub struct Words {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, hide = true)]
    words: Vec<String>,
}

impl Words {
    /// Refuses the verb, unless only help is wanted.
    pub fn refuse(&self, verb: &str) -> Result<()> {
        if self.words.iter().any(|word| word == "--help" || word == "-h") {
            println!("retrace {verb} needs {NEEDED}");
            return Ok(());
        }
        refuse(verb)
    }
}

/// What is missing, and how to get it.
const NEEDED: &str = "a build with the feature `hub`: cargo run --release --features hub -- ...";

/// Names the feature, and how to get it.
pub fn refuse<T>(verb: &str) -> Result<T> {
    Err(Error::value(format!("retrace {verb}"), NEEDED, "one without it"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusal_names_verb_and_feature() {
        let error = refuse::<()>("publish").unwrap_err().to_string();
        assert!(error.contains("retrace publish") && error.contains("--features hub"), "{error}");
    }
}
