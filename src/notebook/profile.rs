use crate::{Error, Result};
use std::fmt;
use std::str::FromStr;

/// How much a notebook does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Profile {
    /// The least that shows that every cell works: what the tests run.
    Smoke,
    /// Minutes on two cores, without files from outside the repository.
    Quick,
    /// Everything: whole trainings, and real corpora if they are there.
    Full,
}

impl Profile {
    /// The value of this profile.
    ///
    /// ```
    /// use retrace::notebook::Profile;
    /// assert_eq!(Profile::Quick.pick([1, 4, 20]), 4);
    /// ```
    pub fn pick<T>(self, [smoke, quick, full]: [T; 3]) -> T {
        match self {
            Self::Smoke => smoke,
            Self::Quick => quick,
            Self::Full => full,
        }
    }
}

impl fmt::Display for Profile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.pick(["smoke", "quick", "full"]))
    }
}

impl FromStr for Profile {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let all = [Self::Smoke, Self::Quick, Self::Full];
        let fits = |profile: &Self| profile.to_string() == text;
        all.into_iter().find(fits).ok_or_else(|| Error::value("profile", "smoke, quick or full", format!("`{text}`")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn profile_names_read_back() {
        for profile in [Profile::Smoke, Profile::Quick, Profile::Full] {
            assert_eq!(profile.to_string().parse::<Profile>().unwrap(), profile);
        }
        let error = "fast".parse::<Profile>().unwrap_err().to_string();
        assert_eq!(error, "profile: expected smoke, quick or full, found `fast`");
    }
}
