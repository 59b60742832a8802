use super::{Html, Live, Profile, Show};
use crate::dataset;
use crate::device::{self, Choice};
use crate::experiment::{Method, Order, Reproduction, Retrieval, train};
use crate::report::html::escape;
use crate::run::{Places, RunConfig, Summary};
use crate::seed::Seed;
use crate::{Error, Result};
use candle_core::Device;
use std::path::{Path, PathBuf};

/// The session of a notebook: its paper, how much it does, on which device, and where files are.
pub struct Session<M> {
    /// The paper that it is about.
    pub paper: M,
    /// How much to do.
    pub profile: Profile,
    /// Shipped results are read; new ones go to `local/notebooks/<profile>/`.
    pub places: Places,
    /// Where tensors live.
    pub device: Device,
    live: Live,
}

impl<M: Method> Session<M> {
    /// Opens a session with the profile that the variable `RETRACE_PROFILE` names, else with `profile`.
    ///
    /// The repository is found by `RETRACE_ROOT`, else from the current folder upwards; the device is that of
    /// `RETRACE_DEVICE` (auto, cpu or cuda), the real corpora are those of `RETRACE_DATA`, which only the full profile uses.
    ///
    /// # Errors
    /// A profile or a device that does not exist; no repository round the current folder.
    pub fn open(paper: M, profile: &str) -> Result<Self> {
        let profile: Profile = variable("RETRACE_PROFILE").as_deref().unwrap_or(profile).parse()?;
        let choice: Choice = variable("RETRACE_DEVICE").as_deref().unwrap_or("auto").parse()?;
        let root = match variable("RETRACE_ROOT") {
            Some(root) => PathBuf::from(root),
            None => root(&std::env::current_dir().map_err(Error::io("."))?)?,
        };
        let local = root.join("local/notebooks").join(profile.to_string());
        let path = |name: &str| variable(name).map(PathBuf::from);
        let places = Places {
            results: local.join("results"),
            figures: local.join("figures"),
            shipped: root.join("results"),
            data: path("RETRACE_DATA").filter(|_| profile == Profile::Full),
            weights: path("RETRACE_WEIGHTS").unwrap_or_else(|| root.join("local/weights")),
            cache: root.join("local/cache"),
        };
        Ok(Self::at(paper, profile, places, device::open(choice)?))
    }

    /// A session at given places.
    pub fn at(paper: M, profile: Profile, places: Places, device: Device) -> Self {
        Self { paper, profile, places, device, live: Live::default() }
    }

    /// What a run needs.
    pub fn order(&self) -> Order<'_> {
        Order { places: &self.places, device: &self.device, command: "a notebook".into(), watch: &self.live }
    }

    /// A row's shipped checkpoint with the test part of the corpus that it was trained on.
    ///
    /// # Errors
    /// No such row.
    pub fn retrieval(&self, dataset: &str, row: &str) -> Result<Retrieval> {
        self.paper.open_row(&self.places.shipped, dataset, row, dataset, &self.order())
    }

    /// The corpora that can be trained on here: the paper's first embedded one, and its last real one where that and the
    /// weights are.
    pub fn corpora(&self) -> Vec<&'static str> {
        let names: Vec<&'static str> = self.paper.corpora().iter().map(|corpus| corpus.name).collect();
        let embedded = names.iter().find(|name| dataset::is_embedded(name));
        let real = names.iter().rev().find(|name| !dataset::is_embedded(name));
        let chosen = embedded.into_iter().chain(real).copied();
        chosen.filter(|name| self.is_here(name).is_ok()).collect()
    }

    fn is_here(&self, name: &str) -> Result<()> {
        if let Some((row, _)) = self.paper.compared().first() {
            self.paper.needs(&self.paper.preset(name, row)?).find(&self.places)?;
        }
        dataset::open(name, self.places.data.as_deref()).map(|_| ())
    }

    /// The preset of a row, with as many epochs as the profile allows.
    ///
    /// # Errors
    /// No such row.
    pub fn config(&self, dataset: &str, row: &str) -> Result<M::Config> {
        let mut config = self.paper.preset(dataset, row)?;
        self.paper.shorten(&mut config, self.profile.pick([1, 4, usize::MAX]));
        Ok(config)
    }

    /// Trains a row, or resumes it; a finished training is not repeated.
    ///
    /// # Errors
    /// Settings that cannot be trained with, or others than the training began with.
    pub fn train(&self, dataset: &str, row: &str, config: &M::Config, seed: u64) -> Result<Summary> {
        let (slug, seed) = (self.paper.slug().to_string(), Seed(seed));
        let run = RunConfig { slug, dataset: dataset.into(), row: row.into(), seed, config: config.clone() };
        train(&self.paper, &run, dataset, &self.order())
    }
}

impl<M: Method> Show for Session<M> {
    fn html(&self) -> Result<Html> {
        let data = match &self.places.data {
            Some(_) => "the real corpora of RETRACE_DATA and the embedded ones",
            None => "the embedded corpora",
        };
        let device = device::name(&self.device);
        Ok(Html(format!("<p>profile <b>{}</b>, device <b>{}</b>, {data}</p>\n", self.profile, escape(device))))
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// The first folder from here upwards that holds the records.
fn root(from: &Path) -> Result<PathBuf> {
    let is_root = |folder: &&Path| folder.join("Cargo.toml").is_file() && folder.join("results").is_dir();
    from.ancestors().find(is_root).map(Path::to_path_buf).ok_or_else(|| {
        Error::data(from, "a folder inside the repository (or RETRACE_ROOT)", "no `results` in it or above it")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_repository_is_found_from_below() {
        let place = tempfile::tempdir().unwrap();
        let below = place.path().join("notebooks/kernel");
        std::fs::create_dir_all(&below).unwrap();
        std::fs::create_dir(place.path().join("results")).unwrap();
        std::fs::write(below.join("Cargo.toml"), "").unwrap();
        assert!(root(&below).unwrap_err().to_string().contains("RETRACE_ROOT"));
        std::fs::write(place.path().join("Cargo.toml"), "").unwrap();
        assert_eq!(root(&below).unwrap(), place.path());
    }
}
